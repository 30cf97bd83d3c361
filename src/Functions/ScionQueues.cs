using System.Text.Json;
using Azure;
using Azure.Storage.Queues;
using Azure.Storage.Queues.Models;

namespace Scion.Functions;

/// <summary>Sends to the queues that only Scion writes. Messages are JSON in <see cref="ScionJson.Strict"/>, in base64 as the host reads them.</summary>
sealed class ScionQueues(QueueServiceClient service)
{
    /// <summary>Not the newest: the emulator refuses versions that are newer than itself.</summary>
    public const QueueClientOptions.ServiceVersion Version = QueueClientOptions.ServiceVersion.V2025_11_05;

    /// <summary>As the host's queue trigger expects.</summary>
    public static QueueClientOptions Options => new(Version) { MessageEncoding = QueueMessageEncoding.Base64 };

    /// <returns>What withdraws the message.</returns>
    public async Task<SendReceipt> SendAsync<T>(string queue, T message, CancellationToken cancellation)
    {
        QueueClient client = service.GetQueueClient(queue);
        string text = JsonSerializer.Serialize(message, ScionJson.Strict);
        try
        {
            return await client.SendMessageAsync(text, cancellation);
        }
        catch (RequestFailedException e) when (e.ErrorCode == QueueErrorCode.QueueNotFound)        // in Azure they are deployed; elsewhere the first message makes them
        {
            await client.CreateIfNotExistsAsync(cancellationToken: cancellation);
            return await client.SendMessageAsync(text, cancellation);
        }
    }

    /// <summary>Takes a message back.</summary>
    /// <returns>False when someone has taken it since it was sent.</returns>
    public async Task<bool> WithdrawAsync(string queue, string messageId, string popReceipt, CancellationToken cancellation)
    {
        try
        {
            await service.GetQueueClient(queue).DeleteMessageAsync(messageId, popReceipt, cancellation);
            return true;
        }
        catch (RequestFailedException e) when (e.ErrorCode == QueueErrorCode.MessageNotFound || e.ErrorCode == QueueErrorCode.PopReceiptMismatch)
        {
            return false;
        }
    }
}
