using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Google.Protobuf;
using DataType = Scion.Onnx.TensorProto.Types.DataType;

namespace Scion.Onnx;

/// <summary>Constants of foreign files, brought to one form: little-endian bytes that fill the stated shape, all values finite.</summary>
static class ConstantBytes
{
    /// <summary>Bytes of an element; 0 for types that are not read.</summary>
    public static int SizeOf(DataType type) => type switch
    {
        DataType.Float or DataType.Int32 => 4,
        DataType.Float16 => 2,
        DataType.Int64 or DataType.Double => 8,
        DataType.Uint8 or DataType.Int8 or DataType.Bool => 1,
        _ => 0,
    };

    /// <summary>Checks a constant and moves typed fields to <see cref="TensorProto.RawData"/>.</summary>
    /// <param name="what">Name of the file, for messages.</param>
    /// <param name="tensor">The constant.</param>
    /// <param name="infinite">True when a single number may be infinite, as what masks attention is.</param>
    /// <exception cref="Faults.InputRejectedException">It lies elsewhere (V052), or its type, shape, bytes or values are wrong (V057).</exception>
    public static TensorProto Normalised(string what, TensorProto tensor, bool infinite = false)
    {
        if (tensor.DataLocation != TensorProto.Types.DataLocation.Default || tensor.ExternalData.Count > 0) throw EncoderFaults.ExternalData(what, tensor.Name);
        DataType type = (DataType)tensor.DataType;
        int size = SizeOf(type);
        if (size == 0) throw EncoderFaults.BadConstant(what, tensor.Name, $"has the element type {tensor.DataType}, which is not read");
        if (!tensor.Segment.IsEmpty) throw EncoderFaults.BadConstant(what, tensor.Name, "is one piece of several");
        if (tensor.Dims.Count > ShapeInference.MaxRank) throw EncoderFaults.BadConstant(what, tensor.Name, $"has {tensor.Dims.Count} dimensions; at most {ShapeInference.MaxRank} are read");

        int fields = (tensor.RawData.IsEmpty ? 0 : 1) + (tensor.FloatData.Count > 0 ? 1 : 0) + (tensor.Int32Data.Count > 0 ? 1 : 0) + (tensor.StringData.Count > 0 ? 1 : 0)
            + (tensor.Int64Data.Count > 0 ? 1 : 0) + (tensor.DoubleData.Count > 0 ? 1 : 0) + (tensor.Uint64Data.Count > 0 ? 1 : 0);
        if (fields > 1) throw EncoderFaults.BadConstant(what, tensor.Name, "has its values in several fields");
        ByteString bytes = tensor.RawData;
        if (bytes.IsEmpty && fields == 1) bytes = FromFields(tensor, type) ?? throw EncoderFaults.BadConstant(what, tensor.Name, "has its values in the field of another type");

        long length = size;
        foreach (long dim in tensor.Dims)
        {
            if (dim < 0 || (dim > 0 && length > bytes.Length / dim)) throw EncoderFaults.BadConstant(what, tensor.Name, $"claims the shape [{string.Join(", ", tensor.Dims)}] in {bytes.Length} bytes");
            length *= dim;
        }
        if (length != bytes.Length) throw EncoderFaults.BadConstant(what, tensor.Name, $"has {bytes.Length} bytes where its shape [{string.Join(", ", tensor.Dims)}] takes {length}");
        if (!IsFinite(type, bytes.Span) && !(infinite && length == size && IsInfinite(type, bytes.Span))) throw EncoderFaults.BadConstant(what, tensor.Name, "holds a value that is not finite");

        TensorProto normal = new() { Name = tensor.Name, DataType = tensor.DataType, RawData = bytes };
        normal.Dims.AddRange(tensor.Dims);
        return normal;
    }

