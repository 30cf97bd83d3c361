using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;
using Scion.Faults;

namespace Scion.Storage;

/// <summary>Named float32, int32 and byte tensors in the safetensors format: no code at load, lengths checked before any allocation.</summary>
/// <remarks>Source: the safetensors format description. Stricter than it: entries must be in file order, without holes or overlap.
/// Written with names in ordinal order, so equal content gives equal bytes.</remarks>
public sealed class SafeTensors
{
    const int MaxHeaderBytes = 1 << 20;
    const int MaxTensors = 1024;

    readonly SortedDictionary<string, Tensor> tensors = new(StringComparer.Ordinal);

    /// <summary>Free text fields, stored in the header.</summary>
    public SortedDictionary<string, string> Metadata { get; } = new(StringComparer.Ordinal);

    public void Add(string name, ReadOnlySpan<float> values, params ReadOnlySpan<int> shape) => Add(name, "F32", MemoryMarshal.AsBytes(values), shape);

    public void Add(string name, ReadOnlySpan<int> values, params ReadOnlySpan<int> shape) => Add(name, "I32", MemoryMarshal.AsBytes(values), shape);

    public void Add(string name, ReadOnlySpan<byte> values, params ReadOnlySpan<int> shape) => Add(name, "U8", values, shape);

    void Add(string name, string type, ReadOnlySpan<byte> bytes, ReadOnlySpan<int> shape)
    {
        if (BytesOf(type, shape) != bytes.Length)
            throw new ArgumentException($"Tensor '{name}' has {bytes.Length} bytes; shape [{string.Join(',', shape.ToArray())}] of {type} needs {BytesOf(type, shape)}.");
        tensors.Add(name, new Tensor(type, shape.ToArray(), bytes.ToArray()));
    }

    /// <summary>Values of a float32 tensor that must have this shape; −1 stands for any size.</summary>
    /// <exception cref="InputRejectedException">It is absent, of another type or of another shape (S007).</exception>
    public float[] Floats(string name, params ReadOnlySpan<int> shape) => MemoryMarshal.Cast<byte, float>(Get(name, "F32", shape)).ToArray();

    /// <inheritdoc cref="Floats"/>
    public int[] Ints(string name, params ReadOnlySpan<int> shape) => MemoryMarshal.Cast<byte, int>(Get(name, "I32", shape)).ToArray();

    /// <inheritdoc cref="Floats"/>
    public byte[] Bytes(string name, params ReadOnlySpan<int> shape) => Get(name, "U8", shape);

    /// <summary>Shape of a tensor.</summary>
    /// <exception cref="InputRejectedException">There is no such tensor (S007).</exception>
    public IReadOnlyList<int> ShapeOf(string name) => tensors.TryGetValue(name, out Tensor? tensor)
        ? tensor.Shape
        : throw Refused($"It has no tensor '{name}'; it has: {string.Join(", ", tensors.Keys)}.");

    byte[] Get(string name, string type, ReadOnlySpan<int> shape)
    {
        IReadOnlyList<int> found = ShapeOf(name);
        bool same = found.Count == shape.Length && tensors[name].Type == type;
        for (int i = 0; same && i < shape.Length; i++) same = shape[i] is -1 || shape[i] == found[i];
        return same ? tensors[name].Data : throw Refused(
            $"Tensor '{name}' is {tensors[name].Type} [{string.Join(',', found)}]; expected {type} [{string.Join(',', shape.ToArray())}].");
    }

