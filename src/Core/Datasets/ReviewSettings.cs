using Scion.Text;

namespace Scion.Datasets;

/// <summary>Everything a user may set for a reviews model, in <c>dataset.json</c> or by <c>--set key=value</c>. Stored with each model.</summary>
public sealed record ReviewSettings
{
    /// <summary>The <see cref="Encoder"/> that is trained on the uploaded text.</summary>
    public const string OwnEncoder = "own";

    /// <summary>Names of the columns (or JSONL fields); null finds them by their usual names.</summary>
    public ReviewColumns Columns { get; init; } = new();

    /// <summary>Field delimiter of CSV files, one character; null detects it.</summary>
    public string? Delimiter { get; init; }

    /// <summary>"utf-8", "utf-16le", "utf-16be" or "windows-1252"; null detects it.</summary>
    public string? Encoding { get; init; }

    /// <summary>"default" or "article"; the starting point of <see cref="Embedding"/>.</summary>
    public string Preset { get; init; } = "default";

    /// <summary>"own" trains word vectors on the uploaded text; <c>encoders/{sha256}</c> uses imported ones.</summary>
    public string Encoder { get; init; } = OwnEncoder;

    /// <summary>Overrides of the preset; null fields keep its values.</summary>
    public EmbeddingOverrides Embedding { get; init; } = new();

    public SplitSettings Split { get; init; } = new();

    /// <summary>"auto", "logistic" or "nearest-mean".</summary>
    public string Head { get; init; } = "auto";

    /// <summary>Seed of everything random in a run. Default 1.</summary>
    public int Seed { get; init; } = 1;
}

/// <param name="Text">Column holding the review.</param>
/// <param name="Label">Column holding the label; empty cells are unlabelled.</param>
/// <param name="Split">Column holding <c>train</c> or <c>test</c>.</param>
public sealed record ReviewColumns(string? Text = null, string? Label = null, string? Split = null);

/// <summary>How rows are held out.</summary>
public sealed record SplitSettings
{
    /// <summary>Share of labelled rows held out by content hash when none is given and there are enough. In [0.05, 0.5]; default 0.2.</summary>
    public double TestShare { get; init; } = 0.2;

    /// <summary>Labelled rows below which repeated cross-validation is used instead of a held-out set. Default 100.</summary>
    public int CrossValidateBelow { get; init; } = 100;
}
