using System.Text.Json.Serialization;
using Scion.Datasets;
using Scion.Storage;
using Scion.Text;

namespace Scion.Heads;

/// <summary>What a candidate's features are.</summary>
public enum CandidateKind
{
    /// <summary>Frozen features of a pretrained encoder: the transferred model.</summary>
    Transfer,
    /// <summary>The same encoder with random vectors, never trained: from scratch.</summary>
    Scratch,
    /// <summary>TF-IDF bag of words fitted on the training rows only: from scratch, the classic way.</summary>
    BagOfWords,
    /// <summary>Colour histogram and histogram of oriented gradients of pictures: from scratch, the classic way.</summary>
    Pixels,
}

/// <summary>What a head may be fitted to: features of one kind for all labelled rows.</summary>
/// <param name="Name">Layer of the network they come from; empty when there is only one kind.</param>
/// <param name="Shards">One per shard that has labelled rows, by shard; all of one size.</param>
/// <param name="Preferred">True for the set to keep where validation cannot tell; of several sets one is.</param>
public sealed record FeatureSet(string Name, IReadOnlyList<FeaturesExtracted> Shards, bool Preferred = false)
{
    /// <summary>How inputs differ by these features, labelled or not, read with <see cref="FeatureSpectrum"/>: heads are fitted along it. Null: to the features as they are.</summary>
    public ArtifactRef? Spectrum { get; init; }

    /// <summary>Words whose counts stand beside the features; null for none.</summary>
    public ArtifactRef? Vocabulary { get; init; }

    /// <summary>Length of the counts beside features of mean length 1; 0 leaves them out.</summary>
    public double WordShare { get; init; }

    /// <summary>Nats by which this set's validation loss, summed over rows, must be less than that of a set without handicap: what other tasks say of it. Null: the
    /// preferred set is left by the rule of standard errors.</summary>
    public double? Handicap { get; init; }
}

/// <summary>Float32 features of the labelled rows of one shard, [rows, dim].</summary>
/// <param name="Shard">Index into <see cref="CuratedRows.Shards"/>.</param>
/// <param name="Rows">Labelled rows in it.</param>
/// <param name="Dim">Components of a row.</param>
/// <param name="Features">float32, little-endian, row-major, in row order.</param>
public sealed record FeaturesExtracted(int Shard, int Rows, int Dim, ArtifactRef Features)
{
    /// <summary>Texts of which a sentence network read only the beginning.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public int Cut { get; init; }
}

/// <summary>How heads are fitted.</summary>
/// <param name="Head">"auto" chooses by validation, "logistic" or "nearest-mean".</param>
/// <param name="Seed">Of folds and draws.</param>
public sealed record HeadSettings(string Head, int Seed);

/// <param name="Kind">What the features are.</param>
/// <param name="Sets">What the head may be fitted to: one set, or one a layer, of which validation chooses; empty for bag of words.</param>
/// <param name="Data">The data set.</param>
/// <param name="Settings">Head kind, seed.</param>
public sealed record TrainHeadsInput(
    CandidateKind Kind, IReadOnlyList<FeatureSet> Sets, CuratedRows Data, HeadSettings Settings);

/// <summary>One candidate, fitted.</summary>
/// <param name="Kind">What its features are.</param>
/// <param name="Head">"logistic" or "nearest-mean": the kind that validated best on the training rows.</param>
/// <param name="Strength">L2 strength that validated best; null for nearest-mean.</param>
/// <param name="ValidationAccuracy">Cross-validated on training rows, of the chosen head and strength; classes weigh the same.</param>
/// <param name="HeadParameters">(dim + 1) · classes: the article's formula.</param>
/// <param name="Fitted">The head fitted on all training rows, read with <see cref="LinearHead"/>; null for bag of words.</param>
/// <param name="Predictions">Logits for rows not fitted on, read with <see cref="HeldOutPredictions"/>: the test rows, or under cross-validation
/// all labelled rows in every repeat.</param>
/// <param name="Warnings">What a person should know, each a sentence that begins with its code.</param>
/// <param name="Validation">Logits for training rows, each by a head of the chosen kind and strength not fitted on it; read with
/// <see cref="HeldOutPredictions"/>.</param>
/// <param name="Temperature">Logits divided by it are calibrated; fitted on <paramref name="Validation"/>. Above 0.</param>
public sealed record HeadsTrained(
    CandidateKind Kind, string Head, double? Strength, double ValidationAccuracy, long HeadParameters, ArtifactRef? Fitted,
    ArtifactRef Predictions, IReadOnlyList<string> Warnings, ArtifactRef Validation, double Temperature)
{
    /// <summary>What words add to the head's logits, read with <see cref="WordLexicon"/>; null where no words stand beside the features.</summary>
    public ArtifactRef? Lexicon { get; init; }

    /// <summary>Name of the feature set the head is fitted to: the layer; empty for bag of words.</summary>
    public string Set { get; init; } = "";

    /// <summary>What each feature set reached in validation, in the order of the input; empty when there was no choice.</summary>
    public IReadOnlyList<SetScore> Scores { get; init; } = [];
}

/// <param name="Set">Name of the feature set: a layer.</param>
/// <param name="Dim">Components of its features.</param>
/// <param name="ValidationAccuracy">As in <see cref="HeadsTrained"/>, of the best head on it.</param>
public sealed record SetScore(string Set, int Dim, double ValidationAccuracy)
{
    /// <summary>Validation loss summed over rows, nats, classes weighing the same; null where sets are not chosen by it.</summary>
    public double? ValidationLoss { get; init; }

    /// <summary>As in <see cref="FeatureSet"/>.</summary>
    public double? Handicap { get; init; }
}
