using System.Security.Cryptography;
using System.Text.Json;
using Azure.Storage.Queues.Models;
using Microsoft.Azure.Functions.Worker;
using Scion.Storage;

namespace Scion.Functions.Gpu;

/// <summary>Puts steps into GPU queues, and takes them back.</summary>
[ServedBy(FunctionRoles.Cpu)]
sealed class GpuActivities(IBlobStore store, ScionQueues queues, TimeProvider time)
{
    /// <summary>Blobs of calls in container <c>work</c>, named by their content.</summary>
    const string Folder = "calls";

    [Function(nameof(SendToGpu))]
    public async Task<GpuTicket> SendToGpu([ActivityTrigger] GpuOrder order, CancellationToken cancellation)
    {
        byte[] call = JsonSerializer.SerializeToUtf8Bytes(order.Call, ScionJson.Strict);
        BlobPath path = BlobPath.Of(Pipelines.StepMemo.Container, $"{Folder}/{Convert.ToHexStringLower(SHA256.HashData(call))}.json");
        await store.CreateAsync(path, new ReadOnlyMemoryStream(call), cancellation);
        SendReceipt sent = await queues.SendAsync(order.Queue, new GpuWork(order.Instance, order.Event, order.Step, path.ToString(), time.GetUtcNow()), cancellation);
        return new GpuTicket(order.Queue, sent.MessageId, sent.PopReceipt);
    }

    /// <returns>False when a GPU app has taken it.</returns>
    [Function(nameof(WithdrawFromGpu))]
    public Task<bool> WithdrawFromGpu([ActivityTrigger] GpuTicket ticket, CancellationToken cancellation) =>
        queues.WithdrawAsync(ticket.Queue, ticket.MessageId, ticket.PopReceipt, cancellation);
}
