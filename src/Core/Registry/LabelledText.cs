using Scion.Datasets;
using Scion.Storage;

namespace Scion.Registry;

/// <summary>A labelled row with its text.</summary>
/// <param name="Row">Index into <see cref="RowTable.Labelled"/>.</param>
/// <param name="Text">The review.</param>
/// <param name="Label">Class id.</param>
/// <param name="Use">Train or Test.</param>
public readonly record struct LabelledText(int Row, string Text, int Label, RowUse Use)
{
    /// <summary>Reads the labelled rows that are wanted, shard by shard: one shard is in memory at a time.</summary>
    /// <param name="store">Where the shards lie.</param>
    /// <param name="data">The data set.</param>
    /// <param name="table">Its row table.</param>
    /// <param name="wanted">True for the rows to yield, by index into <see cref="RowTable.Labelled"/>.</param>
    /// <param name="cancellation">Stops the reads.</param>
    public static async IAsyncEnumerable<LabelledText> ReadAsync(
        IBlobStore store, CuratedRows data, RowTable table, Func<int, bool> wanted,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        int at = 0;
        while (at < table.Labelled.Count)
        {
            int shard = table.Labelled[at].Shard, end = at;
            bool any = false;
            while (end < table.Labelled.Count && table.Labelled[end].Shard == shard) any |= wanted(end++);
            if (any)
            {
                int row = -1;
                foreach (ReviewRow review in ReviewShard.Read(await store.ReadAsync(data.Shards[shard].Rows, cancellation)))
                {
                    if (at == end) break;
                    if (++row != table.Labelled[at].Row) continue;
                    if (wanted(at)) yield return new LabelledText(at, review.Text, table.Labelled[at].Label, table.Labelled[at].Use);
                    at++;
                }
            }
            at = end;
        }
    }
}
