using System.Runtime.Intrinsics;
using CsCheck;
using Scion.Text;

namespace Scion.Tests.Text;

public sealed unsafe class SkipGramBlockTests
{
    static readonly EmbeddingOptions Options = new(SkipGramLoss.NegativeSampling, Dim: 20, Window: 5, Negatives: 5, Epochs: 2,
        MinCount: 1, Subsample: 0, Rate: 0.05, LinearDecay: false, Threads: 1, Seed: 7);

    /// <summary>Texts of topics: a word's topic is its number modulo the topics, and most words of a text are of one.</summary>
    static (TokenCorpus Corpus, Vocabulary Vocabulary) Topics(int texts, int length, int words, int topics, int seed)
    {
        Random random = new(seed);
        int[][] drawn = [.. Enumerable.Range(0, texts).Select(t => Enumerable.Range(0, 1 + random.Next(2 * length)).Select(_ =>
        {
            int word = (int)(words * random.NextDouble() * random.NextDouble());                  // some words are frequent
            return random.NextDouble() < 0.8 ? Math.Min(words - 1, word - (word % topics) + (t % topics)) : word;
        }).ToArray())];
        Dictionary<string, long> counts = drawn.SelectMany(text => text).CountBy(word => $"w{word}").ToDictionary(c => c.Key, c => (long)c.Value);
        Vocabulary vocabulary = Vocabulary.Of(counts, 1);
        TokenCorpus.Builder corpus = new(vocabulary);
        foreach (int[] text in drawn) corpus.Add(string.Join(' ', text.Select(word => $"w{word}")));
        return (corpus.Build(), vocabulary);
    }

    /// <summary>A training with vectors of one width, on a machine of any.</summary>
    static double[] Train<L, V>(TokenCorpus corpus, Vocabulary vocabulary, EmbeddingOptions options) where L : struct, ISimdLanes<V> where V : struct
    {
        int width = SkipGramBlockKernel.Padded(options.Dim, L.Count);
        using PaddedRows input = new(vocabulary.Count, options.Dim, width), output = new(vocabulary.Count, options.Dim, width);
        SkipGramTrainer.Start(input.Numbers, output.Numbers, vocabulary.Count, width, options);
        SkipGramReader reader = new(corpus, options, null, NoiseSampler.ByCount(vocabulary.Counts), vocabulary.Count, 0);
        using SkipGramBlock block = new(reader.Span, SkipGramReader.NoiseWords(options), width);
        for (int epoch = 0; epoch < options.Epochs; epoch++)
            for (int text = 0; text < corpus.Texts;)
            {
                reader.Read(ref text, corpus.Texts, Math.Clamp((long)corpus.Count * options.Epochs / 64, 1, 4096));
                for (int pairs; (pairs = reader.Next(block, input.Address, output.Address)) >= 0;)
                    if (pairs > 0) SkipGramBlockKernel.Step<L, V>(block, (float)options.Rate, false);
            }
        return [.. input.Packed().Select(x => (double)x)];
    }

    [Fact]
    public void Step_VectorsOfAnyWidth_EqualsTheOracle() =>
        Gen.Select(Gen.Int[1, 40], Gen.Int[1, 9], Gen.Int[1, 12], Gen.Int[2, 60], Gen.Int).Sample((dim, window, negatives, words, seed) =>
        {
            (TokenCorpus corpus, Vocabulary vocabulary) = Topics(8, 12, words, 2, seed);
            EmbeddingOptions options = Options with { Dim = dim, Window = window, Negatives = negatives, Seed = seed, Rate = 0.02 };
            double[] expected = [.. PlainSkipGramBlocks.Train(corpus, vocabulary, options).Model.Input.SelectMany(row => row)];

            double[] wide = Train<Lanes512, Vector512<float>>(corpus, vocabulary, options), half = Train<Lanes256, Vector256<float>>(corpus, vocabulary, options);
            foreach (double[] actual in (double[][])[wide, half, Train<Lanes128, Vector128<float>>(corpus, vocabulary, options)])
                for (int i = 0; i < expected.Length; i++) Assert.Equal(expected[i], actual[i], 5e-4 * Math.Max(1, Math.Abs(expected[i])));
        }, iter: 30);

