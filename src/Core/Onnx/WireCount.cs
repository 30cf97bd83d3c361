using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Scion.Onnx;

/// <summary>Counts what a protobuf file would become in memory, before it does: 2 bytes of file can make an object of 100.</summary>
static class WireCount
{
    /// <summary>Most fields of a file. A network of 20,000 nodes has under a million.</summary>
    public const int MaxFields = 2_000_000;

    /// <summary>Most bytes of packed whole numbers; each may become eight.</summary>
    public const long MaxPacked = 256 << 20;

    /// <summary>Deepest nesting that an allowed network has is 6: model, graph, value, type, shape, size.</summary>
    public const int MaxDepth = 12;

    /// <exception cref="Faults.InputRejectedException">Not protobuf (V050), or too much (V051).</exception>
    public static void Require(string what, ReadOnlySpan<byte> bytes)
    {
        int fields = 0;
        long packed = 0;
        Walk(what, bytes, Model, 0, ref fields, ref packed);
    }

    static readonly Message Model = Message.Of(ModelProto.Descriptor, []);

    /// <summary>What the fields of a message are, by number: found without a look-up per field.</summary>
    sealed class Message
    {
        public const int Fields = 32;

        public Message?[] Inner { get; } = new Message?[Fields];

        public bool[] IsPacked { get; } = new bool[Fields];

        public static Message Of(MessageDescriptor descriptor, Dictionary<string, Message> made)
        {
            if (made.TryGetValue(descriptor.FullName, out Message? message)) return message;
            made.Add(descriptor.FullName, message = new Message());
            foreach (FieldDescriptor field in descriptor.Fields.InDeclarationOrder())
            {
                if (field.FieldType == FieldType.Message) message.Inner[field.FieldNumber] = Of(field.MessageType, made);
                message.IsPacked[field.FieldNumber] = field.FieldType is FieldType.Int32 or FieldType.Int64 or FieldType.UInt64;
            }
            return message;
        }
    }

    static void Walk(string what, ReadOnlySpan<byte> bytes, Message message, int depth, ref int fields, ref long packed)
    {
        if (depth > MaxDepth) throw EncoderFaults.Forbidden(what, $"messages nested over {MaxDepth} deep, as graphs within graphs have");
        while (!bytes.IsEmpty)
        {
            if (++fields > MaxFields) throw EncoderFaults.TooLarge(what, $"it has over {MaxFields:n0} fields");
            ulong tag = Varint(what, ref bytes);
            if (tag >> 3 == 0) throw EncoderFaults.NotOnnx(what, "a field has the number 0");
            int field = tag >> 3 < Message.Fields ? (int)(tag >> 3) : 0;                  // 0: not one of ours
            switch ((WireFormat.WireType)(tag & 7))
            {
                case WireFormat.WireType.Varint:
                    Varint(what, ref bytes);
                    break;
                case WireFormat.WireType.Fixed64:
                    Skip(what, ref bytes, 8);
                    break;
                case WireFormat.WireType.Fixed32:
                    Skip(what, ref bytes, 4);
                    break;
                case WireFormat.WireType.LengthDelimited:
                    ulong length = Varint(what, ref bytes);
                    if (length > (ulong)bytes.Length) throw EncoderFaults.NotOnnx(what, $"a field claims {length} bytes and {bytes.Length} follow");
                    if (message.Inner[field] is { } inner) Walk(what, bytes[..(int)length], inner, depth + 1, ref fields, ref packed);
                    else if (message.IsPacked[field] && (packed += (long)length) > MaxPacked)
                        throw EncoderFaults.TooLarge(what, $"it has over {MaxPacked:n0} bytes of packed whole numbers");
                    bytes = bytes[(int)length..];
                    break;
                default:
                    throw EncoderFaults.NotOnnx(what, $"a field has the wire type {tag & 7}");
            }
        }
    }

    static void Skip(string what, ref ReadOnlySpan<byte> bytes, int count)
    {
        if (bytes.Length < count) throw EncoderFaults.NotOnnx(what, "it ends within a field");
        bytes = bytes[count..];
    }

    static ulong Varint(string what, ref ReadOnlySpan<byte> bytes)
    {
        ulong value = 0;
        for (int i = 0; i < 10; i++)
        {
            if (i >= bytes.Length) throw EncoderFaults.NotOnnx(what, "it ends within a field");
            value |= (ulong)(bytes[i] & 0x7f) << (7 * i);
            if (bytes[i] >= 0x80) continue;
            bytes = bytes[(i + 1)..];
            return value;
        }
        throw EncoderFaults.NotOnnx(what, "a number is longer than 10 bytes");
    }
}
