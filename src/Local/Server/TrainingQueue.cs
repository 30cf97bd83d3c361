using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Scion.Datasets;
using Scion.Faults;
using Scion.Local.Running;
using Scion.Pipelines;
using Scion.Storage;
using Scion.Web;

namespace Scion.Local.Server;

/// <summary>Trains the runs of this server one after another; each uses all cores. Unfinished runs of an earlier process come first.</summary>
/// <remarks>The ledger is the queue that lasts: what is recorded, not finished and not suspended is found again by the sweep, also after a crash, also
/// when it was recorded by a 'scion train' that was killed.</remarks>
sealed partial class TrainingQueue(IBlobStore store, RunLedger ledger, LocalRunner runner, TimeProvider time, ILogger<TrainingQueue> log) : BackgroundService, ITrainingHost
{
    static readonly TimeSpan SweepEvery = TimeSpan.FromSeconds(30);

    /// <summary>Times a run is taken up while its storage does not answer, each time after tries of its own; then it fails, lest it go on for ever.</summary>
    const int MaxPostponed = 5;

    readonly Channel<string> waiting = Channel.CreateUnbounded<string>();
    readonly HashSet<string> known = [];
    readonly Dictionary<string, int> postponed = [];

    public async Task<RunStatus> StartAsync(DataKind kind, string model, CancellationToken cancellation)
    {
        TrainingRequest request = await Snapshots.TakeAsync(store, kind, model, [], time, cancellation);
        await ledger.RecordAsync(request, cancellation);
        RunStatus status = await ledger.ReopenAsync(request.Run, cancellation);
        if (status.IsActive) Enqueue(request.Run);
        return status;
    }

    public Task<RunStatus> CancelAsync(string run, CancellationToken cancellation) => ledger.CancelAsync(run, cancellation);

    public Task<RunStatus> SuspendAsync(string run, CancellationToken cancellation) => ledger.SuspendAsync(run, cancellation);

    public async Task<RunStatus> ResumeAsync(string run, CancellationToken cancellation)
    {
        RunStatus status = await ledger.ResumeAsync(run, cancellation);
        if (status.IsActive) Enqueue(run);
        return status;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        Task sweeping = SweepAsync(stoppingToken);
        await foreach (string run in waiting.Reader.ReadAllAsync(stoppingToken))
        {
            try
            {
                await TrainAsync(run, stoppingToken);
            }
            catch (InputRejectedException e)
            {
                LogFailed(run, e.Code, e.Message);                        // its record is damaged or was deleted
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                LogDefect(e, run);
            }
            finally
            {
                lock (known) known.Remove(run);
            }
        }
        await sweeping;
    }

    /// <summary>Trains one run. When storage stays away it is left for a later sweep.</summary>
    public async Task TrainAsync(string run, CancellationToken stop)
    {
        LogStarted(run);
        try
        {
            RunEnd? ended;
            do ended = await runner.TryRunAsync(run, new RunProgress(time), stop);
            while (ended is { Status.IsActive: true });                   // resumed while its steps were being stopped
            if (ended is null) LogElsewhere(run);
            else if (ended.Status.State == RunState.Succeeded) LogSucceeded(run, ended.Status.Version, ended.Status.Gate);
            else if (ended.Fault is { } fault && LocalFaults.Of(fault).Exit == Exit.Defect) LogDefect(fault, run);
            else if (ended.Status.Error is { } error) LogFailed(run, error.Code, error.Message);
            else LogStopped(run, ended.Status.State == RunState.Suspended ? "suspended" : "cancelled");
            postponed.Remove(run);
        }
        catch (TransientStorageException e)
        {
            int times = postponed[run] = postponed.GetValueOrDefault(run) + 1;
            LogPostponed(run, times, MaxPostponed, e.Message);
            if (times < MaxPostponed) return;
            postponed.Remove(run);
            try
            {
                await ledger.FailAsync(run, e.Code, $"{e.Fact} {e.Remedy}", stop);
                LogFailed(run, e.Code, $"{e.Fact} {e.Remedy}");
            }
            catch (TransientStorageException)
            {
                // Nothing can be stored at all, so the run stays open.
            }
        }
    }

    /// <summary>Queues what is unfinished in the ledger, now and then again.</summary>
    async Task SweepAsync(CancellationToken stop)
    {
        while (true)
        {
            try
            {
                foreach (TrainingRequest request in await ledger.UnfinishedAsync(stop)) Enqueue(request.Run);
            }
            catch (Exception e) when (!stop.IsCancellationRequested)
            {
                LogSweepFailed(e.Message);
            }
            await Task.Delay(SweepEvery, time, stop);
        }
    }

    /// <summary>Queues a recorded run that has not ended, once.</summary>
    public void Enqueue(string run)
    {
        lock (known)
            if (!known.Add(run)) return;
        waiting.Writer.TryWrite(run);
    }

    [LoggerMessage(1, LogLevel.Information, "Run {Run}: training")]
    partial void LogStarted(string run);

    [LoggerMessage(2, LogLevel.Information, "Run {Run}: version {Version}. {Gate}")]
    partial void LogSucceeded(string run, string? version, string? gate);

    [LoggerMessage(3, LogLevel.Warning, "Run {Run} failed: {Code}: {Message}")]
    partial void LogFailed(string run, string code, string message);

    [LoggerMessage(4, LogLevel.Information, "Run {Run}: {State}")]
    partial void LogStopped(string run, string state);

    [LoggerMessage(5, LogLevel.Information, "Run {Run} is being trained by another process")]
    partial void LogElsewhere(string run);

    [LoggerMessage(6, LogLevel.Error, "Run {Run}: a defect of Scion")]
    partial void LogDefect(Exception e, string run);

    [LoggerMessage(8, LogLevel.Warning, "Run {Run} waits for storage, {Times} of {Most} times: {Reason}")]
    partial void LogPostponed(string run, int times, int most, string reason);

    [LoggerMessage(7, LogLevel.Warning, "Looking for unfinished runs failed and is repeated: {Reason}")]
    partial void LogSweepFailed(string reason);
}
