using Scion.Storage;

namespace Scion.Tests;

/// <summary>Calls a test before it creates a blob of a step.</summary>
/// <param name="store">Where operations go.</param>
/// <param name="creating">Given the path in container <c>work</c>, and the step's own token.</param>
sealed class HookedStore(IBlobStore store, Func<string, CancellationToken, Task> creating) : IBlobStore
{
    public IAsyncEnumerable<BlobItem> ListAsync(string container, string prefix, CancellationToken cancellation) => store.ListAsync(container, prefix, cancellation);

    public Task<BlobItem?> FindAsync(BlobPath path, CancellationToken cancellation) => store.FindAsync(path, cancellation);

    public Task<BlobContent?> OpenAsync(BlobPath path, string? etag, CancellationToken cancellation) => store.OpenAsync(path, etag, cancellation);

    public async Task<BlobItem?> CreateAsync(BlobPath path, Stream content, CancellationToken cancellation)
    {
        if (path.Container == Pipelines.StepMemo.Container) await creating(path.Name, cancellation);
        return await store.CreateAsync(path, content, cancellation);
    }

    public Task<BlobItem?> ReplaceAsync(BlobPath path, Stream content, string etag, CancellationToken cancellation) => store.ReplaceAsync(path, content, etag, cancellation);

    public Task<bool> DeleteAsync(BlobPath path, string? etag, CancellationToken cancellation) => store.DeleteAsync(path, etag, cancellation);
}
