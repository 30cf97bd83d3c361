using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Google.Protobuf;

namespace Scion.Onnx;

/// <summary>Reads ONNX files that Scion wrote, and refuses anything else before ONNX Runtime sees it.</summary>
/// <remarks>Why: a graph loaded from bytes may name other files, which ONNX Runtime then reads from the current folder; and a graph of 75
/// bytes can ask for 12 GB; so can allowed operators on constants of odd shapes. So: no external data, no fields we do not write (local
/// functions, sparse tensors, training graphs), constants that fill their stated shapes and are finite, and the very nodes, inputs, outputs
/// and constants of the graph that we would write, but for the numbers learned.</remarks>
public static class OnnxGuard
{
    /// <summary>Reads a file and compares it with what Scion writes.</summary>
    /// <param name="what">Name of the file, for the message.</param>
    /// <param name="bytes">The whole file.</param>
    /// <param name="layoutOf">The graph that Scion would write for this one's sizes; learned constants without their bytes.</param>
    /// <exception cref="Faults.InputRejectedException">It is not such a file (R020).</exception>
    public static ModelProto ReadOwn(string what, ReadOnlyMemory<byte> bytes, Func<GraphProto, ModelProto> layoutOf)
    {
        ModelProto model = Read(what, bytes);
        ModelProto found = model.Clone(), layout = layoutOf(model.Graph);
        if (found.Graph.Initializer.Count != layout.Graph.Initializer.Count)
            throw OnnxFaults.Unexpected(what, $"it has {found.Graph.Initializer.Count} constants; {layout.Graph.Initializer.Count} are expected");
        for (int i = 0; i < found.Graph.Initializer.Count; i++)
        {
            (TensorProto constant, TensorProto expected) = (found.Graph.Initializer[i], layout.Graph.Initializer[i]);
            if (expected.RawData.IsEmpty) constant.RawData = ByteString.Empty;         // learned: any finite numbers will do
            if (!constant.Equals(expected))
                throw OnnxFaults.Unexpected(what, $"constant {i} is '{Shown(constant.Name)}' [{string.Join(", ", constant.Dims.Take(8))}]; '{expected.Name}' [{string.Join(", ", expected.Dims)}] is expected");
        }
        return found.Equals(layout) ? model : throw OnnxFaults.Unexpected(what, "its nodes, inputs, outputs or metadata are not those Scion writes");
    }

    static ModelProto Read(string what, ReadOnlyMemory<byte> bytes)
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
        if (size == tensor.RawData.Length && tensor.DataType == (int)TensorProto.Types.DataType.Float
            && !TensorPrimitives.IsFiniteAll(MemoryMarshal.Cast<byte, float>(tensor.RawData.Span)))
            throw OnnxFaults.Unexpected(what, $"constant '{Shown(tensor.Name)}' holds a value that is not finite");
        if (size != tensor.RawData.Length) throw OnnxFaults.Unexpected(what, $"constant '{Shown(tensor.Name)}' has {tensor.RawData.Length} bytes, which do not fill its shape");
    }

    static string Shown(string name) => string.Concat(name.Take(40).Select(c => c is > ' ' and < '\x7f' ? c : '?'));
}
