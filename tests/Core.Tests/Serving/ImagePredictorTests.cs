using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using Scion.Faults;
using Scion.Onnx;
using Scion.Registry;
using Scion.Serving;
using Scion.Tests.Registry;
using Scion.Vision;

namespace Scion.Tests.Serving;

public sealed class ImagePredictorTests : IAsyncLifetime
{
    readonly InMemoryBlobStore store = new();
    ModelPackage package = null!;
    ImagePredictor predictor = null!;

    ModelRegistry Registry => new(store, StoppedClock.Instance);

    public async ValueTask InitializeAsync()
    {
        PublishImagesInput input = await TrainedPhotos.MakeAsync(store);
        await TrainedPhotos.PublishAsync(store, input);
        package = await Registry.ReadAsync("dresses", input.Version, null, null, default);
        predictor = ImagePredictor.Load(package, new InProcessPictures());
    }

    public ValueTask DisposeAsync()
    {
        predictor.Dispose();
        return default;
    }

    Dictionary<string, ReadOnlyMemory<byte>> Files() => package.Names.Where(name => name != ModelPackage.ManifestName).ToDictionary(name => name, name => package[name]);

    [Fact]
    public async Task Predict_AnyPhoto_NamesTheThreeNearestOfAllExamples()
    {
        byte[] photo = TrainedPhotos.Photo(new Random(5), gold: true);

        Prediction prediction = await predictor.PredictAsync(photo, default);

        byte[] pixels = new byte[TrainedPhotos.Fit.Bytes];
        PictureDecoder.Decode(photo, TrainedPhotos.Fit, pixels);
        float[] features = new float[package.Manifest.Encoder.Dim], cosines = new float[package.Manifest.Examples.Rows];
        using (EncoderSession session = new(package[ModelPackage.EncoderName], TrainedPhotos.Fit, [features.Length], batches: true, gpu: false)) session.Run(pixels, 1, [features.AsMemory()]);
        Examples.Parse(package[ModelPackage.ExamplesName].Span, package[ModelPackage.ExampleTextsName].Span, TrainedPhotos.Labels, features.Length, pictures: true).Compare(features, cosines);
        Assert.Equal(cosines.OrderDescending().Take(3), prediction.Neighbours.Select(near => near.Similarity));
        Assert.All(prediction.Neighbours, near => Assert.Equal(cosines[near.Example!.Value], near.Similarity));
        Assert.All(prediction.Neighbours, near => Assert.Equal("gold", near.Label));
        Assert.All(prediction.Neighbours, near => Assert.Null(near.Text));
        Assert.Equal(1, prediction.Scores.Values.Sum(), 1e-5);
        Assert.Equal(1, features.Sum(x => x * x), 1e-4);
    }

    [Fact]
    public async Task Predict_FromManyThreads_AnswersEachItsOwn()
    {
        byte[][] photos = [.. Enumerable.Range(0, 24).Select(i => TrainedPhotos.Photo(new Random(i), i % 2 == 1))];
        float[] alone = new float[photos.Length];
        for (int i = 0; i < photos.Length; i++) alone[i] = (await predictor.PredictAsync(photos[i], default)).Score;

        await Parallel.ForEachAsync(Enumerable.Range(0, 480), new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (i, stop) =>
            Assert.Equal(alone[i % photos.Length], (await predictor.PredictAsync(photos[i % photos.Length], stop)).Score));
    }

    [Fact]
    public async Task Predict_HalfAPhoto_IsRefusedAndTheNextIsJudged()
    {
        byte[] photo = TrainedPhotos.Photo(new Random(1), gold: true);

        InputRejectedException fault = await Assert.ThrowsAsync<InputRejectedException>(async () => await predictor.PredictAsync(photo.AsMemory(0, photo.Length / 2), default));

        Assert.StartsWith("V0", fault.Code, StringComparison.Ordinal);
        Assert.Equal("gold", (await predictor.PredictAsync(photo, default)).Label);
    }

