using System.Text;
using System.Text.Json;
using Azure.Storage.Queues;
using Azure.Storage.Queues.Models;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Scion.Functions.Arrivals;

namespace Scion.Tests;

/// <summary>Event Grid's messages, from a real queue to a collector.</summary>
[Collection(nameof(AzuriteWithQueues))]
public sealed class BlobEventsTests(AzuriteWithQueues azurite)
{
    const string Rows = "text,label\na good film,positive\na bad film,negative\n";

    readonly InMemoryBlobStore store = new(TimeProvider.System);

    static string EventGrid(string container, string name, string type = "Microsoft.Storage.BlobCreated") => JsonSerializer.Serialize(new
    {
        topic = "/subscriptions/x/resourceGroups/y/providers/Microsoft.Storage/storageAccounts/z",
        subject = $"/blobServices/default/containers/{container}/blobs/{name}",
        eventType = type,
        id = "831e1650-001e-001b-66ab-eeb76e069631",
        data = new { api = "PutBlockList", eTag = "0x8D4BCC2E4835CD0", url = "https://z.blob.core.windows.net/elsewhere", sequencer = "00000000000004420000000000028963", anything = new[] { 1 } },
        dataVersion = "",
        metadataVersion = "1",
        eventTime = "2026-11-25T00:00:00.9584103Z",
    });

    static string CloudEvents(string container, string name, string type = "Microsoft.Storage.BlobCreated") => JsonSerializer.Serialize(new
    {
        source = "/subscriptions/x/resourceGroups/y/providers/Microsoft.Storage/storageAccounts/z",
        subject = $"/blobServices/default/containers/{container}/blobs/{name}",
        type,
        time = "2026-11-25T00:00:00.9584103Z",
        id = "831e1650-001e-001b-66ab-eeb76e069631",
        data = new { api = "PutBlob", url = "https://z.blob.core.windows.net/elsewhere" },
        specversion = "1.0",
    });

