using DurableTask.Core.Exceptions;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Options;
using Scion.Pipelines;

namespace Scion.Functions.Training;

/// <summary>Starts the orchestration of a recorded run, whoever asks, and however often.</summary>
sealed class RunStarter(RunLedger ledger, IOptions<ScionSettings> settings)
{
    /// <summary>An instance in one of these is left as it is; after any other the run may be started anew.</summary>
    public static readonly OrchestrationRuntimeStatus[] Live =
        [OrchestrationRuntimeStatus.Pending, OrchestrationRuntimeStatus.Running, OrchestrationRuntimeStatus.Suspended];

    /// <summary>What the ledger says of it.</summary>
    /// <exception cref="Faults.InputRejectedException">There is no such run (L101).</exception>
    public async Task<RunState> StateAsync(string run, CancellationToken cancellation) => (await ledger.StatusAsync(run, cancellation)).State;

    /// <summary>Starts it unless it has ended, is suspended, or is under way.</summary>
    /// <exception cref="Faults.InputRejectedException">There is no such run (L101).</exception>
    public async Task StartAsync(DurableTaskClient client, string run, CancellationToken cancellation)
    {
        if (await StateAsync(run, cancellation) is not (RunState.Queued or RunState.Running)) return;
        try
        {
            await client.ScheduleNewOrchestrationInstanceAsync(nameof(TrainOrchestrator.Train), new TrainOrder(run, settings.Value.Gpu),
                new StartOrchestrationOptions(run).WithDedupeStatuses(Live), cancellation);
        }
        catch (OrchestrationAlreadyExistsException)
        {
            // Under way: what was asked for.
        }
    }
}
