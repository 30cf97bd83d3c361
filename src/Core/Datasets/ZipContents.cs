using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using Scion.Text;

namespace Scion.Datasets;

/// <summary>A file in a zip.</summary>
/// <param name="Name">As written, parted by '/'.</param>
/// <param name="Length">Bytes it claims to hold.</param>
/// <param name="Header">What the directory says of it.</param>
/// <param name="Limit">Byte of the zip at which the next entry, or the directory, begins.</param>
sealed record ZipEntry(string Name, long Length, ZipHeader Header, long Limit);

/// <summary>An entry's record in a zip's directory.</summary>
readonly record struct ZipHeader(long Offset, long Compressed, long Length, uint Crc, int Flags, int Method, uint Attributes, int NameAt, int NameLength);

/// <summary>The entries of a zip, each read in a bounded stream; nothing is extracted to a path.</summary>
/// <remarks>System.IO.Compression.ZipArchive is not used for it: it checks no CRC, believes lying lengths and lists overlapping entries
/// (measured, .NET 10). The container format is read here, with every number checked; the deflate stream is read by DeflateStream. Source: PKWARE
/// APPNOTE 6.3.10. Memory: the directory (at most <see cref="MaxDirectory"/>) and the names in it.</remarks>
sealed class ZipContents
{
    public const int MaxEntries = 250_000;

    /// <summary>Most bytes of the directory.</summary>
    public const int MaxDirectory = 32 << 20;

    const int EndLength = 22, CentralLength = 46, LocalLength = 30, MaxComment = 65_535;

    readonly PinnedStream zip;
    readonly byte[] directory;
    Func<long> last = () => 0;          // bytes that came out of the entry opened last
    long expanded;                      // and out of those before it

    ZipContents(PinnedStream zip, byte[] directory) => (this.zip, this.directory) = (zip, directory);

    /// <summary>Files, by place in the zip: no folders, and nothing of an operating system's own.</summary>
    public IReadOnlyList<ZipEntry> Entries { get; private init; } = [];

    /// <summary>Entries of an operating system's own, left out.</summary>
    public int SystemEntries { get; private init; }

    /// <summary>Entries with the name of another but for case or Unicode form.</summary>
    public int Twins { get; private init; }

    /// <summary>True when the zip has no entry at all, not even a folder.</summary>
    public bool IsEmpty { get; private init; }

    /// <exception cref="Faults.InputRejectedException">The zip is damaged (D011), exceeds a limit (D012), or its entries overlap (D013).</exception>
    public static async Task<ZipContents> OpenAsync(PinnedStream zip, CancellationToken cancellation)
    {
        (byte[] directory, List<ZipHeader> headers, long directoryAt) = await DirectoryAsync(zip, cancellation);
        if (headers.Sum(header => header.Compressed) is var sum && sum > zip.Length)
            throw DatasetFaults.ZipOverlap(DatasetFaults.Invariant($"they claim {sum} compressed bytes and the file has {zip.Length}."));
        headers.Sort((a, b) => a.Offset.CompareTo(b.Offset));
        int system = 0, twins = 0;
        HashSet<string> seen = new(StringComparer.Ordinal);
        List<ZipEntry> entries = new(headers.Count);
        for (int i = 0; i < headers.Count; i++)
        {
            ZipHeader header = headers[i];
            string name = NameOf(directory.AsSpan(header.NameAt, header.NameLength), header.Flags);
            ZipEntry entry = new(name, header.Length, header, i + 1 < headers.Count ? headers[i + 1].Offset : directoryAt);
            if (header.Offset + LocalLength + header.NameLength + header.Compressed > entry.Limit) throw Overlap(entry);
            if (name.EndsWith('/') && header.Length == 0) continue;
            if (ImageFormats.IsSystem(name))
            {
                system++;
                continue;
            }
            if (!seen.Add(Tokenizer.Composed(name).ToUpperInvariant())) twins++;
            entries.Add(entry);
        }
        return new ZipContents(zip, directory) { Entries = entries, SystemEntries = system, Twins = twins, IsEmpty = headers.Count == 0 };
    }

