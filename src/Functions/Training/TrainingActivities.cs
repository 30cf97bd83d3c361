using Microsoft.Azure.Functions.Worker;
using Scion.Datasets;
using Scion.Evaluation;
using Scion.Heads;
using Scion.Pipelines;

namespace Scion.Functions.Training;

/// <summary>The steps that runs of both kinds have, one activity each.</summary>
[ServedBy(FunctionRoles.Cpu)]
sealed class TrainingActivities(StepRunner runner, StepMemo memo, RunLedger ledger)
{
    [Function(nameof(Curate))]
    public Task<StepAnswer> Curate([ActivityTrigger] StepCall call, CancellationToken cancellation) =>
        runner.RunAsync<CurateInput, CuratedRows>(nameof(Curate), call, new CurateStep(memo).RunAsync, cancellation);

    [Function(nameof(TrainHeads))]
    public Task<StepAnswer> TrainHeads([ActivityTrigger] StepCall call, CancellationToken cancellation) =>
        runner.RunAsync<TrainHeadsInput, HeadsTrained>(nameof(TrainHeads), call, new TrainHeadsStep(memo).RunAsync, cancellation);

    [Function(nameof(Evaluate))]
    public Task<StepAnswer> Evaluate([ActivityTrigger] StepCall call, CancellationToken cancellation) =>
        runner.RunAsync<EvaluateInput, Evaluated>(nameof(Evaluate), call, new EvaluateStep(memo).RunAsync, cancellation);

    [Function(nameof(RecordFindings))]
    public Task<StepAnswer> RecordFindings([ActivityTrigger] StepCall call, CancellationToken cancellation) =>
        runner.RunAsync<RecordFindingsInput, bool>(nameof(RecordFindings), call, async (input, _, stop) =>
        {
            await ledger.RecordFindingsAsync(input.Run, input.Files, input.Data, stop);
            return true;
        }, cancellation);
}
