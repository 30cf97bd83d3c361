using Scion.Faults;
using Scion.Pipelines;
using Scion.Storage;
using Scion.Vision;

namespace Scion.Datasets;

/// <summary>Reads an archive or a batch of loose pictures into shards, and lists what it refuses.</summary>
/// <remarks>Reads: the files, at their pinned bytes. Writes: shards of pictures as they were uploaded, their indexes, the refusals. Randomness and clock:
/// none. Memory: about 200 MiB at most, whatever the size of the archive: a shard, pictures that are being read, names. Every picture is read whole, so
/// that none is refused later. A batch that cannot be read at all is an answer without pictures, not a fault, so that it does not stop the others.
/// Labels: of the nearest folder, or of the nearest <c>labels.csv</c>. Of an archive whose files all lie in one folder, that folder is no label when
/// it has folders or a <c>labels.csv</c> in it.</remarks>
public sealed class IngestImagesStep(StepMemo memo, IPictureReader pictures)
{
    const int Version = 1;

    sealed record Key(string Name, IReadOnlyList<KeyedFile> Files, KeyedFile? Labels, string? From, string? Until, int Fit);

    sealed record KeyedFile(string Name, long Length, string Sha256);

    /// <exception cref="InputRejectedException">A file was deleted or replaced by other bytes (D014).</exception>
    public Task<IngestedFile> RunAsync(IngestImagesInput input, IProgress<StepProgress>? progress, CancellationToken cancellation)
    {
        ImageBatch batch = input.Batch;
        Key key = new(batch.Name, [.. batch.Files.Select(Keyed)], batch.Labels is null ? null : Keyed(batch.Labels), batch.From, batch.Until, PictureFit.CurrentVersion);
        return memo.RunAsync(nameof(IngestImagesStep), Version, key, async writer =>
        {
            await using ImageIngest ingest = new(batch, writer, pictures);
            try
            {
                if (batch.Files is [var only] && ImageFormats.IsArchive(only.Name)) await ReadZipAsync(only, ingest, progress, cancellation);
                else await ReadLooseAsync(batch, ingest, progress, cancellation);
                return await ingest.FinishAsync(cancellation);
            }
            catch (InputRejectedException e) when (FileIngest.IsAboutContent(e))
            {
                await using ImageIngest refused = new(batch, writer, pictures);
                refused.Refuse(batch.Name, 0, FaultOf(e));
                return await refused.FinishAsync(cancellation);
            }
            catch (InputRejectedException e) when (e.Code == "S002")
            {
                throw DatasetFaults.Gone(batch.Name);                    // overwritten while it was read
            }
        }, cancellation);
    }

    async Task ReadLooseAsync(ImageBatch batch, ImageIngest ingest, IProgress<StepProgress>? progress, CancellationToken cancellation)
    {
        PictureLabels? labels = null;
        if (batch.Labels is { } table)
        {
            HashSet<string> named = [.. batch.Files.Where(file => ImageFormats.IsPicture(file.Name)).Select(file => file.Name[batch.Name.Length..])];
            bool whole = batch.From is null && batch.Until is null;
            labels = await TableAsync(ingest, table.Name, table.Length, () => WholeAsync(table, cancellation), named, whole, name =>
                (batch.From is null || string.CompareOrdinal(batch.Name + name, batch.From) >= 0) && (batch.Until is null || string.CompareOrdinal(batch.Name + name, batch.Until) < 0));
            WarnOfUnnamed(ingest, labels, table.Name, named);
        }
        string model = StrayUploads.FolderOf(batch.Name) + "/";
        for (int i = 0; i < batch.Files.Count; i++)
        {
            PinnedFile file = batch.Files[i];
            progress?.Report(new StepProgress(nameof(IImageSteps.IngestImages), i, batch.Files.Count, "pictures"));
            string name = file.Name[model.Length..];
            if (Refusal(name, file.Length) is { } fault) ingest.Refuse(file.Name, 0, fault);
            else
            {
                FolderLabel said = labels?.Of(file.Name[batch.Name.Length..]) ?? FolderLabel.Of(name);
                if (said.Label is { Length: > ReviewLimits.LabelLength } label) ingest.Refuse(file.Name, 0, DatasetFaults.LabelTooLong(label.Length));
                else await ingest.AddAsync(name, await WholeAsync(file, cancellation), said, cancellation);
            }
        }
    }

