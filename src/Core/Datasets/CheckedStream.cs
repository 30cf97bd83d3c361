using System.IO.Hashing;
using Scion.Storage;

namespace Scion.Datasets;

/// <summary>Bytes as they come out of a decompressor: counted, their CRC-32 taken, and cut off when they are too many for what went in.</summary>
/// <param name="inner">The decompressor, or stored bytes.</param>
/// <param name="consumed">Compressed bytes that went in so far.</param>
/// <param name="before">Expanded bytes of the same upload before these.</param>
sealed class CheckedStream(Stream inner, Func<long> consumed, long before) : ForwardStream
{
    /// <summary>Most expanded bytes of one upload: 20 GiB.</summary>
    public const long MaxTotal = 20L << 30;

    /// <summary>Most expanded bytes for each compressed one, once there are more than <see cref="FreeBytes"/>. Text compresses 3 to 20 times.</summary>
    public const int MaxRatio = 200;

    const long FreeBytes = 1 << 20;

    readonly Crc32 crc = new();

    /// <summary>Bytes that came out.</summary>
    public long Count { get; private set; }

    /// <summary>CRC-32 of them, as zip and gzip have it.</summary>
    public uint Crc => crc.GetCurrentHashAsUInt32();

    /// <exception cref="Faults.InputRejectedException">Too many bytes came out (D008).</exception>
    /// <exception cref="InvalidDataException">The compressed bytes are damaged.</exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        int read = await inner.ReadAsync(buffer, cancellationToken);
        crc.Append(buffer.Span[..read]);
        Count += read;
        if ((Count > FreeBytes && Count > MaxRatio * consumed()) || before + Count > MaxTotal) throw DatasetFaults.Bomb(consumed(), Count - 1);
        return read;
    }

    public override long Position
    {
        get => Count;
        set => throw new NotSupportedException();
    }

    /// <summary>Ends the decompressor.</summary>
    public override async ValueTask DisposeAsync()
    {
        await inner.DisposeAsync();
        await base.DisposeAsync();
    }
}

/// <summary>A part of a stream: its next bytes, at most a given number. Counts them.</summary>
sealed class LimitedStream(Stream inner, long limit) : ForwardStream
{
    /// <summary>Bytes handed out.</summary>
    public long Consumed { get; private set; }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        int read = await inner.ReadAsync(buffer[..(int)Math.Min(buffer.Length, limit - Consumed)], cancellationToken);
        Consumed += read;
        return read;
    }

    public override int Read(byte[] buffer, int offset, int count)
    {
        int read = inner.Read(buffer, offset, (int)Math.Min(count, limit - Consumed));
        Consumed += read;
        return read;
    }

    public override long Length => limit;

    public override long Position
    {
        get => Consumed;
        set => throw new NotSupportedException();
    }
}
