using Scion.Datasets;
using Scion.Storage;

namespace Scion.Text;

/// <summary>Reads the texts that word vectors may learn from: unlabelled and training rows, never test rows.</summary>
static class DatasetTexts
{
    /// <param name="store">Where the shards lie.</param>
    /// <param name="data">The data set.</param>
    /// <param name="read">Called with each text, in order.</param>
    /// <param name="shardDone">Called with the number of shards read.</param>
    /// <param name="cancellation">Stops the reading.</param>
    public static async Task ReadAsync(IBlobStore store, CuratedRows data, Action<string> read, Action<int>? shardDone, CancellationToken cancellation)
    {
        RowTable table = RowTable.Parse(await store.ReadAsync(data.Rows, cancellation));
        for (int shard = 0; shard < data.Shards.Count; shard++)
        {
            RowUse[] uses = table.Uses[shard];
            byte[] bytes = await store.ReadAsync(data.Shards[shard].Rows, cancellation);
            int row = 0;
            foreach (ReviewRow review in ReviewShard.Read(bytes))
                if (uses[row++] is RowUse.Unlabelled or RowUse.Train) read(review.Text);
            shardDone?.Invoke(shard + 1);
            cancellation.ThrowIfCancellationRequested();
        }
    }
}
