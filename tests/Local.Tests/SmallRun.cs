using System.IO.Compression;
using System.Text;
using Google.Protobuf;
using Microsoft.Extensions.Logging.Abstractions;
using Scion.Datasets;
using Scion.Faults;
using Scion.Local.Running;
using Scion.Local.Server;
using Scion.Pipelines;
using Scion.Registry;
using Scion.Storage;
using Scion.Tests.Registry;
using Scion.Vision;

namespace Scion.Tests;

/// <summary>Host that takes a run up.</summary>
public enum TrainingHost
{
    /// <summary><c>scion train</c>: snapshot, record, run.</summary>
    Train,

    /// <summary><c>scion serve</c>: a look at the folders, then what the ledger says is unfinished.</summary>
    Serve,
}

/// <summary>A whole training run small enough to be made hundreds of times, on files with something of everything: rows refused, copies,
/// conflicts, unlabelled rows, labels by folder, a file of another kind.</summary>
/// <param name="kind">What it trains on.</param>
/// <param name="locks">Folder of lock files.</param>
sealed class SmallRun(DataKind kind, string locks)
{
    public const string Model = SmallUploads.Model;

    /// <summary>Takes the run up, whatever was done before. A person repeats a command that storage did not answer; a server looks again.</summary>
    /// <exception cref="TransientStorageException">Storage did not answer ten times.</exception>
    public async Task GoOnAsync(IBlobStore store, TrainingHost host, TimeProvider time)
    {
        RunLedger ledger = new(store, time);
        LocalRunner runner = new(store, new RunLocks(locks), new Vision.InProcessPictures(), time);
        using TrainingQueue queue = new(store, ledger, runner, time, NullLogger<TrainingQueue>.Instance);
        using DatasetWatcher watcher = new(store, ledger, new ArrivalLedger(store, time), queue, new RunLocks(locks),
            new WatchOptions { Settle = TimeSpan.Zero, Quiet = TimeSpan.Zero }, time, NullLogger<DatasetWatcher>.Instance);
        for (int attempt = 1; ; attempt++)
            try
            {
                if (host == TrainingHost.Train)
                {
                    TrainingRequest request = await Snapshots.TakeAsync(store, kind, Model, [], time, default);
                    await ledger.RecordAsync(request, default);
                    await ledger.ReopenAsync(request.Run, default);
                    await runner.RunAsync(request.Run, new RunProgress(time), default);
                    return;
                }
                await watcher.LookAsync(default);
                foreach (TrainingRequest request in await ledger.UnfinishedAsync(default)) await queue.TrainAsync(request.Run, default);
                if (await ledger.ListAsync(Model, default) is [{ IsFinished: true }]) return;
                if (attempt >= 10) throw new TransientStorageException("X000", "The run is not finished.", "Look again.");
            }
            catch (TransientStorageException) when (attempt < 10)
            {
            }
    }
}
