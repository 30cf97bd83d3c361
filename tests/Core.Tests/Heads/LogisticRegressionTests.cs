using CsCheck;
using Scion.Heads;

namespace Scion.Tests.Heads;

public sealed class LogisticRegressionTests
{
    // The objective as the docstring writes it, row by row, in double. Slow on purpose: it is the oracle.
    static double Objective(double[] at, float[] values, int[] labels, int dim, int classes, double strength)
    {
        int vectors = classes == 2 ? 1 : classes, n = labels.Length;
        double sum = 0;
        for (int i = 0; i < n; i++)
        {
            double[] z = new double[classes];
            for (int v = 0; v < vectors; v++)
                z[classes == 2 ? 1 : v] = at[(vectors * dim) + v] + Enumerable.Range(0, dim).Sum(d => at[(v * dim) + d] * values[(i * dim) + d]);
            double weight = n / (classes * (double)labels.Count(c => c == labels[i]));
            sum += weight * (Math.Log(z.Sum(Math.Exp)) - z[labels[i]]);
        }
        return sum + (strength / 2 * at.Take(vectors * dim).Sum(w => w * w));
    }

    static double[] NumericalGradient(double[] at, Func<double[], double> objective)
    {
        const double h = 1e-5;
        return [.. at.Select((value, i) =>
        {
            double[] up = [.. at], down = [.. at];
            up[i] = value + h;
            down[i] = value - h;
            return (objective(up) - objective(down)) / (2 * h);
        })];
    }

    static readonly Gen<(int Classes, int Dim, float[] Values, int[] Labels, double Strength)> Problems =
        from classes in Gen.Int[2, 4]
        from dim in Gen.Int[1, 5]
        from rows in Gen.Int[classes, 14]
        from values in Gen.Float[-1, 1].Array[rows * dim]
        from extra in Gen.Int[0, classes - 1].Array[rows - classes]
        from power in Gen.Int[-1, 1]
        select (classes, dim, values, (int[])[.. Enumerable.Range(0, classes), .. extra], Math.Pow(10, power));

    static int[] All(int[] labels) => [.. Enumerable.Range(0, labels.Length)];

    [Fact]
    public void Objective_AnyPoint_HasTheValueAndTheNumericalGradient() => Problems.SelectMany(p =>
        Gen.Double[-2, 2].Array[(p.Classes == 2 ? 1 : p.Classes) * (p.Dim + 1)], (p, at) => (p, at)).Sample(problem =>
    {
        ((int classes, int dim, float[] values, int[] labels, double strength), double[] at) = problem;
        LogisticRegression regression = new(new DenseFeatures(values, dim), All(labels), labels, classes);
        double[] gradient = new double[at.Length];

        double value = regression.Objective(at, strength, gradient);

        double Mean(double[] x) => Objective(x, values, labels, dim, classes, strength) / labels.Length;
        Assert.Equal(Mean(at), value, 1e-9);
        Assert.All(NumericalGradient(at, Mean).Zip(gradient), pair => Assert.Equal(pair.First, pair.Second, 1e-6));
    }, iter: 100);

    [Fact]
    public void Fit_AnyProblem_IsTheMinimumThatSlowDescentFinds() => Problems.Sample(problem =>
    {
        (int classes, int dim, float[] values, int[] labels, double strength) = problem;

        LinearHead head = LogisticRegression.Fit(new DenseFeatures(values, dim), All(labels), labels, classes, strength);

        double[] fitted = classes == 2
            ? [.. Enumerable.Range(0, dim).Select(d => (double)head.Weights[dim + d] - head.Weights[d]), (double)head.Bias[1] - head.Bias[0]]
            : [.. head.Weights.Select(w => (double)w), .. head.Bias.Select(b => (double)b)];
        double Value(double[] x) => Objective(x, values, labels, dim, classes, strength);
        double[] x = new double[fitted.Length];
        double step = 1;
        for (int i = 0; i < 20_000; i++)
        {
            double[] gradient = NumericalGradient(x, Value);
            if (gradient.Max(Math.Abs) < 1e-7) break;
            double[] next = [.. x.Zip(gradient, (a, g) => a - (step * g))];
            if (Value(next) <= Value(x) - (step / 4 * gradient.Sum(g => g * g))) (x, step) = (next, step * 1.5);
            else if ((step /= 2) < 1e-12) break;
        }
        Assert.Equal(Value(x), Value(fitted), 1e-8);
        for (int w = 0; w < (classes == 2 ? dim : classes * dim); w++) Assert.Equal(x[w], fitted[w], 2e-4 + 1e-4 * Math.Abs(x[w]));
    }, iter: 20);

    [Fact]
    public void Fit_EveryRowTwice_IsAFitOfHalfTheStrength() => Problems.Sample(problem =>
    {
        (int classes, int dim, float[] values, int[] labels, double strength) = problem;

        LinearHead twice = LogisticRegression.Fit(new DenseFeatures([.. values, .. values], dim), [.. Enumerable.Range(0, 2 * labels.Length)], [.. labels, .. labels], classes, strength);
        LinearHead half = LogisticRegression.Fit(new DenseFeatures(values, dim), All(labels), labels, classes, strength / 2);

        AssertNear(half, twice, 1e-4);
    }, iter: 50);

