using System.Buffers.Binary;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Scion.Pipelines;
using Scion.Storage;

namespace Scion.Vision;

/// <summary>Features of pictures by what computes them and by the picture's digest, kept between runs: a picture is put through a network once.</summary>
/// <remarks>Container <c>work</c>, <c>picture-features/{source}/{digest of the keys}</c>: a blob holds the features of up to a shard's pictures, so a
/// shard is a few large reads however many pictures there are. A blob: "scionpf1", rows and dim (int32), SHA-256 of keys and of values, keys
/// [rows, 32], values float32 [rows, dim], little-endian. A shard that held pictures not known is written whole, and the blobs it makes superfluous
/// are deleted: adding one picture at a time leaves one blob. A blob that is damaged is deleted and its pictures computed anew; losing one to another
/// writer costs time and changes nothing.</remarks>
/// <param name="store">Where.</param>
/// <param name="source">64 hex digits over everything the features depend on but the picture.</param>
/// <param name="dim">Components of a picture's features.</param>
public sealed class FeatureCache(IBlobStore store, string source, int dim)
{
    /// <summary>Bytes of a picture's digest.</summary>
    public const int KeyBytes = SHA256.HashSizeInBytes;

    const int HeaderBytes = 16 + (2 * SHA256.HashSizeInBytes);

    static ReadOnlySpan<byte> Magic => "scionpf1"u8;

    string Folder => $"picture-features/{source}/";

    /// <summary>Copies what is known.</summary>
    /// <param name="pictures">SHA-256 of each picture's bytes, [n][32].</param>
    /// <param name="features">[n, dim]; rows of known pictures are written.</param>
    /// <param name="cancellation">Stops reading.</param>
    /// <returns>Which pictures were known; and the blobs that hold nothing but pictures of these.</returns>
    public async Task<(bool[] Known, IReadOnlyList<BlobItem> Covered)> ReadAsync(
        IReadOnlyList<byte[]> pictures, Memory<float> features, CancellationToken cancellation)
    {
        ILookup<string, int> places = Enumerable.Range(0, pictures.Count).ToLookup(i => Convert.ToHexStringLower(pictures[i]));
        bool[] known = new bool[pictures.Count];
        List<BlobItem> covered = [];
        List<BlobItem> blobs = [];
        await foreach (BlobItem blob in store.ListAsync(StepMemo.Container, Folder, cancellation))
            if (!blob.NameRefused) blobs.Add(blob);
        foreach (BlobItem blob in blobs)
        {
            await using BlobContent? content = await store.OpenAsync(blob.Path, null, cancellation);
            if (content is null) continue;
            if (await ReadKeysAsync(content, cancellation) is not (byte[] keys, byte[] digest))
            {
                await store.DeleteAsync(blob.Path, content.Item.ETag, cancellation);
                continue;
            }
            int rows = keys.Length / KeyBytes, held = 0;
            List<(int Row, int Place)> wanted = [];
            for (int row = 0; row < rows; row++)
            {
                IEnumerable<int> at = places[Convert.ToHexStringLower(keys.AsSpan(row * KeyBytes, KeyBytes))];
                if (at.Any()) held++;
                wanted.AddRange(at.Where(place => !known[place]).Select(place => (row, place)));
            }
            if (wanted.Count > 0)
            {
                byte[] values = new byte[rows * dim * sizeof(float)];
                if (await content.Stream.ReadAtLeastAsync(values, values.Length, throwOnEndOfStream: false, cancellation) < values.Length
                    || !SHA256.HashData(values).AsSpan().SequenceEqual(digest))
                {
                    await store.DeleteAsync(blob.Path, content.Item.ETag, cancellation);
                    continue;
                }
                foreach ((int row, int place) in wanted)
                {
                    MemoryMarshal.Cast<byte, float>(values.AsSpan(row * dim * sizeof(float), dim * sizeof(float))).CopyTo(features.Span[(place * dim)..]);
                    known[place] = true;
                }
            }
            if (held == rows) covered.Add(content.Item);
        }
        return (known, covered);
    }

    /// <summary>Keeps the features of pictures, all of them, and deletes the blobs that this one makes superfluous.</summary>
    /// <param name="pictures">SHA-256 of each picture's bytes, [n][32]; equal ones are kept once.</param>
    /// <param name="features">[n, dim], finite.</param>
    /// <param name="covered">As <see cref="ReadAsync"/> found them.</param>
    /// <param name="cancellation">Stops writing.</param>
    public async Task WriteAsync(
        IReadOnlyList<byte[]> pictures, ReadOnlyMemory<float> features, IReadOnlyList<BlobItem> covered, CancellationToken cancellation)
    {
        if (!TensorPrimitives.IsFiniteAll(features.Span)) throw new ArgumentException("A feature is not finite.");
        int[] order = [.. Enumerable.Range(0, pictures.Count).DistinctBy(i => Convert.ToHexStringLower(pictures[i]))
            .OrderBy(i => Convert.ToHexStringLower(pictures[i]), StringComparer.Ordinal)];
        byte[] blob = new byte[HeaderBytes + (order.Length * (KeyBytes + (dim * sizeof(float))))];
        Span<byte> keys = blob.AsSpan(HeaderBytes, order.Length * KeyBytes), values = blob.AsSpan(HeaderBytes + (order.Length * KeyBytes));
        for (int row = 0; row < order.Length; row++)
        {
            pictures[order[row]].CopyTo(keys[(row * KeyBytes)..]);
            MemoryMarshal.AsBytes(features.Span.Slice(order[row] * dim, dim)).CopyTo(values[(row * dim * sizeof(float))..]);
        }
        Magic.CopyTo(blob);
        BinaryPrimitives.WriteInt32LittleEndian(blob.AsSpan(8), order.Length);
        BinaryPrimitives.WriteInt32LittleEndian(blob.AsSpan(12), dim);
        byte[] digest = SHA256.HashData(keys);
        digest.CopyTo(blob, 16);
        SHA256.HashData(values).CopyTo(blob, 16 + SHA256.HashSizeInBytes);
        BlobPath path = BlobPath.Of(StepMemo.Container, Folder + Convert.ToHexStringLower(digest));
        await store.CreateAsync(path, new ReadOnlyMemoryStream(blob), cancellation);
        foreach (BlobItem superfluous in covered)
            if (superfluous.Name != path.Name) await store.DeleteAsync(superfluous.Path, superfluous.ETag, cancellation);
    }

    /// <summary>Keys and the digest of the values; null when the blob is not one of ours, or damaged.</summary>
    async Task<(byte[] Keys, byte[] Digest)?> ReadKeysAsync(BlobContent content, CancellationToken cancellation)
    {
        byte[] header = new byte[HeaderBytes];
        if (await content.Stream.ReadAtLeastAsync(header, HeaderBytes, throwOnEndOfStream: false, cancellation) < HeaderBytes) return null;
        long rows = BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(8));
        if (!header.AsSpan().StartsWith(Magic) || rows < 1 || BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(12)) != dim
            || content.Item.Length != HeaderBytes + (rows * (KeyBytes + ((long)dim * sizeof(float)))) || content.Item.Length > Array.MaxLength)
            return null;
        byte[] keys = new byte[rows * KeyBytes];
        if (await content.Stream.ReadAtLeastAsync(keys, keys.Length, throwOnEndOfStream: false, cancellation) < keys.Length) return null;
        return SHA256.HashData(keys).AsSpan().SequenceEqual(header.AsSpan(16, SHA256.HashSizeInBytes))
            ? (keys, header[(16 + SHA256.HashSizeInBytes)..])
            : null;
    }
}
