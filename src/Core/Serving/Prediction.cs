using System.Text.Json.Serialization;

namespace Scion.Serving;

/// <summary>Why a prediction abstains.</summary>
public enum AbstainReason
{
    /// <summary>No word of the text is known; of a sentence network, no token.</summary>
    NoKnownWords,
    /// <summary>The text or picture is unlike every stored example.</summary>
    UnlikeTraining,
}

/// <summary>What a model says of one text or picture.</summary>
/// <param name="Label">The most probable class. When <paramref name="Abstained"/>, do not act on it.</param>
/// <param name="Score">Its calibrated probability, in [0, 1].</param>
/// <param name="Scores">Probability of every class, in the order of the model's labels; they sum to 1.</param>
/// <param name="Abstained">True when the model has no ground to judge it.</param>
/// <param name="Reason">Why it abstains; null when it does not.</param>
/// <param name="Neighbours">The labelled examples most like it, nearest first.</param>
/// <param name="Words">What each word did, largest first; null unless asked for, and for pictures.</param>
public sealed record Prediction(
    string Label, float Score, IReadOnlyDictionary<string, float> Scores, bool Abstained, AbstainReason? Reason,
    IReadOnlyList<Neighbour> Neighbours, IReadOnlyList<WordContribution>? Words = null)
{
    /// <summary>True when the text has more tokens than the model's sentence network reads, so that only its beginning was judged.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Cut { get; init; }
}

/// <param name="Text">The example's text, at most 300 characters; null for a picture.</param>
/// <param name="Label">Its label.</param>
/// <param name="Similarity">Cosine of its features to the input's, in [−1, 1].</param>
public sealed record Neighbour(string? Text, string Label, float Similarity)
{
    /// <summary>Of a picture: its name below the model's folder; null for a text.</summary>
    public string? Name { get; init; }

    /// <summary>Of a picture: its number among those the version stores, by which its small picture is found; null for a text.</summary>
    public int? Example { get; init; }
}

/// <param name="Word">A known word of the text.</param>
/// <param name="Contribution">Log-odds of the predicted label with the word less those without any of its occurrences, nats.
/// Above 0: the word speaks for the label.</param>
public sealed record WordContribution(string Word, float Contribution);
