using System.Numerics;

namespace Scion.Text;

/// <summary>xoshiro256**: a fast generator with the same stream on every machine.</summary>
/// <remarks>Source: Blackman and Vigna 2018, "Scrambled linear pseudorandom number generators"; seeded by splitmix64 as they advise.</remarks>
public struct Xoshiro
{
    ulong a, b, c, d;

    public Xoshiro(long seed, int stream)
    {
        ulong state = unchecked((ulong)seed * 0x9E3779B97F4A7C15 + (ulong)stream * 0xD1B54A32D192ED03);
        (a, b, c, d) = (Mix(ref state), Mix(ref state), Mix(ref state), Mix(ref state));
    }

    static ulong Mix(ref ulong state)
    {
        ulong z = state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    public ulong Next()
    {
        ulong result = BitOperations.RotateLeft(b * 5, 7) * 9;
        ulong t = b << 17;
        c ^= a;
        d ^= b;
        b ^= c;
        a ^= d;
        c ^= t;
        d = BitOperations.RotateLeft(d, 45);
        return result;
    }

    /// <summary>A whole number in [0, <paramref name="limit"/>); bias below 2⁻³².</summary>
    public int Below(int limit) => (int)(((Next() >> 32) * (ulong)limit) >> 32);

    /// <summary>A number in [0, 1) with 53 random bits.</summary>
    public double Unit() => (Next() >> 11) * (1.0 / (1UL << 53));

    /// <summary>A standard normal number within two standard deviations, by rejection.</summary>
    public double TruncatedNormal()
    {
        while (true)
        {
            double z = Math.Sqrt(-2 * Math.Log(1 - Unit())) * Math.Cos(2 * Math.PI * Unit());
            if (Math.Abs(z) <= 2) return z;
        }
    }
}
