using CsCheck;
using Scion.Datasets;
using Scion.Faults;
using Scion.Text;

namespace Scion.Tests.Text;

public sealed class SentenceEncoderTests
{
    static (Vocabulary Vocabulary, float[] Vectors, string[] Texts) Any(int words, int dim, int texts, int seed)
    {
        Random random = new(seed);
        Vocabulary vocabulary = new([.. Enumerable.Range(0, words).Select(i => $"w{i}")], [.. Enumerable.Range(0, words).Select(i => 1000L / (i + 1))]);
        float[] vectors = [.. Enumerable.Range(0, words * dim).Select(i => (float)(random.NextDouble() - 0.5 + (i % dim == 0 ? 0.5 : 0)))];
        return (vocabulary, vectors, [.. Enumerable.Range(0, texts).Select(_ => string.Join(' ', Enumerable.Range(0, 1 + random.Next(9)).Select(_ => $"w{random.Next(words + 2)}")))]);
    }

    /// <summary>Arora et al. 2017 in double and plain loops: unit mean with weights a/(a + p), less its part along the directions, unit again.</summary>
    static double[] Encode(Vocabulary vocabulary, float[] vectors, int dim, string text, double a, double[][] directions)
    {
        double total = vocabulary.Counts.Sum();
        double[] mean = new double[dim];
        foreach (string word in text.Split(' '))
            if (vocabulary.IdOf(word) is >= 0 and int id)
                for (int j = 0; j < dim; j++) mean[j] += a / (a + (vocabulary.Counts[id] / total)) * vectors[(id * dim) + j];
        foreach (double[] direction in directions)
        {
            double along = mean.Zip(direction, (x, y) => x * y).Sum();
            for (int j = 0; j < dim; j++) mean[j] -= along * direction[j];
        }
        double norm = Math.Sqrt(mean.Sum(x => x * x));
        return norm == 0 ? mean : [.. mean.Select(x => x / norm)];
    }

