using System.Collections.Concurrent;
using Scion.Faults;

namespace Scion.Vision;

/// <summary>Reads pictures in processes of their own, started when needed and kept. A picture on which one dies, hangs or takes too much memory is
/// tried once more in a fresh one, then refused; no other picture notices.</summary>
/// <remarks>Waiting pictures wait in no order. Cancelling ends the process at work on the picture. When this process dies, the others read
/// the end of their input and end; one that hangs then ends itself after <see cref="PictureFrames.Overdue"/>.</remarks>
/// <param name="options">Program and limits.</param>
/// <param name="time">Clock of the limits.</param>
public sealed class DecoderProcesses(DecoderOptions options, TimeProvider time) : IPictureReader, IAsyncDisposable
{
    /// <summary>How often a process that takes long is looked at.</summary>
    static readonly TimeSpan Glance = TimeSpan.FromMilliseconds(50);

    readonly SemaphoreSlim free = new(options.Processes);
    readonly ConcurrentStack<DecoderProcess> idle = new();
    int disposed;

    /// <summary>Numbers by which the system knows the processes that wait for a picture.</summary>
    internal IEnumerable<int> Waiting => idle.Select(process => process.Id);

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">The program cannot be started (V013): the installation is at fault, no picture.</exception>
    public async ValueTask<PictureFacts> ReadAsync(ReadOnlyMemory<byte> bytes, PictureFit fit, Memory<byte> pixels, CancellationToken cancellation)
    {
        ObjectDisposedException.ThrowIf(disposed != 0, this);
        if (pixels.Length != fit.Bytes) throw new ArgumentException($"{pixels.Length} bytes were given for {fit.Bytes}.", nameof(pixels));
        if (bytes.IsEmpty) throw PictureFaults.Empty();
        if (bytes.Length > PictureDecoder.MaxBytes) throw PictureFaults.TooManyBytes(bytes.Length);
        await free.WaitAsync(cancellation);
        try
        {
            if (!idle.TryPop(out DecoderProcess? process)) process = await DecoderProcess.StartAsync(options, time, cancellation);
            (PictureFacts? facts, _) = await TryAsync(process, bytes, fit, pixels, cancellation);
            if (facts is not null) return facts;
            process = await DecoderProcess.StartAsync(options, time, cancellation);
            (facts, InputRejectedException? fault) = await TryAsync(process, bytes, fit, pixels, cancellation);
            return facts ?? throw fault!;
        }
        finally
        {
            free.Release();
        }
    }

    /// <summary>Reads it in this process, which is kept when it answers and ended when it does not.</summary>
    /// <returns>Facts, or why the process was ended.</returns>
    async Task<(PictureFacts? Facts, InputRejectedException? Fault)> TryAsync(
        DecoderProcess process, ReadOnlyMemory<byte> bytes, PictureFit fit, Memory<byte> pixels, CancellationToken cancellation)
    {
        Task<PictureFacts> reading = process.ReadAsync(bytes, fit, pixels);
        InputRejectedException? fault = null;
        bool keep = false;
        try
        {
            long began = time.GetTimestamp();
            while (fault is null)
            {
                try
                {
                    PictureFacts facts = await reading.WaitAsync(Glance, time, cancellation);
                    keep = true;
                    return (facts, null);
                }
                catch (TimeoutException)
                {
                    long held = process.WorkingSet();
                    if (held > options.MemoryBytes) fault = PictureFaults.Memory(held, options.MemoryBytes);
                    else if (time.GetElapsedTime(began) >= options.Timeout) fault = PictureFaults.Slow(options.Timeout);
                }
            }
            return (null, fault);
        }
        catch (InputRejectedException)
        {
            keep = true;
            throw;
        }
        catch (Exception e) when (e is IOException or InvalidDataException)
        {
            return (null, PictureFaults.Died(await process.EndAsync()));
        }
        finally
        {
            if (keep && disposed == 0) idle.Push(process);
            else
            {
                await process.EndAsync();
                await reading.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);   // it writes to pixels no more
                await process.DisposeAsync();
            }
        }
    }

    /// <summary>Ends the processes. Pictures that are being read are finished first.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref disposed, 1) != 0) return;
        for (int i = 0; i < options.Processes; i++) await free.WaitAsync();
        while (idle.TryPop(out DecoderProcess? process)) await process.DisposeAsync();
        free.Dispose();
    }
}
