using System.Collections.Concurrent;
using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Scion.Faults;
using Scion.Local.Running;
using Scion.Local.Server;
using Scion.Pipelines;
using Scion.Storage;

namespace Scion.Tests;

/// <summary>When a drop is taken for whole, and that none is passed over in silence. The clock stands still between looks.</summary>
public sealed class DatasetWatcherTests : IDisposable
{
    const string Rows = "text,label\na good film,positive\na bad film,negative\n";

    readonly TestFolder folder = new();
    readonly InMemoryBlobStore store = new();
    readonly StoppedClock clock = new();
    readonly KeptLog log = new();
    readonly RunLocks locks;
    readonly RunLedger ledger;
    DatasetWatcher watcher;
    TrainingQueue queue;

    public DatasetWatcherTests()
    {
        (locks, ledger) = (new RunLocks(folder.Path), new RunLedger(store, clock));
        (watcher, queue) = Start(store);
    }

    public void Dispose()
    {
        watcher.Dispose();
        queue.Dispose();
        folder.Dispose();
    }

    [Fact]
    public async Task Drop_OfACompleteFile_StartsOneRunOnceItHasStayedAsItIsForASecond()
    {
        Put("films/a.csv", Rows);

        Assert.Equal([0, 0, 1, 1], await LookAtAsync(0, 900, 1000, 5000));

        Assert.Equal(["I reviews/films (1 files): run films-"], log.Lines.Select(line => line[..37]));
    }

    [Fact]
    public async Task Drop_OfLooseFiles_WaitsTwoSecondsForTheirCompanions()
    {
        Put("films/positive/a.txt", "a good film");
        Assert.Equal([0, 0], await LookAtAsync(0, 1900));
        Put("films/negative/b.txt", "a bad film");

        Assert.Equal([0, 0, 0, 1], await LookAtAsync(1950, 2000, 3900, 3950));

        Assert.Equal(2, (await RequestAsync()).Files.Count);
    }

    [Fact]
    public async Task Drop_OfSettingsBesideACompleteFile_WaitsAsForLooseFiles()
    {
        Put("films/a.csv", Rows);
        Put("films/dataset.json", """{"seed":7}""");

        Assert.Equal([0, 0, 1], await LookAtAsync(0, 1500, 2000));

        Assert.Equal(7, (await RequestAsync()).Settings.Seed);
    }

    [Fact]
    public async Task Drop_OfAFileThatGrows_IsTakenOnlyAtItsEnd()
    {
        for (int length = 10; length < Rows.Length; length += 10)
        {
            Put("films/a.csv", Rows[..length]);
            Assert.Equal([0], await LookAtAsync(length * 90));
        }
        Put("films/a.csv", Rows);

        Assert.Equal([0, 0, 1], await LookAtAsync(10_000, 10_900, 11_000));

        Assert.Equal(Rows.Length, Assert.Single((await RequestAsync()).Files).Length);
    }

    [Fact]
    public async Task Drop_DeletedDuringTheWait_StartsNothingAndItsReturnWaitsAnew()
    {
        Put("films/a.csv", Rows);
        await LookAtAsync(0);
        store.Remove("reviews/films/a.csv");
        Assert.Equal([0, 0], await LookAtAsync(500, 1500));
        Put("films/a.csv", Rows);

        Assert.Equal([0, 0, 1], await LookAtAsync(1600, 2500, 2600));
    }

    [Fact]
    public async Task Drop_OneOfTwoFilesDeletedDuringTheWait_TrainsOnWhatIsThere()
    {
        Put("films/a.csv", Rows);
        Put("films/b.csv", Rows);
        await LookAtAsync(0);
        store.Remove("reviews/films/b.csv");

        Assert.Equal([0, 0, 1], await LookAtAsync(500, 1400, 1500));

        Assert.Equal("films/a.csv", Assert.Single((await RequestAsync()).Files).Name);
    }

