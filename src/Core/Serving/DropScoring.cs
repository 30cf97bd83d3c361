using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Scion.Datasets;
using Scion.Faults;
using Scion.Pipelines;
using Scion.Registry;
using Scion.Storage;
using Scion.Vision;

namespace Scion.Serving;

/// <summary>What became of a file that was dropped to be scored: <c>predictions/{model}/{file}.json</c>, written last.</summary>
/// <param name="Input">ETag of the file that was read; another means that it changed and is scored again.</param>
/// <param name="Version">Version that judged; null when the file was refused.</param>
/// <param name="Rows">Rows or pictures scored.</param>
/// <param name="Abstained">Of them, those the model has no ground to judge.</param>
/// <param name="Refused">Rows and entries refused.</param>
/// <param name="Refusals">The first of them.</param>
/// <param name="Error">Why the whole file was refused; null when it was scored.</param>
/// <param name="Output">SHA-256 of the <c>.csv</c> beside it; null when the file was refused.</param>
public sealed record PredictionRecord(
    string Input, string? Version, long Rows, long Abstained, long Refused, IReadOnlyList<RefusedRow> Refusals, RunError? Error, string? Output = null);

/// <summary>What a try to score a dropped file came to.</summary>
public enum DropOutcome
{
    /// <summary>Scored, its rows and its record written.</summary>
    Scored,

    /// <summary>Refused as a whole, and recorded so.</summary>
    Refused,

    /// <summary>It was scored or refused before, at this version.</summary>
    Known,

    /// <summary>No model of its name can judge now; try again when one serves.</summary>
    Waits,

    /// <summary>It changed or went meanwhile; its new version is another drop.</summary>
    Changed,

    /// <summary>It lies where no model's files do; nothing is written.</summary>
    Stray,
}

/// <param name="Outcome">What it came to.</param>
/// <param name="Record">As written, or as found; null when there is none.</param>
/// <param name="Reason">Why it waits, is refused or lies astray: code, fact and remedy; null otherwise.</param>
public sealed record DropScored(DropOutcome Outcome, PredictionRecord? Record = null, string? Reason = null);

/// <summary>Scores a file dropped into <c>predict/{model}/</c>: rows go to <c>predictions/{model}/{file}.csv</c>, a record beside it.</summary>
/// <remarks>Once for each version of the file, by the model that serves then. It may run twice, side by side, and be cut off anywhere: the record
/// comes last, of the version that is there, with the digest of its rows.</remarks>
/// <param name="store">Where the files lie.</param>
/// <param name="predictors">The models.</param>
/// <param name="pictures">Reads pictures.</param>
/// <param name="scratch">Makes an empty stream for the rows of one file, to be written and read; disposed with what it holds.</param>
public sealed class DropScoring(IBlobStore store, PredictorCache predictors, IPictureReader pictures, Func<Stream> scratch)
{
    /// <summary>Container of the files, and of their answers.</summary>
    public const string Inbox = "predict", Outbox = "predictions";

    /// <summary>The model whose files lie where this one does; null for a file that is none's, or that no answer can be put beside.</summary>
    public static string? ModelOf(string name) =>
        StrayUploads.FolderOf(name) is var model && ModelName.IsValid(model) && BlobPath.IsValid(Inbox, name) && BlobPath.IsValid(Outbox, $"{name}.json") ? model : null;

    /// <summary>The record of this version of a file, or null.</summary>
    /// <param name="item">A file of a model.</param>
    /// <param name="cancellation">Stops it.</param>
    public async Task<PredictionRecord?> FindAsync(BlobItem item, CancellationToken cancellation)
    {
        try
        {
            return await store.FindJsonAsync<PredictionRecord>(RecordOf(item), cancellation) is ({ } earlier, _) && earlier.Input == item.ETag ? earlier : null;
        }
        catch (InputRejectedException e) when (e.Code == "S005")
        {
            return null;                                                  // damaged: made anew
        }
    }

