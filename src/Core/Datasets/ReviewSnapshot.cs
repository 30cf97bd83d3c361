using Scion.Faults;
using Scion.Pipelines;
using Scion.Storage;

namespace Scion.Datasets;

/// <summary>Pins what lies in <c>reviews/{model}/</c> at one moment: the request of a training run.</summary>
public static class ReviewSnapshot
{
    /// <summary>Lists the model's folder, reads its settings, and pins each file by ETag and SHA-256.</summary>
    /// <param name="store">Where the files lie.</param>
    /// <param name="model">Model name.</param>
    /// <param name="overrides">As typed after <c>--set</c>; they win over dataset.json.</param>
    /// <param name="time">Names the version.</param>
    /// <param name="cancellation">Stops the reading.</param>
    /// <exception cref="InputRejectedException">The name is not allowed (R001), the model is one of images (D508), the settings are not allowed (D401,
    /// D402), there is nothing to train on (D501), or files kept changing (D503).</exception>
    public static async Task<TrainReviewsRequest> TakeAsync(
        IBlobStore store, string model, IReadOnlyList<KeyValuePair<string, string>> overrides, TimeProvider time, CancellationToken cancellation)
    {
        PinnedFolder folder = await PinnedFolder.ReadAsync(store, DataKind.Reviews, model, cancellation);
        return TrainReviewsRequest.Of(model, folder.Files, SettingsFile.Read<ReviewSettings>(folder.Settings, overrides), time.GetUtcNow()) with { Warnings = folder.Warnings };
    }
}
