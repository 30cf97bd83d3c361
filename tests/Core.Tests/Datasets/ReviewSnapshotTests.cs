using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Scion.Datasets;
using Scion.Faults;
using Scion.Pipelines;
using Scion.Storage;

namespace Scion.Tests.Datasets;

public sealed class ReviewSnapshotTests
{
    readonly InMemoryBlobStore store = new();

    Task<TrainReviewsRequest> TakeAsync(string model = "films", IBlobStore? from = null, params KeyValuePair<string, string>[] overrides) =>
        ReviewSnapshot.TakeAsync(from ?? store, model, overrides, TimeProvider.System, default);

    [Fact]
    public async Task Snapshot_Folder_PinsEveryFileOfTheModelAndReadsItsSettings()
    {
        store.Tamper("reviews/films/b.csv", "text\n"u8.ToArray());
        store.Tamper("reviews/films/positive/a.txt", "good"u8.ToArray());
        store.Tamper("reviews/films/stray.pdf", "%PDF"u8.ToArray());
        store.Tamper("reviews/films/dataset.json", "{\"seed\":5}"u8.ToArray());
        store.Tamper("reviews/films-two/c.csv", "text\n"u8.ToArray());

        TrainReviewsRequest request = await TakeAsync(overrides: new KeyValuePair<string, string>("embedding.dim", "8"));

        Assert.Equal(["films/b.csv", "films/positive/a.txt", "films/stray.pdf"], request.Files.Select(file => file.Name));
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData("good"u8)), request.Files[1].Sha256);
        Assert.Equal((5, 8), (request.Settings.Seed, request.Settings.Embedding.Dim));
        Assert.Empty(request.Warnings);
    }

    [Fact]
    public async Task Snapshot_NothingThere_IsRefused()
    {
        store.Tamper("reviews/films/dataset.json", "{}"u8.ToArray());

        InputRejectedException fault = await Assert.ThrowsAsync<InputRejectedException>(() => TakeAsync());

        Assert.Equal("D501: There is no file in 'reviews/films/'. Put reviews there (.csv, .tsv, .jsonl, .txt, each also as .gz, and .zip), then start again.", fault.Message);
        Assert.Equal(Refusal.NotFound, fault.Kind);
    }

    [Theory]
    [InlineData("../other")]
    [InlineData("A")]
    [InlineData("")]
    [InlineData("films/x")]
    public async Task Snapshot_ModelNameThatIsNotAllowed_IsRefused(string model) =>
        Assert.Equal("R001", (await Assert.ThrowsAsync<InputRejectedException>(() => TakeAsync(model))).Code);

    [Fact]
    public async Task Snapshot_HostileNames_AreReportedAndTheRestIsTaken()
    {
        store.Tamper("reviews/films/a.csv", "text\n"u8.ToArray());

        TrainReviewsRequest request = await TakeAsync(from: new Listing(store, "films/../x.csv", "films/a\u0000b\r\n.csv"));

        Assert.Equal(["films/a.csv"], request.Files.Select(file => file.Name));
        Assert.Equal(["D502: 'films/../x.csv' has a name that cannot be addressed safely and was not read. Rename it.",
            "D502: 'films/a\\u0000b\\u000d\\u000a.csv' has a name that cannot be addressed safely and was not read. Rename it."], request.Warnings);
    }

    [Fact]
    public async Task Snapshot_HiddenFiles_AreToldAndMakeNoOtherRun()
    {
        store.Tamper("reviews/films/a.csv", "text\n"u8.ToArray());
        TrainReviewsRequest before = await TakeAsync();
        store.Tamper("reviews/films/positive/.DS_Store", [1]);
        store.Tamper("reviews/films/.b.csv.Kx83", "text\n"u8.ToArray());

        TrainReviewsRequest after = await TakeAsync();

        Assert.Equal(before.Run, after.Run);
        Assert.Equal(["films/.b.csv.Kx83", "films/positive/.DS_Store"], after.Warnings.Select(warning => warning.Split('\'')[1]));
        Assert.All(after.Warnings, warning => Assert.StartsWith("D507: ", warning, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Snapshot_LinkInTheFolder_IsToldAndNotFollowed()
    {
        if (OperatingSystem.IsWindows()) return;                // making links there needs rights
        string root = Directory.CreateTempSubdirectory("scion-snapshot-").FullName;
        try
        {
            Directory.CreateDirectory(Path.Combine(root, "reviews", "films"));
            await File.WriteAllTextAsync(Path.Combine(root, "reviews", "films", "a.csv"), "text\n");
            File.CreateSymbolicLink(Path.Combine(root, "reviews", "films", "b.csv"), "/etc/passwd");

            TrainReviewsRequest request = await TakeAsync(from: new FileBlobStore(root));

            Assert.Equal(["films/a.csv"], request.Files.Select(file => file.Name));
            Assert.StartsWith("D504: 'films/b.csv' was not read. S010: ", Assert.Single(request.Warnings), StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    [Fact]
    public async Task Snapshot_FileThatChangesWhileItIsRead_IsTakenAtItsNewVersion()
    {
        store.Tamper("reviews/films/a.csv", "old"u8.ToArray());
        Listing changing = new(store) { AfterList = () => store.Tamper("reviews/films/a.csv", "new"u8.ToArray()), Changes = 2 };

        TrainReviewsRequest request = await TakeAsync(from: changing);

        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData("new"u8)), request.Files[0].Sha256);
        Assert.Equal((await store.FindAsync(BlobPath.Of("reviews", "films/a.csv"), default))!.ETag, request.Files[0].ETag);
    }

    [Fact]
    public async Task Snapshot_FileThatNeverStaysTheSame_IsRefused()
    {
        store.Tamper("reviews/films/a.csv", "old"u8.ToArray());
        Listing changing = new(store) { AfterList = () => store.Tamper("reviews/films/a.csv", "new"u8.ToArray()), Changes = int.MaxValue };

        Assert.Equal("D503", (await Assert.ThrowsAsync<InputRejectedException>(() => TakeAsync(from: changing))).Code);
    }

    [Fact]
    public async Task Snapshot_SameBytesUploadedAgain_AreTheSameRun()
    {
        store.Tamper("reviews/films/a.csv", "text\n"u8.ToArray());
        TrainReviewsRequest first = await TakeAsync();
        store.Tamper("reviews/films/a.csv", "text\n"u8.ToArray());

        TrainReviewsRequest second = await TakeAsync();

        Assert.Equal(first.Run, second.Run);
        Assert.NotEqual(first.Files[0].ETag, second.Files[0].ETag);
    }

    [Theory]
    [InlineData("a.csv", true, true)]
    [InlineData("a.TSV.gz", true, true)]
    [InlineData("a.jsonl", true, true)]
    [InlineData("a.zip", true, true)]
    [InlineData("a.txt", true, false)]
    [InlineData("a.txt.gz", true, false)]
    [InlineData("a.zip.gz", false, false)]
    [InlineData("a.pdf", false, false)]
    [InlineData("csv", false, false)]
    [InlineData("dataset.json", false, false)]
    public void Name_OfAFile_SaysWhetherItIsReadAndCompleteByItself(string name, bool read, bool complete) =>
        Assert.Equal((read, complete), (ReviewFormats.IsReviewFile(name), ReviewFormats.IsCompleteByItself(name)));

    /// <summary>Adds names to a listing, and changes blobs after it.</summary>
    sealed class Listing(IBlobStore store, params string[] names) : IBlobStore
    {
        public Action? AfterList { get; init; }

        public int Changes { get; set; }

        public async IAsyncEnumerable<BlobItem> ListAsync(string container, string prefix, [EnumeratorCancellation] CancellationToken cancellation)
        {
            List<BlobItem> items = [.. names.Select(name => new BlobItem(container, name, 1, "x", DateTimeOffset.UnixEpoch))];
            await foreach (BlobItem item in store.ListAsync(container, prefix, cancellation)) items.Add(item);
            if (Changes-- > 0) AfterList?.Invoke();
            foreach (BlobItem item in items) yield return item;
        }

        public Task<BlobItem?> FindAsync(BlobPath path, CancellationToken cancellation) => store.FindAsync(path, cancellation);

        public Task<BlobContent?> OpenAsync(BlobPath path, string? etag, CancellationToken cancellation) => store.OpenAsync(path, etag, cancellation);

        public Task<BlobItem?> CreateAsync(BlobPath path, Stream content, CancellationToken cancellation) => store.CreateAsync(path, content, cancellation);

        public Task<BlobItem?> ReplaceAsync(BlobPath path, Stream content, string etag, CancellationToken cancellation) => store.ReplaceAsync(path, content, etag, cancellation);

        public Task<bool> DeleteAsync(BlobPath path, string? etag, CancellationToken cancellation) => store.DeleteAsync(path, etag, cancellation);
    }
}
