using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Scion.Datasets;

namespace Scion.Pipelines;

/// <summary>What a training run is asked to do: <c>runs/{run}/request.json</c>. Equal data, settings and code make the same run.</summary>
/// <param name="Run"><c>{model}-{16 hex}</c>, the run's identity: hash of kind, model, data digest, settings and code version.</param>
/// <param name="Model">Model name.</param>
/// <param name="Version"><c>yyyyMMdd-HHmmss-{8 hex}</c>, fixed when the run was first recorded.</param>
/// <param name="DataDigest">SHA-256 over the names (below the model's folder) and digests of the files.</param>
/// <param name="Files">The pinned files, by name.</param>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(TrainReviewsRequest), "reviews")]
[JsonDerivedType(typeof(TrainImagesRequest), "images")]
public abstract record TrainingRequest(string Run, string Model, string Version, string DataDigest, IReadOnlyList<PinnedFile> Files)
{
    /// <summary>Raise it when the same data and settings should train anew: a step's output changed, or another network ships as "default",
    /// which settings name and do not pin.</summary>
    public const int CodeVersion = 3;

    /// <summary>What a person should know of files that could not be pinned; not part of the run's identity.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>"reviews" or "images".</summary>
    [JsonIgnore]
    public abstract string Kind { get; }

    /// <summary>What people see of the files, by name: each file, or a folder of pictures as one.</summary>
    [JsonIgnore]
    public abstract IReadOnlyList<(string Name, long Length)> Listed { get; }

    /// <summary>Digests and names of a run of these files.</summary>
    /// <param name="kind">"reviews" or "images".</param>
    /// <param name="model">Model name.</param>
    /// <param name="files">The pinned files, by name.</param>
    /// <param name="settings">Complete settings.</param>
    /// <param name="recorded">When the run was recorded, UTC; only names the version.</param>
    protected static (string Run, string Version, string DataDigest) IdentityOf<TSettings>(
        string kind, string model, IEnumerable<PinnedFile> files, TSettings settings, DateTimeOffset recorded)
    {
        string data = Hex(string.Concat(files.Select(file => $"{NameOf(file)}\0{file.Sha256}\n")));
        string identity = Hex($"{kind}\n{model}\n{data}\n{JsonSerializer.Serialize(settings, ScionJson.Strict)}\n{CodeVersion}");
        string version = string.Create(CultureInfo.InvariantCulture, $"{recorded.UtcDateTime:yyyyMMdd-HHmmss}-{identity[..8]}");     // other cultures count other years
        return ($"{model}-{identity[..16]}", version, data);
    }

    /// <summary>Name below the model's folder: a package must not depend on what its model is called.</summary>
    protected static string NameOf(PinnedFile file) => file.Name[(file.Name.IndexOf('/', StringComparison.Ordinal) + 1)..];

    static string Hex(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
