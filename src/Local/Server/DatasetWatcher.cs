using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Scion.Datasets;
using Scion.Faults;
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
    IBlobStore store, RunLedger ledger, TrainingQueue queue, RunLocks locks, WatchOptions options, TimeProvider time, ILogger<DatasetWatcher> log) : BackgroundService
{
    readonly Dictionary<DataKind, Dictionary<string, Folder>> kinds = DataKinds.All.ToDictionary(kind => kind, _ => new Dictionary<string, Folder>(StringComparer.Ordinal));
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

    async Task LookAsync(DataKind kind, Dictionary<string, Folder> folders, CancellationToken cancellation)
    {
        Dictionary<string, List<BlobItem>> found = await ListAsync(kind, "", cancellation);
        foreach (string gone in folders.Keys.Except(found.Keys).ToArray()) folders.Remove(gone);
        foreach ((string name, List<BlobItem> items) in found)
        {
            if (!folders.TryGetValue(name, out Folder? folder)) folder = folders[name] = new Folder();
            string print = PrintOf(items);
            if (print != folder.Print) (folder.Print, folder.Since, folder.Trouble) = (print, time.GetTimestamp(), null);
            if (print == folder.Handled) continue;
            TimeSpan still = time.GetElapsedTime(folder.Since);
            if (still < (folder.HasLoose(kind, items) ? Max(options.Quiet, options.Settle) : options.Settle)) continue;
            try
            {
                if (!await HandleAsync(kind, name, items, print, cancellation)) continue;
                (folder.Handled, folder.Known) = (print, [.. items.Select(Version)]);
            }
            catch (Exception e) when (!cancellation.IsCancellationRequested)
            {
                if (folder.Trouble != e.Message) LogFolderTrouble(kind.Container, name, folder.Trouble = e.Message);
            }
        }
    }

    /// <returns>False when it is to be looked at again.</returns>
    async Task<bool> HandleAsync(DataKind kind, string model, List<BlobItem> items, string print, CancellationToken cancellation)
    {
        if (!ModelName.IsValid(model))
        {
            foreach (string stray in StrayUploads.Among(kind, items)) LogStray(stray);
            return true;
        }
        if (!items.Any(item => IsUpload(kind, item))) return true;
        using IDisposable? uploading = locks.TryTake(UploadLock(model));
        if (uploading is null) return false;                              // a 'scion train' is still copying files there
        try
        {
            TrainingRequest request = await Snapshots.TakeAsync(store, kind, model, [], time, cancellation);
            if ((await ListAsync(kind, $"{model}/", cancellation)).GetValueOrDefault(model) is not { } now || PrintOf(now) != print) return false;
            foreach (string warning in request.Warnings) LogWarned(kind.Container, model, warning);      // a run recorded before does not know of a file that came since
            if (await TrainedBeforeAsync(request, items, cancellation) is { } earlier) LogKnown(kind.Container, model, earlier);
            else
            {
                RunStatus status = await queue.AddAsync(request, cancellation);
                if (status is { IsFinished: true, Error: { } error }) LogFailedBefore(kind.Container, model, status.Run, error.Code);
                else if (status.IsFinished) LogKnown(kind.Container, model, status.Run);
                else LogFound(kind.Container, model, request.Files.Count, request.Run);
            }
            return true;
        }
        catch (InputRejectedException e) when (e.Code is "S002" or "D503")
        {
            return false;                                                 // changed while it was read: the next looks wait for it again
        }
        catch (InputRejectedException e)
        {
            LogRefused(kind.Container, model, e.Message);
            return true;
        }
    }

    /// <summary>False for settings and hidden files: alone, they start nothing.</summary>
    static bool IsUpload(DataKind kind, BlobItem item) => item.NameRefused
        || (!(kind == DataKind.Images && ImageFormats.IsSystem(item.Name)) && item.Name != $"{StrayUploads.FolderOf(item.Name)}/{ReviewFormats.SettingsName}" && !ReviewFormats.IsHidden(item.Name));

    /// <summary>A run of other settings on the same data that did not fail: someone trained it by the command line, after dataset.json was last
    /// written.</summary>
    async Task<string?> TrainedBeforeAsync(TrainingRequest request, List<BlobItem> items, CancellationToken cancellation)
    {
        DateTimeOffset? settings = items.FirstOrDefault(item => item.Name == $"{request.Model}/{ReviewFormats.SettingsName}")?.Modified;
        foreach (RunStatus run in await ledger.ListAsync(request.Model, cancellation))
            if (run.Run != request.Run && run.Kind == request.Kind && run.State != RunState.Failed && !(settings > run.StartedAt)
                && await DigestAsync(run.Run, cancellation) == request.DataDigest) return run.Run;
        return null;
    }

    /// <returns>Null when the run's record cannot be read.</returns>
    async Task<string?> DigestAsync(string run, CancellationToken cancellation)
    {
        try
        {
            return (await ledger.RequestAsync(run, cancellation)).DataDigest;
        }
        catch (InputRejectedException)
        {
            return null;
        }
    }

    async Task<Dictionary<string, List<BlobItem>>> ListAsync(DataKind kind, string prefix, CancellationToken cancellation)
    {
        Dictionary<string, List<BlobItem>> found = new(StringComparer.Ordinal);
        await foreach (BlobItem item in store.ListAsync(kind.Container, prefix, cancellation))
        {
            string model = StrayUploads.FolderOf(item.Name);
            if (!found.TryGetValue(model, out List<BlobItem>? items)) found[model] = items = [];
            items.Add(item);
        }
        return found;
    }

    /// <summary>Held by a 'scion train' while it copies files into the folder.</summary>
    public static string UploadLock(string model) => $"upload-{model}";

    static string PrintOf(List<BlobItem> items)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (BlobItem item in items) hash.AppendData(Encoding.UTF8.GetBytes(Version(item) + "\n"));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    static string Version(BlobItem item) => $"{item.Name}\0{item.Length}\0{item.ETag}";

    static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;

    /// <summary>What is known of one model's folder.</summary>
    sealed class Folder
    {
        /// <summary>Over the names and versions at the last look.</summary>
        public string Print { get; set; } = "";

        /// <summary>Timestamp of the look that first saw it so.</summary>
        public long Since { get; set; }

        /// <summary>The print that needs nothing more.</summary>
        public string? Handled { get; set; }

        /// <summary>What went wrong at the last look, said once.</summary>
        public string? Trouble { get; set; }

        /// <summary>Files of <see cref="Handled"/>.</summary>
        public HashSet<string> Known { get; set; } = [];

        public bool HasLoose(DataKind kind, List<BlobItem> items) =>
            items.Any(item => !Known.Contains(Version(item)) && (item.NameRefused || !kind.IsCompleteByItself(item.Name))
                && !(kind == DataKind.Images && ImageFormats.IsSystem(item.Name)));
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
