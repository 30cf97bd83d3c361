using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Google.Protobuf;
using Scion.Datasets;
using Scion.Evaluation;
using Scion.Heads;
using Scion.Onnx;
using Scion.Pipelines;
using Scion.Registry;
using Scion.Storage;
using Scion.Vision;
using DataType = Scion.Onnx.TensorProto.Types.DataType;

namespace Scion.Tests.Registry;

/// <summary>A training on photos, made directly: a small random network, drawn photos of two colours, a head along the difference of their means.</summary>
public static class TrainedPhotos
{
    public static readonly IReadOnlyList<string> Labels = ["blue", "gold"];

    /// <summary>Names of the layers that the network is cut at; the head is fitted to the second.</summary>
    public static readonly IReadOnlyList<string> Layers = ["edges", "shapes"];

    public static readonly PictureFit Fit = new(PictureFit.CurrentVersion, 24, 20, PictureResize.Pad, 0);

    /// <summary>A stored encoder: two convolutions, preprocessing before them.</summary>
    public static ModelProto Network(int seed = 1)
    {
        Random random = new(seed);
        OnnxGraphWriter graph = new("small");
        graph.Input("data", DataType.Float, "batch", "3", "24", "20");
        graph.Output("answer", DataType.Float, "batch", "4");
        string edges = graph.Node("Relu", "edges", [graph.Node("Conv", "c1", ["data", graph.Constant("w1", Weights(6 * 3 * 9), 6, 3, 3, 3)], OnnxGraphWriter.Ints("pads", 1, 1, 1, 1))]);
        string shapes = graph.Node("Relu", "shapes", [graph.Node("Conv", "c2", [edges, graph.Constant("w2", Weights(8 * 6 * 9), 8, 6, 3, 3)], OnnxGraphWriter.Ints("strides", 2, 2))]);
        string flat = graph.Node("Flatten", "flat", [graph.Node("GlobalAveragePool", "pool", [shapes])]);
        graph.Node("Gemm", "answer", [flat, graph.Constant("w3", Weights(4 * 8), 4, 8)], OnnxGraphWriter.Int("transB", 1));
        ModelProto network = ForeignGraph.Read("small.onnx", graph.ToModel().ToByteArray());
        return EncoderGraph.WithPixels(network, Fit, new PictureValues("rgb", [128, 128, 128], [0.01f, 0.01f, 0.01f], "nchw", "float32"), batch: true);

        float[] Weights(int count) => [.. Enumerable.Range(0, count).Select(_ => (float)(random.NextDouble() - 0.5))];
    }

    /// <summary>A photo: stripes of a colour on grey, of any size; PNG.</summary>
    /// <param name="random">Draws size, stripes and noise.</param>
    /// <param name="gold">Its colour.</param>
    public static byte[] Photo(Random random, bool gold)
    {
        (int width, int height, int stripe) = (30 + random.Next(40), 30 + random.Next(40), 2 + random.Next(6));
        byte[] pixels = new byte[width * height * 3];
        for (int i = 0; i < width * height; i++)
        {
            bool coloured = i % width / stripe % 2 == 0;
            int[] colour = !coloured ? [120, 120, 120] : gold ? [220, 180, 40] : [30, 40, 200];
            for (int c = 0; c < 3; c++) pixels[(3 * i) + c] = (byte)Math.Clamp(colour[c] + random.Next(-20, 21), 0, 255);
        }
        return PictureWriter.Lossless(pixels, width, height);
    }

