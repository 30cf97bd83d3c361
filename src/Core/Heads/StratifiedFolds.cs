using Scion.Text;

namespace Scion.Heads;

/// <summary>Cuts rows into folds that each hold about as much of every class.</summary>
public static class StratifiedFolds
{
    /// <summary>Folds of cross-validation when there are rows enough. Kohavi 1995 finds little to gain from more than 5 to 10.</summary>
    public const int Most = 5;

    /// <summary>The rows of each class are shuffled and dealt out in turn. The only row of a class is in no fold, so it always trains.</summary>
    /// <param name="rows">Rows to cut up.</param>
    /// <param name="labels">Class of each row, indexed by row.</param>
    /// <param name="classes">Number of classes.</param>
    /// <param name="folds">At least 2.</param>
    /// <param name="seed">Equal seeds give equal folds.</param>
    /// <param name="stream">Tells apart uses of one seed.</param>
    /// <returns>Rows to hold out, fold by fold, in the order of <paramref name="rows"/>; none is empty.</returns>
    public static int[][] Of(int[] rows, int[] labels, int classes, int folds, int seed, int stream)
    {
        Xoshiro random = new(seed, stream);
        List<int>[] held = [.. Enumerable.Range(0, folds).Select(_ => new List<int>())];
        int turn = 0;
        for (int c = 0; c < classes; c++)
        {
            int[] own = [.. rows.Where(row => labels[row] == c)];
            if (own.Length < 2) continue;
            Shuffle(own, ref random);
            foreach (int row in own) held[turn++ % folds].Add(row);
        }
        int[] order = new int[rows.Length == 0 ? 0 : rows.Max() + 1];
        for (int i = 0; i < rows.Length; i++) order[rows[i]] = i;
        return [.. held.Where(fold => fold.Count > 0).Select(fold => fold.OrderBy(row => order[row]).ToArray())];
    }

    /// <summary>Each row alone, but the only row of a class.</summary>
    public static int[][] LeaveOneOut(int[] rows, int[] labels, int classes)
    {
        int[] counts = new int[classes];
        foreach (int row in rows) counts[labels[row]]++;
        return [.. rows.Where(row => counts[labels[row]] > 1).Select(row => new[] { row })];
    }

    /// <summary>Fisher and Yates.</summary>
    internal static void Shuffle(int[] values, ref Xoshiro random)
    {
        for (int i = values.Length - 1; i > 0; i--)
        {
            int other = random.Below(i + 1);
            (values[i], values[other]) = (values[other], values[i]);
        }
    }
}
