using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Scion.Datasets;
using Scion.Faults;
using Scion.Local.Commands;
using Scion.Local.Running;
using Scion.Registry;
using Scion.Serving;
using Scion.Storage;
using Scion.Vision;

namespace Scion.Local.Server;

/// <summary>What became of a file that was dropped to be scored: <c>predictions/{model}/{file}.json</c>, written last.</summary>
/// <param name="Input">ETag of the file that was read; another means that it changed and is scored again.</param>
/// <param name="Version">Version that judged; null when the file was refused.</param>
/// <param name="Rows">Rows or pictures scored.</param>
/// <param name="Abstained">Of them, those the model has no ground to judge.</param>
/// <param name="Refused">Rows and entries refused.</param>
/// <param name="Refusals">The first of them.</param>
/// <param name="Error">Why the whole file was refused; null when it was scored.</param>
sealed record PredictionRecord(
    string Input, string? Version, long Rows, long Abstained, long Refused, IReadOnlyList<RefusedRow> Refusals, Pipelines.RunError? Error);

/// <summary>Scores files dropped into <c>predict/{model}/</c>: rows go to <c>predictions/{model}/{file}.csv</c>, a record beside it.</summary>
/// <remarks>A file is scored once for each of its versions, by the model that serves then. It waits while no model of that name serves.</remarks>
sealed partial class PredictionWatcher(
    IBlobStore store, ModelRegistry registry, IPictureReader pictures, WatchOptions options, TimeProvider time, ILogger<PredictionWatcher> log) : BackgroundService
{
    const string Inbox = "predict", Outbox = "predictions";

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
        List<BlobItem> items = [];
        await foreach (BlobItem item in store.ListAsync(Inbox, "", cancellation)) items.Add(item);
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
        int slash = item.Name.IndexOf('/', StringComparison.Ordinal);
        if (item.NameRefused || slash < 0 || !ModelName.IsValid(item.Name[..slash]))
        {
            LogNotAModel(string.Concat(item.Name.Take(80).Select(c => char.IsControl(c) ? '?' : c)));
            return true;
        }
        string model = item.Name[..slash];
        BlobPath record = BlobPath.Of(Outbox, $"{item.Name}.json");
        if (await store.FindJsonAsync<PredictionRecord>(record, cancellation) is ({ } earlier, _) && earlier.Input == item.ETag) return true;

        PredictionRecord made;
        try
        {
            (Predictor predictor, string version) = await PredictCommand.LoadAsync(registry, pictures, model, null, cancellation);
            using (predictor)
            {
                if (predictor is ReviewPredictor && !ReviewFormats.IsReviewFile(item.Name)) throw LocalFaults.NothingToUpload(DataKind.Reviews, item.Name, 1);
                if (predictor is ImagePredictor && !(ImageFormats.IsPicture(item.Name) || ImageFormats.IsArchive(item.Name))) throw LocalFaults.NoPictures(item.Name);
                made = await ScoreAsync(item, predictor, version, cancellation);
            }
        }
        catch (InputRejectedException e) when (e.Code == "R002")
        {
            if (told.Add(item.Name)) LogWaits(item.Name, model);
            return false;
        }
        catch (InputRejectedException e) when (e.Code == "S002")
        {
            return false;
        }
        catch (InputRejectedException e)
        {
            made = new PredictionRecord(item.ETag, null, 0, 0, 0, [], new Pipelines.RunError(e.Code, $"{e.Fact} {e.Remedy}"));
            LogRefused(item.Name, e.Message);
        }
        await PutAsync(record, new ReadOnlyMemoryStream(JsonSerializer.SerializeToUtf8Bytes(made, ScionJson.Indented)), cancellation);
        return true;
    }

    async Task<PredictionRecord> ScoreAsync(BlobItem item, Predictor predictor, string version, CancellationToken cancellation)
    {
        string sha256;
        await using (BlobContent content = await store.OpenAsync(item.Path, item.ETag, cancellation) ?? throw StorageFaults.Changed(item.Path, item.ETag, "none"))
            sha256 = Convert.ToHexStringLower(await SHA256.HashDataAsync(content.Stream, cancellation));
        await using FileStream rows = new(Path.GetTempFileName(), FileMode.Open, FileAccess.ReadWrite, FileShare.None, 1 << 16, FileOptions.DeleteOnClose);
        BatchScored scored;
        await using (StreamWriter writer = new(rows, new UTF8Encoding(false), 1 << 16, leaveOpen: true))
        {
            StringBuilder line = new(BatchScoring.Header);
            PinnedFile file = new(item.Container, item.Name, item.ETag, item.Length, sha256);
            scored = predictor is ImagePredictor images
                ? await PictureScoring.RunAsync(store, [file], images, pictures, Scored, refusal =>
                {
                    PictureScoring.Append(line, refusal);
                    return WriteAsync();
                }, cancellation)
                : await BatchScoring.RunAsync(store, file, new ReviewSettings(), (ReviewPredictor)predictor, (row, prediction) => Scored(row.Text, prediction), progress: null, cancellation);
            await WriteAsync();

            Task Scored(string input, Prediction prediction)
            {
                BatchScoring.Append(line, input, prediction);
                return WriteAsync();
            }

            async Task WriteAsync()
            {
                foreach (ReadOnlyMemory<char> chunk in line.GetChunks()) await writer.WriteAsync(chunk, cancellation);
                line.Clear();
            }
        }
        rows.Position = 0;
        await PutAsync(BlobPath.Of(Outbox, $"{item.Name}.csv"), rows, cancellation);
        LogScored(item.Name, scored.Rows, scored.Refused, version);
        return new PredictionRecord(item.ETag, version, scored.Rows, scored.Abstained, scored.Refused, scored.Refusals, Error: null);
    }

    async Task PutAsync(BlobPath path, Stream content, CancellationToken cancellation)
    {
        while (true)
        {
            content.Position = 0;
            if (await store.CreateAsync(path, content, cancellation) is not null) return;
            content.Position = 0;
            if (await store.FindAsync(path, cancellation) is { } there && await store.ReplaceAsync(path, content, there.ETag, cancellation) is not null) return;
        }
    }

    [LoggerMessage(1, LogLevel.Information, "predict/{File}: {Rows} rows scored, {Refused} refused, by version {Version}")]
    partial void LogScored(string file, long rows, long refused, string version);

    [LoggerMessage(2, LogLevel.Warning, "predict/{File} waits: no model '{Model}' serves yet")]
    partial void LogWaits(string file, string model);

    [LoggerMessage(3, LogLevel.Warning, "predict/{File} is not scored: {Reason}")]
    partial void LogRefused(string file, string reason);

    [LoggerMessage(4, LogLevel.Warning, "predict/{File} is not scored: put it into predict/MODEL/")]
    partial void LogNotAModel(string file);

    [LoggerMessage(5, LogLevel.Warning, "Looking at predict/ failed and is repeated: {Reason}")]
    partial void LogTrouble(string reason);
}
