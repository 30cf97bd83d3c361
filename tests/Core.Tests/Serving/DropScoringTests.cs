using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Scion.Faults;
using Scion.Registry;
using Scion.Serving;
using Scion.Storage;
using Scion.Tests.Registry;
using Scion.Vision;

namespace Scion.Tests.Serving;

public sealed class DropScoringTests : IDisposable
{
    const string Rows = "text\na great lovely film\nan awful dull film\n";

    readonly InMemoryBlobStore store = new();
    readonly List<PredictorCache> caches = [];

    public void Dispose()
    {
        foreach (PredictorCache cache in caches) cache.Dispose();
    }

    [Fact]
    public async Task Score_ATable_WritesItsRowsAndARecordOfThem()
    {
        await PublishAsync();
        BlobItem item = await DropAsync("films/new.csv", Rows);

        DropScored scored = await Scoring().ScoreAsync(item, default);

        byte[] rows = (await store.FindBytesAsync(BlobPath.Parse("predictions/films/new.csv.csv"), default))!;
        Assert.Equal(["input,label,score,abstained", "a great lovely film,positive", "an awful dull film,negative"],
            Encoding.UTF8.GetString(rows).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select((line, i) => i == 0 ? line : string.Join(',', line.Split(',')[..2])));
        Assert.Equal((DropOutcome.Scored, 2L, 0L, item.ETag, Convert.ToHexStringLower(SHA256.HashData(rows))),
            (scored.Outcome, scored.Record!.Rows, scored.Record.Refused, scored.Record.Input, scored.Record.Output));
        Assert.Equal(DropOutcome.Known, (await Scoring().ScoreAsync(item, default)).Outcome);
    }

    [Fact]
    public async Task Score_PicturesOfAModelOfImages_NamesEach()
    {
        await TrainedPhotos.PublishAsync(store, await TrainedPhotos.MakeAsync(store));
        store.Tamper("predict/dresses/a.png", TrainedPhotos.Photo(new Random(3), gold: true));

        DropScored scored = await Scoring().ScoreAsync((await store.FindAsync(BlobPath.Parse("predict/dresses/a.png"), default))!, default);

        Assert.Equal((DropOutcome.Scored, 1L), (scored.Outcome, scored.Record!.Rows));
        Assert.StartsWith("a.png,gold,", Encoding.UTF8.GetString((await store.FindBytesAsync(BlobPath.Parse("predictions/dresses/a.png.csv"), default))!).Split('\n')[1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("stray.csv")]
    [InlineData("My Films/a.csv")]
    [InlineData("films/a\u0001.csv")]
    [InlineData("films/../books/a.csv")]
    public async Task Score_AFileOfNoModel_IsStrayAndWritesNothing(string name)
    {
        await PublishAsync();
        int before = store.Content.Count;

        DropScored scored = await Scoring().ScoreAsync(new BlobItem("predict", name, 1, "1", default), default);

        Assert.Equal(DropOutcome.Stray, scored.Outcome);
        Assert.StartsWith("P006: 'predict/", scored.Reason, StringComparison.Ordinal);
        Assert.Equal(before, store.Content.Count);
    }

    [Fact]
    public async Task Score_ANameTooLongForAnAnswerBesideIt_IsStray() =>
        Assert.Equal(DropOutcome.Stray, (await Scoring().ScoreAsync(await DropAsync($"films/{new string('x', 248)}.csv", Rows), default)).Outcome);

    [Fact]
    public async Task Score_BeforeTheModelServes_WaitsAndThenIsScored()
    {
        BlobItem item = await DropAsync("films/new.csv", Rows);
        DropScoring scoring = Scoring();
        DropScored waits = await scoring.ScoreAsync(item, default);
        await PublishAsync();

        DropScored scored = await scoring.ScoreAsync(item, default);                         // at once: what was found absent a moment ago is looked for again

        Assert.Equal(DropOutcome.Waits, waits.Outcome);
        Assert.StartsWith("R002: ", waits.Reason, StringComparison.Ordinal);
        Assert.Equal(DropOutcome.Scored, scored.Outcome);
    }

    [Fact]
    public async Task Score_WhileTheModelIsDamaged_WaitsAndRefusesNoFile()
    {
        string version = await PublishAsync();
        store.Tamper($"models/films/versions/{version}/head.onnx", [1]);
        BlobItem item = await DropAsync("films/new.csv", Rows);

        DropScored scored = await Scoring().ScoreAsync(item, default);

        Assert.Equal((DropOutcome.Waits, null), (scored.Outcome, scored.Record));
    }

    [Fact]
    public async Task Score_AFileThatIsRefused_IsRecordedSoAndLeavesNoAnswersOfAnEarlierVersion()
    {
        await PublishAsync();
        store.Tamper("predictions/films/new.png.csv", "input,label\n"u8.ToArray());

        DropScored refused = await Scoring().ScoreAsync(await DropAsync("films/new.png", "x"), default);

        Assert.Equal((DropOutcome.Refused, "P005"), (refused.Outcome, refused.Record!.Error!.Code));
        Assert.Equal("P005: 'predict/films/new.png' is no file of reviews by its name, and the model is of reviews. Drop .csv, .tsv, .jsonl, .txt, each also as .gz, and .zip.", refused.Reason);
        Assert.Null(await store.FindAsync(BlobPath.Parse("predictions/films/new.png.csv"), default));
        Assert.NotNull(await store.FindAsync(BlobPath.Parse("predictions/films/new.png.json"), default));
    }

    [Fact]
    public async Task Score_AFileThatChangesMeanwhile_IsAnotherDrop()
    {
        await PublishAsync();
        BlobItem old = await DropAsync("films/new.csv", Rows);
        DropScoring scoring = Scoring(new ChangingStore(store, () => DropAsync("films/new.csv", "text\na warm film\n")));

        DropScored first = await scoring.ScoreAsync(old, default);

        Assert.Equal(DropOutcome.Changed, first.Outcome);
        Assert.Null(await store.FindAsync(BlobPath.Parse("predictions/films/new.csv.json"), default));
    }

    [Fact]
    public async Task Score_InterruptedAnywhere_EndsWithRowsAndTheirRecordWhenRepeated()
    {
        await PublishAsync();
        await DropAsync("films/new.csv", Rows);
        for (int failing = 1; ; failing++)
        {
            InMemoryBlobStore fresh = store.Copy();
            FailingBlobStore failed = new(fresh, failing, done: failing % 2 == 0);
            DropScoring scoring = Scoring(failed);
            BlobItem item = (await fresh.FindAsync(BlobPath.Parse("predict/films/new.csv"), default))!;
            try
            {
                await scoring.ScoreAsync(item, default);
            }
            catch (TransientStorageException)
            {
                // The next attempt does it again.
            }
            await Scoring(fresh).ScoreAsync(item, default);

            PredictionRecord record = (await fresh.FindJsonAsync<PredictionRecord>(BlobPath.Parse("predictions/films/new.csv.json"), default))!.Value.Value;
            byte[] rows = (await fresh.FindBytesAsync(BlobPath.Parse("predictions/films/new.csv.csv"), default))!;
            Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(rows)), record.Output);
            if (failed.Count < failing) return;
        }
    }

