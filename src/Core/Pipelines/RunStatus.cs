namespace Scion.Pipelines;

public enum RunState
{
    Queued,
    Running,
    Succeeded,
    Failed,
    Cancelled,

    /// <summary>A person stopped it for now: nobody works on it until it is resumed.</summary>
    Suspended,
}

/// <summary>What people see of a run: <c>runs/{run}/status.json</c>, the answer of <c>GET /api/runs/{run}</c>.</summary>
public sealed record RunStatus
{
    /// <summary>Identity: <c>{model}-{16 hex}</c>.</summary>
    public required string Run { get; init; }

    public required string Model { get; init; }

    /// <summary>"reviews" or "images".</summary>
    public required string Kind { get; init; }

    public required RunState State { get; init; }

    /// <summary>Step under way, as in <see cref="IReviewSteps"/>; null before the first and after the last.</summary>
    public string? Stage { get; init; }

    /// <summary>Of the stage: calls done, or units within a single call.</summary>
    public long Done { get; init; }

    /// <summary>Of the stage: in all; 0 when not known.</summary>
    public long Total { get; init; }

    /// <summary>Unit of <see cref="Done"/>: "files", "rows", "words" …</summary>
    public string? Unit { get; init; }

    /// <summary>Seconds left in this stage at its present rate; null when not known.</summary>
    public int? SecondsLeft { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    public required DateTimeOffset UpdatedAt { get; init; }

    /// <summary>Why it failed; null otherwise.</summary>
    public RunError? Error { get; init; }

    /// <summary>Version made; null before.</summary>
    public string? Version { get; init; }

    /// <summary>True when <c>latest</c> moved to it.</summary>
    public bool? Promoted { get; init; }

    /// <summary>Why it was or was not promoted.</summary>
    public string? Gate { get; init; }

    /// <summary>Every file of the run, by name.</summary>
    public IReadOnlyList<RunFile> Files { get; init; } = [];

    /// <summary>Rows and entries refused in all; each is a line of <c>runs/{run}/rejects.csv</c>.</summary>
    public long Refused { get; init; }

    /// <summary>Each a sentence that begins with its code.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>True once nothing more will happen.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public bool IsFinished => State is RunState.Succeeded or RunState.Failed or RunState.Cancelled;

    /// <summary>True while a host is to work on it: it has not ended and is not suspended.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public bool IsActive => State is RunState.Queued or RunState.Running;
}

/// <param name="Code">As in docs/errors.md.</param>
/// <param name="Message">Fact and remedy.</param>
public sealed record RunError(string Code, string Message);

public enum FileState
{
    Pending,
    Ingested,
    Refused,
}

/// <param name="Name">Name with the model's folder.</param>
/// <param name="Length">Bytes.</param>
/// <param name="State">Refused when no row of it was accepted.</param>
/// <param name="Rows">Rows accepted.</param>
/// <param name="Refused">Rows or entries refused.</param>
public sealed record RunFile(string Name, long Length, FileState State, long Rows, long Refused);
