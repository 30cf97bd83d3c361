using System.Text;
using Scion.Datasets;
using Scion.Faults;
using Scion.Pipelines;
using Scion.Registry;
using Scion.Serving;

namespace Scion.Tests.Registry;

public sealed class PublishStepTests
{
    readonly InMemoryBlobStore store = new();

    ModelRegistry Registry => new(store, StoppedClock.Instance);

    [Fact]
    public async Task Publish_FirstVersion_ServesWhatTrainingComputed()
    {
        PublishInput input = await TrainedModel.MakeAsync(store);

        Published published = await TrainedModel.PublishAsync(store, input);

        Assert.True(published.Promoted);
        Assert.Equal("Promoted: the first version of this model.", published.Gate);
        Assert.InRange(published.ParityError, 0, 1e-5);
        (LatestPointer latest, _) = (await Registry.FindLatestAsync("films", default))!.Value;
        Assert.Equal((input.Version, published.Digest), (latest.Version, latest.Digest));
        using ReviewPredictor predictor = ReviewPredictor.Load(await Registry.ReadAsync("films", latest.Version, latest.Digest, null, default));
        Assert.Equal("positive", predictor.Predict("a great and lovely film").Label);
        Assert.Equal("negative", predictor.Predict("awful, dull plot").Label);
    }

    [Fact]
    public async Task Publish_EqualTrainingTwice_HasEqualDigestUnderBothNames()
    {
        PublishInput first = await TrainedModel.MakeAsync(store), second = await TrainedModel.MakeAsync(new InMemoryBlobStore(), "other", "20260202-000000-00000002");
        InMemoryBlobStore elsewhere = new();
        await TrainedModel.MakeAsync(elsewhere);

        Published one = await TrainedModel.PublishAsync(store, first), two = await TrainedModel.PublishAsync(elsewhere, second);

        Assert.Equal(one.Digest, two.Digest);
        Assert.Equal(Files(store, first), Files(elsewhere, second));
    }

    [Fact]
    public async Task Publish_WorseThanTheChampion_KeepsTheVersionUnpromoted()
    {
        PublishInput champion = await TrainedModel.MakeAsync(store);
        PublishInput challenger = await TrainedModel.MakeAsync(store, version: "20260102-000000-00000002", seed: 2, wrong: true);

        await TrainedModel.PublishAsync(store, champion);
        Published published = await TrainedModel.PublishAsync(store, challenger);

        Assert.False(published.Promoted);
        Assert.StartsWith("Not promoted: right on 0 of 12 held-out rows, 20260101-000000-00000001 on 12 (only this one 0, only the other 12, exact p < 0.001)", published.Gate, StringComparison.Ordinal);
        Assert.Equal(champion.Version, (await Registry.FindLatestAsync("films", default))!.Value.Pointer.Version);
        Assert.Equal(2, (await Registry.ListVersionsAsync("films", default)).Count(version => version.Complete));
    }

