using System.ComponentModel;
using Scion.Text;

namespace Scion.Datasets;

/// <summary>Everything a user may set for a reviews model, in <c>dataset.json</c> or by <c>--set key=value</c>. Stored with each model.</summary>
/// <remarks>The descriptions are what <c>scion train reviews --help</c> prints, with each key's type and default: see <see cref="ReviewSettingsFile"/>.</remarks>
public sealed record ReviewSettings
{
    /// <summary>The <see cref="Encoder"/> that is trained on the uploaded text.</summary>
    public const string OwnEncoder = "own";

    /// <summary>Names of the columns (or JSONL fields); null finds them by their usual names.</summary>
    public ReviewColumns Columns { get; init; } = new();

    [Description("Field delimiter of CSV and TSV files: one ASCII character."), DefaultValue("detected among , ; tab |")]
    public string? Delimiter { get; init; }

    [Description("Encoding of the files: utf-8, utf-16le, utf-16be or windows-1252."), DefaultValue("detected")]
    public string? Encoding { get; init; }

    [Description("Starting point of the embedding settings: default, or article for the source article's recipe.")]
    public string Preset { get; init; } = "default";

    [Description("own trains word vectors on the uploaded text; encoders/{sha256} uses imported ones.")]
    public string Encoder { get; init; } = OwnEncoder;

    /// <summary>Overrides of the preset; null fields keep its values.</summary>
    public EmbeddingOverrides Embedding { get; init; } = new();

    public SplitSettings Split { get; init; } = new();

    [Description("Kind of head: auto chooses by validation, logistic, or nearest-mean.")]
    public string Head { get; init; } = "auto";

    [Description("Seed of everything random in a run.")]
    public int Seed { get; init; } = 1;
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
}
