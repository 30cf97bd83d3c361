using DurableTask.Core.Exceptions;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace Scion.Functions;

/// <summary>Orchestrations of which at most one is alive under an id.</summary>
static class SingleInstance
{
    /// <summary>An instance in one of these is left as it is; after any other its id may be started anew.</summary>
    public static readonly OrchestrationRuntimeStatus[] Live =
        [OrchestrationRuntimeStatus.Pending, OrchestrationRuntimeStatus.Running, OrchestrationRuntimeStatus.Suspended];

    extension(DurableTaskClient client)
    {
        /// <summary>Starts an orchestration unless one of that id is alive, whoever asks, and however often.</summary>
        /// <returns>False when one is alive already, which is what was asked for.</returns>
        public async Task<bool> StartOnceAsync(string orchestrator, object input, string id, CancellationToken cancellation)
        {
            try
            {
                await client.ScheduleNewOrchestrationInstanceAsync(orchestrator, input, new StartOrchestrationOptions(id).WithDedupeStatuses(Live), cancellation);
                return true;
            }
            catch (OrchestrationAlreadyExistsException)
            {
                return false;
            }
        }
    }
}
