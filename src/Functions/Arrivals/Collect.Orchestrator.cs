using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;
using Scion.Datasets;
using Scion.Functions.Training;

namespace Scion.Functions.Arrivals;

/// <param name="Kind">Of the folder.</param>
/// <param name="Model">Its model.</param>
/// <param name="Seen">The folder's print at the last look; null before the first.</param>
sealed record CollectOrder(DataKind Kind, string Model, string? Seen = null);

/// <summary>Waits until what is dropped into a model's folder is whole, and starts its run. One instance a folder.</summary>
/// <remarks>It is told of nothing while it waits: it looks at the folder itself, so doubled, late and reordered events are one run. It ends when a look
/// finds that everything is taken in; what comes after that look is another event's, or the sweep's.</remarks>
[ServedBy(FunctionRoles.Cpu)]
static class CollectOrchestrator
{
    /// <summary>Looks of one history; then it goes on with a fresh one, however long an upload takes.</summary>
    const int Looks = 50;

    public static string InstanceOf(DataKind kind, string model) => $"collect-{kind.Container}-{model}";

    [Function(nameof(Collect))]
    public static async Task Collect([OrchestrationTrigger] TaskOrchestrationContext context, CollectOrder order)
    {
        for (int look = 0; look < Looks; look++)
        {
            FolderLook found = await context.CallActivityAsync<FolderLook>(nameof(ArrivalActivities.Gather), order, DurableSteps.Retry);
            order = order with { Seen = found.Print };
            context.SetCustomStatus(found);
            if (found.Run is { } run) await context.CallActivityAsync(nameof(ArrivalActivities.StartRun), run, DurableSteps.Retry);
            if (found.IsSettled) return;
            if (found.Wait > TimeSpan.Zero) await context.CreateTimer(found.Wait, CancellationToken.None);
        }
        context.ContinueAsNew(order);
    }
}
