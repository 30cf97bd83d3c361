using System.Net;
using System.Text;
using System.Text.Json;
using Azure.Storage.Queues;
using Azure.Storage.Queues.Models;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Scion.Datasets;
using Scion.Faults;
using Scion.Functions;
using Scion.Functions.Http;
using Scion.Functions.Training;
using Scion.Pipelines;
using Scion.Storage;
using Scion.Text;

namespace Scion.Tests.Http;

[Collection(nameof(AzuriteWithQueues))]
public sealed class QueuedTrainingHostTests : IAsyncLifetime
{
    readonly InMemoryBlobStore store = new();
    readonly QueueServiceClient service;
    readonly RunLedger ledger;

    public QueuedTrainingHostTests(AzuriteWithQueues azurite)
    {
        service = new QueueServiceClient(azurite.ConnectionString, ScionQueues.Options);
        ledger = new RunLedger(store, TimeProvider.System);
        store.Tamper("reviews/films/a.csv", Encoding.UTF8.GetBytes(Reviews.Csv(20)));
    }

    public ValueTask InitializeAsync() => DisposeAsync();

    public async ValueTask DisposeAsync() => await service.GetQueueClient(RunCommands.Queue).DeleteIfExistsAsync();

    QueuedTrainingHost Host(QueueServiceClient? queues = null, TimeProvider? time = null, IBlobStore? read = null)
    {
        Snapshots snapshots = new(read ?? store, new EmbeddingTrainers(torch: null), Options.Create(new ScionSettings()), TimeProvider.System);
        return new QueuedTrainingHost(ledger, snapshots, new ScionQueues(queues ?? service), time ?? TimeProvider.System, NullLogger<QueuedTrainingHost>.Instance);
    }

    async Task<RunCommand[]> CommandsAsync()
    {
        QueueClient queue = service.GetQueueClient(RunCommands.Queue);
        QueueMessage[] messages = await queue.ExistsAsync() ? (await queue.ReceiveMessagesAsync(32)).Value : [];
        return [.. messages.Select(message => JsonSerializer.Deserialize<RunCommand>(message.Body.ToString(), ScionJson.Strict)!)];
    }

    [Fact]
    public async Task Train_OfAFolder_IsAcceptedRecordedAndCommandedAndAgainIsTheSameRun()
    {
        await using RunningFunctions api = await RunningFunctions.StartAsync(store, Host());
        Uri train = new("/api/datasets/reviews/films/train", UriKind.Relative);

        using HttpResponseMessage first = await api.Client.PostAsync(train, null), second = await api.Client.PostAsync(train, null);

        using JsonDocument status = JsonDocument.Parse(await first.Content.ReadAsStringAsync());
        string run = status.RootElement.GetProperty("run").GetString()!;
        Assert.Equal((HttpStatusCode.Accepted, HttpStatusCode.Accepted), (first.StatusCode, second.StatusCode));
        Assert.Equal($"/api/runs/{run}", first.Headers.Location!.ToString());
        Assert.Equal(first.Headers.Location, second.Headers.Location);
        Assert.Equal("queued", status.RootElement.GetProperty("state").GetString());
        Assert.Equal(HttpStatusCode.OK, (await api.Client.GetAsync(first.Headers.Location)).StatusCode);
        Assert.Equal([new RunCommand(run, RunAction.Start), new RunCommand(run, RunAction.Start)], await CommandsAsync());
    }

    [Fact]
    public async Task Train_OfAFolderThatCannotBe_IsRefusedAndCommandsNothing()
    {
        await using RunningFunctions api = await RunningFunctions.StartAsync(store, Host());

        using HttpResponseMessage answer = await api.Client.PostAsync(new Uri("/api/datasets/reviews/none/train", UriKind.Relative), null);

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.Contains("\"code\":\"D501\"", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Empty(await CommandsAsync());
    }

    [Fact]
    public async Task Run_SuspendedResumedAndCancelled_TellsTheLedgerAndSendsEachCommand()
    {
        QueuedTrainingHost host = Host();
        string run = (await host.StartAsync(DataKind.Reviews, "films", default)).Run;

        RunState[] states = [(await host.SuspendAsync(run, default)).State, (await host.ResumeAsync(run, default)).State, (await host.CancelAsync(run, default)).State];

        Assert.Equal([RunState.Suspended, RunState.Queued, RunState.Cancelled], states);
        Assert.Equal([RunAction.Start, RunAction.Suspend, RunAction.Resume, RunAction.Cancel], (await CommandsAsync()).Select(command => command.Action));
    }

    [Fact]
    public async Task Start_OfASuspendedOrFailedRun_OpensItAgainAndOfAFinishedOneCommandsNothing()
    {
        QueuedTrainingHost host = Host();
        string run = (await host.StartAsync(DataKind.Reviews, "films", default)).Run;
        await ledger.SuspendAsync(run, default);
        RunState suspended = (await host.StartAsync(DataKind.Reviews, "films", default)).State;
        await ledger.FailAsync(run, "D301", "Fact.", default);
        RunState failed = (await host.StartAsync(DataKind.Reviews, "films", default)).State;
        await ledger.UpdateAsync(run, status => status with { State = RunState.Succeeded }, default);

        RunState succeeded = (await host.StartAsync(DataKind.Reviews, "films", default)).State;

        Assert.Equal((RunState.Queued, RunState.Queued, RunState.Succeeded), (suspended, failed, succeeded));
        Assert.Equal(3, (await CommandsAsync()).Length);
    }

    [Fact]
    public async Task Start_TheQueueDoesNotAnswer_StandsInTheLedgerAllTheSame()
    {
        QueueClientOptions impatient = ScionQueues.Options;
        impatient.Retry.MaxRetries = 0;
        QueueServiceClient nowhere = new("DefaultEndpointsProtocol=http;AccountName=a;AccountKey=AAAA;QueueEndpoint=http://127.0.0.1:1/a;", impatient);

        RunStatus status = await Host(nowhere).StartAsync(DataKind.Reviews, "films", default);

        Assert.Equal(RunState.Queued, status.State);
        Assert.Equal(status.Run, Assert.Single(await ledger.UnfinishedAsync(default)).Run);
    }

    [Fact]
    public async Task Start_ReadingTakesLongerThanARequestMay_SaysThatTheRunStartsByItself()
    {
        GatedBlobStore slow = new(store) { Gate = new TaskCompletionSource().Task };
        QueuedTrainingHost host = Host(time: new HurriedClock(), read: slow);     // its time is over at once

        InputRejectedException fault = await Assert.ThrowsAsync<InputRejectedException>(() => host.StartAsync(DataKind.Reviews, "films", default));
        Assert.Equal("F010: The files in reviews/films/ are so many or so large that they were not read through within 200 s, and a request may not last longer. "
            + "Nothing is wrong with them: a run starts by itself once nothing has been added for a while; see GET /api/datasets/reviews/films.", fault.Message);
    }
}
