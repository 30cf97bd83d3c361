namespace Scion.Onnx;

/// <summary>Encoder and head as one ONNX graph: word ids to logits and probabilities, for programs that run a single file.</summary>
/// <remarks>Input <c>ids</c>, int64 [batch, length], as <see cref="TextEncoderGraph"/>. Outputs <c>features</c> [batch, dim], <c>logits</c> and
/// <c>probabilities</c> [batch, classes], as <see cref="HeadGraph"/>, all float32. Metadata: <c>labels</c>, <c>padding_id</c>.</remarks>
public static class TextClassifierGraph
{
    /// <param name="encoder">A graph of <see cref="TextEncoderGraph"/>.</param>
    /// <param name="head">A graph of <see cref="HeadGraph"/> for the encoder's features.</param>
    public static ModelProto Join(ModelProto encoder, ModelProto head)
    {
        ModelProto whole = encoder.Clone();
        whole.Graph.Name = "text-classifier";
        whole.Graph.Node.AddRange(head.Graph.Node);
        whole.Graph.Initializer.AddRange(head.Graph.Initializer);
        whole.Graph.Output.AddRange(head.Graph.Output);
        whole.MetadataProps.AddRange(head.MetadataProps);
        return whole;
    }
}
