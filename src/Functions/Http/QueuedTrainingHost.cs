using Microsoft.Extensions.Logging;
using Scion.Datasets;
using Scion.Functions.Training;
using Scion.Pipelines;
using Scion.Web;

namespace Scion.Functions.Http;

/// <summary>Starts and stops runs for the HTTP app, which knows no task hub: the ledger is told, and a command in queue <see cref="RunCommands.Queue"/> makes it
/// happen now.</summary>
/// <remarks>What the ledger says holds, with or without the command. When it cannot be sent, the sweep starts the run, steps see within seconds that they are to
/// stop, and the request still succeeds.</remarks>
sealed partial class QueuedTrainingHost(RunLedger ledger, Snapshots snapshots, ScionQueues queues, TimeProvider time, ILogger<QueuedTrainingHost> log) : ITrainingHost
{
    /// <summary>The platform ends a request after 230 s; reading the files through must leave time to answer.</summary>
    public static readonly TimeSpan ReadLimit = TimeSpan.FromSeconds(200);

    /// <summary>A queue that does not take the command by then is left to the sweep.</summary>
    static readonly TimeSpan SendLimit = TimeSpan.FromSeconds(10);

    /// <exception cref="Faults.InputRejectedException">As <see cref="ITrainingHost.StartAsync"/>, or the files take longer to read than a request may (F010).</exception>
    public async Task<RunStatus> StartAsync(DataKind kind, string model, CancellationToken cancellation)
    {
        TrainingRequest request = await SnapshotAsync(kind, model, cancellation);
        await ledger.RecordAsync(request, cancellation);
        RunStatus status = await ledger.ReopenAsync(request.Run, cancellation);
        if (status.IsActive) await SendAsync(request.Run, RunAction.Start);
        return status;
    }

    public Task<RunStatus> CancelAsync(string run, CancellationToken cancellation) => ChangeAsync(ledger.CancelAsync(run, cancellation), RunAction.Cancel);

    public Task<RunStatus> SuspendAsync(string run, CancellationToken cancellation) => ChangeAsync(ledger.SuspendAsync(run, cancellation), RunAction.Suspend);

    public Task<RunStatus> ResumeAsync(string run, CancellationToken cancellation) => ChangeAsync(ledger.ResumeAsync(run, cancellation), RunAction.Resume);

    async Task<TrainingRequest> SnapshotAsync(DataKind kind, string model, CancellationToken cancellation)
    {
        using CancellationTokenSource limit = new(ReadLimit, time);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellation);
        try
        {
            return await snapshots.TakeAsync(kind, model, either.Token);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            throw FunctionsFaults.TooLongToRead(kind, model, ReadLimit);
        }
    }

    async Task<RunStatus> ChangeAsync(Task<RunStatus> change, RunAction action)
    {
        RunStatus status = await change;
        await SendAsync(status.Run, action);
        return status;
    }

    /// <summary>Not stopped by the caller, who may hang up once the ledger has been told.</summary>
    async Task SendAsync(string run, RunAction action)
    {
        using CancellationTokenSource limit = new(SendLimit, time);
        try
        {
            await queues.SendAsync(RunCommands.Queue, new RunCommand(run, action), limit.Token);
        }
        catch (Exception e)
        {
            LogNotSent(action, run, e.Message);
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "{Action} of run {Run} stands in the ledger; queue run-commands did not take it: {Reason}")]
    partial void LogNotSent(RunAction action, string run, string reason);
}