    [Fact]
    public void Fit_RowsInAnotherOrder_IsTheSame() => Problems.Sample(problem =>
    {
        (int classes, int dim, float[] values, int[] labels, double strength) = problem;
        DenseFeatures features = new(values, dim);

        LinearHead forwards = LogisticRegression.Fit(features, All(labels), labels, classes, strength);
        LinearHead backwards = LogisticRegression.Fit(features, [.. All(labels).Reverse()], labels, classes, strength);

        AssertNear(forwards, backwards, 1e-4);
    }, iter: 50);

    [Fact]
    public void Fit_ClassesRenamed_IsTheSameHeadRenamed() => Problems.Sample(problem =>
    {
        (int classes, int dim, float[] values, int[] labels, double strength) = problem;
        DenseFeatures features = new(values, dim);

        LinearHead head = LogisticRegression.Fit(features, All(labels), labels, classes, strength);
        LinearHead renamed = LogisticRegression.Fit(features, All(labels), [.. labels.Select(c => classes - 1 - c)], classes, strength);

        AssertNear(head, new LinearHead([.. renamed.Weights.Chunk(dim).Reverse().SelectMany(w => w)], [.. renamed.Bias.Reverse()]), 1e-4);
    }, iter: 50);

    [Fact]
    public void Fit_AlongAPathOfStrengths_IsEachFitFromNothing()
    {
        (DenseFeatures features, int[] labels) = Clouds(60, 8, 3, seed: 5);
        LogisticRegression path = new(features, All(labels), labels, 3);

        foreach (double strength in HeadSelection.Strengths)
            AssertNear(LogisticRegression.Fit(features, All(labels), labels, 3, strength), path.Fit(strength), 2e-3);
    }

    [Fact]
    public void Fit_SparseFeatures_IsTheDenseFit()
    {
        float[] values = [0, 1, 0, 0.5f, 0, 0, 0, 0, 2, -1, 0, 1, 0.25f, 0, 0];
        SparseFeatures sparse = new([0, 1, 2, 3, 5, 6], [1, 0, 2, 0, 2, 0], [1, 0.5f, 2, -1, 1, 0.25f], 3);
        int[] labels = [0, 1, 1, 0, 1];

        LinearHead dense = LogisticRegression.Fit(new DenseFeatures(values, 3), All(labels), labels, 2, 0.5);

        AssertNear(dense, LogisticRegression.Fit(sparse, All(labels), labels, 2, 0.5), 1e-6);
        AssertNear(NearestMean.Fit(new DenseFeatures(values, 3), All(labels), labels, 2), NearestMean.Fit(sparse, All(labels), labels, 2), 1e-6);
    }

    [Fact]
    public void Fit_StrengthGrows_TendsToTheDirectionBetweenTheMeans()
    {
        (DenseFeatures features, int[] labels) = Clouds(40, 5, 2, seed: 3);

        LinearHead logistic = LogisticRegression.Fit(features, All(labels), labels, 2, 1e4), nearest = NearestMean.Fit(features, All(labels), labels, 2);

        double[] a = [.. Enumerable.Range(0, 5).Select(d => (double)logistic.Weights[5 + d] - logistic.Weights[d])];
        double[] b = [.. Enumerable.Range(0, 5).Select(d => (double)nearest.Weights[5 + d] - nearest.Weights[d])];
        double cosine = a.Zip(b, (x, y) => x * y).Sum() / Math.Sqrt(a.Sum(x => x * x) * b.Sum(y => y * y));
        Assert.Equal(1, cosine, 1e-5);
    }

    [Fact]
    public void NearestMean_AnyPoint_SaysTheClassOfTheNearestMean() => Gen.Float[-1, 1].Array[30].Sample(values =>
    {
        int[] labels = [0, 1, 2, 0, 1, 2, 0, 1, 2, 0];
        DenseFeatures features = new(values, 3);

        WideHead head = new(NearestMean.Fit(features, All(labels), labels, 3));

        double[][] means = [.. Enumerable.Range(0, 3).Select(c => Enumerable.Range(0, 3).Select(d =>
            Enumerable.Range(0, 10).Where(i => labels[i] == c).Average(i => (double)values[(i * 3) + d])).ToArray())];
        float[] logits = new float[3];
        for (int i = 0; i < 10; i++)
        {
            double[] distances = [.. means.Select(mean => Enumerable.Range(0, 3).Sum(d => Math.Pow(mean[d] - values[(i * 3) + d], 2)))];
            head.Logits(features, i, logits);
            if (distances.Order().Take(2).Aggregate((x, y) => y - x) > 1e-4)
                Assert.Equal(Array.IndexOf(distances, distances.Min()), HeldOutPredictions.Largest(logits));
        }
    }, iter: 200);

    static void AssertNear(LinearHead expected, LinearHead found, double tolerance)
    {
        // Biases of a softmax may all move together; their differences are what is fitted.
        Assert.Equal(expected.Bias.Select(b => b - expected.Bias[0]), found.Bias.Select(b => b - found.Bias[0]), (a, b) => Math.Abs(a - b) <= tolerance * (1 + Math.Abs(a)));
        Assert.Equal(expected.Weights, found.Weights, (a, b) => Math.Abs(a - b) <= tolerance * (1 + Math.Abs(a)));
    }

    internal static (DenseFeatures Features, int[] Labels) Clouds(int rows, int dim, int classes, int seed, double gap = 1)
    {
        Random random = new(seed);
        int[] labels = [.. Enumerable.Range(0, rows).Select(i => i % classes)];
        float[] values = [.. Enumerable.Range(0, rows * dim).Select(i => (float)((random.NextDouble() * 2) - 1 + (labels[i / dim] == i % dim ? gap : 0)))];
        return (new DenseFeatures(values, dim), labels);
    }
}
