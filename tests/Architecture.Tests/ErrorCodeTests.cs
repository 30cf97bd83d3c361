using System.Text.RegularExpressions;

namespace Scion.Tests;

/// <summary>docs/errors.md and the sources list the same codes.</summary>
public sealed partial class ErrorCodeTests
{
    static readonly string Document = SourceTree.Read("docs/errors.md");

    /// <summary>Codes in the sources: a literal that is a code, or that begins with one and a colon.</summary>
    static SortedDictionary<string, string> InSources()
    {
        SortedDictionary<string, string> found = new(StringComparer.Ordinal);
        foreach (SourceFile file in SourceTree.Files("src", ".cs"))
            foreach (Match match in Code().Matches(file.Text)) found.TryAdd(match.Groups["code"].Value, file.Path);
        return found;
    }

    static IEnumerable<(string Section, string[] Cells)> Rows()
    {
        string section = "";
        foreach (string line in Document.Split('\n'))
        {
            if (line.StartsWith("## ", StringComparison.Ordinal)) section = SectionLetter().Match(line).Groups[1].Value;
            else if (line.StartsWith('|') && !line.StartsWith("|---", StringComparison.Ordinal) && !line.StartsWith("| Code", StringComparison.Ordinal))
                yield return (section, [.. line.Trim().Trim('|').Split(" | ").Select(cell => cell.Trim())]);
        }
    }

    [Fact]
    public void Codes_InTheSources_AreDocumented()
    {
        SortedDictionary<string, string> sources = InSources();
        HashSet<string> documented = [.. Rows().Select(row => row.Cells[0])];

        SourceTree.RequireNone(sources.Where(code => !documented.Contains(code.Key)).Select(code => $"{code.Key} ({code.Value}) is not in docs/errors.md"));
        Assert.True(sources.Count > 40, $"only {sources.Count} codes were found: the search is broken");
    }

    [Fact]
    public void Codes_Documented_AreInTheSources()
    {
        SortedDictionary<string, string> sources = InSources();

        SourceTree.RequireNone(Rows().Select(row => row.Cells[0]).Where(code => !sources.ContainsKey(code)).Select(code => $"{code} is in docs/errors.md and nowhere in src"));
    }

    [Fact]
    public void Tables_OfTheDocument_AreWellFormed()
    {
        (string Section, string[] Cells)[] rows = [.. Rows()];

        SourceTree.RequireNone(rows.Where(row => row.Cells.Length != 3 || row.Cells.Any(cell => cell.Length == 0)).Select(row => $"{string.Join(" | ", row.Cells)}: needs a code, a fact and a remedy"));
        SourceTree.RequireNone(rows.Where(row => row.Section != row.Cells[0][..1]).Select(row => $"{row.Cells[0]} stands in the section of {row.Section}"));
        SourceTree.RequireNone(rows.GroupBy(row => row.Cells[0]).Where(code => code.Count() > 1).Select(code => $"{code.Key} has {code.Count()} meanings"));
        Assert.Equal(rows.Select(row => row.Cells[0]).OrderBy(code => code[0] switch { 'S' => 0, 'D' => 1, 'T' => 2, 'H' => 3, 'E' => 4, 'R' => 5, 'P' => 6, 'W' => 7, _ => 8 })
            .ThenBy(code => code, StringComparer.Ordinal), rows.Select(row => row.Cells[0]));
    }

    [GeneratedRegex("""(?<!\w)\$?"(?<code>[A-Z][0-9]{3})(?:"|: )""")]
    private static partial Regex Code();

    [GeneratedRegex(@"\(([A-Z])\)")]
    private static partial Regex SectionLetter();
}
