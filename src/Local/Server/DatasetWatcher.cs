using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Scion.Datasets;
using Scion.Local.Running;
using Scion.Pipelines;
using Scion.Registry;
using Scion.Storage;

namespace Scion.Local.Server;

/// <summary>When dropped files are taken for whole.</summary>
public sealed record WatchOptions
{
    /// <summary>Time between two looks. Default 500 ms; a look that takes long is repeated less often.</summary>
    public TimeSpan Poll { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>A folder must stay as it is for this long, in every case: a file that is being copied grows. Default 1 s.</summary>
    public TimeSpan Settle { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Loose files (.txt, pictures, dataset.json) wait this long for their companions. Default 2 s.</summary>
    public TimeSpan Quiet { get; init; } = TimeSpan.FromSeconds(2);
}

/// <summary>Starts a run when the files in <c>reviews/{model}/</c> or <c>images/{model}/</c> have changed and then stayed as they are.</summary>
/// <remarks>It only lists, so it works on every store and needs no event that could be lost; what changed while no server ran is found by
/// the first look. A set of files that was refused is not tried again before it changes.</remarks>
sealed partial class DatasetWatcher(
    IBlobStore store, RunLedger ledger, ArrivalLedger arrivals, TrainingQueue queue, RunLocks locks, WatchOptions options, TimeProvider time, ILogger<DatasetWatcher> log) : BackgroundService
{
    readonly Gathering gathering = new(store, ledger, arrivals, (kind, model, cancellation) => Snapshots.TakeAsync(store, kind, model, [], time, cancellation), time);
    readonly Dictionary<DataKind, Dictionary<string, Watched>> kinds = DataKinds.All.ToDictionary(kind => kind, _ => new Dictionary<string, Watched>(StringComparer.Ordinal));
    readonly Dictionary<DataKind, IReadOnlyList<string>> strays = [];
    string? lastTrouble;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            long started = time.GetTimestamp();
            try
            {
                await LookAsync(stoppingToken);
                lastTrouble = null;
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                if (lastTrouble != e.Message) LogTrouble(lastTrouble = e.Message);
            }
            TimeSpan took = time.GetElapsedTime(started);
            await Task.Delay(took * 20 > options.Poll ? took * 20 : options.Poll, time, stoppingToken);
        }
    }

    /// <summary>One look at all folders. Trouble with one does not keep the others waiting.</summary>
    public async Task LookAsync(CancellationToken cancellation)
    {
        foreach (DataKind kind in DataKinds.All) await LookAsync(kind, kinds[kind], cancellation);
    }

    async Task LookAsync(DataKind kind, Dictionary<string, Watched> folders, CancellationToken cancellation)
    {
        IReadOnlyList<DroppedFolder> found = await DroppedFolder.ListAsync(store, kind, cancellation);
        foreach (string gone in folders.Keys.Except(found.Select(folder => folder.Model)).ToArray()) folders.Remove(gone);
        foreach (DroppedFolder folder in found)
        {
            if (!folders.TryGetValue(folder.Model, out Watched? watched)) watched = folders[folder.Model] = new Watched();
            if (folder.Print != watched.Print) (watched.Print, watched.Since, watched.Trouble) = (folder.Print, time.GetTimestamp(), null);
            if (folder.Print == watched.Handled) continue;
            if (time.GetElapsedTime(watched.Since) < folder.Stillness(watched.Knows, options.Settle, options.Quiet)) continue;
            try
            {
                if (await HandleAsync(folder, cancellation)) watched.Handle(folder);
            }
            catch (Exception e) when (!cancellation.IsCancellationRequested)
            {
                if (watched.Trouble != e.Message) LogFolderTrouble(kind.Container, folder.Model, watched.Trouble = e.Message);
            }
        }
        IReadOnlyList<string> now = StrayUploads.Among(kind, found.Where(folder => !ModelName.IsValid(folder.Model)).SelectMany(folder => folder.Items));
        if (strays.TryGetValue(kind, out IReadOnlyList<string>? recorded) && recorded.SequenceEqual(now)) return;
        await arrivals.PutStraysAsync(kind.Container, now, cancellation);
        strays[kind] = now;
    }

