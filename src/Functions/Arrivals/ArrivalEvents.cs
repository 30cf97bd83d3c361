using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;
using Scion.Datasets;
using Scion.Functions.Predictions;
using Scion.Registry;
using Scion.Serving;
using Scion.Storage;

namespace Scion.Functions.Arrivals;

/// <summary>What happens when someone tells of a blob: a polling trigger, Event Grid, the host's poison queue.</summary>
/// <remarks>Nothing of an event but the blob's name is believed, so it may come twice, late, in any order, or for a blob that is gone.</remarks>
sealed partial class ArrivalEvents(IBlobStore store, ScoreStarter scoring, ILogger<ArrivalEvents> log)
{
    /// <summary>Has the folder of a blob looked at, or a dropped file scored. Blobs of other containers are nobody's.</summary>
    public async Task OnBlobAsync(DurableTaskClient client, string container, string name, CancellationToken cancellation)
    {
        if (DataKinds.Of(container) is { } kind)
        {
            string model = StrayUploads.FolderOf(name);
            if (ModelName.IsValid(model)) await CollectAsync(client, kind, model, cancellation);
            else LogStray(container);
        }
        else if (container == DropScoring.Inbox)
        {
            if (DropScoring.ModelOf(name) is null) LogStray(container);
            else if (await store.FindAsync(BlobPath.Of(container, name), cancellation) is { } item) await scoring.StartAsync(client, item, cancellation);
        }
    }

    /// <summary>Has a model's folder looked at, unless a look is under way.</summary>
    public static Task<bool> CollectAsync(DurableTaskClient client, DataKind kind, string model, CancellationToken cancellation) =>
        client.StartOnceAsync(nameof(CollectOrchestrator.Collect), new CollectOrder(kind, model), CollectOrchestrator.InstanceOf(kind, model), cancellation);

    [LoggerMessage(1, LogLevel.Warning, "A file in {Container}/ lies in no model's folder, so nothing comes of it; the sweep records which")]
    partial void LogStray(string container);
}
