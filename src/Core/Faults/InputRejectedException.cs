namespace Scion.Faults;

/// <summary>Why input was refused; hosts turn it into an exit code or an HTTP status.</summary>
public enum Refusal
{
    /// <summary>The data or the settings are wrong. Exit code 3, HTTP 400 or 422.</summary>
    Invalid,
    /// <summary>What was named does not exist. Exit code 4, HTTP 404.</summary>
    NotFound,
    /// <summary>It exists already, or changed meanwhile. Exit code 3, HTTP 409.</summary>
    Conflict,
    /// <summary>It is larger than a stated limit. Exit code 3, HTTP 413.</summary>
    TooLarge,
    /// <summary>It is of a type that is not read. Exit code 3, HTTP 415.</summary>
    Unsupported,
}

/// <summary>The data or settings make the work impossible; repeating it unchanged cannot help, so it is never retried.</summary>
/// <remarks>Durable hands on an exception's type name and message, not the object: the message alone lets the reader act.
/// Factories that build these live beside the concept they guard (<c>DatasetFaults</c>, <c>HeadFaults</c> …).</remarks>
public sealed class InputRejectedException(string code, string fact, string remedy, Refusal kind = Refusal.Invalid)
    : Exception($"{code}: {fact} {remedy}")
{
    /// <summary>Stable id, listed in docs/errors.md. Callers match on it, never on the text.</summary>
    public string Code { get; } = code;

    /// <summary>What was found, with numbers.</summary>
    public string Fact { get; } = fact;

    /// <summary>What the reader can do about it.</summary>
    public string Remedy { get; } = remedy;

    public Refusal Kind { get; } = kind;
}
