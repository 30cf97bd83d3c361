using System.Collections.Concurrent;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.DependencyInjection;
using Scion.Datasets;
using Scion.Faults;
using Scion.Functions.Training;
using Scion.Local.Running;
using Scion.Pipelines;
using Scion.Storage;
using Scion.Vision;

namespace Scion.Tests;

/// <summary>Whole runs by orchestrations.</summary>
public sealed class TrainTests
{
    public static TheoryData<string> Kinds => [.. DataKinds.All.Select(kind => kind.Container)];

    [Theory, MemberData(nameof(Kinds))]
    public async Task Train_WithActivitiesEndingInAnyOrder_MakesTheVersionThatThePipelineAloneMakes(string container)
    {
        DataKind kind = KindOf(container);
        InMemoryBlobStore store = SmallUploads.Uploaded(kind);
        Random random = new(7);
        await using DurableHost host = await DurableHost.StartAsync(store, before: _ =>
        {
            lock (random) return Task.Delay(random.Next(20));
        });

        string run = await StartAsync(host, kind);
        OrchestrationMetadata ended = await host.EndAsync(run);

        Assert.Equal((OrchestrationRuntimeStatus.Completed, RunState.Succeeded), (ended.RuntimeStatus, ended.ReadOutputAs<RunState>()));
        (string digest, string rejects) = await SmallUploads.OutcomeAsync(kind, store);
        (string expected, string refused) = await AloneAsync(kind);
        Assert.Equal((expected, refused), (digest, rejects));
        Assert.All(DurableHost.Functions().Where(f => f.DeclaringType == typeof(RunActivities)).Select(f => f.Name).Except([nameof(RunActivities.FailRun)]),
            name => Assert.Equal(1, host.Calls(name)));
    }

    [Fact]
    public async Task Train_StorageThatDoesNotAnswerOnce_RepeatsThatStepAlone()
    {
        InMemoryBlobStore store = SmallUploads.Uploaded(DataKind.Reviews);
        int times = 0;
        await using DurableHost host = await DurableHost.StartAsync(store, before: name => name == nameof(TrainingActivities.Curate) && Interlocked.Increment(ref times) == 1
            ? throw new TransientStorageException("X000", "The answer was lost.", "Repeat the call.") : Task.CompletedTask);

        string run = await StartAsync(host, DataKind.Reviews);
        await host.EndAsync(run);

        Assert.Equal(RunState.Succeeded, (await host.Ledger.StatusAsync(run, default)).State);
        Assert.Equal((2, 1, 1), (host.Calls(nameof(TrainingActivities.Curate)), host.Calls(nameof(ReviewActivities.BuildVocabulary)), host.Calls(nameof(TrainingActivities.Evaluate))));
    }

    [Fact]
    public async Task Train_DataThatIsRefused_FailsWithItsCodeAndRepeatsNothing()
    {
        InMemoryBlobStore store = new();
        store.Tamper("reviews/films/reviews.csv", "text,label\nfine film,good\nanother fine film,good\n"u8.ToArray());
        await using DurableHost host = await DurableHost.StartAsync(store);

        string run = await StartAsync(host, DataKind.Reviews);
        OrchestrationMetadata ended = await host.EndAsync(run);

        RunStatus status = await host.Ledger.StatusAsync(run, default);
        Assert.Equal((RunState.Failed, RunState.Failed), (status.State, ended.ReadOutputAs<RunState>()));
        Assert.StartsWith("D", status.Error!.Code, StringComparison.Ordinal);
        Assert.Equal((1, 1, 0), (host.Calls(nameof(ReviewActivities.IngestReviews)), host.Calls(nameof(TrainingActivities.Curate)), host.Calls(nameof(ReviewActivities.BuildVocabulary))));
    }

    [Fact]
    public async Task Train_ADefectInAStep_FailsAndRepeatsNothing()
    {
        InMemoryBlobStore store = SmallUploads.Uploaded(DataKind.Reviews);
        await using DurableHost host = await DurableHost.StartAsync(new HookedStore(store, (_, _) => throw new BadImageFormatException("not ours")));

        string run = await StartAsync(host, DataKind.Reviews);
        await host.EndAsync(run);

        RunStatus status = await host.Ledger.StatusAsync(run, default);
        Assert.Equal((RunState.Failed, "F001"), (status.State, status.Error!.Code));
        Assert.Contains("BadImageFormatException: not ours", status.Error.Message, StringComparison.Ordinal);
        Assert.Equal(1, host.Calls(nameof(ReviewActivities.IngestReviews)) - (await host.Ledger.RequestAsync(run, default)).Files.Count + 1);
    }

