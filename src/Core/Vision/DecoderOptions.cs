namespace Scion.Vision;

/// <summary>How pictures are read in processes of their own.</summary>
/// <param name="Executable">The program <c>Scion.Decoder</c>.</param>
/// <param name="Processes">Most of them at once; each decodes one picture at a time.</param>
public sealed record DecoderOptions(string Executable, int Processes)
{
    /// <summary>An ordinary photo takes milliseconds, the largest allowed picture under two seconds.</summary>
    public static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(5);

    /// <summary>Longest that one picture may take.</summary>
    public TimeSpan Timeout { get; init; } = DefaultTimeout;

    /// <summary>Most memory that a process may hold, in bytes. The costliest pictures allowed stay below it.</summary>
    public long MemoryBytes { get; init; } = 512L << 20;

    /// <summary>Longest that a process may take to start.</summary>
    public TimeSpan StartTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>The program in the folder that the host itself was built into.</summary>
    public static DecoderOptions Beside(string folder, int processes) =>
        new(Path.Combine(folder, OperatingSystem.IsWindows() ? "Scion.Decoder.exe" : "Scion.Decoder"), processes);
}
