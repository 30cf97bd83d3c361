using System.Text;

namespace Scion.Datasets;

/// <summary>Writes CSV that people open in spreadsheets: RFC 4180, and no cell is taken for a formula.</summary>
/// <remarks>A cell that begins with = + - @, tab, CR, LF or NUL gets a leading apostrophe (OWASP ASVS 5.0, 1.2.10). To read such a cell back, drop one
/// apostrophe that stands before one of these, or before another apostrophe.</remarks>
public static class ExportCsv
{
    const string Leading = "=+-@\t\r\n\0'";

    /// <summary>Appends one row and a line feed.</summary>
    public static void Append(StringBuilder csv, params ReadOnlySpan<string> cells)
    {
        for (int i = 0; i < cells.Length; i++)
        {
            if (i > 0) csv.Append(',');
            AppendCell(csv, cells[i]);
        }
        csv.Append('\n');
    }

    /// <summary>The text that a cell written by <see cref="Append"/> was made from, given what a CSV reader reads.</summary>
    public static string Undo(string cell) => cell is ['\'', _, ..] && IsLeading(cell[1]) ? cell[1..] : cell;

    static void AppendCell(StringBuilder csv, string cell)
    {
        bool guarded = cell.Length > 0 && IsLeading(cell[0]) && (cell[0] != '\'' || (cell.Length > 1 && IsLeading(cell[1])));
        bool quoted = cell.AsSpan().IndexOfAny(",\"\r\n") >= 0;
        if (quoted) csv.Append('"');
        if (guarded) csv.Append('\'');
        csv.Append(quoted ? cell.Replace("\"", "\"\"", StringComparison.Ordinal) : cell);
        if (quoted) csv.Append('"');
    }

    static bool IsLeading(char c) => Leading.Contains(c, StringComparison.Ordinal);
}
