using System.Globalization;
using Scion.Onnx;
using TorchSharp;
using static TorchSharp.torch;
using DataType = Scion.Onnx.TensorProto.Types.DataType;

namespace Scion.Torch;

/// <summary>The trained network as an ONNX graph, before preprocessing: <c>input</c> float32 [batch, 3, side, side] to <c>features</c> float32
/// [batch, width of the last stage].</summary>
/// <remarks>Normalisation is folded into the convolutions: w' = w · scale / √(variance + ε), b = shift − mean · scale / √(variance + ε). Names are those of the
/// network: a residual block's output is <c>stageS.blockB</c>.</remarks>
static class ImageEncoderGraph
{
    /// <summary>Pixels of the input's side.</summary>
    public const int Side = 128;

    /// <param name="architecture">Sizes.</param>
    /// <param name="weights">As <see cref="EncoderNetwork.Forward"/> takes them, float32.</param>
    /// <param name="name">Of the graph.</param>
    public static ModelProto Write(EncoderArchitecture architecture, IReadOnlyDictionary<string, Tensor> weights, string name)
    {
        OnnxGraphWriter graph = new(name);
        string side = Side.ToString(CultureInfo.InvariantCulture), features = architecture.Widths[^1].ToString(CultureInfo.InvariantCulture);
        graph.Input("input", DataType.Float, "batch", "3", side, side);
        int width = architecture.Widths[0];
        using IEnumerator<EncoderConvolution> convolutions = architecture.Convolutions().GetEnumerator();
        string Convolve(string from)
        {
            convolutions.MoveNext();
            EncoderConvolution c = convolutions.Current;
            (float[] weight, float[] bias) = Folded(c, weights);
            int pad = c.Kernel / 2;
            return graph.Node("Conv", c.Name,
                [from, graph.Constant($"{c.Name}.weight", weight, c.Out, c.In, c.Kernel, c.Kernel), graph.Constant($"{c.Name}.bias", bias, c.Out)],
                OnnxGraphWriter.Ints("kernel_shape", c.Kernel, c.Kernel), OnnxGraphWriter.Ints("strides", c.Stride, c.Stride),
                OnnxGraphWriter.Ints("pads", pad, pad, pad, pad), OnnxGraphWriter.Ints("dilations", 1, 1), OnnxGraphWriter.Int("group", 1));
        }
        string Activate(string from) => graph.Node("Relu", $"{from}.relu", [from]);

        string x = Activate(Convolve("input"));
        for (int s = 0; s < architecture.Widths.Count; s++)
            for (int b = 0; b < architecture.Blocks[s]; b++)
            {
                string block = $"stage{s + 1}.block{b + 1}", y = Convolve(Activate(Convolve(x)));
                string shortcut = width == architecture.Widths[s] ? x : Convolve(x);
                width = architecture.Widths[s];
                x = graph.Node("Relu", block, [graph.Node("Add", $"{block}.sum", [y, shortcut])]);
            }
        graph.Node("GlobalAveragePool", "pool", [x]);
        graph.Node("Flatten", "features", ["pool"], OnnxGraphWriter.Int("axis", 1));
        graph.Output("features", DataType.Float, "batch", features);
        return graph.ToModel();
    }

    static (float[] Weight, float[] Bias) Folded(EncoderConvolution c, IReadOnlyDictionary<string, Tensor> weights)
    {
        float[] Host(string what)
        {
            using Tensor host = weights[$"{c.Name}.{what}"].cpu();
            return [.. host.data<float>()];
        }
        float[] weight = Host("weight"), scale = Host("scale"), bias = Host("shift"), mean = Host("mean"), variance = Host("variance");
        int each = weight.Length / c.Out;
        for (int o = 0; o < c.Out; o++)
        {
            double factor = scale[o] / Math.Sqrt(variance[o] + EncoderNetwork.Epsilon);
            bias[o] = (float)(bias[o] - (mean[o] * factor));
            for (int i = o * each; i < (o + 1) * each; i++) weight[i] = (float)(weight[i] * factor);
        }
        return (weight, bias);
    }
}
