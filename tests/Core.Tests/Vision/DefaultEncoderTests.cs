using System.Security.Cryptography;
using System.Text.Json;
using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using Scion.Onnx;
using Scion.Vision;

namespace Scion.Tests.Vision;

public sealed class DefaultEncoderTests
{
    [Fact]
    public void File_AsShipped_IsSmallAndThatOfItsCard()
    {
        Assert.InRange(DefaultEncoder.File.Length, 1, 12_000_000);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(DefaultEncoder.File.Span)), DefaultEncoder.Card.Sha256);
        Assert.Equal(DefaultEncoder.File.Length, DefaultEncoder.Card.Length);
    }

    [Fact]
    public void Card_AsShipped_SaysWhatItIs()
    {
        ImageEncoderCard card = DefaultEncoder.Card;

        Assert.Equal(("image", "default", "MIT", true), (card.Kind, card.Name, card.Licence, card.Batches));
        Assert.StartsWith("scion encoders pretrain ", card.Source, StringComparison.Ordinal);
        Assert.Contains("formulas", card.TrainedOn, StringComparison.Ordinal);
        Assert.DoesNotContain("dress", card.TrainedOn, StringComparison.Ordinal);
        Assert.DoesNotContain("skirt", card.TrainedOn, StringComparison.Ordinal);
    }

    /// <summary>The features were computed by TorchSharp from the trained weights, when the file was made.</summary>
    [Fact]
    public void Open_ProbePictures_GivesTheFeaturesOfTheTrainedNetwork()
    {
        ImageEncoder encoder = DefaultEncoder.Open();
        float[] trained = JsonSerializer.Deserialize<float[]>(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Vision", "default-encoder-probe.json")))!;
        int side = encoder.Card.Fit.Height;

        using InferenceSession session = new(encoder.Model.ToByteArray());
        using OrtValue input = OrtValue.CreateTensorValueFromMemory(EncoderProbe.Pixels(side), [EncoderProbe.Pictures, side, side, 3]);
        using RunOptions options = new();
        using IDisposableReadOnlyCollection<OrtValue> outputs = session.Run(options, ["pixels"], [input], session.OutputNames);
        float[] features = outputs[0].GetTensorDataAsSpan<float>().ToArray();

        Assert.Equal(trained.Length, features.Length);
        float scale = trained.Max(Math.Abs);
        Assert.True(scale > 0.01);
        Assert.All(trained.Zip(features), pair => Assert.Equal(pair.First, pair.Second, 1e-4 * scale));
    }

    [Fact]
    public void Open_CutAtAllOfferedLayers_GivesFiniteFeaturesThatDiffer()
    {
        ImageEncoder encoder = DefaultEncoder.Open();
        EncoderLayer[] layers = [.. encoder.Card.Layers.Where(layer => layer.Offered)];
        int[] dims = [.. layers.Select(layer => layer.Features)];
        float[][] features = [.. dims.Select(dim => new float[EncoderProbe.Pictures * dim])];

        using EncoderSession session = new(EncoderGraph.Cut(encoder.Model, [.. layers.Select(layer => layer.Name)]).ToByteArray(), encoder.Card.Fit, dims, encoder.Card.Batches, gpu: false);
        session.Run(EncoderProbe.Pixels(encoder.Card.Fit.Height), EncoderProbe.Pictures, [.. features.Select(f => f.AsMemory())]);

        Assert.True(layers.Length >= 3);
        Assert.All(features.Zip(dims), of =>
        {
            Assert.All(of.First, value => Assert.True(float.IsFinite(value)));
            Assert.NotEqual(of.First[..of.Second], of.First[of.Second..(2 * of.Second)]);
        });
    }
}
