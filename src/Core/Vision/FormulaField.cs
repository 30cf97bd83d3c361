using Scion.Text;

namespace Scion.Vision;

/// <summary>The form of one class of <see cref="FormulaImages"/>: a field of values and where it covers the ground.</summary>
abstract class FormulaField
{
    /// <summary>Kinds of formula.</summary>
    public const int Families = 7;

    /// <param name="family">In [0, <see cref="Families"/>).</param>
    /// <param name="random">Draws the parameters of the class.</param>
    public static FormulaField Of(int family, ref Xoshiro random) => family switch
    {
        0 => new IteratedFunctions(ref random),
        1 => new RadialContours(ref random),
        2 => new Bodies(ref random),
        3 => new Waves(ref random),
        4 => new Cells(ref random),
        5 => new GradientNoise(ref random),
        _ => new Strokes(ref random),
    };

    /// <summary>Draws one instance.</summary>
    /// <param name="random">What varies in the class.</param>
    /// <param name="side">Pixels of the side.</param>
    /// <param name="values">[side · side], zero on entry; about 0 to 1 after it.</param>
    /// <param name="mask">[side · side], zero on entry; 1 where the form covers the ground, 0 where the ground shows.</param>
    public abstract void Draw(ref Xoshiro random, int side, float[] values, float[] mask);

    protected static float Between(ref Xoshiro random, double low, double high) => (float)(low + ((high - low) * random.Unit()));

    /// <summary>Turns, sizes and shifts the unit square about its middle.</summary>
    protected readonly struct View
    {
        readonly float a, b, c, d, x0, y0;

        public View(ref Xoshiro random, double turn, double shift)
        {
            (float sin, float cos) = MathF.SinCos(Between(ref random, -turn, turn));
            float scale = MathF.Exp(Between(ref random, -0.3, 0.3)), aspect = MathF.Exp(Between(ref random, -0.15, 0.15));
            if (random.Below(2) == 0) aspect = -aspect;        // mirrored
            (a, b, c, d) = (cos * scale * aspect, -sin * scale, sin * scale * aspect, cos * scale);
            (x0, y0) = (Between(ref random, -shift, shift), Between(ref random, -shift, shift));
        }

        /// <param name="x">Column, in [0, side).</param>
        /// <param name="y">Row.</param>
        /// <param name="side">Pixels.</param>
        /// <returns>Place on the form, about −0.5 to 0.5.</returns>
        public (float U, float V) At(int x, int y, int side)
        {
            float u = ((x + 0.5f) / side) - 0.5f - x0, v = ((y + 0.5f) / side) - 0.5f - y0;
            return ((a * u) + (b * v), (c * u) + (d * v));
        }

        /// <summary>The other way: a place on the form to pixels.</summary>
        public (float X, float Y) Pixel(float u, float v, int side)
        {
            float det = (a * d) - (b * c);
            return (((((d * u) - (b * v)) / det) + x0 + 0.5f) * side, ((((a * v) - (c * u)) / det) + y0 + 0.5f) * side);
        }
    }

    /// <summary>A random iterated function system, points drawn by the chaos game (Barnsley 1988; Kataoka et al. 2020, eq. 1–3).</summary>
    sealed class IteratedFunctions : FormulaField
    {
        const int Points = 9_000;

        readonly float[] maps;      // [maps, 6]
        readonly float[] chances;   // [maps], cumulative

        public IteratedFunctions(ref Xoshiro random)
        {
            int count = 2 + random.Below(4);
            maps = new float[count * 6];
            chances = new float[count];
            float sum = 0;
            for (int m = 0; m < count; m++)
            {
                // Singular values below 1 keep every system bounded (Anderson and Farrell 2022, "Improving fractal pre-training").
                float s1 = Between(ref random, 0.3, 0.9), s2 = s1 * Between(ref random, 0.3, 1) * (random.Below(2) == 0 ? 1 : -1);
                (float sin1, float cos1) = MathF.SinCos(Between(ref random, 0, Math.Tau));
                (float sin2, float cos2) = MathF.SinCos(Between(ref random, 0, Math.Tau));
                maps[m * 6] = (cos1 * s1 * cos2) - (sin1 * s2 * sin2);
                maps[(m * 6) + 1] = (-cos1 * s1 * sin2) - (sin1 * s2 * cos2);
                maps[(m * 6) + 2] = (sin1 * s1 * cos2) + (cos1 * s2 * sin2);
                maps[(m * 6) + 3] = (-sin1 * s1 * sin2) + (cos1 * s2 * cos2);
                maps[(m * 6) + 4] = Between(ref random, -1, 1);
                maps[(m * 6) + 5] = Between(ref random, -1, 1);
                chances[m] = sum += MathF.Abs(s1 * s2) + 0.05f;
            }
            for (int m = 0; m < count; m++) chances[m] /= sum;
        }

