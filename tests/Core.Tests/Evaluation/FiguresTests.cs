using CsCheck;
using Scion.Evaluation;
using Scion.Heads;

namespace Scion.Tests.Evaluation;

public sealed class FiguresTests
{
    // Newcombe 1998, Statistics in Medicine 17:857, table I, method 3: 81/263, 15/148, 0/20, 1/29.
    [Theory]
    [InlineData(81, 263, 0.2553, 0.3662)]
    [InlineData(15, 148, 0.0624, 0.1605)]
    [InlineData(0, 20, 0, 0.1611)]
    [InlineData(1, 29, 0.0061, 0.1718)]
    public void Wilson_PublishedExamples_HasTheirInterval(int right, int of, double low, double high)
    {
        Figure figure = Wilson.Interval(right, of);

        Assert.Equal((double)right / of, figure.Value, 1e-12);
        Assert.Equal(low, figure.Low, 5e-5);
        Assert.Equal(high, figure.High, 5e-5);
    }

    [Fact]
    public void Wilson_NoRows_KnowsNothing() => Assert.Equal(new Figure(0, 0, 1), Wilson.Interval(0, 0));

    [Fact]
    public void McNemar_AnySplit_IsTheSumOfTheBinomialTails() => Gen.Int[0, 40].Select(Gen.Int[0, 40]).Sample((won, lost) =>
    {
        double p = McNemar.ExactP(won, lost);

        int n = won + lost;
        double Choose(int k) => Enumerable.Range(1, k).Aggregate(1.0, (product, i) => product * (n - k + i) / i);
        double atLeastAsUneven = Enumerable.Range(0, n + 1).Where(k => Math.Abs((2 * k) - n) >= Math.Abs(won - lost)).Sum(k => Choose(k) / Math.Pow(2, n));
        Assert.Equal(atLeastAsUneven, p, 1e-9);
    });

    [Theory]
    [InlineData(9, 1, "better")]
    [InlineData(1, 9, "worse")]
    [InlineData(5, 0, "cannot tell")]
    [InlineData(6, 0, "better")]
    [InlineData(0, 0, "cannot tell")]
    public void McNemar_Rows_HasItsVerdict(int won, int lost, string verdict)
    {
        bool[] first = [.. Enumerable.Repeat(true, won), .. Enumerable.Repeat(false, lost), true, false];
        bool[] second = [.. Enumerable.Repeat(false, won), .. Enumerable.Repeat(true, lost), true, false];

        PairedTest test = McNemar.Compare("a", "b", first, second);

        Assert.Equal((won, lost, verdict), (test.OnlyFirstRight, test.OnlySecondRight, test.Verdict));
    }

    [Fact]
    public void Measure_HandComputedConfusion_HasItsFigures()
    {
        int[] truth = [0, 0, 0, 0, 1, 1, 1, 2, 2, 2], said = [0, 0, 0, 1, 1, 1, 0, 2, 0, 1];
        float[] logits = [.. said.SelectMany(c => new[] { c == 0 ? 1f : 0, c == 1 ? 1f : 0, c == 2 ? 1f : 0 })];

        ModelMetrics metrics = ClassificationMetrics.Measure("m", Votes.Of(new HeldOutPredictions([.. Enumerable.Range(0, 10)], new int[10], logits, 3), truth, 1), ["a", "b", "c"], 1);

        Assert.Equal([[3, 1, 0], [1, 2, 0], [1, 1, 1]], metrics.Confusion);
        Assert.Equal(0.6, metrics.Accuracy.Value, 1e-12);
        Assert.Equal([3 / 5.0, 2 / 4.0, 1], metrics.Classes.Select(c => c.Precision.Value));
        Assert.Equal([3 / 4.0, 2 / 3.0, 1 / 3.0], metrics.Classes.Select(c => c.Recall.Value));
        Assert.Equal([6 / 9.0, 4 / 7.0, 2 / 4.0], metrics.Classes.Select(c => c.F1.Value), (a, b) => Math.Abs(a - b) < 1e-12);
        Assert.Equal(((6 / 9.0) + (4 / 7.0) + 0.5) / 3, metrics.MacroF1.Value, 1e-12);
        double right = -Math.Log(Math.E / (Math.E + 2)), wrong = -Math.Log(1 / (Math.E + 2));
        Assert.Equal((6 * right + 4 * wrong) / 10, metrics.LogLoss!.Value, 1e-6);
    }

