using Scion.Onnx;
using Scion.Storage;

namespace Scion.Vision;

/// <summary>Networks open in this process, so that the shards of a run share one. The last few are kept.</summary>
/// <param name="gpu">True: a GPU is used if there is one.</param>
public sealed class EncoderSessions(bool gpu = true) : IDisposable
{
    /// <summary>Networks kept that nobody uses: a run has two, the pretrained one and its twin.</summary>
    const int Kept = 2;

    readonly SharedSessions<EncoderSession> shared = new(Kept);

    /// <summary>Opens a network, or takes the one that is open. Dispose of the answer when done.</summary>
    /// <exception cref="Faults.InputRejectedException">The graph is gone (S003), damaged (S004) or cannot be used (V101).</exception>
    internal Task<SharedSession<EncoderSession>> OpenAsync(IBlobStore store, ImageEncoderReady encoder, CancellationToken cancellation) =>
        shared.OpenAsync(encoder.Graph.Sha256, async () => new EncoderSession(await store.ReadAsync(encoder.Graph, cancellation), encoder.Card.Fit,
            [.. encoder.Layers.Select(layer => layer.Features)], encoder.Card.Batches, gpu), cancellation);

    public void Dispose() => shared.Dispose();
}
