using System.ComponentModel.DataAnnotations;

namespace Scion.Functions;

/// <summary>Settings of a function app: section <c>Scion</c>, in application settings <c>Scion__Quiet</c> and so on. Checked at start-up.</summary>
public sealed record ScionSettings : IValidatableObject
{
    /// <summary>Roles of this app, with commas between: <see cref="FunctionRoles.All"/>. Empty: all of them, as on a developer's machine.</summary>
    public string Roles { get; init; } = "";

    /// <summary>Loose files (.txt, pictures, dataset.json) wait this long for their companions. Default 30 s.</summary>
    public TimeSpan Quiet { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Files that are complete by themselves (.zip, .csv …) wait this long, so that several dropped together are one run. Default 2 s.</summary>
    public TimeSpan Settle { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Durable instances that have ended and began longer ago than this are purged. Default 30 days. Runs, versions and reports stay.</summary>
    public TimeSpan Purge { get; init; } = TimeSpan.FromDays(30);

    /// <summary>Origins whose pages may call the API besides the app's own, with commas between, as in <c>https://scion.example</c>: the name that people see where a
    /// gateway in front asks for the app by another. Default none.</summary>
    public string Origins { get; init; } = "";

    /// <summary>Bytes of a file uploaded through the API; larger ones are copied into the storage itself. Default 100,000,000: below the host's own limit, setting
    /// FUNCTIONS_REQUEST_BODY_SIZE_LIMIT (104,857,600 by default), above which the host answers 500 and says nothing.</summary>
    public long MaxUpload { get; init; } = 100_000_000;

    /// <summary>Which steps go to GPU apps.</summary>
    public GpuSettings Gpu { get; init; } = new();

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        foreach (string role in FunctionRoles.Named(Roles))
            if (!FunctionRoles.All.Contains(role)) yield return new($"Scion:Roles names '{role}'; {string.Join(", ", FunctionRoles.All)} are known.");
        if (Quiet < TimeSpan.Zero || Quiet > TimeSpan.FromDays(1) || Settle < TimeSpan.Zero || Settle > TimeSpan.FromDays(1))
            yield return new($"Scion:Quiet is {Quiet} and Scion:Settle {Settle}; 0 to one day each is expected.");
        if (Purge < TimeSpan.FromHours(1)) yield return new($"Scion:Purge is {Purge}; at least one hour is expected.");
        if (MaxUpload < 1) yield return new($"Scion:MaxUpload is {MaxUpload}; at least 1 byte is expected.");
        foreach (ValidationResult error in Gpu.Validate(validationContext)) yield return error;
    }
}

/// <summary>Which steps go to GPU apps, and how long they are waited for. Part of a run's orchestration input: a run that began under other settings goes on with
/// those.</summary>
public sealed record GpuSettings : IValidatableObject
{
    /// <summary>True where an app of role <c>pretrain</c> serves queue <c>gpu-pretrain</c>. Default false: word vectors are trained on the CPU.</summary>
    public bool Pretrain { get; init; }

    /// <summary>True where an app of role <c>extract</c> serves queue <c>gpu-extract</c>. Default false: networks run on the CPU.</summary>
    public bool Extract { get; init; }

    /// <summary>A GPU that has not taken a step after this long is given up: the step runs on the CPU. Default 10 min, a cold start of a large image included.</summary>
    public TimeSpan Pickup { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>A GPU that took a step is waited for this long, then the step runs on the CPU. Default 2 h.</summary>
    public TimeSpan Limit { get; init; } = TimeSpan.FromHours(2);

    /// <summary>Bytes of uploaded reviews from which pretraining goes to the GPU; with fewer, the CPU is done before a GPU has started. Default 8 MiB.</summary>
    public long PretrainFromBytes { get; init; } = 8 << 20;

    /// <summary>Pictures of a data set from which extraction goes to the GPU. Default 2,000.</summary>
    public long ExtractFromRows { get; init; } = 2_000;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Pickup <= TimeSpan.Zero || Pickup > TimeSpan.FromDays(5) || Limit <= TimeSpan.Zero || Limit > TimeSpan.FromDays(5))
            yield return new($"Scion:Gpu:Pickup is {Pickup} and Scion:Gpu:Limit {Limit}; above 0 and up to 5 days each is expected.");
        if (PretrainFromBytes < 0 || ExtractFromRows < 0)
            yield return new($"Scion:Gpu:PretrainFromBytes is {PretrainFromBytes} and Scion:Gpu:ExtractFromRows {ExtractFromRows}; 0 or more each is expected.");
    }
}
