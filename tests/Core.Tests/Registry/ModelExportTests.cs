using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Microsoft.ML.OnnxRuntime;
using Scion.Faults;
using Scion.Pipelines;
using Scion.Registry;
using Scion.Text;
using Scion.Vision;

namespace Scion.Tests.Registry;

public sealed class ModelExportTests
{
    readonly InMemoryBlobStore store = new();

    ModelRegistry Registry => new(store, StoppedClock.Instance);

    async Task<PublishInput> PublishAsync()
    {
        PublishInput input = await TrainedModel.MakeAsync(store);
        await TrainedModel.PublishAsync(store, input);
        return input;
    }

    [Fact]
    public async Task WriteZip_ServingVersion_HoldsThePackageAndOneGraphThatPredictsAlike()
    {
        PublishInput input = await PublishAsync();
        using MemoryStream file = new();

        ExportedModel exported = await ModelExport.WriteZipAsync(Registry, new InProcessPictures(), "films", null, file, default);

        Assert.Equal(input.Version, exported.Version);
        using ZipArchive zip = new(new MemoryStream(file.ToArray()));
        foreach (string name in ModelPackage.ServingFiles(ModelManifest.Reviews).Concat([ModelPackage.ManifestName, ModelPackage.ReportName, ModelPackage.CardName, ModelPackage.ParityName]))
            Assert.Equal(store.Content.Single(blob => blob.Path == $"models/films/versions/{input.Version}/{name}").Bytes, Bytes(zip, name));
        Assert.Equal(TrainedModel.Labels, JsonSerializer.Deserialize<string[]>(Bytes(zip, ModelExport.LabelsName)));
        using InferenceSession whole = new(Bytes(zip, ModelExport.WholeName));
        ParityCheck parity = JsonSerializer.Deserialize<ParityCheck>(Bytes(zip, ModelPackage.ParityName), ScionJson.Strict)!;
        foreach (ParityRow row in parity.Rows)
        {
            using OrtValue ids = OrtValue.CreateTensorValueFromMemory([.. row.Ids!.Select(id => (long)id)], [1, row.Ids!.Count]);
            using RunOptions options = new();
            using IDisposableReadOnlyCollection<OrtValue> outputs = whole.Run(options, ["ids"], [ids], ["logits"]);
            for (int c = 0; c < 2; c++) Assert.Equal(row.Logits[c], outputs[0].GetTensorDataAsSpan<float>()[c], 1e-4f);
        }
    }

    [Fact]
    public async Task WriteZip_Twice_GivesEqualBytes()
    {
        await PublishAsync();
        using MemoryStream first = new(), second = new();

        await ModelExport.WriteZipAsync(Registry, new InProcessPictures(), "films", null, first, default);
        await ModelExport.WriteZipAsync(Registry, new InProcessPictures(), "films", null, second, default);

        Assert.Equal(first.ToArray(), second.ToArray());
    }

    [Fact]
    public async Task WriteZip_DamagedVersion_IsRefusedAndNothingIsWritten()
    {
        PublishInput input = await PublishAsync();
        store.Tamper($"models/films/versions/{input.Version}/head.onnx", [1]);
        using MemoryStream file = new();

        Assert.Equal("R007", (await Assert.ThrowsAsync<InputRejectedException>(() => ModelExport.WriteZipAsync(Registry, new InProcessPictures(), "films", null, file, default))).Code);
        Assert.Equal(0, file.Length);
        Assert.Equal("R002", (await Assert.ThrowsAsync<InputRejectedException>(() => ModelExport.WriteZipAsync(Registry, new InProcessPictures(), "books", null, file, default))).Code);
    }

    [Theory]
    [InlineData(WordVectorFormat.Word2VecText)]
    [InlineData(WordVectorFormat.Word2VecBinary)]
    [InlineData(WordVectorFormat.Glove)]
    public async Task WriteVectors_EachFormat_ReadsBackAsTheEncodersVectors(WordVectorFormat format)
    {
        await PublishAsync();
        SentenceEncoder encoder = TrainedModel.Encoder(1);
        using MemoryStream file = new();

        (int words, int dim) = await ModelExport.WriteVectorsAsync(Registry, "films", null, format, file, default);

        file.Position = 0;
        WordVectors read = WordVectorFile.Read(file, keep: null, default);
        Assert.Equal((encoder.Vocabulary.Count, encoder.Dim), (words, dim));
        Assert.Equal(encoder.Vocabulary.Words, read.Words);
        Assert.Equal(encoder.Vectors, read.Vectors);
    }

    static byte[] Bytes(ZipArchive zip, string name)
    {
        using Stream entry = zip.GetEntry(name)!.Open();
        using MemoryStream bytes = new();
        entry.CopyTo(bytes);
        return bytes.ToArray();
    }
}
