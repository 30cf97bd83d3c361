using System.Text;

namespace Scion.Datasets;

/// <summary>How a table is read: its delimiter and which columns hold what, found from its first rows.</summary>
/// <param name="Delimiter">Field delimiter.</param>
/// <param name="HasHeader">True when the first row names the columns.</param>
/// <param name="Columns">Names, or "#1", "#2" … without a header.</param>
/// <param name="Text">Index of the text.</param>
/// <param name="Label">Index of the label; −1 when there is none.</param>
/// <param name="Split">Index of the split; −1 when there is none.</param>
/// <param name="Warning">D202 or D203, or null.</param>
sealed record CsvLayout(char Delimiter, bool HasHeader, IReadOnlyList<string> Columns, int Text, int Label, int Split, Func<string, string>? Warning)
{
    /// <summary>Rows that are looked at.</summary>
    const int Sample = 100;

    /// <param name="window">The first bytes of the table.</param>
    /// <param name="ended">True when they are all.</param>
    /// <param name="format">Csv or Tsv; says which delimiter is tried first.</param>
    /// <param name="settings">Names and delimiter, when set.</param>
    /// <returns>Null when the window ends before the first row does.</returns>
    /// <exception cref="Faults.InputRejectedException">It has no row (D002), no column holds the text (D004), or a named column is absent (D005).</exception>
    public static CsvLayout? Detect(ReadOnlySpan<byte> window, bool ended, ReviewFormat format, ReviewSettings settings)
    {
        string candidates = settings.Delimiter ?? (format == ReviewFormat.Tsv ? "\t,;|" : ",;\t|");
        char delimiter = candidates[0];
        List<string[]> rows = [];
        double best = -1;
        foreach (char candidate in candidates)
        {
            List<string[]> read = Rows(window, ended, (byte)candidate, out int broken);
            if (read.Count == 0) continue;
            // A known name in the header weighs most, then columns at all, then that rows are equally long.
            double score = (Find(read[0], settings.Columns.Text, ColumnNames.Text) >= 0 ? 2 : 0) + (read[0].Length > 1 ? 0.5 : 0)
                + (double)read.Count(row => row.Length == read[0].Length) / (read.Count + broken);
            if (score > best) (best, delimiter, rows) = (score, candidate, read);
        }
        if (rows.Count > 0) return Choose(delimiter, rows, settings.Columns);
        return ended || window.Length > 4 * CsvTokenizer.MaxRow ? throw DatasetFaults.NoReadableRow() : null;
    }

    static CsvLayout Choose(char delimiter, List<string[]> rows, ReviewColumns set)
    {
        string[] first = rows[0];
        if (new[] { set.Text, set.Label, set.Split }.Any(name => name is ['#', ..] && !first.Contains(name))) return ByPosition(delimiter, first, set);
        int text = Find(first, set.Text, ColumnNames.Text);
        if (text < 0 && set.Text is not null) throw DatasetFaults.NoSuchColumn("text", set.Text, first);
        if (text < 0) return WithoutNames(delimiter, rows, set);
        return new CsvLayout(delimiter, true, first, text, Named("label", set.Label, ColumnNames.Label), Named("split", set.Split, ColumnNames.Split), null);

        int Named(string key, string? name, IReadOnlyList<string> usual)
        {
            int found = Find(first, name, usual, text);
            return found < 0 && name is not null ? throw DatasetFaults.NoSuchColumn(key, name, first) : found;
        }
    }

    static CsvLayout ByPosition(char delimiter, string[] first, ReviewColumns set)
    {
        string[] columns = [.. first.Select((_, i) => $"#{i + 1}")];
        return new CsvLayout(delimiter, false, columns, At("text", set.Text ?? "#1"), At("label", set.Label), At("split", set.Split), null);

        int At(string key, string? name)
        {
            int found = name is null ? -1 : Array.IndexOf(columns, name);
            return found < 0 && name is not null ? throw DatasetFaults.NoSuchColumn(key, name, columns) : found;
        }
    }

