using System.Text.Json;
using Azure.Storage.Queues.Models;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;

namespace Scion.Functions.Arrivals;

/// <summary>Tells of uploads by Event Grid, through a storage queue in the account that users upload to.</summary>
/// <remarks>Users' identities may be able to write there, so a message is data to judge: it can only make a folder be looked at. Fields that are not known are
/// passed over, as Event Grid asks.</remarks>
[ServedBy(FunctionRoles.Cpu)]
sealed partial class BlobEvents(ArrivalEvents events, ILogger<BlobEvents> log)
{
    public const string Queue = "blob-events";

    /// <remarks>A message that is no event is logged and left: no repetition could make sense of it, and the sweep finds what it may have told. A fault of storage
    /// is thrown, so the queue brings the message again, five times in all; then it lies in <c>blob-events-poison</c>, and the sweep finds the upload.</remarks>
    [Function(nameof(BlobEvent))]
    public async Task BlobEvent(
        [QueueTrigger(Queue, Connection = FunctionsServices.StorageConnection)] QueueMessage message, [DurableClient] DurableTaskClient client, CancellationToken cancellation)
    {
        if (CreatedBlob.Among(message.Body.ToMemory()) is not { } created) LogMalformed(message.MessageId, message.Body.ToMemory().Length);
        else foreach (CreatedBlob blob in created) await events.OnBlobAsync(client, blob.Container, blob.Name, cancellation);
    }

    [LoggerMessage(1, LogLevel.Error, "Message {Id} of blob-events ({Bytes} bytes) is no event of Event Grid and is left; the sweep finds what it may have told")]
    partial void LogMalformed(string id, int bytes);
}

/// <summary>A blob that Event Grid says was written.</summary>
/// <param name="Container">Its container.</param>
/// <param name="Name">Its name.</param>
sealed record CreatedBlob(string Container, string Name)
{
    const string Type = "Microsoft.Storage.BlobCreated", Before = "/blobServices/default/containers/", Between = "/blobs/";

    /// <summary>Blobs written, of a message in the Event Grid schema or as CloudEvents 1.0, one event or an array of them.</summary>
    /// <remarks>Both schemas have <c>subject</c>; the type is <c>eventType</c> in the one and <c>type</c> in the other
    /// (learn.microsoft.com/azure/event-grid/event-schema-blob-storage).</remarks>
    /// <returns>Empty for events of other types; null for a message that is no event.</returns>
    public static IReadOnlyList<CreatedBlob>? Among(ReadOnlyMemory<byte> message)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(message);
            JsonElement root = document.RootElement;
            List<CreatedBlob> created = [];
            foreach (JsonElement element in root.ValueKind == JsonValueKind.Array ? [.. root.EnumerateArray()] : (JsonElement[])[root])
            {
                if (element.ValueKind != JsonValueKind.Object || (Text(element, "eventType") ?? Text(element, "type")) is not { } type || Text(element, "subject") is not { } subject) return null;
                if (type != Type) continue;
                if (Of(subject) is not { } blob) return null;
                created.Add(blob);
            }
            return created;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)       // also a string that is no UTF-16
        {
            return null;
        }
    }

    static CreatedBlob? Of(string subject)
    {
        if (!subject.StartsWith(Before, StringComparison.Ordinal)) return null;
        int between = subject.IndexOf(Between, Before.Length, StringComparison.Ordinal);
        return between < 0 || between + Between.Length == subject.Length ? null : new CreatedBlob(subject[Before.Length..between], subject[(between + Between.Length)..]);
    }

    static string? Text(JsonElement of, string name) => of.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
