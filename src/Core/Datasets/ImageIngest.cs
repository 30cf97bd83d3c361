using System.Security.Cryptography;
using Scion.Faults;
using Scion.Pipelines;
using Scion.Storage;
using Scion.Vision;

namespace Scion.Datasets;

/// <summary>The ingestion of one batch, picture by picture: those that can be read to shards, the others to the list of refusals.</summary>
/// <remarks>Pictures are read side by side and taken up in the order they were added. Threads: one adds.</remarks>
/// <param name="batch">What is ingested.</param>
/// <param name="writer">Where shards go.</param>
/// <param name="pictures">Reads each picture whole.</param>
sealed class ImageIngest(ImageBatch batch, StepWriter writer, IPictureReader pictures) : IAsyncDisposable
{
    /// <summary>Most bytes of pictures that are being read at once.</summary>
    const long MaxWaiting = 64L << 20;

    /// <summary>Pictures whose warnings of one code are told one by one.</summary>
    const int WarningsNamed = 3;

    static readonly int AtOnce = 2 * Environment.ProcessorCount;

    sealed record Reading(string Name, ReadOnlyMemory<byte> Bytes, FolderLabel Said, Task<(PictureFacts? Facts, IndexedPicture? Picture, RowFault? Fault)> Done);

    readonly Queue<Reading> waiting = new();
    readonly RejectLog rejects = new();
    readonly List<string> warnings = [];
    readonly SortedDictionary<string, (List<string> First, int More)> ofPictures = new(StringComparer.Ordinal);
    readonly List<string> labels = [];
    readonly List<long> labelCounts = [];
    readonly Dictionary<string, int> labelIds = new(StringComparer.Ordinal);
    readonly List<ShardRef> shards = [];
    readonly MemoryStream shard = new();
    readonly List<IndexedRow> rows = [];
    readonly List<IndexedPicture> indexed = [];
    readonly List<string> shardLabels = [];
    byte[] indexBytes = [];
    long waitingBytes, accepted, unlabelled;

    public void Warn(string warning) => warnings.Add(warning);

    /// <summary>Refuses a picture, an entry, a line or the whole batch.</summary>
    /// <param name="place">As people read it, with the model's folder.</param>
    /// <param name="line">From 1; 0 when it is the whole file.</param>
    /// <param name="fault">Why.</param>
    public void Refuse(string place, long line, RowFault fault) => rejects.Add(place, line, fault.Code, fault.Reason);

    /// <summary>Takes up a picture; waits while too many are being read.</summary>
    /// <param name="name">Name below the model's folder.</param>
    /// <param name="bytes">Its file; not changed by anyone afterwards.</param>
    /// <param name="said">Its label and split.</param>
    /// <param name="cancellation">Stops the reading.</param>
    public async Task AddAsync(string name, ReadOnlyMemory<byte> bytes, FolderLabel said, CancellationToken cancellation)
    {
        while (waiting.Count > 0 && (waiting.Count >= AtOnce || waitingBytes + bytes.Length > MaxWaiting)) await TakeAsync(cancellation);
        waiting.Enqueue(new Reading(name, bytes, said, Task.Run(() => ReadAsync(name, bytes, cancellation), cancellation)));
        waitingBytes += bytes.Length;
    }

