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

    /// <summary>The id that pads texts of a batch to one length.</summary>
    public static long PaddingOf(int words) => words;

    public static ModelProto Write(SentenceEncoder encoder)
    {
        (int words, int dim, int removed) = (encoder.Vocabulary.Count, encoder.Dim, encoder.Components.Length / encoder.Dim);
        return Graph(words, dim, removed, [.. encoder.Vectors, .. new float[dim]], [.. encoder.Weights, 0], encoder.Components);
    }

    /// <summary>The graph of any encoder of this shape: without the bytes of its vectors, weights and components.</summary>
    /// <param name="words">Words.</param>
    /// <param name="dim">Components of a vector.</param>
    /// <param name="removed">Directions removed, in [0, <paramref name="dim"/>].</param>
    public static ModelProto Layout(int words, int dim, int removed) => Graph(words, dim, removed, [], [], []);

    /// <summary>Directions that a graph removes, as its constants say; at most <paramref name="dim"/>.</summary>
    public static int RemovedBy(GraphProto graph, int dim) =>
        graph.Initializer.FirstOrDefault(constant => constant.Name == "components") is { Dims: [long removed, ..] } && removed > 0 && removed <= dim ? (int)removed : 0;

    static ModelProto Graph(int words, int dim, int removed, ReadOnlySpan<float> vectors, ReadOnlySpan<float> weights, float[] components)
    {
        OnnxGraphWriter graph = new("text-encoder");
        graph.Input("ids", DataType.Int64, "batch", "length");
        string size = dim.ToString(CultureInfo.InvariantCulture);
        graph.Output("features", DataType.Float, "batch", size);
        graph.Metadata("padding_id", PaddingOf(words).ToString(CultureInfo.InvariantCulture));

        string table = graph.Constant("vectors", vectors, words + 1, dim), shares = graph.Constant("weights", weights, words + 1);
        string axis = graph.Constant("axis_1", [1L], 1);

        string rows = graph.Node("Gather", "rows", [table, "ids"]);                                      // [batch, length, dim]
        string weight = graph.Node("Unsqueeze", "weight", [graph.Node("Gather", "row_weights", [shares, "ids"]), axis]);
        string mean = graph.Node("Squeeze", "mean", [graph.Node("MatMul", "sum", [weight, rows]), axis]);  // [batch, dim]
        string rest = mean;
        if (removed > 0)
        {
            string across = graph.Constant("components_across", components.Length == 0 ? [] : Transposed(components, removed, dim), dim, removed);
            string down = graph.Constant("components", components, removed, dim);
            string common = graph.Node("MatMul", "common", [graph.Node("MatMul", "along", [mean, across]), down]);
            rest = graph.Node("Sub", "rest", [mean, common]);
        }
        string norm = Norm(graph, "norm", rest);
        string unit = graph.Node("Div", "unit", [rest, graph.Node("Max", "divisor", [norm, graph.Constant("tiny", [1e-30f])])]);
        string least = graph.Node("Mul", "least", [removed > 0 ? Norm(graph, "mean_norm", mean) : norm, graph.Constant("noise", [Noise])]);
        string signal = graph.Node("Cast", "signal", [graph.Node("Greater", "is_signal", [norm, least])], OnnxGraphWriter.Int("to", (int)DataType.Float));
        graph.Node("Mul", "features", [unit, signal]);
        return graph.ToModel();
    }

    /// <summary>The word vectors in a stored encoder, [words, dim] row-major: what <c>scion words</c> compares.</summary>
    /// <param name="what">Name of the file, for messages.</param>
    /// <param name="file">The whole file.</param>
    /// <param name="words">Words it must know.</param>
    /// <param name="dim">Components of a vector.</param>
    /// <exception cref="Faults.InputRejectedException">It is not the graph that Scion writes for these sizes (R020).</exception>
    public static float[] VectorsOf(string what, ReadOnlyMemory<byte> file, int words, int dim)
    {
        ModelProto model = OnnxGuard.ReadOwn(what, file, graph => Layout(words, dim, RemovedBy(graph, dim)));
        return MemoryMarshal.Cast<byte, float>(model.Graph.Initializer.First(constant => constant.Name == "vectors").RawData.Span)[..(words * dim)].ToArray();
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
