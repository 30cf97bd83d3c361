using System.Globalization;
using Scion.Datasets;
using Scion.Faults;
using Scion.Pipelines;
using Scion.Registry;

namespace Scion.Tests;

/// <summary>A whole training run, disturbed at its storage operations: each one fails, or the process dies after it. By default every fifth
/// is disturbed, other ones in each case; SCION_FAULTS=all disturbs every one, as <c>bench faults</c> does.</summary>
public abstract class RunFaults : IAsyncLifetime, IDisposable
{
    static readonly int Stride = Environment.GetEnvironmentVariable("SCION_FAULTS") == "all" ? 1 : 5;

    readonly TestFolder folder = new();
    readonly SmallRun run;
    (string Digest, string Rejects) undisturbed;
    int operations, finished;

    readonly DataKind kind;

    protected RunFaults(DataKind kind) => (this.kind, run) = (kind, new SmallRun(kind, folder.Path));

    public async ValueTask InitializeAsync()
    {
        InMemoryBlobStore store = SmallUploads.Uploaded(kind);
        FailingBlobStore counted = new(store, failing: 0, done: false);
        await run.GoOnAsync(counted, TrainingHost.Train, new HurriedClock());
        undisturbed = await SmallUploads.OutcomeAsync(kind, store);
        (operations, finished) = (counted.Count, Finished(store).Count);
    }

    public ValueTask DisposeAsync()
    {
        Dispose();
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    public void Dispose()
    {
        folder.Dispose();
        GC.SuppressFinalize(this);
    }

    [Theory]
    [InlineData(TrainingHost.Train, false, 1)]
    [InlineData(TrainingHost.Train, true, 2)]
    [InlineData(TrainingHost.Serve, true, 3)]
    public async Task Run_AnOperationFails_EndsAsUndisturbedAndRepeatsOneStepAtMost(TrainingHost host, bool done, int first)
    {
        for (int k = Math.Min(first, Stride); k <= operations; k += Stride)
        {
            InMemoryBlobStore store = SmallUploads.Uploaded(kind);
            GatedBlobStore asked = new(new FailingBlobStore(store, k, done));

            await run.GoOnAsync(asked, host, new HurriedClock());

            await RequireUndisturbedAsync(store, $"operation {k} failed");
            string[] results = [.. Results(asked)];
            Assert.True(results.Length <= finished + 1, $"operation {k} failed: {results.Length} steps were done, of {finished}");
            Assert.Equal(finished, results.Distinct().Count());
        }
    }

    [Theory]
    [InlineData(false, 3)]
    [InlineData(true, 3)]
    [InlineData(false, 8)]                                                   // longer than a step is tried
    public async Task Run_SomeOperationsFailInARow_EndsAsUndisturbed(bool done, int times)
    {
        for (int k = 2; k <= operations; k += 3 * Stride)
        {
            InMemoryBlobStore store = SmallUploads.Uploaded(kind);

            await run.GoOnAsync(new FailingBlobStore(store, k, done, times), TrainingHost.Train, new HurriedClock());

            await RequireUndisturbedAsync(store, $"operations {k} to {k + times - 1} failed");
        }
    }

    [Fact]
    public async Task Run_TheProcessDiesAfterAnyWrite_IsFinishedByTheNextAndNoFinishedStepIsRepeated()
    {
        using RecordedBlobStore recorded = new(SmallUploads.Uploaded(kind));
        await run.GoOnAsync(recorded, TrainingHost.Train, new HurriedClock());

        for (int state = 0; state < recorded.States.Count; state++)
        {
            ModelRegistry registry = new(recorded.States[state], StoppedClock.Instance);
            if (await registry.FindLatestAsync(SmallRun.Model, default) is (LatestPointer latest, _))
                await registry.ReadAsync(SmallRun.Model, latest.Version, latest.Digest, names: null, default);     // what it names is there and whole
            foreach (TrainingHost host in Stride == 1 ? [TrainingHost.Train, TrainingHost.Serve] : new[] { (TrainingHost)(state % 2) })
            {
                InMemoryBlobStore store = recorded.States[state].Copy();
                HashSet<string> before = Finished(store);
                GatedBlobStore asked = new(store);
                HurriedClock nextDay = new();
                nextDay.Advance(TimeSpan.FromDays(1));

                await run.GoOnAsync(asked, host, nextDay);

                string what = $"died after write {state}, {(state == 0 ? "none" : recorded.Writes[state - 1])}; {host} went on";
                await RequireUndisturbedAsync(store, what);
                string[] repeated = [.. asked.Asked.Where(call => call.StartsWith("create work/", StringComparison.Ordinal)).Select(call => call.Split('/')[1]).Where(before.Contains).Distinct()];
                Assert.True(repeated.Length == 0, $"{what}: {repeated.Length} finished steps were done again");
            }
        }
    }

    [Fact]
    public async Task Run_StorageStaysAway_IsLeftUnfinishedAndEndsAsUndisturbedOnceItIsBack()
    {
        for (int k = 4; k <= operations; k += 4 * Stride)
        {
            InMemoryBlobStore store = SmallUploads.Uploaded(kind);
            FailingBlobStore away = new(store, k, done: false, times: int.MaxValue);

            await Assert.ThrowsAsync<TransientStorageException>(() => run.GoOnAsync(away, TrainingHost.Train, new HurriedClock()));

            Assert.DoesNotContain(await new RunLedger(store, StoppedClock.Instance).ListAsync(null, default), status => status.IsFinished);
            await run.GoOnAsync(store, TrainingHost.Serve, new HurriedClock());
            await RequireUndisturbedAsync(store, string.Create(CultureInfo.InvariantCulture, $"storage was away from operation {k} on"));
        }
    }

    async Task RequireUndisturbedAsync(InMemoryBlobStore store, string what)
    {
        (string Digest, string Rejects) outcome;
        try
        {
            outcome = await SmallUploads.OutcomeAsync(kind, store);
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"{what}: {e.Message}", e);
        }
        Assert.True(outcome == undisturbed, $"{what}: digest {outcome.Digest}, undisturbed {undisturbed.Digest}; rejects.csv:\n{outcome.Rejects}");
    }

    /// <summary>Keys of the steps whose answer is kept.</summary>
    static HashSet<string> Finished(InMemoryBlobStore store) => [.. store.Content.Select(blob => blob.Path.Split('/'))
        .Where(path => path is ["work", _, "result.json"]).Select(path => path[1])];

    /// <summary>Keys of the steps that were done to their end, once for each time.</summary>
    static IEnumerable<string> Results(GatedBlobStore asked) => asked.Asked.Where(call => call.StartsWith("create work/", StringComparison.Ordinal)
        && call.EndsWith("/result.json", StringComparison.Ordinal)).Select(call => call.Split('/')[1]);
}

/// <summary>Of a run on reviews.</summary>
public sealed class RunFaultTests() : RunFaults(DataKind.Reviews);

/// <summary>Of a run on images.</summary>
public sealed class ImageRunFaultTests() : RunFaults(DataKind.Images);
