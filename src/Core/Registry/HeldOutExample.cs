using Scion.Heads;
using Scion.Serving;

namespace Scion.Registry;

/// <summary>What the model said of a labelled text that it was not fitted on: shown to people in the report.</summary>
/// <param name="Text">At most <see cref="Examples.MaxText"/> characters.</param>
/// <param name="Label">As given.</param>
/// <param name="Predicted">The most probable class.</param>
/// <param name="Score">Its calibrated probability.</param>
public sealed record HeldOutExample(string Text, string Label, string Predicted, double Score)
{
    /// <summary>Mistakes shown, the surest ones: they teach most about the data.</summary>
    const int Mistakes = 5;

    /// <summary>Right answers shown, from the surest to the least sure.</summary>
    const int Right = 3;

    /// <summary>Chooses what to show.</summary>
    /// <param name="predictions">Uncalibrated logits of rows not fitted on.</param>
    /// <param name="truth">True class of each labelled row.</param>
    /// <param name="temperature">Divides the logits.</param>
    /// <returns>Row, predicted class and probability: mistakes first, surest first; then right answers.</returns>
    internal static IReadOnlyList<(int Row, int Predicted, double Score)> Choose(HeldOutPredictions predictions, Func<int, int> truth, double temperature)
    {
        List<(int Row, int Predicted, double Score)> wrong = [], right = [];
        for (int i = 0; i < predictions.Rows.Length; i++)
        {
            if (predictions.Repeats[i] != 0) continue;
            (int best, double score) = CalibrationBin.Best(predictions.LogitsOf(i), temperature);
            (best == truth(predictions.Rows[i]) ? right : wrong).Add((predictions.Rows[i], best, score));
        }
        (int Row, int Predicted, double Score)[] sure = [.. right.OrderByDescending(row => row.Score).ThenBy(row => row.Row)];
        int shown = Math.Min(Right, sure.Length);
        return
        [
            .. wrong.OrderByDescending(row => row.Score).ThenBy(row => row.Row).Take(Mistakes),
            .. Enumerable.Range(0, shown).Select(k => sure[shown == 1 ? 0 : (int)((long)k * (sure.Length - 1) / (shown - 1))]),
        ];
    }
}