    /// <summary>Right singular vectors of the rows by Jacobi rotations of their Gram matrix, largest first.</summary>
    static double[][] SingularVectors(double[][] rows, int dim)
    {
        double[,] g = new double[dim, dim], v = new double[dim, dim];
        for (int i = 0; i < dim; i++)
        {
            v[i, i] = 1;
            for (int j = 0; j < dim; j++) g[i, j] = rows.Sum(row => row[i] * row[j]);
        }
        for (int sweep = 0; sweep < 60; sweep++)
            for (int p = 0; p < dim; p++)
                for (int q = p + 1; q < dim; q++)
                {
                    if (Math.Abs(g[p, q]) < 1e-15) continue;
                    double theta = 0.5 * Math.Atan2(2 * g[p, q], g[q, q] - g[p, p]), c = Math.Cos(theta), s = Math.Sin(theta);
                    for (int k = 0; k < dim; k++) (g[k, p], g[k, q]) = ((c * g[k, p]) - (s * g[k, q]), (s * g[k, p]) + (c * g[k, q]));
                    for (int k = 0; k < dim; k++) (g[p, k], g[q, k]) = ((c * g[p, k]) - (s * g[q, k]), (s * g[p, k]) + (c * g[q, k]));
                    for (int k = 0; k < dim; k++) (v[k, p], v[k, q]) = ((c * v[k, p]) - (s * v[k, q]), (s * v[k, p]) + (c * v[k, q]));
                }
        return [.. Enumerable.Range(0, dim).OrderByDescending(i => g[i, i]).Select(i => Enumerable.Range(0, dim).Select(k => v[k, i]).ToArray())];
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void Fit_AnyVectors_EqualsTheOracleBySingularVectors(int components) => Gen.Select(Gen.Int[8, 14], Gen.Int[0, 1_000_000]).Sample((dim, seed) =>
    {
        (Vocabulary vocabulary, float[] vectors, string[] texts) = Any(12, dim, 200, seed);

        SentenceEncoder encoder = SentenceEncoderFit.Fit(vocabulary, dim, vectors, SentenceEncoderFit.Weights(vocabulary.Counts, 1e-2), texts, components);

        double[][] directions = [.. SingularVectors([.. texts.Select(text => Encode(vocabulary, vectors, dim, text, 1e-2, []))], dim).Take(components)];
        Assert.Equal(components * dim, encoder.Components.Length);
        float[] features = new float[dim];
        foreach (string text in texts.Take(20))
        {
            encoder.Encode(text, features);
            double[] expected = Encode(vocabulary, vectors, dim, text, 1e-2, directions);
            if (text.Split(' ').Any(word => vocabulary.IdOf(word) >= 0))
                for (int j = 0; j < dim; j++) Assert.Equal(expected[j], features[j], 5e-3);      // the second direction is found from what the first left
        }
    }, iter: 15);

    [Fact]
    public void Encode_NoKnownWord_IsAllZeroAndSaysSo()
    {
        (Vocabulary vocabulary, float[] vectors, string[] texts) = Any(10, 8, 50, 1);
        float[] features = [.. Enumerable.Repeat(7f, 8)];

        int known = SentenceEncoderFit.Fit(vocabulary, 8, vectors, texts).Encode("nothing of these", features);

        Assert.Equal(0, known);
        Assert.All(features, value => Assert.Equal(0, value));
    }

    [Fact]
    public void Encode_OrderCaseAndRepetition_ChangeNothing()
    {
        (Vocabulary vocabulary, float[] vectors, string[] texts) = Any(10, 8, 50, 1);
        SentenceEncoder encoder = SentenceEncoderFit.Fit(vocabulary, 8, vectors, texts);
        float[] once = new float[8], again = new float[8];

        encoder.Encode("w1 w2 w3", once);
        encoder.Encode("W3, w2; <b>w1</b> w1 w2 w3 unknown", again);

        for (int j = 0; j < 8; j++) Assert.Equal(once[j], again[j], 1e-5);
        Assert.Equal(1, once.Sum(x => x * x), 1e-5);
    }

    [Fact]
    public void Fit_ArticlesFourComponents_RemovesNone()
    {
        (Vocabulary vocabulary, float[] vectors, string[] texts) = Any(10, 4, 50, 1);

        Assert.Empty(SentenceEncoderFit.Fit(vocabulary, 4, vectors, texts).Components);
    }

    [Fact]
    public void Parse_OfToBytes_IsTheSameEncoder()
    {
        (Vocabulary vocabulary, float[] vectors, string[] texts) = Any(10, 8, 50, 1);
        SentenceEncoder encoder = SentenceEncoderFit.Fit(vocabulary, 8, vectors, texts);

        SentenceEncoder read = SentenceEncoder.Parse(encoder.ToBytes());

        Assert.Equal(encoder.ToBytes(), read.ToBytes());
        Assert.Equal(encoder.Vocabulary.Words, read.Vocabulary.Words);
        Assert.Equal(encoder.Vocabulary.Counts, read.Vocabulary.Counts);
    }

    [Theory]
    [InlineData("a\t1\nb")]
    [InlineData("\t1\n")]
    [InlineData("a\t-1\n")]
    [InlineData("a\t1\na\t2\n")]
    public void Vocabulary_DamagedLine_IsRefused(string text) =>
        Assert.Equal("T001", Assert.Throws<InputRejectedException>(() => Vocabulary.Parse(System.Text.Encoding.UTF8.GetBytes(text))).Code);

    [Fact]
    public void Resolve_EveryValueOutOfRange_NamesThemAll()
    {
        ReviewSettings settings = new()
        {
            Embedding = new EmbeddingOverrides { Dim = 0, Window = 65, Negatives = 0, Epochs = 0, MinCount = 0, Subsample = 2, Rate = 0, Threads = 0, Trainer = "gpu" },
        };

        InputRejectedException fault = Assert.Throws<InputRejectedException>(() => EmbeddingPresets.Resolve(settings, 1000, 2));

        Assert.Equal("T002: embedding.dim is 0; it must be 1 to 1024. embedding.window is 65; it must be 0 (the whole text) to 64. embedding.negatives is 0; it must be 1 to 64. "
            + "embedding.epochs is 0; it must be 1 to 10000. embedding.minCount is 0; it must be 1 to 1000000. embedding.subsample is 2; it must be 0 (never) to 1. "
            + "embedding.rate is 0; it must be above 0, to 10. embedding.trainer is 'gpu'; it must be 'cpu' or 'torch'. embedding.threads is 0; it must be 1 to 256. "
            + "Change these settings in dataset.json or with --set.", fault.Message);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(1_300)]
    [InlineData(150_000)]
    [InlineData(100_000_000)]
    [InlineData(long.MaxValue / 20_000)]
    public void Resolve_AnySizeOfCorpus_GivesSoundOptions(long tokens)
    {
        EmbeddingOptions options = EmbeddingPresets.Resolve(new ReviewSettings(), tokens, 2);

        Assert.InRange(options.Epochs, 5, 50);
        Assert.InRange(options.Subsample, 1e-4, 1);
        Assert.Equal(tokens * options.Epochs < 25_000_000 ? 1 : 2, options.Threads);
        Assert.Equal(options with { Seed = 9, Dim = 7 }, EmbeddingPresets.Resolve(new ReviewSettings { Seed = 9, Embedding = new EmbeddingOverrides { Dim = 7 } }, tokens, 2));
    }
}
