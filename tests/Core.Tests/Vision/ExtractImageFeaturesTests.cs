using System.Runtime.InteropServices;
using Google.Protobuf;
using Scion.Datasets;
using Scion.Faults;
using Scion.Heads;
using Scion.Onnx;
using Scion.Pipelines;
using Scion.Storage;
using Scion.Tests.Datasets;
using Scion.Vision;
using DataType = Scion.Onnx.TensorProto.Types.DataType;

namespace Scion.Tests.Vision;

public sealed class ExtractImageFeaturesTests : IDisposable
{
    static readonly PictureFit Fit = new(PictureFit.CurrentVersion, 16, 24, PictureResize.Pad, 0);

    readonly CountedPictures pictures = new();
    readonly EncoderSessions sessions = new(gpu: false);
    readonly PictureWorkers workers;

    public ExtractImageFeaturesTests() => workers = new PictureWorkers(pictures, cores: 3);

    public void Dispose()
    {
        workers.Dispose();
        sessions.Dispose();
    }

    [Fact]
    public async Task Extract_AShard_GivesEachLabelledPictureItsFeaturesInRowOrder()
    {
        Photos photos = Many(23);
        CuratedRows data = await photos.CurateAsync();

        foreach ((ShardRef shard, int i) in data.Shards.Select((shard, i) => (shard, i)))
        {
            ImageFeaturesExtracted extracted = await ExtractAsync(photos, data, i);

            RowUse[] uses = RowTable.Parse(await photos.Store.ReadAsync(data.Rows, default)).Uses[i];
            float[] first = await FloatsAsync(photos, extracted.Layers[0]), second = await FloatsAsync(photos, extracted.Layers[1]);
            int row = 0, at = 0;
            await foreach (ImageRow picture in ImageShard.ReadAsync(photos.Store, shard, default))
            {
                if (uses[row++] is not (RowUse.Train or RowUse.Test)) continue;
                byte[] pixels = new byte[Fit.Bytes];
                PictureDecoder.Decode(picture.Bytes.Span, Fit, pixels);
                for (int c = 0; c < 3; c++)
                {
                    double mean = Enumerable.Range(0, Fit.Height * Fit.Width).Average(p => (double)pixels[(p * 3) + c]);
                    Assert.Equal(mean, first[(at * 3) + c], 1e-3);
                    Assert.Equal(2 * mean, second[(at * 3) + c], 2e-3);
                }
                at++;
            }
            Assert.Equal((at, at, "cpu"), (extracted.Layers[0].Rows, extracted.Computed, at == 0 ? "cpu" : extracted.Device));
        }
    }

    [Fact]
    public async Task Extract_ASecondTime_ReadsNoPicture()
    {
        Photos photos = Many(9);
        CuratedRows data = await photos.CurateAsync();
        ImageFeaturesExtracted[] first = await ExtractAllAsync(photos, data);
        int read = pictures.Read;
        Assert.Equal(first.Sum(shard => shard.Computed), read);

        ImageFeaturesExtracted[] again = await ExtractAllAsync(photos, data);

        Assert.Equal(read, pictures.Read);
        Assert.Equal(first.Select(Digests), again.Select(Digests));
    }

    [Fact]
    public async Task Extract_PicturesAdded_ComputesOnlyThose()
    {
        Photos photos = Many(8);
        await ExtractAllAsync(photos, await photos.CurateAsync());
        int read = pictures.Read;
        Assert.Equal(8, read);
        photos.Put("blue/new 1.jpg", Photos.Of(901)).Put("gold/new 2.jpg", Photos.Of(902));

        ImageFeaturesExtracted[] extracted = await ExtractAllAsync(photos, await photos.CurateAsync());

        Assert.Equal((2, 2), (extracted.Sum(shard => shard.Computed), pictures.Read - read));
        Assert.Equal(10, extracted.Sum(shard => shard.Layers[0].Rows));
    }

    [Fact]
    public async Task Extract_UnlabelledPictures_AreNotRead()
    {
        Photos photos = Many(6).Put("unlabelled/a.jpg", Photos.Of(800)).Put("unlabelled/b.jpg", Photos.Of(801));

        await ExtractAllAsync(photos, await photos.CurateAsync());

        Assert.Equal(6, pictures.Read);
    }

    [Fact]
    public async Task Extract_CacheOfAnotherNetwork_IsNotUsed()
    {
        Photos photos = Many(6);
        CuratedRows data = await photos.CurateAsync();
        await ExtractAllAsync(photos, data);

        ImageFeaturesExtracted[] other = await ExtractAllAsync(photos, data, Graph(factor: 3));

        Assert.Equal(6, other.Sum(shard => shard.Computed));
    }

    [Fact]
    public async Task Extract_APictureThatCannotBeReadAnyMore_IsAFaultWithItsName()
    {
        Photos photos = Many(6);
        CuratedRows data = await photos.CurateAsync();
        pictures.Refused = 3;

        InputRejectedException refusal = await Assert.ThrowsAsync<InputRejectedException>(() => ExtractAllAsync(photos, data));

        Assert.Equal("V103", refusal.Code);
        Assert.Matches(@"^V103: '(blue|gold)/p\d+\.jpg' was accepted and cannot be read now\. V002: The file is empty\. Start the run again; ", refusal.Message);
    }

