using Scion.Datasets;
using Scion.Evaluation;
using Scion.Heads;
using Scion.Registry;
using Scion.Vision;

namespace Scion.Pipelines;

/// <summary>The order of steps that turns uploaded pictures into a published model.</summary>
/// <remarks>Replayed as <see cref="TrainReviewsPipeline"/> is.</remarks>
public static class TrainImagesPipeline
{
    public static async Task<TrainedImages> RunAsync(IImageSteps steps, TrainImagesRequest request)
    {
        ImageSettings settings = request.Settings;
        HeadSettings head = new(settings.Head, settings.Seed);

        IngestedFile[] files = await steps.FanOut(nameof(steps.IngestImages),
            [.. request.Batches.Select(batch => new IngestImagesInput(batch))], steps.IngestImages);
        await steps.RecordFindings(new RecordFindingsInput(request.Run, files, Data: null));

        await steps.Report(new RunStage(nameof(steps.Curate), 0, 1));
        CuratedRows data = await steps.Curate(new CurateInput(DataKind.Images, files, settings.Split));
        await steps.RecordFindings(new RecordFindingsInput(request.Run, files, data));

        PrepareEncoderInput pretrained = new(settings.Encoder.Name, settings.Encoder.Layer, Pretrained: true, settings.Seed);
        ImageEncoderReady[] encoders = await steps.FanOut(nameof(steps.PrepareEncoder), [pretrained, pretrained with { Pretrained = false }], steps.PrepareEncoder);

        ExtractImageFeaturesInput[] extractions = [.. encoders.SelectMany(encoder => data.Shards.Select((_, shard) => new ExtractImageFeaturesInput(encoder, data.Shard(shard))))];
        ImageFeaturesExtracted[] features = await steps.FanOut(nameof(steps.ExtractImageFeatures), extractions, steps.ExtractImageFeatures);
        FeaturesExtracted[] pixels = await steps.FanOut(nameof(steps.ExtractPixelFeatures),
            [.. Enumerable.Range(0, data.Shards.Count).Select(shard => new ExtractPixelFeaturesInput(data.Shard(shard)))], steps.ExtractPixelFeatures);
        IReadOnlyList<FeatureSet> transferred = SetsOf(encoders[0], features[..data.Shards.Count]), untrained = SetsOf(encoders[1], features[data.Shards.Count..]);

        HeadsTrained[] candidates = await steps.FanOut(nameof(steps.TrainHeads),
            [
                new TrainHeadsInput(CandidateKind.Pixels, [new FeatureSet("", pixels)], data, head),
                new TrainHeadsInput(CandidateKind.Scratch, untrained, data, head),
                new TrainHeadsInput(CandidateKind.Transfer, transferred, data, head),
            ],
            steps.TrainHeads);

        await steps.Report(new RunStage(nameof(steps.Evaluate), 0, 1));
        Evaluated evaluated = await steps.Evaluate(new EvaluateInput(data, candidates, transferred, head, files));

        await steps.Report(new RunStage(nameof(steps.PublishImages), 0, 1));
        Published published = await steps.PublishImages(new PublishImagesInput(request.Model, request.Version, request.Run, request.DataDigest, data,
            encoders[0], transferred, candidates[^1], evaluated, settings));
        return new TrainedImages(files, data, encoders[0], [.. features.Select(shard => shard.Device).Distinct()], candidates[^1], evaluated, published);
    }

    static FeatureSet[] SetsOf(ImageEncoderReady encoder, ImageFeaturesExtracted[] shards) =>
        [.. encoder.Layers.Select((layer, i) => new FeatureSet(layer.Name, [.. shards.Select(shard => shard.Layers[i])], layer.Name == encoder.DefaultLayer))];
}

/// <summary>What a run on images made, in the order it was made. References and figures only; no picture.</summary>
/// <param name="Files">What the files held.</param>
/// <param name="Data">The data set.</param>
/// <param name="Encoder">The network, cut at the layers that were tried.</param>
/// <param name="Devices">Where it ran: "cpu", "cuda:0".</param>
/// <param name="Transfer">The head on its features, and what each layer reached in validation.</param>
/// <param name="Evaluated">What was measured.</param>
/// <param name="Published">The version.</param>
public sealed record TrainedImages(
    IReadOnlyList<IngestedFile> Files, CuratedRows Data, ImageEncoderReady Encoder, IReadOnlyList<string> Devices, HeadsTrained Transfer,
    Evaluated Evaluated, Published Published) : TrainingOutcome(Files, Data, Evaluated, Published);
