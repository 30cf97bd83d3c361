using Scion.Datasets;
using Scion.Heads;
using Scion.Registry;
using Scion.Vision;

namespace Scion.Pipelines;

/// <summary>Steps of a training run on images.</summary>
public interface IImageSteps : ITrainingSteps
{
    /// <summary>cpu. One archive or a batch of loose pictures to shards of pictures, counts, refusals.</summary>
    Task<IngestedFile> IngestImages(IngestImagesInput input);

    /// <summary>cpu. The network asked for, cut where features are to be taken; or its twin with shuffled weights.</summary>
    Task<ImageEncoderReady> PrepareEncoder(PrepareEncoderInput input);

    /// <summary>extract (GPU or CPU). Labelled pictures of one shard to float32 features [rows, dim], one set a layer.</summary>
    Task<ImageFeaturesExtracted> ExtractImageFeatures(ExtractImageFeaturesInput input);

    /// <summary>cpu. Labelled pictures of one shard to colour histograms and histograms of oriented gradients, float32 [rows, dim].</summary>
    Task<FeaturesExtracted> ExtractPixelFeatures(ExtractPixelFeaturesInput input);

    /// <summary>cpu. The chosen head to a stored, verified version; moves <c>latest</c> if the gate passes.</summary>
    Task<Published> PublishImages(PublishImagesInput input);
}
