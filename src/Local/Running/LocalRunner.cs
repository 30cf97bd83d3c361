using System.Diagnostics;
using System.Runtime.ExceptionServices;
using Scion.Faults;
using Scion.Pipelines;
using Scion.Registry;
using Scion.Storage;
using Scion.Vision;

namespace Scion.Local.Running;

/// <summary>How a run ended.</summary>
/// <param name="Status">Its last status: finished, suspended, or queued when it was resumed while its steps were being stopped.</param>
/// <param name="Fault">What made it fail; null when it did not, or failed elsewhere.</param>
sealed record RunEnd(RunStatus Status, Exception? Fault = null);

/// <summary>Takes a run from its record to its end in this process.</summary>
/// <remarks>It may be killed at any moment and started again: finished steps answer from their memo, so the run goes on where it was and ends
/// with the version it would have had. Storage that does not answer never makes a run fail: it is asked again, and then the run is left queued.</remarks>
/// <param name="store">Where everything lives.</param>
/// <param name="locks">One process a run.</param>
/// <param name="pictures">Reads pictures.</param>
/// <param name="time">Clock of ledger and registry.</param>
sealed class LocalRunner(IBlobStore store, RunLocks locks, IPictureReader pictures, TimeProvider time)
{
    /// <summary>How often the ledger is told of progress and asked whether someone cancelled or suspended the run.</summary>
    static readonly TimeSpan Beat = TimeSpan.FromSeconds(1);

    readonly RunLedger ledger = new(store, time);
    readonly TransientRetry retry = new(time);

    /// <summary>Runs it, or follows the process that does, until it has ended or is suspended.</summary>
    /// <param name="run">A recorded run.</param>
    /// <param name="progress">Told how far it is.</param>
    /// <param name="stop">Stops working on it; the run stays unfinished, and the next start goes on with it.</param>
    /// <exception cref="OperationCanceledException"><paramref name="stop"/> was asked for.</exception>
    /// <exception cref="TransientStorageException">Storage stayed away; the run is unfinished, and the next start goes on with it.</exception>
    public async Task<RunEnd> RunAsync(string run, RunProgress progress, CancellationToken stop)
    {
        while (true)
        {
            if (await TryRunAsync(run, progress, stop) is { Status.IsActive: false } ended) return ended;
            progress.Follow(await retry.DoAsync(() => ledger.StatusAsync(run, stop), stop));
            await Task.Delay(Beat / 4, time, stop);
        }
    }

    /// <summary>Runs it, unless another process does.</summary>
    /// <returns>Null when another process trains it.</returns>
    public async Task<RunEnd?> TryRunAsync(string run, RunProgress progress, CancellationToken stop)
    {
        using IDisposable? held = locks.TryTake(run);
        RunStatus status = await retry.DoAsync(() => ledger.StatusAsync(run, stop), stop);
        return !status.IsActive ? new RunEnd(status) : held is null ? null : await TrainAsync(run, progress, stop);
    }

    async Task<RunEnd> TrainAsync(string run, RunProgress progress, CancellationToken stop)
    {
        using CancellationTokenSource cancel = CancellationTokenSource.CreateLinkedTokenSource(stop);
        TrainingRequest request = await retry.DoAsync(() => ledger.RequestAsync(run, stop), stop);
        using Activity? activity = RunTelemetry.Source.StartActivity("Run");
        activity?.SetTag("run", run);
        await retry.DoAsync(() => ledger.UpdateAsync(run, status => status.IsActive ? status with { State = RunState.Running, Error = null } : status, stop), stop);

        using CancellationTokenSource ended = CancellationTokenSource.CreateLinkedTokenSource(stop);
        Task telling = TellAsync(run, progress, cancel, ended.Token);
        using LocalSteps steps = new(new StepMemo(store), new ModelRegistry(store, time), ledger, TorchBuild.Trainers, pictures, progress, time, cancel.Token);
        TrainingOutcome? trained = null;
        Exception? fault = null;
        try
        {
            trained = request switch
            {
                TrainImagesRequest images => await TrainImagesPipeline.RunAsync(steps, images),
                TrainReviewsRequest reviews => await TrainReviewsPipeline.RunAsync(steps, reviews),
                _ => throw new NotSupportedException($"Runs of {request.Kind} are not known here."),
            };
        }
        catch (Exception e)
        {
            fault = e;
        }
        bool stopped = cancel.IsCancellationRequested;                    // before the other steps are stopped for its fault
        if (fault is not null) await cancel.CancelAsync();
        await steps.DrainAsync();
        await ended.CancelAsync();
        await telling;

        if (fault is TransientStorageException || (fault is OperationCanceledException && stop.IsCancellationRequested))
        {
            await LeaveAsync(run, fault is TransientStorageException away ? new RunError(away.Code, $"{away.Fact} {away.Remedy}") : null);
            ExceptionDispatchInfo.Throw(fault);
        }
        LocalFault? shown = fault is null ? null : LocalFaults.Of(fault);
        RunStatus status = await retry.DoAsync(() => fault switch
        {
            null => ledger.SucceedAsync(run, trained!, stop),
            OperationCanceledException when stopped => ledger.StatusAsync(run, stop),
            _ => ledger.FailAsync(run, shown!.Code, $"{shown.Fact} {shown.Remedy}", stop),
        }, stop);
        if (status.IsFinished) RunTelemetry.Runs.Add(1, new KeyValuePair<string, object?>("state", status.State.ToString()));
        return new RunEnd(status, stopped ? null : fault);
    }

    /// <summary>Says in the ledger that nobody works on the run now. It is taken up again without it too, so it is tried once.</summary>
    async Task LeaveAsync(string run, RunError? error)
    {
        using CancellationTokenSource brief = new(TimeSpan.FromSeconds(5));
        try
        {
            await ledger.UpdateAsync(run, left => left.IsActive ? left with { State = RunState.Queued, Stage = null, SecondsLeft = null, Error = error } : left, brief.Token);
        }
        catch (Exception e) when (e is TransientStorageException or OperationCanceledException)
        {
            // The next start finds it all the same.
        }
    }

    /// <summary>Keeps the ledger's status near the truth; a lost report changes nothing. Stops the steps when someone cancelled or suspended the run.</summary>
    async Task TellAsync(string run, RunProgress progress, CancellationTokenSource cancel, CancellationToken ended)
    {
        using PeriodicTimer timer = new(Beat, time);
        try
        {
            while (await timer.WaitForNextTickAsync(ended))
            {
                try
                {
                    StageView? view = progress.Now;
                    RunStatus status = await ledger.UpdateAsync(run, status => !status.IsActive || view is not { } now ? status : status with
                    {
                        State = RunState.Running,
                        Stage = now.Step,
                        Done = now.Done,
                        Total = now.Total,
                        Unit = now.Unit,
                        SecondsLeft = now.SecondsLeft,
                    }, ended);
                    if (status.State is RunState.Cancelled or RunState.Suspended) await cancel.CancelAsync();
                }
                catch (Exception e) when (e is TransientStorageException or InputRejectedException)
                {
                    // The next beat tells more.
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The run has ended.
        }
    }
}
