using Scion.Datasets;
using Scion.Text;

namespace Scion.Pipelines;

/// <summary>Word vectors of a corpus above one machine's: every round each shard learns from the averages of the round before.</summary>
/// <remarks>Source: parameter averaging, McDonald, Hall, Mann 2010, "Distributed training strategies for the structured perceptron"; for word vectors Ji et al. 2016,
/// arXiv:1604.04661, section 3.3. Replayed as <see cref="TrainReviewsPipeline"/> is. From the second round on a call carries references of a fixed number.</remarks>
static class EmbeddingRounds
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
        EmbeddingShardTrained[]? trained = null;
        EmbeddingsAveraged? averaged = null;
        for (int round = 0; round < options.Rounds; round++)
        {
            TrainEmbeddingShardInput[] inputs = [.. texts.Select((own, shard) =>
                new TrainEmbeddingShardInput(shard, round, trained is null ? own : null, trained?[shard].Corpus, averaged?.Tables, vocabulary))];
            trained = await steps.FanOut(nameof(steps.TrainEmbeddingShard), inputs, steps.TrainEmbeddingShard);
            await steps.Report(new RunStage(nameof(steps.AverageEmbeddings), round, options.Rounds));
            averaged = await steps.AverageEmbeddings(new AverageEmbeddingsInput(trained, vocabulary));
        }
        return averaged;
    }
}
