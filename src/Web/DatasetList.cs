using Scion.Pipelines;

namespace Scion.Web;

/// <param name="Container">Where it lies.</param>
/// <param name="Name">Name in it, with the model's folder.</param>
/// <param name="Length">Bytes.</param>
sealed record Uploaded(string Container, string Name, long Length);

/// <summary>What became of a drop, as its record says.</summary>
/// <param name="Outcome">Recorded, known, endedBefore or refused.</param>
/// <param name="Run">The run that trains, or trained, on it; null when it was refused.</param>
/// <param name="Refusal">Why it is not trained on; null otherwise.</param>
/// <param name="Files">Files that lay in the folder then.</param>
/// <param name="Pinned">Of them, those that the run reads.</param>
/// <param name="Warnings">Of files that were not read.</param>
/// <param name="At">When it was looked at.</param>
sealed record Arrival(ArrivalOutcome Outcome, string? Run, ArrivalRefusal? Refusal, int Files, int Pinned, IReadOnlyList<string> Warnings, DateTimeOffset At)
{
    public static Arrival Of(ArrivalRecord record) => new(record.Outcome, record.Run, record.Refusal, record.Files, record.Pinned, record.Warnings, record.At);
}

/// <summary>A folder of uploads.</summary>
/// <param name="Kind">"reviews" or "images".</param>
/// <param name="Model">Name of the model and of the folder.</param>
/// <param name="Files">Files in it now, read or not.</param>
/// <param name="Bytes">Of them all.</param>
/// <param name="Newest">When one of them was last written, by the store's clock; null for an empty folder.</param>
/// <param name="TakenIn">False when something has changed since the arrival; it is looked at by itself once nothing more changes.</param>
/// <param name="LastArrival">What became of it when it was last looked at; null when it never was.</param>
sealed record Dataset(string Kind, string Model, int Files, long Bytes, DateTimeOffset? Newest, bool TakenIn, Arrival? LastArrival);

/// <summary>What became of the last drop into one folder.</summary>
sealed record DatasetSummary(string Kind, string Model, Arrival LastArrival);

/// <summary>Uploads that lie in no model's folder.</summary>
/// <param name="Container"><c>reviews</c>, <c>images</c> or <c>predict</c>.</param>
/// <param name="Uploads">A sentence for each file or folder, with its code; the first hundred.</param>
/// <param name="Total">How many there are in all.</param>
/// <param name="At">When they were found to be so.</param>
sealed record Strays(string Container, IReadOnlyList<string> Uploads, int Total, DateTimeOffset At);

sealed record DatasetList(IReadOnlyList<DatasetSummary> Datasets, IReadOnlyList<Strays> Strays);
