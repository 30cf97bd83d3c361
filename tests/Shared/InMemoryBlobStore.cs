using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.CompilerServices;
using Scion.Storage;

namespace Scion.Tests;

/// <summary>The store's contract in memory: the reference the real stores are compared with, and what fast tests run on.</summary>
/// <param name="clock">Says when blobs were written; null for 1970.</param>
public sealed class InMemoryBlobStore(TimeProvider? clock = null) : IBlobStore
{
    readonly ConcurrentDictionary<BlobPath, (byte[] Bytes, string ETag)> blobs = new();
    readonly ConcurrentDictionary<string, DateTimeOffset> written = new();
    long version;

    /// <summary>Every blob's path and bytes, by path.</summary>
    public IReadOnlyList<(string Path, byte[] Bytes)> Content =>
        [.. blobs.Select(blob => (Path: blob.Key.ToString(), blob.Value.Bytes)).OrderBy(blob => blob.Path, StringComparer.Ordinal)];

    /// <summary>A store with the same blobs at the same versions.</summary>
    public InMemoryBlobStore Copy()
    {
        InMemoryBlobStore copy = new(clock) { version = Interlocked.Read(ref version) };
        foreach ((BlobPath path, (byte[], string) blob) in blobs) copy.blobs[path] = blob;
        foreach ((string tag, DateTimeOffset at) in written) copy.written[tag] = at;
        return copy;
    }

    /// <summary>Writes without a condition, as a person with access to the storage account can.</summary>
    public void Tamper(string path, byte[] bytes) => blobs[BlobPath.Parse(path)] = (bytes, NextTag());

    /// <summary>Deletes without a condition.</summary>
    public void Remove(string path) => blobs.TryRemove(BlobPath.Parse(path), out _);

    public async IAsyncEnumerable<BlobItem> ListAsync(string container, string prefix, [EnumeratorCancellation] CancellationToken cancellation)
    {
        await Task.CompletedTask;
        BlobPath.RequireContainer(container);
        foreach ((BlobPath path, (byte[] bytes, string etag)) in blobs.ToArray().OrderBy(blob => blob.Key.Name, StringComparer.Ordinal))
            if (path.Container == container && path.Name.StartsWith(prefix, StringComparison.Ordinal)) yield return Item(path, bytes, etag);
    }

    public Task<BlobItem?> FindAsync(BlobPath path, CancellationToken cancellation) =>
        Task.FromResult(blobs.TryGetValue(path, out (byte[] Bytes, string ETag) blob) ? Item(path, blob.Bytes, blob.ETag) : null);

    public Task<BlobContent?> OpenAsync(BlobPath path, string? etag, CancellationToken cancellation)
    {
        if (!blobs.TryGetValue(path, out (byte[] Bytes, string ETag) blob)) return Task.FromResult<BlobContent?>(null);
        if (etag is not null && etag != blob.ETag) throw StorageFaults.Changed(path, etag, blob.ETag);
        return Task.FromResult<BlobContent?>(new BlobContent(Item(path, blob.Bytes, blob.ETag), new MemoryStream(blob.Bytes, writable: false)));
    }

    public Task<BlobItem?> CreateAsync(BlobPath path, Stream content, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        (byte[] Bytes, string ETag) blob = (BytesOf(content), NextTag());
        return Task.FromResult(blobs.TryAdd(path, blob) ? Item(path, blob.Bytes, blob.ETag) : null);
    }

    public Task<BlobItem?> ReplaceAsync(BlobPath path, Stream content, string etag, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        (byte[] Bytes, string ETag) blob = (BytesOf(content), NextTag());
        bool replaced = blobs.TryGetValue(path, out (byte[] Bytes, string ETag) current) && current.ETag == etag && blobs.TryUpdate(path, blob, current);
        return Task.FromResult(replaced ? Item(path, blob.Bytes, blob.ETag) : null);
    }

    public Task<bool> DeleteAsync(BlobPath path, string? etag, CancellationToken cancellation) => Task.FromResult(
        blobs.TryGetValue(path, out (byte[] Bytes, string ETag) current) && (etag is null || etag == current.ETag)
        && blobs.TryRemove(new KeyValuePair<BlobPath, (byte[], string)>(path, current)));

    BlobItem Item(BlobPath path, byte[] bytes, string etag) => new(path.Container, path.Name, bytes.Length, etag, written.GetValueOrDefault(etag, DateTimeOffset.UnixEpoch));

    static byte[] BytesOf(Stream content)
    {
        using MemoryStream bytes = new();
        content.CopyTo(bytes);
        return bytes.ToArray();
    }

    string NextTag()
    {
        string tag = Interlocked.Increment(ref version).ToString(CultureInfo.InvariantCulture);
        if (clock is not null) written[tag] = clock.GetUtcNow();
        return tag;
    }
}
