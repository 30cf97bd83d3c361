using System.Text;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.DependencyInjection;
using Scion.Datasets;
using Scion.Functions.Arrivals;
using Scion.Functions.Training;
using Scion.Pipelines;
using Scion.Storage;

namespace Scion.Tests;

/// <summary>From events, or none, to one recorded run of all that was dropped.</summary>
public sealed class CollectTests
{
    const string Rows = "text,label\na good film,positive\na bad film,negative\n";

    static readonly TimeSpan Quiet = TimeSpan.FromSeconds(1.5);

    /// <summary>Runs end as soon as they begin: what comes before them is looked at here.</summary>
    static readonly Dictionary<string, Func<object?, Task<object?>>> NoTraining = new() { [nameof(RunActivities.BeginRun)] = _ => Task.FromResult<object?>(null) };

    readonly InMemoryBlobStore store = new(TimeProvider.System);

    [Fact]
    public async Task Drop_OfLooseFilesOneAfterAnother_IsOneRunOfAllOnceTheyHaveBeenQuiet()
    {
        await using DurableHost host = await StartAsync(store);
        for (int file = 0; file < 8; file++)
        {
            string name = Put($"films/{(file % 2 == 0 ? "positive" : "negative")}/{file}.txt", $"film {file}");
            await TellAsync(host, name);
            await Task.Delay(200);                                           // as people copy files
        }

        await CollectedAsync(host);

        RunStatus run = Assert.Single(await host.Ledger.ListAsync("films", default));
        ArrivalRecord arrival = await ArrivalAsync();
        Assert.Equal((8, 8, run.Run, ArrivalOutcome.Recorded), (arrival.Files, arrival.Pinned, arrival.Run, arrival.Outcome));
        Assert.True(arrival.At - arrival.Newest >= Quiet, $"taken in after {arrival.At - arrival.Newest}");
        Assert.Equal(1, host.Calls(nameof(ArrivalActivities.StartRun)));
    }

    [Fact]
    public async Task Drop_OfACompleteFile_IsTakenInWithoutTheQuietPeriod()
    {
        await using DurableHost host = await StartAsync(store, quiet: TimeSpan.FromMinutes(5));

        await TellAsync(host, Put("films/a.csv", Rows));
        await CollectedAsync(host);

        Assert.NotNull((await ArrivalAsync()).Run);
    }

    [Fact]
    public async Task Arrival_WhileTheFolderIsPinned_IsInTheSameRun()
    {
        int opened = 0;
        OpeningStore opening = new(store, path =>
        {
            if (path.Container == "reviews" && Interlocked.Increment(ref opened) == 1) Put("films/b.csv", Rows);
        });
        await using DurableHost host = await StartAsync(opening);

        await TellAsync(host, Put("films/a.csv", Rows));
        await CollectedAsync(host);

        TrainingRequest run = await host.Ledger.RequestAsync(Assert.Single(await host.Ledger.ListAsync(null, default)).Run, default);
        Assert.Equal(["films/a.csv", "films/b.csv"], run.Files.Select(file => file.Name));
    }

    [Fact]
    public async Task Arrival_JustAfterTheFolderWasTakenIn_IsFoundByTheSameCollector()
    {
        bool late = false;
        await using DurableHost host = await StartAsync(store, before: name =>
        {
            if (name == nameof(ArrivalActivities.StartRun) && !late)
            {
                late = true;
                Put("films/b.csv", "text,label\nanother film,positive\n");
            }
        });

        await TellAsync(host, Put("films/a.csv", Rows));
        await CollectedAsync(host);

        Assert.Equal(2, (await host.Ledger.ListAsync("films", default)).Count);
        Assert.Equal(2, (await ArrivalAsync()).Files);
    }

