using System.Globalization;
using Scion.Datasets;
using Scion.Evaluation;
using Scion.Serving;

namespace Scion.Registry;

/// <summary>Decides whether a new version may serve: when it is not worse than the one that does.</summary>
/// <param name="Pass">True when <c>latest</c> may move.</param>
/// <param name="Sentence">Why, with numbers.</param>
public sealed record PublishGate(bool Pass, string Sentence)
{
    /// <summary>Both versions, as served, on the same held-out rows.</summary>
    /// <param name="champion">Name of the version that serves.</param>
    /// <param name="rows">For each row: whether the challenger and whether the champion is right.</param>
    /// <returns>Passes unless the champion is right where the challenger is wrong more often than chance explains (exact two-sided McNemar
    /// test, 5 %).</returns>
    public static PublishGate OnRows(string champion, IReadOnlyCollection<(bool Challenger, bool Champion)> rows)
    {
        int won = rows.Count(row => row.Challenger && !row.Champion), lost = rows.Count(row => row.Champion && !row.Challenger);
        double p = McNemar.ExactP(won, lost);
        string numbers = string.Create(CultureInfo.InvariantCulture,
            $"right on {rows.Count(row => row.Challenger):n0} of {rows.Count:n0} held-out rows, {champion} on {rows.Count(row => row.Champion):n0} (only this one {won:n0}, only the other {lost:n0}, exact {McNemar.InWords(p)})");
        return p >= McNemar.Significance ? new(true, $"Promoted: {numbers}; the two cannot be told apart.")
            : won > lost ? new(true, $"Promoted: {numbers}; better.")
            : new(false, $"Not promoted: {numbers}; worse. Promote it by hand if that is wanted.");
    }

    /// <summary>Where no rows are held out from both (cross-validation, or a split that changed), their stored accuracies are compared.</summary>
    /// <returns>Passes unless the challenger's whole interval lies below the champion's.</returns>
    public static PublishGate OnIntervals(string champion, Figure challenger, Figure stored)
    {
        string numbers = string.Create(CultureInfo.InvariantCulture,
            $"accuracy {100 * challenger.Value:0.0} % ({100 * challenger.Low:0.0} to {100 * challenger.High:0.0}), {champion} {100 * stored.Value:0.0} % ({100 * stored.Low:0.0} to {100 * stored.High:0.0})");
        return challenger.High < stored.Low ? new(false, $"Not promoted: {numbers}; its interval lies below. Promote it by hand if that is wanted.")
            : challenger.Low > stored.High ? new(true, $"Promoted: {numbers}; its interval lies above.")
            : new(true, $"Promoted: {numbers}; the intervals overlap, so the two cannot be told apart.");
    }
}
