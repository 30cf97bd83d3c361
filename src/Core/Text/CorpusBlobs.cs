using System.Runtime.InteropServices;
using Scion.Pipelines;
using Scion.Storage;

namespace Scion.Text;

/// <summary>A corpus in blobs: each text as int32 length and int32 ids, little-endian; a blob ends with a text.</summary>
static class CorpusBlobs
{
    /// <summary>Words after which a blob is closed: 128 MiB. Bounds what is held beside the corpus.</summary>
    const int WordsPerBlob = 32 << 20;

    /// <summary>Stores the corpus under the step's key.</summary>
    public static async Task<ArtifactRef[]> WriteAsync(StepWriter writer, TokenCorpus corpus, CancellationToken cancellation)
    {
        List<ArtifactRef> blobs = [];
        for (int first = 0, next; first < corpus.Texts; first = next)
        {
            next = first;
            while (next < corpus.Texts && (next == first || corpus.Starts[next + 1] - corpus.Starts[first] <= WordsPerBlob)) next++;
            int[] packed = new int[next - first + corpus.Starts[next] - corpus.Starts[first]];
            int at = 0;
            for (int text = first; text < next; text++)
            {
                ReadOnlySpan<int> ids = corpus.Text(text);
                packed[at++] = ids.Length;
                ids.CopyTo(packed.AsSpan(at));
                at += ids.Length;
            }
            blobs.Add(await writer.AddAsync("corpus.bin", MemoryMarshal.AsBytes(packed.AsSpan()).ToArray(), cancellation));
        }
        return [.. blobs];
    }

    /// <exception cref="Faults.InputRejectedException">A blob is gone (S003) or changed (S004).</exception>
    public static async Task<TokenCorpus> ReadAsync(IBlobStore store, ShardCorpus stored, CancellationToken cancellation)
    {
        int[] ids = new int[stored.Words], starts = new int[stored.Texts + 1];
        int text = 0;
        foreach (ArtifactRef blob in stored.Ids)
        {
            byte[] bytes = await store.ReadAsync(blob, cancellation);
            for (int at = 0; at < bytes.Length; text++)
            {
                int length = MemoryMarshal.Read<int>(bytes.AsSpan(at));
                MemoryMarshal.Cast<byte, int>(bytes.AsSpan(at + sizeof(int), length * sizeof(int))).CopyTo(ids.AsSpan(starts[text]));
                starts[text + 1] = starts[text] + length;
                at += (length + 1) * sizeof(int);
            }
        }
        return new TokenCorpus(ids, starts);
    }
}
