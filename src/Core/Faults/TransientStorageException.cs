namespace Scion.Faults;

/// <summary>Storage did not answer, or its answer is unknown. The call is safe to repeat; hosts retry it with back-off.</summary>
public sealed class TransientStorageException(string code, string fact, string remedy, Exception? inner = null)
    : Exception($"{code}: {fact} {remedy}", inner)
{
    /// <summary>Stable id, listed in docs/errors.md.</summary>
    public string Code { get; } = code;

    /// <summary>What failed.</summary>
    public string Fact { get; } = fact;

    /// <summary>What the reader can do when repeating does not help.</summary>
    public string Remedy { get; } = remedy;
}
