using System.Text;
using System.Text.RegularExpressions;
using Scion.Faults;
using Scion.Registry;
using Scion.Serving;
using Scion.Vision;

namespace Scion.Tests.Registry;

public sealed partial class PublishImagesStepTests
{
    readonly InMemoryBlobStore store = new();

    ModelRegistry Registry => new(store, StoppedClock.Instance);

    [Fact]
    public async Task Publish_FirstVersion_ServesWhatTrainingComputed()
    {
        PublishImagesInput input = await TrainedPhotos.MakeAsync(store);

        Published published = await TrainedPhotos.PublishAsync(store, input);

        Assert.True(published.Promoted);
        Assert.InRange(published.ParityError, 0, 1e-5);
        (LatestPointer latest, _) = (await Registry.FindLatestAsync("dresses", default))!.Value;
        using ImagePredictor predictor = ImagePredictor.Load(await Registry.ReadServedAsync("dresses", latest.Version, latest.Digest, default), new InProcessPictures());
        Assert.Equal("gold", (await predictor.PredictAsync(TrainedPhotos.Photo(new Random(99), gold: true), default)).Label);
        Assert.Equal("blue", (await predictor.PredictAsync(TrainedPhotos.Photo(new Random(99), gold: false), default)).Label);
    }

    [Fact]
    public async Task Publish_EqualTrainingUnderTwoNames_HasEqualDigest()
    {
        InMemoryBlobStore elsewhere = new();
        PublishImagesInput first = await TrainedPhotos.MakeAsync(store), second = await TrainedPhotos.MakeAsync(elsewhere, "other", "20260202-000000-00000002");

        Published one = await TrainedPhotos.PublishAsync(store, first), two = await TrainedPhotos.PublishAsync(elsewhere, second);

        Assert.Equal(one.Digest, two.Digest);
    }

    [Fact]
    public async Task Publish_AHeadThatTrainingDidNotUse_IsRefusedBeforeAnythingIsStored()
    {
        PublishImagesInput input = await TrainedPhotos.MakeAsync(store);
        PublishImagesInput other = await TrainedPhotos.MakeAsync(store, seed: 2);
        input = input with { Encoder = other.Encoder };                        // another network than the features come from

        InputRejectedException fault = await Assert.ThrowsAsync<InputRejectedException>(() => TrainedPhotos.PublishAsync(store, input));

        Assert.Equal("R012", fault.Code);
        Assert.Equal("R002", (await Assert.ThrowsAsync<InputRejectedException>(() => Registry.ListVersionsAsync("dresses", default))).Code);
    }

    [Fact]
    public async Task Publish_WorseThanTheChampion_KeepsTheVersionUnpromoted()
    {
        PublishImagesInput champion = await TrainedPhotos.MakeAsync(store);
        PublishImagesInput challenger = await TrainedPhotos.MakeAsync(store, version: "20260102-000000-00000002", seed: 2, wrong: true);

        await TrainedPhotos.PublishAsync(store, champion);
        Published published = await TrainedPhotos.PublishAsync(store, challenger);

        Assert.False(published.Promoted);
        Assert.StartsWith("Not promoted: right on 0 of 8 held-out rows, 20260101-000000-00000001 on 8", published.Gate, StringComparison.Ordinal);
        Assert.Equal(champion.Version, (await Registry.FindLatestAsync("dresses", default))!.Value.Pointer.Version);
    }

    [Fact]
    public async Task Publish_UnderTheNameOfAReviewsModel_IsRefused()
    {
        await TrainedModel.PublishAsync(store, await TrainedModel.MakeAsync(store));

        InputRejectedException fault = await Assert.ThrowsAsync<InputRejectedException>(async () =>
            await TrainedPhotos.PublishAsync(store, await TrainedPhotos.MakeAsync(store, "films", "20260102-000000-00000002")));

        Assert.Equal("R017: Model 'films' is of reviews and serves; this version is of images. A model belongs to one kind: train under another name.", fault.Message);
    }

    [Fact]
    public async Task Verify_APublishedVersion_PassesWithoutTheUploads()
    {
        PublishImagesInput input = await TrainedPhotos.MakeAsync(store);
        await TrainedPhotos.PublishAsync(store, input);
        foreach ((string path, _) in store.Content.Where(blob => blob.Path.StartsWith("work/", StringComparison.Ordinal))) store.Remove(path);

        ModelVerified verified = await ModelVerification.VerifyAsync(Registry, new InProcessPictures(), "dresses", null, null, default);

        Assert.True(verified.Passed, string.Join('\n', verified.Checks));
        Assert.Equal(["pointer", "digests", "loads", "parity"], verified.Checks.Select(check => check.Check));
        Assert.Equal("small cut at shapes, 32 features, 2 classes.", verified.Checks[2].Detail);
    }

    [Fact]
    public async Task Package_Stored_HoldsNoMoreOfThePhotosThanItSays()
    {
        PublishImagesInput input = await TrainedPhotos.MakeAsync(store);
        await TrainedPhotos.PublishAsync(store, input);

        ModelPackage package = await Registry.ReadAsync("dresses", input.Version, null, null, default);

        Assert.Equal(
        [
            "README.md", "encoder.onnx", "examples.jsonl", "examples.safetensors", "examples.zip", "head.onnx", "model.json", "parity.json", "parity.zip", "report.html",
        ], package.Names.Order(StringComparer.Ordinal));
        Assert.Equal(32, package.Manifest.Examples.Rows);
        Assert.NotNull(PictureArchive.Find("examples.zip", package["examples.zip"], 31, "jpg"));
        Assert.Null(PictureArchive.Find("examples.zip", package["examples.zip"], 32, "jpg"));
        byte[] small = new byte[PictureWriter.SmallFit.Bytes];
        PictureFacts facts = PictureDecoder.Decode(PictureArchive.Find("examples.zip", package["examples.zip"], 0, "jpg"), PictureWriter.SmallFit, small);
        Assert.Equal(("jpeg", 112, 112), (facts.Format, facts.Width, facts.Height));
        Assert.Null(PictureArchive.Find("parity.zip", package["parity.zip"], ParityCheck.KeptPictures, "png"));
    }

    [Fact]
    public async Task Report_WithHostileNames_IsOnePageWithoutMarkupOfTheirs()
    {
        PublishImagesInput input = await TrainedPhotos.MakeAsync(store);
        await TrainedPhotos.PublishAsync(store, input);

        string report = Encoding.UTF8.GetString((await Registry.ReadAsync("dresses", input.Version, null, ["report.html"], default))["report.html"].Span);

        Assert.DoesNotContain("<script", report, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("http://", report, StringComparison.Ordinal);
        Assert.All(Source().Matches(report), match => Assert.StartsWith("data:image/jpeg;base64,", match.Groups[1].Value, StringComparison.Ordinal));
        Assert.NotEmpty(Source().Matches(report));
        foreach (string expected in new[] { "Where the network was cut", "shapes", "Colours and edges", "img-src data:", "(32 + 1) · 2" }) Assert.Contains(expected, report, StringComparison.Ordinal);
        Assert.DoesNotContain("review", report, StringComparison.OrdinalIgnoreCase);
    }

    [GeneratedRegex("src=\"([^\"]*)\"")]
    private static partial Regex Source();
}
