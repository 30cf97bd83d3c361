using CsCheck;
using Scion.Datasets;
using Scion.Demo;
using Scion.Faults;
using Scion.Pipelines;
using Scion.Text;

namespace Scion.Tests.Text;

public sealed class SkipGramTrainerTests
{
    static readonly EmbeddingOptions Plain = new(SkipGramLoss.NegativeSampling, Dim: 12, Window: 3, Negatives: 5, Epochs: 4,
        MinCount: 1, Subsample: 1e-2, Rate: 0.05, LinearDecay: true, Threads: 1, Seed: 7);

    static readonly EmbeddingOptions Nce = Plain with { Loss = SkipGramLoss.Nce, Dim = 4, Window = 0, Negatives = 16, Subsample = 0, Rate = 0.3, LinearDecay = false };

    /// <summary>Texts of two topics: words of one stand together, never with the other's.</summary>
    static string[] Topics(int texts, int seed)
    {
        Random random = new(seed);
        return [.. Enumerable.Range(0, texts).Select(t => string.Join(' ', Enumerable.Range(0, 8).Select(_ => $"{(t % 2 == 0 ? "red" : "blue")}{random.Next(10)}")))];
    }

    static (TokenCorpus Corpus, Vocabulary Vocabulary) Read(IEnumerable<string> texts)
    {
        Vocabulary vocabulary = Vocabulary.Of(texts.SelectMany(Tokenizer.Words).CountBy(word => word).ToDictionary(c => c.Key, c => (long)c.Value), 1);
        TokenCorpus.Builder corpus = new(vocabulary);
        foreach (string text in texts) corpus.Add(text);
        return (corpus.Build(), vocabulary);
    }

    [Fact]
    public void Train_AnySmallCorpus_EqualsTheOracleThatDrawsTheSameNumbers() =>
        Gen.Select(Gen.Bool, Gen.Int[1, 20], Gen.Int[0, 6], Gen.Int[1, 20], Gen.Int[1, 12], Gen.Int).Sample((nce, dim, window, negatives, words, seed) =>
        {
            Random random = new(seed);
            (TokenCorpus corpus, Vocabulary vocabulary) = Read(Enumerable.Range(0, 12).Select(_ =>
                string.Join(' ', Enumerable.Range(0, 1 + random.Next(15)).Select(_ => $"w{random.Next(words)}"))));
            EmbeddingOptions options = (nce ? Nce : Plain) with { Dim = dim, Window = window, Negatives = negatives, Seed = seed };

            TrainedVectors trained = new SkipGramTrainer().Train(corpus, vocabulary, options, null, default);

            (PlainSkipGram oracle, double loss) = nce ? PlainSkipGram.Train(corpus, vocabulary, options) : PlainSkipGramBlocks.Train(corpus, vocabulary, options);
            if (double.IsNaN(loss)) loss = 0;                     // no word had a neighbour
            Assert.Equal(loss, trained.Loss, 1e-4 * Math.Max(1, loss));
            double[] expected = [.. oracle.Input.SelectMany(row => row)];
            for (int i = 0; i < expected.Length; i++) Assert.Equal(expected[i], trained.Vectors[i], 2e-4 * Math.Max(1, Math.Abs(expected[i])));
        }, iter: 60);

    [Fact]
    public void Train_LargeEnoughForBatchedDecay_EqualsTheOracle()
    {
        (TokenCorpus corpus, Vocabulary vocabulary) = Read(Topics(1100, 4));
        EmbeddingOptions options = Plain with { Epochs = 30, Dim = 4, Negatives = 2, Window = 1, Rate = 0.02 };

        TrainedVectors trained = new SkipGramTrainer().Train(corpus, vocabulary, options, null, default);

        (PlainSkipGram oracle, double loss) = PlainSkipGramBlocks.Train(corpus, vocabulary, options);
        Assert.InRange((long)corpus.Count * options.Epochs, 4096 * 64, long.MaxValue);
        Assert.Equal(loss, trained.Loss, 1e-3);
        Assert.InRange(oracle.Input.SelectMany(row => row).Zip(trained.Vectors, (a, b) => Math.Abs(a - b)).Max(), 0, 0.02);
    }

    [Theory]
    [InlineData(SkipGramLoss.NegativeSampling)]
    [InlineData(SkipGramLoss.Nce)]
    public void Train_OneThreadTwice_GivesTheSameBits(SkipGramLoss loss)
    {
        (TokenCorpus corpus, Vocabulary vocabulary) = Read(Topics(40, 1));
        EmbeddingOptions options = loss == SkipGramLoss.Nce ? Nce : Plain;

        TrainedVectors first = new SkipGramTrainer().Train(corpus, vocabulary, options, null, default), second = new SkipGramTrainer().Train(corpus, vocabulary, options, null, default);

        Assert.True(first.Reproducible);
        Assert.Equal(first.Vectors, second.Vectors);
        Assert.Equal(first.Loss, second.Loss);
        Assert.NotEqual(first.Vectors, new SkipGramTrainer().Train(corpus, vocabulary, options with { Seed = 8 }, null, default).Vectors);
    }

    [Fact]
    public void Train_SeveralThreads_LearnsAsWellAndSaysItIsNotReproducible()
    {
        (TokenCorpus corpus, Vocabulary vocabulary) = Read(Topics(2000, 2));
        EmbeddingOptions options = Plain with { Epochs = 5 };

        TrainedVectors one = new SkipGramTrainer().Train(corpus, vocabulary, options, null, default);
        TrainedVectors four = new SkipGramTrainer().Train(corpus, vocabulary, options with { Threads = 4 }, null, default);

        Assert.False(four.Reproducible);
        Assert.Equal(one.Loss, four.Loss, 0.05 * one.Loss);
        Assert.Equal(1.0, TopicAgreement(vocabulary, one.Vectors, 12));
        Assert.Equal(1.0, TopicAgreement(vocabulary, four.Vectors, 12));
    }

