using System.Runtime.CompilerServices;
using Scion.Datasets;
using Scion.Storage;

namespace Scion.Registry;

/// <summary>A labelled row with its picture.</summary>
/// <param name="Row">Index into <see cref="RowTable.Labelled"/>.</param>
/// <param name="Name">Name below the model's folder.</param>
/// <param name="Bytes">The file, as uploaded.</param>
/// <param name="Label">Class id.</param>
public readonly record struct LabelledPicture(int Row, string Name, ReadOnlyMemory<byte> Bytes, int Label)
{
    /// <summary>Reads the labelled rows that are wanted, shard by shard: one picture is in memory at a time.</summary>
    /// <param name="store">Where the shards lie.</param>
    /// <param name="data">The data set.</param>
    /// <param name="table">Its row table.</param>
    /// <param name="wanted">True for the rows to yield, by index into <see cref="RowTable.Labelled"/>.</param>
    /// <param name="cancellation">Stops the reads.</param>
    public static async IAsyncEnumerable<LabelledPicture> ReadAsync(
        IBlobStore store, CuratedRows data, RowTable table, Func<int, bool> wanted, [EnumeratorCancellation] CancellationToken cancellation)
    {
        for (int at = 0; at < table.Labelled.Count;)
        {
            int shard = table.Labelled[at].Shard, end = at;
            Dictionary<int, int> rows = [];                                    // row of the shard to labelled row
            for (; end < table.Labelled.Count && table.Labelled[end].Shard == shard; end++)
                if (wanted(end)) rows.Add(table.Labelled[end].Row, end);
            at = end;
            if (rows.Count == 0) continue;
            int row = 0;
            await foreach (ImageRow picture in ImageShard.ReadAsync(store, data.Shards[shard], cancellation))
                if (rows.TryGetValue(row++, out int labelled)) yield return new LabelledPicture(labelled, picture.Name, picture.Bytes, table.Labelled[labelled].Label);
        }
    }
}