    /// <returns>False when it is to be looked at again.</returns>
    async Task<bool> HandleAsync(DroppedFolder folder, CancellationToken cancellation)
    {
        (string kind, string model) = (folder.Kind.Container, folder.Model);
        if (!ModelName.IsValid(model))
        {
            foreach (string stray in StrayUploads.Among(folder.Kind, folder.Items)) LogStray(stray);
            return true;
        }
        if (!folder.HasUploads) return true;
        using IDisposable? uploading = locks.TryTake(UploadLock(model));
        if (uploading is null) return false;                              // a 'scion train' is still copying files there
        if (await gathering.GatherAsync(folder, cancellation) is not ({ } arrival, var status)) return false;   // changed while it was read: wait for it again
        foreach (string warning in arrival.Warnings) LogWarned(kind, model, warning);                          // a run recorded before does not know of a file that came since
        switch (arrival)
        {
            case { Refusal: { } refusal }:
                LogRefused(kind, model, $"{refusal.Code}: {refusal.Fact} {refusal.Remedy}");
                break;
            case { Outcome: ArrivalOutcome.Recorded }:
                LogFound(kind, model, arrival.Pinned, arrival.Run!);
                if (status!.IsActive) queue.Enqueue(status.Run);
                break;
            case { Outcome: ArrivalOutcome.EndedBefore } when status is { Error: { } error }:
                LogFailedBefore(kind, model, status.Run, error.Code);
                break;
            default:
                LogKnown(kind, model, arrival.Run!);
                break;
        }
        return true;
    }

    /// <summary>Held by a 'scion train' while it copies files into the folder.</summary>
    public static string UploadLock(string model) => $"upload-{model}";

    /// <summary>What is known of one model's folder.</summary>
    sealed class Watched
    {
        /// <summary>Versions of the files of <see cref="Handled"/>.</summary>
        HashSet<(string Name, string ETag)> known = [];

        /// <summary>As at the last look.</summary>
        public string Print { get; set; } = "";

        /// <summary>Timestamp of the look that first saw it so.</summary>
        public long Since { get; set; }

        /// <summary>The print that needs nothing more.</summary>
        public string? Handled { get; private set; }

        /// <summary>What went wrong at the last look, said once.</summary>
        public string? Trouble { get; set; }

        public void Handle(DroppedFolder folder) => (Handled, known) = (folder.Print, [.. folder.Items.Select(item => (item.Name, item.ETag))]);

        public bool Knows(BlobItem item) => known.Contains((item.Name, item.ETag));
    }

    [LoggerMessage(1, LogLevel.Information, "{Kind}/{Model} ({Files} files): run {Run}")]
    partial void LogFound(string kind, string model, int files, string run);

    [LoggerMessage(2, LogLevel.Information, "{Kind}/{Model}: this data was trained on before, by run {Run}")]
    partial void LogKnown(string kind, string model, string run);

    [LoggerMessage(6, LogLevel.Warning, "{Kind}/{Model}: run {Run} of this data failed before ({Code}); change the files, or start it again")]
    partial void LogFailedBefore(string kind, string model, string run, string code);

    [LoggerMessage(3, LogLevel.Warning, "{Kind}/{Model} is not trained on: {Reason}")]
    partial void LogRefused(string kind, string model, string reason);

    [LoggerMessage(4, LogLevel.Warning, "{Stray}")]
    partial void LogStray(string stray);

    [LoggerMessage(8, LogLevel.Warning, "{Kind}/{Model}: {Warning}")]
    partial void LogWarned(string kind, string model, string warning);

    [LoggerMessage(7, LogLevel.Warning, "{Kind}/{Model} is looked at again: {Reason}")]
    partial void LogFolderTrouble(string kind, string model, string reason);

    [LoggerMessage(5, LogLevel.Warning, "Looking at uploads failed and is repeated: {Reason}")]
    partial void LogTrouble(string reason);
}
