using Scion.Datasets;
using Scion.Text;

namespace Scion.Pipelines;

/// <summary>Word vectors of a corpus above one machine's: every round each shard learns from the averages of the round before.</summary>
/// <remarks>Replayed as <see cref="TrainReviewsPipeline"/> is. From the second round on a call carries a few references, however large the corpus.</remarks>
public static class EmbeddingRounds
{
    /// <param name="steps">The steps.</param>
    /// <param name="data">The data set.</param>
    /// <param name="vocabulary">Its vocabulary, with the shards and rounds in its options.</param>
    /// <returns>The averages of the last round; null where one machine trains alone.</returns>
    public static async Task<EmbeddingsAveraged?> RunAsync(IReviewSteps steps, CuratedRows data, VocabularyBuilt vocabulary)
    {
        EmbeddingOptions options = vocabulary.Options;
        if (options.Shards == 1) return null;
        EmbeddingShardTexts[] texts = TrainEmbeddingShardStep.Deal(data, options.Shards);
        IReadOnlyList<ShardCorpus>[] corpora = [];
        EmbeddingsAveraged? averaged = null, before = null;
        for (int round = 0; round < options.Rounds; round++)
        {
            int part = round % TrainEmbeddingShardStep.Parts(options);
            TrainEmbeddingShardInput[] inputs = [.. texts.Select((own, shard) =>
                new TrainEmbeddingShardInput(shard, round, round == 0 ? own : null, round == 0 ? null : corpora[shard][part], averaged?.Tables, vocabulary))];
            EmbeddingShardTrained[] trained = await steps.FanOut(nameof(steps.TrainEmbeddingShard), inputs, steps.TrainEmbeddingShard);
            if (round == 0) corpora = [.. trained.Select(shard => shard.Corpus)];
            await steps.Report(new RunStage(nameof(steps.AverageEmbeddings), round, options.Rounds));
            AverageEmbeddingsInput average = new([.. trained.Select(shard => shard with { Corpus = [] })], averaged?.Tables, before?.Tables, vocabulary);
            (before, averaged) = (averaged, await steps.AverageEmbeddings(average));
        }
        return averaged;
    }
}