    [Fact]
    public async Task Extract_ANetworkThatOverflows_IsAFaultAndKeepsNothing()
    {
        Photos photos = Many(4);
        CuratedRows data = await photos.CurateAsync();

        InputRejectedException refusal = await Assert.ThrowsAsync<InputRejectedException>(() => ExtractAllAsync(photos, data, Graph(factor: float.MaxValue)));

        Assert.Equal("V104", refusal.Code);
        Assert.DoesNotContain(photos.Store.Content, blob => blob.Path.Contains("picture-features", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Extract_Cancelled_Stops()
    {
        Photos photos = Many(6);
        CuratedRows data = await photos.CurateAsync();
        using CancellationTokenSource cancel = new();
        pictures.OnRead = read =>
        {
            if (read == 3) cancel.Cancel();
        };

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await StepFor(photos).RunAsync(
            new ExtractImageFeaturesInput(await ReadyAsync(photos, Graph(2)), data.Shard(0)), null, cancel.Token));
    }

    [Fact]
    public async Task ExtractPixels_AShard_EqualsMeasuringEachPicture()
    {
        Photos photos = Many(7);
        CuratedRows data = await photos.CurateAsync();

        for (int i = 0; i < data.Shards.Count; i++)
        {
            FeaturesExtracted extracted = await new ExtractPixelFeaturesStep(new StepMemo(photos.Store), workers).RunAsync(new ExtractPixelFeaturesInput(data.Shard(i)), null, default);

            float[] features = await FloatsAsync(photos, extracted), expected = new float[PixelFeatures.Dim];
            byte[] pixels = new byte[PixelFeatures.Fit.Bytes];
            int at = 0;
            await foreach (ImageRow picture in ImageShard.ReadAsync(photos.Store, data.Shards[i], default))
            {
                PictureDecoder.Decode(picture.Bytes.Span, PixelFeatures.Fit, pixels);
                PixelFeatures.Measure(pixels, expected);
                Assert.Equal(expected, features[(at * PixelFeatures.Dim)..(++at * PixelFeatures.Dim)]);
            }
        }
    }

    static Photos Many(int count)
    {
        Photos photos = new();
        for (int i = 0; i < count; i++) photos.Put($"{(i % 2 == 0 ? "blue" : "gold")}/p{i}.jpg", Photos.Of(i));
        return photos;
    }

    ExtractImageFeaturesStep StepFor(Photos photos) => new(new StepMemo(photos.Store), workers, sessions);

    async Task<ImageFeaturesExtracted> ExtractAsync(Photos photos, CuratedRows data, int shard) =>
        await StepFor(photos).RunAsync(new ExtractImageFeaturesInput(await ReadyAsync(photos, Graph(2)), data.Shard(shard)), null, default);

    async Task<ImageFeaturesExtracted[]> ExtractAllAsync(Photos photos, CuratedRows data, byte[]? graph = null)
    {
        ImageEncoderReady ready = await ReadyAsync(photos, graph ?? Graph(2));
        return await Task.WhenAll(data.Shards.Select((_, shard) => StepFor(photos).RunAsync(new ExtractImageFeaturesInput(ready, data.Shard(shard)), null, default)));
    }

    static async Task<ImageEncoderReady> ReadyAsync(Photos photos, byte[] graph)
    {
        EncoderLayer[] layers = [new("features_0", "ReduceMean", [3], 3, 1, true), new("features_1", "Mul", [3], 3, 1, true)];
        ArtifactRef stored = await new StepWriter(photos.Store, "encoder").AddAsync("cut.onnx", graph, default);
        ImageEncoderCard card = new("image", stored.Sha256, stored.Length, "means", "test", stored.Sha256, null, null, Fit,
            new PictureValues("rgb", [0, 0, 0], [1, 1, 1], "nhwc", "float32"), 1, layers, "features_1", true);
        return new ImageEncoderReady(card, stored, layers, "features_1", true);
    }

    static async Task<float[]> FloatsAsync(Photos photos, FeaturesExtracted features) =>
        MemoryMarshal.Cast<byte, float>(await photos.Store.ReadAsync(features.Features, default)).ToArray();

    static string Digests(ImageFeaturesExtracted extracted) => string.Join(' ', extracted.Layers.Select(layer => layer.Features.Sha256));

    /// <summary>Mean of each channel, and that times a factor.</summary>
    static byte[] Graph(float factor)
    {
        OnnxGraphWriter graph = new("means");
        graph.Input("pixels", DataType.Uint8, "batch", $"{Fit.Height}", $"{Fit.Width}", "3");
        graph.Output("features_0", DataType.Float, "batch", "3");
        graph.Output("features_1", DataType.Float, "batch", "3");
        string wide = graph.Node("Cast", "wide", ["pixels"], OnnxGraphWriter.Int("to", (int)DataType.Float));
        string mean = graph.Node("ReduceMean", "features_0", [wide], OnnxGraphWriter.Ints("axes", 1, 2), OnnxGraphWriter.Int("keepdims", 0));
        graph.Node("Mul", "features_1", [mean, graph.Constant("factor", [factor])]);
        return graph.ToModel().ToByteArray();
    }

    /// <summary>Counts pictures, and refuses one when asked to.</summary>
    sealed class CountedPictures : IPictureReader
    {
        readonly InProcessPictures pictures = new();
        int read;

        public int Read => read;

        /// <summary>Refuses this picture, counted from 1.</summary>
        public int Refused { get; set; }

        public Action<int>? OnRead { get; set; }

        public ValueTask<PictureFacts> ReadAsync(ReadOnlyMemory<byte> bytes, PictureFit fit, Memory<byte> pixels, CancellationToken cancellation)
        {
            int now = Interlocked.Increment(ref read);
            OnRead?.Invoke(now);
            return now == Refused ? throw PictureFaults.Empty() : pictures.ReadAsync(bytes, fit, pixels, cancellation);
        }
    }
}
