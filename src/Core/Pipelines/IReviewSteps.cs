using Scion.Datasets;
using Scion.Heads;
using Scion.Registry;
using Scion.Text;

namespace Scion.Pipelines;

/// <summary>Steps of a training run on reviews.</summary>
public interface IReviewSteps : ITrainingSteps
{
    /// <summary>cpu. One uploaded file to normalised shards, counts, refusals.</summary>
    Task<IngestedFile> IngestReviews(IngestReviewsInput input);

    /// <summary>cpu. Shards to word counts. Test rows are not counted.</summary>
    Task<VocabularyBuilt> BuildVocabulary(BuildVocabularyInput input);

    /// <summary>pretrain (GPU or CPU). Texts of one shard of a training and the tables of the round before to its own tables. Test rows are not read.</summary>
    Task<EmbeddingShardTrained> TrainEmbeddingShard(TrainEmbeddingShardInput input);

    /// <summary>cpu. Tables of all shards of a round to their average.</summary>
    Task<EmbeddingsAveraged> AverageEmbeddings(AverageEmbeddingsInput input);

    /// <summary>pretrain (GPU or CPU). Shards and vocabulary to a sentence encoder. Test rows are not read.</summary>
    Task<EncoderTrained> PretrainEmbeddings(PretrainEmbeddingsInput input);

    /// <summary>extract. Labelled rows of one shard to float32 features [rows, dim].</summary>
    Task<FeaturesExtracted> ExtractFeatures(ExtractFeaturesInput input);

    /// <summary>cpu. The chosen head to a stored, verified version; moves <c>latest</c> if the gate passes.</summary>
    Task<Published> Publish(PublishInput input);
}
