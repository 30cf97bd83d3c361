using Scion.Faults;
using Scion.Storage;

namespace Scion.Datasets;

/// <summary>An uploaded file at its pinned bytes, read forwards, with jumps: by seeking where the store's stream can, else by reading on or
/// opening anew. Memory: a 64 KiB buffer.</summary>
sealed class PinnedStream : ForwardStream
{
    readonly IBlobStore store;
    readonly PinnedFile file;
    readonly Action<long> progress;
    BlobContent? content;
    string etag;
    long position;

    PinnedStream(IBlobStore store, PinnedFile file, string etag, BlobContent content, Action<long> progress) =>
        (this.store, this.file, this.etag, this.content, this.progress) = (store, file, etag, content, progress);

    /// <summary>Opens the file at its ETag, or at another when the bytes are the same: a file that was uploaded again unchanged.</summary>
    /// <param name="store">Where it lies.</param>
    /// <param name="file">What to read.</param>
    /// <param name="progress">Called with the position after each read.</param>
    /// <param name="cancellation">Stops the call.</param>
    /// <exception cref="InputRejectedException">It was deleted or replaced by other bytes (D014).</exception>
    public static async Task<PinnedStream> OpenAsync(IBlobStore store, PinnedFile file, Action<long> progress, CancellationToken cancellation)
    {
        BlobPath path = BlobPath.Of(file.Container, file.Name);
        string etag = file.ETag;
        BlobContent? content = await TryOpenAsync(store, path, etag, cancellation);
        if (content is null && await store.FindAsync(path, cancellation) is { } now && now.Length == file.Length)
        {
            etag = now.ETag;
            await using BlobContent? again = await TryOpenAsync(store, path, etag, cancellation);
            if (again is not null && Convert.ToHexStringLower(await System.Security.Cryptography.SHA256.HashDataAsync(again.Stream, cancellation)) == file.Sha256)
                content = await TryOpenAsync(store, path, etag, cancellation);
        }
        return content is null ? throw DatasetFaults.Gone(file.Name) : new PinnedStream(store, file, etag, content, progress);
    }

    static async Task<BlobContent?> TryOpenAsync(IBlobStore store, BlobPath path, string etag, CancellationToken cancellation)
    {
        try
        {
            return await store.OpenAsync(path, etag, cancellation);
        }
        catch (InputRejectedException e) when (e.Code == "S002")
        {
            return null;
        }
    }

    public override long Position
    {
        get => position;
        set => throw new NotSupportedException();
    }

    /// <summary>Goes to a position in [0, Length].</summary>
    public async Task GoToAsync(long target, CancellationToken cancellation)
    {
        if (content!.Stream.CanSeek)
        {
            content.Stream.Position = position = target;
            return;
        }
        if (target < position)
        {
            await content.DisposeAsync();
            content = await TryOpenAsync(store, BlobPath.Of(file.Container, file.Name), etag, cancellation) ?? throw DatasetFaults.Gone(file.Name);
            position = 0;
        }
        byte[] skipped = new byte[1 << 16];
        while (position < target)
        {
            int read = await ReadAsync(skipped.AsMemory(0, (int)Math.Min(skipped.Length, target - position)), cancellation);
            if (read == 0) return;
        }
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        int read = await content!.Stream.ReadAsync(buffer, cancellationToken);
        position += read;
        progress(position);
        return read;
    }

    public override int Read(byte[] buffer, int offset, int count)
    {
        int read = content!.Stream.Read(buffer, offset, count);
        position += read;
        return read;
    }

    public override long Length => file.Length;

    public override async ValueTask DisposeAsync()
    {
        if (content is not null) await content.DisposeAsync();
        content = null;
        await base.DisposeAsync();
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) content?.Stream.Dispose();
        base.Dispose(disposing);
    }
}