    /// <summary>Why an entry cannot be read, whatever it holds; null when it can.</summary>
    public static RowFault? Refusal(ZipEntry entry)
    {
        if ((entry.Header.Flags & 0x2041) != 0) return DatasetFaults.Encrypted();
        uint kind = (entry.Header.Attributes >> 16) & 0xF000;
        if (kind is not (0 or 0x8000 or 0x4000) || entry.Name.EndsWith('/')) return DatasetFaults.NotRegular();
        return entry.Header.Method is 0 or 8 ? null : DatasetFaults.Method(entry.Header.Method);
    }

    /// <summary>Goes to an entry's bytes. They must be read before another entry is opened, and be checked with <see cref="Check"/> at their end.</summary>
    /// <returns>The bytes, or why there are none.</returns>
    /// <exception cref="Faults.InputRejectedException">It reaches into another entry (D013).</exception>
    public async Task<(CheckedStream? Content, RowFault? Fault)> OpenAsync(ZipEntry entry, CancellationToken cancellation)
    {
        (long dataAt, RowFault? differs) = await LocalAsync(entry.Header, cancellation);
        if (differs is not null) return (null, differs);
        if (dataAt + entry.Header.Compressed > entry.Limit) throw Overlap(entry);
        LimitedStream compressed = new(zip, entry.Header.Compressed);
        Stream inner = entry.Header.Method == 0 ? compressed : new DeflateStream(compressed, CompressionMode.Decompress, leaveOpen: true);
        expanded += last();
        CheckedStream content = new(inner, () => compressed.Consumed, expanded);
        last = () => content.Count;
        return (content, null);
    }

    /// <summary>Says what is wrong with an entry that was read to its end.</summary>
    public static RowFault? Check(ZipEntry entry, CheckedStream content) =>
        content.Count != entry.Length ? DatasetFaults.DamagedEntry(DatasetFaults.Invariant(
            $"it has {(content.Count > entry.Length ? $"more than {entry.Length}" : $"{content.Count}")} bytes and its header says {entry.Length}."))
        : content.Crc != entry.Header.Crc ? DatasetFaults.DamagedEntry(DatasetFaults.Invariant($"its CRC-32 is {content.Crc:x8} and its header says {entry.Header.Crc:x8}.")) : null;

