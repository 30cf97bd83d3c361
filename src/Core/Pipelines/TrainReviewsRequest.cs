using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Scion.Datasets;

namespace Scion.Pipelines;

/// <summary>What a training run is asked to do. Equal data, settings and code make the same run.</summary>
/// <param name="Run"><c>{model}-{16 hex}</c>, the run's identity: hash of model, data digest, settings and code version.</param>
/// <param name="Model">Model name.</param>
/// <param name="Version"><c>yyyyMMdd-HHmmss-{8 hex}</c>, fixed when the run was first recorded.</param>
/// <param name="DataDigest">SHA-256 over the names (below the model's folder) and digests of the files.</param>
/// <param name="Files">The pinned files, by name.</param>
/// <param name="Settings">From dataset.json, the command line and defaults.</param>
public sealed record TrainReviewsRequest(
    string Run, string Model, string Version, string DataDigest, IReadOnlyList<PinnedFile> Files, ReviewSettings Settings)
{
    /// <summary>What a person should know of files that could not be pinned; not part of the run's identity.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>Raise it when the same data and settings should train anew, because a step's output changed.</summary>
    public const int CodeVersion = 1;

    /// <param name="model">Model name.</param>
    /// <param name="files">The pinned files.</param>
    /// <param name="settings">Complete settings.</param>
    /// <param name="recorded">When the run was recorded, UTC; only names the version.</param>
    public static TrainReviewsRequest Of(string model, IReadOnlyList<PinnedFile> files, ReviewSettings settings, DateTimeOffset recorded)
    {
        PinnedFile[] ordered = [.. files.OrderBy(file => file.Name, StringComparer.Ordinal)];
        string data = Hex(string.Concat(ordered.Select(file => $"{NameOf(file)}\0{file.Sha256}\n")));
        string identity = Hex($"reviews\n{model}\n{data}\n{JsonSerializer.Serialize(settings, ScionJson.Strict)}\n{CodeVersion}");
        string version = string.Create(CultureInfo.InvariantCulture, $"{recorded.UtcDateTime:yyyyMMdd-HHmmss}-{identity[..8]}");     // other cultures count other years
        return new TrainReviewsRequest($"{model}-{identity[..16]}", model, version, data, ordered, settings);
    }

    /// <summary>Name below the model's folder: a package must not depend on what its model is called.</summary>
    static string NameOf(PinnedFile file) => file.Name[(file.Name.IndexOf('/', StringComparison.Ordinal) + 1)..];

    static string Hex(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
