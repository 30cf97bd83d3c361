using Scion.Storage;

namespace Scion.Vision;

/// <summary>Networks open in this process, so that the shards of a run share one. The last few are kept.</summary>
/// <param name="gpu">True: a GPU is used if there is one.</param>
public sealed class EncoderSessions(bool gpu = true) : IDisposable
{
    /// <summary>Networks kept that nobody uses: a run has two, the pretrained one and its twin.</summary>
    const int Kept = 2;

    readonly Lock gate = new();
    readonly List<Opened> opened = [];

    /// <summary>Opens a network, or takes the one that is open. Dispose of the answer when done.</summary>
    /// <exception cref="Faults.InputRejectedException">The graph is gone (S003), damaged (S004) or cannot be used (V101).</exception>
    internal async Task<OpenEncoder> OpenAsync(IBlobStore store, ImageEncoderReady encoder, CancellationToken cancellation)
    {
        Opened? entry;
        lock (gate)
        {
            entry = opened.FirstOrDefault(other => other.Graph == encoder.Graph.Sha256);
            if (entry is null) opened.Add(entry = new Opened(encoder.Graph.Sha256));
            else if (opened.Remove(entry)) opened.Add(entry);             // the last used is last
            entry.Users++;
        }
        try
        {
            await entry.Opening.WaitAsync(cancellation);
            try
            {
                entry.Session ??= new EncoderSession(await store.ReadAsync(encoder.Graph, cancellation), encoder.Card.Fit,
                    [.. encoder.Layers.Select(layer => layer.Features)], encoder.Card.Batches, gpu);
            }
            finally
            {
                entry.Opening.Release();
            }
            return new OpenEncoder(entry.Session, () => Leave(entry));
        }
        catch
        {
            Leave(entry);
            throw;
        }
    }

    void Leave(Opened entry)
    {
        List<Opened> closed = [];
        lock (gate)
        {
            entry.Users--;
            if (entry.Users == 0 && entry.Session is null) closed.Add(entry);
            closed.AddRange(opened.Where(other => other.Users == 0 && other != entry).SkipLast(Kept - 1));
            foreach (Opened other in closed) opened.Remove(other);
        }
        foreach (Opened other in closed) other.Dispose();
    }

    public void Dispose()
    {
        foreach (Opened entry in opened) entry.Dispose();
        opened.Clear();
    }

    sealed class Opened(string graph) : IDisposable
    {
        public string Graph { get; } = graph;

        public SemaphoreSlim Opening { get; } = new(1);

        public EncoderSession? Session { get; set; }

        public int Users { get; set; }

        public void Dispose()
        {
            Session?.Dispose();
            Opening.Dispose();
        }
    }
}

/// <summary>A network in use.</summary>
sealed class OpenEncoder(EncoderSession session, Action leave) : IDisposable
{
    public EncoderSession Session { get; } = session;

    public void Dispose() => leave();
}
