using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;
using Scion.Storage;

namespace Scion.Datasets;

/// <summary>The expanded bytes of a gzip, of all its members. Each member's CRC-32 and length are checked, and nothing may follow the last.</summary>
/// <remarks>System.IO.Compression.GZipStream is not used: it takes a file that is cut off, and bytes after the end, for the end without a word (measured, .NET 10).
/// DeflateStream reads ahead, so where a member ended is found by its trailer, which is known by then, among the last bytes read. Source: RFC 1952.</remarks>
/// <param name="file">Read to its end; not disposed of.</param>
sealed class GzipReader(Stream file) : ForwardStream
{
    const int Trailer = 8;

    readonly ReadAhead source = new(file);
    Crc32 crc = new();
    DeflateStream? member;
    long count, members;

    /// <summary>Compressed bytes read so far.</summary>
    public long Consumed => source.Count;

    /// <exception cref="InvalidDataException">It is damaged, cut off, or followed by other bytes.</exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            if (member is null && !await BeginAsync(cancellationToken)) return 0;
            int read = await member!.ReadAsync(buffer, cancellationToken);
            crc.Append(buffer.Span[..read]);
            count += read;
            if (read > 0 || buffer.IsEmpty) return read;
            await EndAsync(cancellationToken);
        }
    }

    /// <returns>False at the end of the file.</returns>
    async Task<bool> BeginAsync(CancellationToken cancellation)
    {
        byte[] header = new byte[10];
        int length = await source.ReadAtLeastAsync(header, header.Length, throwOnEndOfStream: false, cancellation);
        if (length == 0) return false;
        if (length < header.Length || header is not [0x1F, 0x8B, 8, ..] || (header[3] & 0xE0) != 0)
            throw new InvalidDataException(members == 0 ? "it does not begin as one." : "bytes follow its end.");
        int flags = header[3];
        if ((flags & 4) != 0) await SkipAsync((await ByteAsync(cancellation)) | (await ByteAsync(cancellation) << 8), cancellation);
        for (int names = ((flags >> 3) & 1) + ((flags >> 4) & 1); names > 0; names--)
            while (await ByteAsync(cancellation) != 0)
            {
            }
        if ((flags & 2) != 0) await SkipAsync(2, cancellation);
        source.Forget();
        (member, crc, count) = (new DeflateStream(source, CompressionMode.Decompress, leaveOpen: true), new Crc32(), 0);
        members++;
        return true;
    }

    async Task EndAsync(CancellationToken cancellation)
    {
        await member!.DisposeAsync();
        member = null;
        byte[] trailer = new byte[Trailer], rest = new byte[Trailer];
        await source.ReadAtLeastAsync(rest, Trailer, throwOnEndOfStream: false, cancellation);
        crc.GetCurrentHash(trailer);
        BinaryPrimitives.WriteUInt32LittleEndian(trailer.AsSpan(4), (uint)count);
        int end = source.Last.IndexOf(trailer);
        if (end < 0) throw new InvalidDataException(DatasetFaults.Invariant($"after {count} bytes it is cut off, or its CRC-32 or length does not fit."));
        source.Unread(source.Last.Length - end - Trailer);
    }

    async Task SkipAsync(int bytes, CancellationToken cancellation)
    {
        while (bytes-- > 0) await ByteAsync(cancellation);
    }

    async Task<int> ByteAsync(CancellationToken cancellation)
    {
        byte[] one = new byte[1];
        return await source.ReadAsync(one, cancellation) == 1 ? one[0] : throw new InvalidDataException("it is cut off in its header.");
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) member?.Dispose();
        base.Dispose(disposing);
    }

    /// <summary>Hands out bytes in pieces of at most 8 KiB, remembers the last 16 KiB, and takes some of them back.</summary>
    sealed class ReadAhead(Stream inner) : ForwardStream
    {
        const int Piece = 8192;

        readonly byte[] window = new byte[3 * Piece];
        int handed, filled;             // window[..handed] was handed out, window[handed..filled] was taken back

        public long Count { get; private set; }

        /// <summary>The last bytes handed out: all since <see cref="Forget"/>, or at least 8 KiB of them.</summary>
        public ReadOnlySpan<byte> Last => window.AsSpan(0, handed);

        public void Forget()
        {
            window.AsSpan(handed, filled - handed).CopyTo(window);
            (handed, filled) = (0, filled - handed);
        }

        public void Unread(int bytes)
        {
            handed -= bytes;
            Count -= bytes;
        }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            int wanted = Math.Min(buffer.Length, Piece);
            if (handed == filled)
            {
                if (window.Length - handed < wanted)
                {
                    int kept = Piece + Trailer;
                    window.AsSpan(handed - kept, kept).CopyTo(window);
                    handed = filled = kept;
                }
                filled += await inner.ReadAsync(window.AsMemory(handed, wanted), cancellationToken);
            }
            int read = Math.Min(wanted, filled - handed);
            window.AsSpan(handed, read).CopyTo(buffer.Span);
            handed += read;
            Count += read;
            return read;
        }

        public override long Position
        {
            get => Count;
            set => throw new NotSupportedException();
        }
    }
}
