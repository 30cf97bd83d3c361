using System.Security.Cryptography;
using System.Text.Json;
using Scion.Faults;

namespace Scion.Storage;

/// <summary>Whole-blob reads on any store.</summary>
public static class BlobStoreReading
{
    extension(IBlobStore store)
    {
        /// <summary>The blob's bytes at its current version, or null when absent. For small blobs: at most 2 GiB.</summary>
        public async Task<byte[]?> FindBytesAsync(BlobPath path, CancellationToken cancellation)
        {
            await using BlobContent? content = await store.OpenAsync(path, etag: null, cancellation);
            if (content is null) return null;
            byte[] bytes = new byte[checked((int)content.Item.Length)];
            await content.Stream.ReadExactlyAsync(bytes, cancellation);
            return bytes;
        }

        /// <summary>The bytes of a step output, their digest checked.</summary>
        /// <exception cref="InputRejectedException">The blob is gone (S003) or its bytes are not those referred to (S004).</exception>
        public async Task<byte[]> ReadAsync(ArtifactRef artifact, CancellationToken cancellation)
        {
            byte[] bytes = await store.FindBytesAsync(BlobPath.Parse(artifact.Path), cancellation)
                ?? throw new InputRejectedException("S003", $"'{artifact.Path}' is gone.",
                    "It was deleted while in use; start the run again, which makes it anew.", Refusal.NotFound);
            string found = Convert.ToHexStringLower(SHA256.HashData(bytes));
            return found == artifact.Sha256 ? bytes : throw new InputRejectedException("S004",
                $"'{artifact.Path}' holds {bytes.Length} bytes with SHA-256 {found}; expected {artifact.Length} bytes with {artifact.Sha256}.",
                "It was overwritten or damaged; delete it and start the run again.", Refusal.Conflict);
        }

        /// <summary>A JSON blob of ours and its version, or null when absent.</summary>
        /// <exception cref="InputRejectedException">The content is not JSON of the expected form (S005).</exception>
        public async Task<(T Value, string ETag)?> FindJsonAsync<T>(BlobPath path, CancellationToken cancellation)
        {
            await using BlobContent? content = await store.OpenAsync(path, etag: null, cancellation);
            if (content is null) return null;
            try
            {
                T value = await JsonSerializer.DeserializeAsync<T>(content.Stream, ScionJson.Strict, cancellation) ?? throw new JsonException("It is null.");
                return (value, content.Item.ETag);
            }
            catch (JsonException e)
            {
                throw new InputRejectedException("S005", $"'{path}' is not valid: {e.Message}", "Restore it or delete it.");
            }
        }
    }
}
