using System.Text.Json;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;

namespace Scion.Functions.Training;

/// <param name="Run">The run.</param>
/// <param name="Gpu">As in the run's own orchestration.</param>
/// <param name="Step">The step.</param>
/// <param name="Queue">GPU queue its calls go to; null for activities.</param>
/// <param name="Stage">Where the run was when the slice began.</param>
/// <param name="Inputs">One a call; at most <see cref="DurableSteps.SliceSize"/>.</param>
sealed record SliceOrder(string Run, GpuSettings Gpu, string Step, string? Queue, StageStarted Stage, IReadOnlyList<JsonElement> Inputs);

/// <param name="Outputs">In the order of the inputs; null when there is a fault.</param>
/// <param name="Fault">Why a call failed.</param>
sealed record SliceAnswer(IReadOnlyList<JsonElement>? Outputs, StepFault? Fault);

/// <summary>A part of a large fan-out, with a history of its own.</summary>
[ServedBy(FunctionRoles.Cpu)]
static class SliceOrchestrator
{
    [Function(nameof(Slice))]
    public static async Task<SliceAnswer> Slice([OrchestrationTrigger] TaskOrchestrationContext context, SliceOrder order)
    {
        try
        {
            using DurableSteps steps = new(context, order.Run, order.Gpu);
            return new SliceAnswer(await steps.SliceAsync(order), Fault: null);
        }
        catch (Exception e)
        {
            return new SliceAnswer(Outputs: null, FunctionsFaults.Of(e));
        }
    }
}
