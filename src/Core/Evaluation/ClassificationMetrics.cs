using Scion.Text;

namespace Scion.Evaluation;

/// <summary>Accuracy, precision, recall, F1 and confusion of one model, with 95 % intervals.</summary>
/// <remarks>Intervals of F1 and macro-F1 are by the Bayesian bootstrap over the cells of the confusion matrix (Rubin 1981; for F-scores Goutte and
/// Gaussier 2005): each cell's weight is drawn from a gamma distribution of its count and 1/classes, the 2.5 % and 97.5 % points of 1,000
/// draws are taken. Resampling rows instead would give a class with one test row, found or missed, an interval of no width.</remarks>
static class ClassificationMetrics
{
    const int Draws = 1000;

    /// <param name="name">Name of the model.</param>
    /// <param name="votes">What it says.</param>
    /// <param name="labels">Names of the classes.</param>
    /// <param name="seed">Of the bootstrap.</param>
    public static ModelMetrics Measure(string name, Votes votes, IReadOnlyList<string> labels, int seed)
    {
        int classes = votes.Classes, rows = votes.Rows.Length;
        double[] shares = new double[classes * classes];
        int[,] confusion = new int[classes, classes];
        double right = 0;
        for (int i = 0; i < rows; i++)
        {
            for (int c = 0; c < classes; c++) shares[(votes.Truth[i] * classes) + c] += votes.Shares[(i * classes) + c];
            confusion[votes.Truth[i], votes.Prediction(i)]++;
            right += votes.RightShare(i);
        }
        (Figure[] f1, Figure macro) = F1(shares, classes, seed);
        return new ModelMetrics(name, rows, Wilson.Interval(right, rows), macro, votes.LogLoss, votes.CalibrationError,
            [.. labels.Select((label, c) =>
            {
                double support = 0, predicted = 0, hit = shares[(c * classes) + c];
                for (int other = 0; other < classes; other++)
                {
                    support += shares[(c * classes) + other];
                    predicted += shares[(other * classes) + c];
                }
                return new ClassMetrics(label, (int)Math.Round(support), Wilson.Interval(hit, predicted), Wilson.Interval(hit, support), f1[c]);
            })],
            [.. Enumerable.Range(0, classes).Select(t => Enumerable.Range(0, classes).Select(p => confusion[t, p]).ToArray())]);
    }

    /// <param name="confusion">Rows [true, predicted]; need not be whole.</param>
    /// <param name="classes">Number of classes.</param>
    /// <param name="seed">Of the draws.</param>
    public static (Figure[] Classes, Figure Macro) F1(double[] confusion, int classes, int seed)
    {
        double[] value = Scores(confusion, classes);
        double[][] draws = [.. Enumerable.Range(0, classes + 1).Select(_ => new double[Draws])];
        Xoshiro random = new(seed, stream: 401);
        double[] drawn = new double[confusion.Length];
        for (int draw = 0; draw < Draws; draw++)
        {
            for (int cell = 0; cell < drawn.Length; cell++) drawn[cell] = Gamma(confusion[cell] + (1.0 / classes), ref random);
            double[] scores = Scores(drawn, classes);
            for (int c = 0; c <= classes; c++) draws[c][draw] = scores[c];
        }
        Figure[] figures = [.. draws.Select((of, c) =>
        {
            Array.Sort(of);
            return new Figure(value[c], Math.Min(value[c], of[(int)(0.025 * Draws)]), Math.Max(value[c], of[(int)(0.975 * Draws)]));
        })];
        return (figures[..classes], figures[classes]);
    }

    /// <summary>F1 of each class, and last their mean over the classes that have rows; 0 where nothing was found.</summary>
    static double[] Scores(double[] confusion, int classes)
    {
        double[] scores = new double[classes + 1];
        int present = 0;
        for (int c = 0; c < classes; c++)
        {
            double support = 0, predicted = 0, hit = confusion[(c * classes) + c];
            for (int other = 0; other < classes; other++)
            {
                support += confusion[(c * classes) + other];
                predicted += confusion[(other * classes) + c];
            }
            scores[c] = support + predicted > 0 ? 2 * hit / (support + predicted) : 0;
            if (support <= 0) continue;
            scores[classes] += scores[c];
            present++;
        }
        if (present > 0) scores[classes] /= present;
        return scores;
    }

    /// <summary>A gamma variate of scale 1, by Marsaglia and Tsang 2000.</summary>
    static double Gamma(double shape, ref Xoshiro random)
    {
        if (shape < 1) return Gamma(shape + 1, ref random) * Math.Pow(1 - random.Unit(), 1 / shape);
        double d = shape - (1.0 / 3), c = 1 / Math.Sqrt(9 * d);
        while (true)
        {
            double z = Math.Sqrt(-2 * Math.Log(1 - random.Unit())) * Math.Cos(2 * Math.PI * random.Unit()), v = 1 + (c * z);
            if (v <= 0) continue;
            v = v * v * v;
            if (Math.Log(1 - random.Unit()) < (z * z / 2) + d - (d * v) + (d * Math.Log(v))) return d * v;
        }
    }
}
