using System.Globalization;

namespace Scion.Evaluation;

/// <summary>Compares two models on the same rows by the rows that only one of them has right.</summary>
/// <remarks>Source: McNemar 1947, in its exact binomial form: with equal models, each such row falls to either side as a fair coin does.</remarks>
public static class McNemar
{
    /// <summary>Below this probability of chance a difference counts.</summary>
    public const double Significance = 0.05;

    /// <summary>Two-sided exact probability of a split at least as uneven.</summary>
    /// <param name="won">Rows only the first has right.</param>
    /// <param name="lost">Rows only the second has right.</param>
    public static double ExactP(int won, int lost)
    {
        int n = won + lost, few = Math.Min(won, lost);
        if (n == 0) return 1;
        double term = -n * Math.Log(2), tail = Math.Exp(term);            // ln of C(n, k) / 2ⁿ, from k = 0 upwards
        for (int k = 1; k <= few; k++)
        {
            term += Math.Log((double)(n - k + 1) / k);
            tail += Math.Exp(term);
        }
        return Math.Min(1, 2 * tail);
    }

    /// <summary>A probability as people read it: "p = 0.042", "p &lt; 0.001".</summary>
    public static string InWords(double p) => p < 0.001 ? "p < 0.001" : string.Create(CultureInfo.InvariantCulture, $"p = {p:0.###}");

    /// <param name="first">Name of the first model.</param>
    /// <param name="second">Name of the second.</param>
    /// <param name="firstRight">Whether the first is right, by row.</param>
    /// <param name="secondRight">Whether the second is, on the same rows.</param>
    public static PairedTest Compare(string first, string second, ReadOnlySpan<bool> firstRight, ReadOnlySpan<bool> secondRight)
    {
        int won = 0, lost = 0;
        for (int i = 0; i < firstRight.Length; i++)
        {
            if (firstRight[i] && !secondRight[i]) won++;
            if (secondRight[i] && !firstRight[i]) lost++;
        }
        double p = ExactP(won, lost);
        return new PairedTest(first, second, won, lost, p, p >= Significance ? "cannot tell" : won > lost ? "better" : "worse");
    }
}