        public override void Draw(ref Xoshiro random, int side, float[] values, float[] mask)
        {
            View view = new(ref random, 0.5, 0.1);
            float[] own = [.. maps];
            for (int i = 0; i < own.Length; i++) own[i] *= Between(ref random, 0.93, 1.07);
            float[] points = new float[Points * 2];
            byte[] by = new byte[Points];
            float x = 0, y = 0, left = float.MaxValue, right = float.MinValue, top = float.MaxValue, bottom = float.MinValue;
            for (int p = -20; p < Points; p++)
            {
                float chance = (random.Next() >> 40) * (1f / (1 << 24));
                int m = 0;
                while (m < chances.Length - 1 && chance > chances[m]) m++;
                (x, y) = ((own[m * 6] * x) + (own[(m * 6) + 1] * y) + own[(m * 6) + 4], (own[(m * 6) + 2] * x) + (own[(m * 6) + 3] * y) + own[(m * 6) + 5]);
                if (p < 0) continue;
                (points[p * 2], points[(p * 2) + 1], by[p]) = (x, y, (byte)m);
                (left, right, top, bottom) = (Math.Min(left, x), Math.Max(right, x), Math.Min(top, y), Math.Max(bottom, y));
            }
            float width = Math.Max(1e-6f, Math.Max(right - left, bottom - top));
            for (int p = 0; p < Points; p++)
            {
                (float px, float py) = view.Pixel((points[p * 2] - ((left + right) / 2)) / width * 0.9f, (points[(p * 2) + 1] - ((top + bottom) / 2)) / width * 0.9f, side);
                if (!(px >= 0 && py >= 0 && px < side && py < side)) continue;
                int at = ((int)py * side) + (int)px;
                mask[at] = Math.Min(1, mask[at] + 0.5f);
                values[at] = (by[p] + 0.5f) / chances.Length;
            }
        }
    }

    /// <summary>A closed outline r(θ) by a Fourier series.</summary>
    readonly struct Outline
    {
        const int Harmonics = 7;

        readonly float[] amplitudes, phases;

        public Outline(ref Xoshiro random)
        {
            amplitudes = new float[Harmonics];
            phases = new float[Harmonics];
            int peak = 1 + random.Below(Harmonics);
            for (int h = 0; h < Harmonics; h++)
            {
                amplitudes[h] = Between(ref random, 0, 0.25) / (h + 1) + (h + 1 == peak ? Between(ref random, 0.1, 0.35) : 0);
                phases[h] = Between(ref random, 0, Math.Tau);
            }
        }

        /// <summary>Radii at 256 angles, about 1, varied a little.</summary>
        public float[] Radii(ref Xoshiro random)
        {
            Span<float> own = stackalloc float[Harmonics], turned = stackalloc float[Harmonics];
            for (int h = 0; h < Harmonics; h++) (own[h], turned[h]) = (amplitudes[h] * Between(ref random, 0.85, 1.15), phases[h] + Between(ref random, -0.15, 0.15));
            float[] radii = new float[257];
            for (int i = 0; i <= 256; i++)
            {
                float theta = i * (MathF.Tau / 256), r = 1;
                for (int h = 0; h < Harmonics; h++) r += own[h] * MathF.Cos(((h + 1) * theta) + turned[h]);
                radii[i] = Math.Max(0.15f, r);
            }
            return radii;
        }

        /// <summary>How far out a place is: 1 on the outline.</summary>
        public static float Distance(float[] radii, float u, float v)
        {
            float turn = (MathF.Atan2(v, u) * (128 / MathF.PI)) + 128;
            int i = Math.Clamp((int)turn, 0, 255);
            float r = radii[i] + ((turn - i) * (radii[i + 1] - radii[i]));
            return MathF.Sqrt((u * u) + (v * v)) / r;
        }
    }

    /// <summary>Rings of one outline (Kataoka et al. 2022, "Replacing labeled real-image datasets with auto-generated contours").</summary>
    sealed class RadialContours : FormulaField
    {
        readonly Outline outline;
        readonly float rings, thickness, size;

