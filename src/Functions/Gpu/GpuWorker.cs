using System.Text.Json;
using Azure.Storage.Queues.Models;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Logging;
using Scion.Faults;
using Scion.Functions.Training;
using Scion.Pipelines;
using Scion.Storage;

namespace Scion.Functions.Gpu;

/// <summary>Word vectors on a GPU. Libraries are loaded by the first step, not at start-up, which has 60 s.</summary>
[ServedBy(FunctionRoles.Pretrain)]
sealed class PretrainWorker(GpuWorker worker, ReviewActivities steps)
{
    [Function(nameof(PretrainOnGpu))]
    public Task PretrainOnGpu([QueueTrigger(GpuQueues.Pretrain, Connection = GpuQueues.Connection)] QueueMessage message, CancellationToken cancellation) =>
        worker.DoAsync(message, step => step == nameof(steps.TrainEmbeddingShard) ? steps.TrainEmbeddingShard : steps.PretrainEmbeddings, cancellation);
}

/// <summary>Features of pictures on a GPU.</summary>
[ServedBy(FunctionRoles.Extract)]
sealed class ExtractWorker(GpuWorker worker, ImageActivities steps)
{
    [Function(nameof(ExtractOnGpu))]
    public Task ExtractOnGpu([QueueTrigger(GpuQueues.Extract, Connection = GpuQueues.Connection)] QueueMessage message, CancellationToken cancellation) =>
        worker.DoAsync(message, _ => steps.ExtractImageFeatures, cancellation);
}

/// <summary>Takes a step from a GPU queue to its answer.</summary>
/// <remarks>The message stays leased while the step runs. An app that dies of a step gets it again, up to the host's <c>maxDequeueCount</c>; then
/// it lands in the poison queue and the waiting run fails with that reason. A transient fault is thrown, so that the queue brings it again.</remarks>
sealed partial class GpuWorker(IBlobStore store, ScionQueues queues, TimeProvider time, ILogger<GpuWorker> log)
{
    /// <summary>As <c>maxDequeueCount</c> in host.json, which a test compares: the last try answers with its fault instead of throwing.</summary>
    public const int MaxTries = 5;

    public async Task DoAsync(QueueMessage message, Func<string, Func<StepCall, CancellationToken, Task<StepAnswer>>> stepOf, CancellationToken cancellation)
    {
        GpuWork work = JsonSerializer.Deserialize<GpuWork>(message.Body.ToMemory().Span, ScionJson.Strict)!;
        if (message.DequeueCount == 1)
            RunTelemetry.QueueSeconds.Record((time.GetUtcNow() - work.SentAt).TotalSeconds, new KeyValuePair<string, object?>("step", work.Step));
        StepFault? fault;
        try
        {
            StepCall call = (await store.FindJsonAsync<StepCall>(BlobPath.Parse(work.Call), cancellation))?.Value
                ?? throw new TransientStorageException("S001", $"'{work.Call}' is not there.", "It is asked for again.");
            fault = (await stepOf(work.Step)(call, cancellation)).Fault;
        }
        catch (Exception e) when (message.DequeueCount >= MaxTries && !cancellation.IsCancellationRequested)
        {
            LogGivenUp(e, work.Step, work.Instance, message.DequeueCount);
            fault = e is TransientStorageException away ? new StepFault(FaultFamily.Transient, away.Code, $"{away.Fact} {away.Remedy}") : FunctionsFaults.Defect(e);
        }
        await queues.SendAsync(GpuQueues.Results, new GpuDone(work.Instance, work.Event, fault), cancellation);
    }

    [LoggerMessage(1, LogLevel.Error, "Step {Step} of {Instance} is given up after {Tries} tries")]
    partial void LogGivenUp(Exception e, string step, string instance, long tries);
}
