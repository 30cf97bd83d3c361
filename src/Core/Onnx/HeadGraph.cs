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
    /// <summary>Operators this graph uses; a stored head with any other is refused.</summary>
    public static IReadOnlySet<string> Operators { get; } = new HashSet<string> { "Gemm", "Div", "Softmax" };

    /// <param name="head">The fitted head.</param>
    /// <param name="temperature">Above 0; 1 leaves the logits as they are.</param>
    /// <param name="labels">Class names, in the order of the head's rows.</param>
    public static ModelProto Write(LinearHead head, double temperature, IReadOnlyList<string> labels)
    {
        if (labels.Count != head.Classes) throw new ArgumentException($"{labels.Count} labels for a head of {head.Classes} classes.");
        OnnxGraphWriter graph = new("head");
        string classes = head.Classes.ToString(CultureInfo.InvariantCulture);
        graph.Input("features", DataType.Float, "batch", head.Dim.ToString(CultureInfo.InvariantCulture));
        graph.Output("logits", DataType.Float, "batch", classes);
        graph.Output("probabilities", DataType.Float, "batch", classes);
        graph.Metadata("labels", JsonSerializer.Serialize(labels, ScionJson.Strict));

        string weights = graph.Constant("head_weights", head.Weights, head.Classes, head.Dim);
        string bias = graph.Constant("head_bias", head.Bias, head.Classes);
        string logits = graph.Node("Gemm", "logits", ["features", weights, bias], OnnxGraphWriter.Int("transB", 1));
        string cooled = graph.Node("Div", "cooled", [logits, graph.Constant("temperature", [(float)temperature])]);
        graph.Node("Softmax", "probabilities", [cooled], OnnxGraphWriter.Int("axis", 1));
        return graph.ToModel();
    }
}
