using System.Security.Cryptography;
using System.Text.Json;
using Google.Protobuf;
using Scion.Faults;
using Scion.Local.Running;
using Scion.Tests.Onnx;
using Scion.Vision;

namespace Scion.Tests;

/// <summary>Image networks by the command line, as child processes; what needs no process is called directly.</summary>
public sealed class EncodersTests : IDisposable
{
    static readonly byte[] Network = PublishedNetworks.SqueezeNet().ToByteArray();

    readonly TestFolder folder = new();

    public void Dispose() => folder.Dispose();

    string Write(string name, byte[] bytes)
    {
        string path = Path.Combine(folder.Path, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, bytes);
        return path;
    }

    Task<Ended> Scion(params string[] arguments) => ScionProcess.RunAsync(folder.Path, arguments);

    [Fact]
    public async Task Encoders_ImportInspectCutAndList_TellOneStory()
    {
        Write("squeeze.onnx", Network);

        Ended refused = await Scion("encoders", "import", "squeeze.onnx", "--json");
        Ended imported = await Scion("encoders", "import", "squeeze.onnx", "--preset", "bgr", "--resize", "crop", "--shorter-side", "54", "--licence", "BSD-2-Clause", "--trained-on", "ImageNet", "--json");
        Ended inspected = await Scion("encoders", "inspect", "squeeze", "--json"), table = await Scion("encoders", "inspect", "squeeze.onnx");
        JsonElement layer = inspected.Json.GetProperty("layers").EnumerateArray().First(layer => layer.GetProperty("offered").GetBoolean());
        string name = layer.GetProperty("name").GetString()!;
        Ended cut = await Scion("encoders", "cut", "squeeze", "--layer", name, "--name", "short", "--json");
        Ended list = await Scion("encoders", "list", "--json"), absent = await Scion("encoders", "cut", "squeeze", "--layer", "nowhere", "--json");

        Assert.Equal((3, "V061"), (refused.Code, refused.Json.GetProperty("error").GetProperty("code").GetString()));
        Assert.True(imported.Code == 0, imported.ToString());
        JsonElement card = imported.Json.GetProperty("card");
        Assert.Equal(("squeeze", "BSD-2-Clause", 54), (card.GetProperty("name").GetString(), card.GetProperty("licence").GetString(), card.GetProperty("fit").GetProperty("shorterSide").GetInt32()));
        Assert.Equal(2 * (layer.GetProperty("features").GetInt32() + 1), layer.GetProperty("headParameters").GetInt32());
        Assert.Contains("head of 2 classes", table.Output, StringComparison.Ordinal);
        Assert.Contains("default, auto", table.Output, StringComparison.Ordinal);
        Assert.Equal(name, Assert.Single(cut.Json.GetProperty("card").GetProperty("layers").EnumerateArray()).GetProperty("name").GetString());
        Assert.Equal(["default", "short", "squeeze"], list.Json.GetProperty("encoders").EnumerateArray().Select(encoder => encoder.GetProperty("name").GetString()).Order());
        Assert.Equal((4, "V063"), (absent.Code, absent.Json.GetProperty("error").GetProperty("code").GetString()));
    }

    [Fact]
    public async Task Encoders_ImportByAddress_ChecksTheDigestFirst()
    {
        using CannedServer server = new();
        string url = server.Serve("/models/squeeze.onnx", Network), digest = Convert.ToHexString(SHA256.HashData(Network));

        Ended unsure = await Scion("encoders", "import", url, "--preset", "bgr", "--json");
        Ended wrong = await Scion("encoders", "import", url, "--sha256", new string('a', 64), "--preset", "bgr", "--json");
        Ended right = await Scion("encoders", "import", url, "--sha256", digest, "--preset", "bgr", "--json");

        Assert.Equal((3, "V074"), (unsure.Code, unsure.Json.GetProperty("error").GetProperty("code").GetString()));
        Assert.Equal((3, "V073"), (wrong.Code, wrong.Json.GetProperty("error").GetProperty("code").GetString()));
        Assert.True(right.Code == 0, right.ToString());
        Assert.Equal((url, digest.ToLowerInvariant()), (right.Json.GetProperty("card").GetProperty("source").GetString(), right.Json.GetProperty("card").GetProperty("sourceSha256").GetString()));
    }

