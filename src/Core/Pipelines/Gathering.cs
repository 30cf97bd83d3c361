using Scion.Datasets;
using Scion.Faults;
using Scion.Storage;

namespace Scion.Pipelines;

/// <summary>Pins a model's folder and checks that this host can train with its settings.</summary>
/// <exception cref="InputRejectedException">There is nothing to train on, the settings are wrong, or the model is of the other kind.</exception>
public delegate Task<TrainingRequest> TakeSnapshot(DataKind kind, string model, CancellationToken cancellation);

/// <param name="Arrival">As recorded.</param>
/// <param name="Status">Status of its run; null when it was refused.</param>
public sealed record Gathered(ArrivalRecord Arrival, RunStatus? Status);

/// <summary>Makes a recorded run of a folder that has stayed as it is, or says why not.</summary>
/// <remarks>When a folder has stayed long enough is for the host to say; this only refuses to mix two states of it. It may run twice, or be cut
/// off anywhere: equal data and settings are one run, and an arrival is recorded after its run.</remarks>
/// <param name="store">Where the files lie.</param>
/// <param name="runs">Told of the run.</param>
/// <param name="arrivals">Told of what became of it.</param>
/// <param name="snapshot">Pins the folder, as the host can train it.</param>
/// <param name="time">Clock of the records.</param>
public sealed class Gathering(IBlobStore store, RunLedger runs, ArrivalLedger arrivals, TakeSnapshot snapshot, TimeProvider time)
{
    /// <param name="folder">As listed when it was found whole, with uploads.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>Null when the folder changed meanwhile: it must stay as it is once more.</returns>
    public async Task<Gathered?> GatherAsync(DroppedFolder folder, CancellationToken cancellation)
    {
        ArrivalRecord arrival = new()
        {
            Kind = folder.Kind.Container,
            Model = folder.Model,
            Print = folder.Print,
            CodeVersion = TrainingRequest.CodeVersion,
            Files = folder.Items.Count,
            Newest = folder.Newest,
            Outcome = ArrivalOutcome.Refused,
            At = time.GetUtcNow(),
        };
        RunStatus? status = null;
        try
        {
            TrainingRequest request = await snapshot(folder.Kind, folder.Model, cancellation);
            if ((await DroppedFolder.FindAsync(store, folder.Kind, folder.Model, cancellation)).Print != folder.Print) return null;
            RunStatus? earlier = await TrainedBeforeAsync(request, folder, cancellation);
            status = earlier ?? (await runs.RecordAsync(request, cancellation)).Status;
            arrival = arrival with { Outcome = OutcomeOf(status, earlier is not null), Run = status.Run, Pinned = request.Files.Count, Warnings = request.Warnings };
        }
        catch (InputRejectedException e) when (e.Code is "S002" or "D503")
        {
            return null;                                                  // changed while it was read
        }
        catch (InputRejectedException e)
        {
            arrival = arrival with { Refusal = new ArrivalRefusal(e.Code, e.Fact, e.Remedy) };
        }
        await arrivals.PutAsync(arrival, cancellation);
        return new Gathered(arrival, status);
    }

    static ArrivalOutcome OutcomeOf(RunStatus status, bool ofOtherSettings) => status switch
    {
        _ when ofOtherSettings => ArrivalOutcome.Known,
        { IsFinished: false } => ArrivalOutcome.Recorded,
        { State: RunState.Succeeded } => ArrivalOutcome.Known,
        _ => ArrivalOutcome.EndedBefore,
    };

    /// <summary>A run of other settings on the same data that did not fail: someone trained it by the command line, after dataset.json was last
    /// written.</summary>
    async Task<RunStatus?> TrainedBeforeAsync(TrainingRequest request, DroppedFolder folder, CancellationToken cancellation)
    {
        DateTimeOffset? settings = folder.Items.FirstOrDefault(item => item.Name == $"{request.Model}/{ReviewFormats.SettingsName}")?.Modified;
        foreach (RunStatus run in await runs.ListAsync(request.Model, cancellation))
            if (run.Run != request.Run && run.Kind == request.Kind && run.State != RunState.Failed && !(settings > run.StartedAt)
                && await DigestAsync(run.Run, cancellation) == request.DataDigest) return run;
        return null;
    }

    /// <returns>Null when the run's record cannot be read.</returns>
    async Task<string?> DigestAsync(string run, CancellationToken cancellation)
    {
        try
        {
            return (await runs.RequestAsync(run, cancellation)).DataDigest;
        }
        catch (InputRejectedException)
        {
            return null;
        }
    }
}
