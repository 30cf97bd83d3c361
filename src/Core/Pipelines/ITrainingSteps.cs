using System.Text.Json.Serialization;
using Scion.Datasets;
using Scion.Evaluation;
using Scion.Heads;

namespace Scion.Pipelines;

/// <summary>Steps that runs on reviews and on images have in common. Each host implements them: Durable by activities and queues, Local by
/// direct calls.</summary>
/// <remarks>Every step reads blobs and writes blobs under <c>work/{key}/</c>, is memoised by its input (<see cref="StepMemo"/>), may run more
/// than once, takes its randomness from a seed in its input and reads no clock.</remarks>
public interface ITrainingSteps
{
    /// <summary>cpu. All shards' indexes to: which rows train, test, are unlabelled or dropped; labels; duplicates; conflicts; the protocol.</summary>
    Task<CuratedRows> Curate(CurateInput input);

    /// <summary>cpu. Features and labels of one candidate to fitted heads, with predictions for rows they were not fitted on.</summary>
    Task<HeadsTrained> TrainHeads(TrainHeadsInput input);

    /// <summary>cpu. All candidates to metrics with intervals, baselines, paired tests and the chosen head.</summary>
    Task<Evaluated> Evaluate(EvaluateInput input);

    /// <summary>cpu. Writes what each file held and what was refused into the ledger, so that a run that fails later has told it.</summary>
    Task RecordFindings(RecordFindingsInput input);

    /// <summary>Calls one step for each input, a bounded number at once; answers in the order of the inputs. A host whose history grows with every
    /// call splits many calls over runs of its own.</summary>
    /// <param name="step">Name of the step.</param>
    /// <param name="inputs">One a call.</param>
    /// <param name="call">The step of this interface.</param>
    Task<TOutput[]> FanOut<TInput, TOutput>(string step, IReadOnlyList<TInput> inputs, Func<TInput, Task<TOutput>> call) =>
        StepWindow.FanOut(this, step, inputs, call);

    /// <summary>Tells people where the run is. Writes no more than status; a lost report changes nothing.</summary>
    Task Report(RunStage stage);
}

/// <summary>Where a run is.</summary>
/// <param name="Step">Name of the step under way.</param>
/// <param name="Done">Calls of it finished, in [0, <paramref name="Total"/>].</param>
/// <param name="Total">Calls of it in all.</param>
public sealed record RunStage(string Step, int Done, int Total)
{
    /// <summary>What calls of the step are counted in.</summary>
    [JsonIgnore]
    public string Unit => Step switch
    {
        nameof(IReviewSteps.IngestReviews) => "files",
        nameof(IImageSteps.IngestImages) => "folders",
        nameof(IReviewSteps.PretrainEmbeddings) or nameof(IImageSteps.PrepareEncoder) => "encoders",
        nameof(IReviewSteps.AverageEmbeddings) => "rounds",
        nameof(IReviewSteps.TrainEmbeddingShard) or nameof(IReviewSteps.ExtractFeatures) or nameof(IImageSteps.ExtractImageFeatures) or nameof(IImageSteps.ExtractPixelFeatures) => "shards",
        nameof(ITrainingSteps.TrainHeads) => "candidates",
        _ => "steps",
    };
}

/// <param name="Run">The run.</param>
/// <param name="Files">Its ingested files.</param>
/// <param name="Data">The curated data; null before curation.</param>
public sealed record RecordFindingsInput(string Run, IReadOnlyList<IngestedFile> Files, CuratedRows? Data);