    /// <summary>Share of words whose five nearest words are of their own topic.</summary>
    static double TopicAgreement(Vocabulary vocabulary, float[] vectors, int dim) =>
        vocabulary.Words.Average(word => NearestWords.Of(vocabulary, vectors, dim, word, 5).All(near => near.Word[0] == word[0]) ? 1.0 : 0);

    [Fact]
    public void Train_MoreThreadsThanTexts_Trains()
    {
        (TokenCorpus corpus, Vocabulary vocabulary) = Read(["one two three", "two three four"]);

        TrainedVectors trained = new SkipGramTrainer().Train(corpus, vocabulary, Plain with { Threads = 16, Subsample = 0 }, null, default);

        Assert.Equal(vocabulary.Count * 12, trained.Vectors.Length);
        Assert.True(trained.Loss > 0);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Train_RateTooHigh_IsRefusedAsDiverged(int threads)
    {
        (TokenCorpus corpus, Vocabulary vocabulary) = Read(Topics(200, 3));

        InputRejectedException fault = Assert.Throws<InputRejectedException>(() =>
            new SkipGramTrainer().Train(corpus, vocabulary, Nce with { Rate = 1e6, Epochs = 50, Threads = threads }, null, default));

        Assert.Equal("T004: Training of word vectors diverged: a value is no longer finite (rate 1000000, 16 negatives, 50 epochs). Lower embedding.rate, for instance to a tenth.", fault.Message);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Train_Cancelled_Stops(int threads)
    {
        (TokenCorpus corpus, Vocabulary vocabulary) = Read(Topics(200, 3));
        using CancellationTokenSource source = new();
        Reports reports = new(_ => source.Cancel());

        Assert.ThrowsAny<OperationCanceledException>(() => new SkipGramTrainer().Train(corpus, vocabulary, Plain with { Epochs = 10_000, Threads = threads }, reports, source.Token));
    }

    [Fact]
    public void Train_Progress_CountsEveryWordOfEveryEpoch()
    {
        (TokenCorpus corpus, Vocabulary vocabulary) = Read(Topics(50, 3));
        List<StepProgress> seen = [];

        new SkipGramTrainer().Train(corpus, vocabulary, Plain, new Reports(seen.Add), default);

        Assert.Equal((50 * 8 * 4L, 50 * 8 * 4L), (seen[^1].Done, seen[^1].Total));
        Assert.Equal(seen.Select(report => report.Done).Order(), seen.Select(report => report.Done));
    }

    sealed class Reports(Action<StepProgress> report) : IProgress<StepProgress>
    {
        public void Report(StepProgress value) => report(value);
    }

    [Fact]
    public void Start_NegativeSampling_IsAsWord2vec()
    {
        float[] input = new float[5000 * 24], output = new float[input.Length];

        SkipGramTrainer.Start(input, output, 5000, 24, Plain with { Dim = 20 });

        float[] used = [.. input.Chunk(24).SelectMany(row => row[..20])];
        Assert.InRange(used.Max(), 0.0249f, 0.025f);
        Assert.InRange(used.Min(), -0.025f, -0.0249f);
        Assert.All(input.Chunk(24), row => Assert.All(row[20..], x => Assert.Equal(0, x)));
        Assert.All(output, x => Assert.Equal(0, x));
    }

    [Fact]
    public void Start_Nce_IsAsTheArticle()
    {
        float[] input = new float[20_000 * 8], output = new float[input.Length];

        SkipGramTrainer.Start(input, output, 20_000, 8, Nce with { Dim = 4 });

        float[] u = [.. input.Chunk(8).SelectMany(row => row[..4])], v = [.. output.Chunk(8).SelectMany(row => row[..4])];
        Assert.InRange(u.Max(), 0.999f, 1f);
        Assert.Equal(0, u.Average(), 0.01);
        Assert.Equal(1 / 3.0, u.Average(x => x * x), 0.01);
        Assert.InRange(v.Max(x => Math.Abs(x)), 0.99f, 1f);                  // two deviations of 1/√4
        Assert.Equal(0, v.Average(), 0.01);
        Assert.Equal(0.25 * 0.774, v.Average(x => x * x), 0.003);            // variance of a normal cut at two deviations: 0.774 of it
    }

    [Theory]
    [InlineData("default")]
    [InlineData("article")]
    public void Train_TheDemosReviews_PutsPraiseNearPraise(string preset)
    {
        string[] texts = [.. DemoReviews.Read().Select(review => review.Text)];
        (TokenCorpus corpus, Vocabulary vocabulary) = Read(texts);
        EmbeddingOptions options = EmbeddingPresets.Resolve(new ReviewSettings { Preset = preset }, corpus.Count, 1);
        string[] praise = ["wonderful", "brilliant", "beautiful", "excellent", "superb", "moving", "funny"], blame = ["boring", "dull", "awful", "terrible", "stupid", "weak", "slow"];

        TrainedVectors trained = new SkipGramTrainer().Train(corpus, vocabulary, options, null, default);

        double Cosine(string a, string b) => NearestWords.Of(vocabulary, trained.Vectors, options.Dim, a, vocabulary.Count).Single(near => near.Word == b).Similarity;
        double same = praise.SelectMany(a => praise.Where(b => b != a).Select(b => Cosine(a, b))).Concat(blame.SelectMany(a => blame.Where(b => b != a).Select(b => Cosine(a, b)))).Average();
        double across = praise.SelectMany(a => blame.Select(b => Cosine(a, b))).Average();
        Assert.True(same > across + 0.2, $"mean cosine within praise and within blame {same:F3}, across {across:F3}");
    }
}
