using CsCheck;
using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using Scion.Onnx;
using DataType = Scion.Onnx.TensorProto.Types.DataType;
using Size = Scion.Onnx.Size;

namespace Scion.Tests.Onnx;

public sealed class LayerFeaturesTests
{
    [Theory]
    [InlineData(7, true)]
    [InlineData(13, true)]
    [InlineData(17, false)]
    [InlineData(18, true)]
    [InlineData(21, false)]
    public void Write_AnyMap_EqualsTheFormulaWrittenOut(int opset, bool planes) =>
        Gen.Select(Gen.Int[1, 5], Gen.Int[1, 7], Gen.Int[1, 7], Gen.Int[1, 100_000]).Sample((channels, height, width, seed) =>
    {
        const int pictures = 3;
        float[] values = Values(pictures * channels * height * width, seed);
        GraphTensor layer = Layer(planes ? [channels, height, width] : [height, width, channels], planes ? 1 : 3);

        float[] features = Run(layer, opset, values, pictures);

        int dim = LayerFeatures.DimOf(layer);
        Assert.Equal(height > 1 && width > 1 ? 4 * channels : channels, dim);
        for (int p = 0; p < pictures; p++)
        {
            double[] expected = Map(channels, height, width, (c, y, x) => values[p * channels * height * width + (planes ? (c * height + y) * width + x : (y * width + x) * channels + c)]);
            for (int i = 0; i < dim; i++) Assert.Equal(expected[i], features[(p * dim) + i], 2e-5);
        }
    }, iter: 40);

    [Theory]
    [InlineData(7)]
    [InlineData(18)]
    public void Write_Tokens_AreTheirMeanOfUnitLength(int opset)
    {
        float[] values = Values(2 * 6 * 4, seed: 1);

        float[] features = Run(Layer([6, 4], channelAxis: 2), opset, values, 2);

        for (int p = 0; p < 2; p++)
            AssertUnit([.. Enumerable.Range(0, 4).Select(c => Enumerable.Range(0, 6).Average(t => (double)values[(((p * 6) + t) * 4) + c]))], features[(p * 4)..((p + 1) * 4)]);
    }

    [Theory]
    [InlineData(7)]
    [InlineData(18)]
    public void Write_AVector_IsOfUnitLength(int opset)
    {
        float[] values = Values(2 * 5, seed: 2);

        float[] features = Run(Layer([5], channelAxis: 1), opset, values, 2);

        for (int p = 0; p < 2; p++) AssertUnit([.. values[(p * 5)..((p + 1) * 5)].Select(value => (double)value)], features[(p * 5)..((p + 1) * 5)]);
    }

    [Fact]
    public void Write_NothingActive_IsZeroAndNotNan() =>
        Assert.All(Run(Layer([3, 4, 4], channelAxis: 1), 17, new float[48], 1), value => Assert.Equal(0, value));

    [Fact]
    public void Write_AMapTenThousandTimesAsStrong_HasTheSameFeatures()
    {
        float[] values = Values(3 * 5 * 5, seed: 3);

        float[] weak = Run(Layer([3, 5, 5], 1), 17, values, 1), strong = Run(Layer([3, 5, 5], 1), 17, [.. values.Select(value => value * 10_000)], 1);

        for (int i = 0; i < weak.Length; i++) Assert.Equal(weak[i], strong[i], 1e-5);
    }

    static void AssertUnit(double[] expected, float[] features)
    {
        double length = Math.Sqrt(expected.Sum(value => value * value));
        for (int i = 0; i < expected.Length; i++) Assert.Equal(expected[i] / length, features[i], 1e-5);
    }

    /// <summary>Slow on purpose: a channel and a quarter at a time.</summary>
    static double[] Map(int channels, int height, int width, Func<int, int, int, double> at)
    {
        int top = (height + 1) / 2, left = (width + 1) / 2;
        List<double> pooled = [];
        for (int c = 0; c < channels; c++)
        {
            if (height == 1 || width == 1) pooled.Add(Mean(c, 0, height, 0, width));
            else pooled.AddRange([Mean(c, 0, top, 0, left), Mean(c, 0, top, left, width), Mean(c, top, height, 0, left), Mean(c, top, height, left, width)]);
        }
        double length = Math.Sqrt(pooled.Sum(value => value * value));
        return [.. pooled.Select(value => length == 0 ? 0 : value / length)];

        double Mean(int c, int fromY, int toY, int fromX, int toX)
        {
            double sum = 0;
            for (int y = fromY; y < toY; y++)
                for (int x = fromX; x < toX; x++) sum += Math.Pow(at(c, y, x), 3);
            return Math.Cbrt(sum / ((toY - fromY) * (toX - fromX)));
        }
    }

    static GraphTensor Layer(int[] shape, int channelAxis) =>
        new("layer", DataType.Float, [Size.Batch, .. shape.Select(size => new Size(size))], null, channelAxis, FromPixels: true);

    /// <summary>As after a rectifier: half are zero; some are negative, as before one.</summary>
    static float[] Values(int count, int seed)
    {
        Random random = new(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.Next(4) switch { 0 or 1 => 0, 2 => (float)random.NextDouble() * 10, _ => (float)(random.NextDouble() * 4) - 1 })];
    }

    static float[] Run(GraphTensor layer, int opset, float[] values, int pictures)
    {
        OnnxGraphWriter writer = new("test");
        writer.Input("layer", DataType.Float, ["batch", .. layer.Sizes.Skip(1).Select(size => $"{size.Value}")]);
        writer.Output("features", DataType.Float, "batch", $"{LayerFeatures.DimOf(layer)}");
        LayerFeatures.Write(writer, layer, "features", opset);
        ModelProto model = writer.ToModel();
        model.OpsetImport[0].Version = opset;
        using InferenceSession session = new(model.ToByteArray());
        using OrtValue input = OrtValue.CreateTensorValueFromMemory(values, [pictures, .. layer.Sizes.Skip(1).Select(size => size.Value)]);
        using RunOptions options = new();
        using IDisposableReadOnlyCollection<OrtValue> answer = session.Run(options, ["layer"], [input], ["features"]);
        return answer[0].GetTensorDataAsSpan<float>().ToArray();
    }
}
