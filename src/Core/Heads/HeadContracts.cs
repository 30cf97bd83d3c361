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
}

/// <param name="Kind">What the features are.</param>
/// <param name="Encoder">Null for <see cref="CandidateKind.BagOfWords"/>.</param>
/// <param name="Features">One per shard that has labelled rows, by shard; empty for bag of words.</param>
/// <param name="Data">The data set.</param>
/// <param name="Settings">Head kind, seed.</param>
public sealed record TrainHeadsInput(
    CandidateKind Kind, EncoderTrained? Encoder, IReadOnlyList<FeaturesExtracted> Features, CuratedReviews Data, ReviewSettings Settings);

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
    ArtifactRef Predictions, IReadOnlyList<string> Warnings, ArtifactRef Validation, double Temperature);
