using System.Text.Json;
using Azure.Storage.Blobs;
using Azure.Storage.Queues.Models;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;

namespace Scion.Functions.Arrivals;

/// <summary>Tells of uploads by polling: on a developer's machine, and where there is no Event Grid. In Azure they are switched off by setting
/// (<c>AzureWebJobs.{Name}.Disabled</c>), and <see cref="BlobEvents"/> tells.</summary>
/// <remarks>Bound to clients: no byte of an upload is read here, however large it is. <c>{name}</c> is the whole name, slashes included: <c>{model}/{file}</c>
/// would put all folders but the last into the model.</remarks>
[ServedBy(FunctionRoles.Cpu)]
sealed partial class BlobTriggers(ArrivalEvents events, ILogger<BlobTriggers> log)
{
    /// <summary>Queue in which the host puts blobs whose trigger failed too often.</summary>
    public const string Poison = "webjobs-blobtrigger-poison";

    [Function(nameof(ReviewsDropped))]
    public Task ReviewsDropped(
        [BlobTrigger("reviews/{name}", Connection = FunctionsServices.StorageConnection)] BlobClient blob, [DurableClient] DurableTaskClient client, CancellationToken cancellation) =>
        events.OnBlobAsync(client, blob.BlobContainerName, blob.Name, cancellation);

    [Function(nameof(ImagesDropped))]
    public Task ImagesDropped(
        [BlobTrigger("images/{name}", Connection = FunctionsServices.StorageConnection)] BlobClient blob, [DurableClient] DurableTaskClient client, CancellationToken cancellation) =>
        events.OnBlobAsync(client, blob.BlobContainerName, blob.Name, cancellation);

    [Function(nameof(PredictDropped))]
    public Task PredictDropped(
        [BlobTrigger("predict/{name}", Connection = FunctionsServices.StorageConnection)] BlobClient blob, [DurableClient] DurableTaskClient client, CancellationToken cancellation) =>
        events.OnBlobAsync(client, blob.BlobContainerName, blob.Name, cancellation);

    /// <summary>A trigger only starts an orchestration, so what is here could not be told while storage was away: it is told once more.</summary>
    [Function(nameof(BlobPoison))]
    public async Task BlobPoison(
        [QueueTrigger(Poison, Connection = FunctionsServices.StorageConnection)] QueueMessage message, [DurableClient] DurableTaskClient client, CancellationToken cancellation)
    {
        PoisonBlob? blob;
        try
        {
            blob = message.Body.ToObjectFromJson<PoisonBlob>();
        }
        catch (JsonException)
        {
            blob = null;
        }
        if (blob is not { ContainerName: { } container, BlobName: { } name })
        {
            LogMalformed(message.MessageId);
            return;
        }
        LogPoison(container);
        await events.OnBlobAsync(client, container, name, cancellation);
    }

    /// <summary>The host's record of a blob it gave up; its other fields are not needed.</summary>
    sealed record PoisonBlob(string? ContainerName, string? BlobName);

    [LoggerMessage(1, LogLevel.Warning, "A blob of {Container} could not be told of and is told again")]
    partial void LogPoison(string container);

    [LoggerMessage(2, LogLevel.Error, "Message {Id} of webjobs-blobtrigger-poison names no blob and is left; the sweep finds what it may have told")]
    partial void LogMalformed(string id);
}
