using Google.Protobuf;

namespace Scion.Onnx;

/// <summary>Reads ONNX files that Scion wrote, and refuses anything else before ONNX Runtime sees it.</summary>
/// <remarks>Why: a graph loaded from bytes may name other files, which ONNX Runtime then reads from the current folder; and a graph of 75
/// bytes can ask for 12 GB. So: no external data, no fields we do not write (local functions, sparse tensors, training graphs), no
/// operator outside a short list, no sub-graphs, and constants that fill their stated shapes.</remarks>
public static class OnnxGuard
{
    /// <param name="what">Name of the file, for the message.</param>
    /// <param name="bytes">The whole file.</param>
    /// <param name="operators">Operators it may use, all of ONNX's own domain.</param>
    /// <exception cref="Faults.InputRejectedException">It is not such a file (R020).</exception>
    public static ModelProto ReadOwn(string what, ReadOnlyMemory<byte> bytes, IReadOnlySet<string> operators)
    {
        ModelProto model;
        try
        {
            model = ModelProto.Parser.WithDiscardUnknownFields(true).ParseFrom(bytes.Span);
        }
        catch (InvalidProtocolBufferException e)
        {
            throw OnnxFaults.Unexpected(what, $"it is not an ONNX file ({e.Message.TrimEnd('.')})");
        }
        if (model.CalculateSize() != bytes.Length) throw OnnxFaults.Unexpected(what, $"{bytes.Length - model.CalculateSize()} of its {bytes.Length} bytes are fields that Scion does not write");
        if (model.Graph is null || model.OpsetImport.Count != 1 || model.OpsetImport[0].Domain.Length > 0 || model.OpsetImport[0].Version != OnnxGraphWriter.Opset)
            throw OnnxFaults.Unexpected(what, $"it is not a graph of ONNX operator set {OnnxGraphWriter.Opset}");
        foreach (NodeProto node in model.Graph.Node)
        {
            if (node.Domain.Length > 0 || !operators.Contains(node.OpType))
                throw OnnxFaults.Unexpected(what, $"it uses the operator '{Shown(node.Domain)}:{Shown(node.OpType)}'");
            foreach (AttributeProto attribute in node.Attribute)
                if (attribute.G is not null || attribute.Graphs.Count > 0 || attribute.T is not null || attribute.Tensors.Count > 0)
                    throw OnnxFaults.Unexpected(what, $"node '{Shown(node.Name)}' carries a graph or a tensor");
        }
        foreach (TensorProto tensor in model.Graph.Initializer) RequireFilled(what, tensor);
        return model;
    }

    static void RequireFilled(string what, TensorProto tensor)
    {
        if (tensor.DataLocation != TensorProto.Types.DataLocation.Default || tensor.ExternalData.Count > 0)
            throw OnnxFaults.Unexpected(what, $"constant '{Shown(tensor.Name)}' lies in another file");
        long size = tensor.DataType switch
        {
            (int)TensorProto.Types.DataType.Float => 4,
            (int)TensorProto.Types.DataType.Int64 => 8,
            _ => throw OnnxFaults.Unexpected(what, $"constant '{Shown(tensor.Name)}' has the element type {tensor.DataType}"),
        };
        foreach (long dim in tensor.Dims)
        {
            if (dim < 0 || dim > tensor.RawData.Length) throw OnnxFaults.Unexpected(what, $"constant '{Shown(tensor.Name)}' claims the size {dim} in {tensor.RawData.Length} bytes");
            size *= dim;
            if (size > tensor.RawData.Length) break;
        }
        if (size != tensor.RawData.Length) throw OnnxFaults.Unexpected(what, $"constant '{Shown(tensor.Name)}' has {tensor.RawData.Length} bytes, which do not fill its shape");
    }

    static string Shown(string name) => string.Concat(name.Take(40).Select(c => c is > ' ' and < '\x7f' ? c : '?'));
}
