using System.Text.Json;

namespace Scion.Registry;

/// <summary>Why <c>latest</c> moved.</summary>
public enum PointerAction
{
    /// <summary>A run published a version and the gate passed.</summary>
    Publish,
    /// <summary>A person chose a version.</summary>
    Promote,
    /// <summary>A person went back to the version that served before.</summary>
    Rollback,
}

/// <summary>One move of <c>latest</c>: the audit row.</summary>
/// <param name="Sequence">1 for the first move, one more each time.</param>
/// <param name="Action">Why it moved.</param>
/// <param name="Version">Version it names since.</param>
/// <param name="Digest">SHA-256 of that version's <c>model.json</c>.</param>
/// <param name="At">When, by the clock of the host that moved it. Never used for ordering.</param>
/// <param name="Reason">The gate's sentence, or what the person said.</param>
public sealed record PointerMove(long Sequence, PointerAction Action, string Version, string Digest, DateTimeOffset At, string Reason);

/// <summary>What <c>models/{model}/latest.json</c> says: the version that serves, bound to its digest, and how it came to be so.</summary>
/// <param name="SchemaVersion">1.</param>
/// <param name="Version">The version that serves.</param>
/// <param name="Digest">SHA-256 of its <c>model.json</c>.</param>
/// <param name="Moves">At most the last <see cref="MaxMoves"/>, oldest first; the last one names <paramref name="Version"/>.</param>
public sealed record LatestPointer(int SchemaVersion, string Version, string Digest, IReadOnlyList<PointerMove> Moves)
{
    /// <summary>Moves kept: years of daily trainings, in under 400 KB.</summary>
    public const int MaxMoves = 1000;

    /// <summary>The version a rollback returns to, or null. Repeated rollbacks go further back, never forth.</summary>
    public PointerMove? Previous
    {
        get
        {
            Stack<PointerMove> served = new();
            foreach (PointerMove move in Moves)
            {
                if (move.Action == PointerAction.Rollback) served.TryPop(out _);
                if (!served.TryPeek(out PointerMove? top) || top.Version != move.Version) served.Push(move);      // its publish is older than the moves kept
            }
            return served.Count < 2 ? null : served.ElementAt(1);
        }
    }

    /// <summary>This pointer, moved once more.</summary>
    public static LatestPointer Moved(LatestPointer? from, PointerAction action, string version, string digest, DateTimeOffset at, string reason)
    {
        PointerMove move = new((from?.Moves[^1].Sequence ?? 0) + 1, action, version, digest, at, reason);
        return new LatestPointer(1, version, digest, [.. (from?.Moves ?? []).TakeLast(MaxMoves - 1), move]);
    }

    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, Format);

    /// <exception cref="Faults.InputRejectedException">The bytes are not a pointer (R009).</exception>
    public static LatestPointer Parse(string model, byte[] json)
    {
        LatestPointer? pointer;
        try
        {
            pointer = JsonSerializer.Deserialize<LatestPointer>(json, Format);
        }
        catch (JsonException e)
        {
            throw RegistryFaults.PointerMalformed(model, e.Message);
        }
        if (pointer is null) throw RegistryFaults.PointerMalformed(model, "it is null.");
        if (pointer.SchemaVersion != 1) throw RegistryFaults.PointerMalformed(model, $"schema version {pointer.SchemaVersion} is not 1.");
        if (!VersionName.IsValid(pointer.Version) || !IsDigest(pointer.Digest)) throw RegistryFaults.PointerMalformed(model, "it names no version and digest.");
        if (pointer.Moves is not { Count: > 0 }) throw RegistryFaults.PointerMalformed(model, "it has no moves.");
        long sequence = pointer.Moves[0]?.Sequence - 1 ?? 0;
        foreach (PointerMove? move in pointer.Moves)
            if (move is null || move.Sequence != ++sequence || !VersionName.IsValid(move.Version) || !IsDigest(move.Digest))
                throw RegistryFaults.PointerMalformed(model, $"move {sequence} is not valid.");
        if (pointer.Moves[^1].Version != pointer.Version || pointer.Moves[^1].Digest != pointer.Digest)
            throw RegistryFaults.PointerMalformed(model, "its last move names another version than it does; it was edited by hand.");
        return pointer;
    }

    internal static bool IsDigest(string? digest) => digest is { Length: 64 } && digest.All(char.IsAsciiHexDigitLower);

    static readonly JsonSerializerOptions Format = new(ScionJson.Indented) { IgnoreReadOnlyProperties = true };
}
