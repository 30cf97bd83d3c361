using System.Text;
using Scion.Datasets;
using Scion.Faults;
using Scion.Pipelines;
using Scion.Storage;

namespace Scion.Tests.Pipelines;

public sealed class RunLedgerTests
{
    readonly InMemoryBlobStore store = new();

    RunLedger Ledger => new(store, StoppedClock.Instance);

    static TrainReviewsRequest Request(string model = "films", string sha = "a", int second = 0, ReviewSettings? settings = null) => TrainReviewsRequest.Of(model,
        [new PinnedFile("reviews", $"{model}/b.csv", "e2", 5, sha), new PinnedFile("reviews", $"{model}/a.csv", "e1", 4, "b")],
        settings ?? new ReviewSettings(), DateTimeOffset.UnixEpoch.AddSeconds(second));

    [Fact]
    public void Of_TheSameFilesInAnyOrder_IsTheSameRun()
    {
        TrainReviewsRequest one = Request(), other = TrainReviewsRequest.Of("films", [.. one.Files.Reverse()], new ReviewSettings(), DateTimeOffset.UnixEpoch);

        Assert.Equal((one.Run, one.Version, one.DataDigest), (other.Run, other.Version, other.DataDigest));
        Assert.Matches("^films-[0-9a-f]{16}$", one.Run);
        Assert.Equal($"19700101-000000-{one.Run[6..14]}", one.Version);
    }

    [Fact]
    public void Of_OtherDataModelOrSettings_IsAnotherRun()
    {
        string[] runs = [.. new[] { Request(), Request(sha: "c"), Request("other"), Request(settings: new ReviewSettings { Seed = 2 }) }.Select(request => request.Run)];

        Assert.Equal(4, runs.Distinct().Count());
    }

    [Fact]
    public async Task RecordAsync_Twice_KeepsTheFirstVersionName()
    {
        await Ledger.RecordAsync(Request(second: 1), default);

        (TrainingRequest recorded, RunStatus status) = await Ledger.RecordAsync(Request(second: 99), default);

        Assert.StartsWith("19700101-000001-", recorded.Version, StringComparison.Ordinal);
        Assert.Equal((RunState.Queued, 2), (status.State, status.Files.Count));
        Assert.All(status.Files, file => Assert.Equal(FileState.Pending, file.State));
    }

    [Theory]
    [InlineData("films-0123456789abcdef")]
    [InlineData("../runs/films-0123456789abcdef")]
    [InlineData("")]
    public async Task StatusAsync_NoSuchRun_SaysSo(string run)
    {
        InputRejectedException fault = await Assert.ThrowsAsync<InputRejectedException>(() => Ledger.StatusAsync(run, default));

        Assert.Equal($"L101: There is no run '{run}'. List the runs with 'scion runs list' or GET /api/runs.", fault.Message);
        Assert.Equal(Refusal.NotFound, fault.Kind);
    }

    [Fact]
    public async Task UnfinishedAsync_CrashBetweenRequestAndStatus_TakesTheRunUp()
    {
        TrainReviewsRequest request = Request();
        await Ledger.RecordAsync(request, default);
        store.Remove($"runs/{request.Run}/status.json");

        IReadOnlyList<TrainingRequest> unfinished = await Ledger.UnfinishedAsync(default);

        Assert.Equal(request.Run, Assert.Single(unfinished).Run);
        Assert.Equal(RunState.Queued, (await Ledger.StatusAsync(request.Run, default)).State);
    }

    [Fact]
    public async Task UnfinishedAsync_FinishedRuns_AreLeft()
    {
        TrainReviewsRequest failed = Request(), cancelled = Request(sha: "c"), open = Request(sha: "d");
        foreach (TrainReviewsRequest request in new[] { failed, cancelled, open }) await Ledger.RecordAsync(request, default);
        await Ledger.FailAsync(failed.Run, "D001", "No.", default);
        await Ledger.CancelAsync(cancelled.Run, default);

        Assert.Equal(open.Run, Assert.Single(await Ledger.UnfinishedAsync(default)).Run);
        Assert.Equal(3, (await Ledger.ListAsync("films", default)).Count);
        Assert.Empty(await Ledger.ListAsync("other", default));
    }

