using System.Text;
using Scion.Datasets;
using Scion.Faults;
using Scion.Pipelines;
using Scion.Storage;

namespace Scion.Tests.Pipelines;

/// <summary>From a listed folder to a recorded run and a recorded arrival.</summary>
public sealed class GatheringTests
{
    const string Rows = "text,label\na good film,positive\na bad film,negative\n";

    readonly StoppedClock clock = new();
    readonly InMemoryBlobStore store;
    readonly RunLedger runs;
    readonly ArrivalLedger arrivals;

    public GatheringTests()
    {
        store = new InMemoryBlobStore(clock);
        (runs, arrivals) = (new RunLedger(store, clock), new ArrivalLedger(store, clock));
    }

    [Fact]
    public async Task Gather_AFolder_RecordsItsRunAndWhatArrived()
    {
        Put("films/a.csv", Rows);
        Put("films/.DS_Store", "x");

        Gathered gathered = (await GatherAsync())!;

        Assert.Equal((RunState.Queued, "films"), (gathered.Status!.State, gathered.Status.Model));
        ArrivalRecord arrival = (await arrivals.FindAsync(DataKind.Reviews, "films", default))!;
        Assert.Equal((ArrivalOutcome.Recorded, gathered.Status.Run, 2, 1, null), (arrival.Outcome, arrival.Run, arrival.Files, arrival.Pinned, arrival.Refusal));
        Assert.StartsWith("D507: ", Assert.Single(arrival.Warnings), StringComparison.Ordinal);
        Assert.True(await arrivals.IsTakenInAsync(await FolderAsync(), default));
        Put("films/a.csv", Rows);
        Assert.False(await arrivals.IsTakenInAsync(await FolderAsync(), default));
    }

    [Fact]
    public async Task Gather_ARefusal_RecordsItWithoutARun()
    {
        Put("films/a.csv", Rows);
        Put("films/dataset.json", "{");

        Gathered gathered = (await GatherAsync())!;

        Assert.Null(gathered.Status);
        ArrivalRecord arrival = (await arrivals.FindAsync(DataKind.Reviews, "films", default))!;
        Assert.Equal((ArrivalOutcome.Refused, "D401", null), (arrival.Outcome, arrival.Refusal!.Code, arrival.Run));
        Assert.NotEqual("", arrival.Refusal.Remedy);
        Assert.Empty(await runs.ListAsync(null, default));
    }

    [Fact]
    public async Task Gather_AFolderThatChangesMeanwhile_RecordsNothing()
    {
        Put("films/a.csv", Rows);

        Gathered? gathered = await GatherAsync(async (kind, model, cancellation) =>
        {
            TrainingRequest request = await ReviewSnapshot.TakeAsync(store, model, [], clock, cancellation);
            Put("films/b.csv", Rows);
            return request;
        });

        Assert.Null(gathered);
        Assert.Empty(await runs.ListAsync(null, default));
        Assert.Null(await arrivals.FindAsync(DataKind.Reviews, "films", default));
    }

    [Theory]
    [InlineData("S002", true)]
    [InlineData("D503", true)]
    [InlineData("D501", false)]
    public async Task Gather_ASnapshotThatIsRefused_IsToBeRepeatedOnlyWhenFilesChanged(string code, bool repeated)
    {
        Put("films/a.csv", Rows);

        Gathered? gathered = await GatherAsync((_, _, _) => throw new InputRejectedException(code, "A fact.", "A remedy."));

        Assert.Equal(repeated, gathered is null);
    }

    [Theory]
    [InlineData(RunState.Succeeded, ArrivalOutcome.Known)]
    [InlineData(RunState.Failed, ArrivalOutcome.EndedBefore)]
    [InlineData(RunState.Cancelled, ArrivalOutcome.EndedBefore)]
    [InlineData(RunState.Suspended, ArrivalOutcome.Recorded)]
    public async Task Gather_DataWhoseRunIsThere_SaysHowItStands(RunState state, ArrivalOutcome outcome)
    {
        Put("films/a.csv", Rows);
        string run = (await GatherAsync())!.Status!.Run;
        await runs.UpdateAsync(run, status => status with { State = state }, default);
        Put("films/a.csv", Rows);

        ArrivalRecord arrival = (await GatherAsync())!.Arrival;

        Assert.Equal((outcome, run), (arrival.Outcome, arrival.Run));
    }

    [Fact]
    public async Task Gather_InterruptedAnywhere_EndsAsOneRunWhenRepeated()
    {
        for (int failing = 1; ; failing++)
        {
            InMemoryBlobStore fresh = new(clock);
            fresh.Tamper("reviews/films/a.csv", Encoding.UTF8.GetBytes(Rows));
            FailingBlobStore failed = new(fresh, failing, done: failing % 2 == 0);
            for (int attempt = 0; attempt < 2; attempt++)
            {
                try
                {
                    DroppedFolder folder = await DroppedFolder.FindAsync(failed, DataKind.Reviews, "films", default);
                    await Of(failed, (_, model, cancellation) => SnapshotAsync(failed, model, cancellation)).GatherAsync(folder, default);
                }
                catch (TransientStorageException)
                {
                    // The next attempt does it again.
                }
            }

            RunStatus run = Assert.Single(await new RunLedger(fresh, clock).ListAsync(null, default));
            ArrivalRecord arrival = (await new ArrivalLedger(fresh, clock).FindAsync(DataKind.Reviews, "films", default))!;
            Assert.Equal((run.Run, ArrivalOutcome.Recorded), (arrival.Run, arrival.Outcome));
            if (failed.Count < failing) return;
        }
    }

