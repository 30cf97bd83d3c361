using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;
using Scion.Datasets;
using Scion.Faults;
using Scion.Functions.Predictions;
using Scion.Functions.Training;
using Scion.Pipelines;
using Scion.Registry;
using Scion.Serving;
using Scion.Storage;

namespace Scion.Functions.Arrivals;

/// <summary>Finds what no event told: folders that changed since they were taken in, files that were not scored, runs that nobody works on.</summary>
/// <remarks>Every part of it may run twice or beside the events. One app runs it at a time: the host's timer holds a lock. Trouble with one part does not keep
/// the others waiting; the next sweep tries again.</remarks>
[ServedBy(FunctionRoles.Cpu)]
sealed partial class Sweep(
    IBlobStore store, RunLedger runs, ArrivalLedger arrivals, ModelRegistry registry, RunStarter starter, ScoreStarter scoring, ILogger<Sweep> log)
{
    [Function(nameof(SweepAll))]
    public async Task SweepAll([TimerTrigger("0 */5 * * * *", RunOnStartup = true)] TimerInfo timer, [DurableClient] DurableTaskClient client, CancellationToken cancellation)
    {
        foreach (DataKind kind in DataKinds.All) await TryAsync(kind.Container, () => FoldersAsync(client, kind, cancellation), cancellation);
        await TryAsync(DropScoring.Inbox, () => DropsAsync(client, cancellation), cancellation);
        await TryAsync(RunLedger.Container, () => RunsAsync(client, cancellation), cancellation);
    }

    /// <summary>Folders whose listing differs from what was taken in; uploads in no folder.</summary>
    public async Task FoldersAsync(DurableTaskClient client, DataKind kind, CancellationToken cancellation)
    {
        IReadOnlyList<DroppedFolder> folders = await DroppedFolder.ListAsync(store, kind, cancellation);
        foreach (DroppedFolder folder in folders)
            if (ModelName.IsValid(folder.Model) && folder.HasUploads && !await arrivals.IsTakenInAsync(folder, cancellation)
                && await ArrivalEvents.CollectAsync(client, kind, folder.Model, cancellation)) LogFound(kind.Container, folder.Model);
        await StraysAsync(
            kind.Container, StrayUploads.Among(kind, folders.Where(folder => !ModelName.IsValid(folder.Model)).SelectMany(folder => folder.Items)), cancellation);
    }

    /// <summary>Dropped files of models that serve, at a version that was not scored.</summary>
    public async Task DropsAsync(DurableTaskClient client, CancellationToken cancellation)
    {
        Dictionary<string, bool> serves = new(StringComparer.Ordinal);
        Dictionary<string, int> waiting = new(StringComparer.Ordinal);
        List<string> strays = [];
        await foreach (BlobItem item in store.ListAsync(DropScoring.Inbox, "", cancellation))
        {
            if (DropScoring.ModelOf(item.Name) is not { } model)
            {
                strays.Add(ServingFaults.StrayDrop(item.Name).Message);
                continue;
            }
            if (!serves.TryGetValue(model, out bool served)) serves[model] = served = await registry.FindLatestTagAsync(model, cancellation) is not null;
            if (served) await scoring.StartUnlessScoredAsync(client, item, cancellation);
            else waiting[model] = waiting.GetValueOrDefault(model) + 1;
        }
        foreach ((string model, int files) in waiting) LogWaiting(files, model);
        await StraysAsync(DropScoring.Inbox, strays, cancellation);
    }

    /// <summary>Runs that are recorded, have not ended, and that no orchestration works on.</summary>
    public async Task RunsAsync(DurableTaskClient client, CancellationToken cancellation)
    {
        foreach (TrainingRequest request in await runs.UnfinishedAsync(cancellation))
        {
            string run = request.Run;
            OrchestrationMetadata? instance = await client.GetInstanceAsync(run, getInputsAndOutputs: true, cancellation);
            if (instance is { RuntimeStatus: OrchestrationRuntimeStatus.Failed or OrchestrationRuntimeStatus.Terminated }
                && instance.SerializedOutput?.Contains(RunStarter.Stopped, StringComparison.Ordinal) != true
                && instance.LastUpdatedAt > (await runs.StatusAsync(run, cancellation)).StartedAt)
            {
                StepFault fault = FunctionsFaults.Unfinished(run, instance.RuntimeStatus.ToString(), instance.FailureDetails?.ErrorMessage);
                await runs.FailAsync(run, fault.Code, fault.Message, cancellation);
                LogFailed(run, fault.Message);
            }
            else if (instance is not { RuntimeStatus: OrchestrationRuntimeStatus.Pending or OrchestrationRuntimeStatus.Running })
            {
                await starter.AgreeAsync(client, run, cancellation);      // suspended, never started, or opened again since it ended
                LogStarted(run, instance is { RuntimeStatus: OrchestrationRuntimeStatus.Suspended } ? "resumed" : "started");
            }
        }
        await foreach (OrchestrationMetadata instance in client.GetAllInstancesAsync(new OrchestrationQuery { Statuses = SingleInstance.Live }))
        {
            cancellation.ThrowIfCancellationRequested();
            if (instance.Name == nameof(TrainOrchestrator.Train)) await StoppedAsync(client, instance.InstanceId, cancellation);
        }
    }

    /// <summary>Stops the orchestration of a run that was cancelled or suspended, where the command was lost: a suspended one would stay for ever, and a running
    /// one would ask again every few seconds.</summary>
    async Task StoppedAsync(DurableTaskClient client, string run, CancellationToken cancellation)
    {
        try
        {
            if (await starter.StateAsync(run, cancellation) is not (RunState.Queued or RunState.Running)) await starter.AgreeAsync(client, run, cancellation);
        }
        catch (InputRejectedException e)
        {
            LogUnknown(run, e.Code);
        }
    }

    /// <summary>Names of files stay in the record.</summary>
    async Task StraysAsync(string container, IReadOnlyList<string> strays, CancellationToken cancellation)
    {
        if (await arrivals.PutStraysAsync(container, strays, cancellation) is { Count: > 0 } anew) LogStrays(anew.Count, container);
    }

    async Task TryAsync(string what, Func<Task> part, CancellationToken cancellation)
    {
        try
        {
            await part();
        }
        catch (Exception e) when (!cancellation.IsCancellationRequested)
        {
            LogTrouble(e, what);
        }
    }

    [LoggerMessage(1, LogLevel.Information, "{Kind}/{Model} changed and is looked at")]
    partial void LogFound(string kind, string model);

    [LoggerMessage(2, LogLevel.Warning, "{Count} more uploads in {Container}/ lie in no model's folder: runs/arrivals/{Container}.json names them")]
    partial void LogStrays(int count, string container);

    [LoggerMessage(3, LogLevel.Information, "{Files} files in predict/{Model}/ wait: no version of it serves yet")]
    partial void LogWaiting(int files, string model);

    [LoggerMessage(4, LogLevel.Information, "Run {Run} was left and is {What}")]
    partial void LogStarted(string run, string what);

    [LoggerMessage(5, LogLevel.Error, "Run {Run} failed: {Reason}")]
    partial void LogFailed(string run, string reason);

    [LoggerMessage(6, LogLevel.Warning, "Sweeping {What} failed and is repeated")]
    partial void LogTrouble(Exception e, string what);

    [LoggerMessage(7, LogLevel.Warning, "Run {Run} has an orchestration and no record that can be read: {Code}")]
    partial void LogUnknown(string run, string code);
}
