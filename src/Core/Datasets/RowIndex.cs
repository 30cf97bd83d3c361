using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Scion.Datasets;

/// <summary>What curation needs to know of a row, without its text or picture. 31 bytes, little-endian.</summary>
/// <param name="High">First 8 bytes of its <see cref="ContentHash"/>, big-endian.</param>
/// <param name="Low">Next 8 bytes.</param>
/// <param name="Line">First line of the row; 0 for a picture.</param>
/// <param name="Part">Index into the file's parts.</param>
/// <param name="Label">Index into the index's labels; −1 when unlabelled.</param>
/// <param name="Split">The file's own split.</param>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
readonly record struct IndexedRow(ulong High, ulong Low, long Line, int Part, short Label, GivenSplit Split);

/// <summary>The index of a shard: int32 labels, each int16 length and UTF-8; then rows.</summary>
static class RowIndex
{
    /// <param name="labels">Labels, as written.</param>
    /// <param name="rows">Rows, in order.</param>
    /// <param name="bytes">Written to; made larger as needed.</param>
    public static ReadOnlyMemory<byte> Write(IReadOnlyList<string> labels, ReadOnlySpan<IndexedRow> rows, ref byte[] bytes)
    {
        byte[][] names = [.. labels.Select(Encoding.UTF8.GetBytes)];
        int length = 4 + names.Sum(name => 2 + name.Length) + rows.Length * Unsafe.SizeOf<IndexedRow>();
        if (bytes.Length < length) bytes = new byte[length];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, names.Length);
        int at = 4;
        foreach (byte[] name in names)
        {
            BinaryPrimitives.WriteInt16LittleEndian(bytes.AsSpan(at), checked((short)name.Length));
            name.CopyTo(bytes, at + 2);
            at += 2 + name.Length;
        }
        MemoryMarshal.AsBytes(rows).CopyTo(bytes.AsSpan(at));
        return bytes.AsMemory(0, length);
    }

    /// <summary>The labels, as written, and the rows in order.</summary>
    public static (string[] Labels, ReadOnlyMemory<byte> Rows) Parse(ReadOnlyMemory<byte> index)
    {
        ReadOnlySpan<byte> bytes = index.Span;
        string[] labels = new string[BinaryPrimitives.ReadInt32LittleEndian(bytes)];
        int at = 4;
        for (int i = 0; i < labels.Length; i++)
        {
            int length = BinaryPrimitives.ReadInt16LittleEndian(bytes[at..]);
            labels[i] = Encoding.UTF8.GetString(bytes.Slice(at + 2, length));
            at += 2 + length;
        }
        return (labels, index[at..]);
    }

    public static ReadOnlySpan<IndexedRow> Rows(ReadOnlyMemory<byte> rows) => MemoryMarshal.Cast<byte, IndexedRow>(rows.Span);
}

/// <summary>Identity of a text: the first 128 bits of SHA-256 over its normalised UTF-8, each run of ASCII white space taken as one space. Of a
/// picture: those of SHA-256 over its file.</summary>
/// <remarks>Two rows of equal identity are copies. It decides the hash split too, so it must never change: a change would move rows between
/// training and test.</remarks>
static class ContentHash
{
    /// <param name="text">NFC and trimmed, UTF-8.</param>
    /// <param name="scratch">Used when white space is folded; made larger as needed.</param>
    public static (ulong High, ulong Low) Of(ReadOnlySpan<byte> text, ref byte[] scratch)
    {
        int length = text.Length;
        if (text.IndexOfAnyInRange((byte)9, (byte)13) >= 0 || text.IndexOf("  "u8) >= 0)
        {
            if (scratch.Length < length) scratch = new byte[Math.Max(length, scratch.Length * 2)];
            length = Fold(text, scratch);
            text = scratch;
        }
        Span<byte> digest = stackalloc byte[32];
        SHA256.HashData(text[..length], digest);
        return Of(digest);
    }

    /// <param name="sha256">Digest of a picture's file, 32 bytes.</param>
    public static (ulong High, ulong Low) Of(ReadOnlySpan<byte> sha256) =>
        (BinaryPrimitives.ReadUInt64BigEndian(sha256), BinaryPrimitives.ReadUInt64BigEndian(sha256[8..]));

    static int Fold(ReadOnlySpan<byte> text, byte[] target)
    {
        int length = 0;
        foreach (byte b in text)
        {
            bool space = b is >= 9 and <= 13 or (byte)' ';
            if (!space) target[length++] = b;
            else if (length > 0 && target[length - 1] != (byte)' ') target[length++] = (byte)' ';
        }
        return length;
    }
}
