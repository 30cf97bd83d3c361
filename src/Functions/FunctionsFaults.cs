using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.DurableTask;
using Scion.Datasets;
using Scion.Faults;
using Scion.Functions.Training;

namespace Scion.Functions;

/// <summary>Faults of the Functions host, and what an exception means to a run.</summary>
static partial class FunctionsFaults
{
    public static StepFault Defect(Exception e) => new(FaultFamily.Defect, "F001", $"A defect of Scion: {e.GetType().Name}: {e.Message} "
        + "Nothing that was uploaded is lost. Please report it with the log of that time; start the run again after an update.");

    /// <summary>An activity was tried as often as the policy allows and its fault is none of ours by its text.</summary>
    public static StepFault TriedOut(string step, string message) => new(FaultFamily.Transient, "F002", $"Step {step} failed in every try: {message} "
        + "Look at the log of the cpu app at that time, then start the run again: finished steps are kept.");

    public static StepFault GpuDied(string step, long tries) => new(FaultFamily.Defect, "F003", $"The GPU app died {tries} times of step {step}. "
        + "Look at its log (out of memory?), or switch that queue off (Scion__Gpu__Pretrain, Scion__Gpu__Extract), and start the run again: finished steps are kept.");

    /// <summary>The instance ended and left the ledger open.</summary>
    public static StepFault Unfinished(string run, string status, string? reason) => new(FaultFamily.Defect, "F004",
        $"The orchestration of run {run} ended as {status} before the run did{(reason is null ? "." : $": {reason}")} Start the run again: finished steps are kept.");

    public static InputRejectedException TooLongToRead(DataKind kind, string model, TimeSpan limit) => new("F010",
        string.Create(CultureInfo.InvariantCulture, $"The files in {kind.Container}/{model}/ are so many or so large that they were not read through within {limit.TotalSeconds:n0} s, and a request may not last longer."),
        $"Nothing is wrong with them: a run starts by itself once nothing has been added for a while; see GET /api/datasets/{kind.Container}/{model}.");

    /// <summary>What ended an orchestration's pipeline.</summary>
    public static StepFault Of(Exception e) => e switch
    {
        StepFaultException x => x.Fault,
        InputRejectedException x => new StepFault(FaultFamily.Refused, x.Code, $"{x.Fact} {x.Remedy}"),
        TaskFailedException { FailureDetails: { } details } x => Coded().Match(details.ErrorMessage) is { Success: true } coded
            ? new StepFault(FaultFamily.Transient, coded.Groups[1].Value, coded.Groups[2].Value)
            : TriedOut(x.TaskName, details.ErrorMessage),
        _ => Defect(e),
    };

    /// <summary>Messages of our faults begin with their code.</summary>
    [GeneratedRegex(@"^([A-Z]\d{3}): (.*)$", RegexOptions.Singleline)]
    private static partial Regex Coded();
}
