using System.Text;
using System.Text.Json;
using Scion.Datasets;
using Scion.Faults;
using Scion.Storage;

namespace Scion.Pipelines;

/// <summary>What arrived, what became of it, and how far each run is: the container <c>runs</c>. The truth about runs for both hosts.</summary>
/// <remarks>Per run: <c>request.json</c> (create-only: the first record fixes the version's name), <c>status.json</c> (replaced by If-Match),
/// <c>rejects.csv</c>, <c>report.json</c>; <c>arrivals/</c> beside them is <see cref="ArrivalLedger"/>'s. A run that is queued or running is taken up again by
/// <see cref="UnfinishedAsync"/>; a suspended one once it is resumed.</remarks>
public sealed class RunLedger(IBlobStore store, TimeProvider time)
{
    public const string Container = "runs";

    /// <summary>Records a run, or finds it recorded already: equal data and settings are one run.</summary>
    /// <returns>The request as first recorded, and its status.</returns>
    public async Task<(TrainingRequest Request, RunStatus Status)> RecordAsync(TrainingRequest request, CancellationToken cancellation)
    {
        await CreateJsonAsync<TrainingRequest>(At(request.Run, "request.json"), request, cancellation);
        TrainingRequest recorded = await RequestAsync(request.Run, cancellation);
        RunStatus queued = new()
        {
            Run = recorded.Run,
            Model = recorded.Model,
            Kind = recorded.Kind,
            State = RunState.Queued,
            StartedAt = time.GetUtcNow(),
            UpdatedAt = time.GetUtcNow(),
            Files = [.. recorded.Listed.Select(file => new RunFile(file.Name, file.Length, FileState.Pending, 0, 0))],
        };
        await CreateJsonAsync(At(request.Run, "status.json"), queued, cancellation);
        return (recorded, await StatusAsync(request.Run, cancellation));
    }

    /// <summary>Status of a run.</summary>
    /// <exception cref="InputRejectedException">There is no such run (L101).</exception>
    public async Task<RunStatus> StatusAsync(string run, CancellationToken cancellation) =>
        IsName(run) && await store.FindJsonAsync<RunStatus>(At(run, "status.json"), cancellation) is { } found ? found.Value : throw RunFaults.NotFound(run);

    /// <summary>The request as recorded.</summary>
    /// <exception cref="InputRejectedException">There is no such run (L101).</exception>
    public async Task<TrainingRequest> RequestAsync(string run, CancellationToken cancellation) =>
        IsName(run) && await store.FindJsonAsync<TrainingRequest>(At(run, "request.json"), cancellation) is { } found
            ? found.Value : throw RunFaults.NotFound(run);

    /// <summary>What was refused, or null when nothing was recorded yet.</summary>
    /// <exception cref="InputRejectedException">There is no such run (L101).</exception>
    public async Task<BlobContent?> OpenRejectsAsync(string run, CancellationToken cancellation)
    {
        await StatusAsync(run, cancellation);
        return await store.OpenAsync(At(run, "rejects.csv"), etag: null, cancellation);
    }

    /// <summary>What a run that succeeded made.</summary>
    /// <exception cref="InputRejectedException">There is no such run, or it has not succeeded (L101).</exception>
    public async Task<TrainingOutcome> ReportAsync(string run, CancellationToken cancellation) =>
        IsName(run) && await store.FindJsonAsync<TrainingOutcome>(At(run, "report.json"), cancellation) is { } found
            ? found.Value : throw RunFaults.NotFound(run);

    /// <summary>All runs, or those of one model, latest start first.</summary>
    public async Task<IReadOnlyList<RunStatus>> ListAsync(string? model, CancellationToken cancellation)
    {
        List<RunStatus> runs = [];
        await foreach (BlobItem item in store.ListAsync(Container, model is null ? "" : $"{model}-", cancellation))
            if (!item.NameRefused && item.Name.Split('/') is [{ } run, "status.json"] && IsName(run)
                && await ReadableAsync(item, run, cancellation) is { } found && (model is null || found.Model == model)) runs.Add(found);
        return [.. runs.OrderByDescending(run => run.StartedAt).ThenBy(run => run.Run, StringComparer.Ordinal)];
    }

