using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Scion.Bench;

/// <summary>What the machine can do on one core and on all: multiply-adds a second, and bytes a second read from working sets of the size of each cache and of memory.</summary>
/// <remarks>The peaks that docs/experiments.md holds the trainer against. Best of five each.</remarks>
static unsafe class LimitsBench
{
    public static Task<int> Run(string[] arguments)
    {
        foreach (int threads in new[] { 1, Environment.ProcessorCount }.Distinct())
        {
            double multiplyAdds = threads * Best(threads, _ => MultiplyAdds(40_000_000), 40_000_000.0 * 8 * (Vector512.IsHardwareAccelerated ? 16 : 8));
            Console.Write(string.Create(CultureInfo.InvariantCulture, $"{threads} thread(s): {multiplyAdds / 1e9,6:F1} G multiply-adds/s ({(Vector512.IsHardwareAccelerated ? 512 : 256)} bits); read"));
            foreach (int kib in new[] { 24, 512, 8 << 10, 256 << 10 })
            {
                nuint bytes = (nuint)kib << 10;
                float*[] memory = new float*[threads];
                for (int t = 0; t < threads; t++)
                {
                    memory[t] = (float*)NativeMemory.AlignedAlloc(bytes, 64);
                    NativeMemory.Fill(memory[t], bytes, 1);
                }
                int passes = Math.Max(1, (1 << 20) / kib);
                double read = threads * Best(threads, t => Read(memory[t], (long)bytes / 4, passes), (double)bytes * passes);
                Console.Write(string.Create(CultureInfo.InvariantCulture, $"  {kib} KiB {read / 1e9:F1} GB/s"));
                for (int t = 0; t < threads; t++) NativeMemory.AlignedFree(memory[t]);
            }
            Console.WriteLine();
        }
        return Task.FromResult(0);
    }

    static double Best(int threads, Func<int, float> work, double amount)
    {
        double best = 0;
        for (int run = 0; run < 5; run++)
        {
            long started = Stopwatch.GetTimestamp();
            Thread[] others = [.. Enumerable.Range(0, threads).Select(t => new Thread(() => work(t)))];
            foreach (Thread thread in others) thread.Start();
            foreach (Thread thread in others) thread.Join();
            best = Math.Max(best, amount / Stopwatch.GetElapsedTime(started).TotalSeconds);
        }
        return best;
    }

    /// <summary>Eight chains of multiply-adds that do not wait for each other.</summary>
    static float MultiplyAdds(int rounds)
    {
        if (Vector512.IsHardwareAccelerated)
        {
            Vector512<float> x = Vector512.Create(0.999f), y = Vector512.Create(0.001f), a = x, b = x, c = x, d = x, e = x, f = x, g = x, h = x;
            for (int i = 0; i < rounds; i++)
            {
                a = Vector512.FusedMultiplyAdd(a, x, y);
                b = Vector512.FusedMultiplyAdd(b, x, y);
                c = Vector512.FusedMultiplyAdd(c, x, y);
                d = Vector512.FusedMultiplyAdd(d, x, y);
                e = Vector512.FusedMultiplyAdd(e, x, y);
                f = Vector512.FusedMultiplyAdd(f, x, y);
                g = Vector512.FusedMultiplyAdd(g, x, y);
                h = Vector512.FusedMultiplyAdd(h, x, y);
            }
            return Vector512.Sum(a + b + c + d + e + f + g + h);
        }
        Vector256<float> p = Vector256.Create(0.999f), q = Vector256.Create(0.001f), s = p, t = p, u = p, v = p, w = p, k = p, l = p, m = p;
        for (int i = 0; i < rounds; i++)
        {
            s = Vector256.FusedMultiplyAdd(s, p, q);
            t = Vector256.FusedMultiplyAdd(t, p, q);
            u = Vector256.FusedMultiplyAdd(u, p, q);
            v = Vector256.FusedMultiplyAdd(v, p, q);
            w = Vector256.FusedMultiplyAdd(w, p, q);
            k = Vector256.FusedMultiplyAdd(k, p, q);
            l = Vector256.FusedMultiplyAdd(l, p, q);
            m = Vector256.FusedMultiplyAdd(m, p, q);
        }
        return Vector256.Sum(s + t + u + v + w + k + l + m);
    }

    static float Read(float* from, long numbers, int passes)
    {
        Vector256<float> a = default, b = default, c = default, d = default;
        for (int pass = 0; pass < passes; pass++)
            for (long i = 0; i < numbers; i += 32)
            {
                a += Vector256.Load(from + i);
                b += Vector256.Load(from + i + 8);
                c += Vector256.Load(from + i + 16);
                d += Vector256.Load(from + i + 24);
            }
        return Vector256.Sum(a + b + c + d);
    }
}
