using System.Text.Json;
using Azure.Storage.Queues;
using Azure.Storage.Queues.Models;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.DependencyInjection;
using Scion.Datasets;
using Scion.Faults;
using Scion.Functions;
using Scion.Functions.Gpu;
using Scion.Functions.Training;
using Scion.Pipelines;
using Scion.Storage;

namespace Scion.Tests;

/// <summary>Steps by way of GPU queues: the queues are the emulator's, the host that serves them is this test.</summary>
[Collection(nameof(AzuriteWithQueues))]
public sealed class GpuTests(AzuriteWithQueues azurite) : IAsyncLifetime
{
    static readonly string[] Queues = [GpuQueues.Pretrain, GpuQueues.Extract, GpuQueues.Results];

    public async ValueTask InitializeAsync()
    {
        foreach (string queue in Queues) await Queue(queue).DeleteIfExistsAsync();
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task Extract_WhenNoGpuTakesIt_IsWithdrawnAndDoneOnTheCpu()
    {
        InMemoryBlobStore store = SmallUploads.Uploaded(DataKind.Images);
        await using DurableHost host = await StartAsync(store, pickup: 0.3);

        string run = await TrainTests.StartAsync(host, DataKind.Images);
        await host.EndAsync(run);

        Assert.Equal(await TrainTests.AloneAsync(DataKind.Images), await SmallUploads.OutcomeAsync(DataKind.Images, store));
        Assert.True(host.Calls(nameof(GpuActivities.WithdrawFromGpu)) > 0);
        Assert.Equal(0, (await Queue(GpuQueues.Extract).GetPropertiesAsync()).Value.ApproximateMessagesCount);
    }

    [Fact]
    public async Task Extract_WhenAGpuTakesIt_IsDoneThereAndItsAnswerUsed()
    {
        InMemoryBlobStore store = SmallUploads.Uploaded(DataKind.Images);
        await using DurableHost host = await StartAsync(store);
        string run = await TrainTests.StartAsync(host, DataKind.Images);

        int done = await ServeAsync(host, run);

        Assert.Equal(await TrainTests.AloneAsync(DataKind.Images), await SmallUploads.OutcomeAsync(DataKind.Images, store));
        Assert.Equal((host.Calls(nameof(GpuActivities.SendToGpu)), 0), (done, host.Calls(nameof(GpuActivities.WithdrawFromGpu))));
        Assert.True(done > 0);
    }

    [Fact]
    public async Task Extract_TakenAndSlowerThanThePickup_IsWaitedFor()
    {
        InMemoryBlobStore store = SmallUploads.Uploaded(DataKind.Images);
        await using DurableHost host = await StartAsync(store, pickup: 0.5);
        string run = await TrainTests.StartAsync(host, DataKind.Images);
        List<QueueMessage> taken = await TakeAsync(GpuQueues.Extract, host);

        await DurableHost.UntilAsync(() => Task.FromResult(host.Calls(nameof(GpuActivities.WithdrawFromGpu)) >= taken.Count));
        Assert.Equal(0, host.Calls(nameof(ImageActivities.ExtractImageFeatures)));                  // nobody does it twice
        foreach (QueueMessage message in taken) await host.Make<ExtractWorker>().ExtractOnGpu(message, default);
        await ServeAsync(host, run);

        Assert.Equal(await TrainTests.AloneAsync(DataKind.Images), await SmallUploads.OutcomeAsync(DataKind.Images, store));
    }

    [Fact]
    public async Task Extract_TakenAndNeverAnswered_IsDoneOnTheCpuAfterTheLimit()
    {
        InMemoryBlobStore store = SmallUploads.Uploaded(DataKind.Images);
        await using DurableHost host = await StartAsync(store, pickup: 0.5, limit: 0.5);
        string run = await TrainTests.StartAsync(host, DataKind.Images);

        await TakeAsync(GpuQueues.Extract, host);
        await host.EndAsync(run);

        await SmallUploads.OutcomeAsync(DataKind.Images, store);
    }

    [Fact]
    public async Task Extract_OfWhichTheGpuAppDies_FailsTheRunAndSaysSo()
    {
        await using DurableHost host = await StartAsync(SmallUploads.Uploaded(DataKind.Images));
        string run = await TrainTests.StartAsync(host, DataKind.Images);
        List<QueueMessage> poisonous = await TakeAsync(GpuQueues.Extract, host);

        await host.Make<GpuAnswers>().ExtractPoison(poisonous[0], host.Client, default);
        await host.EndAsync(run);

        RunStatus status = await host.Ledger.StatusAsync(run, default);
        Assert.Equal((RunState.Failed, "F003"), (status.State, status.Error!.Code));
        Assert.Contains("died 5 times of step ExtractImageFeatures", status.Error.Message, StringComparison.Ordinal);
    }

    [Theory, InlineData("no JSON"), InlineData("{}")]
    public async Task Poison_OfWhatIsNoStep_IsLeft(string message)
    {
        await using DurableHost host = await StartAsync(new InMemoryBlobStore());

        await host.Make<GpuAnswers>().ExtractPoison(QueuesModelFactory.QueueMessage("m", "p", new BinaryData(message), 1), host.Client, default);

        Assert.Empty(await host.Client.GetAllInstancesAsync().ToListAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Extract_RefusedOnTheGpu_FailsWithItsCodeAtOnce()
    {
        InMemoryBlobStore store = SmallUploads.Uploaded(DataKind.Images);
        await using DurableHost host = await StartAsync(store);
        string run = await TrainTests.StartAsync(host, DataKind.Images);
        List<QueueMessage> taken = await TakeAsync(GpuQueues.Extract, host);
        foreach ((string path, byte[] bytes) in store.Content.ToArray())
            if (path.StartsWith("work/", StringComparison.Ordinal) && path.EndsWith(".onnx", StringComparison.Ordinal)) store.Tamper(path, [.. bytes.Reverse()]);

        await host.Make<ExtractWorker>().ExtractOnGpu(taken[0], default);
        await ServeAsync(host, run);

        RunStatus status = await host.Ledger.StatusAsync(run, default);
        Assert.Equal((RunState.Failed, "S004"), (status.State, status.Error!.Code));
    }

    [Fact]
    public async Task GpuWorker_StorageThatDoesNotAnswer_ThrowsForAnotherTryAndAtTheLastAnswers()
    {
        await using DurableHost host = await StartAsync(new FailingBlobStore(new InMemoryBlobStore(), failing: 1, done: false, times: 100));
        BinaryData body = new(JsonSerializer.Serialize(new GpuWork("i", "e", nameof(IImageSteps.ExtractImageFeatures), "work/calls/0.json", DateTimeOffset.UnixEpoch), ScionJson.Strict));
        QueueMessage Message(long tries) => QueuesModelFactory.QueueMessage("m", "p", body, tries);
        ExtractWorker worker = host.Make<ExtractWorker>();

        await Assert.ThrowsAsync<TransientStorageException>(() => worker.ExtractOnGpu(Message(1), default));
        await worker.ExtractOnGpu(Message(GpuWorker.MaxTries), default);

        QueueMessage answer = Assert.Single((await Queue(GpuQueues.Results).ReceiveMessagesAsync(10)).Value);
        Assert.Equal(new GpuDone("i", "e", new StepFault(FaultFamily.Transient, "X000", "The answer was lost. Repeat the call.")), answer.Body.ToObjectFromJson<GpuDone>(ScionJson.Strict));
    }

    [Fact]
    public async Task Pretrain_WithoutAGpuInTime_UsesTheCpuTrainer()
    {
        InMemoryBlobStore store = SmallUploads.Uploaded(DataKind.Reviews);
        await using DurableHost host = await StartAsync(store, pickup: 0.3);

        string run = await TrainTests.StartAsync(host, DataKind.Reviews);
        await host.EndAsync(run);

        Assert.Equal("torch", ((TrainReviewsRequest)await host.Ledger.RequestAsync(run, default)).Settings.Embedding.Trainer);
        Assert.Equal(RunState.Succeeded, (await host.Ledger.StatusAsync(run, default)).State);
        Assert.Equal("cpu", ((TrainedReviews)await host.Ledger.ReportAsync(run, default)).Encoder.Device);
    }

    Task<DurableHost> StartAsync(IBlobStore store, double pickup = 30, double limit = 60) => DurableHost.StartAsync(store, new Dictionary<string, string?>
    {
        ["Scion:Gpu:Pretrain"] = "true",
        ["Scion:Gpu:Extract"] = "true",
        ["Scion:Gpu:PretrainFromBytes"] = "0",
        ["Scion:Gpu:ExtractFromRows"] = "0",
        ["Scion:Gpu:Pickup"] = TimeSpan.FromSeconds(pickup).ToString(),
        ["Scion:Gpu:Limit"] = TimeSpan.FromSeconds(limit).ToString(),
    }, azurite.ConnectionString);

    QueueClient Queue(string name) => new(azurite.ConnectionString, name, ScionQueues.Options);

    /// <summary>Takes what lies in a queue, once something does, and keeps it.</summary>
    async Task<List<QueueMessage>> TakeAsync(string queue, DurableHost host)
    {
        List<QueueMessage> taken = [];
        await DurableHost.UntilAsync(() => Task.FromResult(host.Calls(nameof(GpuActivities.SendToGpu)) > 0));
        await DurableHost.UntilAsync(async () =>
        {
            if ((await Queue(queue).ExistsAsync()).Value) taken.AddRange((await Queue(queue).ReceiveMessagesAsync(32, TimeSpan.FromMinutes(5))).Value);
            return taken.Count > 0;
        });
        return taken;
    }

    /// <summary>Serves the queues until the run has ended.</summary>
    /// <returns>Steps done by a GPU app.</returns>
    async Task<int> ServeAsync(DurableHost host, string run)
    {
        int done = 0;
        await DurableHost.UntilAsync(async () =>
        {
            done += await EachAsync(GpuQueues.Extract, message => host.Make<ExtractWorker>().ExtractOnGpu(message, default));
            await EachAsync(GpuQueues.Results, message => host.Make<GpuAnswers>().StepResult(message, host.Client, default));
            return (await host.Client.GetInstanceAsync(run))!.IsCompleted;
        });
        return done;
    }

    async Task<int> EachAsync(string name, Func<QueueMessage, Task> handle)
    {
        QueueClient queue = Queue(name);
        if (!(await queue.ExistsAsync()).Value) return 0;
        QueueMessage[] messages = (await queue.ReceiveMessagesAsync(32)).Value;
        foreach (QueueMessage message in messages)
        {
            await handle(message);
            await queue.DeleteMessageAsync(message.MessageId, message.PopReceipt);
        }
        return messages.Length;
    }
}
