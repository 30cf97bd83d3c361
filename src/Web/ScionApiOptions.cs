using System.ComponentModel.DataAnnotations;
using Scion.Serving;

namespace Scion.Web;

/// <summary>How the HTTP API guards itself. The host that mounts it makes one.</summary>
public sealed record ScionApiOptions : IValidatableObject
{
    /// <summary>What <c>x-functions-key</c> must hold; at least 32 characters. Null only with <see cref="KeyCheckedByHost"/>.</summary>
    public string? Key { get; init; }

    /// <summary>True where the platform in front has checked the key already (Azure Functions, which also takes it as <c>?code=</c>); then <see cref="Key"/> is null.</summary>
    public bool KeyCheckedByHost { get; init; }

    /// <summary>True answers only requests for <c>localhost</c>, <c>127.0.0.1</c> or <c>[::1]</c>: another Host header is a name that was
    /// rebound to this machine. Default true.</summary>
    public bool LocalOnly { get; init; } = true;

    /// <summary>Origins whose pages may call besides the request's own host, each <c>https://name</c> or <c>http://name:port</c>: the name that people see where a
    /// proxy in front asks for this server by another. Forwarding headers are not believed, since a caller can send them; a host that overwrites them
    /// has put their content into the request's Host before. Default none.</summary>
    public IReadOnlyList<string> Origins { get; init; } = [];

    /// <summary>Bytes of a prediction's body. Default 1 MiB.</summary>
    public int MaxBody { get; init; } = 1 << 20;

    /// <summary>Texts of one prediction request. Default 1,000.</summary>
    public int MaxInputs { get; init; } = 1000;

    /// <summary>UTF-16 characters of one text. Default 200,000; at most <see cref="ReviewPredictor.MaxWords"/> known words are scored.</summary>
    public int MaxText { get; init; } = 200_000;

    /// <summary>Bytes of a prediction's body with pictures, for a model of images. Default 32 MiB.</summary>
    public int MaxPictureBody { get; init; } = 32 << 20;

    /// <summary>Pictures of one prediction request. Default 100.</summary>
    public int MaxPictures { get; init; } = 100;

    /// <summary>Bytes of bodies with pictures held at once; above it the answer is 503 with Retry-After. Default 512 MiB.</summary>
    public long MaxPictureMemory { get; init; } = 512L << 20;

    /// <summary>Bytes of an uploaded file. Default 2 GiB.</summary>
    public long MaxUpload { get; init; } = 2L << 30;

    /// <summary>Prediction requests under way at once; above it the answer is 503 with Retry-After. Default 512.</summary>
    public int MaxConcurrentPredictions { get; init; } = 512;

    /// <summary>Uploads under way at once. Default 4.</summary>
    public int MaxConcurrentUploads { get; init; } = 4;

    /// <summary>Where an upload lies until it is whole; null is the system's folder for temporary files.</summary>
    public string? UploadFolder { get; init; }

    /// <summary>How models are kept loaded.</summary>
    public PredictorCacheOptions Models { get; init; } = new();

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (KeyCheckedByHost != Key is null) yield return new("Give Key, or set KeyCheckedByHost where the platform checks keys; not both.");
        if (Key is { Length: < 32 } || Key?.All(char.IsAscii) == false) yield return new("Key needs at least 32 characters, all ASCII.");
        foreach (string origin in Origins.Where(origin => !Uri.TryCreate(origin, UriKind.Absolute, out Uri? page) || page.Scheme is not ("http" or "https") || page.GetLeftPart(UriPartial.Authority) != origin))
            yield return new($"'{origin}' is no origin. Give scheme and lower-case host, and the port where it is not the scheme's own, as in https://scion.example.");
        if (MaxBody < 64 || MaxInputs < 1 || MaxText < 1 || MaxUpload < 1 || MaxConcurrentPredictions < 1 || MaxConcurrentUploads < 1
            || MaxPictureBody < 64 || MaxPictures < 1 || MaxPictureMemory < MaxPictureBody)
            yield return new("Every limit must be above 0, MaxBody and MaxPictureBody at least 64, MaxPictureMemory at least MaxPictureBody.");
    }
}
