using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Scion.Pipelines;
using Scion.Storage;

namespace Scion.Datasets;

/// <summary>Gathers rows into shards and stores each while the next is gathered. Memory: two shards and their indexes at most.</summary>
sealed class ShardWriter(StepWriter writer, IReadOnlyList<string> labels)
{
    /// <summary>Most bytes of a row: a text at its longest, a label, the fixed fields.</summary>
    const int MaxRowBytes = CsvTokenizer.MaxField + 4 * ReviewLimits.LabelLength + 32;

    readonly List<ShardRef> shards = [];
    Gathered rows = new();
    Gathered spare = new();
    Task<ShardRef>? storing;

    /// <summary>True when the next row might not fit: cut then.</summary>
    public bool Full => rows.Length > ReviewShard.MaxBytes - MaxRowBytes;

    /// <summary>Shards that were cut.</summary>
    public int Cut => shards.Count + (storing is null ? 0 : 1);

    /// <summary>Adds a row in the form of <see cref="ReviewShard"/>.</summary>
    /// <param name="text">Normalised UTF-8, 1 to <see cref="CsvTokenizer.MaxField"/> bytes.</param>
    /// <param name="hash">Its <see cref="ContentHash"/>.</param>
    /// <param name="labelId">Index into the labels; −1 when unlabelled.</param>
    /// <param name="label">The label's UTF-8.</param>
    /// <param name="split">The file's own split.</param>
    /// <param name="part">Index of the part.</param>
    /// <param name="line">First line.</param>
    public void Add(ReadOnlySpan<byte> text, (ulong High, ulong Low) hash, int labelId, ReadOnlySpan<byte> label, GivenSplit split, int part, long line)
    {
        Span<byte> target = rows.Grow(4 + text.Length + 2 + label.Length + 13);
        BinaryPrimitives.WriteInt32LittleEndian(target, text.Length);
        text.CopyTo(target[4..]);
        target = target[(4 + text.Length)..];
        BinaryPrimitives.WriteInt16LittleEndian(target, labelId < 0 ? (short)-1 : (short)label.Length);
        label.CopyTo(target[2..]);
        target = target[(2 + label.Length)..];
        target[0] = (byte)split;
        BinaryPrimitives.WriteInt32LittleEndian(target[1..], part);
        BinaryPrimitives.WriteInt64LittleEndian(target[5..], line);
        rows.Index.Add(new IndexedRow(hash.High, hash.Low, line, part, rows.LocalLabel(labelId), split));
    }

    /// <summary>Ends the shard, if it has rows, and begins to store it; waits for the one before.</summary>
    public async Task CutAsync(CancellationToken cancellation)
    {
        if (storing is not null) shards.Add(await storing);
        storing = null;
        if (rows.Index.Count == 0) return;
        Gathered full = rows;
        (rows, spare) = (spare, rows);
        rows.Clear();
        storing = Task.Run(() => StoreAsync(full, cancellation), cancellation);
    }

    /// <summary>Takes rows back: those of the shard at hand and of all shards cut after the first <paramref name="kept"/>.</summary>
    public async Task DropAsync(int kept, CancellationToken cancellation)
    {
        rows.Clear();
        await CutAsync(cancellation);
        shards.RemoveRange(kept, shards.Count - kept);
    }

    /// <summary>Stores what is left.</summary>
    public async Task<IReadOnlyList<ShardRef>> FinishAsync(CancellationToken cancellation)
    {
        await CutAsync(cancellation);
        await CutAsync(cancellation);
        return shards;
    }

    async Task<ShardRef> StoreAsync(Gathered full, CancellationToken cancellation)
    {
        ArtifactRef stored = await writer.AddAsync("rows.bin", full.Bytes, cancellation);
        ReadOnlyMemory<byte> index = RowIndex.Write([.. full.Labels.Select(id => labels[id])], CollectionsMarshal.AsSpan(full.Index), ref full.IndexBytes);
        return new ShardRef(stored, await writer.AddAsync("index.bin", index, cancellation), full.Index.Count);
    }

    sealed class Gathered
    {
        readonly Dictionary<int, short> local = [];
        byte[] bytes = new byte[1 << 16];

        /// <summary>Kept from one shard to the next.</summary>
        public byte[] IndexBytes = [];

        public int Length { get; private set; }

        public ReadOnlyMemory<byte> Bytes => bytes.AsMemory(0, Length);

        public List<IndexedRow> Index { get; } = [];

        public List<int> Labels { get; } = [];

        public Span<byte> Grow(int count)
        {
            if (bytes.Length - Length < count) Array.Resize(ref bytes, Math.Min(ReviewShard.MaxBytes, Math.Max(bytes.Length * 2, Length + count)));
            Length += count;
            return bytes.AsSpan(Length - count, count);
        }

        public short LocalLabel(int label)
        {
            if (label < 0) return -1;
            if (local.TryGetValue(label, out short id)) return id;
            Labels.Add(label);
            return local[label] = (short)(Labels.Count - 1);
        }

        public void Clear()
        {
            Length = 0;
            Index.Clear();
            Labels.Clear();
            local.Clear();
        }
    }
}