    [Fact]
    public async Task Events_DoubledLateAndOfAFileThatIsGone_AreOneRun()
    {
        await using DurableHost host = await StartAsync(store);
        string name = Put("films/a.csv", Rows);

        await Task.WhenAll(Enumerable.Range(0, 12).Select(i => TellAsync(host, i % 3 == 0 ? "films/gone.csv" : name)));
        await CollectedAsync(host);
        for (int late = 0; late < 3; late++)
        {
            await TellAsync(host, name);
            await CollectedAsync(host);
        }

        Assert.Single(await host.Ledger.ListAsync(null, default));
        Assert.Equal(1, host.Calls(nameof(ArrivalActivities.StartRun)));
    }

    [Fact]
    public async Task Drop_OfTheSameBytesAgain_IsTheSameRun()
    {
        await using DurableHost host = await StartAsync(store);
        await TellAsync(host, Put("films/a.csv", Rows));
        await CollectedAsync(host);
        string run = (await ArrivalAsync()).Run!;
        await host.Ledger.FailAsync(run, "D302", "No review has a label.", default);

        await TellAsync(host, Put("films/a.csv", Rows));
        await CollectedAsync(host);

        Assert.Single(await host.Ledger.ListAsync(null, default));
        Assert.Equal((ArrivalOutcome.EndedBefore, run), ((await ArrivalAsync()).Outcome, (await ArrivalAsync()).Run));
        Assert.Equal(1, host.Calls(nameof(ArrivalActivities.StartRun)));
    }

    [Fact]
    public async Task Sweep_ADropThatNobodyTold_FindsItOnce()
    {
        await using DurableHost host = await StartAsync(store);
        Put("films/a.csv", Rows);
        Put("books/positive/a.txt", "a good book");
        store.Tamper("images/dresses/blue/a.png", [1]);

        await SweepAsync(host);
        await CollectedAsync(host);
        await CollectedAsync(host, model: "books");
        await CollectedAsync(host, DataKind.Images, "dresses");
        int looks = host.Calls(nameof(ArrivalActivities.Gather));
        await SweepAsync(host);

        Assert.Equal(["books", "dresses", "films"], (await host.Ledger.ListAsync(null, default)).Select(run => run.Model).Order());
        Assert.Equal(looks, host.Calls(nameof(ArrivalActivities.Gather)));
    }

    [Fact]
    public async Task Sweep_FilesThatWereDeleted_TrainsOnWhatIsLeftAfterAQuietPeriod()
    {
        await using DurableHost host = await StartAsync(store);
        Put("films/b.csv", "text,label\nanother film,positive\n");
        await TellAsync(host, Put("films/a.csv", Rows));
        await CollectedAsync(host);
        store.Remove("reviews/films/b.csv");
        DateTimeOffset deleted = TimeProvider.System.GetUtcNow();

        await SweepAsync(host);
        await CollectedAsync(host);

        ArrivalRecord arrival = await ArrivalAsync();
        Assert.Equal((1, 2), (arrival.Files, (await host.Ledger.ListAsync("films", default)).Count));
        Assert.True(arrival.At - deleted > Quiet / 2, $"taken in after {arrival.At - deleted}");
    }

    [Fact]
    public async Task Drop_ThatIsRefused_IsRecordedAndNotTriedAgainUntilItChanges()
    {
        await using DurableHost host = await StartAsync(store);
        Put("films/a.csv", Rows);
        await TellAsync(host, Put("films/dataset.json", """{"sead":7}"""));
        await CollectedAsync(host);
        ArrivalRecord refused = await ArrivalAsync();
        int looks = host.Calls(nameof(ArrivalActivities.Gather));

        await SweepAsync(host);

        Assert.Equal(looks, host.Calls(nameof(ArrivalActivities.Gather)));
        Assert.Equal((ArrivalOutcome.Refused, "D402", null), (refused.Outcome, refused.Refusal!.Code, refused.Run));
        Assert.Contains("sead", refused.Refusal.Fact, StringComparison.Ordinal);
        Assert.Empty(await host.Ledger.ListAsync(null, default));

        Put("films/dataset.json", """{"seed":7}""");
        await SweepAsync(host);
        await CollectedAsync(host);

        Assert.Equal(ArrivalOutcome.Recorded, (await ArrivalAsync()).Outcome);
    }

