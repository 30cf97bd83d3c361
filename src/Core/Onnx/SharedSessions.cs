namespace Scion.Onnx;

/// <summary>Networks open in this process, so that calls share one. The last few are kept.</summary>
/// <param name="kept">Networks kept that nobody uses, at least 1.</param>
sealed class SharedSessions<TSession>(int kept) : IDisposable where TSession : class, IDisposable
{
    readonly Lock gate = new();
    readonly List<Entry> entries = [];

    /// <summary>Opens a network, or takes the one that is open. Dispose of the answer when done.</summary>
    /// <param name="key">Digest of the network.</param>
    /// <param name="open">Opens it; what it throws is thrown, and the next call tries again.</param>
    /// <param name="cancellation">Stops the wait for another call that opens it.</param>
    public async Task<SharedSession<TSession>> OpenAsync(string key, Func<Task<TSession>> open, CancellationToken cancellation)
    {
        Entry? entry;
        lock (gate)
        {
            entry = entries.FirstOrDefault(other => other.Key == key);
            if (entry is null) entries.Add(entry = new Entry(key));
            else if (entries.Remove(entry)) entries.Add(entry);             // the last used is last
            entry.Users++;
        }
        try
        {
            await entry.Opening.WaitAsync(cancellation);
            try
            {
                entry.Session ??= await open();
            }
            finally
            {
                entry.Opening.Release();
            }
            return new SharedSession<TSession>(entry.Session, () => Leave(entry));
        }
        catch
        {
            Leave(entry);
            throw;
        }
    }

    void Leave(Entry entry)
    {
        List<Entry> closed = [];
        lock (gate)
        {
            entry.Users--;
            if (entry.Users == 0 && entry.Session is null) closed.Add(entry);
            closed.AddRange(entries.Where(other => other.Users == 0 && other != entry).SkipLast(kept - 1));
            foreach (Entry other in closed) entries.Remove(other);
        }
        foreach (Entry other in closed) other.Dispose();
    }

    public void Dispose()
    {
        foreach (Entry entry in entries) entry.Dispose();
        entries.Clear();
    }

    sealed class Entry(string key) : IDisposable
    {
        public string Key { get; } = key;

        public SemaphoreSlim Opening { get; } = new(1);

        public TSession? Session { get; set; }

        public int Users { get; set; }

        public void Dispose()
        {
            Session?.Dispose();
            Opening.Dispose();
        }
    }
}

/// <summary>A network in use.</summary>
sealed class SharedSession<TSession>(TSession session, Action leave) : IDisposable
{
    public TSession Session { get; } = session;

    public void Dispose() => leave();
}
