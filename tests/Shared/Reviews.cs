using System.Text;

namespace Scion.Tests;

/// <summary>Small data sets with two classes that a few words tell apart.</summary>
static class Reviews
{
    static readonly string[] Positive = ["wonderful", "moving", "brilliant", "funny", "beautiful", "charming"];
    static readonly string[] Negative = ["awful", "boring", "stupid", "dull", "slow", "terrible"];
    static readonly string[] Things = ["film", "story", "cast", "plot", "ending", "script", "music", "scene"];

    /// <summary>A CSV file.</summary>
    /// <param name="rows">Rows, all different.</param>
    /// <param name="labelledEvery">Every n-th has its label, the others none.</param>
    /// <param name="seed">Other seeds, other rows.</param>
    public static string Csv(int rows, int labelledEvery = 2, int seed = 1)
    {
        Random random = new(seed);
        StringBuilder csv = new("text,label\n");
        for (int row = 0; row < rows; row++)
        {
            string[] words = row / labelledEvery % 2 == 0 ? Positive : Negative;
            string text = $"the {Any(Things)} was {Any(words)} and {Any(words)} and the {Any(Things)} {Any(words)} number {seed}x{row}";
            csv.Append(text).Append(',').Append(row % labelledEvery == 0 ? words == Positive ? "positive" : "negative" : "").Append('\n');
        }
        return csv.ToString();

        string Any(string[] of) => of[random.Next(of.Length)];
    }
}
