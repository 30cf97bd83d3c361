using System.Collections.Concurrent;
using Scion.Faults;
using Scion.Storage;

namespace Scion.Tests;

/// <summary>A store that counts what is asked of it, and that a test can hold or silence.</summary>
public sealed class GatedBlobStore(IBlobStore store) : IBlobStore
{
    readonly ConcurrentQueue<string> asked = new();

    /// <summary>Every operation: its name and path.</summary>
    public IReadOnlyCollection<string> Asked => asked;

    /// <summary>True: every operation fails.</summary>
    public bool Silent { get; set; }

    /// <summary>Operations wait for it.</summary>
    public Task Gate { get; set; } = Task.CompletedTask;

    public async IAsyncEnumerable<BlobItem> ListAsync(string container, string prefix, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        await PassAsync("list", $"{container}/{prefix}", cancellation);
        await foreach (BlobItem item in store.ListAsync(container, prefix, cancellation)) yield return item;
    }

    public async Task<BlobItem?> FindAsync(BlobPath path, CancellationToken cancellation)
    {
        await PassAsync("find", path.ToString(), cancellation);
        return await store.FindAsync(path, cancellation);
    }

    public async Task<BlobContent?> OpenAsync(BlobPath path, string? etag, CancellationToken cancellation)
    {
        await PassAsync("open", path.ToString(), cancellation);
        return await store.OpenAsync(path, etag, cancellation);
    }

    public async Task<BlobItem?> CreateAsync(BlobPath path, Stream content, CancellationToken cancellation)
    {
        await PassAsync("create", path.ToString(), cancellation);
        return await store.CreateAsync(path, content, cancellation);
    }

    public async Task<BlobItem?> ReplaceAsync(BlobPath path, Stream content, string etag, CancellationToken cancellation)
    {
        await PassAsync("replace", path.ToString(), cancellation);
        return await store.ReplaceAsync(path, content, etag, cancellation);
    }

    public async Task<bool> DeleteAsync(BlobPath path, string? etag, CancellationToken cancellation)
    {
        await PassAsync("delete", path.ToString(), cancellation);
        return await store.DeleteAsync(path, etag, cancellation);
    }

    async Task PassAsync(string operation, string path, CancellationToken cancellation)
    {
        asked.Enqueue($"{operation} {path}");
        await Gate.WaitAsync(cancellation);
        if (Silent) throw new TransientStorageException("X000", "Storage is silent.", "Repeat the call.");
    }
}
