using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Microsoft.DurableTask.Client;
using Scion.Serving;
using Scion.Storage;

namespace Scion.Functions.Predictions;

/// <summary>Starts the scoring of dropped files, one instance for each version of a file.</summary>
sealed class ScoreStarter(IBlobStore store, DropScoring scoring)
{
    /// <summary>Versions of files that have their record, as this process saw it: a sweep does not read every record each time.</summary>
    readonly ConcurrentDictionary<string, string> scored = new(StringComparer.Ordinal);

    /// <summary><c>score-{model}-{16 hex}</c>: no name of a file becomes part of an id.</summary>
    public static string InstanceOf(string model, string name, string etag) =>
        $"score-{model}-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{name}\n{etag}")))[..16]}";

    /// <param name="client">Of the hub.</param>
    /// <param name="item">A file of a model.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>False when its scoring is under way.</returns>
    public async Task<bool> StartAsync(DurableTaskClient client, BlobItem item, CancellationToken cancellation) => await client.StartOnceAsync(
        nameof(ScoreOrchestrator.Score), new ScoreOrder(item.Name, item.ETag), InstanceOf(DropScoring.ModelOf(item.Name)!, item.Name, item.ETag), cancellation);

    /// <summary>As <see cref="StartAsync"/>, unless this version of the file has its record.</summary>
    public async Task StartUnlessScoredAsync(DurableTaskClient client, BlobItem item, CancellationToken cancellation)
    {
        if (scored.TryGetValue(item.Name, out string? etag) && etag == item.ETag) return;
        if (await scoring.FindAsync(item, cancellation) is null) await StartAsync(client, item, cancellation);
        else scored[item.Name] = item.ETag;
    }

    /// <summary>Starts what waits in <c>predict/{model}/</c>.</summary>
    public async Task StartWaitingAsync(DurableTaskClient client, string model, CancellationToken cancellation)
    {
        await foreach (BlobItem item in store.ListAsync(DropScoring.Inbox, $"{model}/", cancellation))
            if (DropScoring.ModelOf(item.Name) == model) await StartUnlessScoredAsync(client, item, cancellation);
    }
}