        public RadialContours(ref Xoshiro random)
        {
            outline = new Outline(ref random);
            (rings, thickness, size) = (2 + random.Below(9), Between(ref random, 0.2, 0.8), Between(ref random, 0.28, 0.42));
        }

        public override void Draw(ref Xoshiro random, int side, float[] values, float[] mask)
        {
            View view = new(ref random, 0.5, 0.12);
            float[] radii = outline.Radii(ref random);
            float thick = thickness * Between(ref random, 0.85, 1.15), soft = side * size / rings;
            for (int y = 0; y < side; y++)
                for (int x = 0; x < side; x++)
                {
                    (float u, float v) = view.At(x, y, side);
                    float d = Outline.Distance(radii, u, v) / size;
                    if (d > 1.05f) continue;
                    float ring = d * rings, part = ring - MathF.Floor(ring);
                    int at = (y * side) + x;
                    mask[at] = Math.Clamp((thick - part) * soft + 0.5f, 0, 1) * Math.Clamp((1 - d) * side * size + 0.5f, 0, 1);
                    values[at] = d;
                }
        }
    }

    /// <summary>One to three bodies of one outline, shaded as if round, with stripes, checks or dots on them.</summary>
    sealed class Bodies : FormulaField
    {
        readonly Outline outline;
        readonly float size, stretch;
        readonly int count, hole;

        public Bodies(ref Xoshiro random)
        {
            outline = new Outline(ref random);
            (size, stretch, count, hole) = (Between(ref random, 0.2, 0.38), MathF.Exp(Between(ref random, -0.6, 0.6)), 1 + (random.Below(3) / 2), random.Below(3));
        }

        public override void Draw(ref Xoshiro random, int side, float[] values, float[] mask)
        {
            int cloth = random.Below(4);
            float pitch = Between(ref random, 14, 60), tilt = Between(ref random, 0, Math.Tau), round = Between(ref random, 0, 0.5);
            (float sin, float cos) = MathF.SinCos(tilt);
            for (int k = 0; k < count; k++)
            {
                View view = new(ref random, 0.35, count == 1 ? 0.1 : 0.25);
                float[] radii = outline.Radii(ref random);
                for (int y = 0; y < side; y++)
                    for (int x = 0; x < side; x++)
                    {
                        (float u, float v) = view.At(x, y, side);
                        float d = Outline.Distance(radii, u * stretch, v / stretch) / size;
                        if (d > 1.05f || (hole == 1 && d < 0.45f)) continue;
                        float cover = Math.Clamp((1 - d) * side * size + 0.5f, 0, 1);
                        float p = pitch * ((u * cos) + (v * sin)), q = pitch * ((v * cos) - (u * sin));
                        float pattern = cloth switch
                        {
                            0 => 0.5f,
                            1 => 0.5f + (0.5f * MathF.Sign(MathF.Sin(p))),
                            2 => MathF.Sin(p) * MathF.Sin(q) > 0 ? 0.15f : 0.85f,
                            _ => MathF.Sin(p) + MathF.Sin(q) > 1.1f ? 0.95f : 0.2f,
                        };
                        int at = (y * side) + x;
                        values[at] = pattern + (round * (((u * sin) - (v * cos)) / size));
                        mask[at] = Math.Max(mask[at], cover);
                    }
            }
        }
    }

    /// <summary>A sum of two to four plane waves, bent by another, cut by a curve of values.</summary>
    sealed class Waves : FormulaField
    {
        readonly float[] waves;     // [waves, 4]: frequency along x and y, amplitude, phase
        readonly float bend, frequency, sharpness;

        public Waves(ref Xoshiro random)
        {
            waves = new float[(2 + random.Below(3)) * 4];
            for (int w = 0; w < waves.Length; w += 4)
            {
                (float sin, float cos) = MathF.SinCos(Between(ref random, 0, Math.PI));
                float f = MathF.Exp(Between(ref random, Math.Log(8), Math.Log(110)));
                (waves[w], waves[w + 1], waves[w + 2], waves[w + 3]) = (f * cos, f * sin, Between(ref random, 0.3, 1), Between(ref random, 0, Math.Tau));
            }
            (bend, frequency, sharpness) = (random.Below(2) == 0 ? 0 : Between(ref random, 0.2, 2), Between(ref random, 4, 20), random.Below(2) == 0 ? 0.5f : Between(ref random, 1, 5));
        }