    async Task ReadZipAsync(PinnedFile file, ImageIngest ingest, IProgress<StepProgress>? progress, CancellationToken cancellation)
    {
        await using PinnedStream stream = await PinnedStream.OpenAsync(memo.Store, file, _ => { }, cancellation);
        ZipContents zip = await ZipContents.OpenAsync(stream, cancellation);
        if (zip.Entries.Count == 0) throw DatasetFaults.NoPictures();
        string wrapper = WrapperOf(zip.Entries), inZip = file.Name[(file.Name.IndexOf('/', StringComparison.Ordinal) + 1)..];
        Dictionary<string, PictureLabels> tables = await TablesAsync(zip, file, ingest, cancellation);
        HashSet<string> labels = new(StringComparer.Ordinal);
        bool unfoldered = false;
        for (int i = 0; i < zip.Entries.Count; i++)
        {
            ZipEntry entry = zip.Entries[i];
            cancellation.ThrowIfCancellationRequested();
            progress?.Report(new StepProgress(nameof(IImageSteps.IngestImages), i, zip.Entries.Count, "pictures"));
            if (ImageFormats.IsLabels(entry.Name)) continue;
            string place = PlaceOf(file, entry.Name);
            if ((ZipContents.Refusal(entry) ?? Refusal(entry.Name, entry.Length)) is { } refused)
            {
                ingest.Refuse(place, 0, refused);
                continue;
            }
            FolderLabel said = Nearest(tables, entry.Name) is (string folder, { } table) ? table.Of(entry.Name[folder.Length..]) : FolderLabel.Of(entry.Name[wrapper.Length..]);
            if (said.Label is { Length: > ReviewLimits.LabelLength } label)
            {
                ingest.Refuse(place, 0, DatasetFaults.LabelTooLong(label.Length));
                continue;
            }
            (ReadOnlyMemory<byte> bytes, RowFault? damaged) = await zip.ReadAsync(entry, cancellation);
            if (damaged is { } fault)
            {
                ingest.Refuse(place, 0, fault);
                continue;
            }
            if (said.Label is null || tables.Count > 0) unfoldered = true;
            else labels.Add(said.Label);
            await ingest.AddAsync($"{inZip}/{entry.Name}", bytes, said, cancellation);
        }
        if (zip.Twins > 0) ingest.Warn(DatasetFaults.Twins(file.Name, zip.Twins));
        if (labels.Count == 1 && !unfoldered) ingest.Warn(DatasetFaults.OnePictureFolder(file.Name, labels.Single()));
    }

    /// <summary>Reads every <c>labels.csv</c> of an archive, by its folder.</summary>
    static async Task<Dictionary<string, PictureLabels>> TablesAsync(ZipContents zip, PinnedFile file, ImageIngest ingest, CancellationToken cancellation)
    {
        Dictionary<string, ZipEntry> entries = [];
        foreach (ZipEntry entry in zip.Entries)
            if (ImageFormats.IsLabels(entry.Name)) entries.TryAdd(entry.Name[..(entry.Name.LastIndexOf('/') + 1)], entry);
        Dictionary<string, PictureLabels> tables = new(StringComparer.Ordinal);
        foreach ((string folder, ZipEntry entry) in entries)
        {
            string place = PlaceOf(file, entry.Name);
            if (ZipContents.Refusal(entry) is { } refused)
            {
                ingest.Refuse(place, 0, refused);
                continue;
            }
            HashSet<string> named = [.. zip.Entries.Where(other => ImageFormats.IsPicture(other.Name) && Nearest(entries, other.Name)?.Value == entry)
                .Select(other => other.Name[folder.Length..])];
            if (await TableAsync(ingest, place, entry.Length, async () =>
            {
                (ReadOnlyMemory<byte> bytes, RowFault? damaged) = await zip.ReadAsync(entry, cancellation);
                return damaged is { } fault ? throw new InputRejectedException(fault.Code, fault.Reason, "") : bytes;
            }, named, bareNames: true, _ => true) is not { } table) continue;
            WarnOfUnnamed(ingest, table, place, named);
            tables[folder] = table;
        }
        return tables;
    }

