using System.Text;
using System.Text.Json;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using Scion.Datasets;
using Scion.Functions.Arrivals;
using Scion.Functions.Predictions;
using Scion.Serving;
using Scion.Storage;
using Scion.Tests.Registry;

namespace Scion.Tests;

/// <summary>From a file dropped into <c>predict/</c> to its answers.</summary>
[Collection(nameof(AzuriteWithQueues))]
public sealed class ScoreTests(AzuriteWithQueues azurite)
{
    const string Rows = "text\na great lovely film\nan awful dull film\n";

    readonly InMemoryBlobStore store = new(TimeProvider.System);

    [Fact]
    public async Task Drop_BeforeTheModelExists_IsScoredWhenARunHasMadeIt()
    {
        await using DurableHost host = await DurableHost.StartAsync(store);
        await DropAsync("films/new.csv", Rows);
        await TellAsync(host, "films/new.csv");
        Assert.Equal(DropOutcome.Waits, await EndAsync(host, "films/new.csv"));
        await PublishAsync(store);

        await host.Make<PredictionActivities>().ScoreWaiting("films", host.Client, default);

        Assert.Equal(DropOutcome.Scored, await EndAsync(host, "films/new.csv"));
        Assert.Equal(["a great lovely film,positive", "an awful dull film,negative"], await LabelsAsync(store, "films/new.csv"));
    }

    [Fact]
    public async Task Drop_BesideUploadsThatAreTrained_IsScoredAtTheEndOfTheRun()
    {
        InMemoryBlobStore uploaded = SmallUploads.Uploaded(DataKind.Reviews);
        uploaded.Tamper($"predict/{SmallUploads.Model}/new.csv", Encoding.UTF8.GetBytes(Rows));
        await using DurableHost host = await DurableHost.StartAsync(uploaded);

        string run = await TrainTests.StartAsync(host, DataKind.Reviews);
        await host.EndAsync(run);

        BlobItem item = (await uploaded.FindAsync(BlobPath.Of("predict", $"{SmallUploads.Model}/new.csv"), default))!;
        await host.EndAsync(ScoreStarter.InstanceOf(SmallUploads.Model, item.Name, item.ETag));
        Assert.Equal(2, (await LabelsAsync(uploaded, item.Name)).Length);
    }

    [Fact]
    public async Task Sweep_AFileThatNobodyTold_ScoresItOnceAndAgainWhenItChanges()
    {
        await PublishAsync(store);
        await using DurableHost host = await DurableHost.StartAsync(store);
        await DropAsync("films/new.csv", Rows);
        await DropAsync("books/waits.csv", Rows);

        await SweepAsync(host);
        Assert.Equal(DropOutcome.Scored, await EndAsync(host, "films/new.csv"));
        await SweepAsync(host);
        await SweepAsync(host);
        Assert.Equal(1, host.Calls(nameof(PredictionActivities.ScoreFile)));

        await DropAsync("films/new.csv", "text\na warm bright film\n");
        await SweepAsync(host);
        Assert.Equal(DropOutcome.Scored, await EndAsync(host, "films/new.csv"));
        Assert.Equal(["a warm bright film,positive"], await LabelsAsync(store, "films/new.csv"));
    }

    [Fact]
    public async Task Events_DoubledOfOneFile_ScoreItOnce()
    {
        await PublishAsync(store);
        await using DurableHost host = await DurableHost.StartAsync(store);
        await DropAsync("films/new.csv", Rows);

        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => TellAsync(host, "films/new.csv")));
        Assert.Equal(DropOutcome.Scored, await EndAsync(host, "films/new.csv"));
        await TellAsync(host, "films/new.csv");

        Assert.Equal(DropOutcome.Known, await EndAsync(host, "films/new.csv"));
    }

    [Fact]
    public async Task Event_OfAVersionThatIsGone_ScoresNothing()
    {
        await PublishAsync(store);
        await using DurableHost host = await DurableHost.StartAsync(store);
        BlobItem old = await DropAsync("films/new.csv", Rows);
        await DropAsync("films/new.csv", Rows);

        DropOutcome outcome = await host.Make<PredictionActivities>().ScoreFile(new ScoreOrder(old.Name, old.ETag), default);

        Assert.Equal(DropOutcome.Changed, outcome);
        Assert.Null(await store.FindAsync(BlobPath.Of("predictions", "films/new.csv.json"), default));
    }

    [Fact]
    public async Task Drop_OfAPictureForAModelOfReviews_IsRefusedAndRecorded()
    {
        await PublishAsync(store);
        await using DurableHost host = await DurableHost.StartAsync(store);
        await DropAsync("films/a.png", "not a picture");

        await TellAsync(host, "films/a.png");

        Assert.Equal(DropOutcome.Refused, await EndAsync(host, "films/a.png"));
        PredictionRecord record = (await store.FindJsonAsync<PredictionRecord>(BlobPath.Of("predictions", "films/a.png.json"), default))!.Value.Value;
        Assert.Equal("P005", record.Error!.Code);
    }

    [Theory]
    [InlineData("films/über 50 % & ü/Ä#1+.csv")]
    [InlineData("films/a%20b.csv")]
    [InlineData("films/日本 語.csv")]
    public async Task Drop_OfAnUnusualNameOnTheEmulator_IsAnsweredBesideIt(string name)
    {
        AzureBlobStore real = AzureBlobStore.Open(azurite.ConnectionString);
        await real.PutAsync(BlobPath.Of("predict", name), Encoding.UTF8.GetBytes(Rows), default);
        await PublishAsync(real);
        await using DurableHost host = await DurableHost.StartAsync(real);

        await host.Make<ArrivalEvents>().OnBlobAsync(host.Client, "predict", name, default);

        BlobItem item = (await real.FindAsync(BlobPath.Of("predict", name), default))!;
        Assert.Equal(DropOutcome.Scored, (await host.EndAsync(ScoreStarter.InstanceOf("films", name, item.ETag))).ReadOutputAs<DropOutcome>());
        Assert.Equal(2, (await LabelsAsync(real, name)).Length);
    }

    async Task<BlobItem> DropAsync(string name, string content)
    {
        store.Tamper($"predict/{name}", Encoding.UTF8.GetBytes(content));
        return (await store.FindAsync(BlobPath.Of("predict", name), default))!;
    }

    static async Task PublishAsync(IBlobStore on)
    {
        if (await on.FindAsync(BlobPath.Of("models", "films/latest.json"), default) is null) await TrainedModel.PublishAsync(on, await TrainedModel.MakeAsync(on));
    }

    static Task TellAsync(DurableHost host, string name) => host.Make<ArrivalEvents>().OnBlobAsync(host.Client, "predict", name, default);

    static Task SweepAsync(DurableHost host) => host.Make<Sweep>().SweepAll(new TimerInfo(), host.Client, default);

    async Task<DropOutcome> EndAsync(DurableHost host, string name)
    {
        BlobItem item = (await store.FindAsync(BlobPath.Of("predict", name), default))!;
        OrchestrationMetadata ended = await host.EndAsync(ScoreStarter.InstanceOf("films", name, item.ETag));
        Assert.Equal(OrchestrationRuntimeStatus.Completed, ended.RuntimeStatus);
        return ended.ReadOutputAs<DropOutcome>();
    }

    /// <summary>Inputs and labels of the answers.</summary>
    static async Task<string[]> LabelsAsync(IBlobStore on, string name) =>
        [.. Encoding.UTF8.GetString((await on.FindBytesAsync(BlobPath.Of("predictions", $"{name}.csv"), default))!).Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Skip(1).Select(line => string.Join(',', line.Split(',')[..2]))];
}