    /// <summary>A status as stored; a damaged one is a failed run whose error says so, so that it hides no other.</summary>
    async Task<RunStatus?> ReadableAsync(BlobItem item, string run, CancellationToken cancellation)
    {
        try
        {
            return (await store.FindJsonAsync<RunStatus>(item.Path, cancellation))?.Value;
        }
        catch (InputRejectedException e)
        {
            return new RunStatus
            {
                Run = run,
                Model = run[..^17],
                Kind = "reviews",
                State = RunState.Failed,
                StartedAt = item.Modified,
                UpdatedAt = item.Modified,
                Error = new RunError(e.Code, $"{e.Fact} {e.Remedy}"),
            };
        }
    }

    /// <summary>Runs that were recorded, have not ended and are not suspended, oldest first: work for a host that starts.</summary>
    public async Task<IReadOnlyList<TrainingRequest>> UnfinishedAsync(CancellationToken cancellation)
    {
        List<(DateTimeOffset Started, TrainingRequest Request)> unfinished = [];
        await foreach (BlobItem item in store.ListAsync(Container, "", cancellation))
        {
            if (item.NameRefused || item.Name.Split('/') is not [{ } name, "request.json"] || !IsName(name)) continue;
            try
            {
                if ((await store.FindJsonAsync<RunStatus>(At(name, "status.json"), cancellation))?.Value is { IsActive: false }) continue;
                if (await store.FindJsonAsync<TrainingRequest>(item.Path, cancellation) is not { } found) continue;
                RunStatus status = (await RecordAsync(found.Value, cancellation)).Status;  // a crash may have come before the status
                if (status.IsActive) unfinished.Add((status.StartedAt, found.Value));
            }
            catch (InputRejectedException)
            {
                // Its record is damaged, as ListAsync says; the others go on.
            }
        }
        return [.. unfinished.OrderBy(run => run.Started).ThenBy(run => run.Request.Run, StringComparer.Ordinal).Select(run => run.Request)];
    }

    /// <summary>Changes a status; repeats the change on the newer status when another writer came first.</summary>
    /// <returns>The status as stored.</returns>
    public async Task<RunStatus> UpdateAsync(string run, Func<RunStatus, RunStatus> change, CancellationToken cancellation)
    {
        BlobPath path = At(run, "status.json");
        while (true)
        {
            (RunStatus before, string etag) = await store.FindJsonAsync<RunStatus>(path, cancellation) ?? throw RunFaults.NotFound(run);
            RunStatus after = change(before);
            if (after == before) return before;
            after = after with { UpdatedAt = time.GetUtcNow() };
            if (await store.ReplaceAsync(path, Json(after), etag, cancellation) is not null) return after;
        }
    }

    /// <summary>Writes what each file held and what was refused, so that a run that fails later has told it.</summary>
    /// <param name="run">The run.</param>
    /// <param name="files">Ingested files.</param>
    /// <param name="data">The curated data; null before curation.</param>
    /// <param name="cancellation">Stops the writing.</param>
    public async Task RecordFindingsAsync(string run, IReadOnlyList<IngestedFile> files, CuratedRows? data, CancellationToken cancellation)
    {
        StringBuilder csv = new("file,line,code,reason\n");
        foreach (ArtifactRef? part in files.Select(file => file.Rejects).Append(data?.Findings))
        {
            if (part is null) continue;
            string rows = Encoding.UTF8.GetString(await store.ReadAsync(part, cancellation));
            csv.Append(rows.AsSpan(rows.IndexOf('\n', StringComparison.Ordinal) + 1));
        }
        await store.PutAsync(At(run, "rejects.csv"), Encoding.UTF8.GetBytes(csv.ToString()), cancellation);

        Dictionary<string, (long Rows, long Refused)> byName = files.GroupBy(file => file.Name, StringComparer.Ordinal)
            .ToDictionary(group => group.Key, group => (group.Sum(file => file.Rows), group.Sum(file => file.Refused)), StringComparer.Ordinal);
        string[] warnings = [.. (await RequestAsync(run, cancellation)).Warnings, .. files.SelectMany(file => file.Warnings), .. data?.Warnings ?? []];
        await UpdateAsync(run, status => status with
        {
            Files = [.. status.Files.Select(file => byName.TryGetValue(file.Name, out (long Rows, long Refused) found)
                ? file with { State = found.Rows > 0 ? FileState.Ingested : FileState.Refused, Rows = found.Rows, Refused = found.Refused }
                : file)],
            Refused = files.Sum(file => file.Refused),
            Warnings = warnings,
        }, cancellation);
    }

