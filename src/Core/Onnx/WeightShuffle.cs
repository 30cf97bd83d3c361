using Scion.Text;
using Scion.Vision;

namespace Scion.Onnx;

/// <summary>The same network with nothing learned: the twin that a pretrained encoder is compared with.</summary>
/// <remarks>Each weight tensor keeps its values, in another order: they are permuted at random, and then brought to mean 0 and to the spread that keeps
/// signals their size, variance 2 / fan-in before a rectifier and 1 / fan-in elsewhere (He et al. 2015, arXiv:1502.01852, eq. 10). Without that, the small
/// mean of trained weights adds up over thousands of inputs and every unit is dead or saturated; a network like that would make transfer look better than it is.
/// Biases and shifts become 0, scales 1, running means 0, running variances 1, so normalisations of inference pass signals on. Embeddings are permuted.
/// The first weights are divided by the size of the input's values. Structure, parameter count and preprocessing stay.</remarks>
static class WeightShuffle
{
    static readonly HashSet<string> Rectifiers = ["Relu", "LeakyRelu", "PRelu", "Elu", "Celu", "Clip", "HardSwish", "Mish", "Gelu", "Softplus", "Sigmoid", "HardSigmoid"];

    public static ModelProto Of(ModelProto model, int seed)
    {
        ModelProto shuffled = model.Clone();
        GraphProto graph = shuffled.Graph;
        GraphShapes shapes = ShapeInference.Of("The encoder", model);
        LearnedNumbers learned = new(graph, shapes);
        Dictionary<string, int> constants = new(StringComparer.Ordinal);
        for (int i = 0; i < graph.Initializer.Count; i++) constants.Add(graph.Initializer[i].Name, i);
        Dictionary<string, NodeProto> makers = graph.Node.SelectMany(node => node.Output, (node, output) => (node, output))
            .ToDictionary(made => made.output, made => made.node, StringComparer.Ordinal);
        HashSet<string> done = new(StringComparer.Ordinal);
        float input = SizeOfInput(EncoderGraph.ValuesOf(model));

        foreach (NodeProto node in graph.Node.Where(node => shapes[node.Output[0]].FromPixels))
        {
            bool begun = node.Input.Any(name => name.Length > 0 && shapes[name].FromPixels && learned.Behind(name) > 0);
            for (int i = 0; i < node.Input.Count; i++)
            {
                if (node.InputAt(i) is not { } name || shapes[name] is not { FromPixels: false, IsFloat: true } tensor) continue;
                if (Constant(name) is not { } index || !done.Add(graph.Initializer[index].Name)) continue;
                TensorProto constant = graph.Initializer[index];
                float[] values = ConstantBytes.Floats(constant);
                switch (node.OpType, i)
                {
                    case ("Conv" or "Gemm" or "MatMul", 0 or 1) when tensor.Rank >= 2:
                        long fan = node.OpType == "Conv" ? tensor.Elements / tensor.Sizes[0].Value : tensor.Sizes[node.OpType == "Gemm" && node.IntOf("transB", 0) != 0 ? ^1 : ^2].Value;
                        Permute(values, seed, index);
                        Spread(values, Math.Sqrt((IsRectified(node) ? 2.0 : 1.0) / fan) / (begun ? 1 : input));
                        break;
                    case ("BatchNormalization", 1 or 4) or ("LayerNormalization" or "InstanceNormalization" or "GroupNormalization", 1):
                        Array.Fill(values, 1);
                        break;
                    case ("Conv" or "Gemm", 2) or ("BatchNormalization", 2 or 3) or ("LayerNormalization" or "InstanceNormalization" or "GroupNormalization", 2):
                        Array.Fill(values, 0);
                        break;
                    case ("Mul" or "Div", _) when begun && values.Length > 1:
                        Array.Fill(values, 1);
                        break;
                    case ("Add" or "Sub" or "Sum", _) when begun && values.Length > 1 && tensor.Sizes.Count(size => size.Value > 1) <= 1:
                        Array.Fill(values, 0);
                        break;
                    case ("Add" or "Sub" or "Sum" or "Concat", _) when begun && values.Length > 1:
                        Permute(values, seed, index);
                        break;
                    default:
                        continue;
                }
                graph.Initializer[index] = ConstantBytes.WithFloats(constant, values);
            }
        }
        return shuffled;

        // Exporters may transpose, cast or pass on a constant before it is used.
        int? Constant(string name)
        {
            while (makers.TryGetValue(name, out NodeProto? maker))
            {
                if (maker.OpType is not ("Identity" or "Transpose" or "Cast" or "Reshape" or "Unsqueeze" or "Squeeze" or "Expand")) return null;
                name = maker.Input[0];
            }
            return constants.TryGetValue(name, out int index) ? index : null;
        }

        bool IsRectified(NodeProto node)
        {
            string name = node.Output[0];
            for (int steps = 0; steps < 4; steps++)
            {
                NodeProto[] next = [.. graph.Node.Where(user => user.Input.Contains(name) && shapes[user.Output[0]].FromPixels)];
                if (next.Any(user => Rectifiers.Contains(user.OpType))) return true;
                if (next is not [{ OpType: "BatchNormalization" or "Add" or "Mul" or "MaxPool" } only] || only.Input.Count(other => other.Length > 0 && shapes[other].FromPixels) != 1) return false;
                name = only.Output[0];
            }
            return false;
        }
    }

    /// <summary>Root mean square of the network's input when pixels are spread evenly over 0 to 255.</summary>
    static float SizeOfInput(PictureValues? values)
    {
        if (values is null) return 1;
        double sum = 0;
        for (int c = 0; c < 3; c++) sum += (Math.Pow(127.5 - values.Mean[c], 2) + 255.0 * 255 / 12) * values.Scale[c] * values.Scale[c];
        return (float)Math.Sqrt(sum / 3);
    }

    static void Permute(float[] values, int seed, int stream)
    {
        Xoshiro random = new(seed, stream);
        for (int i = values.Length - 1; i > 0; i--)
        {
            int j = random.Below(i + 1);
            (values[i], values[j]) = (values[j], values[i]);
        }
    }

    static void Spread(float[] values, double deviation)
    {
        double mean = values.Average(value => (double)value), square = values.Sum(value => (value - mean) * (value - mean)) / values.Length;
        double factor = square > 0 ? deviation / Math.Sqrt(square) : 0;
        for (int i = 0; i < values.Length; i++) values[i] = (float)((values[i] - mean) * factor);
    }
}
