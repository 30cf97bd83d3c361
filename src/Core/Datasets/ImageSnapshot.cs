using Scion.Faults;
using Scion.Pipelines;
using Scion.Storage;
using Scion.Vision;

namespace Scion.Datasets;

/// <summary>Pins what lies in <c>images/{model}/</c> at one moment: the request of a training run.</summary>
public static class ImageSnapshot
{
    /// <summary>Lists the model's folder, reads its settings, pins each file by ETag and SHA-256, and the network by its digest.</summary>
    /// <param name="store">Where the files lie.</param>
    /// <param name="model">Model name.</param>
    /// <param name="overrides">As typed after <c>--set</c>; they win over dataset.json.</param>
    /// <param name="time">Names the version.</param>
    /// <param name="cancellation">Stops the reading.</param>
    /// <exception cref="InputRejectedException">The name is not allowed (R001), the model is one of reviews (D508), the settings are not allowed (D401,
    /// D402), the network they name is not there (V065, V067), there is nothing to train on (D501), or files kept changing (D503).</exception>
    public static async Task<TrainImagesRequest> TakeAsync(
        IBlobStore store, string model, IReadOnlyList<KeyValuePair<string, string>> overrides, TimeProvider time, CancellationToken cancellation)
    {
        PinnedFolder folder = await PinnedFolder.ReadAsync(store, DataKind.Images, model, cancellation);
        ImageSettings settings = SettingsFile.Read<ImageSettings>(folder.Settings, overrides);
        if (settings.Encoder.Name != ImageEncoderSettings.Default)
        {
            ImageEncoderCard card = await ImageEncoders.FindAsync(store, settings.Encoder.Name, cancellation);
            settings = settings with { Encoder = settings.Encoder with { Name = $"encoders/{card.Sha256}" } };
        }
        return TrainImagesRequest.Of(model, folder.Files, settings, time.GetUtcNow()) with { Warnings = folder.Warnings };
    }
}
