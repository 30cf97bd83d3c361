using CsCheck;
using Scion.Faults;
using Scion.Pipelines;
using Scion.Registry;
using Scion.Serving;

namespace Scion.Tests.Registry;

/// <summary>Packages as someone with write access could leave them: every digest fits, the content does not. Only coded refusals may come of it.</summary>
public sealed class PackageFuzzTests : IAsyncLifetime
{
    static readonly string[] Codes = ["R005", "R006", "R008", "R014", "R020", "S006", "S007", "T001"];

    static readonly string[] RepeatCodes = ["R005", "R012", "R014"];

    ModelPackage package = null!;

    public async ValueTask InitializeAsync()
    {
        InMemoryBlobStore store = new();
        PublishInput input = await TrainedModel.MakeAsync(store);
        await TrainedModel.PublishAsync(store, input);
        package = await new ModelRegistry(store, StoppedClock.Instance).ReadAsync("films", input.Version, null, null, default);
    }

    public ValueTask DisposeAsync() => default;

    /// <summary>One change: a byte set, a run cut out, a run doubled, the end cut off, or a number grown.</summary>
    static byte[] Mutate(byte[] bytes, int kind, int at, int length, byte value)
    {
        at %= bytes.Length;
        length = Math.Min(1 + length % 64, bytes.Length - at);
        return (kind % 5) switch
        {
            0 => [.. bytes[..at], value, .. bytes[(at + 1)..]],
            1 => [.. bytes[..at], .. bytes[(at + length)..]],
            2 => [.. bytes[..(at + length)], .. bytes[at..]],
            3 => bytes[..at],
            _ => [.. bytes[..at], .. "999999999999"u8, .. bytes[at..]],
        };
    }

    static readonly Gen<(int Kind, int At, int Length, byte Value)> Change = Gen.Select(Gen.Int[0, 4], Gen.Int[0, int.MaxValue], Gen.Int[0, 63], Gen.Byte);

    [Fact]
    public void Manifest_AnyMutation_IsReadOrRefusedWithACode()
    {
        byte[] json = package[ModelPackage.ManifestName].ToArray();
        Change.Array[1, 3].Sample(changes =>
        {
            byte[] mutated = changes.Aggregate(json, (bytes, change) => bytes.Length == 0 ? bytes : Mutate(bytes, change.Kind, change.At, change.Length, change.Value));

            Exception? fault = Record.Exception(() => ModelPackage.ReadManifest("model.json", mutated));

            if (fault is not null) Assert.Contains(Assert.IsType<InputRejectedException>(fault).Code, Codes);
        }, iter: 5000);
    }

    [Theory]
    [InlineData(ModelPackage.EncoderName, 700)]
    [InlineData(ModelPackage.HeadName, 700)]
    [InlineData(ModelPackage.ExamplesName, 700)]
    [InlineData(ModelPackage.ExampleTextsName, 400)]
    [InlineData(ModelPackage.VocabularyName, 400)]
    public void File_AnyMutationSealedAnew_LoadsAndPredictsOrIsRefusedWithACode(string file, int times)
    {
        Dictionary<string, ReadOnlyMemory<byte>> files = package.Names.Where(name => name != ModelPackage.ManifestName).ToDictionary(name => name, name => package[name]);
        byte[] bytes = files[file].ToArray();
        long before = GC.GetTotalAllocatedBytes();
        Change.Sample(change =>
        {
            Dictionary<string, ReadOnlyMemory<byte>> mutated = new(files) { [file] = Mutate(bytes, change.Kind, change.At, change.Length, change.Value) };

            Exception? fault = Record.Exception(() =>
            {
                using ReviewPredictor predictor = ReviewPredictor.Load(ModelPackage.Seal(package.Manifest, mutated));
                Prediction prediction = predictor.Predict("the film was great but the plot was dull", explain: true);
                Assert.True(float.IsFinite(prediction.Score), "the score is not a number");
            });

            if (fault is not null) Assert.Contains(Assert.IsType<InputRejectedException>(fault).Code, Codes);
        }, iter: times, threads: 1);

        Assert.InRange((GC.GetTotalAllocatedBytes() - before) / times, 0, 4 << 20);         // a lying length never becomes an allocation
    }

    [Fact]
    public void Parity_AnyMutation_RepeatsOrIsRefusedWithACode()
    {
        byte[] json = package[ModelPackage.ParityName].ToArray();
        using ReviewPredictor predictor = ReviewPredictor.Load(package);
        Change.Sample(change =>
        {
            byte[] mutated = Mutate(json, change.Kind, change.At, change.Length, change.Value);

            Exception? fault = Record.Exception(() => ParityCheck.Repeat(predictor, mutated));

            if (fault is not null) Assert.Contains(Assert.IsType<InputRejectedException>(fault).Code, RepeatCodes);
        }, iter: 2000, threads: 1);
    }
}