        public override void Draw(ref Xoshiro random, int side, float[] values, float[] mask)
        {
            View view = new(ref random, 0.25, 0.5);
            float shift = Between(ref random, 0, Math.Tau), sharp = sharpness * Between(ref random, 0.8, 1.2);
            for (int y = 0; y < side; y++)
                for (int x = 0; x < side; x++)
                {
                    (float u, float v) = view.At(x, y, side);
                    float bent = bend == 0 ? 0 : bend * MathF.Sin((frequency * (u + v)) + shift), sum = 0;
                    for (int w = 0; w < waves.Length; w += 4)
                        sum += waves[w + 2] * MathF.Sin((waves[w] * u) + (waves[w + 1] * v) + waves[w + 3] + bent);
                    values[(y * side) + x] = 0.5f + (0.5f * Math.Clamp(sum * sharp, -1, 1));
                    mask[(y * side) + x] = 1;
                }
        }
    }

    /// <summary>Cells around scattered points (Worley 1996, "A cellular texture basis function"): by the nearest two distances.</summary>
    sealed class Cells : FormulaField
    {
        readonly float cells, regular, stretch;
        readonly int show;
        readonly float line;

        public Cells(ref Xoshiro random) => (cells, regular, stretch, show, line) = (MathF.Exp(Between(ref random, Math.Log(3), Math.Log(16))),
            Between(ref random, 0, 1), MathF.Exp(Between(ref random, -0.7, 0.7)), random.Below(4), Between(ref random, 0.05, 0.25));

        public override void Draw(ref Xoshiro random, int side, float[] values, float[] mask)
        {
            View view = new(ref random, 0.4, 0.5);
            ulong salt = random.Next();
            float jitter = 1 - (regular * Between(ref random, 0.85, 1));
            for (int y = 0; y < side; y++)
                for (int x = 0; x < side; x++)
                {
                    (float u, float v) = view.At(x, y, side);
                    (u, v) = (u * cells * stretch, v * cells / stretch);
                    int cu = (int)MathF.Floor(u), cv = (int)MathF.Floor(v);
                    float first = float.MaxValue, second = float.MaxValue;
                    uint nearest = 0;
                    for (int i = -1; i <= 1; i++)
                        for (int j = -1; j <= 1; j++)
                        {
                            uint hash = Hash(cu + i, cv + j, salt);
                            float du = cu + i + 0.5f + (jitter * (((hash & 0xFFFF) / 65536f) - 0.5f)) - u, dv = cv + j + 0.5f + (jitter * (((hash >> 16) / 65536f) - 0.5f)) - v;
                            float d = (du * du) + (dv * dv);
                            if (d < first) (second, first, nearest) = (first, d, hash);
                            else if (d < second) second = d;
                        }
                    (first, second) = (MathF.Sqrt(first), MathF.Sqrt(second));
                    int at = (y * side) + x;
                    values[at] = show switch { 0 => first, 1 => (nearest >> 8 & 255) / 255f, 2 => second - first, _ => 1 - first };
                    mask[at] = show switch { 1 => Math.Clamp((second - first - line) * 12, 0, 1), 3 => Math.Clamp((0.45f - first) * 10, 0, 1), _ => 1 };
                }
        }
    }

    /// <summary>Octaves of gradient noise (Perlin 1985), plain, folded (ridges) or as a phase (marble).</summary>
    sealed class GradientNoise : FormulaField
    {
        readonly float frequency, gain, stretch, veins;
        readonly int octaves, kind;

        public GradientNoise(ref Xoshiro random) => (frequency, gain, stretch, veins, octaves, kind) = (MathF.Exp(Between(ref random, Math.Log(2), Math.Log(12))),
            Between(ref random, 0.35, 0.8), MathF.Exp(Between(ref random, -1, 1)), Between(ref random, 3, 14), 1 + random.Below(4), random.Below(3));

        public override void Draw(ref Xoshiro random, int side, float[] values, float[] mask)
        {
            View view = new(ref random, 0.4, 0.5);
            ulong salt = random.Next();
            float contrast = Between(ref random, 0.9, 1.4);
            for (int y = 0; y < side; y++)
                for (int x = 0; x < side; x++)
                {
                    (float u, float v) = view.At(x, y, side);
                    float sum = 0, amplitude = 1, total = 0, f = frequency;
                    for (int o = 0; o < octaves; o++)
                    {
                        float n = Noise(u * f * stretch, v * f / stretch, salt + (ulong)o);
                        sum += amplitude * (kind == 1 ? (1 - (2 * MathF.Abs(n))) : n);
                        total += amplitude;
                        amplitude *= gain;
                        f *= 2;
                    }
                    sum /= total;
                    values[(y * side) + x] = kind == 2 ? 0.5f + (0.5f * MathF.Sin((veins * 2 * u) + (veins * sum * 2))) : 0.5f + (contrast * sum * (kind == 1 ? 0.5f : 1));
                    mask[(y * side) + x] = 1;
                }
        }

