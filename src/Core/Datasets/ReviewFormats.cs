using Scion.Storage;

namespace Scion.Datasets;

/// <summary>How a file or an archive's entry is read.</summary>
enum ReviewFormat
{
    Csv,
    Tsv,
    Jsonl,
    Txt,
    Zip,
}

/// <summary>Which files hold reviews, told by their names.</summary>
public static class ReviewFormats
{
    /// <summary>Name of the optional settings file in a model's folder.</summary>
    public const string SettingsName = "dataset.json";

    /// <summary>What a user may upload, for messages.</summary>
    public const string Known = ".csv, .tsv, .jsonl, .txt, each also as .gz, and .zip";

    /// <summary>True for a file that reviews are read from.</summary>
    public static bool IsReviewFile(string name) => Of(name, out _) is not null;

    /// <summary>True for the hidden files that systems and copying programs leave beside a user's own: .DS_Store, .reviews.csv.Kx83.</summary>
    public static bool IsHidden(string name) => Path.GetFileName(name).StartsWith('.');

    /// <summary>True for a file that is a whole data set, so that a run may start at once; loose .txt files wait for their companions.</summary>
    public static bool IsCompleteByItself(string name) => Of(name, out _) is not (null or ReviewFormat.Txt);

    /// <param name="name">A file's or an entry's name.</param>
    /// <param name="compressed">True when it is a gzip of the format.</param>
    /// <returns>Null for a name of any other kind, a gzip of a zip among them.</returns>
    internal static ReviewFormat? Of(string name, out bool compressed)
    {
        compressed = name.EndsWith(".gz", StringComparison.OrdinalIgnoreCase);
        ReadOnlySpan<char> inner = compressed ? name.AsSpan(0, name.Length - 3) : name;
        return Path.GetExtension(inner) switch
        {
            var e when e.Equals(".csv", StringComparison.OrdinalIgnoreCase) => ReviewFormat.Csv,
            var e when e.Equals(".tsv", StringComparison.OrdinalIgnoreCase) => ReviewFormat.Tsv,
            var e when e.Equals(".jsonl", StringComparison.OrdinalIgnoreCase) => ReviewFormat.Jsonl,
            var e when e.Equals(".txt", StringComparison.OrdinalIgnoreCase) => ReviewFormat.Txt,
            var e when e.Equals(".zip", StringComparison.OrdinalIgnoreCase) && !compressed => ReviewFormat.Zip,
            _ => null,
        };
    }
}
