using System.Globalization;
using System.Runtime.InteropServices;
using Scion.Text;
using DataType = Scion.Onnx.TensorProto.Types.DataType;

namespace Scion.Onnx;

/// <summary>A sentence encoder as an ONNX graph: word ids to features, the arithmetic of <see cref="SentenceEncoder.Encode"/>.</summary>
/// <remarks>Input <c>ids</c>, int64 [batch, length]: known words of each text in order, padded with <see cref="PaddingOf"/>.
/// Output <c>features</c>, float32 [batch, dim]: unit length, or all zero for a text without a known word.
/// Padding adds a row of weight 0, so it changes nothing. The mean is taken as a sum: unit length cancels the divisor.</remarks>
public static class TextEncoderGraph
{
    /// <summary>Features shorter than this share of the mean they are left of are rounding noise, and are set to zero.</summary>
    public const float Noise = SentenceEncoder.Noise;

    /// <summary>Operators this graph uses; a stored encoder with any other is refused.</summary>
    public static IReadOnlySet<string> Operators { get; } =
        new HashSet<string> { "Gather", "Unsqueeze", "Squeeze", "MatMul", "Sub", "ReduceL2", "Mul", "Max", "Div", "Greater", "Cast" };

    /// <summary>The id that pads texts of a batch to one length.</summary>
    public static long PaddingOf(int words) => words;

    public static ModelProto Write(SentenceEncoder encoder)
    {
        (int words, int dim, int removed) = (encoder.Vocabulary.Count, encoder.Dim, encoder.Components.Length / encoder.Dim);
        OnnxGraphWriter graph = new("text-encoder");
        graph.Input("ids", DataType.Int64, "batch", "length");
        string size = dim.ToString(CultureInfo.InvariantCulture);
        graph.Output("features", DataType.Float, "batch", size);
        graph.Metadata("padding_id", PaddingOf(words).ToString(CultureInfo.InvariantCulture));

        string vectors = graph.Constant("vectors", [.. encoder.Vectors, .. new float[dim]], words + 1, dim);
        string weights = graph.Constant("weights", [.. encoder.Weights, 0], words + 1);
        string axis = graph.Constant("axis_1", [1L], 1);

        string rows = graph.Node("Gather", "rows", [vectors, "ids"]);                                      // [batch, length, dim]
        string weight = graph.Node("Unsqueeze", "weight", [graph.Node("Gather", "row_weights", [weights, "ids"]), axis]);
        string mean = graph.Node("Squeeze", "mean", [graph.Node("MatMul", "sum", [weight, rows]), axis]);  // [batch, dim]
        string rest = mean;
        if (removed > 0)
        {
            string across = graph.Constant("components_across", Transposed(encoder.Components, removed, dim), dim, removed);
            string components = graph.Constant("components", encoder.Components, removed, dim);
            string common = graph.Node("MatMul", "common", [graph.Node("MatMul", "along", [mean, across]), components]);
            rest = graph.Node("Sub", "rest", [mean, common]);
        }
        string norm = Norm(graph, "norm", rest);
        string unit = graph.Node("Div", "unit", [rest, graph.Node("Max", "divisor", [norm, graph.Constant("tiny", [1e-30f])])]);
        string least = graph.Node("Mul", "least", [removed > 0 ? Norm(graph, "mean_norm", mean) : norm, graph.Constant("noise", [Noise])]);
        string signal = graph.Node("Cast", "signal", [graph.Node("Greater", "is_signal", [norm, least])], OnnxGraphWriter.Int("to", (int)DataType.Float));
        graph.Node("Mul", "features", [unit, signal]);
        return graph.ToModel();
    }

    /// <summary>The word vectors in a written encoder, [words, dim] row-major: what <c>scion words</c> compares.</summary>
    public static (float[] Vectors, int Dim) VectorsOf(ModelProto encoder)
    {
        TensorProto table = encoder.Graph.Initializer.FirstOrDefault(tensor => tensor.Name == "vectors" && tensor.Dims.Count == 2)
            ?? throw OnnxFaults.Unexpected("encoder", "it has no word vectors");
        (long rows, long dim) = (table.Dims[0], table.Dims[1]);
        if (rows < 1 || dim < 1 || table.RawData.Length / 4 / dim != rows) throw OnnxFaults.Unexpected("encoder", $"{table.RawData.Length} bytes are not [{rows}, {dim}] vectors");
        return (MemoryMarshal.Cast<byte, float>(table.RawData.Span[..(int)((rows - 1) * dim * 4)]).ToArray(), (int)dim);
    }

    static string Norm(OnnxGraphWriter graph, string name, string of) =>
        graph.Node("ReduceL2", name, [of], OnnxGraphWriter.Ints("axes", 1), OnnxGraphWriter.Int("keepdims", 1));

    static float[] Transposed(float[] matrix, int rows, int columns)
    {
        float[] across = new float[matrix.Length];
        for (int r = 0; r < rows; r++)
            for (int c = 0; c < columns; c++) across[c * rows + r] = matrix[r * columns + c];
        return across;
    }
}
