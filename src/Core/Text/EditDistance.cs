namespace Scion.Text;

/// <summary>Levenshtein distance, as a bound.</summary>
public static class EditDistance
{
    /// <summary>True when <paramref name="limit"/> insertions, deletions and substitutions or fewer turn one text into the other.</summary>
    public static bool AtMost(ReadOnlySpan<char> a, ReadOnlySpan<char> b, int limit)
    {
        if (Math.Abs(a.Length - b.Length) > limit) return false;
        Span<int> row = b.Length < 256 ? stackalloc int[b.Length + 1] : new int[b.Length + 1];
        for (int j = 0; j <= b.Length; j++) row[j] = j;
        for (int i = 1; i <= a.Length; i++)
        {
            int diagonal = row[0], least = row[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                int next = Math.Min(Math.Min(row[j], row[j - 1]) + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1));
                (diagonal, row[j]) = (row[j], next);
                least = Math.Min(least, next);
            }
            if (least > limit) return false;
        }
        return row[b.Length] <= limit;
    }
}
