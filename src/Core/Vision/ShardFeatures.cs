using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Scion.Datasets;
using Scion.Pipelines;
using Scion.Storage;

namespace Scion.Vision;

/// <summary>Features of the labelled pictures of one shard: from the cache, and for the others computed and kept.</summary>
/// <param name="store">Where data set and cache lie.</param>
/// <param name="shard">The shard.</param>
/// <param name="fit">Size of the pictures.</param>
/// <param name="computedBy">Everything the features depend on but picture and size: the key of the cache.</param>
/// <param name="dim">Components of a picture's features.</param>
sealed class ShardFeatures(IBlobStore store, CuratedShard shard, PictureFit fit, string computedBy, int dim)
{
    /// <summary>Tells how far the step is after so many pictures.</summary>
    const int Told = 16;

    /// <summary>[rows, dim], in row order.</summary>
    public float[] Values { get; private set; } = [];

    /// <summary>Labelled pictures.</summary>
    public int Rows { get; private set; }

    /// <summary>Pictures that were computed.</summary>
    public int Computed { get; private set; }

    /// <param name="workers">Read pictures.</param>
    /// <param name="open">Called when pictures are to be computed: how many at once, and what computes pixels [n, height, width, 3] to rows [n, dim].</param>
    /// <param name="step">Name of the step, for progress.</param>
    /// <param name="progress">Told of pictures.</param>
    /// <param name="cancellation">Stops the work.</param>
    public async Task FillAsync(
        PictureWorkers workers, Func<Task<(int Batch, Action<ReadOnlyMemory<byte>, int, Span<float>> Compute)>> open, string step,
        IProgress<StepProgress>? progress, CancellationToken cancellation)
    {
        RowUse[] uses = RowTable.Parse(await store.ReadAsync(shard.Table, cancellation)).Uses[shard.Index];
        int[] places = new int[uses.Length];
        for (int row = 0; row < uses.Length; row++) places[row] = uses[row] is RowUse.Train or RowUse.Test ? Rows++ : -1;
        Values = new float[checked(Rows * dim)];
        if (Rows == 0) return;

        IReadOnlyList<IndexedPicture> index = await PictureIndex.ReadAsync(store, shard.Stored, cancellation);
        byte[][] digests = [.. index.Where((_, row) => places[row] >= 0).Select(picture => picture.Sha256)];
        FeatureCache cache = new(store, SourceOf(fit, computedBy), dim);
        (bool[] known, IReadOnlyList<BlobItem> covered) = await cache.ReadAsync(digests, Values, cancellation);
        int done = known.Count(found => found);
        progress?.Report(new StepProgress(step, done, Rows, "pictures"));
        Computed = Rows - done;
        if (Computed == 0) return;

        (int batch, Action<ReadOnlyMemory<byte>, int, Span<float>> compute) = await open();
        string[] names = [.. index.Where((_, row) => places[row] >= 0).Select(picture => picture.Name)];
        await workers.RunAsync(MissingAsync(), fit, batch, (pixels, at) =>
        {
            float[] rows = new float[at.Length * dim];
            compute(pixels, at.Length, rows);
            for (int i = 0; i < at.Length; i++)
            {
                ReadOnlySpan<float> row = rows.AsSpan(i * dim, dim);
                if (!System.Numerics.Tensors.TensorPrimitives.IsFiniteAll(row)) throw ExtractionFaults.NotFinite(names[at.Span[i]]);
                row.CopyTo(Values.AsSpan(at.Span[i] * dim));
            }
            int now = Interlocked.Add(ref done, at.Length);
            if (now / Told != (now - at.Length) / Told || now == Rows) progress?.Report(new StepProgress(step, now, Rows, "pictures"));
        }, cancellation);
        await cache.WriteAsync(digests, Values, covered, cancellation);

        async IAsyncEnumerable<(int, ImageRow)> MissingAsync()
        {
            int row = 0;
            await foreach (ImageRow picture in ImageShard.ReadAsync(store, shard.Stored, cancellation))
            {
                int place = places[row++];
                if (place >= 0 && !known[place]) yield return (place, picture);
            }
        }
    }

    static string SourceOf(PictureFit fit, string computedBy) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{JsonSerializer.Serialize(fit, ScionJson.Strict)}\n{computedBy}")));
}
