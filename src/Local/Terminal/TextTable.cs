namespace Scion.Local.Terminal;

/// <summary>Columns of text, padded; no borders, never cut, so that output can be searched and copied.</summary>
static class TextTable
{
    /// <summary>A text in lines of at most <paramref name="width"/> characters, broken at spaces.</summary>
    public static IEnumerable<string> Wrap(string text, int width)
    {
        string line = "";
        foreach (string word in text.Split(' '))
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > width)
            {
                yield return line;
                line = "";
            }
            line += line.Length == 0 ? word : " " + word;
        }
        yield return line;
    }

    /// <param name="head">Column names.</param>
    /// <param name="rows">Cells; none gives no lines at all.</param>
    /// <param name="right">Columns that are set to the right: numbers.</param>
    public static IEnumerable<string> Lines(string[] head, IEnumerable<string[]> rows, params int[] right)
    {
        string[][] all = [head, .. rows];
        if (all.Length == 1) yield break;
        int[] widths = [.. Enumerable.Range(0, head.Length).Select(column => all.Max(row => row[column].Length))];
        foreach (string[] row in all)
            yield return string.Join("  ", row.Select((cell, column) => right.Contains(column) ? cell.PadLeft(widths[column]) : cell.PadRight(widths[column]))).TrimEnd();
    }
}
