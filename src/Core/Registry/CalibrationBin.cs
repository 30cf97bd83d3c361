using Scion.Evaluation;
using Scion.Heads;

namespace Scion.Registry;

/// <summary>Held-out predictions of similar confidence, and how many of them are right.</summary>
/// <param name="Rows">Rows in it.</param>
/// <param name="Confidence">Mean probability of the predicted class, in [0, 1].</param>
/// <param name="Accuracy">Share right; Wilson interval.</param>
public sealed record CalibrationBin(int Rows, double Confidence, Figure Accuracy)
{
    /// <summary>At most ten bins of equal mass, least confident first; each row counts once (the first repeat, under cross-validation).</summary>
    /// <param name="predictions">Uncalibrated logits of rows not fitted on.</param>
    /// <param name="truth">True class of each labelled row, indexed as <see cref="HeldOutPredictions.Rows"/>.</param>
    /// <param name="temperature">Divides the logits; above 0.</param>
    public static IReadOnlyList<CalibrationBin> Of(HeldOutPredictions predictions, Func<int, int> truth, double temperature)
    {
        List<(double Confidence, bool Right)> rows = [];
        for (int i = 0; i < predictions.Rows.Length; i++)
        {
            if (predictions.Repeats[i] != 0) continue;
            (int best, double confidence) = Best(predictions.LogitsOf(i), temperature);
            rows.Add((confidence, best == truth(predictions.Rows[i])));
        }
        (double Confidence, bool Right)[] ordered = [.. rows.OrderBy(row => row.Confidence)];
        int bins = Math.Min(10, ordered.Length / 5);                      // fewer than five rows say nothing
        if (bins == 0 && ordered.Length > 0) bins = 1;
        return [.. Enumerable.Range(0, bins).Select(b =>
        {
            ReadOnlySpan<(double Confidence, bool Right)> bin = ordered.AsSpan()[(int)((long)b * ordered.Length / bins)..(int)((b + 1L) * ordered.Length / bins)];
            double sum = 0;
            int right = 0;
            foreach ((double confidence, bool isRight) in bin)
            {
                sum += confidence;
                if (isRight) right++;
            }
            return new CalibrationBin(bin.Length, sum / bin.Length, Wilson.Interval(right, bin.Length));
        })];
    }

    internal static (int Class, double Probability) Best(ReadOnlySpan<float> logits, double temperature)
    {
        int best = 0;
        for (int c = 1; c < logits.Length; c++)
            if (logits[c] > logits[best]) best = c;
        double total = 0;
        foreach (float logit in logits) total += Math.Exp((logit - logits[best]) / temperature);
        return (best, 1 / total);
    }
}
