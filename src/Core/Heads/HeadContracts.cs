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
/// <param name="ValidationAccuracy">Cross-validated on training rows, of the chosen head and strength.</param>
/// <param name="HeadParameters">(dim + 1) · classes: the article's formula.</param>
/// <param name="Fitted">The head fitted on all training rows, read with <see cref="LinearHead"/>; null for bag of words.</param>
/// <param name="Predictions">Class probabilities for rows not fitted on, read with <c>HeldOutPredictions</c>.</param>
/// <param name="Warnings">What a person should know, each a sentence that begins with its code.</param>
public sealed record HeadsTrained(
    CandidateKind Kind, string Head, double? Strength, double ValidationAccuracy, long HeadParameters, ArtifactRef? Fitted,
    ArtifactRef Predictions, IReadOnlyList<string> Warnings);