    /// <summary>Files without a header: one column of texts, or texts and labels side by side.</summary>
    static CsvLayout WithoutNames(char delimiter, List<string[]> rows, ReviewColumns set)
    {
        string[] first = rows[0];
        if (first.Length == 1 && set is { Label: null, Split: null })
        {
            string name = first[0];
            bool named = name.Trim() is { Length: > 0 and <= 40 } trimmed && !trimmed.Any(char.IsWhiteSpace) && rows.Count > 1;
            return new CsvLayout(delimiter, named, named ? first : ["#1"], 0, -1, -1,
                named ? part => DatasetFaults.TakenColumn(part, name) : part => DatasetFaults.NoHeader(part, "1", null));
        }
        if (first.Length == 2 && set is { Label: null, Split: null })
            for (int label = 1; label >= 0; label--)
                if (LooksLikeTextAndLabel(rows, 1 - label, label))
                {
                    (string textAt, string labelAt) = label == 1 ? ("1", "2") : ("2", "1");
                    return new CsvLayout(delimiter, false, ["#1", "#2"], 1 - label, label, -1, part => DatasetFaults.NoHeader(part, textAt, labelAt));
                }
        throw DatasetFaults.NoTextColumn(first, delimiter.ToString());
    }

    /// <summary>True when one column repeats a few short values, the first row's among them, and the other holds longer texts of several words.</summary>
    static bool LooksLikeTextAndLabel(List<string[]> rows, int text, int label)
    {
        string[][] pairs = [.. rows.Where(row => row.Length == 2)];
        if (pairs.Length < 2) return false;
        string[] labels = [.. pairs.Select(row => row[label].Trim())], texts = [.. pairs.Select(row => row[text].Trim())];
        string[] named = [.. labels.Where(value => value.Length > 0)];
        int distinct = named.Distinct(StringComparer.OrdinalIgnoreCase).Count();
        return named.Length > 0 && named.All(value => value.Length <= 40) && distinct <= Math.Max(2, named.Length / 3)
            && texts.Average(value => value.Length) > 2 * labels.Average(value => value.Length)
            && texts.Average(value => value.Split(' ').Length) >= 2
            && (texts[0].Split(' ').Length >= 3 || labels.Skip(1).Contains(labels[0], StringComparer.OrdinalIgnoreCase));
    }

    /// <param name="header">Names as written.</param>
    /// <param name="set">The name to find, or null.</param>
    /// <param name="usual">Names tried in this order when none is set.</param>
    /// <param name="taken">Index that is not looked at.</param>
    static int Find(string[] header, string? set, IReadOnlyList<string> usual, int taken = -1)
    {
        if (set is not null)
        {
            int exact = Array.FindIndex(header, name => name == set);
            return exact >= 0 ? exact : Array.FindIndex(header, name => ColumnNames.Same(name, set));
        }
        foreach (string name in usual)
        {
            int found = Array.FindIndex(header, column => ColumnNames.Same(column, name));
            if (found >= 0 && found != taken) return found;
        }
        return -1;
    }

    static List<string[]> Rows(ReadOnlySpan<byte> window, bool ended, byte delimiter, out int broken)
    {
        CsvTokenizer tokens = new(delimiter);
        List<string[]> rows = [];
        byte[] scratch = [];
        broken = 0;
        while (rows.Count + broken < Sample)
        {
            CsvRead read = tokens.Next(window, ended);
            if (read is CsvRead.End or CsvRead.More) break;
            if (read == CsvRead.BrokenQuote) broken++;
            if (read == CsvRead.Row)
            {
                string[] row = new string[Math.Min(tokens.FieldCount, CsvTokenizer.MaxColumns)];
                for (int i = 0; i < row.Length; i++) row[i] = Encoding.UTF8.GetString(tokens.Field(window, i, ref scratch)).Trim();
                rows.Add(row);
            }
            if (read == CsvRead.TooLong) continue;
            if (tokens.Consumed == 0) break;
            window = window[tokens.Consumed..];
        }
        return rows;
    }
}

/// <summary>Usual names of columns and JSON fields, most telling first.</summary>
static class ColumnNames
{
    public static readonly IReadOnlyList<string> Text =
        ["text", "review", "reviewtext", "reviewbody", "sentence", "comment", "content", "body", "message", "feedback", "tweet", "document", "phrase", "reviews", "texts", "description"];

    public static readonly IReadOnlyList<string> Label =
        ["label", "sentiment", "class", "category", "target", "rating", "labels", "polarity", "stars", "reviewrating", "overall", "classlabel", "tag"];

    public static readonly IReadOnlyList<string> Split = ["split", "subset", "partition"];

    /// <summary>Equal but for case, white space, '_', '-' and '.'.</summary>
    public static bool Same(string one, string other) => Bare(one).Equals(Bare(other), StringComparison.OrdinalIgnoreCase);

    static string Bare(string name) => string.Concat(name.Where(c => !char.IsWhiteSpace(c) && c is not ('_' or '-' or '.')));
}
