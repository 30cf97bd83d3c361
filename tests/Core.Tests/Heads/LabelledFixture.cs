using System.Runtime.InteropServices;
using Scion.Datasets;
using Scion.Evaluation;
using Scion.Heads;
using Scion.Pipelines;
using Scion.Storage;
using Scion.Text;

namespace Scion.Tests.Heads;

/// <summary>A small data set of two or more classes in a store, with features: the inputs of the two steps.</summary>
/// <param name="Data">The data set.</param>
/// <param name="Features">Of transfer: classes lie apart by the gap asked for.</param>
/// <param name="Untrained">Of scratch: noise.</param>
/// <param name="Files">What the file held.</param>
public sealed record LabelledFixture(
    InMemoryBlobStore Store, CuratedRows Data, IReadOnlyList<FeaturesExtracted> Features, IReadOnlyList<FeaturesExtracted> Untrained,
    IReadOnlyList<IngestedFile> Files)
{
    public static readonly ReviewSettings Settings = new();

    static readonly string[] Topics = ["good great lovely warm", "bad awful dull cold", "green blue red black", "north south east west"];

    public EncoderTrained Encoder { get; } = new(EncoderSource.Own, Features[0].Features, Features[0].Dim, 10, 100, 0.3, true, "encoder");

    /// <param name="perClass">Labelled rows of each class, in turn.</param>
    /// <param name="test">How many of each class's rows are held out, the last ones; none makes it cross-validation.</param>
    /// <param name="gap">Distance of a class's mean from zero; the noise has length about 1.</param>
    /// <param name="seed">Of texts and features.</param>
    /// <param name="shards">Shards the rows are dealt over in runs; between labelled rows lies an unlabelled one.</param>
    /// <param name="relabel">Changes the class of a labelled row, by its index and class.</param>
    /// <param name="protocol">Null: hash split when rows are held out.</param>
    public static async Task<LabelledFixture> MakeAsync(
        int[] perClass, int[]? test = null, double gap = 1, int seed = 1, int shards = 2, Func<int, int, int>? relabel = null, Protocol? protocol = null)
    {
        const int dim = 6;
        Random random = new(seed);
        InMemoryBlobStore store = new();
        List<(int Class, bool Test)> rows = [];
        for (int i = 0; i < perClass.Max(); i++)
            for (int c = 0; c < perClass.Length; c++)
                if (i < perClass[c]) rows.Add((c, test is not null && i >= perClass[c] - test[c]));
        StepWriter writer = new(store, $"fixture{seed}");
        List<RowUse[]> uses = [];
        List<int> classes = [];
        List<ShardRef> refs = [];
        List<FeaturesExtracted> features = [], untrained = [];
        int each = (rows.Count + shards - 1) / shards;
        for (int shard = 0; shard < shards; shard++)
        {
            using MemoryStream bytes = new();
            List<RowUse> own = [];
            List<float> made = [], noise = [];
            for (int i = shard * each; i < Math.Min(rows.Count, (shard + 1) * each); i++)
            {
                (int c, bool held) = rows[i];
                string[] words = Topics[c % Topics.Length].Split(' ');
                string text = $"row {i} is {words[random.Next(4)]} and {Topics[random.Next(Topics.Length)].Split(' ')[random.Next(4)]}";
                ReviewShard.Append(bytes, new ReviewRow(text, $"class {c}", GivenSplit.None, 0, 10 * i));
                ReviewShard.Append(bytes, new ReviewRow($"unlabelled {i}", null, GivenSplit.None, 0, (10 * i) + 5));
                own.AddRange([held ? RowUse.Test : RowUse.Train, RowUse.Unlabelled]);
                classes.Add(relabel?.Invoke(i, c) ?? c);
                float[] row = [.. Enumerable.Range(0, dim).Select(d => (float)(Normal(random) / Math.Sqrt(dim) + (d == c % dim ? gap : 0)))];
                float norm = MathF.Sqrt(row.Sum(value => value * value));
                made.AddRange(row.Select(value => value / norm));
                noise.AddRange(Enumerable.Range(0, dim).Select(_ => (float)(Normal(random) / Math.Sqrt(dim))));
            }
            ArtifactRef stored = await writer.AddAsync("rows.bin", bytes.ToArray(), default);
            refs.Add(new ShardRef(stored, stored, own.Count));
            uses.Add([.. own]);
            features.Add(new(shard, made.Count / dim, dim, await writer.AddAsync("features.bin", Bytes(made), default)));
            untrained.Add(new(shard, noise.Count / dim, dim, await writer.AddAsync("untrained.bin", Bytes(noise), default)));
        }
        string[] labels = [.. perClass.Select((_, c) => $"class {c}")];
        ArtifactRef table = await writer.AddAsync("table.bin", RowTable.Of(uses, classes).ToBytes(), default);
        CuratedRows data = new(DataKind.Reviews, labels, refs, table, protocol ?? (test is null ? Protocol.CrossValidation : Protocol.HashSplit),
            [.. labels.Select((label, c) => new LabelCount(label, rows.Zip(classes).Count(r => !r.First.Test && r.Second == c)))],
            [.. labels.Select((label, c) => new LabelCount(label, rows.Zip(classes).Count(r => r.First.Test && r.Second == c)))], rows.Count, 0, 0, null, []);
        IngestedFile file = new("films/a.csv", [new IngestedPart("films/a.csv", "csv", "utf-8", ",", "text", "label", rows.Count, 0)], rows.Count, 0, 0, [], refs, null, []);
        return new LabelledFixture(store, data, features, untrained, [file]);
    }

    public Task<HeadsTrained> TrainAsync(CandidateKind kind, ReviewSettings? settings = null) => new TrainHeadsStep(new StepMemo(Store)).RunAsync(
        new TrainHeadsInput(kind, kind switch { CandidateKind.BagOfWords => [], CandidateKind.Scratch => [new("", Untrained)], _ => [new("", Features)] }, Data,
            Head(settings)), null, default);

    static HeadSettings Head(ReviewSettings? settings) => new((settings ?? Settings).Head, (settings ?? Settings).Seed);

    public async Task<Evaluated> EvaluateAsync(ReviewSettings? settings = null)
    {
        List<HeadsTrained> candidates = [];
        foreach (CandidateKind kind in new[] { CandidateKind.BagOfWords, CandidateKind.Scratch, CandidateKind.Transfer }) candidates.Add(await TrainAsync(kind, settings));
        return await new EvaluateStep(new StepMemo(Store)).RunAsync(new EvaluateInput(Data, candidates, [new("", Features)], Head(settings), Files), null, default);
    }

    public async Task<HeldOutPredictions> HeldAsync(HeadsTrained trained) => HeldOutPredictions.Parse(await Store.ReadAsync(trained.Predictions, default));

    static byte[] Bytes(List<float> values) => MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(values)).ToArray();

    static double Normal(Random random) => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
