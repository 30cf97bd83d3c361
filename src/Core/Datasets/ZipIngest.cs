namespace Scion.Datasets;

/// <summary>Reads the reviews in a zip, entry by entry.</summary>
/// <remarks>Memory: the directory and one entry of at most <see cref="Buffered"/> bytes; larger entries go to shards of their own, which are dropped
/// when the CRC at the end does not fit.</remarks>
static class ZipIngest
{
    /// <summary>Entries up to this size are checked before their first row is read.</summary>
    const int Buffered = 8 << 20;

    /// <exception cref="Faults.InputRejectedException">The zip is damaged (D011), exceeds a limit (D008, D012), or its entries overlap (D013).</exception>
    public static async Task ReadAsync(PinnedStream stream, FileIngest ingest, CancellationToken cancellation)
    {
        ZipContents zip = await ZipContents.OpenAsync(stream, cancellation);
        if (zip.IsEmpty) throw DatasetFaults.Empty();
        HashSet<string> labels = new(StringComparer.Ordinal);
        bool unfoldered = false;
        foreach (ZipEntry entry in zip.Entries)
        {
            cancellation.ThrowIfCancellationRequested();
            if (Refusal(entry) is { } refused)
            {
                ingest.Refuse(entry.Name, refused.Code, refused.Reason);
                continue;
            }
            ReviewFormat format = ReviewFormats.Of(entry.Name, out _)!.Value;
            FolderLabel folder = FolderLabel.Of(entry.Name);
            if (format == ReviewFormat.Txt && folder.Label is not null) labels.Add(folder.Label);
            else unfoldered = true;
            if (await EntryAsync(zip, ingest, entry, format, folder, cancellation) is { } fault) ingest.Refuse(entry.Name, fault.Code, fault.Reason);
        }
        if (zip.Twins > 0) ingest.Warn(DatasetFaults.Twins(ingest.Name, zip.Twins));
        if (zip.SystemEntries > 0) ingest.Warn(DatasetFaults.SystemEntries(ingest.Name, zip.SystemEntries));
        if (labels.Count == 1 && !unfoldered) ingest.Warn(DatasetFaults.OneFolder(ingest.Name, labels.Single()));
    }

    /// <returns>Why the entry is refused, where that is not said yet.</returns>
    static async Task<RowFault?> EntryAsync(
        ZipContents zip, FileIngest ingest, ZipEntry entry, ReviewFormat format, FolderLabel folder, CancellationToken cancellation)
    {
        if (entry.Length > Buffered)
        {
            (CheckedStream? content, RowFault? none) = await zip.OpenAsync(entry, cancellation);
            if (content is null) return none;
            await using CheckedStream read = content;
            await ingest.ReadCheckedAsync(entry.Name, format, read, folder, () => ZipContents.Check(entry, read), cancellation);
            return null;
        }
        (ReadOnlyMemory<byte> bytes, RowFault? fault) = await zip.ReadAsync(entry, cancellation);
        if (fault is not null) return fault;
        try
        {
            await ingest.ReadAsync(entry.Name, format, new Storage.ReadOnlyMemoryStream(bytes), folder, cancellation);
            return null;
        }
        catch (Faults.InputRejectedException e) when (FileIngest.IsAboutContent(e))
        {
            return new RowFault(e.Code, $"{e.Fact} {e.Remedy}");
        }
    }

    static RowFault? Refusal(ZipEntry entry)
    {
        if (ZipContents.Refusal(entry) is { } unreadable) return unreadable;
        ReviewFormat? format = ReviewFormats.Of(entry.Name, out bool compressed);
        Faults.InputRejectedException? fault = format == ReviewFormat.Zip || compressed || ZipContents.IsArchive(entry.Name) ? DatasetFaults.Nested(entry.Name)
            : format is null ? DatasetFaults.UnknownType(entry.Name) : null;
        return fault is null ? null : new RowFault(fault.Code, $"{fault.Fact} {fault.Remedy}");
    }
}