    /// <summary>Ends a run that made a version.</summary>
    public async Task<RunStatus> SucceedAsync(string run, TrainingOutcome trained, CancellationToken cancellation)
    {
        IReadOnlyList<string> snapshot = (await RequestAsync(run, cancellation)).Warnings;
        await store.PutAsync(At(run, "report.json"), JsonSerializer.SerializeToUtf8Bytes(trained, ScionJson.Indented), cancellation);
        return await UpdateAsync(run, status => status with
        {
            State = RunState.Succeeded,
            Stage = null,
            SecondsLeft = null,
            Version = trained.Published.Version,
            Promoted = trained.Published.Promoted,
            Gate = trained.Published.Gate,
            Warnings = [.. snapshot, .. trained.Files.SelectMany(file => file.Warnings), .. trained.Data.Warnings, .. trained.Evaluated.Warnings],
        }, cancellation);
    }

    /// <summary>Ends a run that cannot succeed.</summary>
    public Task<RunStatus> FailAsync(string run, string code, string message, CancellationToken cancellation) => UpdateAsync(run, status =>
        status.IsFinished ? status : status with { State = RunState.Failed, SecondsLeft = null, Error = new RunError(code, message) }, cancellation);

    /// <summary>Ends a run that a person stopped. A finished run stays as it is.</summary>
    public Task<RunStatus> CancelAsync(string run, CancellationToken cancellation) => UpdateAsync(run, status =>
        status.IsFinished ? status : status with { State = RunState.Cancelled, SecondsLeft = null }, cancellation);

    /// <summary>Stops a queued or running run for now. The step under way is given up and done again after the run is resumed; finished steps are
    /// not. A run that has ended stays as it is.</summary>
    public Task<RunStatus> SuspendAsync(string run, CancellationToken cancellation) => UpdateAsync(run, status =>
        status.IsActive ? status with { State = RunState.Suspended, SecondsLeft = null } : status, cancellation);

    /// <summary>Queues a suspended run again. Any other stays as it is.</summary>
    public Task<RunStatus> ResumeAsync(string run, CancellationToken cancellation) => UpdateAsync(run, Resumed, cancellation);

    /// <summary>Opens a failed or cancelled run again, to be tried once more with what its finished steps kept; resumes a suspended one.</summary>
    public Task<RunStatus> ReopenAsync(string run, CancellationToken cancellation) => UpdateAsync(run, status =>
        status.State is RunState.Failed or RunState.Cancelled
            ? status with { State = RunState.Queued, Stage = null, Error = null, StartedAt = time.GetUtcNow() } : Resumed(status), cancellation);

    static RunStatus Resumed(RunStatus status) => status.State == RunState.Suspended ? status with { State = RunState.Queued, Stage = null, SecondsLeft = null } : status;

    static bool IsName(string run) => run.Length is > 17 and <= 80 && run.All(c => c is >= 'a' and <= 'z' or >= '0' and <= '9' or '-');

    static BlobPath At(string run, string file) => BlobPath.Of(Container, $"{run}/{file}");

    static ReadOnlyMemoryStream Json<T>(T value) => new(JsonSerializer.SerializeToUtf8Bytes(value, ScionJson.Indented));

    Task<BlobItem?> CreateJsonAsync<T>(BlobPath path, T value, CancellationToken cancellation) => store.CreateAsync(path, Json(value), cancellation);
}