    [Fact]
    public async Task Start_TwiceAndAgainWhenItHasEnded_IsOneRun()
    {
        InMemoryBlobStore store = SmallUploads.Uploaded(DataKind.Reviews);
        await using DurableHost host = await DurableHost.StartAsync(store);
        RunStarter starter = host.Services.GetRequiredService<RunStarter>();

        string run = await StartAsync(host, DataKind.Reviews);
        await Task.WhenAll(starter.StartAsync(host.Client, run, default), starter.StartAsync(host.Client, run, default));
        await host.EndAsync(run);
        await starter.StartAsync(host.Client, run, default);

        Assert.Equal((1, 1), (host.Calls(nameof(RunActivities.BeginRun)), host.Calls(nameof(RunActivities.SucceedRun))));
        await SmallUploads.OutcomeAsync(DataKind.Reviews, store);
    }

    [Fact]
    public async Task Cancel_InTheMiddleOfAStep_StopsTheStepAndTheOrchestration()
    {
        HeldStep held = new();
        await using DurableHost host = await DurableHost.StartAsync(held.Over(SmallUploads.Uploaded(DataKind.Reviews)));
        string run = await StartAsync(host, DataKind.Reviews);
        await held.Reached;

        await host.Ledger.CancelAsync(run, default);
        await host.Make<RunCommands>().ObeyAsync(new RunCommand(run, RunAction.Cancel), host.Client, default);
        OrchestrationMetadata ended = await host.EndAsync(run);

        Assert.Equal(OrchestrationRuntimeStatus.Terminated, ended.RuntimeStatus);
        await held.Stopped;
        Assert.Equal(RunState.Cancelled, (await host.Ledger.StatusAsync(run, default)).State);
    }

    [Fact]
    public async Task Cancel_WhoseCommandIsLost_EndsTheRunAllTheSame()
    {
        HeldStep held = new();
        await using DurableHost host = await DurableHost.StartAsync(held.Over(SmallUploads.Uploaded(DataKind.Reviews)));
        string run = await StartAsync(host, DataKind.Reviews);
        await held.Reached;

        await host.Ledger.CancelAsync(run, default);
        OrchestrationMetadata ended = await host.EndAsync(run);

        Assert.Equal((OrchestrationRuntimeStatus.Completed, RunState.Cancelled), (ended.RuntimeStatus, ended.ReadOutputAs<RunState>()));
        Assert.Equal(RunState.Cancelled, (await host.Ledger.StatusAsync(run, default)).State);
    }

    [Fact]
    public async Task Train_OfARunWhoseRecordIsDamaged_FailsAtOnceWithItsCode()
    {
        InMemoryBlobStore store = SmallUploads.Uploaded(DataKind.Reviews);
        await using DurableHost host = await DurableHost.StartAsync(store);
        TrainingRequest request = await host.Services.GetRequiredService<Functions.Training.Snapshots>().TakeAsync(DataKind.Reviews, SmallUploads.Model, default);
        await host.Ledger.RecordAsync(request, default);
        store.Tamper($"runs/{request.Run}/request.json", "{"u8.ToArray());

        await host.Services.GetRequiredService<RunStarter>().StartAsync(host.Client, request.Run, default);
        OrchestrationMetadata ended = await host.EndAsync(request.Run);

        RunStatus status = await host.Ledger.StatusAsync(request.Run, default);
        Assert.Equal((OrchestrationRuntimeStatus.Completed, RunState.Failed, 1), (ended.RuntimeStatus, status.State, host.Calls(nameof(RunActivities.BeginRun))));
        Assert.NotNull(status.Error);
    }

