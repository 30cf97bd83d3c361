using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using Scion.Onnx;
using Scion.Vision;
using DataType = Scion.Onnx.TensorProto.Types.DataType;
using Size = Scion.Onnx.Size;

namespace Scion.Tests.Onnx;

public sealed class ShapeInferenceTests
{
    public static TheoryData<string> Names => [.. PublishedNetworks.Small.Keys];

    /// <summary>Every tensor of a graph as ONNX Runtime makes it, against the shape, type and values that were worked out before.</summary>
    internal static void RequireShapesOfOnnxRuntime(ModelProto model, int pictures)
    {
        GraphShapes shapes = ShapeInference.Of("test", model);
        ModelProto all = model.Clone();
        all.Graph.Output.Clear();
        all.Graph.Output.AddRange(model.Graph.Node.SelectMany(node => node.Output).Select(name => new ValueInfoProto { Name = name }));
        using SessionOptions options = new() { GraphOptimizationLevel = GraphOptimizationLevel.ORT_DISABLE_ALL, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
        using InferenceSession session = new(all.ToByteArray(), options);
        long[] input = [.. shapes[EncoderGraph.Pixels].Sizes.Select(size => size.Batched ? size.Value * pictures : size.Value)];
        byte[] pixels = new byte[input.Aggregate(1L, (product, size) => product * size)];
        new Random(1).NextBytes(pixels);
        using OrtValue value = OrtValue.CreateTensorValueFromMemory(pixels, input);
        string[] names = [.. all.Graph.Output.Select(output => output.Name)];
        using RunOptions run = new();

        using IDisposableReadOnlyCollection<OrtValue> results = session.Run(run, [EncoderGraph.Pixels], [value], names);

        Assert.NotEmpty(names);
        for (int i = 0; i < names.Length; i++)
        {
            OrtTensorTypeAndShapeInfo found = results[i].GetTensorTypeAndShape();
            GraphTensor expected = shapes[names[i]];
            Assert.True(expected.Sizes.Select(size => size.Batched ? size.Value * pictures : size.Value).SequenceEqual(found.Shape), $"{names[i]}: {expected}, and ONNX Runtime [{string.Join(", ", found.Shape)}]");
            Assert.Equal((int)expected.Type, (int)found.ElementDataType);
            if (expected.Values is { } values && expected.Type == DataType.Int64)
                Assert.Equal(values.Select(size => size.Batched ? size.Value * pictures : size.Value), results[i].GetTensorDataAsSpan<long>().ToArray());
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Of_NetworksAsPublished_AreTheShapesOfOnnxRuntime(string name)
    {
        ModelProto network = ForeignGraph.Read(name, PublishedNetworks.Small[name]().ToByteArray());
        (PictureFit fit, PictureValues values) = PictureInput.Of(name, network, Origins.Of(name));

        PictureNetwork prepared = PictureNetwork.Prepare(name, network, fit, values);

        Assert.Null(prepared.Alone);
        RequireShapesOfOnnxRuntime(prepared.Model, pictures: 1);
        RequireShapesOfOnnxRuntime(prepared.Model, pictures: 5);
    }

    [Fact]
    public void Size_Shown_SaysTheBatch() => Assert.Equal(["batch", "12·batch", "7"], new[] { Size.Batch, new Size(12, Batched: true), new Size(7) }.Select(size => size.ToString()));
}

static class Origins
{
    public static ImageEncoderOrigin Of(string name) => new(name + ".onnx") { Preset = PicturePreset.Named("imagenet"), Name = "network" };
}
