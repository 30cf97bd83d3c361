using System.Text.Json.Serialization;
using Scion.Datasets;

namespace Scion.Pipelines;

/// <summary>What a run on reviews is asked to do.</summary>
/// <param name="Run">Identity.</param>
/// <param name="Model">Model name.</param>
/// <param name="Version">Name of the version it makes.</param>
/// <param name="DataDigest">SHA-256 over the names and digests of the files.</param>
/// <param name="Files">The pinned files, by name.</param>
/// <param name="Settings">From dataset.json, the command line and defaults.</param>
public sealed record TrainReviewsRequest(
    string Run, string Model, string Version, string DataDigest, IReadOnlyList<PinnedFile> Files, ReviewSettings Settings)
    : TrainingRequest(Run, Model, Version, DataDigest, Files)
{
    [JsonIgnore]
    public override string Kind => "reviews";

    [JsonIgnore]
    public override IReadOnlyList<(string Name, long Length)> Listed => [.. Files.Select(file => (file.Name, file.Length))];

    /// <param name="model">Model name.</param>
    /// <param name="files">The pinned files.</param>
    /// <param name="settings">Complete settings.</param>
    /// <param name="recorded">When the run was recorded, UTC; only names the version.</param>
    public static TrainReviewsRequest Of(string model, IReadOnlyList<PinnedFile> files, ReviewSettings settings, DateTimeOffset recorded)
    {
        PinnedFile[] ordered = [.. files.OrderBy(file => file.Name, StringComparer.Ordinal)];
        (string run, string version, string data) = IdentityOf("reviews", model, ordered, settings, recorded);
        return new TrainReviewsRequest(run, model, version, data, ordered, settings);
    }
}
