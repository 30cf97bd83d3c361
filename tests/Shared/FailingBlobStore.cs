using Scion.Faults;
using Scion.Storage;

namespace Scion.Tests;

/// <summary>Fails one operation, the way storage fails: before doing it, or after (the caller sees an error although it is done).</summary>
/// <param name="store">Where operations go.</param>
/// <param name="failing">Number of the operation that fails, from 1; 0 fails none.</param>
/// <param name="done">True: the operation is done and then fails.</param>
public sealed class FailingBlobStore(IBlobStore store, int failing, bool done) : IBlobStore
{
    int count;

    /// <summary>Operations so far.</summary>
    public int Count => count;

    public IAsyncEnumerable<BlobItem> ListAsync(string container, string prefix, CancellationToken cancellation)
    {
        if (Interlocked.Increment(ref count) == failing) throw Lost();
        return store.ListAsync(container, prefix, cancellation);
    }

    public Task<BlobItem?> FindAsync(BlobPath path, CancellationToken cancellation) => Do(() => store.FindAsync(path, cancellation));

    public Task<BlobContent?> OpenAsync(BlobPath path, string? etag, CancellationToken cancellation) => Do(() => store.OpenAsync(path, etag, cancellation));

    public Task<BlobItem?> CreateAsync(BlobPath path, Stream content, CancellationToken cancellation) => Do(() => store.CreateAsync(path, content, cancellation));

    public Task<BlobItem?> ReplaceAsync(BlobPath path, Stream content, string etag, CancellationToken cancellation) =>
        Do(() => store.ReplaceAsync(path, content, etag, cancellation));

    public Task<bool> DeleteAsync(BlobPath path, string? etag, CancellationToken cancellation) => Do(() => store.DeleteAsync(path, etag, cancellation));

    async Task<T> Do<T>(Func<Task<T>> operation)
    {
        bool fail = Interlocked.Increment(ref count) == failing;
        if (fail && !done) throw Lost();
        T answer = await operation();
        return fail ? throw Lost() : answer;
    }

    static TransientStorageException Lost() => new("X000", "The answer was lost.", "Repeat the call.");
}
