using Scion.Storage;

namespace Scion.Tests;

/// <summary>Keeps the store as it was before the first write and after each: the states in which a crash can leave it. Writes are done one by one.</summary>
public sealed class RecordedBlobStore(InMemoryBlobStore store) : IBlobStore, IDisposable
{
    readonly SemaphoreSlim gate = new(1);
    readonly List<InMemoryBlobStore> states = [store.Copy()];
    readonly List<string> writes = [];

    public IReadOnlyList<InMemoryBlobStore> States => states;

    /// <summary>Paths that a write was asked for, in order; state i + 1 is the one after write i.</summary>
    public IReadOnlyList<string> Writes => writes;

    public IAsyncEnumerable<BlobItem> ListAsync(string container, string prefix, CancellationToken cancellation) => store.ListAsync(container, prefix, cancellation);

    public Task<BlobItem?> FindAsync(BlobPath path, CancellationToken cancellation) => store.FindAsync(path, cancellation);

    public Task<BlobContent?> OpenAsync(BlobPath path, string? etag, CancellationToken cancellation) => store.OpenAsync(path, etag, cancellation);

    public Task<BlobItem?> CreateAsync(BlobPath path, Stream content, CancellationToken cancellation) =>
        WriteAsync(path, () => store.CreateAsync(path, content, cancellation), cancellation);

    public Task<BlobItem?> ReplaceAsync(BlobPath path, Stream content, string etag, CancellationToken cancellation) =>
        WriteAsync(path, () => store.ReplaceAsync(path, content, etag, cancellation), cancellation);

    public Task<bool> DeleteAsync(BlobPath path, string? etag, CancellationToken cancellation) =>
        WriteAsync(path, () => store.DeleteAsync(path, etag, cancellation), cancellation);

    public void Dispose() => gate.Dispose();

    async Task<T> WriteAsync<T>(BlobPath path, Func<Task<T>> write, CancellationToken cancellation)
    {
        await gate.WaitAsync(cancellation);
        try
        {
            T answer = await write();
            writes.Add(path.ToString());
            states.Add(store.Copy());
            return answer;
        }
        finally
        {
            gate.Release();
        }
    }
}