    /// <returns>Null when the table was refused.</returns>
    static async Task<PictureLabels?> TableAsync(
        ImageIngest ingest, string place, long length, Func<Task<ReadOnlyMemory<byte>>> read, IReadOnlyCollection<string> pictures, bool bareNames, Func<string, bool> answersFor)
    {
        try
        {
            if (length > PictureLabels.MaxBytes) throw DatasetFaults.LabelsTooLarge(length);
            PictureLabels labels = PictureLabels.Read(await read(), pictures, answersFor, bareNames);
            foreach ((long line, RowFault fault) in labels.Refused) ingest.Refuse(place, line, fault);
            return labels;
        }
        catch (InputRejectedException e) when (FileIngest.IsAboutContent(e))
        {
            ingest.Refuse(place, 0, FaultOf(e));
            return null;
        }
    }

    static void WarnOfUnnamed(ImageIngest ingest, PictureLabels? labels, string table, IReadOnlyCollection<string> pictures)
    {
        if (labels is not null && pictures.Where(name => !labels.Names(name)).Order(StringComparer.Ordinal).ToArray() is { Length: > 0 } unnamed)
            ingest.Warn(DatasetFaults.NotInLabels(table, unnamed.Length, unnamed[0]));
    }

    async Task<ReadOnlyMemory<byte>> WholeAsync(PinnedFile file, CancellationToken cancellation)
    {
        await using PinnedStream stream = await PinnedStream.OpenAsync(memo.Store, file, _ => { }, cancellation);
        byte[] bytes = new byte[file.Length];
        await stream.ReadExactlyAsync(bytes, cancellation);
        return bytes;
    }

    /// <summary>Why a file is not read at all, told by its name and length.</summary>
    static RowFault? Refusal(string name, long length) =>
        ZipContents.IsArchive(name) ? FaultOf(DatasetFaults.Nested(name))
        : !ImageFormats.IsPicture(name) ? FaultOf(DatasetFaults.NotAPicture(name))
        : length > PictureDecoder.MaxBytes ? FaultOf(PictureFaults.TooManyBytes(length)) : null;

    /// <summary>The folder that holds everything in an archive, with a slash, when it is no label: there are folders or labels.csv in it.</summary>
    static string WrapperOf(IReadOnlyList<ZipEntry> entries)
    {
        string wrapper = "";
        while (true)
        {
            int slash = entries[0].Name.IndexOf('/', wrapper.Length);
            if (slash < 0) return wrapper;
            string inner = entries[0].Name[..(slash + 1)];
            if (!entries.All(entry => entry.Name.StartsWith(inner, StringComparison.Ordinal))
                || !entries.Any(entry => entry.Name.AsSpan(inner.Length).Contains('/') || ImageFormats.IsLabels(entry.Name))) return wrapper;
            if (FolderLabel.TryParse(inner[wrapper.Length..^1], out _)) return wrapper;
            wrapper = inner;
        }
    }

    /// <summary>What stands for the nearest folder at or above an entry's own.</summary>
    static (string Folder, T Value)? Nearest<T>(Dictionary<string, T> byFolder, string name)
    {
        if (byFolder.Count == 0) return null;
        for (int end = name.LastIndexOf('/') + 1; ; end = end < 2 ? 0 : name.LastIndexOf('/', end - 2) + 1)
        {
            if (byFolder.TryGetValue(name[..end], out T? value)) return (name[..end], value);
            if (end == 0) return null;
        }
    }

    static string PlaceOf(PinnedFile file, string entry) => $"{file.Name}/{DatasetFaults.Printable(entry)}";

    static KeyedFile Keyed(PinnedFile file) => new(file.Name, file.Length, file.Sha256);

    static RowFault FaultOf(InputRejectedException e) => new(e.Code, $"{e.Fact} {e.Remedy}".TrimEnd());
}