    [Fact]
    public async Task Drop_TheSameTwice_IsOneRun()
    {
        Put("films/a.csv", Rows);
        await LookAtAsync(0, 1000);
        Put("films/a.csv", Rows);                                            // a new version of equal bytes

        Assert.Equal([1, 1], await LookAtAsync(1100, 2100));

        Put("films/b.csv", "text,label\nanother,positive\n");
        Assert.Equal([1, 2], await LookAtAsync(3000, 4000));
        store.Remove("reviews/films/b.csv");
        Assert.Equal([2, 2], await LookAtAsync(5000, 6000));
    }

    [Fact]
    public async Task Drop_IntoTwoModels_WaitsForEachByItself()
    {
        Put("films/a.csv", Rows);
        await LookAtAsync(0);
        Put("books/a.csv", Rows);

        Assert.Equal([1, 2], await LookAtAsync(1000, 2000));
    }

    [Fact]
    public async Task Restart_OfTheServer_FindsWhatWasDroppedMeanwhileAndRepeatsNothing()
    {
        Put("films/a.csv", Rows);
        await LookAtAsync(0, 1000);
        Put("books/a.csv", Rows);
        (watcher, queue) = Start(store);

        Assert.Equal([1, 2], await LookAtAsync(2000, 3000));
    }