    /// <summary>Scores a file, unless that version of it has its record.</summary>
    /// <param name="item">As listed or found.</param>
    /// <param name="cancellation">Stops it.</param>
    public async Task<DropScored> ScoreAsync(BlobItem item, CancellationToken cancellation)
    {
        if (ModelOf(item.Name) is not { } model) return new DropScored(DropOutcome.Stray, Reason: ServingFaults.StrayDrop(item.Name).Message);
        if (await FindAsync(item, cancellation) is { } earlier) return new DropScored(DropOutcome.Known, earlier);

        PredictorLease lease;
        try
        {
            await predictors.RefreshAsync(model, cancellation);
            lease = await predictors.RentAsync(model, cancellation);
        }
        catch (InputRejectedException e)
        {
            return new DropScored(DropOutcome.Waits, Reason: e.Message);  // the model's fault, not the file's
        }
        using (lease)
        {
            try
            {
                DataKind kind = lease.Predictor is ImagePredictor ? DataKind.Images : DataKind.Reviews;
                if (!(kind == DataKind.Images ? ImageFormats.IsPicture(item.Name) || ImageFormats.IsArchive(item.Name) : ReviewFormats.IsReviewFile(item.Name)))
                    throw ServingFaults.DropOfOtherKind(item.Name, kind);
                return await ScoreAsync(item, lease.Predictor, lease.Version, cancellation);
            }
            catch (InputRejectedException e) when (e.Code is "S002" or "D014")
            {
                return new DropScored(DropOutcome.Changed);
            }
            catch (InputRejectedException e)
            {
                PredictionRecord refused = new(item.ETag, null, 0, 0, 0, [], new RunError(e.Code, $"{e.Fact} {e.Remedy}"));
                if (!await IsCurrentAsync(item, cancellation)) return new DropScored(DropOutcome.Changed);
                await store.DeleteAsync(RowsOf(item), etag: null, cancellation);                  // an earlier version's: they would pass for this one's
                await PutAsync(item, refused, cancellation);
                return new DropScored(DropOutcome.Refused, refused, e.Message);
            }
        }
    }

    async Task<DropScored> ScoreAsync(BlobItem item, Predictor predictor, string version, CancellationToken cancellation)
    {
        string sha256;
        await using (BlobContent content = await store.OpenAsync(item.Path, item.ETag, cancellation) ?? throw StorageFaults.Changed(item.Path, item.ETag, "none"))
            sha256 = Convert.ToHexStringLower(await SHA256.HashDataAsync(content.Stream, cancellation));
        await using Stream rows = scratch();
        BatchScored scored = await WriteAsync(new PinnedFile(item.Container, item.Name, item.ETag, item.Length, sha256), predictor, rows, cancellation);
        rows.Position = 0;
        string output = Convert.ToHexStringLower(await SHA256.HashDataAsync(rows, cancellation));
        PredictionRecord record = new(item.ETag, version, scored.Rows, scored.Abstained, scored.Refused, scored.Refusals, Error: null, output);
        while (true)
        {
            if (!await IsCurrentAsync(item, cancellation)) return new DropScored(DropOutcome.Changed);
            BlobItem written = await store.PutAsync(RowsOf(item), rows, cancellation);
            await PutAsync(item, record, cancellation);
            if (await IsOfAsync(written, output, cancellation)) return new DropScored(DropOutcome.Scored, record);
        }
    }

    async Task<BatchScored> WriteAsync(PinnedFile file, Predictor predictor, Stream rows, CancellationToken cancellation)
    {
        StringBuilder line = new(BatchScoring.Header);
        await using StreamWriter writer = new(rows, new UTF8Encoding(false), 1 << 16, leaveOpen: true);
        BatchScored scored = predictor is ImagePredictor images
            ? await PictureScoring.RunAsync(store, [file], images, pictures, Scored, refusal =>
            {
                PictureScoring.Append(line, refusal);
                return FlushAsync();
            }, cancellation)
            : await BatchScoring.RunAsync(
                store, file, new ReviewSettings(), (ReviewPredictor)predictor, (row, prediction) => Scored(row.Text, prediction), progress: null, cancellation);
        await FlushAsync();
        return scored;

        Task Scored(string input, Prediction prediction)
        {
            BatchScoring.Append(line, input, prediction);
            return FlushAsync();
        }

        async Task FlushAsync()
        {
            foreach (ReadOnlyMemory<char> chunk in line.GetChunks()) await writer.WriteAsync(chunk, cancellation);
            line.Clear();
        }
    }

    async Task<bool> IsCurrentAsync(BlobItem item, CancellationToken cancellation) => (await store.FindAsync(item.Path, cancellation))?.ETag == item.ETag;

    /// <summary>False when the rows beside the record are not those it tells of: one who scored an older version was slow.</summary>
    async Task<bool> IsOfAsync(BlobItem written, string output, CancellationToken cancellation)
    {
        if ((await store.FindAsync(written.Path, cancellation))?.ETag == written.ETag) return true;
        await using BlobContent? there = await store.OpenAsync(written.Path, etag: null, cancellation);
        return there is not null && Convert.ToHexStringLower(await SHA256.HashDataAsync(there.Stream, cancellation)) == output;
    }

    Task<BlobItem> PutAsync(BlobItem item, PredictionRecord record, CancellationToken cancellation) =>
        store.PutAsync(RecordOf(item), JsonSerializer.SerializeToUtf8Bytes(record, ScionJson.Indented), cancellation);

    static BlobPath RowsOf(BlobItem item) => BlobPath.Of(Outbox, $"{item.Name}.csv");

    static BlobPath RecordOf(BlobItem item) => BlobPath.Of(Outbox, $"{item.Name}.json");
}