    [Fact]
    public void Votes_Repeats_CountEachRowOnce()
    {
        // Row 3 is right in 2 of 3 repeats, row 5 in 1 of 3.
        HeldOutPredictions held = new([3, 5, 3, 5, 3, 5], [0, 0, 1, 1, 2, 2], [1, 0, 1, 0, 1, 0, 0, 1, 0, 1, 1, 0], 2);
        int[] labels = [9, 9, 9, 0, 9, 1];

        Votes votes = Votes.Of(held, labels, 1);
        ModelMetrics metrics = ClassificationMetrics.Measure("m", votes, ["a", "b"], 1);

        Assert.Equal(2, metrics.Rows);
        Assert.Equal(0.5, metrics.Accuracy.Value, 1e-12);
        Assert.Equal(Wilson.Interval(1, 2), metrics.Accuracy);
        Assert.Equal([[1, 0], [1, 0]], metrics.Confusion);
        Assert.Equal([true, false], votes.Right());
    }

    [Fact]
    public void Calibration_ConfidenceAboveTheShareRight_IsTheirGap()
    {
        (double, bool)[] predictions = [.. Enumerable.Range(0, 100).Select(i => (0.9, i % 2 == 0))];

        Assert.Equal(0.4, Votes.Calibration(predictions), 1e-9);
        Assert.Equal(0, Votes.Calibration([.. Enumerable.Range(0, 100).Select(i => (0.5, i % 2 == 0))]), 1e-9);
    }

    [Fact]
    public void Temperature_AnyLogits_IsTheBestOfAFineGrid() => Gen.Float[-4, 4].Array[3 * 12].Select(Gen.Int[0, 2].Array[12], Gen.Bool).Sample((logits, truth, cautious) =>
    {
        (double temperature, double loss) = TemperatureScaling.Fit(logits, truth, 3, cautious);

        int present = truth.Distinct().Count();
        double Target(int row, int c)                                    // Platt's, of a class that has n rows
        {
            int n = truth.Count(other => other == truth[row]);
            return cautious ? (truth[row] == c ? n + 1.0 : 1) / (n + 3) : truth[row] == c ? 1 : 0;
        }
        double RowLoss(int row, double t) => Enumerable.Range(0, 3).Sum(c => Target(row, c)
            * (Math.Log(Enumerable.Range(0, 3).Sum(k => Math.Exp(logits[(row * 3) + k] / t))) - (logits[(row * 3) + c] / t)));
        double Loss(double log) => (Enumerable.Range(0, 12).Sum(row => 12.0 / (present * truth.Count(c => c == truth[row])) * RowLoss(row, Math.Exp(log)))
            + (log * log / 2)) / 12;
        double best = Enumerable.Range(-3500, 7001).Select(i => i / 1000.0).MinBy(Loss);
        Assert.Equal(Loss(best), loss, 1e-6);
        Assert.Equal(loss, Loss(Math.Log(temperature)), 1e-6);
    }, iter: 100);

    [Fact]
    public void Temperature_ManyOverconfidentRows_IsTheirFactor()
    {
        Random random = new(1);
        List<float> logits = [];
        List<int> truth = [];
        for (int i = 0; i < 20_000; i++)
        {
            double z = (random.NextDouble() * 6) - 3;
            truth.Add(random.NextDouble() < 1 / (1 + Math.Exp(-z)) ? 1 : 0);
            logits.AddRange([0, (float)(4 * z)]);
        }

        foreach (bool cautious in new[] { false, true })
        {
            Assert.Equal(4, TemperatureScaling.Fit([.. logits], [.. truth], 2, cautious).Temperature, 0.2);
            Assert.Equal((1.0, 0.0), TemperatureScaling.Fit([], [], 2, cautious));
        }
    }

    [Theory]
    [InlineData(4, 10f, 0.92)]          // Platt's target is 5/6; the prior moves it towards T = 1
    [InlineData(4, 0.01f, 0.84)]
    [InlineData(500, 10f, 0.9985)]      // 501/502
    public void Temperature_AFewRowsAllRight_DoesNotMakeTheModelSureOfEverything(int perClass, float margin, double most)
    {
        float[] logits = [.. Enumerable.Range(0, 2 * perClass).SelectMany(row => row % 2 == 0 ? new[] { margin, 0 } : [0, margin])];
        int[] truth = [.. Enumerable.Range(0, 2 * perClass).Select(row => row % 2)];

        double temperature = TemperatureScaling.Fit(logits, truth, 2, cautious: true).Temperature;

        double score = 1 / (1 + Math.Exp(-margin / temperature));
        Assert.InRange(score, 0.5, most);
        Assert.True(TemperatureScaling.Fit(logits, truth, 2, cautious: false).Temperature <= temperature);
    }

