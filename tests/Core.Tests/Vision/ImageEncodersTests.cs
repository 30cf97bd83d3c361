using System.Text;
using Google.Protobuf;
using Scion.Faults;
using Scion.Onnx;
using Scion.Storage;
using Scion.Tests.Onnx;
using Scion.Text;
using Scion.Vision;

namespace Scion.Tests.Vision;

public sealed class ImageEncodersTests
{
    static readonly byte[] File = PublishedNetworks.SqueezeNet().ToByteArray();

    static readonly ImageEncoderOrigin Origin = new("folder/SqueezeNet 1.1 (half).onnx") { Preset = PicturePreset.Named("bgr") };

    static Task<ImportedEncoder> ImportAsync(IBlobStore store, ImageEncoderOrigin? origin = null) => ImageEncoders.ImportAsync(store, new MemoryStream(File), origin ?? Origin, default);

    static async Task<string> CodeAsync(Func<Task> act) => (await Assert.ThrowsAsync<InputRejectedException>(act)).Code;

    [Fact]
    public async Task Import_ANetwork_IsFoundByNameDigestAndPath()
    {
        InMemoryBlobStore store = new();
        EncoderCard words = await WordVectorImport.AddAsync(store, new MemoryStream("film 1 2\nplot 3 4\n"u8.ToArray()), "w", default);

        ImportedEncoder imported = await ImportAsync(store, Origin with { Licence = "BSD", TrainedOn = "ImageNet" });

        ImageEncoderCard card = imported.Card;
        Assert.Empty(imported.Warnings);
        Assert.Equal(("squeezenet-1-1-half", "BSD", "ImageNet", 48, true), (card.Name, card.Licence, card.TrainedOn, card.Fit.Width, card.Batches));
        Assert.Equal(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(File)), card.SourceSha256);
        foreach (string name in new[] { "squeezenet-1-1-half", card.Sha256, $"encoders/{card.Sha256}" })
        {
            ImageEncoder read = await ImageEncoders.ReadAsync(store, name, default);
            Assert.Equal(card.Sha256, read.Card.Sha256);
            Assert.Equal(card.Length, read.Model.CalculateSize());
            Assert.Equal(card.Values.Mean, read.Card.Values.Mean);
        }
        Assert.Equal(card.Sha256, Assert.Single(await ImageEncoders.ListAsync(store, default)).Sha256);
        Assert.Equal(words, Assert.Single(await WordVectorImport.ListAsync(store, default)));
        Assert.Equal("V065", await CodeAsync(() => ImageEncoders.ReadAsync(store, words.Sha256, default)));
        Assert.Equal("V065", await CodeAsync(() => ImageEncoders.ReadAsync(store, "../secret", default)));
    }

    [Fact]
    public async Task Import_Again_ChangesNothingAndSaysSo()
    {
        InMemoryBlobStore store = new();
        ImportedEncoder first = await ImportAsync(store);
        IReadOnlyList<(string Path, byte[] Bytes)> before = store.Content;

        ImportedEncoder same = await ImportAsync(store), renamed = await ImportAsync(store, Origin with { Name = "other" });

        Assert.Empty(same.Warnings);
        Assert.Equal("V069: This encoder is in the store already, as 'squeezenet-1-1-half'; its card was left as it is.", Assert.Single(renamed.Warnings));
        Assert.Equal(first.Card.Sha256, renamed.Card.Sha256);
        Assert.Equal(before, store.Content);
    }

    [Fact]
    public async Task Import_WithAnotherSizeRuleOrValues_IsAnotherEncoder()
    {
        InMemoryBlobStore store = new();

        string[] digests =
        [
            (await ImportAsync(store)).Card.Sha256, (await ImportAsync(store, Origin with { Resize = PictureResize.Squash })).Card.Sha256,
            (await ImportAsync(store, Origin with { ShorterSide = 60 })).Card.Sha256, (await ImportAsync(store, Origin with { Channels = "rgb" })).Card.Sha256,
            (await ImportAsync(store, Origin with { Mean = [1, 2, 3] })).Card.Sha256,
        ];

        Assert.Equal(5, digests.Distinct().Count());
        Assert.Equal("V067", await CodeAsync(() => ImageEncoders.ReadAsync(store, "squeezenet-1-1-half", default)));
    }

    [Fact]
    public async Task Read_WhatWasDamagedOrReplaced_IsRefused()
    {
        InMemoryBlobStore store = new();
        ImageEncoderCard card = (await ImportAsync(store)).Card;
        string onnx = $"encoders/{card.Sha256}/encoder.onnx", json = $"encoders/{card.Sha256}/encoder.json";
        byte[] graph = store.Content.First(blob => blob.Path == onnx).Bytes, text = store.Content.First(blob => blob.Path == json).Bytes;

        foreach (byte[] other in new[] { graph[..^1], [.. graph, 0], graph.Select((b, i) => i == 5000 ? (byte)(b ^ 1) : b).ToArray(), File, [] })
        {
            store.Tamper(onnx, other);
            Assert.Equal("V066", await CodeAsync(() => ImageEncoders.ReadAsync(store, card.Sha256, default)));
        }
        store.Remove(onnx);
        Assert.Equal("V066", await CodeAsync(() => ImageEncoders.ReadAsync(store, card.Sha256, default)));
        store.Tamper(onnx, graph);
        foreach ((string old, string other) in new[] { ("\"batches\": true", "\"batches\": false"), ("\"width\": 48", "\"width\": 64"), ($"\"defaultLayer\": \"{card.DefaultLayer}\"", "\"defaultLayer\": \"x\""), ("\"features\": 30", "\"features\": 31") })
        {
            string changed = Encoding.UTF8.GetString(text).Replace(old, other, StringComparison.Ordinal);
            Assert.NotEqual(Encoding.UTF8.GetString(text), changed);
            store.Tamper(json, Encoding.UTF8.GetBytes(changed));
            Assert.Equal("V066", await CodeAsync(() => ImageEncoders.ReadAsync(store, card.Sha256, default)));
        }
        store.Tamper(json, text);
        Assert.Equal(card.Sha256, (await ImageEncoders.ReadAsync(store, card.Sha256, default)).Card.Sha256);
    }

    [Fact]
    public async Task Import_OfAStoredFile_IsTheSameEncoder()
    {
        InMemoryBlobStore store = new(), other = new();
        ImageEncoderCard card = (await ImportAsync(store)).Card;
        byte[] graph = store.Content.First(blob => blob.Path.EndsWith(".onnx", StringComparison.Ordinal)).Bytes;

        ImageEncoderCard again = (await ImageEncoders.ImportAsync(other, new MemoryStream(graph), new ImageEncoderOrigin("encoder.onnx"), default)).Card;

        Assert.Equal((card.Sha256, card.Fit, card.DefaultLayer, card.Parameters), (again.Sha256, again.Fit, again.DefaultLayer, again.Parameters));
        Assert.Equal("V062", await CodeAsync(() => ImageEncoders.ImportAsync(other, new MemoryStream(graph), new ImageEncoderOrigin("e") { Preset = PicturePreset.Named("bgr") }, default)));
    }

    [Fact]
    public async Task Cut_AtALayer_IsAnEncoderOfThatLayer()
    {
        InMemoryBlobStore store = new();
        ImageEncoder whole = await ImageEncoders.ReadAsync(store, (await ImportAsync(store)).Card.Sha256, default);
        EncoderLayer layer = whole.Card.Layers.First(layer => layer.Offered);

        (ImageEncoder cut, byte[] file) = ImageEncoders.Cut(whole, layer.Name, name: null);
        await ImageEncoders.AddAsync(store, cut.Card, file, default);
        ImageEncoder read = await ImageEncoders.ReadAsync(store, cut.Card.Sha256, default);

        Assert.Equal($"squeezenet-1-1-half-{layer.Name}", read.Card.Name);
        Assert.Equal((layer.Name, layer.Features, layer.Parameters), (read.Card.DefaultLayer, Assert.Single(read.Card.Layers).Features, read.Card.Parameters));
        Assert.Equal(EncoderGraph.Cut(whole.Model, [layer.Name]).Graph.Node, EncoderGraph.Cut(read.Model, [layer.Name]).Graph.Node);
    }

    [Fact]
    public async Task Import_WithoutPreprocessing_AsksForIt()
    {
        InputRejectedException fault = await Assert.ThrowsAsync<InputRejectedException>(() => ImportAsync(new InMemoryBlobStore(), new ImageEncoderOrigin("net.onnx")));

        Assert.Equal("V061: 'net.onnx' does not say how pixel values become its input, and a wrong guess would quietly spoil every prediction. Look it up where the network is published and give " +
            "--preset imagenet, imagenet-caffe, bgr, rgb, unit or tf, or --channels, --mean and --scale.", fault.Message);
    }

    [Theory]
    [InlineData("Bgr8", "NominalRange_0_255", "bgr", 0f, 1f)]
    [InlineData("Rgb8", "Normalized_0_1", "rgb", 0f, 1 / 255f)]
    [InlineData("Rgb8", "Normalized_1_1", "rgb", 127.5f, 1 / 127.5f)]
    public void Make_WithMetadataOfPictures_TakesThem(string format, string range, string channels, float mean, float scale)
    {
        ModelProto model = PublishedNetworks.SqueezeNet();
        model.MetadataProps.Add(new StringStringEntryProto { Key = "Image.BitmapPixelFormat", Value = format });
        model.MetadataProps.Add(new StringStringEntryProto { Key = "Image.NominalPixelRange", Value = range });

        PictureValues values = ImageEncoders.Make(model.ToByteArray(), new ImageEncoderOrigin("net.onnx")).Encoder.Card.Values;

        Assert.Equal((channels, mean, scale), (values.Channels, values.Mean[2], values.Scale[0]));
    }

    public static TheoryData<string> WrongOptions => ["name", "channels", "mean", "scale", "size", "shorter side", "shorter side of squash"];

    [Theory]
    [MemberData(nameof(WrongOptions))]
    public void Make_WithAWrongOption_IsRefused(string which)
    {
        ImageEncoderOrigin origin = which switch
        {
            "name" => Origin with { Name = "Not A Name" },
            "channels" => Origin with { Channels = "hsv" },
            "mean" => Origin with { Mean = [float.NaN, 0, 0] },
            "scale" => Origin with { Scale = [1, 0, 1] },
            "size" => Origin with { Size = 224 },
            "shorter side" => Origin with { ShorterSide = 40 },
            _ => Origin with { ShorterSide = 60, Resize = PictureResize.Squash },
        };

        Assert.Equal("V062", Assert.Throws<InputRejectedException>(() => ImageEncoders.Make(File, origin)).Code);
    }

    [Fact]
    public async Task Import_FileWithoutEnd_IsRefusedInBoundedMemory()
    {
        InputRejectedException fault = await Assert.ThrowsAsync<InputRejectedException>(() => ImageEncoders.ImportAsync(new InMemoryBlobStore(), new Endless(), Origin, default));

        Assert.Equal("V051", fault.Code);
    }

    /// <summary>Zeros without end.</summary>
    sealed class Endless : MemoryStream
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => new(buffer.Length);
    }
}