    [Fact]
    public async Task Start_AfterARunFailed_GoesOnFromWhatItsStepsKept()
    {
        InMemoryBlobStore store = SmallUploads.Uploaded(DataKind.Reviews);
        ConcurrentDictionary<string, int> made = new();
        int left = 30;
        string underWay = "";
        HookedStore hooked = new(store, (name, _) =>
        {
            if (Interlocked.Decrement(ref left) == 0)
            {
                underWay = name.Split('/')[0];
                throw new BadImageFormatException("not ours");
            }
            made.AddOrUpdate(name, 1, (_, times) => times + 1);
            return Task.CompletedTask;
        });
        await using DurableHost host = await DurableHost.StartAsync(hooked);
        string run = await StartAsync(host, DataKind.Reviews);
        await host.EndAsync(run);
        Assert.Equal("F001", (await host.Ledger.StatusAsync(run, default)).Error?.Code);
        string[] kept = [.. store.Content.Select(blob => blob.Path).Where(path => path.StartsWith("work/", StringComparison.Ordinal) && path.Split('/')[1] != underWay)];

        await host.Ledger.ReopenAsync(run, default);
        await host.Make<RunCommands>().ObeyAsync(new RunCommand(run, RunAction.Start), host.Client, default);
        await host.EndAsync(run);

        Assert.Equal(RunState.Succeeded, (await host.Ledger.StatusAsync(run, default)).State);
        Assert.NotEmpty(kept);
        Assert.All(kept, path => Assert.Equal(1, made[path["work/".Length..]]));
        Assert.Equal((await AloneAsync(DataKind.Reviews)).Digest, (await SmallUploads.OutcomeAsync(DataKind.Reviews, store)).Digest);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task Sweep_AStoppedRunWhoseCommandWasLost_StopsItsOrchestration(bool cancelled)
    {
        HeldStep held = new();
        await using DurableHost host = await DurableHost.StartAsync(held.Over(SmallUploads.Uploaded(DataKind.Reviews)));
        string run = await StartAsync(host, DataKind.Reviews);
        await held.Reached;
        await host.Ledger.SuspendAsync(run, default);
        if (cancelled)
        {
            await host.Make<RunCommands>().ObeyAsync(new RunCommand(run, RunAction.Suspend), host.Client, default);
            await DurableHost.UntilAsync(async () => (await host.Client.GetInstanceAsync(run))?.RuntimeStatus == OrchestrationRuntimeStatus.Suspended);
            await host.Ledger.CancelAsync(run, default);
        }

        await host.Make<Functions.Arrivals.Sweep>().RunsAsync(host.Client, default);

        OrchestrationRuntimeStatus expected = cancelled ? OrchestrationRuntimeStatus.Terminated : OrchestrationRuntimeStatus.Suspended;
        await DurableHost.UntilAsync(async () => (await host.Client.GetInstanceAsync(run))?.RuntimeStatus == expected, seconds: 10);
    }

    [Fact]
    public async Task Start_WhileACancelledRunIsStillBeingTerminated_IsMadeUpForByTheSweep()
    {
        HeldStep held = new();
        await using DurableHost host = await DurableHost.StartAsync(held.Over(SmallUploads.Uploaded(DataKind.Reviews)));
        string run = await StartAsync(host, DataKind.Reviews);
        await held.Reached;
        await host.Ledger.CancelAsync(run, default);
        await host.Ledger.ReopenAsync(run, default);                      // before the terminate gets through
        await host.Client.TerminateInstanceAsync(
            run, new TerminateInstanceOptions { Output = RunStarter.Stopped, Recursive = true }, TestContext.Current.CancellationToken);
        await host.EndAsync(run);
        held.Release();

        await host.Make<Functions.Arrivals.Sweep>().RunsAsync(host.Client, default);
        await host.EndAsync(run);

        Assert.Equal(RunState.Succeeded, (await host.Ledger.StatusAsync(run, default)).State);
    }

    [Fact]
    public async Task Suspend_InTheMiddleOfAStep_StopsItAndResumeDoesItAgain()
    {
        InMemoryBlobStore store = SmallUploads.Uploaded(DataKind.Reviews);
        HeldStep held = new();
        await using DurableHost host = await DurableHost.StartAsync(held.Over(store));
        RunCommands commands = host.Make<RunCommands>();
        string run = await StartAsync(host, DataKind.Reviews);
        await held.Reached;

        await host.Ledger.SuspendAsync(run, default);
        await commands.ObeyAsync(new RunCommand(run, RunAction.Suspend), host.Client, default);
        await held.Stopped;
        await DurableHost.UntilAsync(async () => (await host.Client.GetInstanceAsync(run))?.RuntimeStatus == OrchestrationRuntimeStatus.Suspended);
        held.Release();
        await host.Ledger.ResumeAsync(run, default);
        await commands.ObeyAsync(new RunCommand(run, RunAction.Resume), host.Client, default);
        await host.EndAsync(run);

        Assert.Equal((await AloneAsync(DataKind.Reviews)).Digest, (await SmallUploads.OutcomeAsync(DataKind.Reviews, store)).Digest);
    }

    [Fact]
    public async Task Progress_OfCallsThatBeganTogether_CountsThoseThatEnded()
    {
        HeldStep held = new();
        InMemoryBlobStore store = SmallUploads.Uploaded(DataKind.Images);
        int answers = 0;
        await using DurableHost host = await DurableHost.StartAsync(new HookedStore(store, async (path, cancellation) =>
        {
            if (path.EndsWith("/result.json", StringComparison.Ordinal) && Interlocked.Increment(ref answers) == 3) await held.HoldAsync(cancellation);
        }));
        string run = await StartAsync(host, DataKind.Images);
        await held.Reached;

        await DurableHost.UntilAsync(async () => (await host.Ledger.StatusAsync(run, default)).Done == 2);

        RunStatus status = await host.Ledger.StatusAsync(run, default);
        Assert.Equal((nameof(IImageSteps.IngestImages), 2L, 3L), (status.Stage, status.Done, status.Total));
        held.Release();
        await host.EndAsync(run);
    }

    [Fact]
    public async Task Progress_OfALongStep_IsInTheLedgerAndInTheCustomStatus()
    {
        HeldStep held = new();
        await using DurableHost host = await DurableHost.StartAsync(held.Over(SmallUploads.Uploaded(DataKind.Reviews)));
        string run = await StartAsync(host, DataKind.Reviews);
        await held.Reached;

        await DurableHost.UntilAsync(async () => (await host.Ledger.StatusAsync(run, default)).Stage is not null);

        RunStatus status = await host.Ledger.StatusAsync(run, default);
        Assert.Equal((RunState.Running, nameof(IReviewSteps.IngestReviews), 3L), (status.State, status.Stage, status.Total));
        RunStage? stage = (await host.Client.GetInstanceAsync(run, getInputsAndOutputs: true))!.ReadCustomStatusAs<RunStage>();
        Assert.Equal(new RunStage(nameof(IReviewSteps.IngestReviews), stage!.Done, 3), stage);
        held.Release();
        await host.EndAsync(run);
    }

    /// <summary>Holds the first write of a step until it is stopped or released.</summary>
    sealed class HeldStep
    {
        readonly TaskCompletionSource reached = new(), released = new(), stopped = new();

        public Task Reached => reached.Task.WaitAsync(TimeSpan.FromSeconds(30));

        /// <summary>The step saw its token.</summary>
        public Task Stopped => stopped.Task.WaitAsync(TimeSpan.FromSeconds(30));

        public void Release() => released.TrySetResult();

        public HookedStore Over(IBlobStore store) => new(store, (_, cancellation) => HoldAsync(cancellation));

        public async Task HoldAsync(CancellationToken cancellation)
        {
            reached.TrySetResult();
            try
            {
                await released.Task.WaitAsync(cancellation);
            }
            catch (OperationCanceledException)
            {
                stopped.TrySetResult();
                throw;
            }
        }
    }

    /// <summary>Pins what was uploaded, records the run and starts its orchestration, as a drop does.</summary>
    internal static async Task<string> StartAsync(DurableHost host, DataKind kind)
    {
        TrainingRequest request = await host.Services.GetRequiredService<Functions.Training.Snapshots>().TakeAsync(kind, SmallUploads.Model, default);
        await host.Ledger.RecordAsync(request, default);
        await host.Services.GetRequiredService<RunStarter>().StartAsync(host.Client, request.Run, default);
        return request.Run;
    }

    /// <summary>What the command line makes of the same uploads.</summary>
    internal static async Task<(string Digest, string Rejects)> AloneAsync(DataKind kind)
    {
        InMemoryBlobStore store = SmallUploads.Uploaded(kind);
        RunLedger ledger = new(store, TimeProvider.System);
        string locks = Directory.CreateTempSubdirectory("scion-functions-").FullName;
        try
        {
            TrainingRequest request = await Local.Running.Snapshots.TakeAsync(store, kind, SmallUploads.Model, [], TimeProvider.System, default);
            await ledger.RecordAsync(request, default);
            await new LocalRunner(store, new RunLocks(locks), new InProcessPictures(), TimeProvider.System).RunAsync(request.Run, new RunProgress(TimeProvider.System), default);
        }
        finally
        {
            Directory.Delete(locks, recursive: true);
        }
        return await SmallUploads.OutcomeAsync(kind, store);
    }

    static DataKind KindOf(string container) => DataKinds.All.Single(kind => kind.Container == container);
}
