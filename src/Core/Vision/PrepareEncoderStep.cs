using Google.Protobuf;
using Scion.Datasets;
using Scion.Faults;
using Scion.Onnx;
using Scion.Pipelines;

namespace Scion.Vision;

/// <summary>Cuts the network that was asked for at one layer or at all that are offered; or its twin, which has learned nothing.</summary>
/// <remarks>Reads: <c>encoders/{sha256}</c>, or the network that ships with Scion. Writes: the cut graph. Randomness: the twin's shuffle, by the
/// seed. Clock: none. Memory: about four times the network's file.</remarks>
public sealed class PrepareEncoderStep(StepMemo memo)
{
    const int Version = 1;

    /// <exception cref="InputRejectedException">There is no such network (V065, V067), it is damaged (V066), or it has no such layer (V063).</exception>
    public Task<ImageEncoderReady> RunAsync(PrepareEncoderInput input, IProgress<StepProgress>? progress, CancellationToken cancellation) =>
        memo.RunAsync(nameof(PrepareEncoderStep), Version, Pinned(input), async writer =>
        {
            ImageEncoder encoder = await ImageEncoders.ReadAsync(memo.Store, input.Name, cancellation);
            ImageEncoderCard card = encoder.Card;
            EncoderLayers known = new(card.Layers, card.DefaultLayer, card.Parameters);
            progress?.Report(new StepProgress(nameof(IImageSteps.PrepareEncoder), 0, 1, "encoders"));
            EncoderLayer[] layers = input.Layer == ImageEncoderSettings.Auto ? [.. card.Layers.Where(layer => layer.Offered)] : [known.Find($"'{card.Name}'", input.Layer)];
            if (layers.Length == 0) layers = [known.Find($"'{card.Name}'", card.DefaultLayer)];
            ModelProto model = input.Pretrained ? encoder.Model : EncoderGraph.ShuffledWeights(encoder.Model, input.Seed);
            byte[] graph = EncoderGraph.Cut(model, [.. layers.Select(layer => layer.Name)]).ToByteArray();
            return new ImageEncoderReady(card, await writer.AddAsync("encoder.onnx", graph, cancellation), layers,
                layers.Any(layer => layer.Name == card.DefaultLayer) ? card.DefaultLayer : layers[^1].Name, input.Pretrained);
        }, cancellation);

    /// <summary>By digest: a later Scion may ship another network.</summary>
    static PrepareEncoderInput Pinned(PrepareEncoderInput input) => input.Name == DefaultEncoder.Name ? input with { Name = $"encoders/{DefaultEncoder.Card.Sha256}" } : input;
}
