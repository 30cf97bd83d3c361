using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Options;
using Scion.Pipelines;

namespace Scion.Functions.Training;

/// <summary>Starts the orchestration of a recorded run, whoever asks, and however often.</summary>
sealed class RunStarter(RunLedger ledger, IOptions<ScionSettings> settings)
{
    /// <summary>What the ledger says of it.</summary>
    /// <exception cref="Faults.InputRejectedException">There is no such run (L101).</exception>
    public async Task<RunState> StateAsync(string run, CancellationToken cancellation) => (await ledger.StatusAsync(run, cancellation)).State;

    /// <summary>Starts it unless it has ended, is suspended, or is under way.</summary>
    /// <exception cref="Faults.InputRejectedException">There is no such run (L101).</exception>
    public async Task StartAsync(DurableTaskClient client, string run, CancellationToken cancellation)
    {
        if (await StateAsync(run, cancellation) is not (RunState.Queued or RunState.Running)) return;
        await client.StartOnceAsync(nameof(TrainOrchestrator.Train), new TrainOrder(run, settings.Value.Gpu), run, cancellation);
    }
}
