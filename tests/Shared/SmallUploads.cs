using System.IO.Compression;
using System.Text;
using Google.Protobuf;
using Scion.Datasets;
using Scion.Pipelines;
using Scion.Registry;
using Scion.Storage;
using Scion.Tests.Registry;
using Scion.Vision;
using Xunit;

namespace Scion.Tests;

/// <summary>Uploads small enough to be trained on hundreds of times, with something of everything: rows refused, copies, conflicts, unlabelled rows,
/// labels by folder, a file of another kind; and what a run of them must have made.</summary>
static class SmallUploads
{
    public const string Model = "films";

    /// <summary>As for reviews: loose pictures, a zip, one that is cut off, copies, a conflict, one without a label, a file of another kind.</summary>
    static InMemoryBlobStore Pictures()
    {
        InMemoryBlobStore store = new();
        Random random = new(5);
        byte[] network = TrainedPhotos.Network().ToByteArray();
        (ImageEncoder encoder, byte[] file, _) = ImageEncoders.Make(network, new ImageEncoderOrigin("small.onnx"));
        ImageEncoders.AddAsync(store, encoder.Card, file, default).GetAwaiter().GetResult();
        for (int i = 0; i < 24; i++) store.Tamper($"images/{Model}/{(i % 2 == 0 ? "blue" : "gold")}/{i:d2}.png", TrainedPhotos.Photo(random, i % 2 == 1));
        byte[] once = TrainedPhotos.Photo(random, gold: false), twice = TrainedPhotos.Photo(random, gold: true);
        using MemoryStream zip = new();
        using (ZipArchive archive = new(zip, ZipArchiveMode.Create, leaveOpen: true))
            foreach ((string name, byte[] bytes) in new[] { ("gold/a.png", once), ("blue/b.png", once), ("gold/c.png", twice), ("gold/d.png", twice), ("e.png", TrainedPhotos.Photo(random, gold: true)),
                ("gold/half.png", twice[..(twice.Length / 2)]), ("readme.txt", [1]) })
            {
                ZipArchiveEntry entry = archive.CreateEntry(name);
                entry.LastWriteTime = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
                using Stream content = entry.Open();
                content.Write(bytes);
            }
        store.Tamper($"images/{Model}/more.zip", zip.ToArray());
        store.Tamper($"images/{Model}/dataset.json", Encoding.UTF8.GetBytes(
            $$"""{"encoder":"encoders/{{encoder.Card.Sha256}}","split":{"crossValidateBelow":20},"head":"nearest-mean"}"""));
        return store;
    }

    public static InMemoryBlobStore Uploaded(DataKind kind)
    {
        if (kind == DataKind.Images) return Pictures();
        InMemoryBlobStore store = new();
        string rows = Reviews.Csv(64, labelledEvery: 2);
        string copied = rows.Split('\n')[1], conflicting = rows.Split('\n')[5];
        conflicting = conflicting[..conflicting.IndexOf(',', StringComparison.Ordinal)] + (conflicting.EndsWith("positive", StringComparison.Ordinal) ? ",negative" : ",positive");
        store.Tamper($"reviews/{Model}/reviews.csv", Encoding.UTF8.GetBytes($"{rows},positive\n{copied}\none,two,three\n{conflicting}\n"));
        store.Tamper($"reviews/{Model}/negative/more.txt", "a stupid and boring plot\nan awful film with a dull ending\n"u8.ToArray());
        store.Tamper($"reviews/{Model}/notes.docx", [1, 2, 3]);
        store.Tamper($"reviews/{Model}/dataset.json", Encoding.UTF8.GetBytes(
            """{"embedding":{"dim":4,"epochs":1,"minCount":1,"threads":1},"split":{"crossValidateBelow":20},"head":"nearest-mean"}"""));
        return store;
    }

    /// <summary>What must be the same however the run was disturbed. Fails when anything is left over, lost or broken.</summary>
    public static async Task<(string Digest, string Rejects)> OutcomeAsync(DataKind kind, InMemoryBlobStore store)
    {
        RunStatus run = Assert.Single(await new RunLedger(store, StoppedClock.Instance).ListAsync(null, default));
        Assert.Equal((RunState.Succeeded, null), (run.State, run.Error?.Message));
        Assert.Equal(3, run.Files.Count);
        Assert.DoesNotContain(run.Files, file => file.State == FileState.Pending);
        ModelRegistry registry = new(store, StoppedClock.Instance);
        VersionEntry version = Assert.Single(await registry.ListVersionsAsync(Model, default));
        Assert.Equal(new VersionEntry(run.Version!, Complete: true, Latest: true), version);
        (LatestPointer latest, _) = (await registry.FindLatestAsync(Model, default))!.Value;
        Assert.Single(latest.Moves);
        ModelPackage package = await registry.ReadAsync(Model, latest.Version, latest.Digest, names: null, default);
        Assert.Equal(latest.Digest, (await new RunLedger(store, StoppedClock.Instance).ReportAsync(run.Run, default)).Published.Digest);
        Assert.Equal(Uploaded(kind).Content.Where(blob => blob.Path.StartsWith(kind.Container, StringComparison.Ordinal)).Select(blob => (blob.Path, Encoding.Latin1.GetString(blob.Bytes))),
            store.Content.Where(blob => blob.Path.StartsWith(kind.Container, StringComparison.Ordinal)).Select(blob => (blob.Path, Encoding.Latin1.GetString(blob.Bytes))));
        byte[] rejects = (await store.FindBytesAsync(BlobPath.Of(RunLedger.Container, $"{run.Run}/rejects.csv"), default))!;
        return (package.Digest, Encoding.UTF8.GetString(rejects));
    }
}
