using CsCheck;
using Scion.Heads;
using Scion.Onnx;
using Scion.Serving;
using Scion.Text;

namespace Scion.Tests.Heads;

public sealed class HeadSpaceTests
{
    static readonly string[] Texts = ["good good film", "a bad film", "good fun", "bad bad bad plot", "a fine good plot", "no words here but film"];

    static Vocabulary Words => new(["film", "good", "bad", "a", "plot", "fun"], [3, 4, 5, 2, 2, 1]);

    static WordCounts Counted(int words = 6)
    {
        WordCounts counts = new(Words, Texts.Length, words);
        foreach (string text in Texts) counts.Add(text);
        return counts;
    }

    static DenseFeatures Features(int dim, int seed)
    {
        Random random = new(seed);
        return new DenseFeatures([.. Enumerable.Range(0, Texts.Length * dim).Select(_ => (float)random.NextDouble() - 0.4f)], dim);
    }

    // Row 0 has "good" twice and "film" once: by hand, 1 + ln(7 / (1 + min(6, count))) each.
    [Fact]
    public void ToFeatures_ARowWithARepeat_IsByTheFormula()
    {
        SparseFeatures features = Counted().ToFeatures(2, out int[] columns);

        double film = 1 + Math.Log(7.0 / 4), good = 1 + Math.Log(7.0 / 5), norm = Math.Sqrt((film * film) + (2 * good * good));
        double[] row = new double[features.Dim];
        features.AddTo(0, 1, row);
        Assert.Equal([0, 1, 2, 3, 4, 5], columns);
        Assert.Equal([2 * film / norm, 2 * 2 * good / norm, 0, 0, 0, 0], row.Select(value => Math.Round(value, 5)).Zip(row, (_, value) => value), (a, b) => Math.Abs(a - b) < 1e-6);
    }

    // Whatever was fitted, what is served says the same as what was fitted, of every row.
    [Theory]
    [InlineData(true, 1)]
    [InlineData(true, 3)]
    [InlineData(false, 1)]
    [InlineData(true, 0)]
    public void Unfold_AnyHead_GivesTheFittedLogits(bool spectral, double share) => Gen.Select(Gen.Int[0, 1000], Gen.Int[2, 4], Gen.Int[2, 400]).Sample((seed, classes, dim) =>
    {
        DenseFeatures stored = Features(dim, seed);
        float[] rows = [.. Enumerable.Range(0, stored.Rows).SelectMany(row => stored.Row(row).ToArray()).Select(value => (float)value)];
        HeadSpace space = new(stored, spectral ? FeatureSpectrum.Fit(rows, dim) : null, share > 0 ? Counted() : null, share);
        Random random = new(seed);
        LinearHead fitted = new([.. Enumerable.Range(0, classes * space.Matrix.Dim).Select(_ => (float)random.NextDouble() - 0.5f)], [.. Enumerable.Range(0, classes).Select(c => c / 10f)]);

        (LinearHead head, WordLexicon? lexicon) = space.Unfold(fitted);

        WideHead wide = new(fitted);
        float[] expected = new float[classes], found = new float[classes];
        for (int row = 0; row < Texts.Length; row++)
        {
            wide.Logits(space.Matrix, row, expected);
            head.Logits(rows.AsSpan(row * dim, dim), found);
            lexicon?.AddTo([.. Tokenizer.Words(Texts[row]).Select(word => Words.IdOf(word)).Where(id => id >= 0)], found);
            for (int c = 0; c < classes; c++) Assert.Equal(expected[c], found[c], 2e-3);
        }
    }, iter: 40);

    [Fact]
    public void Apply_ManyRows_HaveMeanZeroAndMeanSquareOneAndFallingVariances()
    {
        float[] rows = [.. Enumerable.Range(0, 500).SelectMany(row => new[] { row % 7 / 7f, row % 3 / 3f, row % 2 * 0.1f, 0.25f })];
        FeatureSpectrum spectrum = FeatureSpectrum.Parse(FeatureSpectrum.Fit(rows, 4).ToBytes());

        DenseFeatures turned = spectrum.Apply(new DenseFeatures(rows, 4));

        double[] mean = new double[4], square = new double[4];
        for (int row = 0; row < 500; row++)
            for (int axis = 0; axis < 4; axis++) (mean[axis], square[axis]) = (mean[axis] + (turned.Row(row)[axis] / 500), square[axis] + (turned.Row(row)[axis] * turned.Row(row)[axis] / 500));
        Assert.All(mean, value => Assert.Equal(0, value, 1e-5));
        Assert.Equal(1, square.Sum(), 1e-4);
        Assert.Equal(square.OrderDescending(), square);
    }

