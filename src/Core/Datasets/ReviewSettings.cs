using System.ComponentModel;
using Scion.Faults;
using Scion.Text;

namespace Scion.Datasets;

/// <summary>Everything a user may set for a reviews model, in <c>dataset.json</c> or by <c>--set key=value</c>. Stored with each model.</summary>
/// <remarks>The descriptions are what <c>scion train reviews --help</c> prints, with each key's type and default: see <see cref="SettingsFile"/>.</remarks>
public sealed record ReviewSettings : IDatasetSettings
{
    /// <summary>An <see cref="Encoder"/> that is trained on the uploaded text; that ships with Scion; that ships and is trained further on the uploaded text; all
    /// of these, of which validation and what other tasks showed choose.</summary>
    public const string OwnEncoder = "own", DefaultEncoder = "default", ContinuedEncoder = "continued", AutoEncoder = "auto";

    /// <summary>Names of the columns (or JSONL fields); null finds them by their usual names.</summary>
    public ReviewColumns Columns { get; init; } = new();

    [Description("Field delimiter of CSV and TSV files: one ASCII character."), DefaultValue("detected among , ; tab |")]
    public string? Delimiter { get; init; }

    [Description("Encoding of the files: utf-8, utf-16le, utf-16be or windows-1252."), DefaultValue("detected")]
    public string? Encoding { get; init; }

    [Description("Starting point of the embedding settings: default, or article for the source article's recipe.")]
    public string Preset { get; init; } = "default";

    [Description("Word vectors: own trains them on the uploaded text, default takes those that ship (English), continued trains those further, encoders/{sha256} uses imported ones, or an imported sentence network. Several, with commas, compete; auto is default,continued,own.")]
    public string Encoder { get; init; } = AutoEncoder;

    /// <summary>The encoders that compete, in the order given. The article's recipe has only its own.</summary>
    public IReadOnlyList<string> Encoders() =>
        Encoder != AutoEncoder ? Encoder.Split(',') : Preset == "article" ? [OwnEncoder] : [DefaultEncoder, ContinuedEncoder, OwnEncoder];

    /// <summary>What <c>encoder=</c> calls a source.</summary>
    public static string NameOf(EncoderSource source) => source switch
    {
        EncoderSource.Own => OwnEncoder,
        EncoderSource.Default => DefaultEncoder,
        EncoderSource.Continued => ContinuedEncoder,
        _ => throw new ArgumentOutOfRangeException(nameof(source), source, "It has no name of its own."),
    };

    /// <summary>A value of <see cref="WordCounts"/>.</summary>
    public const string AutoWords = "auto", NoWords = "none";

    [Description("auto also counts single words beside the vectors, none leaves the vectors alone.")]
    public string WordCounts { get; init; } = AutoWords;

    /// <summary>Overrides of the preset; null fields keep its values.</summary>
    public EmbeddingOverrides Embedding { get; init; } = new();

    public SplitSettings Split { get; init; } = new();

    [Description("Kind of head: auto chooses by validation, logistic, or nearest-mean.")]
    public string Head { get; init; } = "auto";

    [Description("Seed of everything random in a run.")]
    public int Seed { get; init; } = 1;

    static DataKind IDatasetSettings.Kind => DataKind.Reviews;

    /// <inheritdoc/>
    public IEnumerable<string> Errors()
    {
        if (Delimiter is not null && (Delimiter.Length != 1 || Delimiter[0] > 126 || Delimiter[0] is '"' or '\r' or '\n' or '\0'))
            yield return $"delimiter is '{DatasetFaults.Printable(Delimiter)}'; one ASCII character other than a quote or line end is expected (a tab is \"\\t\").";
        if (Encoding is not null && !TextSource.Encodings.Contains(Encoding)) yield return SettingsFile.OneOf("encoding", Encoding, TextSource.Encodings);
        if (Preset is not ("default" or "article")) yield return SettingsFile.OneOf("preset", Preset, ["default", "article"]);
        foreach (string error in HeadErrors(Head)) yield return error;
        if (WordCounts is not (AutoWords or NoWords)) yield return SettingsFile.OneOf("wordCounts", WordCounts, [AutoWords, NoWords]);
        string[] names = Encoder.Split(',');
        foreach (string name in names)
            if (!(name is OwnEncoder or DefaultEncoder or ContinuedEncoder || (name == AutoEncoder && names.Length == 1) || IsImport(name)))
                yield return $"encoder is '{DatasetFaults.Printable(Encoder)}'; 'auto', or 'own', 'default', 'continued' or 'encoders/' and 64 hex digits as 'scion encoders import' prints them, one or several with commas, are expected.";
        if (names.Distinct(StringComparer.Ordinal).Count() != names.Length) yield return $"encoder names '{DatasetFaults.Printable(Encoder)}', one of them twice.";
        if (names.Length > MostEncoders) yield return $"encoder names {names.Length} encoders; at most {MostEncoders} compete.";
        foreach (string error in Split.Errors()) yield return error;
        foreach ((string key, string? name) in new[] { ("text", Columns.Text), ("label", Columns.Label), ("split", Columns.Split) })
            if (name is not null && string.IsNullOrWhiteSpace(name)) yield return $"columns.{key} is empty; a column's name is expected.";
        string? embedding = null;
        try
        {
            if (Preset is "default" or "article") EmbeddingPresets.Resolve(this, tokens: 1, cores: 1);
        }
        catch (InputRejectedException e)
        {
            embedding = e.Fact;
        }
        if (embedding is not null) yield return embedding;
    }

    /// <summary>Most encoders in one run.</summary>
    public const int MostEncoders = 8;

    static bool IsImport(string name) => name.StartsWith("encoders/", StringComparison.Ordinal) && name.Length == 73 && name[9..].All(char.IsAsciiHexDigitLower);

    /// <summary>What is wrong with a kind of head.</summary>
    internal static IEnumerable<string> HeadErrors(string head) =>
        head is "auto" or "logistic" or "nearest-mean" ? [] : [SettingsFile.OneOf("head", head, ["auto", "logistic", "nearest-mean"])];
}

/// <summary>Names of columns or JSONL fields. <c>#1</c> is the first column of a file without a header.</summary>
public sealed record ReviewColumns(
    [property: Description("Column or JSONL field that holds the review; #1 is the first column of a file without a header."), DefaultValue("found by usual names")]
    string? Text = null,
    [property: Description("Column or field that holds the label; empty cells are unlabelled."), DefaultValue("found by usual names")]
    string? Label = null,
    [property: Description("Column or field that holds train or test."), DefaultValue("found by usual names")]
    string? Split = null);

/// <summary>How rows are held out.</summary>
public sealed record SplitSettings
{
    [Description("Share of labelled rows held out by content hash when none is given and there are enough: 0.05 to 0.5.")]
    public double TestShare { get; init; } = 0.2;

    [Description("Labelled rows below which repeated cross-validation is used instead of a held-out set: 0 to 1000000.")]
    public int CrossValidateBelow { get; init; } = 100;

    /// <summary>What is wrong with these values, each a sentence.</summary>
    internal IEnumerable<string> Errors()
    {
        if (!(TestShare is >= 0.05 and <= 0.5)) yield return DatasetFaults.Invariant($"split.testShare is {TestShare}; it must be 0.05 to 0.5.");
        if (CrossValidateBelow is < 0 or > 1_000_000) yield return DatasetFaults.Invariant($"split.crossValidateBelow is {CrossValidateBelow}; it must be 0 to 1000000.");
    }
}
