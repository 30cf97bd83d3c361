using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Scion.Functions.Training;

/// <summary>Forgets orchestrations that ended long ago: Azure Storage keeps them for ever. The ledger keeps every run.</summary>
[ServedBy(FunctionRoles.Cpu)]
sealed partial class Purge(IOptions<ScionSettings> settings, TimeProvider time, ILogger<Purge> log)
{
    static readonly OrchestrationRuntimeStatus[] Ended =
        [OrchestrationRuntimeStatus.Completed, OrchestrationRuntimeStatus.Failed, OrchestrationRuntimeStatus.Terminated];

    [Function(nameof(PurgeOld))]
    public async Task PurgeOld([TimerTrigger("0 30 3 * * *")] TimerInfo timer, [DurableClient] DurableTaskClient client, CancellationToken cancellation)
    {
        PurgeResult purged = await client.PurgeAllInstancesAsync(
            new PurgeInstancesFilter(CreatedFrom: null, CreatedTo: time.GetUtcNow() - settings.Value.Purge, Ended), cancellation);
        LogPurged(purged.PurgedInstanceCount, settings.Value.Purge);
    }

    [LoggerMessage(1, LogLevel.Information, "{Count} orchestrations that began more than {Age} ago are purged")]
    partial void LogPurged(int count, TimeSpan age);
}
