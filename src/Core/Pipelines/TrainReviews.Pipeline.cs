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
    /// <summary>Calls of one step under way at once. Bounds a host's queue and Durable's fan-in.</summary>
    public const int Window = 32;

    public static async Task<TrainedReviews> RunAsync(IReviewSteps steps, TrainReviewsRequest request)
    {
        ReviewSettings settings = request.Settings;

        IngestedFile[] files = await FanOut(steps, nameof(steps.IngestReviews), request.Files,
            file => steps.IngestReviews(new IngestReviewsInput(file, settings)));

        await steps.RecordFindings(new RecordFindingsInput(request.Run, files, Data: null));

        await steps.Report(new RunStage(nameof(steps.CurateReviews), 0, 1));
        CuratedReviews data = await steps.CurateReviews(new CurateReviewsInput(files, settings));
        await steps.RecordFindings(new RecordFindingsInput(request.Run, files, data));

        await steps.Report(new RunStage(nameof(steps.BuildVocabulary), 0, 1));
        VocabularyBuilt vocabulary = await steps.BuildVocabulary(new BuildVocabularyInput(data, settings));

        string? imported = settings.Encoder == ReviewSettings.OwnEncoder ? null : settings.Encoder;
        EncoderSource[] sources = [imported is null ? EncoderSource.Own : EncoderSource.Imported, EncoderSource.Untrained];
        EncoderTrained[] encoders = await FanOut(steps, nameof(steps.PretrainEmbeddings), sources, source => steps.PretrainEmbeddings(
            new PretrainEmbeddingsInput(source, source == EncoderSource.Imported ? imported : null, data, vocabulary)));

        (EncoderTrained Encoder, int Shard)[] extractions = [.. encoders.SelectMany(encoder => data.Shards.Select((_, shard) => (encoder, shard)))];
        FeaturesExtracted[] features = await FanOut(steps, nameof(steps.ExtractFeatures), extractions,
            extraction => steps.ExtractFeatures(new ExtractFeaturesInput(extraction.Encoder, data, extraction.Shard)));
        FeaturesExtracted[] transferred = features[..data.Shards.Count], untrained = features[data.Shards.Count..];

        HeadsTrained[] candidates = await FanOut(steps, nameof(steps.TrainHeads),
            [
                new TrainHeadsInput(CandidateKind.BagOfWords, null, [], data, settings),
                new TrainHeadsInput(CandidateKind.Scratch, encoders[1], untrained, data, settings),
                new TrainHeadsInput(CandidateKind.Transfer, encoders[0], transferred, data, settings),
            ],
            steps.TrainHeads);

        await steps.Report(new RunStage(nameof(steps.Evaluate), 0, 1));
        Evaluated evaluated = await steps.Evaluate(new EvaluateInput(data, candidates, encoders[0], transferred, settings, files));

        await steps.Report(new RunStage(nameof(steps.Publish), 0, 1));
        Published published = await steps.Publish(new PublishInput(request.Model, request.Version, request.Run, request.DataDigest, data,
            encoders[0], vocabulary.Options, transferred, evaluated, settings));
        return new TrainedReviews(files, data, vocabulary, encoders[0], evaluated, published);
    }

    /// <summary>Calls a step for each input, at most <see cref="Window"/> at once; answers in the order of the inputs.</summary>
    static async Task<TOutput[]> FanOut<TInput, TOutput>(
        IReviewSteps steps, string step, IReadOnlyList<TInput> inputs, Func<TInput, Task<TOutput>> call)
    {
        await steps.Report(new RunStage(step, 0, inputs.Count));
        Task<TOutput>[] calls = new Task<TOutput>[inputs.Count];
        List<Task> underWay = new(Window);
        int started = 0, done = 0;
        while (done < inputs.Count)
        {
            while (started < inputs.Count && underWay.Count < Window) underWay.Add(calls[started] = call(inputs[started++]));
            Task finished = await Task.WhenAny(underWay);
            await finished;
            underWay.Remove(finished);
            await steps.Report(new RunStage(step, ++done, inputs.Count));
        }
        return [.. calls.Select(call => call.Result)];
    }
}

/// <summary>What a run made, in the order it was made. References and figures only; no review text.</summary>
public sealed record TrainedReviews(
    IReadOnlyList<IngestedFile> Files, CuratedReviews Data, VocabularyBuilt Vocabulary, EncoderTrained Encoder, Evaluated Evaluated,
    Published Published);