    [Fact]
    public async Task Sweep_UploadsInNoModelsFolder_RecordsThem()
    {
        await using DurableHost host = await StartAsync(store);
        Put("stray.csv", Rows);
        Put("My Films/a.csv", Rows);
        store.Tamper("predict/stray.csv", [1]);

        await SweepAsync(host);

        ArrivalLedger arrivals = host.Services.GetRequiredService<ArrivalLedger>();
        Assert.Equal(["D505", "D506"], (await arrivals.FindStraysAsync("reviews", default))!.Uploads.Select(stray => stray[..4]).Order());
        Assert.Equal("P006", Assert.Single((await arrivals.FindStraysAsync("predict", default))!.Uploads)[..4]);
        store.Remove("reviews/stray.csv");
        await SweepAsync(host);
        Assert.Equal("D506", Assert.Single((await arrivals.FindStraysAsync("reviews", default))!.Uploads)[..4]);
    }

    [Theory]
    [InlineData("reviews", "stray.csv")]
    [InlineData("reviews", "My Films/a.csv")]
    [InlineData("reviews", "../models/latest.json")]
    [InlineData("reviews", "%2e%2e/a.csv")]
    [InlineData("reviews", "")]
    [InlineData("models", "films/latest.json")]
    [InlineData("predict", "films/../a.csv")]
    [InlineData("predict", "../a.csv")]
    [InlineData("predict", "films/gone.csv")]
    public async Task Event_OfABlobThatIsNoModels_StartsNothing(string container, string name)
    {
        await using DurableHost host = await StartAsync(store);

        await host.Make<ArrivalEvents>().OnBlobAsync(host.Client, container, name, default);

        Assert.Empty(await host.Client.GetAllInstancesAsync().ToListAsync(TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("films/über 50 % & ü/Ä#1+.txt")]
    [InlineData("films/a%20b%2Fc.txt")]
    [InlineData("films/日本 語.txt")]
    public async Task Event_OfAnUnusualName_TakesTheFileIn(string name)
    {
        await using DurableHost host = await StartAsync(store, quiet: TimeSpan.Zero);

        await TellAsync(host, Put(name, "a good film"));
        await CollectedAsync(host);

        Assert.Equal(name, Assert.Single((await host.Ledger.RequestAsync((await ArrivalAsync()).Run!, default)).Files).Name);
    }

    [Fact]
    public async Task Collect_WhileStorageDoesNotAnswer_IsTriedAgain()
    {
        int times = 0;
        await using DurableHost host = await StartAsync(store, before: name =>
        {
            if (name == nameof(ArrivalActivities.Gather) && Interlocked.Increment(ref times) == 1) throw new Faults.TransientStorageException("X000", "No answer.", "Repeat.");
        });

        await TellAsync(host, Put("films/a.csv", Rows));
        await CollectedAsync(host);

        Assert.Equal(ArrivalOutcome.Recorded, (await ArrivalAsync()).Outcome);
    }

    [Fact]
    public async Task Sweep_ARunThatNobodyWorksOn_IsStarted()
    {
        await using DurableHost host = await StartAsync(store);
        Put("films/a.csv", Rows);
        TrainingRequest request = await host.Services.GetRequiredService<Functions.Training.Snapshots>().TakeAsync(DataKind.Reviews, "films", default);
        await host.Ledger.RecordAsync(request, default);

        await host.Make<Sweep>().RunsAsync(host.Client, default);
        await host.EndAsync(request.Run);

        Assert.Equal(1, host.Calls(nameof(RunActivities.BeginRun)));
    }

    [Fact]
    public async Task Sweep_ARunWhoseOrchestrationWasEndedByOtherHands_FailsInTheLedgerAndMayBeStartedAgain()
    {
        TaskCompletionSource never = new();
        await using DurableHost host = await DurableHost.StartAsync(store, Settings(Quiet), activities: new Dictionary<string, Func<object?, Task<object?>>>
        {
            [nameof(RunActivities.BeginRun)] = async _ =>
            {
                await never.Task;
                return null;
            },
        });
        await TellAsync(host, Put("films/a.csv", Rows));
        await CollectedAsync(host);
        string run = (await ArrivalAsync()).Run!;
        await host.Client.TerminateInstanceAsync(run, cancellation: TestContext.Current.CancellationToken);
        await host.EndAsync(run);

        await host.Make<Sweep>().RunsAsync(host.Client, default);

        RunStatus failed = await host.Ledger.StatusAsync(run, default);
        Assert.Equal((RunState.Failed, "F004"), (failed.State, failed.Error!.Code));
        never.SetResult();
        await host.Ledger.ReopenAsync(run, default);
        await host.Make<Sweep>().RunsAsync(host.Client, default);
        Assert.Equal(OrchestrationRuntimeStatus.Completed, (await host.EndAsync(run)).RuntimeStatus);
    }

    /// <returns>Its name.</returns>
    string Put(string name, string content)
    {
        store.Tamper($"reviews/{name}", Encoding.UTF8.GetBytes(content));
        return name;
    }

    async Task<ArrivalRecord> ArrivalAsync() => (await new ArrivalLedger(store, TimeProvider.System).FindAsync(DataKind.Reviews, "films", default))!;

    static Task TellAsync(DurableHost host, string name) => host.Make<ArrivalEvents>().OnBlobAsync(host.Client, "reviews", name, default);

    static Task SweepAsync(DurableHost host) => host.Make<Sweep>().SweepAll(new TimerInfo(), host.Client, default);

    static async Task CollectedAsync(DurableHost host, DataKind kind = DataKind.Reviews, string model = "films") =>
        Assert.Equal(OrchestrationRuntimeStatus.Completed, (await host.EndAsync(CollectOrchestrator.InstanceOf(kind, model))).RuntimeStatus);

    static Dictionary<string, string?> Settings(TimeSpan quiet) => new() { ["Scion:Quiet"] = quiet.ToString(), ["Scion:Settle"] = "00:00:00.3" };

    static Task<DurableHost> StartAsync(IBlobStore store, TimeSpan? quiet = null, Action<string>? before = null) => DurableHost.StartAsync(
        store, Settings(quiet ?? Quiet), activities: NoTraining, before: name =>
        {
            before?.Invoke(name);
            return Task.CompletedTask;
        });

    /// <summary>Calls a test before it opens a blob.</summary>
    sealed class OpeningStore(IBlobStore store, Action<BlobPath> opening) : IBlobStore
    {
        public IAsyncEnumerable<BlobItem> ListAsync(string container, string prefix, CancellationToken cancellation) => store.ListAsync(container, prefix, cancellation);

        public Task<BlobItem?> FindAsync(BlobPath path, CancellationToken cancellation) => store.FindAsync(path, cancellation);

        public Task<BlobContent?> OpenAsync(BlobPath path, string? etag, CancellationToken cancellation)
        {
            opening(path);
            return store.OpenAsync(path, etag, cancellation);
        }

        public Task<BlobItem?> CreateAsync(BlobPath path, Stream content, CancellationToken cancellation) => store.CreateAsync(path, content, cancellation);

        public Task<BlobItem?> ReplaceAsync(BlobPath path, Stream content, string etag, CancellationToken cancellation) => store.ReplaceAsync(path, content, etag, cancellation);

        public Task<bool> DeleteAsync(BlobPath path, string? etag, CancellationToken cancellation) => store.DeleteAsync(path, etag, cancellation);
    }
}