    // Power ½: an axis of a quarter of the variance comes out with a quarter of a quarter.
    [Fact]
    public void Apply_AxesOfDifferentVariance_AreScaledByItsRoot()
    {
        Random random = new(1);
        float[] rows = [.. Enumerable.Range(0, 4000).SelectMany(_ => new[] { (float)(random.NextDouble() - 0.5), (float)(random.NextDouble() - 0.5) / 2 })];

        DenseFeatures turned = FeatureSpectrum.Fit(rows, 2).Apply(new DenseFeatures(rows, 2));

        double[] variances = [.. Enumerable.Range(0, 2).Select(axis => Enumerable.Range(0, 4000).Average(row => turned.Row(row)[axis] * turned.Row(row)[axis]))];
        Assert.Equal(16, variances[0] / variances[1], 2.0);
    }

    [Fact]
    public void Fit_NoTextWithAKnownWord_LeavesFeaturesAsTheyAre()
    {
        FeatureSpectrum spectrum = FeatureSpectrum.Fit(new float[30], 3);

        Assert.Equal([1, 2, 3], spectrum.Apply(new DenseFeatures([1f, 2, 3], 3)).Row(0).ToArray());
    }

    // Ids beyond the lexicon, and padding, add nothing; ONNX Runtime and the plain sum agree.
    [Fact]
    public void HeadGraph_WithALexicon_ServesWhatThePlainSumSays()
    {
        const int Dim = 3, Encoded = 9;
        WordLexicon lexicon = WordLexicon.Parse(new WordLexicon([1, -1, 0.5f, 0.25f, -2, 3], [1, 4, 2.25f], 2).ToBytes());
        LinearHead head = new([0.5f, -1, 2, 1, 1, -0.5f], [0.1f, -0.2f]);
        SentenceEncoder encoder = new(new Vocabulary([.. Enumerable.Range(0, Encoded).Select(i => $"w{i}")], [.. Enumerable.Repeat(1L, Encoded)]), Dim,
            [.. Enumerable.Range(0, Encoded * Dim).Select(i => (i % 5) - 2f)], [.. Enumerable.Repeat(1f, Encoded)], []);
        using TextSessions sessions = new(Google.Protobuf.MessageExtensions.ToByteArray(TextEncoderGraph.Write(encoder)),
            Google.Protobuf.MessageExtensions.ToByteArray(HeadGraph.Write(head, 1.5, ["a", "b"], lexicon)), Encoded, Dim, 1.5, ["a", "b"]);

        foreach (int[] ids in new int[][] { [0, 2, 8], [1, 1, 0], [7, 8], [], [.. Enumerable.Repeat(2, 300)] })
        {
            float[] features = new float[Dim], logits = new float[2], probabilities = new float[2], expected = new float[2];
            sessions.Run(ids, features, logits, probabilities);
            head.Logits(features, expected);
            lexicon.AddTo(ids, expected);

            Assert.Equal(expected[0], logits[0], 1e-4);
            Assert.Equal(expected[1], logits[1], 1e-4);
        }
    }

    [Theory]
    [InlineData(EncoderSource.Default, 0.95, 0)]
    [InlineData(EncoderSource.Default, 0.5, 4)]
    [InlineData(EncoderSource.Continued, 0.95, 1)]
    [InlineData(EncoderSource.Own, 0.95, 3)]
    public void Handicap_OfAnEncoder_FollowsItsSourceAndTheWordsItLacks(EncoderSource source, double coverage, double expected) =>
        Assert.Equal(expected, EncoderPriors.Handicap(source, coverage), 1e-9);

    // With few rows the prior decides, with many the rows do.
    [Theory]
    [InlineData(4, 0)]
    [InlineData(200, 1)]
    public void FitBest_ARivalSomewhatBetter_WinsOnlyWithRowsEnough(int rows, int expected)
    {
        Random random = new(3);
        int[] labels = [.. Enumerable.Range(0, rows).Select(row => row % 2)];
        DenseFeatures Noisy(double signal) => new([.. labels.SelectMany(label => new[] { (float)((signal * ((2 * label) - 1)) + random.NextDouble() - 0.5), (float)random.NextDouble() })], 2);
        DenseFeatures weak = Noisy(0.05), strong = Noisy(0.3);

        (int chosen, _, _) = HeadSelection.FitBest([_ => weak, _ => strong], 0, [0, 6], [.. Enumerable.Range(0, rows)], labels, 2, "logistic", 1, 2, default);

        Assert.Equal(expected, chosen);
    }
}
