using System.Text.Json;
using Scion.Pipelines;

namespace Scion.Functions.Training;

/// <summary>Input of a step's activity, and what a GPU queue's blob holds. References and settings only, never data.</summary>
/// <param name="Run">The run that asks.</param>
/// <param name="Stage">Where the run was when it asked.</param>
/// <param name="Input">The step's input, in <see cref="ScionJson.Strict"/>.</param>
sealed record StepCall(string Run, StageStarted Stage, JsonElement Input);

/// <param name="Stage">Where the run is.</param>
/// <param name="Since">When the stage began, UTC, by the orchestration's clock.</param>
sealed record StageStarted(RunStage Stage, DateTime Since);

/// <summary>Answer of a step's activity.</summary>
/// <remarks>What repeating cannot help comes back as a value, so it needs no exception to keep its type on the way through two processes and a
/// history; what can be repeated is thrown, and the retry policy repeats whatever is thrown.</remarks>
/// <param name="Output">The step's output, in <see cref="ScionJson.Strict"/>; null when there is a fault.</param>
/// <param name="Fault">Why the step cannot be done; null when it was.</param>
sealed record StepAnswer(JsonElement? Output, StepFault? Fault);

/// <summary>Whose fault it was.</summary>
enum FaultFamily
{
    /// <summary>The data or the settings; the run fails and says what to change.</summary>
    Refused,
    /// <summary>Someone cancelled the run; the ledger says so already.</summary>
    Cancelled,
    /// <summary>Someone suspended the run; the step is to be done when it is resumed.</summary>
    Suspended,
    /// <summary>Storage stayed away through all tries.</summary>
    Transient,
    /// <summary>Scion's own.</summary>
    Defect,
}

/// <param name="Family">Whose it was.</param>
/// <param name="Code">As in docs/errors.md.</param>
/// <param name="Message">Fact and remedy.</param>
sealed record StepFault(FaultFamily Family, string Code, string Message);

/// <summary>Carries a <see cref="StepFault"/> up through a pipeline, inside an orchestrator only.</summary>
sealed class StepFaultException(StepFault fault) : Exception($"{fault.Code}: {fault.Message}")
{
    public StepFault Fault { get; } = fault;
}