    public byte[] ToBytes()
    {
        using MemoryStream header = new();
        using (Utf8JsonWriter json = new(header))
        {
            json.WriteStartObject();
            if (Metadata.Count > 0)
            {
                json.WriteStartObject("__metadata__");
                foreach ((string key, string value) in Metadata) json.WriteString(key, value);
                json.WriteEndObject();
            }
            long at = 0;
            foreach ((string name, Tensor tensor) in tensors)
            {
                json.WriteStartObject(name);
                json.WriteString("dtype", tensor.Type);
                json.WriteStartArray("shape");
                foreach (int size in tensor.Shape) json.WriteNumberValue(size);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(at);
                json.WriteNumberValue(at += tensor.Data.Length);
                json.WriteEndArray();
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        while (header.Length % 8 != 0) header.WriteByte((byte)' ');

        byte[] bytes = new byte[checked(8 + header.Length + tensors.Values.Sum(t => (long)t.Data.Length))];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, header.Length);
        header.GetBuffer().AsSpan(0, (int)header.Length).CopyTo(bytes.AsSpan(8));
        int position = 8 + (int)header.Length;
        foreach (Tensor tensor in tensors.Values)
        {
            tensor.Data.CopyTo(bytes, position);
            position += tensor.Data.Length;
        }
        return bytes;
    }

    /// <exception cref="InputRejectedException">The bytes are not a well-formed file (S006).</exception>
    public static SafeTensors Parse(ReadOnlySpan<byte> file)
    {
        if (file.Length < 8) throw Malformed($"It has {file.Length} bytes; a header needs 8.");
        long headerLength = BinaryPrimitives.ReadInt64LittleEndian(file);
        if (headerLength is < 2 or > MaxHeaderBytes || headerLength > file.Length - 8)
            throw Malformed($"Its header claims {headerLength} bytes; the file has {file.Length} and at most {MaxHeaderBytes} are read.");
        ReadOnlySpan<byte> data = file[(8 + (int)headerLength)..];
        SafeTensors result = new();
        try
        {
            using JsonDocument header = JsonDocument.Parse(file.Slice(8, (int)headerLength).ToArray(),
                new JsonDocumentOptions { MaxDepth = 4, AllowDuplicateProperties = false });
            long end = 0;
            foreach (JsonProperty entry in header.RootElement.EnumerateObject())
            {
                if (entry.NameEquals("__metadata__"))
                {
                    foreach (JsonProperty field in entry.Value.EnumerateObject()) result.Metadata[field.Name] = field.Value.GetString()!;
                    continue;
                }
                if (result.tensors.Count == MaxTensors) throw Malformed($"It has more than {MaxTensors} tensors.");
                string type = entry.Value.GetProperty("dtype").GetString()!;
                int[] shape = [.. entry.Value.GetProperty("shape").EnumerateArray().Select(size => size.GetInt32())];
                JsonElement offsets = entry.Value.GetProperty("data_offsets");
                (long from, long to) = (offsets[0].GetInt64(), offsets[1].GetInt64());
                if (from != end || to < from || to > data.Length || to - from != BytesOf(type, shape))
                    throw Malformed($"Tensor '{entry.Name}' claims bytes {from} to {to} of {data.Length}; {BytesOf(type, shape)} bytes from {end} are expected.");
                end = to;
                result.tensors.Add(entry.Name, new Tensor(type, shape, data[(int)from..(int)to].ToArray()));
            }
            if (end != data.Length) throw Malformed($"{data.Length - end} bytes belong to no tensor.");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or IndexOutOfRangeException
            or FormatException or OverflowException or ArgumentException)
        {
            throw Malformed($"Its header cannot be read: {e.Message}");
        }
        return result;
    }

    static long BytesOf(string type, ReadOnlySpan<int> shape)
    {
        long count = type switch { "F32" or "I32" => 4, "U8" => 1, _ => throw Malformed($"Type '{type}' is not read; F32, I32 and U8 are.") };
        foreach (int size in shape)
        {
            if (size < 0) throw Malformed($"A shape has the negative size {size}.");
            count = checked(count * size);
        }
        return count;
    }

    static InputRejectedException Malformed(string fact) =>
        new("S006", $"The tensor file is malformed. {fact}", "It was damaged or is of another format; make it anew.");

    static InputRejectedException Refused(string fact) =>
        new("S007", $"The tensor file does not hold what is needed. {fact}", "It was made by another version or for another purpose; make it anew.");

    sealed record Tensor(string Type, int[] Shape, byte[] Data);
}
