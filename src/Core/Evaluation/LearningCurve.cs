using Scion.Heads;
using Scion.Text;

namespace Scion.Evaluation;

/// <summary>How accuracy grows with labels: the whole training of a head, repeated on balanced draws of fewer rows.</summary>
/// <remarks>A draw shuffles each class once; larger sizes hold the smaller ones. Interval: Wilson for as many rows as would give the variance
/// found, which is that of rows (each counts by its share of draws) and that of draws, added. The last point is all rows, as measured.</remarks>
static class LearningCurve
{
    /// <summary>Largest draw a class: beyond it a curve tells little, and costs more than the model.</summary>
    const int Most = 512;

    /// <summary>Fits to learn from <paramref name="perClass"/> rows a class: fewer rows differ more by draw.</summary>
    static int Draws(int perClass) => perClass <= 16 ? 10 : perClass <= 64 ? 6 : 3;

    /// <param name="features">Features of all labelled rows.</param>
    /// <param name="labels">Class of each.</param>
    /// <param name="classes">Number of classes.</param>
    /// <param name="folds">Rows to learn from and rows to measure on: one pair when rows are held out; one list of pairs a draw otherwise.</param>
    /// <param name="kind">As in the settings.</param>
    /// <param name="seed">Of the draws.</param>
    /// <param name="cancellation">Stops the work.</param>
    public static IReadOnlyList<LearningPoint> Measure(
        FeatureMatrix features, int[] labels, int classes, Func<int, IReadOnlyList<(int[] Train, int[] Test)>> folds, string kind, int seed,
        CancellationToken cancellation)
    {
        int least = folds(0).Min(fold => Enumerable.Range(0, classes).Min(c => fold.Train.Count(row => labels[row] == c)));
        List<int> sizes = [];
        for (int size = 2; size < least && size <= Most; size *= 2) sizes.Add(size);
        if (sizes.Count == 0) return [];

        (int Size, int Draw)[] tasks = [.. sizes.SelectMany(size => Enumerable.Range(0, Draws(size)).Select(draw => (size, draw))).Reverse()];
        Dictionary<int, bool>[] right = new Dictionary<int, bool>[tasks.Length];
        Parallel.For(0, tasks.Length, new ParallelOptions { CancellationToken = cancellation }, t =>
        {
            right[t] = [];
            IReadOnlyList<(int[] Train, int[] Test)> pairs = folds(tasks[t].Draw);
            for (int f = 0; f < pairs.Count; f++)
            {
                int[] train = Drawn(pairs[f].Train, labels, classes, tasks[t].Size, seed, (tasks[t].Draw * 1000) + f);
                SelectedHead head = HeadSelection.Fit(_ => features, train, labels, classes, kind, seed, threads: 1, cancellation);
                WideHead wide = new(head.Head);
                float[] logits = new float[classes];
                foreach (int row in pairs[f].Test)
                {
                    wide.Logits(features, row, logits);
                    right[t][row] = HeldOutPredictions.Largest(logits) == labels[row];
                }
            }
        });
        return [.. sizes.Select(size => new LearningPoint(size, Mean([.. Enumerable.Range(0, tasks.Length).Where(t => tasks[t].Size == size).Select(t => right[t])])))];
    }

    static int[] Drawn(int[] rows, int[] labels, int classes, int perClass, int seed, int draw)
    {
        Xoshiro random = new(seed, stream: 10_000 + draw);
        List<int> drawn = [];
        for (int c = 0; c < classes; c++)
        {
            int[] own = [.. rows.Where(row => labels[row] == c)];
            StratifiedFolds.Shuffle(own, ref random);
            drawn.AddRange(own[..perClass]);
        }
        drawn.Sort();
        return [.. drawn];
    }

    static Figure Mean(IReadOnlyList<Dictionary<int, bool>> draws)
    {
        double[] byRow = [.. draws[0].Keys.Select(row => draws.Average(draw => draw[row] ? 1.0 : 0))];
        double[] byDraw = [.. draws.Select(draw => draw.Values.Average(right => right ? 1.0 : 0))];
        double mean = byRow.Average(), variance = (Variance(byRow) / byRow.Length) + (Variance(byDraw) / byDraw.Length);
        double rows = variance > 0 ? Math.Clamp(mean * (1 - mean) / variance, 1, byRow.Length) : byRow.Length;
        return Wilson.Interval(mean * rows, rows);
    }

    static double Variance(double[] values)
    {
        if (values.Length < 2) return 0;
        double mean = values.Average();
        return values.Sum(value => (value - mean) * (value - mean)) / (values.Length - 1);
    }
}
