using System.Runtime.InteropServices;
using Scion.Datasets;
using Scion.Evaluation;
using Scion.Heads;
using Scion.Pipelines;
using Scion.Registry;
using Scion.Storage;
using Scion.Text;

namespace Scion.Tests.Registry;

/// <summary>A training's outcome, made directly: random word vectors, a head along the difference of two words' meaning, stored steps.</summary>
public static class TrainedModel
{
    public static readonly IReadOnlyList<string> Labels = ["negative", "positive"];

    static readonly string[] Good = ["good", "great", "lovely", "warm", "bright"], Bad = ["bad", "awful", "dull", "cold", "grim"];
    static readonly string[] Plain = ["the", "film", "was", "and", "a", "plot", "actor", "scene", "music", "ending", "very", "quite"];

    /// <summary>Word vectors in which good and bad words lie apart along the first component.</summary>
    public static SentenceEncoder Encoder(int seed, int dim = 8, int components = 1)
    {
        Random random = new(seed);
        string[] words = [.. Plain, .. Good, .. Bad];
        float[] vectors = [.. Enumerable.Range(0, words.Length * dim).Select(_ => (float)(random.NextDouble() * 2 - 1))];
        for (int id = 0; id < words.Length; id++) vectors[id * dim] += Good.Contains(words[id]) ? 2 : Bad.Contains(words[id]) ? -2 : 0;
        float[] weights = [.. words.Select(word => Plain.Contains(word) ? 0.2f : 1f)];
        float[] directions = new float[components * dim];
        for (int k = 0; k < components; k++) directions[k * dim + dim - 1 - k] = 1;
        return new SentenceEncoder(new Vocabulary(words, [.. words.Select((_, id) => 1000L - id)]), dim, vectors, weights, directions);
    }

    public static LinearHead Head(int seed, int dim = 8)
    {
        Random random = new(seed);
        float[] weights = [.. Enumerable.Range(0, 2 * dim).Select(_ => (float)(random.NextDouble() - 0.5) / 2)];
        weights[0] = -3;
        weights[dim] = 3;
        return new LinearHead(weights, [0.1f, -0.1f]);
    }

    public static string Review(Random random, bool positive)
    {
        string[] opinions = positive ? Good : Bad;
        return string.Join(' ', Enumerable.Range(0, 6 + random.Next(8)).Select(i => i % 3 == 1 ? opinions[random.Next(opinions.Length)] : Plain[random.Next(Plain.Length)])) + ".";
    }

