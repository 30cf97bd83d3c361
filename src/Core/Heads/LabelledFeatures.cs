using System.Runtime.InteropServices;
using Scion.Datasets;
using Scion.Storage;
using Scion.Text;

namespace Scion.Heads;

/// <summary>Features of all labelled rows, gathered from those of the shards.</summary>
static class LabelledFeatures
{
    /// <returns>[labelled rows, dim], in the order of <see cref="RowTable.Labelled"/>.</returns>
    /// <exception cref="Faults.InputRejectedException">They are not of this data set, or not finite (H003), or too many (H006).</exception>
    public static async Task<DenseFeatures> ReadAsync(IBlobStore store, RowTable table, IReadOnlyList<FeaturesExtracted> shards, CancellationToken cancellation)
    {
        (float[] values, int dim) = await GatherAsync(store, table, shards, cancellation);
        return new DenseFeatures(values, dim);
    }

    /// <summary>As <see cref="ReadAsync"/>, as the shards hold them: float32, row-major.</summary>
    public static async Task<(float[] Values, int Dim)> GatherAsync(
        IBlobStore store, RowTable table, IReadOnlyList<FeaturesExtracted> shards, CancellationToken cancellation)
    {
        int dim = shards.Count == 0 ? throw HeadFaults.FeaturesDiffer("there are none.") : shards[0].Dim;
        if ((long)table.Labelled.Count * dim > Array.MaxLength) throw HeadFaults.TooManyFeatures(table.Labelled.Count, dim);
        float[] all = new float[table.Labelled.Count * dim];
        int[] starts = new int[table.Uses.Count + 1];
        foreach (LabelledRow row in table.Labelled) starts[row.Shard + 1]++;
        for (int shard = 0; shard < table.Uses.Count; shard++) starts[shard + 1] += starts[shard];
        int filled = 0;
        foreach (FeaturesExtracted shard in shards)
        {
            if (shard.Shard < 0 || shard.Shard >= table.Uses.Count) throw HeadFaults.FeaturesDiffer($"they are of shard {shard.Shard}; there are {table.Uses.Count}.");
            int rows = starts[shard.Shard + 1] - starts[shard.Shard];
            float[] values = MemoryMarshal.Cast<byte, float>(await store.ReadAsync(shard.Features, cancellation)).ToArray();
            if (shard.Dim != dim || values.Length != rows * dim)
                throw HeadFaults.FeaturesDiffer($"shard {shard.Shard} has {rows} labelled rows of {dim} components, and {values.Length} values of rows of {shard.Dim}.");
            if (Array.Exists(values, value => !float.IsFinite(value))) throw HeadFaults.FeaturesDiffer($"shard {shard.Shard} holds a value that is not finite.");
            values.CopyTo(all, starts[shard.Shard] * dim);
            filled += rows;
        }
        return filled == table.Labelled.Count ? (all, dim)
            : throw HeadFaults.FeaturesDiffer($"{table.Labelled.Count} rows are labelled and {filled} have features.");
    }
}