    [Fact]
    public void F1_Intervals_CoverTheTruthAboutAsOftenAsTheySay()
    {
        // True shares of (truth, said): macro-F1 is known. 60 rows a sample.
        double[] cells = [0.4, 0.1, 0.15, 0.35];
        double truth = ((2 * 0.4 / (0.5 + 0.55)) + (2 * 0.35 / (0.5 + 0.45))) / 2;
        Random random = new(2);
        int covered = 0;
        for (int sample = 0; sample < 300; sample++)
        {
            double[] counts = new double[4];
            for (int row = 0; row < 60; row++)
            {
                double u = random.NextDouble();
                counts[u < 0.4 ? 0 : u < 0.5 ? 1 : u < 0.65 ? 2 : 3]++;
            }
            Figure macro = ClassificationMetrics.F1(counts, 2, seed: sample).Macro;
            if (macro.Low <= truth && truth <= macro.High) covered++;
        }

        Assert.InRange(covered / 300.0, 0.92, 0.98);
    }

    [Fact]
    public void Accuracy_CrossValidationOfFewRows_CoversWhatSuchHeadsReach()
    {
        // Two clouds; the truth is the mean accuracy, on fresh rows, of heads trained on nine tenths of samples of this size.
        const int rows = 30;
        Random random = new(4);
        int covered = 0, fits = 0;
        double reached = 0;
        List<Figure> figures = [];
        for (int sample = 0; sample < 100; sample++)
        {
            (float[] values, int[] labels) = Sample(rows + 400, random);
            DenseFeatures features = new(values, 3);
            int[] all = [.. Enumerable.Range(0, rows)];
            double right = 0;
            for (int repeat = 0; repeat < 5; repeat++)
                foreach (int[] fold in TrainHeadsStep.CrossValidationFolds(all, labels, 2, 1, repeat))
                {
                    WideHead head = new(NearestMean.Fit(features, [.. all.Except(fold)], labels, 2));
                    right += fold.Count(row => Right(head, features, labels, row)) / 5.0;
                    if (repeat > 0) continue;
                    reached += Enumerable.Range(rows, 400).Average(row => Right(head, features, labels, row) ? 1.0 : 0);
                    fits++;
                }
            figures.Add(Wilson.Interval(right, rows));
        }
        reached /= fits;
        covered = figures.Count(figure => figure.Low <= reached && reached <= figure.High);

        Assert.InRange(covered, 90, 100);

        static (float[] Values, int[] Labels) Sample(int n, Random random)
        {
            int[] labels = [.. Enumerable.Range(0, n).Select(i => i % 2)];
            return ([.. Enumerable.Range(0, n * 3).Select(i => (float)(Normal(random) + (i % 3 == 0 && labels[i / 3] == 1 ? 1.5 : 0)))], labels);
        }

        static bool Right(WideHead head, DenseFeatures features, int[] labels, int row)
        {
            float[] logits = new float[2];
            head.Logits(features, row, logits);
            return HeldOutPredictions.Largest(logits) == labels[row];
        }
    }

    [Theory]
    [InlineData(8, 0.12)]
    [InlineData(30, 0.08)]
    [InlineData(200, 0.07)]
    public void Threshold_NewRowsOfTheSameKind_AbstainsRarely(int rows, double most)
    {
        Random random = new(5);
        int below = 0, of = 0;
        for (int sample = 0; sample < 60; sample++)
        {
            float[] values = [.. Enumerable.Range(0, rows + 20).SelectMany(_ => Unit(random))];
            DenseFeatures features = new(values, 5);
            double threshold = NearestTraining.Threshold(features, [.. Enumerable.Range(0, rows)], default);
            for (int row = rows; row < rows + 20; row++, of++)
                if (Enumerable.Range(0, rows).Max(train => features.Dot(train, features.Row(row))) < threshold) below++;
        }

        Assert.InRange(below / (double)of, 0.005, most);

        static float[] Unit(Random random)
        {
            double[] v = [.. Enumerable.Range(0, 5).Select(d => Normal(random) + (d == 0 ? 2 : 0))];
            double norm = Math.Sqrt(v.Sum(x => x * x));
            return [.. v.Select(x => (float)(x / norm))];
        }
    }

    static double Normal(Random random) => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
