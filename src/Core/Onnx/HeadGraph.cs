using System.Globalization;
using System.Text.Json;
using Scion.Heads;
using DataType = Scion.Onnx.TensorProto.Types.DataType;

namespace Scion.Onnx;

/// <summary>A linear head as an ONNX graph: features to logits and calibrated probabilities.</summary>
/// <remarks>Input <c>features</c>, float32 [batch, dim]; of a head with a <see cref="WordLexicon"/> also <c>ids</c>, int64 [batch, length], as
/// <see cref="TextEncoderGraph"/> takes them. Outputs <c>logits</c> [batch, classes], as the head was fitted, and <c>probabilities</c> [batch, classes] =
/// softmax(logits / temperature). Class names are the metadata entry <c>labels</c>, a JSON array. Ids without an entry in the lexicon, padding among them, fall on a
/// last row of zeros.</remarks>
public static class HeadGraph
{
    const string LexiconName = "lexicon";

    /// <param name="head">The fitted head.</param>
    /// <param name="temperature">Above 0; 1 leaves the logits as they are.</param>
    /// <param name="labels">Class names, in the order of the head's rows.</param>
    /// <param name="lexicon">What words add; null for nothing.</param>
    public static ModelProto Write(LinearHead head, double temperature, IReadOnlyList<string> labels, WordLexicon? lexicon = null) => labels.Count == head.Classes
        ? Graph(head.Dim, head.Weights, head.Bias, temperature, labels, lexicon?.Words, lexicon is null ? [] : [.. lexicon.Weights, .. new float[labels.Count]],
            lexicon is null ? [] : [.. lexicon.Squares, 0])
        : throw new ArgumentException($"{labels.Count} labels for a head of {head.Classes} classes.");

    /// <summary>The graph of any head of this shape: without the bytes of its weights.</summary>
    /// <param name="dim">Components of the features.</param>
    /// <param name="temperature">Above 0.</param>
    /// <param name="labels">Class names.</param>
    /// <param name="words">Words of its lexicon; null for none.</param>
    public static ModelProto Layout(int dim, double temperature, IReadOnlyList<string> labels, int? words = null) => Graph(dim, [], [], temperature, labels, words, [], []);

    /// <summary>Words of a graph's lexicon, as its constants say; null when it has none.</summary>
    /// <param name="graph">A graph, not checked.</param>
    /// <param name="most">Most words there may be.</param>
    public static int? WordsOf(GraphProto graph, int most) =>
        graph.Initializer.FirstOrDefault(constant => constant.Name == LexiconName) is { Dims: [long rows, ..] } && rows > 0 && rows <= most + 1L ? (int)rows - 1 : null;

    static ModelProto Graph(int dim, ReadOnlySpan<float> weights, ReadOnlySpan<float> bias, double temperature, IReadOnlyList<string> labels, int? words,
        ReadOnlySpan<float> lexicon, ReadOnlySpan<float> squares)
    {
        OnnxGraphWriter graph = new("head");
        string classes = labels.Count.ToString(CultureInfo.InvariantCulture);
        graph.Input("features", DataType.Float, "batch", dim.ToString(CultureInfo.InvariantCulture));
        if (words is not null) graph.Input("ids", DataType.Int64, "batch", "length");
        graph.Output("logits", DataType.Float, "batch", classes);
        graph.Output("probabilities", DataType.Float, "batch", classes);
        graph.Metadata("labels", JsonSerializer.Serialize(labels, ScionJson.Strict));

        string matrix = graph.Constant("head_weights", weights, labels.Count, dim), offset = graph.Constant("head_bias", bias, labels.Count);
        string logits = graph.Node("Gemm", words is null ? "logits" : "feature_logits", ["features", matrix, offset], OnnxGraphWriter.Int("transB", 1));
        if (words is { } known)
        {
            string table = graph.Constant(LexiconName, lexicon, known + 1, labels.Count), lengths = graph.Constant("lexicon_squares", squares, known + 1, 1);
            string across = graph.Constant("lexicon_axis", [1L], 1);
            string place = graph.Node("Min", "lexicon_ids", ["ids", graph.Constant("lexicon_last", [(long)known])]);
            string sum = graph.Node("ReduceSum", "lexicon_sum", [graph.Node("Gather", "lexicon_rows", [table, place]), across], OnnxGraphWriter.Int("keepdims", 0));
            string square = graph.Node("ReduceSum", "lexicon_square", [graph.Node("Gather", "lexicon_square_rows", [lengths, place]), across], OnnxGraphWriter.Int("keepdims", 0));
            string norm = graph.Node("Sqrt", "lexicon_norm", [graph.Node("Max", "lexicon_positive", [square, graph.Constant("lexicon_tiny", [WordLexicon.Tiny])])]);
            logits = graph.Node("Add", "logits", [logits, graph.Node("Div", "word_logits", [sum, norm])]);
        }
        string cooled = graph.Node("Div", "cooled", [logits, graph.Constant("temperature", [(float)temperature])]);
        graph.Node("Softmax", "probabilities", [cooled], OnnxGraphWriter.Int("axis", 1));
        return graph.ToModel();
    }
}
