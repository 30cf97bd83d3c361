using System.Text.Json;
using Azure.Storage.Queues.Models;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;
using Scion.Faults;
using Scion.Functions.Gpu;
using Scion.Pipelines;

namespace Scion.Functions.Training;

/// <summary>What a person asked for. The ledger was told first and is the truth; a command only makes it happen now.</summary>
enum RunAction
{
    Start,
    Cancel,
    Suspend,
    Resume,
}

/// <param name="Run">The run.</param>
/// <param name="Action">What is to be done with its orchestration.</param>
sealed record RunCommand(string Run, RunAction Action);

/// <summary>Does to orchestrations what apps without a hub ask for, by queue <see cref="Queue"/>.</summary>
[ServedBy(FunctionRoles.Cpu)]
sealed partial class RunCommands(RunStarter starter, ILogger<RunCommands> log)
{
    public const string Queue = "run-commands";

    /// <remarks>Commands may come twice, late and in another order: each is carried out only as far as the ledger still agrees.</remarks>
    [Function(nameof(RunCommand))]
    public Task Obey([QueueTrigger(Queue, Connection = GpuQueues.Connection)] QueueMessage message, [DurableClient] DurableTaskClient client, CancellationToken cancellation) =>
        ObeyAsync(JsonSerializer.Deserialize<RunCommand>(message.Body.ToMemory().Span, ScionJson.Strict)!, client, cancellation);

    public async Task ObeyAsync(RunCommand command, DurableTaskClient client, CancellationToken cancellation)
    {
        try
        {
            (RunState state, OrchestrationRuntimeStatus? instance) = await starter.AgreeAsync(client, command.Run, cancellation);
            LogObeyed(command.Action, command.Run, state, instance);
        }
        catch (InputRejectedException e)
        {
            LogRefused(command.Run, e.Message);
        }
    }

    [LoggerMessage(1, LogLevel.Information, "{Action} of run {Run}: it is {State}, its orchestration was {Instance}")]
    partial void LogObeyed(RunAction action, string run, RunState state, OrchestrationRuntimeStatus? instance);

    [LoggerMessage(2, LogLevel.Warning, "A command for run {Run} is left: {Reason}")]
    partial void LogRefused(string run, string reason);
}
