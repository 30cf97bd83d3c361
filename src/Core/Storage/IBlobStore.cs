namespace Scion.Storage;

/// <summary>Where everything lives: the file system or Azure Blob storage, with the same guarantees.</summary>
/// <remarks>A blob is seen whole or not at all. Every write has a condition, so two writers never mix. One conformance suite runs on
/// each implementation. Failures to reach storage are <see cref="Faults.TransientStorageException"/>; an unknown outcome is re-read by
/// the store before it is reported.</remarks>
public interface IBlobStore
{
    /// <summary>Blobs whose name starts with <paramref name="prefix"/> ("" for all), by ordinal name. An absent container is empty.
    /// Blobs with names that <see cref="BlobPath"/> refuses are yielded with <see cref="BlobItem.NameRefused"/> set, never skipped.</summary>
    IAsyncEnumerable<BlobItem> ListAsync(string container, string prefix, CancellationToken cancellation);

    /// <summary>Properties of one blob, or null when absent.</summary>
    Task<BlobItem?> FindAsync(BlobPath path, CancellationToken cancellation);

    /// <summary>Opens a blob for reading, or returns null when absent. All bytes come from one version; a change under the reader is S002.
    /// The stream is sequential, unless its CanSeek says that jumping costs nothing.</summary>
    /// <param name="path">Which blob.</param>
    /// <param name="etag">Null for the current version; else the version that must still be current.</param>
    /// <param name="cancellation">Stops the call.</param>
    /// <exception cref="Faults.InputRejectedException">The blob is no longer at <paramref name="etag"/> (S002).</exception>
    Task<BlobContent?> OpenAsync(BlobPath path, string? etag, CancellationToken cancellation);

    /// <summary>Writes a blob that must not exist. Durable when it returns.</summary>
    /// <param name="path">Which blob.</param>
    /// <param name="content">Read to its end; seekable, so that a lost request can be repeated.</param>
    /// <param name="cancellation">Stops the call.</param>
    /// <returns>The new blob, or null when one exists already (nothing is written then).</returns>
    Task<BlobItem?> CreateAsync(BlobPath path, Stream content, CancellationToken cancellation);

    /// <summary>Replaces a blob that must still be at <paramref name="etag"/>. Durable when it returns.</summary>
    /// <returns>The new version, or null when the blob changed or is gone (nothing is written then).</returns>
    Task<BlobItem?> ReplaceAsync(BlobPath path, Stream content, string etag, CancellationToken cancellation);

    /// <summary>Deletes a blob; with an ETag only that version.</summary>
    /// <returns>False when it was absent or at another version.</returns>
    Task<bool> DeleteAsync(BlobPath path, string? etag, CancellationToken cancellation);
}

/// <summary>A blob's name and version as listed.</summary>
/// <param name="Container">Container name.</param>
/// <param name="Name">Name in the container, segments parted by '/'.</param>
/// <param name="Length">Bytes.</param>
/// <param name="ETag">Opaque version; differs after every write, also of equal bytes.</param>
/// <param name="Modified">When written, by the store's clock. Never used for ordering.</param>
public sealed record BlobItem(string Container, string Name, long Length, string ETag, DateTimeOffset Modified)
{
    /// <summary>True when the name cannot be addressed safely (dot segments, control characters …): report it, do not open it.</summary>
    public bool NameRefused => !BlobPath.IsValid(Container, Name);

    public BlobPath Path => BlobPath.Of(Container, Name);
}

/// <summary>An open blob: its version and its bytes.</summary>
public sealed class BlobContent(BlobItem item, Stream stream) : IAsyncDisposable
{
    public BlobItem Item { get; } = item;

    public Stream Stream { get; } = stream;

    public ValueTask DisposeAsync() => Stream.DisposeAsync();
}
