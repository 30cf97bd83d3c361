using System.Text.Json;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;
using Scion.Functions.Predictions;
using Scion.Pipelines;

namespace Scion.Functions.Training;

/// <param name="Run">The run, as recorded in the ledger; also the instance's id.</param>
/// <param name="Gpu">Settings of the app that started it.</param>
sealed record TrainOrder(string Run, GpuSettings Gpu);

/// <summary>One run, from its record in the ledger to its end there.</summary>
[ServedBy(FunctionRoles.Cpu)]
static class TrainOrchestrator
{
    [Function(nameof(Train))]
    public static async Task<RunState> Train([OrchestrationTrigger] TaskOrchestrationContext context, TrainOrder order)
    {
        if (await context.CallActivityAsync<JsonElement?>(nameof(RunActivities.BeginRun), order.Run, DurableSteps.Retry) is not { } request)
            return RunState.Cancelled;                                    // it ended before, or was cancelled
        StepFault fault;
        try
        {
            using DurableSteps steps = new(context, order.Run, order.Gpu);
            TrainingRequest asked = request.Deserialize<TrainingRequest>(ScionJson.Strict) ?? throw new JsonException("The run's request is null.");
            TrainingOutcome trained = asked switch
            {
                TrainImagesRequest images => await TrainImagesPipeline.RunAsync(steps, images),
                TrainReviewsRequest reviews => await TrainReviewsPipeline.RunAsync(steps, reviews),
                _ => throw new NotSupportedException($"Runs of {asked.Kind} are not known here."),
            };
            await context.CallActivityAsync(nameof(RunActivities.SucceedRun), new RunSucceeded(order.Run, JsonSerializer.SerializeToElement(trained, ScionJson.Strict)), DurableSteps.Retry);
            await context.CallActivityAsync(nameof(PredictionActivities.ScoreWaiting), asked.Model, DurableSteps.Retry);
            return RunState.Succeeded;
        }
        catch (Exception e)
        {
            fault = FunctionsFaults.Of(e);
        }
        if (fault.Family == FaultFamily.Cancelled) return RunState.Cancelled;
        await context.CallActivityAsync(nameof(RunActivities.FailRun), new RunFailed(order.Run, fault), DurableSteps.Retry);
        return RunState.Failed;
    }
}
