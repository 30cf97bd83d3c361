using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Scion.Pipelines;
using Scion.Storage;

namespace Scion.Text;

/// <summary>Tables of all shards of a round to their mean, moved on by the momentum of the rounds before.</summary>
/// <remarks>A mean of N shards goes only as far as one of them went: about an Nth of what one machine learns of all texts. Block momentum makes up for it (Chen and Huo
/// 2016, "Scalable training of deep learning machines by incremental block training", eq. 3 to 5, classical form): W(t) = mean(t) + μ · (W(t−1) − W(t−2)). They have
/// μ = 1 − 1/N; a little more, <see cref="Momentum"/>, was better here (docs/experiments.md, where weights by occurrence and other means are too).
/// Reads: tables of all shards and of two rounds, one at a time. Writes: <c>input.bin</c>, <c>output.bin</c> and under NCE <c>biases.bin</c>. Randomness: none but the
/// seed of the first tables. Clock: none. Memory: two tables, whatever the number of shards.</remarks>
public sealed class AverageEmbeddingsStep(StepMemo memo)
{
    const int Version = 1;

    /// <exception cref="Faults.InputRejectedException">A table is gone (S003) or changed (S004).</exception>
    public Task<EmbeddingsAveraged> RunAsync(AverageEmbeddingsInput input, IProgress<StepProgress>? progress, CancellationToken cancellation) =>
        memo.RunAsync(nameof(AverageEmbeddingsStep), Version, input, async writer =>
        {
            EmbeddingOptions options = input.Vocabulary.Options;
            bool nce = options.Loss == SkipGramLoss.Nce;
            (float[] Input, float[] Output, float[] Biases) first = input is { Before: not null, Earlier: null } ? TrainEmbeddingShardStep.First(input.Vocabulary.Words, options) : ([], [], []);
            int done = 0, total = nce ? 3 : 2;
            async Task<ArtifactRef> AverageAsync(string name, Func<EmbeddingTables, ArtifactRef> which, float[] start)
            {
                float[] average = await TrainEmbeddingShardStep.ReadAsync(memo.Store, which(input.Shards[0].Tables), cancellation);
                TensorPrimitives.Multiply(average, 1f / input.Shards.Count, average);
                foreach (EmbeddingShardTrained shard in input.Shards.Skip(1))
                    Add(average, await TrainEmbeddingShardStep.ReadAsync(memo.Store, which(shard.Tables), cancellation), 1f / input.Shards.Count);
                if (input.Before is { } before)
                {
                    float momentum = Momentum(input.Shards.Count);
                    Add(average, await TrainEmbeddingShardStep.ReadAsync(memo.Store, which(before), cancellation), momentum);
                    Add(average, input.Earlier is { } earlier ? await TrainEmbeddingShardStep.ReadAsync(memo.Store, which(earlier), cancellation) : start, -momentum);
                }
                if (!TensorPrimitives.IsFiniteAll<float>(average)) throw TextFaults.Diverged(options);
                progress?.Report(new StepProgress(nameof(IReviewSteps.AverageEmbeddings), ++done, total, "tables"));
                return await writer.AddAsync(name, MemoryMarshal.AsBytes(average.AsSpan()).ToArray(), cancellation);
            }
            EmbeddingTables tables = new(await AverageAsync("input.bin", table => table.Input, first.Input), await AverageAsync("output.bin", table => table.Output, first.Output),
                nce ? await AverageAsync("biases.bin", table => table.Biases!, first.Biases) : null);
            double words = Math.Max(1, input.Shards.Sum(shard => (long)shard.Words));
            return new EmbeddingsAveraged(tables, input.Shards.Sum(shard => shard.Loss * shard.Words) / words, input.Shards.All(shard => shard.Reproducible),
                string.Join(", ", input.Shards.Select(shard => shard.Device).Distinct().Order(StringComparer.Ordinal)));
        }, cancellation);

    /// <summary>μ of N shards: N / (N + 1).</summary>
    public static float Momentum(int shards) => shards / (shards + 1f);

    static void Add(float[] to, float[] table, float factor) => TensorPrimitives.MultiplyAdd(table, factor, to, to);
}
