using System.Numerics;

namespace Scion.Demo;

/// <summary>The mathematics that drawings are made of: additions, multiplications, divisions, square roots and whole numbers, which IEEE
/// 754 fixes to the last bit. The library's sines and powers differ between machines; with these a seed gives the same picture
/// everywhere.</summary>
static class DressArithmetic
{
    /// <summary>sin(2π · turns), within 0.0012.</summary>
    public static float Sine(float turns)
    {
        float x = turns - MathF.Floor(turns + 0.5f), parabola = (8 * x) - (16 * x * MathF.Abs(x));
        return (0.225f * ((parabola * MathF.Abs(parabola)) - parabola)) + parabola;
    }

    public static float Cosine(float turns) => Sine(turns + 0.25f);

    /// <summary>2 to the power <paramref name="x"/>, x in [−30, 30]; relative error below 10⁻⁶.</summary>
    public static double Exp2(double x)
    {
        double whole = Math.Floor(x), t = (x - whole) * 0.693147180559945, term = 1, sum = 1;
        for (int k = 1; k <= 10; k++) sum += term *= t / k;
        for (; whole > 0; whole--) sum *= 2;
        for (; whole < 0; whole++) sum /= 2;
        return sum;
    }

    /// <summary>The base-2 logarithm, x in (0, 2³⁰]; error below 10⁻⁹.</summary>
    public static double Log2(double x)
    {
        double whole = 0;
        for (; x < 1; x *= 2) whole--;
        for (; x >= 2; x /= 2) whole++;
        double z = (x - 1) / (x + 1), power = z, sum = 0;                              // ln x = 2 · artanh((x − 1) / (x + 1))
        for (int k = 1; k <= 25; k += 2, power *= z * z) sum += power / k;
        return whole + (2 * sum / 0.693147180559945);
    }

    public static double Power(double x, double exponent) => x <= 0 ? 0 : Exp2(exponent * Log2(x));

    /// <summary>0 below <paramref name="from"/>, 1 above <paramref name="to"/>, 3t² − 2t³ between.</summary>
    public static float Step(float from, float to, float x)
    {
        float t = Math.Clamp((x - from) / (to - from), 0, 1);
        return t * t * (3 - (2 * t));
    }

    public static float Mix(float a, float b, float share) => a + ((b - a) * share);

    public static Vector3 Mix(Vector3 a, Vector3 b, float share) => a + ((b - a) * share);

    /// <summary>Value noise in [−1, 1]: random values on the whole numbers, smooth between.</summary>
    public static float Noise(float x, float y, uint seed)
    {
        float left = MathF.Floor(x), top = MathF.Floor(y), fx = x - left, fy = y - top;
        int i = (int)left, j = (int)top;
        fx = fx * fx * (3 - (2 * fx));
        fy = fy * fy * (3 - (2 * fy));
        return Mix(Mix(Lattice(i, j, seed), Lattice(i + 1, j, seed), fx), Mix(Lattice(i, j + 1, seed), Lattice(i + 1, j + 1, seed), fx), fy);
    }

    /// <summary>A random number in [−1, 1) that belongs to a point of the lattice.</summary>
    public static float Lattice(int x, int y, uint seed)
    {
        uint h = unchecked(((uint)x * 0x9E3779B1) ^ ((uint)y * 0x85EBCA77) ^ (seed * 0xC2B2AE3D));
        h = unchecked((h ^ (h >> 15)) * 0x2C1B3C6D);
        h = unchecked((h ^ (h >> 12)) * 0x297A2D39);
        return ((h ^ (h >> 15)) >> 8) * (2f / (1 << 24)) - 1;
    }
}