    [Fact]
    public async Task Ledger_OfRuns_PassesOverArrivalsAlsoOfModelsCalledAsItsFiles()
    {
        foreach (string model in new[] { "request", "status", "films" })
        {
            Put($"{model}/a.csv", Rows);
            await GatherAsync(model: model);
        }

        Assert.Equal(["films", "request", "status"], (await runs.ListAsync(null, default)).Select(run => run.Model).Order());
        Assert.Equal(3, (await runs.UnfinishedAsync(default)).Count);
        Assert.Equal("status", Assert.Single(await runs.ListAsync("status", default)).Model);
    }

    [Fact]
    public async Task IsTakenIn_ADamagedRecordOrOneOfAnotherVersion_IsFalse()
    {
        Put("films/a.csv", Rows);
        ArrivalRecord arrival = (await GatherAsync())!.Arrival;
        await arrivals.PutAsync(arrival with { CodeVersion = TrainingRequest.CodeVersion - 1 }, default);
        Assert.False(await arrivals.IsTakenInAsync(await FolderAsync(), default));
        store.Tamper("runs/arrivals/reviews/films.json", "{"u8.ToArray());

        Assert.False(await arrivals.IsTakenInAsync(await FolderAsync(), default));
        await GatherAsync();
        Assert.True(await arrivals.IsTakenInAsync(await FolderAsync(), default));
    }

    [Fact]
    public async Task Strays_Recorded_AreToldOnceAndForgottenWhenTheyAreGone()
    {
        Assert.Equal([], await arrivals.PutStraysAsync("reviews", [], default));
        Assert.Null(await arrivals.FindStraysAsync("reviews", default));

        Assert.Equal(["D505: a"], await arrivals.PutStraysAsync("reviews", ["D505: a"], default));
        Assert.Equal([], await arrivals.PutStraysAsync("reviews", ["D505: a"], default));
        Assert.Equal(["D505: b"], await arrivals.PutStraysAsync("reviews", ["D505: a", "D505: b"], default));
        Assert.Equal(["D505: a", "D505: b"], (await arrivals.FindStraysAsync("reviews", default))!.Uploads);
        await arrivals.PutStraysAsync("reviews", [], default);

        Assert.Equal((0, 0), ((await arrivals.FindStraysAsync("reviews", default))!.Total, (await arrivals.FindStraysAsync("reviews", default))!.Uploads.Count));
    }

    [Fact]
    public async Task Strays_MoreThanAreListed_AreCounted()
    {
        string[] many = [.. Enumerable.Range(0, 250).Select(i => $"D505: {i}")];

        await arrivals.PutStraysAsync("images", many, default);

        StrayRecord record = (await arrivals.FindStraysAsync("images", default))!;
        Assert.Equal((StrayRecord.Listed, 250), (record.Uploads.Count, record.Total));
    }

    [Fact]
    public async Task Folder_WithLooseFilesThatAreKnown_WaitsAsForCompleteOnes()
    {
        Put("films/a.txt", "a film");
        Put("films/b.csv", Rows);
        DroppedFolder folder = await FolderAsync();
        (TimeSpan settle, TimeSpan quiet) = (TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(30));

        Assert.Equal(quiet, folder.Stillness(_ => false, settle, quiet));
        Assert.Equal(settle, folder.Stillness(item => item.Name == "films/a.txt", settle, quiet));
        Assert.Equal(settle, folder.Stillness(_ => false, settle, TimeSpan.Zero));
        Assert.True(folder.HasUploads);
        store.Remove("reviews/films/a.txt");
        store.Remove("reviews/films/b.csv");
        Put("films/dataset.json", "{}");
        Assert.False((await FolderAsync()).HasUploads);
    }

    [Fact]
    public async Task Folder_WhenSomethingIsWrittenOrDeleted_HasAnotherPrint()
    {
        Put("films/a.csv", Rows);
        Put("films-extra/b.csv", Rows);
        HashSet<string> prints = [(await FolderAsync()).Print];

        clock.Advance(TimeSpan.FromSeconds(5));
        Put("films/a.csv", Rows);
        Assert.True(prints.Add((await FolderAsync()).Print));
        Assert.Equal(clock.GetUtcNow(), (await FolderAsync()).Newest);
        Put("films/b.csv", Rows);
        Assert.True(prints.Add((await FolderAsync()).Print));
        store.Remove("reviews/films/a.csv");
        Assert.True(prints.Add((await FolderAsync()).Print));
        store.Remove("reviews/films-extra/b.csv");
        Assert.False(prints.Add((await FolderAsync()).Print));
    }

    void Put(string name, string content) => store.Tamper($"reviews/{name}", Encoding.UTF8.GetBytes(content));

    Task<DroppedFolder> FolderAsync(string model = "films") => DroppedFolder.FindAsync(store, DataKind.Reviews, model, default);

    async Task<Gathered?> GatherAsync(TakeSnapshot? snapshot = null, string model = "films") =>
        await Of(store, snapshot ?? ((_, name, cancellation) => SnapshotAsync(store, name, cancellation))).GatherAsync(await FolderAsync(model), default);

    Gathering Of(IBlobStore on, TakeSnapshot snapshot) => new(on, new RunLedger(on, clock), new ArrivalLedger(on, clock), snapshot, clock);

    async Task<TrainingRequest> SnapshotAsync(IBlobStore on, string model, CancellationToken cancellation) => await ReviewSnapshot.TakeAsync(on, model, [], clock, cancellation);
}