    [Fact]
    public void Load_AGraphThatReadsAnotherFile_IsRefused()
    {
        ModelProto graph = ModelProto.Parser.ParseFrom(package[ModelPackage.EncoderName].Span);
        graph.Graph.Initializer[0].DataLocation = TensorProto.Types.DataLocation.External;
        graph.Graph.Initializer[0].ExternalData.Add(new StringStringEntryProto { Key = "location", Value = "passwd" });

        Assert.StartsWith("R020: encoder.onnx is not a graph that Scion wrote: V052", Refused(graph.ToByteArray()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_AGraphWithAnUnknownOperator_IsRefused()
    {
        ModelProto graph = ModelProto.Parser.ParseFrom(package[ModelPackage.EncoderName].Span);
        graph.Graph.Node[^1].OpType = "If";

        Assert.StartsWith("R020: encoder.onnx is not a graph that Scion wrote: V054", Refused(graph.ToByteArray()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_AGraphOfAnotherSize_IsRefused()
    {
        ModelProto graph = ModelProto.Parser.ParseFrom(package[ModelPackage.EncoderName].Span);
        ModelManifest manifest = package.Manifest with { Network = package.Manifest.Network! with { Fit = TrainedPhotos.Fit with { Width = 24 } } };

        InputRejectedException fault = Assert.Throws<InputRejectedException>(() => ImagePredictor.Load(ModelPackage.Seal(manifest, Files()), new InProcessPictures()));

        Assert.Equal("R020: encoder.onnx is not a graph that Scion wrote: it takes pictures of 20 × 24; 24 × 24 are expected. The file was damaged or replaced; train the model again, or roll back to an earlier version.", fault.Message);
        Assert.NotNull(graph);
    }

    [Fact]
    public async Task Export_OneGraph_ScoresAsTheServedModel()
    {
        ExportedModel exported = await ModelExport.ReadAsync(Registry, new InProcessPictures(), "dresses", null, default);

        using InferenceSession session = new(exported.Files.Single(file => file.Name == ModelExport.WholeName).Content.ToArray());
        byte[] photo = TrainedPhotos.Photo(new Random(8), gold: true), pixels = new byte[TrainedPhotos.Fit.Bytes];
        PictureDecoder.Decode(photo, TrainedPhotos.Fit, pixels);
        using OrtValue input = OrtValue.CreateTensorValueFromMemory(pixels, [1, 24, 20, 3]);
        using RunOptions options = new();
        using IDisposableReadOnlyCollection<OrtValue> outputs = session.Run(options, ["pixels"], [input], ["scores", "logits"]);
        Prediction prediction = await predictor.PredictAsync(photo, default);
        Assert.Equal(prediction.Scores["blue"], outputs[0].GetTensorDataAsSpan<float>()[0], 1e-5f);
        Assert.Equal(prediction.Scores["gold"], outputs[0].GetTensorDataAsSpan<float>()[1], 1e-5f);
        Assert.Equal("[\"blue\",\"gold\"]", session.ModelMetadata.CustomMetadataMap["labels"]);
        Assert.Contains("\"resize\":\"pad\"", session.ModelMetadata.CustomMetadataMap["scion.fit"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Export_AHeadThatWasReplaced_IsNotWritten()
    {
        // The guard takes a head of other weights; the digest does not.
        byte[] bytes = package[ModelPackage.HeadName].ToArray();
        bytes[^100] ^= 1;
        store.Tamper($"models/dresses/versions/{(await Registry.FindLatestAsync("dresses", default))!.Value.Pointer.Version}/head.onnx", bytes);

        InputRejectedException fault = await Assert.ThrowsAsync<InputRejectedException>(() => ModelExport.ReadAsync(Registry, new InProcessPictures(), "dresses", null, default));

        Assert.Equal("R007", fault.Code);
    }

    [Fact]
    public async Task Cache_WithBothKinds_ServesEachAsWhatItIs()
    {
        await TrainedModel.PublishAsync(store, await TrainedModel.MakeAsync(store));
        using PredictorCache cache = new(Registry, new InProcessPictures(), new(), TimeProvider.System, Microsoft.Extensions.Logging.Abstractions.NullLogger<PredictorCache>.Instance);

        using PredictorLease films = await cache.RentAsync("films", default), dresses = await cache.RentAsync("dresses", default);

        Assert.Equal("positive", Assert.IsType<ReviewPredictor>(films.Predictor).Predict("a great film").Label);
        Assert.Equal("gold", (await Assert.IsType<ImagePredictor>(dresses.Predictor).PredictAsync(TrainedPhotos.Photo(new Random(1), gold: true), default)).Label);
    }

    InputRejectedException Refused(byte[] graph)
    {
        Dictionary<string, ReadOnlyMemory<byte>> files = new(Files()) { [ModelPackage.EncoderName] = graph };
        return Assert.Throws<InputRejectedException>(() => ImagePredictor.Load(ModelPackage.Seal(package.Manifest, files), new InProcessPictures()));
    }
}