    [Fact]
    public async Task Drop_WithHostileNames_TrainsOnTheOthersAndNamesThem()
    {
        ListedBlobStore listed = new(store, "films/a\u0001.csv", "films/../other/x.csv");
        (watcher, queue) = Start(listed);
        Put("films/a.csv", Rows);

        Assert.Equal([0, 1], await LookAtAsync(0, 2000));

        TrainReviewsRequest request = await RequestAsync();
        Assert.Equal("films/a.csv", Assert.Single(request.Files).Name);
        Assert.Equal(["D502: 'films/../other/x.csv' has a name that cannot be addressed safely and was not read. Rename it.",
            "D502: 'films/a\\u0001.csv' has a name that cannot be addressed safely and was not read. Rename it."], request.Warnings.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Drop_OfHostileNamesOnly_IsLogged()
    {
        (watcher, queue) = Start(new ListedBlobStore(store, "films/a\u0001.csv"));

        Assert.Equal([0, 0, 0], await LookAtAsync(0, 2000, 9000));

        Assert.StartsWith("W reviews/films is not trained on: D501: None of the 1 files in 'reviews/films/' can be read. D502: 'films/a\\u0001.csv' has a name "
            + "that cannot be addressed safely and was not read. Rename it. ", Assert.Single(log.Lines), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Drop_OfAnUnreadableNameBesideDataTrainedBefore_IsLogged()
    {
        Put("films/a.csv", Rows);
        await LookAtAsync(0, 1000);
        (watcher, queue) = Start(new ListedBlobStore(store, "films/b\u0001.csv"));
        Put("films/.DS_Store", "x");

        Assert.Equal([1, 1], await LookAtAsync(2000, 4000));

        Assert.Equal(
            [
                "W reviews/films: D502: 'films/b\\u0001.csv' has a name that cannot be addressed safely and was not read. Rename it.",
                "W reviews/films: D507: 'films/.DS_Store' is a hidden file and was not read. If it holds reviews, give it a name without a dot before it.",
            ], log.Lines.Where(line => line[0] == 'W').Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData(true, 2)]
    [InlineData(false, 1)]
    public async Task Drop_ThatACommandTrainedWithOtherSettings_IsTrainedHereOnlyWhenThatFailed(bool failed, int runs)
    {
        Put("films/a.csv", Rows);
        TrainReviewsRequest typed = await Datasets.ReviewSnapshot.TakeAsync(store, "films", [new("seed", "7")], clock, default);
        await ledger.RecordAsync(typed, default);
        if (failed) await ledger.FailAsync(typed.Run, "T015", "No such trainer.", default);

        Assert.Equal([1, runs], await LookAtAsync(0, 1000));
    }

    [Fact]
    public async Task Drop_OutsideEveryModelsFolder_IsLoggedOnce()
    {
        Put("reviews.csv", Rows);
        Put("films", Rows);                                                  // a file named as a model might be
        Put("My Films/a.csv", Rows);
        Put("films-/a.csv", Rows);

        Assert.Equal([0, 1, 1], await LookAtAsync(0, 2000, 9000));

        Assert.Equal(
            [
                "W D505: 'reviews/films' lies in no model's folder, so nothing is trained on it. Move it to 'reviews/MODEL/'.",
                "W D505: 'reviews/reviews.csv' lies in no model's folder, so nothing is trained on it. Move it to 'reviews/MODEL/'.",
                "W D506: 'reviews/My Films/', with 1 files, is named as no model can be, so nothing is trained on it. Rename it: 2 to 63 of a-z, 0-9 and '-', beginning with a letter or digit.",
            ], log.Lines.Where(line => line[0] == 'W').Order(StringComparer.Ordinal));
        Assert.StartsWith("films--", (await RequestAsync()).Run, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Drop_OfNoReviewFile_IsARunThatNamesIt()
    {
        Put("films/reviews.xlsx", "PK");

        Assert.Equal([0, 1], await LookAtAsync(0, 2000));

        await queue.TrainAsync((await RequestAsync()).Run, default);
        RunStatus status = Assert.Single(await ledger.ListAsync("films", default));
        Assert.Equal((RunState.Failed, "D301", 1), (status.State, status.Error?.Code, status.Refused));
    }

    [Theory]
    [InlineData("films/.DS_Store")]
    [InlineData("films/.reviews.csv.Kx83")]
    [InlineData("films/dataset.json")]
    public async Task Drop_OfHiddenFilesOrSettingsAlone_StartsNothing(string name)
    {
        Put(name, "{}");

        Assert.Equal([0, 0], await LookAtAsync(0, 9000));
    }

    [Fact]
    public async Task Drop_ThatIsRefused_IsNotTriedAgainUntilSomethingChanges()
    {
        Put("films/a.csv", Rows);
        Put("films/dataset.json", """{"sead":7}""");
        Assert.Equal([0, 0, 0], await LookAtAsync(0, 2000, 9000));
        Assert.Single(log.Lines, line => line.StartsWith("W reviews/films is not trained on: D402: ", StringComparison.Ordinal));
        Put("films/dataset.json", """{"seed":7}""");

        Assert.Equal([0, 1], await LookAtAsync(10_000, 12_000));
    }

    [Fact]
    public async Task Drop_WhoseRunFailed_IsNotTriedAgainUntilSomethingChanges()
    {
        Put("films/a.csv", "text\nno label\n");
        await LookAtAsync(0, 1000);
        await queue.TrainAsync((await RequestAsync()).Run, default);
        (watcher, queue) = Start(store);

        Assert.Equal([1, 1], await LookAtAsync(2000, 3000));

        Assert.Equal(RunState.Failed, Assert.Single(await ledger.ListAsync(null, default)).State);
        Assert.Contains(log.Lines, line => line.EndsWith("of this data failed before (D302); change the files, or start it again", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Drop_WhileStorageDoesNotAnswer_IsTriedAgainAtEachLook(bool done)
    {
        for (int k = 1; ; k++)
        {
            InMemoryBlobStore fresh = new();
            fresh.Tamper("reviews/films/a.csv", Encoding.UTF8.GetBytes(Rows));
            FailingBlobStore failing = new(fresh, k, done);
            (watcher, queue) = Start(failing);
            for (int look = 0; look < 3; look++)
            {
                try
                {
                    await watcher.LookAsync(default);
                }
                catch (TransientStorageException)
                {
                    // As the server does: the next look is a new try.
                }
                clock.Advance(TimeSpan.FromSeconds(2));
            }

            RunStatus status = Assert.Single(await new RunLedger(fresh, clock).ListAsync(null, default));
            Assert.Equal(RunState.Queued, status.State);
            if (failing.Count < k) return;
        }
    }

    [Fact]
    public async Task Look_TroubleWithOneFolder_DoesNotKeepTheOthersWaiting()
    {
        (watcher, queue) = Start(new UnreadableBlobStore(store, "reviews/a-first/a.csv"));
        Put("a-first/a.csv", Rows);
        Put("films/a.csv", Rows);

        Assert.Equal([0, 1, 1], await LookAtAsync(0, 1000, 2000));

        Assert.Equal("W reviews/a-first is looked at again: X001: The disk does not read it. Look at the disk.", Assert.Single(log.Lines, line => line[0] == 'W'));
    }

    [Fact]
    public async Task Look_ADamagedRecordOfAnotherRun_DoesNotRefuseTheDrop()
    {
        string damaged = $"runs/films-{new string('0', 16)}";
        store.Tamper($"{damaged}/status.json", "{"u8.ToArray());
        store.Tamper($"{damaged}/request.json", "{"u8.ToArray());
        Put("films/a.csv", Rows);

        Assert.Equal([1, 2], await LookAtAsync(0, 1000));

        Assert.Equal(RunState.Queued, (await ledger.ListAsync(null, default)).Single(run => !damaged.EndsWith(run.Run, StringComparison.Ordinal)).State);
    }

    [Fact]
    public async Task Drop_OfPictures_WaitsTwoSecondsAndOfAZipOne()
    {
        store.Tamper("images/dresses/blue/a.jpg", [1]);
        store.Tamper("images/skirts/all.zip", [1]);
        store.Tamper("images/skirts/.DS_Store", [1]);
        store.Tamper("images/stray.jpg", [1]);

        Assert.Equal([0, 0, 1, 1, 2, 2], await LookAtAsync(0, 900, 1000, 1900, 2000, 5000));

        Assert.Equal(["I images/skirts (1 files): run skirts-", "I images/dresses (1 files): run dresses-",
            "W D505: 'images/stray.jpg' lies in no model's folder, so nothing is trained on it. Move it to 'images/MODEL/'."], log.Lines.Select(line => line.Contains("run ", StringComparison.Ordinal) ? line[..(line.IndexOf('-', StringComparison.Ordinal) + 1)] : line));
    }

    [Fact]
    public async Task Drop_OfPicturesForAModelOfReviews_IsRefusedOnceAndTheReviewsAreToo()
    {
        Put("films/a.csv", Rows);
        store.Tamper("images/films/a.zip", [1]);

        Assert.Equal([0, 0, 0], await LookAtAsync(0, 1000, 5000));

        Assert.Equal(["W reviews/films is not trained on: D508", "W images/films is not trained on: D508"], log.Lines.Select(line => line[..(line.IndexOf("D508", StringComparison.Ordinal) + 4)]));
    }

    [Fact]
    public async Task Look_WhileACommandCopiesFilesThere_Waits()
    {
        Put("films/a.csv", Rows);
        using (locks.TryTake(DatasetWatcher.UploadLock("films"))) Assert.Equal([0, 0], await LookAtAsync(0, 5000));

        Assert.Equal([1], await LookAtAsync(5500));
    }

    [Fact]
    public async Task Queue_StorageStaysAwayForOneFile_FailsItsRunAfterFiveTriesAndNotBefore()
    {
        (watcher, queue) = Start(new UnreadableBlobStore(store, "reviews/films/a.csv", from: 2));
        Put("films/a.csv", Rows);
        await LookAtAsync(0, 1000);
        string run = (await RequestAsync()).Run;

        List<RunState> states = [];
        for (int i = 0; i < 5; i++)
        {
            await queue.TrainAsync(run, default);
            states.Add((await ledger.StatusAsync(run, default)).State);
        }

        Assert.Equal([RunState.Queued, RunState.Queued, RunState.Queued, RunState.Queued, RunState.Failed], states);
        Assert.Equal(new RunError("X001", "The disk does not read it. Look at the disk."), (await ledger.StatusAsync(run, default)).Error);
    }

    void Put(string name, string content) => store.Tamper($"reviews/{name}", Encoding.UTF8.GetBytes(content));

    /// <summary>Looks at each of the given times, in ms from the start; answers how many runs there are after each.</summary>
    async Task<IEnumerable<int>> LookAtAsync(params int[] times)
    {
        List<int> runs = [];
        foreach (int at in times)
        {
            clock.Advance(DateTimeOffset.UnixEpoch.AddMilliseconds(at) - clock.GetUtcNow());
            await watcher.LookAsync(default);
            runs.Add((await ledger.ListAsync(null, default)).Count);
        }
        return runs;
    }

    async Task<TrainReviewsRequest> RequestAsync() => (TrainReviewsRequest)await ledger.RequestAsync(Assert.Single(await ledger.ListAsync(null, default)).Run, default);

    (DatasetWatcher Watcher, TrainingQueue Queue) Start(IBlobStore on)
    {
        watcher?.Dispose();
        queue?.Dispose();
        RunLedger its = new(on, clock);
        TrainingQueue started = new(on, its, new LocalRunner(on, locks, new Vision.InProcessPictures(), new HurriedClock()), clock, NullLogger<TrainingQueue>.Instance);
        return (new DatasetWatcher(on, its, new ArrivalLedger(on, clock), started, locks, new WatchOptions(), clock, log), started);
    }

    sealed class KeptLog : ILogger<DatasetWatcher>
    {
        readonly ConcurrentQueue<string> lines = new();

        /// <summary>First letter of the level, and the message.</summary>
        public IEnumerable<string> Lines => lines;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            lines.Enqueue($"{logLevel.ToString()[0]} {formatter(state, exception)}");
    }

    /// <summary>Lists blobs with names that Azure lets others write, beside those there are.</summary>
    sealed class ListedBlobStore(IBlobStore store, params string[] names) : OtherBlobStore(store)
    {
        public override async IAsyncEnumerable<BlobItem> ListAsync(
            string container, string prefix, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
        {
            await foreach (BlobItem item in base.ListAsync(container, prefix, cancellation)) yield return item;
            foreach (string name in names)
                if (container == "reviews" && name.StartsWith(prefix, StringComparison.Ordinal)) yield return new BlobItem(container, name, 1, "1", DateTimeOffset.UnixEpoch);
        }
    }

    /// <summary>One blob that cannot be read, from the n-th time on.</summary>
    sealed class UnreadableBlobStore(IBlobStore store, string path, int from = 1) : OtherBlobStore(store)
    {
        int times;

        public override Task<BlobContent?> OpenAsync(BlobPath blob, string? etag, CancellationToken cancellation) =>
            blob.ToString() == path && Interlocked.Increment(ref times) >= from
                ? throw new TransientStorageException("X001", "The disk does not read it.", "Look at the disk.") : base.OpenAsync(blob, etag, cancellation);
    }

    abstract class OtherBlobStore(IBlobStore store) : IBlobStore
    {
        public virtual IAsyncEnumerable<BlobItem> ListAsync(string container, string prefix, CancellationToken cancellation) => store.ListAsync(container, prefix, cancellation);

        public Task<BlobItem?> FindAsync(BlobPath path, CancellationToken cancellation) => store.FindAsync(path, cancellation);

        public virtual Task<BlobContent?> OpenAsync(BlobPath path, string? etag, CancellationToken cancellation) => store.OpenAsync(path, etag, cancellation);

        public Task<BlobItem?> CreateAsync(BlobPath path, Stream content, CancellationToken cancellation) => store.CreateAsync(path, content, cancellation);

        public Task<BlobItem?> ReplaceAsync(BlobPath path, Stream content, string etag, CancellationToken cancellation) => store.ReplaceAsync(path, content, etag, cancellation);

        public Task<bool> DeleteAsync(BlobPath path, string? etag, CancellationToken cancellation) => store.DeleteAsync(path, etag, cancellation);
    }
}
