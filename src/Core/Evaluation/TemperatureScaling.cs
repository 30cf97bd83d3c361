namespace Scion.Evaluation;

/// <summary>Calibrates a classifier by one number that its logits are divided by.</summary>
/// <remarks>Source: Guo et al. 2017, arXiv:1706.04599, §4.2. Classes weigh the same, as in the fit of a head. A normal prior on ln T, of mean 0
/// and width 1, weighs as much as one row's likelihood would: it keeps T finite when all rows are right, and fades as rows are added.
/// The T that a model is served with is fitted to Platt's targets (1999, §2.2): of n rows of a class, (n + 1)/(n + classes) instead of 1. So four rows
/// of each of two classes, all right, speak for 83 %, not for 100 %; a thousand for 99.9 %.</remarks>
public static class TemperatureScaling
{
    /// <summary>Range of ln T.</summary>
    const double Most = 3.5;

    /// <param name="logits">[rows, classes] of rows not fitted on.</param>
    /// <param name="truth">True class of each row, [rows].</param>
    /// <param name="classes">Number of classes.</param>
    /// <param name="cautious">True: fit to Platt's targets, for serving; false: to the classes as they are, for comparing heads.</param>
    /// <returns>T in [0.03, 33], and the mean loss there with the prior's part, in nats. (1, 0) when there is no row.</returns>
    public static (double Temperature, double Loss) Fit(ReadOnlySpan<float> logits, ReadOnlySpan<int> truth, int classes, bool cautious)
    {
        if (truth.Length == 0) return (1, 0);
        (double[] weights, double[] others) = Weights(truth, classes);
        if (!cautious) Array.Clear(others);
        const double step = 0.5;                                         // a coarse look first: the loss with the prior may have two valleys
        double best = 0, least = double.PositiveInfinity;
        for (double at = -Most; at <= Most; at += step)
        {
            double loss = Loss(logits, truth, classes, weights, others, at);
            if (loss < least) (best, least) = (at, loss);
        }
        const double golden = 0.6180339887498949;
        double low = Math.Max(-Most, best - step), high = Math.Min(Most, best + step);
        double left = high - (golden * (high - low)), right = low + (golden * (high - low));
        double atLeft = Loss(logits, truth, classes, weights, others, left), atRight = Loss(logits, truth, classes, weights, others, right);
        while (high - low > 1e-4)
        {
            if (atLeft < atRight)
            {
                (high, right, atRight) = (right, left, atLeft);
                left = high - (golden * (high - low));
                atLeft = Loss(logits, truth, classes, weights, others, left);
            }
            else
            {
                (low, left, atLeft) = (left, right, atRight);
                right = low + (golden * (high - low));
                atRight = Loss(logits, truth, classes, weights, others, right);
            }
        }
        return (Math.Exp((low + high) / 2), Math.Min(atLeft, atRight));
    }

    /// <summary>Weight of each class: the classes that occur weigh the same, and all rows together as many as they are. And Platt's target of each
    /// class that a row is not of.</summary>
    static (double[] Weights, double[] Others) Weights(ReadOnlySpan<int> truth, int classes)
    {
        double[] weights = new double[classes];
        foreach (int c in truth) weights[c]++;
        double[] others = [.. weights.Select(count => 1 / (count + classes))];
        int present = weights.Count(count => count > 0);
        for (int c = 0; c < classes; c++)
            if (weights[c] > 0) weights[c] = truth.Length / (present * weights[c]);
        return (weights, others);
    }

    static double Loss(
        ReadOnlySpan<float> logits, ReadOnlySpan<int> truth, int classes, double[] weights, double[] others, double logTemperature)
    {
        double inverse = Math.Exp(-logTemperature), sum = logTemperature * logTemperature / 2;
        for (int row = 0; row < truth.Length; row++)
        {
            ReadOnlySpan<float> of = logits.Slice(row * classes, classes);
            double ahead = 0;                                            // of the true class, over all others
            foreach (float logit in of) ahead += of[truth[row]] - logit;
            sum += weights[truth[row]] * (LogLoss(of, truth[row], inverse) + (others[truth[row]] * ahead * inverse));
        }
        return sum / truth.Length;
    }

    /// <summary>−log of the probability of the true class, in nats.</summary>
    /// <param name="logits">[classes].</param>
    /// <param name="truth">True class.</param>
    /// <param name="inverse">1 / T.</param>
    public static double LogLoss(ReadOnlySpan<float> logits, int truth, double inverse)
    {
        double total = 0;
        foreach (float logit in logits) total += Math.Exp((logit - logits[truth]) * inverse);
        if (double.IsFinite(total)) return Math.Log(total);
        float largest = logits[0];
        foreach (float logit in logits) largest = Math.Max(largest, logit);
        total = 0;
        foreach (float logit in logits) total += Math.Exp((logit - largest) * inverse);
        return Math.Log(total) + ((largest - logits[truth]) * inverse);
    }

    /// <summary>Probabilities of the classes: softmax of the logits over T.</summary>
    /// <param name="logits">[classes].</param>
    /// <param name="temperature">Above 0.</param>
    /// <param name="probabilities">[classes], written; sums to 1.</param>
    public static void Probabilities(ReadOnlySpan<float> logits, double temperature, Span<double> probabilities)
    {
        float largest = logits[0];
        foreach (float logit in logits) largest = Math.Max(largest, logit);
        double total = 0;
        for (int c = 0; c < logits.Length; c++) total += probabilities[c] = Math.Exp((logits[c] - largest) / temperature);
        for (int c = 0; c < logits.Length; c++) probabilities[c] /= total;
    }
}
