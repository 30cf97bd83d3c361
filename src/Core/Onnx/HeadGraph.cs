using System.Globalization;
using System.Text.Json;
using Scion.Heads;
using DataType = Scion.Onnx.TensorProto.Types.DataType;

namespace Scion.Onnx;

/// <summary>A linear head as an ONNX graph: features to logits and calibrated probabilities.</summary>
/// <remarks>Input <c>features</c>, float32 [batch, dim]. Outputs <c>logits</c> [batch, classes], as the head was fitted, and
/// <c>probabilities</c> [batch, classes] = softmax(logits / temperature). Class names are the metadata entry <c>labels</c>, a JSON array.</remarks>
public static class HeadGraph
{
    /// <param name="head">The fitted head.</param>
    /// <param name="temperature">Above 0; 1 leaves the logits as they are.</param>
    /// <param name="labels">Class names, in the order of the head's rows.</param>
    public static ModelProto Write(LinearHead head, double temperature, IReadOnlyList<string> labels) => labels.Count == head.Classes
        ? Graph(head.Dim, head.Weights, head.Bias, temperature, labels)
        : throw new ArgumentException($"{labels.Count} labels for a head of {head.Classes} classes.");

    /// <summary>The graph of any head of this shape: without the bytes of its weights.</summary>
    public static ModelProto Layout(int dim, double temperature, IReadOnlyList<string> labels) => Graph(dim, [], [], temperature, labels);

    static ModelProto Graph(int dim, ReadOnlySpan<float> weights, ReadOnlySpan<float> bias, double temperature, IReadOnlyList<string> labels)
    {
        OnnxGraphWriter graph = new("head");
        string classes = labels.Count.ToString(CultureInfo.InvariantCulture);
        graph.Input("features", DataType.Float, "batch", dim.ToString(CultureInfo.InvariantCulture));
        graph.Output("logits", DataType.Float, "batch", classes);
        graph.Output("probabilities", DataType.Float, "batch", classes);
        graph.Metadata("labels", JsonSerializer.Serialize(labels, ScionJson.Strict));

        string matrix = graph.Constant("head_weights", weights, labels.Count, dim), offset = graph.Constant("head_bias", bias, labels.Count);
        string logits = graph.Node("Gemm", "logits", ["features", matrix, offset], OnnxGraphWriter.Int("transB", 1));
        string cooled = graph.Node("Div", "cooled", [logits, graph.Constant("temperature", [(float)temperature])]);
        graph.Node("Softmax", "probabilities", [cooled], OnnxGraphWriter.Int("axis", 1));
        return graph.ToModel();
    }
}