    [Fact]
    public async Task Score_TwiceSideBySide_EndsWithOneAnswer()
    {
        await PublishAsync();
        BlobItem item = await DropAsync("films/new.csv", Rows);
        DropScoring scoring = Scoring();

        DropScored[] both = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Task.Run(() => scoring.ScoreAsync(item, default))));

        Assert.All(both, scored => Assert.Equal(both[0].Record! with { Refusals = [] }, scored.Record! with { Refusals = [] }));
    }

    async Task<BlobItem> DropAsync(string name, string content)
    {
        store.Tamper($"predict/{name}", Encoding.UTF8.GetBytes(content));
        return (await store.FindAsync(BlobPath.Of("predict", name), default))!;
    }

    async Task<string> PublishAsync() => (await TrainedModel.PublishAsync(store, await TrainedModel.MakeAsync(store))).Version;

    DropScoring Scoring(IBlobStore? on = null)
    {
        PredictorCache cache = new(new ModelRegistry(on ?? store, StoppedClock.Instance), new InProcessPictures(), new(), StoppedClock.Instance, NullLogger<PredictorCache>.Instance);
        caches.Add(cache);
        return new DropScoring(on ?? store, cache, new InProcessPictures(), () => new MemoryStream());
    }

    /// <summary>Changes a file when a step has read it.</summary>
    sealed class ChangingStore(IBlobStore store, Func<Task> change) : IBlobStore
    {
        int times;

        public IAsyncEnumerable<BlobItem> ListAsync(string container, string prefix, CancellationToken cancellation) => store.ListAsync(container, prefix, cancellation);

        public Task<BlobItem?> FindAsync(BlobPath path, CancellationToken cancellation) => store.FindAsync(path, cancellation);

        public Task<BlobContent?> OpenAsync(BlobPath path, string? etag, CancellationToken cancellation) => store.OpenAsync(path, etag, cancellation);

        public async Task<BlobItem?> CreateAsync(BlobPath path, Stream content, CancellationToken cancellation)
        {
            if (path.Name.EndsWith("/result.json", StringComparison.Ordinal) && times++ == 0) await change();
            return await store.CreateAsync(path, content, cancellation);
        }

        public Task<BlobItem?> ReplaceAsync(BlobPath path, Stream content, string etag, CancellationToken cancellation) => store.ReplaceAsync(path, content, etag, cancellation);

        public Task<bool> DeleteAsync(BlobPath path, string? etag, CancellationToken cancellation) => store.DeleteAsync(path, etag, cancellation);
    }
}