    [Theory]
    [InlineData("status.json")]
    [InlineData("request.json")]
    public async Task ListAsyncAndUnfinishedAsync_ADamagedRecord_HidesNoOtherRun(string file)
    {
        TrainReviewsRequest damaged = Request(), open = Request(sha: "d");
        foreach (TrainReviewsRequest request in new[] { damaged, open }) await Ledger.RecordAsync(request, default);
        store.Tamper($"runs/{damaged.Run}/{file}", "{"u8.ToArray());

        IReadOnlyList<RunStatus> all = await Ledger.ListAsync("films", default);

        Assert.Equal(open.Run, Assert.Single(await Ledger.UnfinishedAsync(default)).Run);
        Assert.Equal(2, all.Count);
        if (file == "status.json")
            Assert.Equal((RunState.Failed, "S005"), all.Where(run => run.Run == damaged.Run).Select(run => (run.State, run.Error?.Code)).Single());
    }

    [Fact]
    public async Task StatusAsync_ARecordThatIsNull_IsRefusedAsDamaged()
    {
        TrainReviewsRequest request = Request();
        await Ledger.RecordAsync(request, default);
        store.Tamper($"runs/{request.Run}/status.json", "null"u8.ToArray());

        InputRejectedException fault = await Assert.ThrowsAsync<InputRejectedException>(() => Ledger.StatusAsync(request.Run, default));

        Assert.Equal("S005", fault.Code);
    }

    [Fact]
    public async Task CancelAsync_AFailedRun_StaysFailedUntilReopened()
    {
        TrainReviewsRequest request = Request();
        await Ledger.RecordAsync(request, default);
        await Ledger.FailAsync(request.Run, "D001", "No.", default);

        RunStatus cancelled = await Ledger.CancelAsync(request.Run, default);
        RunStatus reopened = await Ledger.ReopenAsync(request.Run, default);

        Assert.Equal((RunState.Failed, "D001"), (cancelled.State, cancelled.Error?.Code));
        Assert.Equal((RunState.Queued, null), (reopened.State, reopened.Error));
    }

    [Theory]
    [InlineData(RunState.Queued, RunState.Suspended, RunState.Queued)]
    [InlineData(RunState.Running, RunState.Suspended, RunState.Queued)]
    [InlineData(RunState.Suspended, RunState.Suspended, RunState.Queued)]
    [InlineData(RunState.Succeeded, RunState.Succeeded, RunState.Succeeded)]
    [InlineData(RunState.Failed, RunState.Failed, RunState.Failed)]
    [InlineData(RunState.Cancelled, RunState.Cancelled, RunState.Cancelled)]
    public async Task SuspendAsyncThenResumeAsync_ARunInAnyState_StopsOnlyWhatGoesOn(RunState state, RunState suspended, RunState resumed)
    {
        TrainReviewsRequest request = Request();
        await Ledger.RecordAsync(request, default);
        await Ledger.UpdateAsync(request.Run, status => status with { State = state, Stage = "Curate", SecondsLeft = 7 }, default);

        RunStatus first = await Ledger.SuspendAsync(request.Run, default);
        int unfinished = (await Ledger.UnfinishedAsync(default)).Count;
        RunStatus second = await Ledger.ResumeAsync(request.Run, default);

        Assert.Equal((suspended, "Curate"), (first.State, first.Stage));
        Assert.Equal(0, unfinished);
        Assert.Equal(resumed, second.State);
        Assert.Equal(resumed == RunState.Queued ? 1 : 0, (await Ledger.UnfinishedAsync(default)).Count);
        if (resumed == RunState.Queued) Assert.Equal((null, null), (second.Stage, second.SecondsLeft));
    }