    [Fact]
    public async Task Encoders_OptionsOfPicturesForWords_AreRefusedNotIgnored()
    {
        Write("words.txt", "2 2\nfilm 1 2\nplot 3 4\n"u8.ToArray());

        Ended ended = await Scion("encoders", "import", "words.txt", "--preset", "imagenet", "--json");

        Assert.Equal((3, "V062"), (ended.Code, ended.Json.GetProperty("error").GetProperty("code").GetString()));
        Assert.Contains("--preset is an option of image networks", ended.Json.GetProperty("error").GetProperty("fact").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Folder_OfAnExporter_IsReadWithItsConfiguration()
    {
        Write("vit/onnx/model.onnx", Network);
        folder.Write("vit/preprocessor_config.json", """
            {"do_resize": true, "size": {"shortest_edge": 256}, "do_center_crop": true, "crop_size": {"height": 224, "width": 224}, "do_rescale": true,
             "rescale_factor": 0.00392156862745098, "do_normalize": true, "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}
            """);

        string file = EncoderFolder.FileIn(Path.Combine(folder.Path, "vit"));
        ImageEncoderOrigin origin = EncoderFolder.WithConfig(file, new ImageEncoderOrigin("model.onnx"));

        Assert.Equal("model.onnx", Path.GetFileName(file));
        Assert.Equal((PictureResize.CentreCrop, 224, 256, "rgb"), (origin.Resize, origin.Size, origin.ShorterSide, origin.Preset!.Channels));
        PicturePreset imagenet = PicturePreset.Named("imagenet");
        for (int c = 0; c < 3; c++)
        {
            Assert.Equal(imagenet.Mean[c], origin.Preset.Mean[c], 1e-3);
            Assert.Equal(imagenet.Scale[c], origin.Preset.Scale[c], 1e-6);
        }
    }

    [Theory]
    [InlineData("""{"size": 224, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}""", PictureResize.Squash, 224, null)]
    [InlineData("""{"size": {"height": 384, "width": 384}, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}""", PictureResize.Squash, 384, null)]
    [InlineData("""{"size": {"shortest_edge": 224}, "crop_pct": 0.875, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}""", PictureResize.CentreCrop, 224, 256)]
    public void Configuration_OfKnownForms_GivesTheSizeRule(string json, PictureResize resize, int size, int? shorter)
    {
        folder.Write("preprocessor_config.json", json);

        ImageEncoderOrigin origin = EncoderFolder.WithConfig(Path.Combine(folder.Path, "model.onnx"), new ImageEncoderOrigin("model.onnx"));

        Assert.Equal((resize, size, shorter), (origin.Resize, origin.Size, origin.ShorterSide));
        Assert.Equal((127.5f, 1 / 127.5f), (origin.Preset!.Mean[0], origin.Preset.Scale[0]));
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("""{"image_mean": [1, 2], "image_std": [1, 1, 1]}""")]
    [InlineData("""{"image_mean": [0, 0, 0], "image_std": [1, 0, 1]}""")]
    [InlineData("""{"do_rescale": "yes", "image_mean": [0, 0, 0], "image_std": [1, 1, 1]}""")]
    public void Configuration_ThatIsNone_IsRefused(string json)
    {
        folder.Write("preprocessor_config.json", json);

        Assert.Equal("V076", Assert.Throws<InputRejectedException>(() => EncoderFolder.WithConfig(Path.Combine(folder.Path, "model.onnx"), new ImageEncoderOrigin("model.onnx"))).Code);
    }

    [Fact]
    public void Folder_WithSeveralNetworks_AsksForOne()
    {
        Write("a.onnx", Network);
        Write("onnx/b.onnx", Network);

        InputRejectedException fault = Assert.Throws<InputRejectedException>(() => EncoderFolder.FileIn(folder.Path));

        Assert.Equal("V075", fault.Code);
        Assert.Contains($"holds 2 .onnx files (a.onnx, {Path.Combine("onnx", "b.onnx")}); one is expected.", fault.Message, StringComparison.Ordinal);
    }
}
