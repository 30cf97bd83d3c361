using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Options;
using Scion.Pipelines;

namespace Scion.Functions.Training;

/// <summary>Starts the orchestration of a recorded run, whoever asks, and however often.</summary>
sealed class RunStarter(RunLedger ledger, IOptions<ScionSettings> settings)
{
    /// <summary>Output of an orchestration that was terminated because the ledger said so; a run opened again since then is to be started.</summary>
    public const string Stopped = "cancelled";

    /// <summary>What the ledger says of it.</summary>
    /// <exception cref="Faults.InputRejectedException">There is no such run (L101).</exception>
    public async Task<RunState> StateAsync(string run, CancellationToken cancellation) => (await ledger.StatusAsync(run, cancellation)).State;

    /// <summary>Does to the run's orchestration what the ledger says: whether a command came twice, late or never.</summary>
    /// <returns>What the ledger says, and what the orchestration was before; null when there was none.</returns>
    /// <exception cref="Faults.InputRejectedException">There is no such run (L101).</exception>
    public async Task<(RunState State, OrchestrationRuntimeStatus? Instance)> AgreeAsync(DurableTaskClient client, string run, CancellationToken cancellation)
    {
        RunState state = await StateAsync(run, cancellation);
        OrchestrationRuntimeStatus? instance = (await client.GetInstanceAsync(run, cancellation))?.RuntimeStatus;
        switch (state)
        {
            case RunState.Cancelled when instance is not null && SingleInstance.Live.Contains(instance.Value):
            case RunState.Succeeded or RunState.Failed when instance is OrchestrationRuntimeStatus.Suspended:          // it ended in the moment it was suspended
                await client.TerminateInstanceAsync(run, new TerminateInstanceOptions { Output = Stopped, Recursive = true }, cancellation);
                break;
            case RunState.Suspended when instance is OrchestrationRuntimeStatus.Running or OrchestrationRuntimeStatus.Pending:
                await client.SuspendInstanceAsync(run, "suspended", cancellation);
                break;
            case RunState.Queued or RunState.Running when instance is OrchestrationRuntimeStatus.Suspended:
                await client.ResumeInstanceAsync(run, "resumed", cancellation);
                break;
            case RunState.Queued or RunState.Running:
                await OnceAsync(client, run, cancellation);
                break;
            default:
                break;                                                    // it has ended, or its instance has
        }
        return (state, instance);
    }

    /// <summary>Starts it unless it has ended, is suspended, or is under way.</summary>
    /// <exception cref="Faults.InputRejectedException">There is no such run (L101).</exception>
    public async Task StartAsync(DurableTaskClient client, string run, CancellationToken cancellation)
    {
        if (await StateAsync(run, cancellation) is RunState.Queued or RunState.Running) await OnceAsync(client, run, cancellation);
    }

    Task<bool> OnceAsync(DurableTaskClient client, string run, CancellationToken cancellation) =>
        client.StartOnceAsync(nameof(TrainOrchestrator.Train), new TrainOrder(run, settings.Value.Gpu), run, cancellation);
}