    [Fact]
    public async Task Publish_CannotBeToldApart_IsPromotedWithNumbers()
    {
        await TrainedModel.PublishAsync(store, await TrainedModel.MakeAsync(store));

        Published published = await TrainedModel.PublishAsync(store, await TrainedModel.MakeAsync(store, version: "20260102-000000-00000002", seed: 2));

        Assert.True(published.Promoted);
        Assert.EndsWith("exact p = 1); the two cannot be told apart.", published.Gate, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0.95, true, "the intervals overlap")]
    [InlineData(0.5, false, "its interval lies below")]
    public async Task Publish_UnderCrossValidation_ComparesIntervals(double accuracy, bool promoted, string why)
    {
        await TrainedModel.PublishAsync(store, await TrainedModel.MakeAsync(store, protocol: Protocol.CrossValidation));
        PublishInput challenger = await TrainedModel.MakeAsync(store, version: "20260102-000000-00000002", seed: 2, protocol: Protocol.CrossValidation, accuracy: accuracy);

        Published published = await TrainedModel.PublishAsync(store, challenger);

        Assert.Equal(promoted, published.Promoted);
        Assert.Contains(why, published.Gate, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Publish_OlderRunEndsLast_DoesNotTakeTheNewersPlace()
    {
        await TrainedModel.PublishAsync(store, await TrainedModel.MakeAsync(store, version: "20260105-000000-00000005"));

        Published late = await TrainedModel.PublishAsync(store, await TrainedModel.MakeAsync(store, version: "20260102-000000-00000002", seed: 2));

        Assert.False(late.Promoted);
        Assert.Equal("Not promoted: 20260105-000000-00000005, from a later run, serves already.", late.Gate);
    }

    [Fact]
    public async Task Publish_RepeatedAfterARollback_IsNotPromotedAgain()
    {
        PublishInput first = await TrainedModel.MakeAsync(store), second = await TrainedModel.MakeAsync(store, version: "20260102-000000-00000002", seed: 2);
        await TrainedModel.PublishAsync(store, first);
        await TrainedModel.PublishAsync(store, second);
        await Registry.RollbackAsync("films", null, "too eager", default);
        foreach ((string path, _) in store.Content.Where(blob => blob.Path.EndsWith("/result.json", StringComparison.Ordinal)).ToList()) store.Remove(path);

        Published again = await TrainedModel.PublishAsync(store, second);

        Assert.False(again.Promoted);
        Assert.Equal(first.Version, (await Registry.FindLatestAsync("films", default))!.Value.Pointer.Version);
    }

    [Fact]
    public async Task Publish_SameNameOtherBytes_IsAConflict()
    {
        await TrainedModel.PublishAsync(store, await TrainedModel.MakeAsync(store));

        InputRejectedException fault = await Assert.ThrowsAsync<InputRejectedException>(async () =>
            await TrainedModel.PublishAsync(store, await TrainedModel.MakeAsync(store, seed: 2)));

        Assert.Equal(("R011", Refusal.Conflict), (fault.Code, fault.Kind));
    }

    [Fact]
    public async Task Publish_TheHeadIsNotTheOneThatWasMeasured_RefusesForParity()
    {
        PublishInput input = await TrainedModel.MakeAsync(store);
        float[] features = new float[60 * 8];
        Array.Fill(features, 0.3f);
        byte[] bytes = System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(features).ToArray();
        input = input with { Features = [input.Features[0] with { Features = await new StepWriter(store, "x").AddAsync("f", bytes, default) }] };

        InputRejectedException fault = await Assert.ThrowsAsync<InputRejectedException>(() => TrainedModel.PublishAsync(store, input));

        Assert.Equal("R012", fault.Code);
        Assert.DoesNotContain(store.Content, blob => blob.Path.StartsWith("models/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Publish_AnyOperationFailsAndItIsRepeated_EndsAsUndisturbed()
    {
        PublishInput first = await TrainedModel.MakeAsync(store), input = await TrainedModel.MakeAsync(store, version: "20260102-000000-00000002", seed: 2);
        await TrainedModel.PublishAsync(store, first);
        InMemoryBlobStore undisturbed = Copy(store);
        FailingBlobStore counting = new(undisturbed, 0, false);
        Published expected = await TrainedModel.PublishAsync(counting, input);
        string models = Models(undisturbed);

        foreach (bool done in new[] { false, true })
            for (int k = 1; k <= counting.Count; k++)
            {
                InMemoryBlobStore disturbed = Copy(store);
                await Assert.ThrowsAsync<TransientStorageException>(() => TrainedModel.PublishAsync(new FailingBlobStore(disturbed, k, done), input));
                (LatestPointer latest, _) = (await new ModelRegistry(disturbed, StoppedClock.Instance).FindLatestAsync("films", default))!.Value;
                await new ModelRegistry(disturbed, StoppedClock.Instance).ReadAsync("films", latest.Version, latest.Digest, null, default);

                Published repeated = await TrainedModel.PublishAsync(disturbed, input);

                Assert.Equal(expected, repeated);
                Assert.Equal(models, Models(disturbed));
            }
        Assert.InRange(counting.Count, 40, 200);
    }

    static InMemoryBlobStore Copy(InMemoryBlobStore from)
    {
        InMemoryBlobStore copy = new();
        foreach ((string path, byte[] bytes) in from.Content) copy.Tamper(path, bytes);
        return copy;
    }

    static string Models(InMemoryBlobStore store) => string.Join('\n', store.Content.Where(blob => blob.Path.StartsWith("models/", StringComparison.Ordinal))
        .Select(blob => $"{blob.Path} {ModelPackage.DigestOf(blob.Bytes)}"));

    static List<(string Name, string Text)> Files(InMemoryBlobStore store, PublishInput input) => [.. store.Content
        .Where(blob => blob.Path.StartsWith($"models/{input.Model}/versions/", StringComparison.Ordinal))
        .Select(blob => (blob.Path[(blob.Path.LastIndexOf('/') + 1)..], Encoding.Latin1.GetString(blob.Bytes)))];
}
