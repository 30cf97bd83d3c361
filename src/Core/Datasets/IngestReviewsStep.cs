using Scion.Faults;
using Scion.Pipelines;

namespace Scion.Datasets;

/// <summary>Reads one uploaded file into normalised shards, and lists what it refuses.</summary>
/// <remarks>Reads: the file, at its pinned bytes. Writes: shards, their indexes, the refusals. Randomness and clock: none. Memory: about 45 MiB at
/// most, whatever the file's size: two shards, a window of text, the list of refusals. A file that cannot be read at all is an answer without rows,
/// not a fault, so that it does not stop the other files.</remarks>
public sealed class IngestReviewsStep(StepMemo memo)
{
    const int Version = 2;

    /// <summary>What the answer depends on: of the settings only how files are read, so that other settings do not read them again.</summary>
    sealed record Key(string Name, long Length, string Sha256, ReviewColumns Columns, string? Delimiter, string? Encoding);

    /// <exception cref="InputRejectedException">The file was deleted or replaced by other bytes (D014).</exception>
    public Task<IngestedFile> RunAsync(IngestReviewsInput input, IProgress<StepProgress>? progress, CancellationToken cancellation)
    {
        (PinnedFile file, ReviewSettings settings) = (input.File, input.Settings);
        return memo.RunAsync(nameof(IngestReviewsStep), Version,
            new Key(file.Name, file.Length, file.Sha256, settings.Columns, settings.Delimiter, settings.Encoding), async writer =>
            {
                FileIngest ingest = new(file.Name, settings, writer);
                try
                {
                    await ReadAsync(file, ingest, progress, cancellation);
                    return await ingest.FinishAsync(cancellation);
                }
                catch (InputRejectedException e) when (FileIngest.IsAboutContent(e))
                {
                    return await RefusedAsync(new RowFault(e.Code, $"{e.Fact} {e.Remedy}"));
                }
                catch (InputRejectedException e) when (e.Code == "S002")
                {
                    throw DatasetFaults.Gone(file.Name);                // overwritten while it was read
                }
                catch (InvalidDataException e)
                {
                    InputRejectedException damaged = DatasetFaults.DamagedGzip(e.Message);
                    return await RefusedAsync(new RowFault(damaged.Code, $"{damaged.Fact} {damaged.Remedy}"));
                }

                async Task<IngestedFile> RefusedAsync(RowFault fault)
                {
                    FileIngest refused = new(file.Name, settings, writer);
                    refused.Refuse(null, fault.Code, fault.Reason);
                    return await refused.FinishAsync(cancellation);
                }
            }, cancellation);
    }

    async Task ReadAsync(PinnedFile file, FileIngest ingest, IProgress<StepProgress>? progress, CancellationToken cancellation)
    {
        if (ReviewFormats.Of(file.Name, out bool compressed) is not { } format)
            throw file.Name.EndsWith(".zip.gz", StringComparison.OrdinalIgnoreCase) ? DatasetFaults.Nested(file.Name) : DatasetFaults.UnknownType(file.Name);
        long told = -1;
        await using PinnedStream stream = await PinnedStream.OpenAsync(memo.Store, file, at =>
        {
            if (at >> 20 == told && at < file.Length) return;
            told = at >> 20;
            progress?.Report(new StepProgress(nameof(IReviewSteps.IngestReviews), Math.Min(at, file.Length), file.Length, "bytes"));
        }, cancellation);
        FolderLabel folder = FolderLabel.Of(file.Name[(file.Name.IndexOf('/', StringComparison.Ordinal) + 1)..]);
        if (format == ReviewFormat.Zip)
        {
            await ZipIngest.ReadAsync(stream, ingest, cancellation);
        }
        else if (compressed)
        {
            await using GzipReader expanded = new(stream);
            await using CheckedStream counted = new(expanded, () => expanded.Consumed, before: 0);
            await ingest.ReadAsync(null, format, counted, folder, cancellation);
        }
        else
        {
            await ingest.ReadAsync(null, format, stream, folder, cancellation);
        }
    }
}
