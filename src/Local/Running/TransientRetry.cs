using Scion.Faults;

namespace Scion.Local.Running;

/// <summary>Repeats what storage did not answer: after 1, 2, 4 and 8 s, each up to a quarter more or less. Nothing else is repeated.</summary>
/// <param name="time">Waits between tries.</param>
sealed class TransientRetry(TimeProvider time)
{
    static readonly TimeSpan[] Waits = [.. new[] { 1, 2, 4, 8 }.Select(seconds => TimeSpan.FromSeconds(seconds))];

    /// <exception cref="TransientStorageException">The last try failed too.</exception>
    public async Task<T> DoAsync<T>(Func<Task<T>> work, CancellationToken cancellation)
    {
        for (int attempt = 0; ; attempt++)
        {
            cancellation.ThrowIfCancellationRequested();
            try
            {
                return await work();
            }
            catch (TransientStorageException) when (attempt < Waits.Length)
            {
                await Task.Delay(Waits[attempt] * (0.75 + (0.5 * Random.Shared.NextDouble())), time, cancellation);
            }
        }
    }
}
