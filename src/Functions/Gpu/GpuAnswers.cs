using System.Text.Json;
using Azure.Storage.Queues.Models;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;

namespace Scion.Functions.Gpu;

/// <summary>Hands answers of GPU apps to the orchestrations that wait, and tells them of steps that a GPU app died of.</summary>
[ServedBy(FunctionRoles.Cpu)]
sealed partial class GpuAnswers(ILogger<GpuAnswers> log)
{
    [Function(nameof(StepResult))]
    public Task StepResult(
        [QueueTrigger(GpuQueues.Results, Connection = GpuQueues.Connection)] QueueMessage message, [DurableClient] DurableTaskClient client, CancellationToken cancellation)
    {
        GpuDone done = JsonSerializer.Deserialize<GpuDone>(message.Body.ToMemory().Span, ScionJson.Strict)!;
        return client.RaiseEventAsync(done.Instance, done.Event, done, cancellation);
    }

    [Function(nameof(PretrainPoison))]
    public Task PretrainPoison(
        [QueueTrigger(GpuQueues.Pretrain + GpuQueues.Poison, Connection = GpuQueues.Connection)] QueueMessage message, [DurableClient] DurableTaskClient client,
        CancellationToken cancellation) => DiedAsync(message, client, cancellation);

    [Function(nameof(ExtractPoison))]
    public Task ExtractPoison(
        [QueueTrigger(GpuQueues.Extract + GpuQueues.Poison, Connection = GpuQueues.Connection)] QueueMessage message, [DurableClient] DurableTaskClient client,
        CancellationToken cancellation) => DiedAsync(message, client, cancellation);

    Task DiedAsync(QueueMessage message, DurableTaskClient client, CancellationToken cancellation)
    {
        GpuWork work;
        try
        {
            work = JsonSerializer.Deserialize<GpuWork>(message.Body.ToMemory().Span, ScionJson.Strict)!;
        }
        catch (JsonException)                                             // no run waits for it, and the host gives up no message of a poison queue: it would come for a week
        {
            LogMalformed(message.MessageId);
            return Task.CompletedTask;
        }
        LogDied(work.Step, work.Instance);
        return client.RaiseEventAsync(work.Instance, work.Event, new GpuDone(work.Instance, work.Event, FunctionsFaults.GpuDied(work.Step, GpuWorker.MaxTries)), cancellation);
    }

    [LoggerMessage(1, LogLevel.Error, "A GPU app died again and again of step {Step} of {Instance}")]
    partial void LogDied(string step, string instance);

    [LoggerMessage(2, LogLevel.Error, "Message {Id} of a GPU queue was no step and is left")]
    partial void LogMalformed(string id);
}
