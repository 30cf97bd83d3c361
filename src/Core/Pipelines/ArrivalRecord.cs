namespace Scion.Pipelines;

/// <summary>What became of what was dropped into a model's folder.</summary>
public enum ArrivalOutcome
{
    /// <summary>A run was recorded for it, or had been recorded and not ended.</summary>
    Recorded,

    /// <summary>A run of the same data had ended before, or is under way with other settings: nothing new is trained.</summary>
    Known,

    /// <summary>A run of the same data and settings failed or was cancelled before; it is not tried again before something changes.</summary>
    EndedBefore,

    /// <summary>It cannot be trained on: no run was recorded.</summary>
    Refused,
}

/// <summary>The last arrival in <c>reviews/{model}/</c> or <c>images/{model}/</c>, and what became of it: <c>runs/arrivals/{kind}/{model}.json</c>.</summary>
/// <remarks>It tells what was refused before a run began. A sweep compares <see cref="Print"/> with the folder as listed.</remarks>
public sealed record ArrivalRecord
{
    /// <summary>"reviews" or "images".</summary>
    public required string Kind { get; init; }

    public required string Model { get; init; }

    /// <summary>The folder as it was taken in: <see cref="Datasets.DroppedFolder.Print"/>.</summary>
    public required string Print { get; init; }

    /// <summary><see cref="TrainingRequest.CodeVersion"/> of the program that took it in: a later one decides anew.</summary>
    public required int CodeVersion { get; init; }

    /// <summary>Files in the folder, read or not.</summary>
    public required int Files { get; init; }

    /// <summary>Of them, those that the run reads; 0 when it was refused.</summary>
    public int Pinned { get; init; }

    /// <summary>When the newest of them was written, by the store's clock.</summary>
    public required DateTimeOffset Newest { get; init; }

    public required ArrivalOutcome Outcome { get; init; }

    /// <summary>The run that trains, or trained, on it; null when it was refused.</summary>
    public string? Run { get; init; }

    /// <summary>Why it is not trained on; null unless <see cref="Outcome"/> is <see cref="ArrivalOutcome.Refused"/>.</summary>
    public ArrivalRefusal? Refusal { get; init; }

    /// <summary>Of files that were not read, each a sentence that begins with its code.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>When it was taken in.</summary>
    public required DateTimeOffset At { get; init; }
}

/// <param name="Code">As in docs/errors.md.</param>
/// <param name="Fact">What was found, with numbers.</param>
/// <param name="Remedy">What the reader can do.</param>
public sealed record ArrivalRefusal(string Code, string Fact, string Remedy);

/// <summary>Uploads that lie in no model's folder, so that no run can take them up: <c>runs/arrivals/{container}.json</c>, also of <c>predict</c>.</summary>
/// <param name="Uploads">A sentence, with its code, for each file in no folder and for each folder with an unusable name; the first <see cref="Listed"/>.</param>
/// <param name="Total">How many sentences there are in all.</param>
/// <param name="At">When they were found to be so.</param>
public sealed record StrayRecord(IReadOnlyList<string> Uploads, int Total, DateTimeOffset At)
{
    public const int Listed = 100;
}
