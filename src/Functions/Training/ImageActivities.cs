using Microsoft.Azure.Functions.Worker;
using Scion.Datasets;
using Scion.Heads;
using Scion.Pipelines;
using Scion.Registry;
using Scion.Vision;

namespace Scion.Functions.Training;

/// <summary>The steps of runs on images, one activity each.</summary>
[ServedBy(FunctionRoles.Cpu)]
sealed class ImageActivities(StepRunner runner, StepMemo memo, ModelRegistry registry, IPictureReader pictures, PictureWorkers workers, EncoderSessions sessions)
{
    [Function(nameof(IngestImages))]
    public Task<StepAnswer> IngestImages([ActivityTrigger] StepCall call, CancellationToken cancellation) =>
        runner.RunAsync<IngestImagesInput, IngestedFile>(nameof(IngestImages), call, new IngestImagesStep(memo, pictures).RunAsync, cancellation);

    [Function(nameof(PrepareEncoder))]
    public Task<StepAnswer> PrepareEncoder([ActivityTrigger] StepCall call, CancellationToken cancellation) =>
        runner.RunAsync<PrepareEncoderInput, ImageEncoderReady>(nameof(PrepareEncoder), call, new PrepareEncoderStep(memo).RunAsync, cancellation);

    [Function(nameof(ExtractImageFeatures))]
    public Task<StepAnswer> ExtractImageFeatures([ActivityTrigger] StepCall call, CancellationToken cancellation) =>
        runner.RunAsync<ExtractImageFeaturesInput, ImageFeaturesExtracted>(
            nameof(ExtractImageFeatures), call, new ExtractImageFeaturesStep(memo, workers, sessions).RunAsync, cancellation);

    [Function(nameof(ExtractPixelFeatures))]
    public Task<StepAnswer> ExtractPixelFeatures([ActivityTrigger] StepCall call, CancellationToken cancellation) =>
        runner.RunAsync<ExtractPixelFeaturesInput, FeaturesExtracted>(nameof(ExtractPixelFeatures), call, new ExtractPixelFeaturesStep(memo, workers).RunAsync, cancellation);

    [Function(nameof(PublishImages))]
    public Task<StepAnswer> PublishImages([ActivityTrigger] StepCall call, CancellationToken cancellation) =>
        runner.RunAsync<PublishImagesInput, Published>(nameof(PublishImages), call, new PublishImagesStep(memo, registry, pictures).RunAsync, cancellation);
}
