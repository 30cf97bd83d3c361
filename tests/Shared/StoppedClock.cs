namespace Scion.Tests;

/// <summary>A clock that a test sets.</summary>
public sealed class StoppedClock : TimeProvider
{
    public static readonly StoppedClock Instance = new();

    long ticks;

    public void Advance(TimeSpan by) => Interlocked.Add(ref ticks, by.Ticks);

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch + TimeSpan.FromTicks(Interlocked.Read(ref ticks));

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => Interlocked.Read(ref ticks);
}
