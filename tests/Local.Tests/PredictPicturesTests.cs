using System.IO.Compression;
using System.Text.Json;
using Scion.Registry;
using Scion.Storage;
using Scion.Tests.Registry;

namespace Scion.Tests;

/// <summary><c>scion predict</c> and <c>scion models</c> on a model of images, as child processes.</summary>
public sealed class PredictPicturesTests : IAsyncLifetime
{
    readonly string folder = Directory.CreateTempSubdirectory("scion-pictures-").FullName;

    public async ValueTask InitializeAsync()
    {
        FileBlobStore store = new(Path.Combine(folder, "scion-data"));
        await TrainedPhotos.PublishAsync(store, await TrainedPhotos.MakeAsync(store));
        Directory.CreateDirectory(Path.Combine(folder, "photos", "gold"));
        await File.WriteAllBytesAsync(Path.Combine(folder, "photos", "gold", "a.png"), TrainedPhotos.Photo(new Random(1), gold: true));
        await File.WriteAllBytesAsync(Path.Combine(folder, "photos", "b.jpg"), TrainedPhotos.Photo(new Random(2), gold: false));
        await File.WriteAllBytesAsync(Path.Combine(folder, "photos", "broken.jpg"), TrainedPhotos.Photo(new Random(3), gold: true)[..200]);
        await File.WriteAllTextAsync(Path.Combine(folder, "photos", "notes.txt"), "no picture");
    }

    public ValueTask DisposeAsync()
    {
        Directory.Delete(folder, recursive: true);
        return default;
    }

    [Fact]
    public async Task Predict_OnePhoto_NamesClassAndNearestPhotos()
    {
        Ended ended = await ScionProcess.RunAsync(folder, "predict", "dresses", "--input", "photos/gold/a.png");

        Assert.True(ended.Code == 0, ended.Error);
        Assert.StartsWith("gold ", ended.Output, StringComparison.Ordinal);
        Assert.Equal(3, ended.Output.Split('\n').Count(line => line.Contains("  gold: gold/", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Predict_AFolder_WritesARowForEachPictureAndTheCodeOfThoseItCannotRead()
    {
        Ended ended = await ScionProcess.RunAsync(folder, "predict", "dresses", "--input", "photos", "--output", "out.csv", "--json");

        Assert.True(ended.Code == 0, ended.Error);
        string[] rows = await File.ReadAllLinesAsync(Path.Combine(folder, "out.csv"));
        Assert.Equal("input,label,score,abstained", rows[0]);
        Assert.Equal(4, rows.Length);
        Assert.Single(rows, row => row.StartsWith("b.jpg,blue,", StringComparison.Ordinal));
        Assert.Single(rows, row => row.StartsWith("gold/a.png,gold,", StringComparison.Ordinal));
        Assert.Single(rows, row => row.StartsWith("broken.jpg,,,V0", StringComparison.Ordinal));
        using JsonDocument document = JsonDocument.Parse(ended.Output);
        Assert.Equal((2, 1, 1, 1), (Number("rows"), Number("refused"), Number("labelled"), Number("agreed")));

        int Number(string name) => document.RootElement.GetProperty(name).GetInt32();
    }

    [Fact]
    public async Task Predict_AZip_WritesARowForEachPicture()
    {
        ZipFile.CreateFromDirectory(Path.Combine(folder, "photos", "gold"), Path.Combine(folder, "gold.zip"));

        Ended ended = await ScionProcess.RunAsync(folder, "predict", "dresses", "--input", "gold.zip");

        Assert.True(ended.Code == 0, ended.Error);
        Assert.Contains("gold.zip/a.png,gold,", ended.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("P003", 3, "--text", "a gem")]
    [InlineData("L021", 3, "--input", "photos", "--set", "delimiter=;")]
    [InlineData("L005", 4, "--input", "nothing")]
    [InlineData("V0", 3, "--input", "photos/broken.jpg")]
    [InlineData("V001", 3, "--input", "photos/notes.txt")]
    public async Task Predict_SomethingElse_EndsWithItsCode(string code, int exit, params string[] arguments)
    {
        Ended ended = await ScionProcess.RunAsync(folder, ["predict", "dresses", .. arguments]);

        Assert.Equal(exit, ended.Code);
        Assert.Contains(code, ended.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Models_OfImages_AreVerifiedShownAndExported()
    {
        Ended verified = await ScionProcess.RunAsync(folder, "models", "verify", "dresses"), shown = await ScionProcess.RunAsync(folder, "models", "show", "dresses"),
            exported = await ScionProcess.RunAsync(folder, "models", "export", "dresses", "--output", "out");

        Assert.True(verified.Code == 0, verified.Output + verified.Error);
        Assert.Contains("small cut at shapes, 32 features", shown.Output, StringComparison.Ordinal);
        Assert.True(exported.Code == 0, exported.Error);
        Assert.True(File.Exists(Path.Combine(folder, "out", ModelExport.WholeName)));
        Assert.True(File.Exists(Path.Combine(folder, "out", ModelPackage.ExamplePicturesName)));
    }
}
