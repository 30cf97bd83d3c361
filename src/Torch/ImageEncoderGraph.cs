using System.Globalization;
using Scion.Onnx;
using Scion.Vision;
using TorchSharp;
using static TorchSharp.torch;
using DataType = Scion.Onnx.TensorProto.Types.DataType;

namespace Scion.Torch;

/// <summary>The trained network as an ONNX graph: <c>pixels</c> uint8 [batch, side, side, 3] to <c>features</c> float32 [batch, width of the last stage].</summary>
/// <remarks>Normalisation is folded into the convolutions: w' = w · scale / √(variance + ε), b = shift − mean · scale / √(variance + ε). Names are those of the
/// network: every residual block's output is <c>stageS.blockB</c>.</remarks>
static class ImageEncoderGraph
{
    /// <summary>Pixels of the input's side.</summary>
    public const int Side = 128;

    /// <summary>How pictures are brought to it: squashed, so that nothing is cut off; training changes proportions by more.</summary>
    public static PictureFit Fit { get; } = new(PictureFit.CurrentVersion, Side, Side, PictureResize.Squash, 0);

    public static PictureValues Values { get; } = new("rgb", [EncoderNetwork.Mean, EncoderNetwork.Mean, EncoderNetwork.Mean],
        [EncoderNetwork.Scale, EncoderNetwork.Scale, EncoderNetwork.Scale], "nchw", "float32");

    /// <param name="architecture">Sizes.</param>
    /// <param name="weights">As <see cref="EncoderNetwork.Forward"/> takes them, float32.</param>
    /// <param name="name">Of the graph.</param>
    public static (ModelProto Model, IReadOnlyList<EncoderLayer> Layers, long Parameters) Write(
        EncoderArchitecture architecture, IReadOnlyDictionary<string, Tensor> weights, string name)
    {
        OnnxGraphWriter graph = new(name);
        string side = Side.ToString(CultureInfo.InvariantCulture), features = architecture.Widths[^1].ToString(CultureInfo.InvariantCulture);
        graph.Input("pixels", DataType.Uint8, "batch", side, side, "3");
        graph.Node("Cast", "pixels.float", ["pixels"], OnnxGraphWriter.Int("to", (long)DataType.Float));
        graph.Node("Sub", "pixels.centred", ["pixels.float", graph.Constant("pixels.mean", [.. Values.Mean], 3)]);
        graph.Node("Mul", "pixels.scaled", ["pixels.centred", graph.Constant("pixels.scale", [.. Values.Scale], 3)]);
        string x = graph.Node("Transpose", "pixels.nchw", ["pixels.scaled"], OnnxGraphWriter.Ints("perm", 0, 3, 1, 2));

        long parameters = 0;
        int size = Side, width = architecture.Widths[0];
        List<EncoderLayer> layers = [];
        using IEnumerator<EncoderConvolution> convolutions = architecture.Convolutions().GetEnumerator();
        EncoderConvolution Next()
        {
            convolutions.MoveNext();
            return convolutions.Current;
        }
        string Convolve(EncoderConvolution c, string from)
        {
            (float[] weight, float[] bias) = Folded(c, weights);
            parameters += weight.Length + bias.Length;
            int pad = c.Kernel / 2;
            return graph.Node("Conv", c.Name,
                [from, graph.Constant($"{c.Name}.weight", weight, c.Out, c.In, c.Kernel, c.Kernel), graph.Constant($"{c.Name}.bias", bias, c.Out)],
                OnnxGraphWriter.Ints("kernel_shape", c.Kernel, c.Kernel), OnnxGraphWriter.Ints("strides", c.Stride, c.Stride),
                OnnxGraphWriter.Ints("pads", pad, pad, pad, pad), OnnxGraphWriter.Ints("dilations", 1, 1), OnnxGraphWriter.Int("group", 1));
        }
        string Layer(string output, string from, bool offered)
        {
            layers.Add(new EncoderLayer(output, "Relu", [width, size, size], width, parameters, offered));
            return graph.Node("Relu", output, [from]);
        }

        EncoderConvolution stem = Next();
        size = Out(size, stem);
        x = Layer("stem.relu", Convolve(stem, x), offered: false);
        for (int s = 0; s < architecture.Widths.Count; s++)
            for (int b = 0; b < architecture.Blocks[s]; b++)
            {
                string block = $"stage{s + 1}.block{b + 1}";
                EncoderConvolution first = Next();
                size = Out(size, first);
                string y = Convolve(Next(), graph.Node("Relu", $"{first.Name}.relu", [Convolve(first, x)]));
                string shortcut = width == architecture.Widths[s] ? x : Convolve(Next(), x);
                width = architecture.Widths[s];
                x = Layer(block, graph.Node("Add", $"{block}.sum", [y, shortcut]), offered: s > 0 && b == architecture.Blocks[s] - 1);
            }
        graph.Node("GlobalAveragePool", "pool", [x]);
        graph.Node("Flatten", "features", ["pool"], OnnxGraphWriter.Int("axis", 1));
        graph.Output("features", DataType.Float, "batch", features);
        return (graph.ToModel(), layers, parameters);
    }

    static int Out(int size, EncoderConvolution c) => ((size + (c.Kernel / 2 * 2) - c.Kernel) / c.Stride) + 1;

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
