using System.Diagnostics;
using Scion.Faults;
using Scion.Pipelines;
using Scion.Registry;
using Scion.Storage;

namespace Scion.Local.Running;

/// <summary>How a run ended.</summary>
/// <param name="Status">Its last status.</param>
/// <param name="Fault">What made it fail; null when it did not, or failed elsewhere.</param>
sealed record RunEnd(RunStatus Status, Exception? Fault = null);

/// <summary>Takes a run from its record to its end in this process.</summary>
/// <remarks>It may be killed at any moment and started again: finished steps answer from their memo, so the run goes on where it was and ends
/// with the version it would have had.</remarks>
/// <param name="store">Where everything lives.</param>
/// <param name="locks">One process a run.</param>
/// <param name="time">Clock of ledger and registry.</param>
sealed class LocalRunner(IBlobStore store, RunLocks locks, TimeProvider time)
{
    /// <summary>How often the ledger is told of progress and asked whether someone cancelled the run.</summary>
    static readonly TimeSpan Beat = TimeSpan.FromSeconds(1);

    readonly RunLedger ledger = new(store, time);

    /// <summary>Runs it, or follows the process that does, until it has ended.</summary>
    /// <param name="run">A recorded run.</param>
    /// <param name="progress">Told how far it is.</param>
    /// <param name="stop">Stops working on it; the run stays unfinished, and the next start goes on with it.</param>
    /// <exception cref="OperationCanceledException"><paramref name="stop"/> was asked for.</exception>
    public async Task<RunEnd> RunAsync(string run, RunProgress progress, CancellationToken stop)
    {
        while (true)
        {
            if (await TryRunAsync(run, progress, stop) is { } ended) return ended;
            progress.Follow(await ledger.StatusAsync(run, stop));
            await Task.Delay(Beat / 4, time, stop);
        }
    }

    /// <summary>Runs it, unless another process does.</summary>
    /// <returns>Null when another process trains it.</returns>
    public async Task<RunEnd?> TryRunAsync(string run, RunProgress progress, CancellationToken stop)
    {
        using IDisposable? held = locks.TryTake(run);
        RunStatus status = await ledger.StatusAsync(run, stop);
        return status.IsFinished ? new RunEnd(status) : held is null ? null : await TrainAsync(run, progress, stop);
    }

    async Task<RunEnd> TrainAsync(string run, RunProgress progress, CancellationToken stop)
    {
        using CancellationTokenSource cancel = CancellationTokenSource.CreateLinkedTokenSource(stop);
        TrainReviewsRequest request = await ledger.RequestAsync(run, stop);
        using Activity? activity = Telemetry.Source.StartActivity("Run");
        activity?.SetTag("run", run);
        await ledger.UpdateAsync(run, status => status.IsFinished ? status : status with { State = RunState.Running, Error = null }, stop);

        using CancellationTokenSource ended = CancellationTokenSource.CreateLinkedTokenSource(stop);
        Task telling = TellAsync(run, progress, cancel, ended.Token);
        using LocalReviewSteps steps = new(new StepMemo(store), new ModelRegistry(store, time), ledger, new EmbeddingTrainers(), progress, time, cancel.Token);
        RunStatus status;
        Exception? fault = null;
        try
        {
            try
            {
                TrainedReviews trained = await TrainReviewsPipeline.RunAsync(steps, request);
                await EndAsync();
                status = await ledger.SucceedAsync(run, trained, stop);
            }
            catch
            {
                await cancel.CancelAsync();
                await EndAsync();
                throw;
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            using CancellationTokenSource brief = new(TimeSpan.FromSeconds(5));
            await ledger.UpdateAsync(run, left => left.IsFinished ? left : left with { State = RunState.Queued, Stage = null, SecondsLeft = null }, brief.Token);
            throw;
        }
        catch (OperationCanceledException)
        {
            status = await ledger.StatusAsync(run, stop);
        }
        catch (Exception e)
        {
            fault = e;
            LocalFault shown = LocalFaults.Of(e);
            status = await ledger.FailAsync(run, shown.Code, $"{shown.Fact} {shown.Remedy}", stop);
        }
        Telemetry.Runs.Add(1, new KeyValuePair<string, object?>("state", status.State.ToString()));
        return new RunEnd(status, fault);

        async Task EndAsync()
        {
            await steps.DrainAsync();
            await ended.CancelAsync();
            await telling;
        }
    }

    /// <summary>Keeps the ledger's status near the truth; a lost report changes nothing. Stops the steps when someone cancelled the run.</summary>
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
                    RunStatus status = await ledger.UpdateAsync(run, status => status.IsFinished || view is not { } now ? status : status with
                    {
                        State = RunState.Running,
                        Stage = now.Step,
                        Done = now.Done,
                        Total = now.Total,
                        Unit = now.Unit,
                        SecondsLeft = now.SecondsLeft,
                    }, ended);
                    if (status.State == RunState.Cancelled) await cancel.CancelAsync();
                }
                catch (TransientStorageException)
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
