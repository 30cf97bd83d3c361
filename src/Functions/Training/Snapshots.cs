using Microsoft.Extensions.Options;
using Scion.Datasets;
using Scion.Pipelines;
using Scion.Storage;
using Scion.Text;

namespace Scion.Functions.Training;

/// <summary>Requests of runs of either kind, as these apps can run them.</summary>
sealed class Snapshots(IBlobStore store, EmbeddingTrainers trainers, IOptions<ScionSettings> settings, TimeProvider time)
{
    /// <summary>Pins a model's folder. Many reviews are given to the GPU app's trainer where there is one and <c>dataset.json</c> names none.</summary>
    /// <exception cref="Faults.InputRejectedException">As <see cref="ReviewSnapshot.TakeAsync"/> and <see cref="ImageSnapshot.TakeAsync"/>, or the trainer asked for is
    /// in no app (T015).</exception>
    public async Task<TrainingRequest> TakeAsync(DataKind kind, string model, CancellationToken cancellation)
    {
        if (kind == DataKind.Images) return await ImageSnapshot.TakeAsync(store, model, [], time, cancellation);
        TrainReviewsRequest request = await ReviewSnapshot.TakeAsync(store, model, [], time, cancellation);
        GpuSettings gpu = settings.Value.Gpu;
        if (!gpu.Pretrain) trainers.Require(request.Settings);
        else if (request.Settings.Embedding.Trainer is null && request.Files.Sum(file => file.Length) >= gpu.PretrainFromBytes)
        {
            ReviewSettings onGpu = request.Settings with { Embedding = request.Settings.Embedding with { Trainer = EmbeddingOptions.TorchTrainer } };
            return TrainReviewsRequest.Of(model, request.Files, onGpu, time.GetUtcNow()) with { Warnings = request.Warnings };
        }
        return request;
    }
}
