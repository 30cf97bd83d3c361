using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;
using Scion.Functions.Training;
using Scion.Serving;

namespace Scion.Functions.Predictions;

/// <param name="Name">Name in container <c>predict</c>.</param>
/// <param name="ETag">Version that is to be scored.</param>
sealed record ScoreOrder(string Name, string ETag);

/// <summary>Scores one version of a file in <c>predict/{model}/</c>.</summary>
/// <remarks>While no model of that name serves, it ends as <see cref="DropOutcome.Waits"/>: a run that makes one starts it again, and so does the sweep.</remarks>
[ServedBy(FunctionRoles.Cpu)]
static class ScoreOrchestrator
{
    [Function(nameof(Score))]
    public static async Task<DropOutcome> Score([OrchestrationTrigger] TaskOrchestrationContext context, ScoreOrder order)
    {
        DropOutcome outcome = await context.CallActivityAsync<DropOutcome>(nameof(PredictionActivities.ScoreFile), order, DurableSteps.Retry);
        context.SetCustomStatus(outcome.ToString());
        return outcome;
    }
}
