using CsCheck;
using Scion.Faults;
using Scion.Heads;

namespace Scion.Tests.Heads;

public sealed class HeadSelectionTests
{
    static SelectedHead Fit(FeatureMatrix features, int[] rows, int[] labels, int classes, string kind = "auto", int threads = 2) =>
        HeadSelection.Fit(_ => features, rows, labels, classes, kind, seed: 1, threads, default);

    [Fact]
    public void Folds_AnyRows_HoldOutEachRowOnceAndLeaveEveryClassARow() => Gen.Int[2, 4].SelectMany(classes =>
        Gen.Int[0, classes - 1].Array[classes, 40].Select(labels => (classes, labels))).Sample(problem =>
    {
        (int classes, int[] labels) = problem;
        int[] rows = [.. Enumerable.Range(0, labels.Length)];

        int[][] folds = StratifiedFolds.Of(rows, labels, classes, 5, seed: 3, stream: 1);

        Assert.Equal(rows.Where(row => labels.Count(c => c == labels[row]) > 1), folds.SelectMany(fold => fold).Order());
        Assert.All(folds, fold => Assert.NotEmpty(fold));
        foreach (int c in labels.Distinct())
        {
            int[] held = [.. folds.Select(fold => fold.Count(row => labels[row] == c))];
            Assert.True(held.Length == 0 || held.Max() - held.Min() <= 1);
            Assert.All(folds, fold => Assert.Contains(rows.Except(fold), row => labels[row] == c));
        }
    });

    [Fact]
    public void Fit_LabelsOfOtherRowsChanged_IsTheSame()
    {
        (DenseFeatures features, int[] labels) = LogisticRegressionTests.Clouds(60, 6, 2, seed: 1);
        int[] train = [.. Enumerable.Range(0, 40)], changed = [.. labels.Select((c, i) => i < 40 ? c : 1 - c)];

        SelectedHead one = Fit(features, train, labels, 2), two = Fit(features, train, changed, 2);

        Assert.Equal(one.Head.ToBytes(), two.Head.ToBytes());
        Assert.Equal(one.Validation, two.Validation);
        Assert.Equal(one.Temperature, two.Temperature);
    }

    [Fact]
    public void Fit_AnyNumberOfThreads_IsTheSame()
    {
        (DenseFeatures features, int[] labels) = LogisticRegressionTests.Clouds(80, 6, 3, seed: 2);
        int[] rows = [.. Enumerable.Range(0, 80)];

        SelectedHead one = Fit(features, rows, labels, 3, threads: 1), many = Fit(features, rows, labels, 3, threads: 8);

        Assert.Equal(one.Head.ToBytes(), many.Head.ToBytes());
        Assert.Equal(one.Validation, many.Validation);
    }

    [Fact]
    public void Fit_WordsOfAFold_AreLearnedWithoutTheRowsHeldOut()
    {
        List<int[]> learned = [];
        (DenseFeatures features, int[] labels) = LogisticRegressionTests.Clouds(30, 4, 2, seed: 4);
        int[] rows = [.. Enumerable.Range(0, 25)];

        HeadSelection.Fit(train => { lock (learned) learned.Add(train); return features; }, rows, labels, 2, "auto", 1, 1, default);

        Assert.Equal(StratifiedFolds.Most + 1, learned.Count);
        Assert.Equal(rows, learned[0]);                                  // what the head itself is fitted to
        Assert.All(learned.Skip(1), train => Assert.Equal(20, train.Length));
        Assert.All(rows, row => Assert.Single(learned.Skip(1), train => !train.Contains(row)));
    }

    [Fact]
    public void Fit_ManyRowsOfManyComponents_ValidatesAllAndFitsAll()
    {
        const int rows = 700, dim = 600;                                 // more than the rows that a choice is made on where each costs much
        Random random = new(7);
        int[] labels = [.. Enumerable.Range(0, rows).Select(row => row % 30)], all = [.. Enumerable.Range(0, rows)];
        float[] values = [.. Enumerable.Range(0, rows * dim).Select(i => (float)(((random.NextDouble() - 0.5) / 8) + (i % dim == labels[i / dim] ? 1 : 0)))];
        DenseFeatures features = new(values, dim);

        SelectedHead head = HeadSelection.Fit(_ => features, all, labels, 30, "nearest-mean", seed: 1, threads: 2, default);
        (int chosen, SelectedHead best, IReadOnlyList<(double Accuracy, double Loss)> accuracies) = HeadSelection.FitBest([_ => features, _ => features], 1, [], all, labels, 30, "nearest-mean", 1, 2, default);

        Assert.Equal(all, head.Validated);
        Assert.Equal(NearestMean.Fit(features, all, labels, 30).ToBytes(), head.Head.ToBytes());
        Assert.Equal((1, head.Temperature, head.Accuracy), (chosen, best.Temperature, best.Accuracy));
        Assert.Equal(2, accuracies.Count);
    }