    /// <summary>Waits until nothing is being read any more, whatever became of it.</summary>
    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(waiting.Select(reading => reading.Done)).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        await shard.DisposeAsync();
    }

    public async Task<IngestedFile> FinishAsync(CancellationToken cancellation)
    {
        while (waiting.Count > 0) await TakeAsync(cancellation);
        await CutAsync(cancellation);
        foreach ((List<string> first, int more) in ofPictures.Values)
        {
            warnings.AddRange(first);
            if (more > 0) warnings.Add(DatasetFaults.Invariant($"{first[0][..4]}: It is so of {more} further pictures of {batch.Name}."));
        }
        return new IngestedFile(batch.Name, [], accepted, unlabelled, rejects.Count,
            [.. labels.Select((label, id) => new LabelCount(label, labelCounts[id])).OrderBy(label => label.Label, StringComparer.Ordinal)],
            shards, await rejects.StoreAsync(writer, "rejects.csv", batch.Name, cancellation), warnings)
        {
            FirstRefusal = rejects.First,
        };
    }

    async Task<(PictureFacts? Facts, IndexedPicture? Picture, RowFault? Fault)> ReadAsync(string name, ReadOnlyMemory<byte> bytes, CancellationToken cancellation)
    {
        byte[] pixels = new byte[PictureFingerprint.Fit.Bytes];
        try
        {
            PictureFacts facts = await pictures.ReadAsync(bytes, PictureFingerprint.Fit, pixels, cancellation);
            return (facts, new IndexedPicture(name, SHA256.HashData(bytes.Span), PictureFingerprint.Of(pixels)), null);
        }
        catch (InputRejectedException e)
        {
            return (null, null, new RowFault(e.Code, $"{e.Fact} {e.Remedy}"));
        }
    }

    async Task TakeAsync(CancellationToken cancellation)
    {
        Reading reading = waiting.Peek();
        (PictureFacts? facts, IndexedPicture? picture, RowFault? fault) = await reading.Done;
        waiting.Dequeue();
        waitingBytes -= reading.Bytes.Length;
        if (facts is null)
        {
            Refuse(PlaceOf(reading.Name), 0, fault!.Value);
            return;
        }
        foreach (string warning in facts.Warnings) Warn(reading.Name, warning);
        if (rows.Count == ImageBatch.MaxPictures || (rows.Count > 0 && shard.Length + ImageShard.LengthOf(reading.Name, reading.Bytes.Length) > ImageShard.MaxBytes))
            await CutAsync(cancellation);
        ImageShard.Append(shard, new ImageRow(reading.Name, reading.Bytes));
        (ulong high, ulong low) = ContentHash.Of(picture!.Sha256);
        rows.Add(new IndexedRow(high, low, 0, 0, LocalLabel(reading.Said.Label), reading.Said.Split));
        indexed.Add(picture);
        accepted++;
        if (reading.Said.Label is null) unlabelled++;
    }

    /// <exception cref="InputRejectedException">There are too many different labels (D010).</exception>
    short LocalLabel(string? label)
    {
        if (label is null) return -1;
        if (!labelIds.TryGetValue(label, out int id))
        {
            if (labels.Count == ReviewLimits.LabelsOfFile) throw DatasetFaults.TooManyLabels();
            id = labelIds[label] = labels.Count;
            labels.Add(label);
            labelCounts.Add(0);
        }
        labelCounts[id]++;
        int local = shardLabels.IndexOf(label);
        if (local < 0) shardLabels.Add(label);
        return (short)(local < 0 ? shardLabels.Count - 1 : local);
    }

    async Task CutAsync(CancellationToken cancellation)
    {
        if (rows.Count == 0) return;
        ArtifactRef stored = await writer.AddAsync("pictures.bin", shard.GetBuffer().AsMemory(0, (int)shard.Length), cancellation);
        ArtifactRef index = await writer.AddAsync("index.bin", RowIndex.Write(shardLabels, System.Runtime.InteropServices.CollectionsMarshal.AsSpan(rows), ref indexBytes), cancellation);
        ArtifactRef names = await writer.AddAsync("names.bin", PictureIndex.ToBytes(indexed), cancellation);
        shards.Add(new ShardRef(stored, index, rows.Count) { Pictures = names });
        shard.SetLength(0);
        rows.Clear();
        indexed.Clear();
        shardLabels.Clear();
    }

    void Warn(string name, string warning)
    {
        string code = warning[..4];
        (List<string> first, int more) = ofPictures.TryGetValue(code, out (List<string> First, int More) before) ? before : ([], 0);
        if (first.Count < WarningsNamed) first.Add($"{code}: {DatasetFaults.Printable(PlaceOf(name))}:{warning[5..]}");
        else more++;
        ofPictures[code] = (first, more);
    }

    string PlaceOf(string name) => $"{StrayUploads.FolderOf(batch.Name)}/{DatasetFaults.Printable(name)}";
}
