using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;
using Scion.Datasets;
using Scion.Serving;
using Scion.Storage;

namespace Scion.Functions.Predictions;

/// <summary>Scores dropped files.</summary>
[ServedBy(FunctionRoles.Cpu)]
sealed partial class PredictionActivities(IBlobStore store, DropScoring scoring, ScoreStarter starter, ILogger<PredictionActivities> log)
{
    [Function(nameof(ScoreFile))]
    public async Task<DropOutcome> ScoreFile([ActivityTrigger] ScoreOrder order, CancellationToken cancellation)
    {
        if (await store.FindAsync(BlobPath.Of(DropScoring.Inbox, order.Name), cancellation) is not { } item || item.ETag != order.ETag) return DropOutcome.Changed;
        string model = StrayUploads.FolderOf(item.Name);
        DropScored scored = await scoring.ScoreAsync(item, cancellation);
        switch (scored.Outcome)
        {
            case DropOutcome.Scored:
                LogScored(model, scored.Record!.Rows, scored.Record.Refused, scored.Record.Version!);
                break;
            case DropOutcome.Refused:
                LogRefused(model, scored.Record!.Error!.Code);
                break;
            case DropOutcome.Waits:
                LogWaits(model, scored.Reason!);
                break;
        }
        return scored.Outcome;
    }

    /// <summary>Starts what waited for a model, now that a run has made a version of it. The sweep finds what this misses, so it never fails a run.</summary>
    [Function(nameof(ScoreWaiting))]
    public async Task ScoreWaiting([ActivityTrigger] string model, [DurableClient] DurableTaskClient client, CancellationToken cancellation)
    {
        try
        {
            await starter.StartWaitingAsync(client, model, cancellation);
        }
        catch (Exception e) when (!cancellation.IsCancellationRequested)
        {
            LogMissed(e, model);
        }
    }

    [LoggerMessage(1, LogLevel.Information, "A file of predict/{Model}/: {Rows} rows scored, {Refused} refused, by version {Version}")]
    partial void LogScored(string model, long rows, long refused, string version);

    [LoggerMessage(2, LogLevel.Warning, "A file of predict/{Model}/ is not scored: {Code}; its record in predictions/{Model}/ says why")]
    partial void LogRefused(string model, string code);

    [LoggerMessage(3, LogLevel.Information, "A file of predict/{Model}/ waits: {Reason}")]
    partial void LogWaits(string model, string reason);

    [LoggerMessage(4, LogLevel.Warning, "What waits in predict/{Model}/ is left to the sweep")]
    partial void LogMissed(Exception e, string model);
}