    /// <summary>Reads an entry whole, and checks it before anyone sees a byte.</summary>
    /// <param name="entry">Of at most some megabytes: it is held in memory.</param>
    /// <param name="cancellation">Stops the reading.</param>
    /// <exception cref="Faults.InputRejectedException">It reaches into another entry (D013).</exception>
    public async Task<(ReadOnlyMemory<byte> Bytes, RowFault? Fault)> ReadAsync(ZipEntry entry, CancellationToken cancellation)
    {
        (CheckedStream? content, RowFault? fault) = await OpenAsync(entry, cancellation);
        if (content is null) return (default, fault);
        await using CheckedStream read = content;
        byte[] bytes = new byte[entry.Length + 1];
        int length = 0;
        try
        {
            length = await read.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancellation);
            fault = Check(entry, read);
        }
        catch (InvalidDataException e)
        {
            fault = DatasetFaults.DamagedEntry(e.Message);
        }
        catch (Faults.InputRejectedException e) when (e.Code == "D008")
        {
            fault = new RowFault(e.Code, $"{e.Fact} {e.Remedy}");
        }
        return (bytes.AsMemory(0, length), fault);
    }

    /// <summary>True for archives by their names.</summary>
    public static bool IsArchive(string name) => Path.GetExtension(name).ToUpperInvariant() is ".ZIP" or ".GZ" or ".TGZ" or ".TAR" or ".7Z" or ".RAR" or ".BZ2" or ".XZ" or ".ZST";

    static Faults.InputRejectedException Overlap(ZipEntry entry) => DatasetFaults.ZipOverlap(DatasetFaults.Invariant(
        $"'{DatasetFaults.Printable(entry.Name)}' at byte {entry.Header.Offset} of {entry.Header.Compressed} bytes reaches into another one or into the directory."));

    /// <summary>UTF-8 when the entry says so or it is valid; else the old code page of DOS.</summary>
    static string NameOf(ReadOnlySpan<byte> bytes, int flags) =>
        ((flags & 0x800) != 0 || System.Text.Unicode.Utf8.IsValid(bytes) ? Encoding.UTF8 : CodePagesEncodingProvider.Instance.GetEncoding(437)!).GetString(bytes);

    /// <summary>Reads an entry's local header and goes to its data.</summary>
    async Task<(long DataAt, RowFault? Fault)> LocalAsync(ZipHeader entry, CancellationToken cancellation)
    {
        byte[] header = new byte[LocalLength + entry.NameLength];
        await zip.GoToAsync(entry.Offset, cancellation);
        int read = await zip.ReadAtLeastAsync(header, header.Length, throwOnEndOfStream: false, cancellation);
        if (read < header.Length || BinaryPrimitives.ReadUInt32LittleEndian(header) != 0x04034b50)
            return (0, DatasetFaults.HeadersDiffer(DatasetFaults.Invariant($"there is none at byte {entry.Offset}.")));
        int nameLength = U16(header, 26), extra = U16(header, 28);
        if (nameLength != entry.NameLength || !header.AsSpan(LocalLength).SequenceEqual(directory.AsSpan(entry.NameAt, entry.NameLength)))
            return (0, DatasetFaults.HeadersDiffer("the names are not the same."));
        if (U16(header, 8) != entry.Method || ((U16(header, 6) ^ entry.Flags) & 0x1) != 0)
            return (0, DatasetFaults.HeadersDiffer("the compression is not the same."));
        long dataAt = entry.Offset + LocalLength + nameLength + extra;
        await zip.GoToAsync(dataAt, cancellation);
        return (dataAt, null);
    }

    static async Task<(byte[] Directory, List<ZipHeader> Entries, long At)> DirectoryAsync(PinnedStream zip, CancellationToken cancellation)
    {
        int tailLength = (int)Math.Min(zip.Length, EndLength + MaxComment + 20);
        byte[] tail = new byte[tailLength];
        await zip.GoToAsync(zip.Length - tailLength, cancellation);
        if (await zip.ReadAtLeastAsync(tail, tailLength, throwOnEndOfStream: false, cancellation) < tailLength) throw DatasetFaults.DamagedZip("it ends early.");
        int end = FindEnd(tail);
        if (end < 0) throw DatasetFaults.DamagedZip("it has no end record, or bytes follow it.");
        long endAt = zip.Length - tailLength + end;
        long count = U16(tail, end + 10), size = U32(tail, end + 12), at = U32(tail, end + 16);
        if (U16(tail, end + 4) is not (0 or 0xFFFF) || U16(tail, end + 8) != U16(tail, end + 10)) throw DatasetFaults.DamagedZip("it is a part of several.");
        if (end >= 20 && U32(tail, end - 20) == 0x07064b50)
        {
            byte[] record = new byte[56];
            long recordAt = (long)U64(tail, end - 20 + 8);
            if (recordAt < 0 || recordAt > endAt - 20 - 56) throw DatasetFaults.DamagedZip("its zip64 end record is not where it should be.");
            await zip.GoToAsync(recordAt, cancellation);
            await zip.ReadAtLeastAsync(record, record.Length, throwOnEndOfStream: false, cancellation);
            if (U32(record, 0) != 0x06064b50) throw DatasetFaults.DamagedZip("its zip64 end record is not where it should be.");
            (count, size, at, endAt) = ((long)U64(record, 32), (long)U64(record, 40), (long)U64(record, 48), recordAt);
        }
        if (count is < 0 or > MaxEntries) throw DatasetFaults.ZipLimit(DatasetFaults.Invariant($"The zip has {(ulong)count} entries; at most {MaxEntries} are read."));
        if (size is < 0 or > MaxDirectory) throw DatasetFaults.ZipLimit(DatasetFaults.Invariant($"The zip's directory has {(ulong)size} bytes; at most {MaxDirectory} are read."));
        if (at < 0 || at + size != endAt)
            throw DatasetFaults.DamagedZip(DatasetFaults.Invariant($"its directory is said to lie at bytes {(ulong)at} to {(ulong)at + (ulong)size} and its end record at {endAt}; something was put before or between."));
        byte[] directory = new byte[size];
        await zip.GoToAsync(at, cancellation);
        if (await zip.ReadAtLeastAsync(directory, directory.Length, throwOnEndOfStream: false, cancellation) < directory.Length) throw DatasetFaults.DamagedZip("it ends early.");
        return (directory, Headers(directory, count, zip.Length), at);
    }

    /// <summary>The end record whose comment reaches exactly to the end of the file.</summary>
    static int FindEnd(byte[] tail)
    {
        for (int at = tail.Length - EndLength; at >= 0; at--)
            if (U32(tail, at) == 0x06054b50 && at + EndLength + U16(tail, at + 20) == tail.Length) return at;
        return -1;
    }

    static List<ZipHeader> Headers(byte[] directory, long count, long zipLength)
    {
        List<ZipHeader> entries = new((int)count);
        int at = 0;
        while (at < directory.Length)
        {
            if (directory.Length - at < CentralLength || U32(directory, at) != 0x02014b50)
                throw DatasetFaults.DamagedZip(DatasetFaults.Invariant($"entry {entries.Count + 1} of its directory is malformed."));
            int nameLength = U16(directory, at + 28), extraLength = U16(directory, at + 30), commentLength = U16(directory, at + 32);
            int next = at + CentralLength + nameLength + extraLength + commentLength;
            if (next > directory.Length) throw DatasetFaults.DamagedZip(DatasetFaults.Invariant($"entry {entries.Count + 1} of its directory is cut off."));
            long length = U32(directory, at + 24), compressed = U32(directory, at + 20), offset = U32(directory, at + 42);
            Zip64(directory.AsSpan(at + CentralLength + nameLength, extraLength), ref length, ref compressed, ref offset);
            if (length < 0 || compressed < 0 || compressed > zipLength || offset < 0 || offset > zipLength)
                throw DatasetFaults.DamagedZip(DatasetFaults.Invariant($"entry {entries.Count + 1} has impossible lengths."));
            entries.Add(new ZipHeader(offset, compressed, length, U32(directory, at + 16), U16(directory, at + 8),
                U16(directory, at + 10), U32(directory, at + 38), at + CentralLength, nameLength));
            at = next;
            if (entries.Count > MaxEntries) throw DatasetFaults.ZipLimit(DatasetFaults.Invariant($"The zip has more than {MaxEntries} entries."));
        }
        return entries.Count == count ? entries : throw DatasetFaults.DamagedZip(DatasetFaults.Invariant($"its end record counts {count} entries and its directory has {entries.Count}."));
    }

    /// <summary>64-bit values of an entry, in the extra field 0x0001, for those that do not fit in 32 bits.</summary>
    static void Zip64(ReadOnlySpan<byte> extra, ref long length, ref long compressed, ref long offset)
    {
        while (extra.Length >= 4)
        {
            int id = BinaryPrimitives.ReadUInt16LittleEndian(extra), size = BinaryPrimitives.ReadUInt16LittleEndian(extra[2..]);
            if (size > extra.Length - 4) return;
            if (id == 1)
            {
                ReadOnlySpan<byte> field = extra.Slice(4, size);
                Take(ref field, ref length);
                Take(ref field, ref compressed);
                Take(ref field, ref offset);
                return;
            }
            extra = extra[(4 + size)..];
        }

        static void Take(ref ReadOnlySpan<byte> field, ref long value)
        {
            if (value != uint.MaxValue || field.Length < 8) return;
            value = BinaryPrimitives.ReadInt64LittleEndian(field);
            field = field[8..];
        }
    }

    static int U16(byte[] bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(at));

    static uint U32(byte[] bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(at));

    static ulong U64(byte[] bytes, int at) => BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(at));
}
