using System.Text.Json;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Logging;
using Scion.Faults;
using Scion.Pipelines;

namespace Scion.Functions.Training;

/// <param name="Run">The run.</param>
/// <param name="Outcome">What it made, a <see cref="TrainingOutcome"/> in <see cref="ScionJson.Strict"/>.</param>
sealed record RunSucceeded(string Run, JsonElement Outcome);

/// <param name="Run">The run.</param>
/// <param name="Fault">Why it cannot succeed.</param>
sealed record RunFailed(string Run, StepFault Fault);

/// <summary>The beginning and the end of a run, in the ledger.</summary>
[ServedBy(FunctionRoles.Cpu)]
sealed partial class RunActivities(RunLedger ledger, ILogger<RunActivities> log)
{
    /// <returns>The run's request, a <see cref="TrainingRequest"/> in <see cref="ScionJson.Strict"/>; null when the run has ended, or cannot begin because its record is damaged.</returns>
    [Function(nameof(BeginRun))]
    public async Task<JsonElement?> BeginRun([ActivityTrigger] string run, CancellationToken cancellation)
    {
        RunStatus status = await ledger.UpdateAsync(run, status =>
            status.State == RunState.Queued ? status with { State = RunState.Running, Error = null } : status, cancellation);
        if (status.IsFinished) return null;
        TrainingRequest request;
        try
        {
            request = await ledger.RequestAsync(run, cancellation);
        }
        catch (InputRejectedException e)                                  // nobody can repair it by repeating
        {
            await FailRun(new RunFailed(run, FunctionsFaults.Of(e)), cancellation);
            return null;
        }
        LogStarted(run);
        return JsonSerializer.SerializeToElement(request, ScionJson.Strict);
    }

    [Function(nameof(SucceedRun))]
    public async Task SucceedRun([ActivityTrigger] RunSucceeded run, CancellationToken cancellation)
    {
        RunStatus status = await ledger.SucceedAsync(run.Run, run.Outcome.Deserialize<TrainingOutcome>(ScionJson.Strict)!, cancellation);
        Ended(status);
        LogSucceeded(run.Run, status.Version, status.Gate);
    }

    [Function(nameof(FailRun))]
    public async Task FailRun([ActivityTrigger] RunFailed run, CancellationToken cancellation)
    {
        Ended(await ledger.FailAsync(run.Run, run.Fault.Code, run.Fault.Message, cancellation));
        LogFailed(run.Run, run.Fault.Code);
    }

    static void Ended(RunStatus status) => RunTelemetry.Runs.Add(1, new KeyValuePair<string, object?>("state", status.State.ToString()));

    [LoggerMessage(1, LogLevel.Information, "Run {Run}: training")]
    partial void LogStarted(string run);

    [LoggerMessage(2, LogLevel.Information, "Run {Run}: version {Version}. {Gate}")]
    partial void LogSucceeded(string run, string? version, string? gate);

    /// <remarks>The message may quote files and labels, which stay in the ledger.</remarks>
    [LoggerMessage(3, LogLevel.Warning, "Run {Run} failed: {Code}; runs/{Run}/status.json says why")]
    partial void LogFailed(string run, string code);
}
