using Scion.Text;

namespace Scion.Datasets;

/// <summary>Labels as written, folded to classes: equal but for case, white space and Unicode form is one class, named by its most frequent spelling.
/// Labels too rare to be a class beside the others are set aside: their rows are listed, and their texts are used as unlabelled.</summary>
/// <remarks>Set aside is a label with fewer than <see cref="ReviewLimits.RowsPerClass"/> rows, or with fewer than <see cref="RareRows"/> when the
/// largest label has <see cref="RareRatio"/> times as many: "postive" once among thousands is a slip, not a class.</remarks>
sealed class LabelFolding
{
    const int RareRows = 5;
    const int RareRatio = 100;

    /// <summary>A spelling is pointed out when it is two slips or fewer from a label with this many times the rows.</summary>
    const int SlipRatio = 10;

    readonly Dictionary<string, int> byKey = new(StringComparer.Ordinal);
    readonly List<(string Key, string Name, long Rows, int Spellings)> folded = [];
    readonly Dictionary<int, string?> slips = [];

    /// <param name="counts">Labels as written, of all files.</param>
    public LabelFolding(IEnumerable<LabelCount> counts)
    {
        foreach (var label in counts.GroupBy(count => Key(count.Label), StringComparer.Ordinal).OrderBy(group => group.Key, StringComparer.Ordinal))
        {
            LabelCount[] spellings = [.. label.GroupBy(count => count.Label, StringComparer.Ordinal)
                .Select(spelling => new LabelCount(spelling.Key, spelling.Sum(count => count.Rows)))
                .OrderByDescending(spelling => spelling.Rows).ThenBy(spelling => spelling.Label, StringComparer.Ordinal)];
            byKey[label.Key] = folded.Count;
            folded.Add((label.Key, spellings[0].Label, spellings.Sum(spelling => spelling.Rows), spellings.Length));
        }
    }

    /// <summary>Folded labels, set aside or not.</summary>
    public int Count => folded.Count;

    public string Name(int label) => folded[label].Name;

    /// <summary>The folded label of a label as written.</summary>
    public int Of(string label) => byKey[Key(label)];

    public IEnumerable<LabelCount> Counts => folded.Select(label => new LabelCount(label.Name, label.Rows));

    /// <summary>True when so many rows are too few for a class beside one of <paramref name="largest"/> rows.</summary>
    public static bool IsRare(long rows, long largest) => rows < ReviewLimits.RowsPerClass || (rows < RareRows && rows * RareRatio <= largest);

    /// <summary>Spellings that were made one.</summary>
    public IEnumerable<(string Name, int Spellings)> Merged => folded.Where(label => label.Spellings > 1).Select(label => (label.Name, label.Spellings));

    /// <summary>The frequent label that this one looks like a slip of, or null.</summary>
    public string? SlipOf(int label)
    {
        if (slips.TryGetValue(label, out string? known)) return known;
        (string key, string name, long rows, _) = folded[label];
        return slips[label] = name.Length < 4 ? null : folded.Where(other => other.Rows >= rows * SlipRatio && EditDistance.AtMost(key, other.Key, 2))
            .OrderByDescending(other => other.Rows).Select(other => other.Name).FirstOrDefault();
    }

    static string Key(string label) =>
        string.Join(' ', Tokenizer.Composed(label).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)).ToUpperInvariant();
}
