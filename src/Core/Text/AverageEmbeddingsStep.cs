using System.Runtime.InteropServices;
using Scion.Pipelines;
using Scion.Storage;

namespace Scion.Text;

/// <summary>Tables of all shards of a round to their mean, each word's weighted by how often it stands in the shard.</summary>
/// <remarks>Reads: tables and occurrences of all shards, one shard at a time. Writes: <c>input.bin</c>, <c>output.bin</c> and under NCE <c>biases.bin</c>.
/// Randomness: none. Clock: none. Memory: two tables, whatever the number of shards.</remarks>
public sealed class AverageEmbeddingsStep(StepMemo memo)
{
    const int Version = 1;

    public Task<EmbeddingsAveraged> RunAsync(AverageEmbeddingsInput input, IProgress<StepProgress>? progress, CancellationToken cancellation) =>
        memo.RunAsync(nameof(AverageEmbeddingsStep), Version, input, async writer =>
        {
            int words = input.Vocabulary.Words, dim = input.Vocabulary.Options.Dim;
            int[][] occurrences = new int[input.Shards.Count][];
            for (int shard = 0; shard < occurrences.Length; shard++)
                occurrences[shard] = MemoryMarshal.Cast<byte, int>(await memo.Store.ReadAsync(input.Shards[shard].Corpus.Occurrences, cancellation)).ToArray();
            float[][] shares = Shares(occurrences, words);
            int done = 0, total = input.Shards.Count * (input.Shards[0].Tables.Biases is null ? 2 : 3);
            async Task<float[]> MeanAsync(Func<EmbeddingTables, ArtifactRef> which, int width)
            {
                float[] mean = new float[checked(words * width)];
                for (int shard = 0; shard < shares.Length; shard++)
                {
                    float[] table = await TrainEmbeddingShardStep.ReadAsync(memo.Store, which(input.Shards[shard].Tables), cancellation);
                    Add(mean, table, shares[shard], width);
                    progress?.Report(new StepProgress(nameof(IReviewSteps.AverageEmbeddings), ++done, total, "tables"));
                }
                return mean;
            }
            EmbeddingTables tables = new(await AddAsync("input.bin", table => table.Input, dim), await AddAsync("output.bin", table => table.Output, dim),
                input.Shards[0].Tables.Biases is null ? null : await AddAsync("biases.bin", table => table.Biases!, 1));
            long corpus = input.Shards.Sum(shard => (long)shard.Corpus.Words);
            return new EmbeddingsAveraged(tables, input.Shards.Sum(shard => shard.Loss * shard.Corpus.Words) / Math.Max(1, corpus), input.Shards.All(shard => shard.Reproducible),
                string.Join(", ", input.Shards.Select(shard => shard.Device).Distinct().Order(StringComparer.Ordinal)));

            async Task<ArtifactRef> AddAsync(string name, Func<EmbeddingTables, ArtifactRef> which, int width) =>
                await writer.AddAsync(name, MemoryMarshal.AsBytes((await MeanAsync(which, width)).AsSpan()).ToArray(), cancellation);
        }, cancellation);

    /// <summary>Share of each shard in the mean of each word, [shard][word]: by its occurrences; equal where a word stands in none.</summary>
    /// <param name="occurrences">[shard][word].</param>
    /// <param name="words">Words.</param>
    public static float[][] Shares(IReadOnlyList<int[]> occurrences, int words)
    {
        long[] all = new long[words];
        foreach (int[] shard in occurrences)
            for (int word = 0; word < words; word++) all[word] += shard[word];
        return [.. occurrences.Select(shard => shard.Select((count, word) => all[word] == 0 ? 1f / occurrences.Count : (float)(count / (double)all[word])).ToArray())];
    }

    /// <summary>mean[word, ·] += share[word] · table[word, ·].</summary>
    /// <param name="mean">[words, width], changed.</param>
    /// <param name="table">[words, width].</param>
    /// <param name="shares">[words].</param>
    /// <param name="width">Components of a row.</param>
    public static void Add(Span<float> mean, ReadOnlySpan<float> table, ReadOnlySpan<float> shares, int width)
    {
        for (int word = 0; word < shares.Length; word++)
        {
            Span<float> to = mean.Slice(word * width, width);
            System.Numerics.Tensors.TensorPrimitives.MultiplyAdd(table.Slice(word * width, width), shares[word], to, to);
        }
    }
}
