using System.Globalization;
using System.Runtime.InteropServices;
using Scion.Heads;
using Scion.Pipelines;
using Scion.Storage;

namespace Scion.Vision;

/// <summary>Colour histograms and histograms of oriented gradients of the labelled pictures of one shard: the baseline without a network.</summary>
/// <remarks>Reads: row table, the shard and its index, cached features. Writes: <c>features.bin</c>, float32 [rows, dim]; cached features. Randomness:
/// none. Clock: none.</remarks>
/// <param name="memo">Keeps the answers.</param>
/// <param name="workers">Read pictures; shared by all calls in this process.</param>
public sealed class ExtractPixelFeaturesStep(StepMemo memo, PictureWorkers workers)
{
    const int Version = 1;

    /// <summary>Pictures a worker reads before it measures them.</summary>
    const int Batch = 4;

    /// <exception cref="Faults.InputRejectedException">A picture cannot be read any more (V103), or an input is damaged (S003, S004, S006, S007).</exception>
    public Task<FeaturesExtracted> RunAsync(ExtractPixelFeaturesInput input, IProgress<StepProgress>? progress, CancellationToken cancellation) =>
        memo.RunAsync(nameof(ExtractPixelFeaturesStep), Version, input, async writer =>
        {
            string computedBy = string.Create(CultureInfo.InvariantCulture, $"{nameof(PixelFeatures)} {PixelFeatures.Version}");
            ShardFeatures shard = new(memo.Store, input.Shard, PixelFeatures.Fit, computedBy, PixelFeatures.Dim);
            await shard.FillAsync(workers, () => Task.FromResult<(int, Action<ReadOnlyMemory<byte>, int, Span<float>>)>((Batch, Compute)),
                nameof(IImageSteps.ExtractPixelFeatures), progress, cancellation);
            ArtifactRef artifact = await writer.AddAsync("features.bin", MemoryMarshal.AsBytes(shard.Values.AsSpan()).ToArray(), cancellation);
            return new FeaturesExtracted(input.Shard.Index, shard.Rows, PixelFeatures.Dim, artifact);
        }, cancellation);

    static void Compute(ReadOnlyMemory<byte> pixels, int pictures, Span<float> rows)
    {
        for (int i = 0; i < pictures; i++)
            PixelFeatures.Measure(pixels.Span.Slice(i * PixelFeatures.Fit.Bytes, PixelFeatures.Fit.Bytes), rows.Slice(i * PixelFeatures.Dim, PixelFeatures.Dim));
    }
}