    [Fact]
    public void Pushes_AnyLogit_AreTheSigmoidToSevenDigits()
    {
        Widths<Lanes512, Vector512<float>>();
        Widths<Lanes256, Vector256<float>>();
        Widths<Lanes128, Vector128<float>>();

        static void Widths<L, V>() where L : struct, ISimdLanes<V> where V : struct
        {
            float[] logits = [.. Enumerable.Range(0, 16_000).Select(i => ((i - 8000) / 100f) + 0.003f)], sigmoids = [.. logits];
            fixed (float* start = sigmoids) SkipGramBlockKernel.Pushes<L, V>(start, null, sigmoids.Length, 1, 2);
            for (int i = 0; i < logits.Length; i++) Assert.Equal(1, sigmoids[i] / (2 / (1 + Math.Exp(-(double)logits[i]))), 5e-6);
            float[] far = [.. new float[8].Select((_, i) => i % 2 == 0 ? 1e30f : -1e30f), .. new float[8]];
            fixed (float* start = far) SkipGramBlockKernel.Pushes<L, V>(start, null, 8, 1, 1);
            for (int i = 0; i < 8; i++) Assert.Equal(i % 2 == 0 ? 1 : 0, far[i], 1e-30);
        }
    }

    // What a pair meets: its noise words weigh as many as were asked for, less those left out because they are the word told.
    [Fact]
    public void Next_EveryInput_MeetsSoManyNoiseWordsAPair()
    {
        (TokenCorpus corpus, Vocabulary vocabulary) = Topics(200, 20, 4000, 2, 1);
        SkipGramReader reader = new(corpus, Options, null, NoiseSampler.ByCount(vocabulary.Counts), vocabulary.Count, 0);
        using PaddedRows rows = new(vocabulary.Count, 16, 16);
        using SkipGramBlock block = new(reader.Span, SkipGramReader.NoiseWords(Options), 16);
        int text = 0;
        long words = reader.Read(ref text, corpus.Texts, long.MaxValue), inputs = 0, pairs = 0;
        double weights = 0;

        for (int of; (of = reader.Next(block, rows.Address, rows.Address)) >= 0;)
        {
            pairs += of;
            for (int i = 0; i < block.InputCount; i++) inputs += block.Inputs[i] == block.Zero ? 0 : 1;
            for (int c = 0; of > 0 && c < block.InputCount * block.NoiseCount; c++) weights += block.Weights[c];
        }

        Assert.Equal((corpus.Count, corpus.Count), (words, inputs));
        Assert.InRange(weights / pairs, 4.97, 5);
        Assert.InRange(pairs / (double)words, 5, 6);                  // spans of 1 to 5, cut at the ends of texts
    }

    [Fact]
    public void ReadingAndStepping_Repeated_AllocatesNothing()
    {
        (TokenCorpus corpus, Vocabulary vocabulary) = Topics(100, 20, 500, 2, 1);
        SkipGramReader reader = new(corpus, Options, null, NoiseSampler.ByCount(vocabulary.Counts), vocabulary.Count, 0);
        using PaddedRows input = new(vocabulary.Count, 20, 32), output = new(vocabulary.Count, 20, 32);
        using SkipGramBlock block = new(reader.Span, SkipGramReader.NoiseWords(Options), 32);
        Pass();
        long before = GC.GetAllocatedBytesForCurrentThread();

        Pass();

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Pass()
        {
            int text = 0;
            reader.Read(ref text, corpus.Texts, long.MaxValue);
            for (int pairs; (pairs = reader.Next(block, input.Address, output.Address)) >= 0;)
                if (pairs > 0) SkipGramBlockKernel.Step(block, 0.05f, true);
        }
    }

