using Scion.Heads;

namespace Scion.Evaluation;

/// <summary>What one model says of each measured row: held out once, or once in every repeat of cross-validation.</summary>
/// <remarks>A row is one observation however often it was predicted: repeats share its text, its label and most of the training rows. So every
/// figure lets each row count once, by the share of its repeats, and intervals are those of that many rows. (Bengio and Grandvalet 2004: no
/// unbiased estimate of the variance of cross-validation exists; repeats narrow the estimate of the mean, not what few rows can tell.)</remarks>
sealed class Votes
{
    /// <param name="rows">Measured rows, ascending.</param>
    /// <param name="truth">True class of each, [rows].</param>
    /// <param name="classes">Number of classes.</param>
    public Votes(int[] rows, int[] truth, int classes) =>
        (Rows, Truth, Classes, Shares, Probabilities) = (rows, truth, classes, new double[rows.Length * classes], new double[rows.Length * classes]);

    public int[] Rows { get; }

    public int[] Truth { get; }

    public int Classes { get; }

    /// <summary>Share of a row's repeats that predict each class, [rows, classes].</summary>
    public double[] Shares { get; }

    /// <summary>Mean calibrated probability of each class, [rows, classes].</summary>
    public double[] Probabilities { get; }

    /// <summary>Mean −log p(true class) over all predictions; null when the model gives no probabilities.</summary>
    public double? LogLoss { get; private init; }

    /// <summary>Expected calibration error; null when the model gives no probabilities.</summary>
    public double? CalibrationError { get; private init; }

    public double RightShare(int i) => Shares[(i * Classes) + Truth[i]];

    /// <summary>The class most repeats predict; among equals the one of larger mean probability, then the first.</summary>
    public int Prediction(int i)
    {
        int best = 0;
        for (int c = 1; c < Classes; c++)
        {
            double more = Shares[(i * Classes) + c] - Shares[(i * Classes) + best];
            if (more > 1e-9 || (more > -1e-9 && Probabilities[(i * Classes) + c] > Probabilities[(i * Classes) + best])) best = c;
        }
        return best;
    }

    public bool[] Right() => [.. Enumerable.Range(0, Rows.Length).Select(i => Prediction(i) == Truth[i])];

    /// <summary>A model that always says the same class.</summary>
    public static Votes Constant(int[] rows, int[] truth, int classes, int always)
    {
        Votes votes = new(rows, truth, classes);
        for (int i = 0; i < rows.Length; i++) votes.Shares[(i * classes) + always] = votes.Probabilities[(i * classes) + always] = 1;
        return votes;
    }

    /// <param name="held">Predictions of rows not fitted on.</param>
    /// <param name="labels">True class of every labelled row, indexed as <see cref="HeldOutPredictions.Rows"/>.</param>
    /// <param name="temperature">Divides the logits.</param>
    public static Votes Of(HeldOutPredictions held, int[] labels, double temperature)
    {
        int classes = held.Classes, n = held.Rows.Length;
        int[] rows = [.. held.Rows.Distinct().Order()];
        Dictionary<int, int> place = rows.Select((row, i) => (row, i)).ToDictionary(entry => entry.row, entry => entry.i);
        int[] times = new int[rows.Length];
        foreach (int row in held.Rows) times[place[row]]++;
        double loss = 0;
        (double Confidence, bool Right)[] sure = new (double, bool)[n];
        double[] probabilities = new double[classes];
        double[] shares = new double[rows.Length * classes], means = new double[rows.Length * classes];
        for (int i = 0; i < n; i++)
        {
            int at = place[held.Rows[i]], truth = labels[held.Rows[i]], said = HeldOutPredictions.Largest(held.LogitsOf(i));
            TemperatureScaling.Probabilities(held.LogitsOf(i), temperature, probabilities);
            shares[(at * classes) + said] += 1.0 / times[at];
            for (int c = 0; c < classes; c++) means[(at * classes) + c] += probabilities[c] / times[at];
            loss += TemperatureScaling.LogLoss(held.LogitsOf(i), truth, 1 / temperature);
            sure[i] = (probabilities[said], said == truth);
        }
        Votes votes = new(rows, [.. rows.Select(row => labels[row])], classes) { LogLoss = loss / n, CalibrationError = Calibration(sure) };
        shares.CopyTo(votes.Shares, 0);
        means.CopyTo(votes.Probabilities, 0);
        return votes;
    }

    /// <summary>Mean gap between confidence and share right over ten bins of equal mass.</summary>
    internal static double Calibration(ReadOnlySpan<(double Confidence, bool Right)> predictions)
    {
        (double Confidence, bool Right)[] ordered = [.. predictions.ToArray().OrderBy(prediction => prediction.Confidence)];
        int bins = Math.Min(10, ordered.Length);
        double gap = 0;
        for (int b = 0; b < bins; b++)
        {
            double balance = 0;
            for (int i = (int)((long)b * ordered.Length / bins); i < (int)((b + 1L) * ordered.Length / bins); i++)
                balance += ordered[i].Confidence - (ordered[i].Right ? 1 : 0);
            gap += Math.Abs(balance);
        }
        return ordered.Length == 0 ? 0 : gap / ordered.Length;
    }
}