    [Theory]
    [InlineData("logistic", "logistic")]
    [InlineData("nearest-mean", "nearest-mean")]
    public void Fit_KindSet_IsThatKind(string kind, string found)
    {
        (DenseFeatures features, int[] labels) = LogisticRegressionTests.Clouds(30, 4, 2, seed: 4);

        SelectedHead selected = Fit(features, [.. Enumerable.Range(0, 30)], labels, 2, kind);

        Assert.Equal(found, selected.Kind);
        Assert.Equal(kind == "nearest-mean", selected.Strength is null);
    }

    [Fact]
    public void Fit_UnknownKind_IsRefused()
    {
        (DenseFeatures features, int[] labels) = LogisticRegressionTests.Clouds(30, 4, 2, seed: 4);

        InputRejectedException fault = Assert.Throws<InputRejectedException>(() => Fit(features, [0, 1, 2, 3], labels, 2, "forest"));

        Assert.Equal("H004: head is 'forest'; 'auto', 'logistic' and 'nearest-mean' are known. Change head in dataset.json or with --set head=auto.", fault.Message);
    }

    [Fact]
    public void Fit_OneRowOfEachClass_TakesADefaultAndSaysNothingWasValidated()
    {
        (DenseFeatures features, int[] labels) = LogisticRegressionTests.Clouds(2, 4, 2, seed: 4);

        SelectedHead selected = Fit(features, [0, 1], labels, 2);

        Assert.Empty(selected.Validated);
        Assert.Equal((0.5, 1.0), (selected.Accuracy, selected.Temperature));
        Assert.All(selected.Head.Weights, weight => Assert.True(float.IsFinite(weight)));
    }

    [Fact]
    public void Fit_SignalOnlyInOneOfManyComponents_LearnsMoreThanNearestMean()
    {
        Random random = new(6);
        int[] labels = [.. Enumerable.Range(0, 600).Select(i => i % 2)];
        float[] values = [.. Enumerable.Range(0, 600 * 3).Select(i => i % 3 == 0
            ? (labels[i / 3] == 1 ? 0.3f : -0.3f) + (float)((random.NextDouble() - 0.5) / 2)
            : (float)((random.NextDouble() - 0.5) * 8 + (labels[i / 3] == 1 ? 0.3 : 0)))];

        SelectedHead selected = Fit(new DenseFeatures(values, 3), [.. Enumerable.Range(0, 600)], labels, 2);

        Assert.Equal("logistic", selected.Kind);
        Assert.InRange(selected.Accuracy, 0.98, 1);
    }

    [Fact]
    public void BagOfWords_MoreWordsThanItKeeps_KeepsThoseOfMostTrainingRows()
    {
        BagOfWords words = new(mostWords: 2);
        foreach (string text in new[] { "rare common also", "common also", "common other also", "test test test" }) words.Add(text);

        SparseFeatures features = words.FittedOn([0, 1, 2]);

        Assert.Equal(2, features.Dim);
        Assert.Equal([2, 2, 2, 0], Enumerable.Range(0, 4).Select(features.Count));
    }

    [Theory]
    [InlineData(2, 65_536)]
    [InlineData(32, 65_536)]
    [InlineData(1000, 2097)]
    public void BagOfWords_ManyClasses_KeepsFewerWordsSoThatAFitFitsMemory(int classes, int words) => Assert.Equal(words, BagOfWords.MostWords(classes));

    [Fact]
    public void BagOfWords_TrainingRows_HasTheWeightsOfTheFormula()
    {
        BagOfWords words = new();
        foreach (string text in new[] { "good good film", "bad film", "unseen good" }) words.Add(text);

        SparseFeatures features = words.FittedOn([0, 1]);

        Assert.Equal(3, features.Dim);                                    // 'unseen' stands in no training row
        double rare = 1 + Math.Log(3.0 / 2), common = 1, twice = (1 + Math.Log(2)) * rare;
        double[] first = Column(features, 0), second = Column(features, 1);
        Assert.Equal([common / Math.Sqrt(common + (twice * twice)), twice / Math.Sqrt(common + (twice * twice))], first.Where(v => v != 0).Order(), Near);
        Assert.Equal([common / Math.Sqrt(common + (rare * rare)), rare / Math.Sqrt(common + (rare * rare))], second.Where(v => v != 0).Order(), Near);
        Assert.Equal([1.0], Column(features, 2).Where(v => v != 0), Near);

        static bool Near(double a, double b) => Math.Abs(a - b) < 1e-6;
        static double[] Column(SparseFeatures of, int row) => [.. Enumerable.Range(0, of.Dim).Select(c =>
        {
            double[] unit = new double[of.Dim];
            unit[c] = 1;
            return of.Dot(row, unit);
        })];
    }
}
