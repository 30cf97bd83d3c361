using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using Scion.Storage;
using Scion.Vision;

namespace Scion.Datasets;

/// <summary>One accepted picture.</summary>
/// <param name="Name">Name below the model's folder, as <c>blue/a.jpg</c> or <c>photos.zip/blue/a.jpg</c>.</param>
/// <param name="Bytes">The file, as uploaded.</param>
public sealed record ImageRow(string Name, ReadOnlyMemory<byte> Bytes);

/// <summary>Accepted pictures as they were uploaded, one after the other: what ingestion writes and every later step reads.</summary>
/// <remarks>A row is: int32 length of the name's UTF-8 and the bytes; int32 length of the picture and the bytes. Little-endian. A shard has no
/// header; its digest guards it.</remarks>
public static class ImageShard
{
    /// <summary>A shard is closed before it grows past this many bytes; one larger picture is a shard by itself.</summary>
    public const int MaxBytes = 64 << 20;

    public static void Append(Stream shard, ImageRow row)
    {
        byte[] name = Encoding.UTF8.GetBytes(row.Name);
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(number, name.Length);
        shard.Write(number);
        shard.Write(name);
        BinaryPrimitives.WriteInt32LittleEndian(number, row.Bytes.Length);
        shard.Write(number);
        shard.Write(row.Bytes.Span);
    }

    /// <summary>Label of each row, as written; null where there is none.</summary>
    public static async Task<IReadOnlyList<string?>> LabelsAsync(IBlobStore store, ShardRef shard, CancellationToken cancellation)
    {
        (string[] labels, ReadOnlyMemory<byte> rows) = RowIndex.Parse(await store.ReadAsync(shard.Index, cancellation));
        string?[] named = new string?[shard.RowCount];
        for (int row = 0; row < named.Length; row++) named[row] = RowIndex.Rows(rows)[row].Label is >= 0 and var label ? labels[label] : null;
        return named;
    }

    /// <summary>Bytes that a row takes.</summary>
    public static int LengthOf(string name, int bytes) => 8 + Encoding.UTF8.GetByteCount(name) + bytes;

    /// <summary>The pictures, in order, read one at a time. A row's bytes are its own: they may be kept.</summary>
    /// <exception cref="Faults.InputRejectedException">The shard is gone (S003) or holds other bytes (S004); the latter may be known at its end only.</exception>
    public static async IAsyncEnumerable<ImageRow> ReadAsync(IBlobStore store, ShardRef shard, [EnumeratorCancellation] CancellationToken cancellation)
    {
        await using BlobContent? content = await store.OpenAsync(BlobPath.Parse(shard.Rows.Path), etag: null, cancellation);
        if (content is null || content.Item.Length != shard.Rows.Length)
        {
            await store.ReadAsync(shard.Rows, cancellation);               // which says what is wrong with it
            yield break;
        }
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long left = shard.Rows.Length;
        while (left > 0)
        {
            byte[]? name = await PartAsync(), bytes = name is null ? null : await PartAsync();
            if (bytes is null) break;
            yield return new ImageRow(Encoding.UTF8.GetString(name!), bytes);
        }
        if (left == 0 && Convert.ToHexStringLower(hash.GetHashAndReset()) == shard.Rows.Sha256) yield break;
        await store.ReadAsync(shard.Rows, cancellation);

        // Null when the length cannot be true.
        async Task<byte[]?> PartAsync()
        {
            byte[] number = new byte[4];
            if (left < number.Length) return null;
            await content.Stream.ReadExactlyAsync(number, cancellation);
            hash.AppendData(number);
            left -= number.Length;
            int length = BinaryPrimitives.ReadInt32LittleEndian(number);
            if (length < 0 || length > left) return null;
            byte[] part = new byte[length];
            await content.Stream.ReadExactlyAsync(part, cancellation);
            hash.AppendData(part);
            left -= length;
            return part;
        }
    }
}

/// <summary>What is known of a picture in a shard without reading it.</summary>
/// <param name="Name">As in <see cref="ImageRow"/>.</param>
/// <param name="Sha256">Digest of its file, 32 bytes: the key of its cached features.</param>
/// <param name="Fingerprint">What it looks like, for near copies.</param>
public sealed record IndexedPicture(string Name, byte[] Sha256, PictureFingerprint Fingerprint);

/// <summary>The pictures of a shard by name, digest and fingerprint: <see cref="ShardRef.Pictures"/>.</summary>
/// <remarks>A row is: int32 length of the name's UTF-8 and the bytes; digest, 32 bytes; fingerprint, <see cref="PictureFingerprint.Length"/>. Little-endian.</remarks>
public static class PictureIndex
{
    public static byte[] ToBytes(IReadOnlyList<IndexedPicture> pictures)
    {
        using MemoryStream bytes = new();
        using BinaryWriter writer = new(bytes);
        Span<byte> fingerprint = stackalloc byte[PictureFingerprint.Length];
        foreach (IndexedPicture picture in pictures)
        {
            byte[] name = Encoding.UTF8.GetBytes(picture.Name);
            writer.Write(name.Length);
            writer.Write(name);
            writer.Write(picture.Sha256);
            picture.Fingerprint.Write(fingerprint);
            writer.Write(fingerprint);
        }
        return bytes.ToArray();
    }

    /// <summary>The pictures of a shard, in its order.</summary>
    /// <exception cref="Faults.InputRejectedException">The index is gone (S003) or holds other bytes (S004).</exception>
    public static async Task<IReadOnlyList<IndexedPicture>> ReadAsync(IBlobStore store, ShardRef shard, CancellationToken cancellation)
    {
        byte[] bytes = await store.ReadAsync(shard.Pictures ?? throw new ArgumentException($"'{shard.Rows.Path}' holds no pictures.", nameof(shard)), cancellation);
        List<IndexedPicture> pictures = new(shard.RowCount);
        for (int at = 0; at < bytes.Length;)
        {
            int length = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(at));
            string name = Encoding.UTF8.GetString(bytes, at + 4, length);
            at += 4 + length;
            byte[] sha256 = bytes[at..(at += SHA256.HashSizeInBytes)];
            pictures.Add(new IndexedPicture(name, sha256, PictureFingerprint.Read(bytes.AsSpan(at, PictureFingerprint.Length))));
            at += PictureFingerprint.Length;
        }
        return pictures;
    }
}