    static ByteString? FromFields(TensorProto tensor, DataType type) => type switch
    {
        DataType.Float when tensor.FloatData.Count > 0 => ByteString.CopyFrom(MemoryMarshal.AsBytes<float>(tensor.FloatData.ToArray())),
        DataType.Double when tensor.DoubleData.Count > 0 => ByteString.CopyFrom(MemoryMarshal.AsBytes<double>(tensor.DoubleData.ToArray())),
        DataType.Int64 when tensor.Int64Data.Count > 0 => ByteString.CopyFrom(MemoryMarshal.AsBytes<long>(tensor.Int64Data.ToArray())),
        DataType.Int32 when tensor.Int32Data.Count > 0 => ByteString.CopyFrom(MemoryMarshal.AsBytes<int>(tensor.Int32Data.ToArray())),
        DataType.Float16 when tensor.Int32Data.Count > 0 => ByteString.CopyFrom(MemoryMarshal.AsBytes<ushort>(tensor.Int32Data.Select(value => unchecked((ushort)value)).ToArray())),
        DataType.Uint8 or DataType.Int8 or DataType.Bool when tensor.Int32Data.Count > 0 => ByteString.CopyFrom([.. tensor.Int32Data.Select(value => unchecked((byte)value))]),
        _ => null,
    };

    static bool IsInfinite(DataType type, ReadOnlySpan<byte> bytes) => type switch
    {
        DataType.Float => float.IsInfinity(MemoryMarshal.Read<float>(bytes)),
        DataType.Double => double.IsInfinity(MemoryMarshal.Read<double>(bytes)),
        DataType.Float16 => Half.IsInfinity(MemoryMarshal.Read<Half>(bytes)),
        _ => false,
    };

    static bool IsFinite(DataType type, ReadOnlySpan<byte> bytes) => type switch
    {
        DataType.Float => TensorPrimitives.IsFiniteAll(MemoryMarshal.Cast<byte, float>(bytes)),
        DataType.Double => TensorPrimitives.IsFiniteAll(MemoryMarshal.Cast<byte, double>(bytes)),
        DataType.Float16 => TensorPrimitives.IsFiniteAll(MemoryMarshal.Cast<byte, Half>(bytes)),
        _ => true,
    };

    /// <summary>Values of a float constant, float16 and float64 widened or narrowed to float32.</summary>
    public static float[] Floats(TensorProto tensor)
    {
        switch ((DataType)tensor.DataType)
        {
            case DataType.Float:
                return MemoryMarshal.Cast<byte, float>(tensor.RawData.Span).ToArray();
            case DataType.Float16:
                ReadOnlySpan<Half> halves = MemoryMarshal.Cast<byte, Half>(tensor.RawData.Span);
                float[] wide = new float[halves.Length];
                TensorPrimitives.ConvertToSingle(halves, wide);
                return wide;
            case DataType.Double:
                return [.. MemoryMarshal.Cast<byte, double>(tensor.RawData.Span).ToArray().Select(value => (float)value)];
            default:
                throw new ArgumentException($"'{tensor.Name}' holds no floats.");
        }
    }

    /// <summary>The same constant with other values.</summary>
    public static TensorProto WithFloats(TensorProto tensor, ReadOnlySpan<float> values)
    {
        TensorProto other = new() { Name = tensor.Name, DataType = tensor.DataType };
        other.Dims.AddRange(tensor.Dims);
        switch ((DataType)tensor.DataType)
        {
            case DataType.Float:
                other.RawData = ByteString.CopyFrom(MemoryMarshal.AsBytes(values));
                break;
            case DataType.Float16:
                Half[] halves = new Half[values.Length];
                TensorPrimitives.ConvertToHalf(values, halves);
                other.RawData = ByteString.CopyFrom(MemoryMarshal.AsBytes<Half>(halves));
                break;
            case DataType.Double:
                double[] doubles = new double[values.Length];
                for (int i = 0; i < doubles.Length; i++) doubles[i] = values[i];
                other.RawData = ByteString.CopyFrom(MemoryMarshal.AsBytes<double>(doubles));
                break;
            default:
                throw new ArgumentException($"'{tensor.Name}' holds no floats.");
        }
        return other;
    }
}