    [Fact]
    public async Task ResumeAsync_AQueuedOrRunningRun_StaysAsItIs()
    {
        TrainReviewsRequest request = Request();
        await Ledger.RecordAsync(request, default);
        RunStatus running = await Ledger.UpdateAsync(request.Run, status => status with { State = RunState.Running, Stage = "Curate" }, default);

        Assert.Equal((RunState.Running, "Curate", running.UpdatedAt), await Ledger.ResumeAsync(request.Run, default) is var now ? (now.State, now.Stage, now.UpdatedAt) : default);
    }

    [Fact]
    public async Task CancelAsync_ASuspendedRun_EndsIt()
    {
        TrainReviewsRequest request = Request();
        await Ledger.RecordAsync(request, default);
        await Ledger.SuspendAsync(request.Run, default);

        Assert.Equal(RunState.Cancelled, (await Ledger.CancelAsync(request.Run, default)).State);
        Assert.Equal(RunState.Cancelled, (await Ledger.ResumeAsync(request.Run, default)).State);
    }

    [Fact]
    public async Task ReopenAsync_ASuspendedRun_ResumesItWithItsStart()
    {
        TrainReviewsRequest request = Request();
        RunStatus recorded = (await Ledger.RecordAsync(request, default)).Status;
        await Ledger.SuspendAsync(request.Run, default);

        RunStatus reopened = await Ledger.ReopenAsync(request.Run, default);

        Assert.Equal((RunState.Queued, recorded.StartedAt), (reopened.State, reopened.StartedAt));
    }

    [Fact]
    public async Task UpdateAsync_ManyWritersAtOnce_LosesNoChange()
    {
        TrainReviewsRequest request = Request();
        await Ledger.RecordAsync(request, default);

        await Parallel.ForAsync(0, 8, async (_, stop) =>
        {
            for (int i = 0; i < 25; i++) await Ledger.UpdateAsync(request.Run, status => status with { Done = status.Done + 1 }, stop);
        });

        Assert.Equal(200, (await Ledger.StatusAsync(request.Run, default)).Done);
    }

    [Fact]
    public async Task RecordFindingsAsync_RefusedRows_AreListedOnceHoweverOftenItRuns()
    {
        TrainReviewsRequest request = Request();
        await Ledger.RecordAsync(request, default);
        StepWriter writer = new(store, new string('0', 64));
        ArtifactRef rejects = await writer.AddAsync("rejects.csv", Encoding.UTF8.GetBytes("file,line,code,reason\nfilms/a.csv,2,D001,Empty.\n"), default);
        IngestedFile[] files =
        [
            new("films/a.csv", [], 3, 1, 1, [], [], rejects, ["D050: A warning."]),
            new("films/b.csv", [], 0, 0, 0, [], [], null, []),
        ];

        await Ledger.RecordFindingsAsync(request.Run, files, null, default);
        await Ledger.RecordFindingsAsync(request.Run, files, null, default);

        Assert.Equal("file,line,code,reason\nfilms/a.csv,2,D001,Empty.\n",
            Encoding.UTF8.GetString((await store.FindBytesAsync(BlobPath.Of("runs", $"{request.Run}/rejects.csv"), default))!));
        RunStatus status = await Ledger.StatusAsync(request.Run, default);
        Assert.Equal((1, "D050: A warning."), (status.Refused, status.Warnings.Single()));
        Assert.Equal([FileState.Ingested, FileState.Refused], status.Files.Select(file => file.State));
    }

    [Fact]
    public async Task RecordAsync_AnyOperationFailsAndItIsRepeated_EndsAsUndisturbed()
    {
        foreach (bool done in new[] { false, true })
            for (int k = 1; ; k++)
            {
                InMemoryBlobStore fresh = new();
                FailingBlobStore failing = new(fresh, k, done);
                try
                {
                    await new RunLedger(failing, StoppedClock.Instance).RecordAsync(Request(), default);
                    Assert.True(failing.Count < k);
                    break;
                }
                catch (TransientStorageException)
                {
                    (_, RunStatus status) = await new RunLedger(fresh, StoppedClock.Instance).RecordAsync(Request(), default);
                    Assert.Equal(RunState.Queued, status.State);
                }
            }
    }
}
