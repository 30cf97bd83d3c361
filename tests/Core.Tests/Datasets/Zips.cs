using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;
using System.Text;

namespace Scion.Tests.Datasets;

/// <summary>An entry as a well-meaning tool or an attacker writes it; what is null is computed.</summary>
sealed record ZipPart(string Name, byte[] Content)
{
    public ZipPart(string name, string content) : this(name, Encoding.UTF8.GetBytes(content))
    {
    }

    public int Method { get; init; } = 8;
    public int Flags { get; init; } = 0x800;
    public uint Attributes { get; init; }
    public byte[]? RawName { get; init; }
    public byte[]? Data { get; init; }
    public uint? Crc { get; init; }
    public uint? Length { get; init; }
    public uint? Compressed { get; init; }
    public uint? Offset { get; init; }
    public string? LocalName { get; init; }
    public int? LocalMethod { get; init; }
    public bool Zip64 { get; init; }
}

/// <summary>Writes zips byte by byte, so that each number in them can be a lie.</summary>
static class Zips
{
    public static byte[] Of(params ZipPart[] parts) => Write(parts);

    public static byte[] Write(IReadOnlyList<ZipPart> parts, byte[]? before = null, bool shift = false, byte[]? after = null, int? count = null, byte[]? comment = null)
    {
        using MemoryStream zip = new();
        using MemoryStream directory = new();
        zip.Write(before ?? []);
        long shifted = shift ? 0 : before?.Length ?? 0;          // tools that prepend data and do not correct the offsets
        foreach (ZipPart part in parts)
        {
            byte[] data = part.Data ?? (part.Method == 8 ? Deflate(part.Content) : part.Content), name = part.RawName ?? Encoding.UTF8.GetBytes(part.Name);
            uint crc = part.Crc ?? Crc32.HashToUInt32(part.Content), length = part.Length ?? (uint)part.Content.Length, compressed = part.Compressed ?? (uint)data.Length;
            uint offset = part.Offset ?? (uint)(zip.Position - (before?.Length ?? 0) + shifted);
            byte[] local = part.LocalName is null ? name : Encoding.UTF8.GetBytes(part.LocalName);
            zip.Write(Numbers(
                (4, 0x04034b50), (2, 20), (2, (uint)part.Flags), (2, (uint)(part.LocalMethod ?? part.Method)), (4, 0),
                (4, crc), (4, compressed), (4, length), (2, (uint)local.Length), (2, 0)));
            zip.Write(local);
            zip.Write(data);
            byte[] extra = part.Zip64 ? [.. Numbers((2, 1), (2, 24), (4, length), (4, 0), (4, compressed), (4, 0), (4, offset), (4, 0))] : [];
            directory.Write(Numbers((4, 0x02014b50), (2, 20), (2, 20), (2, (uint)part.Flags), (2, (uint)part.Method), (4, 0), (4, crc), (4, part.Zip64 ? uint.MaxValue : compressed),
                (4, part.Zip64 ? uint.MaxValue : length), (2, (uint)name.Length), (2, (uint)extra.Length), (2, 0), (2, 0), (2, 0), (4, part.Attributes), (4, part.Zip64 ? uint.MaxValue : offset)));
            directory.Write(name);
            directory.Write(extra);
        }
        uint at = (uint)(zip.Position - (before?.Length ?? 0) + shifted);
        directory.WriteTo(zip);
        uint entries = (uint)(count ?? parts.Count);
        zip.Write(Numbers((4, 0x06054b50), (2, 0), (2, 0), (2, entries), (2, entries), (4, (uint)directory.Length), (4, at), (2, (uint)(comment?.Length ?? 0))));
        zip.Write(comment ?? []);
        zip.Write(after ?? []);
        return zip.ToArray();
    }

    /// <summary>As <see cref="Write"/>, with a zip64 end record in place of the counts of the old one.</summary>
    public static byte[] WithZip64End(byte[] zip)
    {
        ReadOnlySpan<byte> end = zip.AsSpan(zip.Length - 22);
        uint entries = BinaryPrimitives.ReadUInt16LittleEndian(end[10..]), size = BinaryPrimitives.ReadUInt32LittleEndian(end[12..]), at = BinaryPrimitives.ReadUInt32LittleEndian(end[16..]);
        return [.. zip[..^22], .. Numbers((4, 0x06064b50), (4, 44), (4, 0), (2, 45), (2, 45), (4, 0), (4, 0), (4, entries), (4, 0), (4, entries), (4, 0), (4, size), (4, 0), (4, at), (4, 0)),
            .. Numbers((4, 0x07064b50), (4, 0), (4, (uint)(zip.Length - 22)), (4, 0), (4, 1)),
            .. Numbers((4, 0x06054b50), (2, 0), (2, 0), (2, 0xFFFF), (2, 0xFFFF), (4, uint.MaxValue), (4, uint.MaxValue), (2, 0))];
    }

    public static byte[] Deflate(byte[] content)
    {
        using MemoryStream target = new();
        using (DeflateStream deflate = new(target, CompressionLevel.Optimal)) deflate.Write(content);
        return target.ToArray();
    }

    static byte[] Numbers(params (int Bytes, uint Value)[] numbers) =>
        [.. numbers.SelectMany(number => Enumerable.Range(0, number.Bytes).Select(i => (byte)(number.Value >> (8 * i))))];
}
