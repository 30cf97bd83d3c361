using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using Scion.Faults;
using Scion.Onnx;
using Scion.Vision;
using DataType = Scion.Onnx.TensorProto.Types.DataType;

namespace Scion.Tests.Onnx;

public sealed class EncoderGraphTests
{
    static ImageEncoder Make(ModelProto network) => ImageEncoders.Make(network.ToByteArray(), Origins.Of("network")).Encoder;

    static float[][] Run(ModelProto model, byte[] pixels, params long[] shape)
    {
        using SessionOptions options = new() { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
        using InferenceSession session = new(model.ToByteArray(), options);
        using OrtValue input = OrtValue.CreateTensorValueFromMemory(pixels, shape);
        using RunOptions run = new();
        using IDisposableReadOnlyCollection<OrtValue> results = session.Run(run, [EncoderGraph.Pixels], [input], session.OutputNames);
        return [.. results.Select(result => result.GetTensorTypeAndShape().ElementDataType == Microsoft.ML.OnnxRuntime.Tensors.TensorElementType.Float16
            ? [.. result.GetTensorDataAsSpan<Float16>().ToArray().Select(half => (float)half)] : result.GetTensorDataAsSpan<float>().ToArray())];
    }

    static byte[] Noise(int bytes, int seed = 1)
    {
        byte[] pixels = new byte[bytes];
        new Random(seed).NextBytes(pixels);
        return pixels;
    }

    [Fact]
    public void Layers_OfResNet50_AreTheArticlesFeatures()
    {
        ImageEncoder encoder = Make(PublishedNetworks.ResNet50(64));

        EncoderLayer last = encoder.Card.Layers.First(layer => layer.Name == encoder.Card.DefaultLayer);
        Assert.Equal(25_557_032, encoder.Card.Parameters);
        Assert.Equal(("Flatten", 2048), (last.Operator, last.Features));
        Assert.Equal(4_098, (last.Features + 1) * 2);
        Assert.Equal(23_508_032, last.Parameters);                                       // without the classifier's 2,049,000
        Assert.True(encoder.Card.Batches);
        EncoderLayer[] offered = [.. encoder.Card.Layers.Where(layer => layer.Offered)];
        Assert.Equal(["Relu", "Relu", "Relu", "Relu", "Flatten", "Gemm"], offered.Select(layer => layer.Operator));
        Assert.Equal([256, 512, 1024, 2048, 2048, 1000], offered.Select(layer => layer.Shape[0]));
        Assert.Equal([16, 8, 4, 2], offered[..4].Select(layer => layer.Shape[1]));
    }

    [Fact]
    public void Layers_OfMobileNetV2_AreOfferedByStage()
    {
        ImageEncoder encoder = Make(PublishedNetworks.MobileNetV2(96));

        EncoderLayer last = encoder.Card.Layers.First(layer => layer.Name == encoder.Card.DefaultLayer);
        Assert.Equal(3_487_816, encoder.Card.Parameters);
        Assert.Equal(1280, last.Features);
        Assert.Equal(1280, Assert.Single(last.Shape));
        Assert.True(encoder.Card.Batches);
        Assert.Contains(encoder.Card.Layers, layer => layer is { Offered: true, Features: 1000 });
        Assert.InRange(encoder.Card.Layers.Count(layer => layer.Offered), 4, LayerSurvey.MostOffered);
    }

    [Fact]
    public void Layers_OfSqueezeNet_EndBeforeTheClassifierByDefault()
    {
        EncoderLayers layers = EncoderGraph.Layers("net", Make(PublishedNetworks.SqueezeNet()).Model);

        EncoderLayer last = layers.Find("net", layers.Default);
        Assert.Equal("Concat", last.Operator);
        Assert.Equal([48, 5, 5], last.Shape);
        Assert.Equal(["GlobalAveragePool"], layers.All.SkipWhile(layer => layer.Name != last.Name).Skip(1).Where(layer => layer.Offered).Select(layer => layer.Operator));
        Assert.DoesNotContain(layers.All, layer => layer is { Offered: true, Operator: "Softmax" or "Conv" or "Dropout" });
    }

    public static TheoryData<string> Names => ShapeInferenceTests.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public void Cut_EveryNetwork_GivesTheLayersAskedForAndNoOtherNodes(string name)
    {
        ImageEncoder encoder = Make(PublishedNetworks.Small[name]());
        EncoderLayer[] offered = [.. encoder.Card.Layers.Where(layer => layer.Offered)];

        ModelProto cut = EncoderGraph.Cut(encoder.Model, [.. offered.Select(layer => layer.Name)]), early = EncoderGraph.Cut(encoder.Model, [offered[0].Name]);

        Assert.Equal(cut.ToByteArray(), EncoderGraph.Cut(encoder.Model, [.. offered.Select(layer => layer.Name)]).ToByteArray());
        Assert.Contains(encoder.Card.Layers, layer => layer.Name == encoder.Card.DefaultLayer);
        float[][] all = Run(cut, Noise(2 * encoder.Card.Fit.Bytes), 2, encoder.Card.Fit.Height, encoder.Card.Fit.Width, 3);
        float[] first = Run(early, Noise(2 * encoder.Card.Fit.Bytes), 2, encoder.Card.Fit.Height, encoder.Card.Fit.Width, 3)[0];
        Assert.Equal(offered.Select(layer => 2 * layer.Features), all.Select(values => values.Length));
        Assert.All(all, values => Assert.All(values, value => Assert.True(float.IsFinite(value))));
        Assert.Equal(all[0].Select(value => Math.Round(value, 4)), first.Select(value => Math.Round(value, 4)));
        if (offered[0].Parameters < encoder.Card.Parameters) Assert.True(early.CalculateSize() < cut.CalculateSize());
        Assert.All(offered, layer => Assert.InRange(layer.Parameters, 1, encoder.Card.Parameters));
        HashSet<string> used = [.. early.Graph.Node.SelectMany(node => node.Input)];
        Assert.All(early.Graph.Node.SelectMany(node => node.Output), output => Assert.True(output == EncoderGraph.FeaturesName(0) || used.Contains(output), output));
    }

    [Fact]
    public void Cut_AtWhatIsNotThere_IsRefusedWithTheNearest()
    {
        ModelProto model = Make(PublishedNetworks.SqueezeNet()).Model;
        string name = EncoderGraph.Layers("net", model).Default;

        InputRejectedException fault = Assert.Throws<InputRejectedException>(() => EncoderGraph.Cut(model, [name + "x"]));

        Assert.Equal($"V063: The encoder has no layer '{name}x' that it can be cut at. Was '{name}' meant? 'scion encoders inspect' lists them.", fault.Message);
        Assert.Equal(Refusal.NotFound, fault.Kind);
        Assert.Throws<ArgumentException>(() => EncoderGraph.Cut(model, [name, name]));
        Assert.Throws<ArgumentException>(() => EncoderGraph.Cut(model, []));
    }

    [Theory]
    [InlineData("rgb", "nchw", DataType.Float, "imagenet")]
    [InlineData("bgr", "nchw", DataType.Float, "imagenet-caffe")]
    [InlineData("bgr", "nchw", DataType.Float16, "bgr")]
    [InlineData("rgb", "nhwc", DataType.Float, "tf")]
    [InlineData("rgb", "nhwc", DataType.Float16, "unit")]
    public void WithPixels_EveryOrderLayoutAndType_IsTheArithmeticOfTheCard(string channels, string layout, DataType type, string preset)
    {
        // A network that only passes its input on: a convolution by the unit matrix.
        NetworkBuilder b = new(13) { Type = type };
        string x = layout == "nchw" ? b.Input("x", "N", "3", "16", "20") : b.Transpose(b.Input("x", "N", "16", "20", "3"), 0, 3, 1, 2);
        string y = b.Node("Conv", [x, b.Constant([1, 0, 0, 0, 1, 0, 0, 0, 1], 3, 3, 1, 1)]);
        ImageEncoder encoder = ImageEncoders.Make(b.Build(y).ToByteArray(), Origins.Of("pass") with { Preset = PicturePreset.Named(preset) }).Encoder;
        byte[] pixels = Noise(2 * 16 * 20 * 3);

        float[] values = Run(encoder.Model, pixels, 2, 16, 20, 3)[0];

        PictureValues card = encoder.Card.Values;
        Assert.Equal((channels, layout, type == DataType.Float ? "float32" : "float16"), (card.Channels, card.Layout, card.Type));
        for (int p = 0; p < 2; p++)
            for (int c = 0; c < 3; c++)
                for (int i = 0; i < 320; i++)
                {
                    double expected = (pixels[((p * 320) + i) * 3 + (channels == "bgr" ? 2 - c : c)] - (double)card.Mean[c]) * card.Scale[c];
                    Assert.Equal(expected, values[(p * 3 + c) * 320 + i], type == DataType.Float ? 1e-4 : Math.Max(1e-3, Math.Abs(expected) / 1000));
                }
    }

    [Fact]
    public void Prepare_NetworkThatMixesTheBatch_TakesOnePictureAndSaysWhy()
    {
        (ImageEncoder encoder, _, IReadOnlyList<string> warnings) = ImageEncoders.Make(PublishedNetworks.AttentionOfOne().ToByteArray(), Origins.Of("attention"));

        Assert.False(encoder.Card.Batches);
        Assert.StartsWith("V068: The network takes one picture at a time, which is slower: ", Assert.Single(warnings), StringComparison.Ordinal);
        float[] features = Run(EncoderGraph.Cut(encoder.Model, [encoder.Card.DefaultLayer]), Noise(encoder.Card.Fit.Bytes), 1, 32, 32, 3)[0];
        Assert.Equal(24, features.Length);
        ShapeInferenceTests.RequireShapesOfOnnxRuntime(encoder.Model, pictures: 1);
    }

    [Fact]
    public void WithPixels_ForeignNamesLikeOurs_AreRenamed()
    {
        ModelProto model = PublishedNetworks.SqueezeNet();
        string[] taken = ["pixels", "pixels/numbers", "features_0"];
        for (int i = 0; i < taken.Length; i++)
        {
            string old = model.Graph.Node[i].Output[0];
            foreach (NodeProto node in model.Graph.Node)
                for (int k = 0; k < node.Input.Count; k++)
                    if (node.Input[k] == old) node.Input[k] = taken[i];
            model.Graph.Node[i].Output[0] = taken[i];
        }

        ImageEncoder encoder = Make(model);

        Assert.Contains(encoder.Card.Layers, layer => layer.Name == "network/pixels");
        Assert.Equal(encoder.Model, EncoderGraph.Read("again", encoder.Model.ToByteArray()));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void ShuffledWeights_OfEveryNetwork_AreOfItsShapeAndStayFinite(string name)
    {
        ImageEncoder encoder = Make(PublishedNetworks.Small[name]());
        string[] layers = [.. encoder.Card.Layers.Where(layer => layer.Offered).Select(layer => layer.Name)];

        ModelProto shuffled = EncoderGraph.ShuffledWeights(encoder.Model, 7);

        Assert.Equal(shuffled, EncoderGraph.ShuffledWeights(encoder.Model, 7));
        Assert.NotEqual(shuffled, EncoderGraph.ShuffledWeights(encoder.Model, 8));
        Assert.Equal(encoder.Model.Graph.Node, shuffled.Graph.Node);
        Assert.Equal(encoder.Model.Graph.Initializer.Select(constant => constant.Name), shuffled.Graph.Initializer.Select(constant => constant.Name));
        Assert.Equal(encoder.Model.Graph.Initializer.SelectMany(constant => constant.Dims), shuffled.Graph.Initializer.SelectMany(constant => constant.Dims));
        Assert.Equal(encoder.Card.Parameters, EncoderGraph.Layers(name, shuffled).Parameters);
        float[][] features = Run(EncoderGraph.Cut(shuffled, layers), Noise(2 * encoder.Card.Fit.Bytes), 2, encoder.Card.Fit.Height, encoder.Card.Fit.Width, 3);
        foreach (float[] values in features)
        {
            Assert.All(values, value => Assert.True(float.IsFinite(value)));
            Assert.Contains(values, value => value != 0);
            Assert.NotEqual(values[..(values.Length / 2)], values[(values.Length / 2)..]);
        }
    }

    [Fact]
    public void ShuffledWeights_OfAConvolution_AreItsValuesInAnotherOrderAndSpread()
    {
        ModelProto model = Make(PublishedNetworks.SqueezeNet(DataType.Float)).Model, shuffled = EncoderGraph.ShuffledWeights(model, 3);
        NodeProto convolution = model.Graph.Node.Where(node => node.OpType == "Conv").ElementAt(3);

        double[] before = Standard(model, convolution.Input[1]), after = Standard(shuffled, convolution.Input[1]);

        Assert.NotEqual(before, after);
        foreach ((double a, double b) in before.Order().Zip(after.Order())) Assert.Equal(a, b, 1e-3);
        Assert.All(ConstantBytes.Floats(shuffled.Graph.Initializer.First(constant => constant.Name == convolution.Input[2])), bias => Assert.Equal(0, bias));

        static double[] Standard(ModelProto of, string name)
        {
            float[] values = ConstantBytes.Floats(of.Graph.Initializer.First(constant => constant.Name == name));
            double mean = values.Average(), deviation = Math.Sqrt(values.Average(value => (value - mean) * (value - mean)));
            return [.. values.Select(value => (value - mean) / deviation)];
        }
    }
}