    /// <param name="store">Where the steps' outputs go.</param>
    /// <param name="model">Model name.</param>
    /// <param name="version">Version name.</param>
    /// <param name="seed">Differs: another training.</param>
    /// <param name="rows">Labelled rows; every fifth is held out.</param>
    /// <param name="wrong">Share of the head's sign that is flipped: 1 makes a model that is always wrong.</param>
    /// <param name="protocol">How it was measured.</param>
    /// <param name="accuracy">Stored accuracy.</param>
    public static async Task<PublishInput> MakeAsync(
        IBlobStore store, string model = "films", string version = "20260101-000000-00000001", int seed = 1, int rows = 60, bool wrong = false,
        Protocol protocol = Protocol.HashSplit, double accuracy = 0.9)
    {
        SentenceEncoder encoder = Encoder(seed);
        LinearHead head = Head(seed);
        if (wrong) head = new LinearHead([.. head.Weights.Select(weight => -weight)], head.Bias);
        Random random = new(7);                                            // the data is the same for every seed: the test rows are frozen
        using MemoryStream shard = new();
        List<RowUse> uses = [];
        List<int> classes = [];
        List<float> features = [];
        float[] row = new float[encoder.Dim];
        for (int i = 0; i < rows; i++)
        {
            bool positive = i % 2 == 1;
            string text = i == 3 ? $"{Review(random, positive)} {new string('x', 400)} <script>alert('&')</script>" : Review(random, positive);
            ReviewShard.Append(shard, new ReviewRow(text, Labels[positive ? 1 : 0], GivenSplit.None, 0, i + 1));
            uses.Add(protocol != Protocol.CrossValidation && i % 5 == 0 ? RowUse.Test : RowUse.Train);
            classes.Add(positive ? 1 : 0);
            encoder.Encode(text, row);
            features.AddRange(row);
        }
        StepWriter writer = new(store, $"fixture{seed}");
        int[] test = [.. Enumerable.Range(0, rows).Where(i => uses[i] == RowUse.Test || protocol == Protocol.CrossValidation)];
        float[] logits = new float[test.Length * 2];
        for (int i = 0; i < test.Length; i++) head.Logits(CollectionsMarshal.AsSpan(features).Slice(test[i] * encoder.Dim, encoder.Dim), logits.AsSpan(i * 2, 2));
        ArtifactRef shardRef = await writer.AddAsync("rows.bin", shard.ToArray(), default);
        CuratedRows data = new(DataKind.Reviews, Labels, [new ShardRef(shardRef, shardRef, rows)],
            await writer.AddAsync("table.bin", RowTable.Of([[.. uses]], classes).ToBytes(), default), protocol,
            [.. Labels.Select((label, c) => new LabelCount(label, uses.Zip(classes).Count(r => r == (RowUse.Train, c))))],
            [.. Labels.Select((label, c) => new LabelCount(label, uses.Zip(classes).Count(r => r == (RowUse.Test, c))))], 17, 2, 1, null,
            ["D106: 2 rows were dropped as copies."]);
        Evaluated evaluated = new(protocol, [.. new[] { ("majority", 0.5), ("bag-of-words", 0.7), ("scratch", 0.6), ("transfer", accuracy) }.Select(m => Metrics(m.Item1, m.Item2, test.Length))],
            [new("transfer", "majority", 6, 1, 0.125, "cannot tell"), new("transfer", "bag-of-words", 4, 2, 0.69, "cannot tell"), new("transfer", "scratch", 9, 1, 0.021, "better")],
            [new(2, new(0.6, 0.5, 0.7)), new(8, new(0.75, 0.7, 0.8)), new(24, new(accuracy, accuracy - 0.05, accuracy + 0.05))],
            1.5, 0.2, [new("a&b.csv", 12, "negative", "positive", 0.97)], "logistic", 0.5, head.Parameters,
            await writer.AddAsync("head.bin", head.ToBytes(), default),
            await writer.AddAsync("held.bin", new HeldOutPredictions(test, new int[test.Length], logits, 2).ToBytes(), default), ["E101: Few rows."]);
        return new PublishInput(model, version, $"{model}-{seed:x16}", new string('d', 64), data,
            new EncoderTrained(EncoderSource.Own, await writer.AddAsync("encoder.bin", encoder.ToBytes(), default), encoder.Dim, encoder.Vocabulary.Count,
                encoder.Vectors.Length, 0.31, true, $"{seed:x64}"),
            new EmbeddingOptions(SkipGramLoss.NegativeSampling, encoder.Dim, 5, 5, 10, 1, 1e-3, 0.05, true, 1, 1),
            [new FeaturesExtracted(0, rows, encoder.Dim, await writer.AddAsync("features.bin", MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(features)).ToArray(), default))],
            evaluated, new ReviewSettings());
    }

    static ModelMetrics Metrics(string name, double accuracy, int rows)
    {
        Figure figure = new(accuracy, Math.Max(0, accuracy - 0.1), Math.Min(1, accuracy + 0.08));
        int half = rows / 2, right = (int)(half * accuracy);
        return new ModelMetrics(name, rows, figure, figure, name == "majority" ? null : 0.4, name == "majority" ? null : 0.05,
            [.. Labels.Select(label => new ClassMetrics(label, half, figure, figure, figure))], [[right, half - right], [half - right, right]]);
    }

    /// <summary>Publishes as a host does, with a clock that stands still.</summary>
    public static Task<Published> PublishAsync(IBlobStore store, PublishInput input, TimeProvider? time = null) =>
        new PublishStep(new StepMemo(store), new ModelRegistry(store, time ?? StoppedClock.Instance)).RunAsync(input, progress: null, default);
}
