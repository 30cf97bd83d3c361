using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Scion.Serving;
using Scion.Storage;
using Scion.Vision;

namespace Scion.Local.Server;

/// <summary>Scores files dropped into <c>predict/{model}/</c>, as <see cref="DropScoring"/> does.</summary>
/// <remarks>A file waits while no model of its name serves.</remarks>
sealed partial class PredictionWatcher(
    IBlobStore store, PredictorCache predictors, IPictureReader pictures, WatchOptions options, TimeProvider time, ILogger<PredictionWatcher> log) : BackgroundService
{
    readonly DropScoring scoring = new(store, predictors, pictures, Scratch);
    readonly Dictionary<string, (string ETag, long Since, bool Handled)> seen = new(StringComparer.Ordinal);
    readonly HashSet<string> told = [];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            long started = time.GetTimestamp();
            try
            {
                await LookAsync(stoppingToken);
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                if (told.Add(e.Message)) LogTrouble(e.Message);
            }
            TimeSpan took = time.GetElapsedTime(started);
            await Task.Delay(took > options.Poll ? took : options.Poll, time, stoppingToken);
        }
    }

    async Task LookAsync(CancellationToken cancellation)
    {
        List<BlobItem> items = await store.ListAsync(DropScoring.Inbox, "", cancellation).ToListAsync(cancellation);
        foreach (string gone in seen.Keys.Except(items.Select(item => item.Name)).ToArray()) seen.Remove(gone);
        foreach (BlobItem item in items)
        {
            if (!seen.TryGetValue(item.Name, out (string ETag, long Since, bool Handled) state) || state.ETag != item.ETag)
                seen[item.Name] = state = (item.ETag, time.GetTimestamp(), false);
            if (state.Handled || time.GetElapsedTime(state.Since) < options.Settle) continue;
            try
            {
                if (await HandleAsync(item, cancellation)) seen[item.Name] = state with { Handled = true };
            }
            catch (Exception e) when (!cancellation.IsCancellationRequested)
            {
                if (told.Add(e.Message)) LogTrouble(e.Message);           // trouble with one file does not keep the others waiting
            }
        }
    }

    /// <returns>False when it is to be looked at again.</returns>
    async Task<bool> HandleAsync(BlobItem item, CancellationToken cancellation)
    {
        DropScored scored = await scoring.ScoreAsync(item, cancellation);
        switch (scored.Outcome)
        {
            case DropOutcome.Scored:
                LogScored(item.Name, scored.Record!.Rows, scored.Record.Refused, scored.Record.Version!);
                break;
            case DropOutcome.Refused:
                LogRefused(item.Name, scored.Reason!);
                break;
            case DropOutcome.Stray:
                LogStray(scored.Reason!);
                break;
            case DropOutcome.Waits:
                if (told.Add(item.Name + scored.Reason)) LogWaits(item.Name, scored.Reason!);
                return false;
        }
        return scored.Outcome != DropOutcome.Changed;
    }

    static FileStream Scratch() => new(Path.GetTempFileName(), FileMode.Open, FileAccess.ReadWrite, FileShare.None, 1 << 16, FileOptions.DeleteOnClose);

    [LoggerMessage(1, LogLevel.Information, "predict/{File}: {Rows} rows scored, {Refused} refused, by version {Version}")]
    partial void LogScored(string file, long rows, long refused, string version);

    [LoggerMessage(2, LogLevel.Warning, "predict/{File} waits: {Reason}")]
    partial void LogWaits(string file, string reason);

    [LoggerMessage(3, LogLevel.Warning, "predict/{File} is not scored: {Reason}")]
    partial void LogRefused(string file, string reason);

    [LoggerMessage(4, LogLevel.Warning, "{Stray}")]
    partial void LogStray(string stray);

    [LoggerMessage(5, LogLevel.Warning, "Looking at predict/ failed and is repeated: {Reason}")]
    partial void LogTrouble(string reason);
}