    /// <param name="store">Where the steps' outputs go.</param>
    /// <param name="model">Model name.</param>
    /// <param name="version">Version name.</param>
    /// <param name="seed">Of the network: another is another training.</param>
    /// <param name="rows">Labelled photos; every fifth is held out.</param>
    /// <param name="wrong">True makes a model that is always wrong.</param>
    /// <param name="shifted">Added to the head's bias after the features were computed: what breaks parity.</param>
    public static async Task<PublishImagesInput> MakeAsync(
        IBlobStore store, string model = "dresses", string version = "20260101-000000-00000001", int seed = 1, int rows = 40, bool wrong = false, float shifted = 0)
    {
        ModelProto network = Network(seed);
        byte[] stored = network.ToByteArray(), cut = EncoderGraph.Cut(network, Layers).ToByteArray();
        EncoderLayer[] layers = [.. Layers.Select(name => EncoderGraph.Layers("small", network).Find("small", name))];
        Random random = new(7);                                            // the data is the same for every seed: the test rows are frozen
        using MemoryStream shard = new();
        List<RowUse> uses = [];
        List<int> classes = [];
        byte[] pixels = new byte[rows * Fit.Bytes];
        for (int i = 0; i < rows; i++)
        {
            bool gold = i % 2 == 1;
            byte[] photo = Photo(random, gold);
            ImageShard.Append(shard, new ImageRow(i == 3 ? "gold/<script>&.png" : string.Create(CultureInfo.InvariantCulture, $"{Labels[gold ? 1 : 0]}/{i}.png"), photo));
            PictureDecoder.Decode(photo, Fit, pixels.AsSpan(i * Fit.Bytes, Fit.Bytes));
            uses.Add(i % 5 == 0 ? RowUse.Test : RowUse.Train);
            classes.Add(gold ? 1 : 0);
        }
        float[][] features = [.. layers.Select(layer => new float[rows * layer.Features])];
        using (EncoderSession session = new(cut, Fit, [.. layers.Select(layer => layer.Features)], batches: true, gpu: false))
            session.Run(pixels, rows, [.. features.Select(of => of.AsMemory())]);
        int dim = layers[1].Features;
        LinearHead head = Head(features[1], classes, dim, wrong);

        StepWriter writer = new(store, $"photos{seed}");
        int[] test = [.. Enumerable.Range(0, rows).Where(i => uses[i] == RowUse.Test)];
        float[] logits = new float[test.Length * 2];
        for (int i = 0; i < test.Length; i++) head.Logits(features[1].AsSpan(test[i] * dim, dim), logits.AsSpan(i * 2, 2));
        head.Bias[0] += shifted;
        ArtifactRef shardRef = await writer.AddAsync("pictures.bin", shard.ToArray(), default);
        CuratedRows data = new(DataKind.Images, Labels, [new ShardRef(shardRef, shardRef, rows)],
            await writer.AddAsync("table.bin", RowTable.Of([[.. uses]], classes).ToBytes(), default), Protocol.HashSplit,
            [.. Labels.Select((label, c) => new LabelCount(label, uses.Zip(classes).Count(r => r == (RowUse.Train, c))))],
            [.. Labels.Select((label, c) => new LabelCount(label, uses.Zip(classes).Count(r => r == (RowUse.Test, c))))], 3, 2, 1, null, []);
        ArtifactRef fitted = await writer.AddAsync("head.bin", head.ToBytes(), default), held = await writer.AddAsync("held.bin", new HeldOutPredictions(test, new int[test.Length], logits, 2).ToBytes(), default);
        Evaluated evaluated = new(Protocol.HashSplit, [.. new[] { ("majority", 0.5), ("pixels", 0.7), ("scratch", 0.6), ("transfer", 0.9) }.Select(m => Metrics(m.Item1, m.Item2, test.Length))],
            [new("transfer", "majority", 6, 1, 0.125, "cannot tell"), new("transfer", "pixels", 4, 2, 0.69, "cannot tell"), new("transfer", "scratch", 9, 1, 0.021, "better")],
            [new(2, new(0.6, 0.5, 0.7)), new(8, new(0.75, 0.7, 0.8)), new(16, new(0.9, 0.85, 0.95))],
            1.5, 0.2, [new("gold/7.png", 0, "gold", "blue", 0.97)], "nearest-mean", null, head.Parameters, fitted, held, []);
        ImageEncoderCard card = new("image", Hex(stored), stored.Length, "small", "made by the tests", Hex(stored), "CC0", "nothing", Fit,
            EncoderGraph.ValuesOf(network)!, EncoderGraph.Layers("small", network).Parameters, layers, "shapes", Batches: true);
        ImageEncoderReady ready = new(card, await writer.AddAsync("cut.onnx", cut, default), layers, "shapes", Pretrained: true);
        List<FeatureSet> sets = [];
        for (int i = 0; i < layers.Length; i++)
            sets.Add(new FeatureSet(Layers[i], [new FeaturesExtracted(0, rows, layers[i].Features, await writer.AddAsync($"features{i}.bin", MemoryMarshal.AsBytes(features[i].AsSpan()).ToArray(), default))]));
        HeadsTrained transfer = new(CandidateKind.Transfer, "nearest-mean", null, 0.9, head.Parameters, fitted, held, [], held, 1.5)
        {
            Set = Layers[1],
            Scores = [new SetScore(Layers[0], layers[0].Features, 0.7), new SetScore(Layers[1], dim, 0.9)],
        };
        return new PublishImagesInput(model, version, $"{model}-{seed:x16}", new string('d', 64), data, ready, sets, transfer, evaluated, new ImageSettings());
    }

    /// <summary>Publishes as a host does, with a clock that stands still.</summary>
    public static Task<Published> PublishAsync(IBlobStore store, PublishImagesInput input, IPictureReader? pictures = null) =>
        new PublishImagesStep(new StepMemo(store), new ModelRegistry(store, StoppedClock.Instance), pictures ?? new InProcessPictures()).RunAsync(input, progress: null, default);

    static LinearHead Head(float[] features, List<int> classes, int dim, bool wrong)
    {
        float[] weights = new float[2 * dim], bias = new float[2];
        for (int row = 0; row < classes.Count; row++)
            for (int i = 0; i < dim; i++) weights[(classes[row] * dim) + i] += features[(row * dim) + i] * 40 / classes.Count;
        for (int c = 0; c < 2; c++) bias[c] = -weights.AsSpan(c * dim, dim).ToArray().Sum(w => w * w) / 40;
        return wrong ? new LinearHead([.. weights.Select(w => -w)], [.. bias.Select(b => -b)]) : new LinearHead(weights, bias);
    }

    static ModelMetrics Metrics(string name, double accuracy, int rows)
    {
        Figure figure = new(accuracy, Math.Max(0, accuracy - 0.1), Math.Min(1, accuracy + 0.08));
        int half = rows / 2, right = (int)(half * accuracy);
        return new ModelMetrics(name, rows, figure, figure, name == "majority" ? null : 0.4, name == "majority" ? null : 0.05,
            [.. Labels.Select(label => new ClassMetrics(label, half, figure, figure, figure))], [[right, half - right], [half - right, right]]);
    }

    static string Hex(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));
}
