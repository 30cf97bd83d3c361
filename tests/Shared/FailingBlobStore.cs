using Scion.Faults;
using Scion.Storage;

namespace Scion.Tests;

/// <summary>Fails one operation, or some in a row, the way storage fails: before doing it, or after (the caller sees an error although it is done).</summary>
/// <param name="store">Where operations go.</param>
/// <param name="failing">Number of the operation that fails, from 1; 0 fails none.</param>
/// <param name="done">True: the operation is done and then fails.</param>
/// <param name="times">Operations that fail, this one and those after it.</param>
public sealed class FailingBlobStore(IBlobStore store, int failing, bool done, int times = 1) : IBlobStore
{
    int count;

    /// <summary>Operations so far.</summary>
    public int Count => count;

    public IAsyncEnumerable<BlobItem> ListAsync(string container, string prefix, CancellationToken cancellation)
    {
        if (Fails()) throw Lost();
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
        bool fail = Fails();
        if (fail && !done) throw Lost();
        T answer = await operation();
        return fail ? throw Lost() : answer;
    }

    bool Fails() => Interlocked.Increment(ref count) - failing is >= 0 and var later && failing > 0 && later < times;

    static TransientStorageException Lost() => new("X000", "The answer was lost.", "Repeat the call.");
}
