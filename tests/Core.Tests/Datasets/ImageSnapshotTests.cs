using System.Text;
using Scion.Datasets;
using Scion.Faults;
using Scion.Pipelines;

namespace Scion.Tests.Datasets;

/// <summary>What a run on images is asked to do: files pinned, batches, one kind a model.</summary>
public sealed class ImageSnapshotTests
{
    readonly InMemoryBlobStore store = new();

    Task<TrainImagesRequest> TakeAsync(params KeyValuePair<string, string>[] overrides) =>
        ImageSnapshot.TakeAsync(store, "dresses", overrides, StoppedClock.Instance, default);

    [Fact]
    public async Task Take_FilesOfAllKinds_PinsThemAndLeavesOutWhatSystemsLeave()
    {
        foreach (string name in new[] { "blue/a.jpg", "blue/notes.txt", "a.zip", "blue/.DS_Store", "blue/Thumbs.db", "blue/._a.jpg", ".hidden.jpg" }) store.Tamper($"images/dresses/{name}", [1]);
        store.Tamper("images/dresses/dataset.json", Encoding.UTF8.GetBytes("""{"encoder":{"layer":"relu5"},"seed":7}"""));

        TrainImagesRequest request = await TakeAsync(new KeyValuePair<string, string>("seed", "9"));

        Assert.Equal(["dresses/a.zip", "dresses/blue/a.jpg", "dresses/blue/notes.txt"], request.Files.Select(file => file.Name));
        Assert.Equal(("relu5", "default", 9), (request.Settings.Encoder.Layer, request.Settings.Encoder.Name, request.Settings.Seed));
        Assert.Equal(["D507: 'dresses/.hidden.jpg' is a hidden file and was not read. If it holds pictures, give it a name without a dot before it."], request.Warnings);
        Assert.Equal(["dresses/a.zip", "dresses/blue/"], request.Batches.Select(batch => batch.Name));
    }

    [Fact]
    public async Task Take_AModelOfReviews_IsRefused()
    {
        store.Tamper("images/dresses/a.jpg", [1]);
        store.Tamper("reviews/dresses/a.csv", [1]);

        InputRejectedException fault = await Assert.ThrowsAsync<InputRejectedException>(() => TakeAsync());

        Assert.Equal("D508: Model 'dresses' is a model of reviews, since 'reviews/dresses/a.csv' is there; it cannot be trained on images too. "
            + "Use another model name, or move the files of 'images/dresses/' to it.", fault.Message);
    }

    [Fact]
    public async Task Take_PublishedVersions_DecideTheKind()
    {
        store.Tamper("images/dresses/a.jpg", [1]);
        store.Tamper("reviews/dresses/a.csv", [1]);
        store.Tamper("models/dresses/versions/20260101-000000-00000000/model.json", Encoding.UTF8.GetBytes("""{"kind":"images","more":1}"""));

        Assert.Single((await TakeAsync()).Files);
        InputRejectedException fault = await Assert.ThrowsAsync<InputRejectedException>(() => ReviewSnapshot.TakeAsync(store, "dresses", [], StoppedClock.Instance, default));
        Assert.Equal("D508", fault.Code);
    }

    [Theory]
    [InlineData("encoder.name", "squeezenet", "V065")]
    [InlineData("encoder.name", "../x", "D402")]
    [InlineData("encoder.layer", " ", "D402")]
    [InlineData("head", "tree", "D402")]
    [InlineData("embedding.dim", "3", "D402")]
    public async Task Take_WrongSettings_AreRefused(string key, string value, string code)
    {
        store.Tamper("images/dresses/a.jpg", [1]);

        InputRejectedException fault = await Assert.ThrowsAsync<InputRejectedException>(() => TakeAsync(new KeyValuePair<string, string>(key, value)));

        Assert.Equal(code, fault.Code);
    }

    [Fact]
    public void Batches_LooseFilesByFolder_AreAtMostFiveHundredAndHaveTheNearestTable()
    {
        List<PinnedFile> files = [.. Enumerable.Range(0, 1001).Select(i => Pinned($"dresses/blue/{i:d4}.jpg")), Pinned("dresses/a.ZIP"), Pinned("dresses/set/labels.csv"), Pinned("dresses/set/in/x.jpg"),
            Pinned("dresses/lonely/labels.csv")];

        IReadOnlyList<ImageBatch> batches = ImageBatch.Of(files);

        Assert.Equal([("dresses/a.ZIP", 1, null), ("dresses/blue/", 500, null), ("dresses/blue/", 500, null), ("dresses/blue/", 1, null), ("dresses/lonely/", 0, "dresses/lonely/labels.csv"),
            ("dresses/set/", 1, "dresses/set/labels.csv")], batches.Select(batch => (batch.Name, batch.Files.Count, batch.Labels?.Name)));
        Assert.Equal(1002, batches.SelectMany(batch => batch.Files).Count(file => file.Name.EndsWith(".jpg", StringComparison.Ordinal)));
    }

    static PinnedFile Pinned(string name) => new("images", name, "1", 1, new string('0', 64));
}
