using System.Threading.Channels;
using Scion.Datasets;
using Scion.Faults;

namespace Scion.Vision;

/// <summary>Reads pictures and computes something of them, on so many cores, however many shards are under way at once.</summary>
/// <remarks>A worker fills a batch with pictures, computes, and takes the next: reading and computing share the cores without waiting for each other,
/// and no more pictures are held than the workers' batches and a few that wait.</remarks>
/// <param name="pictures">Reads them.</param>
/// <param name="cores">Workers at once, over all calls.</param>
public sealed class PictureWorkers(IPictureReader pictures, int cores) : IDisposable
{
    readonly SemaphoreSlim free = new(cores);

    /// <param name="rows">The pictures, each with its place in the result.</param>
    /// <param name="fit">Size they are brought to.</param>
    /// <param name="batch">Pictures computed at once, at most.</param>
    /// <param name="compute">Given pixels [n, height, width, 3] and places [n]; called from several threads at once.</param>
    /// <param name="cancellation">Stops reading and computing.</param>
    /// <exception cref="InputRejectedException">A picture cannot be read now (V103).</exception>
    internal async Task RunAsync(
        IAsyncEnumerable<(int Place, ImageRow Row)> rows, PictureFit fit, int batch, Action<ReadOnlyMemory<byte>, ReadOnlyMemory<int>> compute,
        CancellationToken cancellation)
    {
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Channel<(int Place, ImageRow Row)> waiting = Channel.CreateBounded<(int, ImageRow)>(new BoundedChannelOptions(2 * cores) { SingleWriter = true });
        Task[] tasks = [Task.Run(FeedAsync, stop.Token), .. Enumerable.Range(0, cores).Select(_ => Task.Run(WorkAsync, stop.Token))];
        try
        {
            await Task.WhenAll(tasks);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested && tasks.FirstOrDefault(task => task.IsFaulted) is { } failed)
        {
            await failed;                                                // the others were only stopped on its account
            throw;
        }

        async Task FeedAsync()
        {
            try
            {
                await foreach ((int, ImageRow) row in rows.WithCancellation(stop.Token)) await waiting.Writer.WriteAsync(row, stop.Token);
                waiting.Writer.Complete();
            }
            catch
            {
                await stop.CancelAsync();
                throw;
            }
        }

        async Task WorkAsync()
        {
            byte[] pixels = [];
            int[] places = new int[batch];
            try
            {
                while (await waiting.Reader.WaitToReadAsync(stop.Token))
                {
                    await free.WaitAsync(stop.Token);
                    try
                    {
                        int filled = 0;
                        while (filled < batch && await waiting.Reader.WaitToReadAsync(stop.Token))
                        {
                            if (!waiting.Reader.TryRead(out (int Place, ImageRow Row) next)) continue;
                            if (pixels.Length == 0) pixels = new byte[batch * fit.Bytes];
                            await ReadAsync(next.Row, fit, pixels.AsMemory(filled * fit.Bytes, fit.Bytes), stop.Token);
                            places[filled++] = next.Place;
                        }
                        if (filled > 0) compute(pixels.AsMemory(0, filled * fit.Bytes), places.AsMemory(0, filled));
                    }
                    finally
                    {
                        free.Release();
                    }
                }
            }
            catch
            {
                await stop.CancelAsync();
                throw;
            }
        }
    }

    async Task ReadAsync(ImageRow row, PictureFit fit, Memory<byte> pixels, CancellationToken cancellation)
    {
        try
        {
            await pictures.ReadAsync(row.Bytes, fit, pixels, cancellation);
        }
        catch (InputRejectedException refusal)
        {
            throw ExtractionFaults.NotReadAgain(row.Name, refusal);
        }
    }

    public void Dispose() => free.Dispose();
}
