using System.Buffers.Binary;
using System.Text;

namespace Scion.Datasets;

/// <summary>Normalised rows as bytes: what ingestion writes and every later step reads.</summary>
/// <remarks>A row is: int32 length of the text's UTF-8 and the bytes; int16 length of the label's UTF-8 (−1 unlabelled) and the bytes;
/// byte split; int32 file index; int64 line. Little-endian. A shard has no header; its digest guards it.</remarks>
public static class ReviewShard
{
    /// <summary>A shard is closed before it grows past this many bytes.</summary>
    public const int MaxBytes = 16 << 20;

    public static void Append(Stream shard, ReviewRow row)
    {
        byte[] text = Encoding.UTF8.GetBytes(row.Text);
        byte[]? label = row.Label is null ? null : Encoding.UTF8.GetBytes(row.Label);
        Span<byte> number = stackalloc byte[8];
        BinaryPrimitives.WriteInt32LittleEndian(number, text.Length);
        shard.Write(number[..4]);
        shard.Write(text);
        BinaryPrimitives.WriteInt16LittleEndian(number, checked((short)(label?.Length ?? -1)));
        shard.Write(number[..2]);
        if (label is not null) shard.Write(label);
        shard.WriteByte((byte)row.Split);
        BinaryPrimitives.WriteInt32LittleEndian(number, row.File);
        shard.Write(number[..4]);
        BinaryPrimitives.WriteInt64LittleEndian(number, row.Line);
        shard.Write(number);
    }

    /// <summary>The rows, in order.</summary>
    public static IEnumerable<ReviewRow> Read(byte[] shard)
    {
        int at = 0;
        while (at < shard.Length)
        {
            int textLength = BinaryPrimitives.ReadInt32LittleEndian(shard.AsSpan(at));
            string text = Encoding.UTF8.GetString(shard, at + 4, textLength);
            at += 4 + textLength;
            int labelLength = BinaryPrimitives.ReadInt16LittleEndian(shard.AsSpan(at));
            string? label = labelLength < 0 ? null : Encoding.UTF8.GetString(shard, at + 2, labelLength);
            at += 2 + Math.Max(0, labelLength);
            yield return new ReviewRow(text, label, (GivenSplit)shard[at], BinaryPrimitives.ReadInt32LittleEndian(shard.AsSpan(at + 1)),
                BinaryPrimitives.ReadInt64LittleEndian(shard.AsSpan(at + 5)));
            at += 13;
        }
    }
}