        static float Noise(float x, float y, ulong salt)
        {
            int ix = (int)MathF.Floor(x), iy = (int)MathF.Floor(y);
            float fx = x - ix, fy = y - iy;
            float sx = fx * fx * fx * ((fx * ((fx * 6) - 15)) + 10), sy = fy * fy * fy * ((fy * ((fy * 6) - 15)) + 10);
            float top = Slope(ix, iy, fx, fy, salt), bottom = Slope(ix, iy + 1, fx, fy - 1, salt);
            top += sx * (Slope(ix + 1, iy, fx - 1, fy, salt) - top);
            bottom += sx * (Slope(ix + 1, iy + 1, fx - 1, fy - 1, salt) - bottom);
            return top + (sy * (bottom - top));
        }

        static float Slope(int x, int y, float dx, float dy, ulong salt) => (Hash(x, y, salt) & 7) switch
        {
            0 => dx + dy,
            1 => dx - dy,
            2 => dy - dx,
            3 => -dx - dy,
            4 => 1.4f * dx,
            5 => -1.4f * dx,
            6 => 1.4f * dy,
            _ => -1.4f * dy,
        };
    }

    /// <summary>Bent strokes of one width, length, bend and direction, scattered.</summary>
    sealed class Strokes : FormulaField
    {
        readonly float length, width, bend, turn, spread;
        readonly int count;

        public Strokes(ref Xoshiro random) => (length, width, bend, turn, spread, count) = (Between(ref random, 0.1, 0.7), Between(ref random, 0.008, 0.05),
            Between(ref random, -6, 6), Between(ref random, 0, Math.PI), random.Below(2) == 0 ? 0.15f : 3.1f, 3 + random.Below(28));

        public override void Draw(ref Xoshiro random, int side, float[] values, float[] mask)
        {
            float radius = Math.Max(0.7f, width * side * Between(ref random, 0.8, 1.25) * 0.6f);
            float leaning = Between(ref random, -0.2, 0.2);
            for (int k = 0; k < count; k++)
            {
                float x = Between(ref random, 0, side), y = Between(ref random, 0, side), direction = turn + leaning + Between(ref random, -spread, spread);
                float tone = Between(ref random, 0, 1), curl = bend * Between(ref random, 0.7, 1.3);
                int steps = Math.Max(1, (int)(length * side / radius * Between(ref random, 0.8, 1.2)));
                for (int s = 0; s < steps; s++)
                {
                    (float sin, float cos) = MathF.SinCos(direction);
                    (x, y) = (x + (cos * radius), y + (sin * radius));
                    direction += curl * radius / side;
                    Dot(x, y, radius, tone, side, values, mask);
                }
            }
        }

        static void Dot(float x, float y, float radius, float tone, int side, float[] values, float[] mask)
        {
            int left = Math.Max(0, (int)(x - radius - 1)), right = Math.Min(side - 1, (int)(x + radius + 1));
            int top = Math.Max(0, (int)(y - radius - 1)), bottom = Math.Min(side - 1, (int)(y + radius + 1));
            for (int j = top; j <= bottom; j++)
                for (int i = left; i <= right; i++)
                {
                    float dx = i + 0.5f - x, dy = j + 0.5f - y, cover = Math.Clamp(radius + 0.5f - MathF.Sqrt((dx * dx) + (dy * dy)), 0, 1);
                    if (cover <= 0) continue;
                    int at = (j * side) + i;
                    mask[at] = Math.Max(mask[at], cover);
                    values[at] = tone;
                }
        }
    }

    static uint Hash(int x, int y, ulong salt)
    {
        ulong z = unchecked(((ulong)(uint)x << 32 | (uint)y) ^ (salt * 0x9E3779B97F4A7C15));
        z = unchecked((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9);
        z = unchecked((z ^ (z >> 27)) * 0x94D049BB133111EB);
        return (uint)(z >> 32);
    }
}
