namespace Scion.Storage;

/// <summary>Whole-blob writes on any store.</summary>
public static class BlobStoreWriting
{
    extension(IBlobStore store)
    {
        /// <summary>Creates or replaces; whoever writes last wins. For blobs of which any complete writer's is right.</summary>
        /// <param name="path">Which blob.</param>
        /// <param name="content">Read from its start, again for each try; seekable.</param>
        /// <param name="cancellation">Stops it.</param>
        /// <returns>The blob as written.</returns>
        public async Task<BlobItem> PutAsync(BlobPath path, Stream content, CancellationToken cancellation)
        {
            while (true)
            {
                content.Position = 0;
                if (await store.CreateAsync(path, content, cancellation) is { } created) return created;
                content.Position = 0;
                if (await store.FindAsync(path, cancellation) is { } there && await store.ReplaceAsync(path, content, there.ETag, cancellation) is { } replaced) return replaced;
            }
        }

        /// <summary>As <see cref="PutAsync(IBlobStore, BlobPath, Stream, CancellationToken)"/>.</summary>
        public Task<BlobItem> PutAsync(BlobPath path, ReadOnlyMemory<byte> bytes, CancellationToken cancellation) =>
            store.PutAsync(path, new ReadOnlyMemoryStream(bytes), cancellation);
    }
}
