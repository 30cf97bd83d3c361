using Scion.Datasets;
using Scion.Pipelines;
using Scion.Storage;

namespace Scion.Local.Running;

/// <summary>Requests of runs of either kind, as this machine can run them.</summary>
static class Snapshots
{
    /// <summary>Pins a model's folder and checks that this machine can train with its settings.</summary>
    /// <exception cref="Faults.InputRejectedException">As <see cref="ReviewSnapshot.TakeAsync"/> and <see cref="ImageSnapshot.TakeAsync"/>, or the trainer asked for is
    /// not in this build.</exception>
    public static async Task<TrainingRequest> TakeAsync(
        IBlobStore store, DataKind kind, string model, IReadOnlyList<KeyValuePair<string, string>> overrides, TimeProvider time, CancellationToken cancellation)
    {
        if (kind == DataKind.Images) return await ImageSnapshot.TakeAsync(store, model, overrides, time, cancellation);
        TrainReviewsRequest request = await ReviewSnapshot.TakeAsync(store, model, overrides, time, cancellation);
        TorchBuild.Trainers.Require(request.Settings);
        return request;
    }

    /// <summary>Checks settings typed by a person, before anything is copied.</summary>
    public static void Require(DataKind kind, IReadOnlyList<KeyValuePair<string, string>> settings)
    {
        if (kind == DataKind.Images) SettingsFile.Read<ImageSettings>(null, settings);
        else TorchBuild.Trainers.Require(SettingsFile.Read<ReviewSettings>(null, settings));
    }
}