    [Fact]
    public void Train_Allocates_TheVectorsAndAFewBytesAWord()
    {
        (TokenCorpus corpus, Vocabulary vocabulary) = Topics(2000, 20, 20_000, 2, 1);
        EmbeddingOptions options = Options with { Dim = 100, Subsample = 1e-4, Epochs = 1 };
        new SkipGramTrainer().Train(corpus, vocabulary, options, null, default);
        long before = GC.GetAllocatedBytesForCurrentThread();

        new SkipGramTrainer().Train(corpus, vocabulary, options, null, default);

        // 400 bytes a word are the vectors; noise takes 20, thinning 4, the reader 2, and 100 KB at first. The two tables lie outside the collected heap.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 400L * vocabulary.Count, (430L * vocabulary.Count) + 300_000);
    }

    // The algorithm differs from the plain one (a pair at a time, noise for each), so it is held to the plain one's own spread over seeds: similarities rank as alike, and topics part as well.
    [Fact]
    public void Train_BesideThePlainAlgorithm_RanksSimilaritiesAsItsOwnOtherSeedDoes()
    {
        (TokenCorpus corpus, Vocabulary vocabulary) = Topics(2500, 16, 300, 3, 5);
        EmbeddingOptions options = Options with { Dim = 24, Epochs = 4, LinearDecay = true, Subsample = 1e-2 };
        float[] Plain(int seed) => [.. PlainSkipGram.TrainPairs(corpus, vocabulary, options with { Seed = seed }).Input.SelectMany(row => row.Select(x => (float)x))];
        float[] Blocks(int seed) => new SkipGramTrainer().Train(corpus, vocabulary, options with { Seed = seed }, null, default).Vectors;
        float[] plain = Plain(1), other = Plain(2), blocks = Blocks(3);

        double ours = RankCorrelation(plain, blocks, 24), own = RankCorrelation(plain, other, 24), parted = Parted(vocabulary, blocks, 24), plainParted = Parted(vocabulary, plain, 24);

        Assert.True(ours > own - 0.03, $"rank correlation with the plain algorithm {ours:F3}, of its two seeds {own:F3}");
        Assert.True(parted > plainParted - 0.03, $"topics part by {parted:F3}, the plain algorithm's by {plainParted:F3}");
    }

    static double[] Cosines(float[] vectors, int dim)
    {
        int words = Math.Min(150, vectors.Length / dim);
        List<double> cosines = [];
        for (int a = 0; a < words; a++)
            for (int b = 0; b < a; b++) cosines.Add(System.Numerics.Tensors.TensorPrimitives.CosineSimilarity(vectors.AsSpan(a * dim, dim), vectors.AsSpan(b * dim, dim)));
        return [.. cosines];
    }

    static double RankCorrelation(float[] a, float[] b, int dim)
    {
        double[] x = Ranks(Cosines(a, dim)), y = Ranks(Cosines(b, dim));
        double mean = (x.Length - 1) / 2.0;
        return x.Zip(y, (p, q) => (p - mean) * (q - mean)).Sum() / x.Sum(p => (p - mean) * (p - mean));
    }

    static double[] Ranks(double[] values)
    {
        double[] ranks = new double[values.Length];
        int rank = 0;
        foreach (int i in Enumerable.Range(0, values.Length).OrderBy(i => values[i])) ranks[i] = rank++;
        return ranks;
    }

    /// <summary>Mean cosine of two words of one topic, less that of two words of different ones.</summary>
    static double Parted(Vocabulary vocabulary, float[] vectors, int dim)
    {
        double[] cosines = Cosines(vectors, dim);
        List<double> same = [], different = [];
        for (int a = 0, at = 0; at < cosines.Length; a++)
            for (int b = 0; b < a; b++) (Topic(a) == Topic(b) ? same : different).Add(cosines[at++]);
        return same.Average() - different.Average();

        int Topic(int id) => int.Parse(vocabulary.Words[id][1..], System.Globalization.CultureInfo.InvariantCulture) % 3;
    }
}
