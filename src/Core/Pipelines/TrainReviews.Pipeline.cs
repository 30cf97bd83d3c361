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

        // What one machine cannot hold is not trained further on one: such a corpus learns better vectors of its own.
        string[] names = [.. settings.Encoders().Where(name => name != ReviewSettings.ContinuedEncoder || settings.Encoder != ReviewSettings.AutoEncoder || vocabulary.Options.Shards == 1)];
        EmbeddingsAveraged? learned = names.Contains(ReviewSettings.OwnEncoder) ? await EmbeddingRounds.RunAsync(steps, data, vocabulary) : null;
        PretrainEmbeddingsInput[] sources = [.. names.Select(name => name switch
            {
                ReviewSettings.OwnEncoder => new PretrainEmbeddingsInput(EncoderSource.Own, null, data, vocabulary, learned),
                ReviewSettings.DefaultEncoder => new PretrainEmbeddingsInput(EncoderSource.Default, null, data, vocabulary),
                ReviewSettings.ContinuedEncoder => new PretrainEmbeddingsInput(EncoderSource.Continued, null, data, vocabulary),
                _ => new PretrainEmbeddingsInput(EncoderSource.Imported, name, data, vocabulary),
            }),
            new PretrainEmbeddingsInput(EncoderSource.Untrained, null, data, vocabulary)];
        EncoderTrained[] encoders = await steps.FanOut(nameof(steps.PretrainEmbeddings), sources, steps.PretrainEmbeddings);

        ExtractFeaturesInput[] extractions = [.. encoders.SelectMany(encoder => data.Shards.Select((_, shard) => new ExtractFeaturesInput(encoder, data.Shard(shard))))];
        FeaturesExtracted[] features = await steps.FanOut(nameof(steps.ExtractFeatures), extractions, steps.ExtractFeatures);
        (EncoderTrained Encoder, FeaturesExtracted[] Shards)[] all = [.. encoders.Select((encoder, i) => (encoder, features[(i * data.Shards.Count)..((i + 1) * data.Shards.Count)]))];
        IReadOnlyList<FeatureSet> transferred = EncoderPriors.Sets(all[..^1], plain: settings.Preset == "article", words: settings.WordCounts == ReviewSettings.AutoWords);
        FeatureSet untrained = new("", all[^1].Shards);

        HeadsTrained[] candidates = await steps.FanOut(nameof(steps.TrainHeads),
            [
                new TrainHeadsInput(CandidateKind.BagOfWords, [], data, head),
                new TrainHeadsInput(CandidateKind.Scratch, [untrained], data, head),
                new TrainHeadsInput(CandidateKind.Transfer, transferred, data, head),
            ],
            steps.TrainHeads);

        await steps.Report(new RunStage(nameof(steps.Evaluate), 0, 1));
        Evaluated evaluated = await steps.Evaluate(new EvaluateInput(data, candidates, transferred, head, files));

        await steps.Report(new RunStage(nameof(steps.Publish), 0, 1));
        FeatureSet chosen = transferred.First(set => set.Name == evaluated.Set);
        EncoderTrained encoder = all.First(of => ReferenceEquals(of.Shards, chosen.Shards)).Encoder;
        Published published = await steps.Publish(new PublishInput(request.Model, request.Version, request.Run, request.DataDigest, data,
            encoder, vocabulary.Options, chosen.Shards, evaluated, settings));
        return new TrainedReviews(files, data, vocabulary, encoder, evaluated, published);
    }
}

/// <summary>What a run on reviews made, in the order it was made. References and figures only; no review text.</summary>
public sealed record TrainedReviews(
    IReadOnlyList<IngestedFile> Files, CuratedRows Data, VocabularyBuilt Vocabulary, EncoderTrained Encoder, Evaluated Evaluated,
    Published Published) : TrainingOutcome(Files, Data, Evaluated, Published);
