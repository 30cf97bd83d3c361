using System.Diagnostics;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Scion.Faults;
using Scion.Pipelines;

namespace Scion.Functions.Training;

/// <summary>Does a step for an activity or a GPU queue: at most one a core at once, fewer when memory is short; tells the ledger how far it is, and stops when
/// the ledger says that the run was cancelled or suspended.</summary>
/// <param name="ledger">The truth about runs.</param>
/// <param name="time">Of progress.</param>
/// <param name="log">Told of faults that are not the input's.</param>
sealed partial class StepRunner(RunLedger ledger, TimeProvider time, ILogger<StepRunner> log) : IDisposable
{
    /// <summary>How often the ledger is told and asked.</summary>
    static readonly TimeSpan Beat = TimeSpan.FromSeconds(2);

    readonly SemaphoreSlim cores = new(StepWindow.CallsAtOnce);

    /// <summary>Does the step.</summary>
    /// <param name="step">Its name.</param>
    /// <param name="call">The call.</param>
    /// <param name="work">The step itself.</param>
    /// <param name="shutdown">This app stops; the call is made again elsewhere.</param>
    /// <returns>Its output, or a fault that repeating cannot help.</returns>
    /// <exception cref="TransientStorageException">Storage did not answer: to be repeated.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="shutdown"/> was asked for: to be repeated.</exception>
    public async Task<StepAnswer> RunAsync<TInput, TOutput>(
        string step, StepCall call, Func<TInput, IProgress<StepProgress>, CancellationToken, Task<TOutput>> work, CancellationToken shutdown)
    {
        await cores.WaitAsync(shutdown);
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(shutdown), done = new();
        StepWatch watch = new(ledger, call, time);
        Task watching = watch.BeatAsync(Beat, stop, done.Token);
        long started = time.GetTimestamp();
        using Activity? activity = RunTelemetry.Source.StartActivity(step);
        activity?.SetTag("run", call.Run);
        try
        {
            TInput input = call.Input.Deserialize<TInput>(ScionJson.Strict) ?? throw new JsonException($"The input of {step} is null.");
            TOutput output = await Task.Run(() => work(input, watch, stop.Token), stop.Token);
            await watch.EndedAsync(stop.Token);
            return new StepAnswer(JsonSerializer.SerializeToElement(output, ScionJson.Strict), Fault: null);
        }
        catch (InputRejectedException e)
        {
            return new StepAnswer(Output: null, new StepFault(FaultFamily.Refused, e.Code, $"{e.Fact} {e.Remedy}"));
        }
        catch (OperationCanceledException) when (watch.Stopped is { } stopped && !shutdown.IsCancellationRequested)
        {
            return new StepAnswer(Output: null, new StepFault(stopped, "F005", "The run was stopped."));
        }
        catch (Exception e) when (e is TransientStorageException or OperationCanceledException)
        {
            activity?.SetStatus(ActivityStatusCode.Error, e.GetType().Name);
            LogRepeated(step, call.Run, e.Message);
            throw;
        }
        catch (Exception e)
        {
            activity?.SetStatus(ActivityStatusCode.Error, e.GetType().Name);
            LogDefect(e, step, call.Run);
            return new StepAnswer(Output: null, FunctionsFaults.Defect(e));
        }
        finally
        {
            await done.CancelAsync();
            await watching;
            cores.Release();
            RunTelemetry.StepSeconds.Record(time.GetElapsedTime(started).TotalSeconds, new KeyValuePair<string, object?>("step", step));
        }
    }

    public void Dispose() => cores.Dispose();

    [LoggerMessage(1, LogLevel.Warning, "Step {Step} of run {Run} is repeated: {Reason}")]
    partial void LogRepeated(string step, string run, string reason);

    [LoggerMessage(2, LogLevel.Error, "Step {Step} of run {Run}: a defect of Scion")]
    partial void LogDefect(Exception e, string step, string run);
}

/// <summary>Keeps the ledger's status near the truth while a call is under way, and sees there that the run was stopped.</summary>
sealed class StepWatch(RunLedger ledger, StepCall call, TimeProvider time) : IProgress<StepProgress>
{
    readonly DateTimeOffset began = time.GetUtcNow();
    object? last;                                                         // a StepProgress, boxed so that it is replaced at once

    /// <summary>Why the call is to stop; null while it is not.</summary>
    public FaultFamily? Stopped { get; private set; }

    public void Report(StepProgress value) => Volatile.Write(ref last, value);

    public async Task BeatAsync(TimeSpan every, CancellationTokenSource stop, CancellationToken done)
    {
        try
        {
            while (true)
            {
                try
                {
                    RunStatus status = await ledger.UpdateAsync(call.Run, Told, done);
                    Stopped = status.State switch { RunState.Cancelled or RunState.Failed => FaultFamily.Cancelled, RunState.Suspended => FaultFamily.Suspended, _ => null };
                    if (Stopped is not null) await stop.CancelAsync();
                }
                catch (Exception e) when (e is TransientStorageException or InputRejectedException)
                {
                    // The next beat tells more.
                }
                await Task.Delay(every, time, done);
            }
        }
        catch (OperationCanceledException)
        {
            // The call has ended.
        }
    }

    /// <summary>Counts the call in its stage, of which others may have begun before any ended. A call that is repeated counts again, up to the total.</summary>
    public async Task EndedAsync(CancellationToken cancellation)
    {
        (RunStage stage, DateTime since) = call.Stage;
        if (stage.Total < 2) return;
        try
        {
            await ledger.UpdateAsync(call.Run, status => status.State == RunState.Running && status.Stage == stage.Step && status.Unit == stage.Unit && status.Done < stage.Total
                ? status with { Done = status.Done + 1, SecondsLeft = SecondsLeft(status.Done + 1, stage.Total, Since(since)) } : status, cancellation);
        }
        catch (Exception e) when (e is TransientStorageException or InputRejectedException)
        {
            // As in a beat: the step is done, whatever the ledger says.
        }
    }

    /// <summary>Several calls of a stage tell of it; the one that is furthest counts.</summary>
    RunStatus Told(RunStatus status)
    {
        (RunStage stage, DateTime since) = call.Stage;
        if (status.State is not (RunState.Queued or RunState.Running) || stage.Step.Length == 0) return status;
        if (stage.Total - stage.Done <= 1 && Volatile.Read(ref last) is StepProgress inner)
            return status with
            {
                State = RunState.Running,
                Stage = stage.Step,
                Done = inner.Done,
                Total = inner.Total,
                Unit = inner.Unit,
                SecondsLeft = SecondsLeft(inner.Done, inner.Total, time.GetUtcNow() - began),
            };
        if (status.Stage == stage.Step && status.State == RunState.Running && (status.Unit != stage.Unit || status.Done >= stage.Done)) return status;
        return status with
        {
            State = RunState.Running,
            Stage = stage.Step,
            Done = stage.Done,
            Total = stage.Total,
            Unit = stage.Unit,
            SecondsLeft = SecondsLeft(stage.Done, stage.Total, Since(since)),
        };
    }

    TimeSpan Since(DateTime stage) => time.GetUtcNow() - new DateTimeOffset(DateTime.SpecifyKind(stage, DateTimeKind.Utc));

    static int? SecondsLeft(long done, long total, TimeSpan took) =>
        done > 0 && total >= done && took > TimeSpan.FromSeconds(1) ? (int)Math.Ceiling((total - done) * took.TotalSeconds / done) : null;
}
