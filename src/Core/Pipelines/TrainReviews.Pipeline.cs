using Scion.Datasets;
using Scion.Evaluation;
using Scion.Heads;
using Scion.Registry;
using Scion.Text;

namespace Scion.Pipelines;

/// <summary>The order of steps that turns uploaded reviews into a published model.</summary>
/// <remarks>Replayed by Durable from the start after each completed step: it only awaits steps. No clock, randomness, I/O, logging or
/// ConfigureAwait. Results go by index, never by order of completion.</remarks>
public static class TrainReviewsPipeline
{
    public static async Task<TrainedReviews> RunAsync(IReviewSteps steps, TrainReviewsRequest request)
    {
        ReviewSettings settings = request.Settings;
        HeadSettings head = new(settings.Head, settings.Seed);

        IngestedFile[] files = await steps.FanOut(nameof(steps.IngestReviews),
            [.. request.Files.Select(file => new IngestReviewsInput(file, settings))], steps.IngestReviews);

        await steps.RecordFindings(new RecordFindingsInput(request.Run, files, Data: null));

        await steps.Report(new RunStage(nameof(steps.Curate), 0, 1));
        CuratedRows data = await steps.Curate(new CurateInput(DataKind.Reviews, files, settings.Split));
        await steps.RecordFindings(new RecordFindingsInput(request.Run, files, data));

        await steps.Report(new RunStage(nameof(steps.BuildVocabulary), 0, 1));
        VocabularyBuilt vocabulary = await steps.BuildVocabulary(new BuildVocabularyInput(data, settings));

        string? imported = settings.Encoder == ReviewSettings.OwnEncoder ? null : settings.Encoder;
        EncoderSource[] sources = [imported is null ? EncoderSource.Own : EncoderSource.Imported, EncoderSource.Untrained];
        EmbeddingsAveraged? learned = imported is null ? await EmbeddingRounds.RunAsync(steps, data, vocabulary) : null;
        EncoderTrained[] encoders = await steps.FanOut(nameof(steps.PretrainEmbeddings), [.. sources.Select(source =>
            new PretrainEmbeddingsInput(source, source == EncoderSource.Imported ? imported : null, data, vocabulary, source == EncoderSource.Own ? learned : null))], steps.PretrainEmbeddings);

        ExtractFeaturesInput[] extractions = [.. encoders.SelectMany(encoder => data.Shards.Select((_, shard) => new ExtractFeaturesInput(encoder, data.Shard(shard))))];
        FeaturesExtracted[] features = await steps.FanOut(nameof(steps.ExtractFeatures), extractions, steps.ExtractFeatures);
        FeatureSet transferred = new("", features[..data.Shards.Count]), untrained = new("", features[data.Shards.Count..]);

        HeadsTrained[] candidates = await steps.FanOut(nameof(steps.TrainHeads),
            [
                new TrainHeadsInput(CandidateKind.BagOfWords, [], data, head),
                new TrainHeadsInput(CandidateKind.Scratch, [untrained], data, head),
                new TrainHeadsInput(CandidateKind.Transfer, [transferred], data, head),
            ],
            steps.TrainHeads);

        await steps.Report(new RunStage(nameof(steps.Evaluate), 0, 1));
        Evaluated evaluated = await steps.Evaluate(new EvaluateInput(data, candidates, [transferred], head, files));

        await steps.Report(new RunStage(nameof(steps.Publish), 0, 1));
        Published published = await steps.Publish(new PublishInput(request.Model, request.Version, request.Run, request.DataDigest, data,
            encoders[0], vocabulary.Options, transferred.Shards, evaluated, settings));
        return new TrainedReviews(files, data, vocabulary, encoders[0], evaluated, published);
    }
}

/// <summary>What a run on reviews made, in the order it was made. References and figures only; no review text.</summary>
public sealed record TrainedReviews(
    IReadOnlyList<IngestedFile> Files, CuratedRows Data, VocabularyBuilt Vocabulary, EncoderTrained Encoder, Evaluated Evaluated,
    Published Published) : TrainingOutcome(Files, Data, Evaluated, Published);
