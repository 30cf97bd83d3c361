using System.Diagnostics;
using System.Globalization;
using Scion.Faults;
using Scion.Tests;
using Scion.Vision;

namespace Scion.Bench;

/// <summary>Damaged pictures of every format, read by processes of their own: each is read or refused with a code, none kills or hangs one.</summary>
static class PicturesFuzz
{
    public static async Task<int> RunAsync(string[] arguments)
    {
        int count = arguments.Length > 0 ? int.Parse(arguments[0], CultureInfo.InvariantCulture) : 10_000;
        int seed = arguments.Length > 1 ? int.Parse(arguments[1], CultureInfo.InvariantCulture) : 1;
        PictureFit fit = new(PictureFit.CurrentVersion, 64, 64, PictureResize.Squash, 0);
        bool clean = true;
        await using DecoderProcesses pool = new(DecoderOptions.Beside(AppContext.BaseDirectory, Environment.ProcessorCount), TimeProvider.System);
        await pool.ReadAsync(PictureMutations.Seeds("png")[0], fit, new byte[fit.Bytes], default);        // a first process has started
        foreach (string format in new[] { "jpeg", "png", "webp" })
        {
            byte[][] seeds = PictureMutations.Seeds(format);
            SortedDictionary<string, int> outcomes = new(StringComparer.Ordinal);
            (double Seconds, int Number) worst = default;
            long began = Stopwatch.GetTimestamp();
            await Parallel.ForEachAsync(Enumerable.Range(0, count), new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount }, async (number, cancellation) =>
            {
                byte[] file = PictureMutations.Mutate(seeds, new Random(seed * 1_000_003 + number)), pixels = new byte[fit.Bytes];
                long start = Stopwatch.GetTimestamp();
                string outcome;
                try
                {
                    await pool.ReadAsync(file, fit, pixels, cancellation);
                    outcome = "read";
                }
                catch (InputRejectedException refusal)
                {
                    outcome = refusal.Code;
                }
                double took = Stopwatch.GetElapsedTime(start).TotalSeconds;
                lock (outcomes)
                {
                    outcomes[outcome] = outcomes.GetValueOrDefault(outcome) + 1;
                    if (took > worst.Seconds) worst = (took, number);
                }
            });
            clean &= outcomes.Values.Sum() == count && !outcomes.Keys.Any(code => code is "V009" or "V010" or "V011");
            Console.WriteLine($"{format}: {count} files from {seeds.Length}, {string.Join(", ", outcomes.Select(outcome => $"{outcome.Key} {outcome.Value}"))}; "
                + FormattableString.Invariant($"worst {worst.Seconds * 1000:0} ms (number {worst.Number}), {count / Stopwatch.GetElapsedTime(began).TotalSeconds:0} a second"));
        }
        Console.WriteLine(clean ? "no process died, hung or took too much memory" : "A PROCESS DIED, HUNG OR TOOK TOO MUCH MEMORY");
        return clean ? 0 : 1;
    }
}
