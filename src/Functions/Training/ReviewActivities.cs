using Microsoft.Azure.Functions.Worker;
using Scion.Datasets;
using Scion.Pipelines;
using Scion.Registry;
using Scion.Heads;
using Scion.Text;

namespace Scion.Functions.Training;

/// <summary>The steps of runs on reviews, one activity each.</summary>
[ServedBy(FunctionRoles.Cpu)]
sealed class ReviewActivities(StepRunner runner, StepMemo memo, ModelRegistry registry, IEmbeddingTrainer trainer, SentenceNetworkSessions networks)
{
    [Function(nameof(IngestReviews))]
    public Task<StepAnswer> IngestReviews([ActivityTrigger] StepCall call, CancellationToken cancellation) =>
        runner.RunAsync<IngestReviewsInput, IngestedFile>(nameof(IngestReviews), call, new IngestReviewsStep(memo).RunAsync, cancellation);

    [Function(nameof(BuildVocabulary))]
    public Task<StepAnswer> BuildVocabulary([ActivityTrigger] StepCall call, CancellationToken cancellation) =>
        runner.RunAsync<BuildVocabularyInput, VocabularyBuilt>(nameof(BuildVocabulary), call, new BuildVocabularyStep(memo, Environment.ProcessorCount).RunAsync, cancellation);

    [Function(nameof(TrainEmbeddingShard))]
    public Task<StepAnswer> TrainEmbeddingShard([ActivityTrigger] StepCall call, CancellationToken cancellation) =>
        runner.RunAsync<TrainEmbeddingShardInput, EmbeddingShardTrained>(nameof(TrainEmbeddingShard), call, new TrainEmbeddingShardStep(memo, trainer).RunAsync, cancellation);

    [Function(nameof(AverageEmbeddings))]
    public Task<StepAnswer> AverageEmbeddings([ActivityTrigger] StepCall call, CancellationToken cancellation) =>
        runner.RunAsync<AverageEmbeddingsInput, EmbeddingsAveraged>(nameof(AverageEmbeddings), call, new AverageEmbeddingsStep(memo).RunAsync, cancellation);

    [Function(nameof(PretrainEmbeddings))]
    public Task<StepAnswer> PretrainEmbeddings([ActivityTrigger] StepCall call, CancellationToken cancellation) =>
        runner.RunAsync<PretrainEmbeddingsInput, EncoderTrained>(nameof(PretrainEmbeddings), call, new PretrainEmbeddingsStep(memo, trainer).RunAsync, cancellation);

    [Function(nameof(ExtractFeatures))]
    public Task<StepAnswer> ExtractFeatures([ActivityTrigger] StepCall call, CancellationToken cancellation) =>
        runner.RunAsync<ExtractFeaturesInput, FeaturesExtracted>(nameof(ExtractFeatures), call, new ExtractFeaturesStep(memo, networks).RunAsync, cancellation);

    [Function(nameof(Publish))]
    public Task<StepAnswer> Publish([ActivityTrigger] StepCall call, CancellationToken cancellation) =>
        runner.RunAsync<PublishInput, Published>(nameof(Publish), call, new PublishStep(memo, registry).RunAsync, cancellation);
}
