using System.Text.Json.Serialization;
using Scion.Datasets;

namespace Scion.Pipelines;

/// <summary>What a run on images is asked to do.</summary>
/// <param name="Run">Identity.</param>
/// <param name="Model">Model name.</param>
/// <param name="Version">Name of the version it makes.</param>
/// <param name="DataDigest">SHA-256 over the names and digests of the files.</param>
/// <param name="Files">The pinned files, by name.</param>
/// <param name="Settings">From dataset.json, the command line and defaults.</param>
public sealed record TrainImagesRequest(
    string Run, string Model, string Version, string DataDigest, IReadOnlyList<PinnedFile> Files, ImageSettings Settings)
    : TrainingRequest(Run, Model, Version, DataDigest, Files)
{
    [JsonIgnore]
    public override string Kind => "images";

    /// <summary>The files as they are ingested: each archive alone, loose pictures by folder in batches of at most <see cref="ImageBatch.MaxPictures"/>.</summary>
    [JsonIgnore]
    public IReadOnlyList<ImageBatch> Batches => ImageBatch.Of(Files);

    [JsonIgnore]
    public override IReadOnlyList<(string Name, long Length)> Listed =>
        [.. Batches.GroupBy(batch => batch.Name, StringComparer.Ordinal).Select(group => (group.Key, group.Sum(batch => batch.Files.Sum(file => file.Length))))];

    /// <param name="model">Model name.</param>
    /// <param name="files">The pinned files.</param>
    /// <param name="settings">Complete settings.</param>
    /// <param name="recorded">When the run was recorded, UTC; only names the version.</param>
    public static TrainImagesRequest Of(string model, IReadOnlyList<PinnedFile> files, ImageSettings settings, DateTimeOffset recorded)
    {
        PinnedFile[] ordered = [.. files.OrderBy(file => file.Name, StringComparer.Ordinal)];
        (string run, string version, string data) = IdentityOf("images", model, ordered, settings, recorded);
        return new TrainImagesRequest(run, model, version, data, ordered, settings);
    }
}