    [Fact]
    public void Event_OfEitherSchemaAloneOrInAnArray_NamesTheBlob()
    {
        CreatedBlob[] one = [new("reviews", "films/über 50 %/blobs/a.csv")];
        string name = one[0].Name;

        Assert.Equal(one, Among(EventGrid("reviews", name)));
        Assert.Equal(one, Among(CloudEvents("reviews", name)));
        Assert.Equal([.. one, .. one], Among($"[{EventGrid("reviews", name)},{EventGrid("reviews", name, "Microsoft.Storage.BlobDeleted")},{CloudEvents("reviews", name)}]"));
        Assert.Equal([], Among(CloudEvents("reviews", name, "Microsoft.Storage.BlobTierChanged")));
        Assert.Equal([], Among("[]"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("not json")]
    [InlineData("{\"eventType\":")]
    [InlineData("7")]
    [InlineData("[7]")]
    [InlineData("{}")]
    [InlineData("""{"eventType":7,"subject":"/blobServices/default/containers/reviews/blobs/a"}""")]
    [InlineData("""{"eventType":"Microsoft.Storage.BlobCreated"}""")]
    [InlineData("""{"eventType":"Microsoft.Storage.BlobCreated","subject":"/blobServices/default/containers/reviews"}""")]
    [InlineData("""{"eventType":"Microsoft.Storage.BlobCreated","subject":"/blobServices/default/containers/reviews/blobs/"}""")]
    [InlineData("""{"eventType":"Microsoft.Storage.BlobCreated","subject":"reviews/films/a.csv"}""")]
    [InlineData("""{"eventType":"Microsoft.Storage.BlobCreated","subject":"\ud800"}""")]
    public async Task Message_ThatIsNoEvent_IsLeftWithoutAFault(string message)
    {
        Assert.Null(Among(message));
        await using DurableHost host = await StartAsync();

        await host.Make<BlobEvents>().BlobEvent(QueuesModelFactory.QueueMessage("1", "r", BinaryData.FromString(message), 1), host.Client, default);

        Assert.Empty(await host.Client.GetAllInstancesAsync().ToListAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Events_DoubledAndReorderedInTheQueue_AreOneRun()
    {
        QueueClient queue = new(azurite.ConnectionString, $"blob-events-{Guid.NewGuid():n}", new QueueClientOptions(QueueClientOptions.ServiceVersion.V2025_11_05) { MessageEncoding = QueueMessageEncoding.Base64 });
        await queue.CreateAsync(cancellationToken: TestContext.Current.CancellationToken);
        store.Tamper("reviews/films/a.csv", Encoding.UTF8.GetBytes(Rows));
        store.Tamper("reviews/films/b.csv", Encoding.UTF8.GetBytes(Rows.Replace("film", "story", StringComparison.Ordinal)));
        string[] sent =
        [
            CloudEvents("reviews", "films/b.csv"), EventGrid("models", "films/latest.json"), EventGrid("reviews", "films/a.csv"), "no event",
            EventGrid("reviews", "films/a.csv", "Microsoft.Storage.BlobDeleted"), EventGrid("reviews", "films/a.csv"), CloudEvents("reviews", "films/b.csv"),
        ];
        foreach (string message in sent) await queue.SendMessageAsync(message, TestContext.Current.CancellationToken);
        await using DurableHost host = await StartAsync();
        BlobEvents events = host.Make<BlobEvents>();

        foreach (QueueMessage message in (await queue.ReceiveMessagesAsync(32, cancellationToken: TestContext.Current.CancellationToken)).Value) await events.BlobEvent(message, host.Client, default);
        await host.EndAsync(CollectOrchestrator.InstanceOf(Datasets.DataKind.Reviews, "films"));

        Assert.Equal(2, (await host.Ledger.RequestAsync(Assert.Single(await host.Ledger.ListAsync(null, default)).Run, default)).Files.Count);
        Assert.Single(await host.Client.GetAllInstancesAsync().Where(instance => instance.Name == nameof(CollectOrchestrator.Collect)).ToListAsync(TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("""{"FunctionId":"Host.Functions.ReviewsDropped","BlobType":"BlockBlob","ContainerName":"reviews","BlobName":"films/a.csv","ETag":"\"0x8\""}""", 1)]
    [InlineData("""{"FunctionId":"Host.Functions.ReviewsDropped"}""", 0)]
    [InlineData("poison", 0)]
    public async Task Poison_OfABlobTrigger_IsToldAgainOrLeft(string message, int runs)
    {
        store.Tamper("reviews/films/a.csv", Encoding.UTF8.GetBytes(Rows));
        await using DurableHost host = await StartAsync();

        await host.Make<BlobTriggers>().BlobPoison(QueuesModelFactory.QueueMessage("1", "r", BinaryData.FromString(message), 1), host.Client, default);
        if (runs > 0) await host.EndAsync(CollectOrchestrator.InstanceOf(Datasets.DataKind.Reviews, "films"));

        Assert.Equal(runs, (await host.Ledger.ListAsync(null, default)).Count);
    }

    [Fact]
    public async Task Trigger_OnAClient_TellsOfTheWholeName()
    {
        store.Tamper("reviews/films/positive/über 1.txt", Encoding.UTF8.GetBytes("a good film"));
        await using DurableHost host = await StartAsync();
        Azure.Storage.Blobs.BlobClient blob = new(azurite.ConnectionString, "reviews", "films/positive/über 1.txt");

        await host.Make<BlobTriggers>().ReviewsDropped(blob, host.Client, default);
        await host.EndAsync(CollectOrchestrator.InstanceOf(Datasets.DataKind.Reviews, "films"));

        Assert.Single(await host.Ledger.ListAsync("films", default));
    }

    static IReadOnlyList<CreatedBlob>? Among(string message) => CreatedBlob.Among(Encoding.UTF8.GetBytes(message));

    Task<DurableHost> StartAsync() => DurableHost.StartAsync(store, new Dictionary<string, string?> { ["Scion:Quiet"] = "00:00:00.3", ["Scion:Settle"] = "00:00:00.3" },
        activities: new Dictionary<string, Func<object?, Task<object?>>> { [nameof(Functions.Training.RunActivities.BeginRun)] = _ => Task.FromResult<object?>(null) });
}
