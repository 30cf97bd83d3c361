using Scion.Storage;

namespace Scion.Tests.Datasets;

/// <summary>Hands out a blob's bytes in pieces of random size, without seeking, as a network does.</summary>
sealed class ChunkedBlobStore(IBlobStore store, int seed) : IBlobStore
{
    readonly Random random = new(seed);

    public IAsyncEnumerable<BlobItem> ListAsync(string container, string prefix, CancellationToken cancellation) => store.ListAsync(container, prefix, cancellation);

    public Task<BlobItem?> FindAsync(BlobPath path, CancellationToken cancellation) => store.FindAsync(path, cancellation);

    public async Task<BlobContent?> OpenAsync(BlobPath path, string? etag, CancellationToken cancellation) =>
        await store.OpenAsync(path, etag, cancellation) is { } content ? new BlobContent(content.Item, new Pieces(content.Stream, random)) : null;

    public Task<BlobItem?> CreateAsync(BlobPath path, Stream content, CancellationToken cancellation) => store.CreateAsync(path, content, cancellation);

    public Task<BlobItem?> ReplaceAsync(BlobPath path, Stream content, string etag, CancellationToken cancellation) => store.ReplaceAsync(path, content, etag, cancellation);

    public Task<bool> DeleteAsync(BlobPath path, string? etag, CancellationToken cancellation) => store.DeleteAsync(path, etag, cancellation);

    sealed class Pieces(Stream inner, Random random) : Stream
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await Task.Yield();
            return await inner.ReadAsync(buffer[..Math.Min(buffer.Length, 1 + random.Next(random.Next(2) == 0 ? 5 : 5000))], cancellationToken);
        }

        public override int Read(byte[] buffer, int offset, int count) => inner.Read(buffer, offset, Math.Min(count, 1 + random.Next(7)));

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => inner.Length;

        public override long Position { get => inner.Position; set => throw new NotSupportedException(); }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing) inner.Dispose();
            base.Dispose(disposing);
        }
    }
}
