using Scion.Evaluation;
using Scion.Heads;

namespace Scion.Demo;

/// <summary>Learns from some of the pictures and says of others how they score: above 0 for the second class. Any number of threads may call.</summary>
/// <param name="train">Pictures to learn from, whose labels may be looked at.</param>
/// <param name="test">Pictures to score, whose labels may not.</param>
/// <param name="cancellation">Stops the work.</param>
/// <returns>[test].</returns>
public delegate double[] DressLearner(int[] train, int[] test, CancellationToken cancellation);

/// <param name="Name">Of the way to learn.</param>
/// <param name="Accuracy">Share of the test predictions that were right, over all draws; its interval speaks of other training and other
/// test pictures.</param>
/// <param name="Draws">The accuracy of each draw.</param>
public sealed record DressArm(string Name, TransferArm Accuracy, IReadOnlyList<double> Draws);

/// <param name="Arms">In the order given.</param>
/// <param name="Gains">The last arm less each of the others, on the same pictures.</param>
/// <param name="PerClass">Training pictures of a class in a draw.</param>
/// <param name="Tested">Test pictures; the same for every draw.</param>
public sealed record DressOutcome(IReadOnlyList<DressArm> Arms, IReadOnlyList<DressArm> Gains, int PerClass, int Tested);

/// <summary>Ways to learn from few pictures, compared on the same test pictures over draws of training pictures that share none.</summary>
/// <remarks>Interval: another run would draw other training pictures and other test pictures. With K draws and n test pictures, crossed,
/// the variance of the mean is estimated by MS(draws)/(Kn) + MS(pictures)/(Kn) − MS(rest)/(Kn), the moments of the two-way layout with
/// random effects (Cornfield and Tukey 1956); where that comes out below the larger of its first two parts, that part stands. The interval
/// is ±t standard errors with the degrees of freedom of Satterthwaite 1946. Labels of the classes alternate, so both are equally
/// many.</remarks>
public static class DressExperiment
{
    /// <param name="draws">Training pictures of each draw, as numbers of pictures; at least 3 draws.</param>
    /// <param name="test">Test pictures; in no draw.</param>
    /// <param name="truth">Of every picture: true for the second class.</param>
    /// <param name="arms">What is compared; the last is the one of which gains are told. Called from several threads at once.</param>
    /// <param name="cancellation">Stops the experiment between learners.</param>
    /// <exception cref="ArgumentException">A picture is used twice, or there are fewer than three draws.</exception>
    public static DressOutcome Run(
        IReadOnlyList<int[]> draws, int[] test, bool[] truth, IReadOnlyList<(string Name, DressLearner Learn)> arms, CancellationToken cancellation = default)
    {
        if (draws.Count < 3) throw new ArgumentException($"{draws.Count} draws; an interval needs three at least.", nameof(draws));
        int[] used = [.. draws.SelectMany(draw => draw), .. test];
        if (used.Distinct().Count() != used.Length) throw new ArgumentException("A picture is in two draws, or in a draw and the test.", nameof(draws));
        double[][][] right = [.. arms.Select(_ => new double[draws.Count][])];
        Parallel.For(0, arms.Count * draws.Count, new ParallelOptions { CancellationToken = cancellation }, work =>
        {
            (int arm, int draw) = (work / draws.Count, work % draws.Count);
            double[] scores = arms[arm].Learn(draws[draw], test, cancellation);
            right[arm][draw] = [.. scores.Select((score, i) => score == 0 ? 0.5 : (score > 0) == truth[test[i]] ? 1 : 0)];
        });
        double[][] last = right[^1];
        return new DressOutcome(
            [.. arms.Select((arm, a) => ArmOf(arm.Name, right[a], 0))],
            [.. arms.SkipLast(1).Select((arm, a) => ArmOf(arm.Name, [.. last.Select((draw, k) => Less(draw, right[a][k]))], -1))],
            draws[0].Length / 2, test.Length);
    }

    /// <summary>A head on features, chosen as the product chooses it.</summary>
    /// <param name="features">Of every picture.</param>
    /// <param name="truth">Of every picture.</param>
    /// <param name="fit">What is fitted to the training pictures before the head sees any: from the training pictures to the features of
    /// all; null for none.</param>
    /// <param name="seed">Of the folds.</param>
    public static DressLearner Head(float[][] features, bool[] truth, Func<int[], float[][]>? fit = null, int seed = 1) => (train, test, cancellation) =>
    {
        int[] labels = [.. truth.Select(white => white ? 1 : 0)];
        SelectedHead head = HeadSelection.Fit(rows => Matrix(fit?.Invoke(rows) ?? features), train, labels, 2, HeadSelection.Auto, seed, threads: 1, cancellation);
        float[] logits = new float[2];
        return [.. test.Select(picture =>
        {
            new WideHead(head.Head).Logits(head.Features, picture, logits);
            return (double)logits[1] - logits[0];
        })];
    };

    static DenseFeatures Matrix(float[][] features) => new([.. features.SelectMany(row => row)], features[0].Length);

    static double[] Less(double[] a, double[] b) => [.. a.Zip(b, (x, y) => x - y)];

    /// <param name="name">Of the arm.</param>
    /// <param name="right">[draws][test].</param>
    /// <param name="least">The least the figure can be.</param>
    static DressArm ArmOf(string name, double[][] right, double least)
    {
        int k = right.Length, n = right[0].Length;
        double[] draws = [.. right.Select(draw => draw.Average())], pictures = [.. Enumerable.Range(0, n).Select(i => right.Average(draw => draw[i]))];
        double mean = draws.Average();
        double between = n * draws.Sum(x => (x - mean) * (x - mean)), across = k * pictures.Sum(x => (x - mean) * (x - mean));
        double rest = right.Sum(draw => draw.Sum(x => (x - mean) * (x - mean))) - between - across;
        double ofDraws = between / (k - 1) / (k * n), ofPictures = across / (n - 1) / (k * n), ofRest = rest / ((k - 1) * (n - 1)) / (k * n);
        double variance = Math.Max(ofDraws + ofPictures - ofRest, Math.Max(ofDraws, ofPictures));
        double spread = (ofDraws * ofDraws / (k - 1)) + (ofPictures * ofPictures / (n - 1)) + (ofRest * ofRest / ((k - 1) * (n - 1)));
        double degrees = variance * variance / Math.Max(1e-300, spread);
        double error = StudentT.Point975(Math.Max(k - 1, degrees)) * Math.Sqrt(variance);
        return new DressArm(name, new TransferArm(mean, Math.Max(least, mean - error), Math.Min(1, mean + error), k * n), draws);
    }
}
