using System.Runtime.InteropServices;
using Scion.Heads;
using Scion.Onnx;
using Scion.Pipelines;
using Scion.Storage;

namespace Scion.Vision;

/// <summary>Features of the labelled pictures of one shard, of all layers in one pass. A picture that was ever put through the same cut network is
/// not read again.</summary>
/// <remarks>Reads: row table, the shard and its index, the cut network, cached features. Writes: <c>features-0.bin</c>, <c>features-1.bin</c> …, float32
/// [rows, dim], one a layer; cached features. Randomness: none. Clock: none. The last bits of a feature may differ between a CPU and a GPU.</remarks>
/// <param name="memo">Keeps the answers.</param>
/// <param name="workers">Read pictures; shared by all calls in this process.</param>
/// <param name="sessions">Networks; shared by all calls in this process.</param>
public sealed class ExtractImageFeaturesStep(StepMemo memo, PictureWorkers workers, EncoderSessions sessions)
{
    const int Version = 1;

    /// <exception cref="Faults.InputRejectedException">A picture cannot be read any more (V103) or has features that are not finite (V104), the network
    /// cannot be used (V101, V102), or an input is damaged (S003, S004, S006, S007).</exception>
    public Task<ImageFeaturesExtracted> RunAsync(ExtractImageFeaturesInput input, IProgress<StepProgress>? progress, CancellationToken cancellation) =>
        memo.RunAsync(nameof(ExtractImageFeaturesStep), Version, input, async writer =>
        {
            int[] dims = [.. input.Encoder.Layers.Select(layer => layer.Features)];
            int all = dims.Sum();
            ShardFeatures shard = new(memo.Store, input.Shard, input.Encoder.Card.Fit, input.Encoder.Graph.Sha256, all);
            SharedSession<EncoderSession>? open = null;
            string device = "cache";
            try
            {
                await shard.FillAsync(workers, async () =>
                {
                    open = await sessions.OpenAsync(memo.Store, input.Encoder, cancellation);
                    return (open.Session.Batch, (pixels, pictures, rows) => Compute(open.Session, dims, pixels, pictures, rows));
                }, nameof(IImageSteps.ExtractImageFeatures), progress, cancellation);
                if (open is not null) device = open.Session.Device;
            }
            finally
            {
                open?.Dispose();
            }
            FeaturesExtracted[] layers = new FeaturesExtracted[dims.Length];
            for (int layer = 0, from = 0; layer < dims.Length; from += dims[layer++])
            {
                float[] values = new float[shard.Rows * dims[layer]];
                for (int row = 0; row < shard.Rows; row++)
                    shard.Values.AsSpan((row * all) + from, dims[layer]).CopyTo(values.AsSpan(row * dims[layer]));
                ArtifactRef artifact = await writer.AddAsync($"features-{layer}.bin", MemoryMarshal.AsBytes(values.AsSpan()).ToArray(), cancellation);
                layers[layer] = new FeaturesExtracted(input.Shard.Index, shard.Rows, dims[layer], artifact);
            }
            return new ImageFeaturesExtracted(input.Shard.Index, layers, shard.Computed, device);
        }, cancellation);

    /// <param name="session">The network.</param>
    /// <param name="dims">Components of each layer's features.</param>
    /// <param name="pixels">[pictures, height, width, 3].</param>
    /// <param name="pictures">At least 1.</param>
    /// <param name="rows">[pictures, Σ dims], written.</param>
    static void Compute(EncoderSession session, int[] dims, ReadOnlyMemory<byte> pixels, int pictures, Span<float> rows)
    {
        Memory<float>[] outputs = [.. dims.Select(dim => new float[pictures * dim].AsMemory())];
        session.Run(pixels, pictures, outputs);
        int all = dims.Sum();
        for (int layer = 0, from = 0; layer < dims.Length; from += dims[layer++])
            for (int i = 0; i < pictures; i++)
                outputs[layer].Span.Slice(i * dims[layer], dims[layer]).CopyTo(rows[((i * all) + from)..]);
    }
}
