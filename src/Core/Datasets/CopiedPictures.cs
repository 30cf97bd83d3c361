using Scion.Storage;
using Scion.Vision;

namespace Scion.Datasets;

/// <summary>Which pictures of a data set are copies of one another, and what those are called that are listed.</summary>
sealed class CopiedPictures
{
    readonly IReadOnlyList<ShardRef> shards;
    readonly (ulong High, ulong Low)[] hashes;
    readonly (ulong High, ulong Low)[] copied;
    readonly Dictionary<int, string> names = [];

    CopiedPictures(IReadOnlyList<ShardRef> shards, (ulong High, ulong Low)[] hashes, (ulong High, ulong Low)[] copied) =>
        (this.shards, this.hashes, this.copied) = (shards, hashes, copied);

    /// <summary>Hash of the picture that a row is a copy of, near or exact: of those alike the smallest. Its own when there is none.</summary>
    public (ulong High, ulong Low) this[int row] => copied[row];

    /// <summary>True when two rows are the same file.</summary>
    public bool AreSame(int row, int other) => hashes[row] == hashes[other];

    /// <summary>Name of a row that was asked for by <see cref="NameAsync"/>.</summary>
    public string Name(int row) => names[row];

    /// <summary>Reads all indexes, and finds near copies among all pictures in the order of their hashes, so that no order of files matters.</summary>
    public static async Task<CopiedPictures> ReadAsync(IBlobStore store, IReadOnlyList<ShardRef> shards, CancellationToken cancellation)
    {
        List<(ulong High, ulong Low)> hashes = [];
        Dictionary<(ulong High, ulong Low), PictureFingerprint> distinct = [];
        foreach (ShardRef shard in shards)
            foreach (IndexedPicture picture in await PictureIndex.ReadAsync(store, shard, cancellation))
            {
                (ulong High, ulong Low) hash = ContentHash.Of(picture.Sha256);
                hashes.Add(hash);
                distinct.TryAdd(hash, picture.Fingerprint);
            }
        (ulong High, ulong Low)[] ordered = [.. distinct.Keys.Order()];
        int[] originals = NearCopies.Originals([.. ordered.Select(hash => distinct[hash])], cancellation);
        Dictionary<(ulong High, ulong Low), (ulong High, ulong Low)> original = [];
        for (int i = 0; i < ordered.Length; i++) original[ordered[i]] = ordered[originals[i]];
        return new CopiedPictures(shards, [.. hashes], [.. hashes.Select(hash => original[hash])]);
    }

    /// <summary>Reads the names of rows.</summary>
    public async Task NameAsync(IBlobStore store, IReadOnlySet<int> rows, CancellationToken cancellation)
    {
        int at = 0;
        foreach (ShardRef shard in shards)
        {
            if (Enumerable.Range(at, shard.RowCount).Any(rows.Contains))
            {
                IReadOnlyList<IndexedPicture> pictures = await PictureIndex.ReadAsync(store, shard, cancellation);
                for (int i = 0; i < pictures.Count; i++)
                    if (rows.Contains(at + i)) names[at + i] = pictures[i].Name;
            }
            at += shard.RowCount;
        }
    }
}
