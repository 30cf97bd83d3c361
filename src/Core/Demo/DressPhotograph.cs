using System.Numerics;
using System.Runtime.Intrinsics;
using static Scion.Demo.DressArithmetic;

namespace Scion.Demo;

/// <summary>What a camera makes of the light: flare, exposure, white balance, noise, blur, tone curve and the losses of JPEG, in this
/// order.</summary>
static class DressPhotograph
{
    const int Width = DressDrawing.Width, Height = DressDrawing.Height;

    static readonly float[] Encoded = [.. Enumerable.Range(0, 4097).Select(i => Encode(i / 4096.0))];

    /// <summary>sRGB's curve, IEC 61966-2-1.</summary>
    static float Encode(double light) => (float)(light <= 0.0031308 ? 12.92 * light : (1.055 * Power(light, 1 / 2.4)) - 0.055);

    public static DrawnDress Take(DressScene scene, DressCanvas canvas)
    {
        DressCamera camera = scene.Camera;
        Vector3[] light = canvas.Radiance;
        Vector3 mean = Vector3.Zero;
        double whole = 0, dress = 0, covered = 0;
        for (int i = 0; i < light.Length; i++)
        {
            mean += light[i] / light.Length;
            float share = canvas.Cloth[i] + canvas.Lace[i];
            whole += Luminance(light[i]) / light.Length;
            dress += share * Luminance(light[i]);
            covered += share;
        }
        float mired = ((1e6f / scene.Light.Kelvin) + (1e6f / scene.Behind.Kelvin)) / 2, guess = Mix(182, mired, camera.Adaptation) + camera.Mired;
        Vector3 believed = DressLight.BlackBody(Math.Clamp(1e6f / guess, 1_800, 20_000));
        Vector3 gains = Vector3.One / DressLight.Tinted(believed, (camera.Adaptation * scene.Light.Tint) + camera.Tint);
        double metered = (camera.Metering * dress / Math.Max(1, covered)) + ((1 - camera.Metering) * whole);
        gains *= (float)(0.2 * Exp2(camera.Stops) / (metered + (camera.Flare * whole)));

        Chance chance = new(scene.Texture, stream: 3);
        for (int i = 0; i < light.Length; i++)
        {
            Vector3 seen = (light[i] + (mean * camera.Flare)) * gains;
            float grain = camera.Noise * MathF.Sqrt((Luminance(seen) * 5) + 0.1f) * 0.2f;
            light[i] = seen + (new Vector3(chance.Normal(), chance.Normal(), chance.Normal()) * grain);
        }
        for (int pass = 0; pass < camera.Blur; pass++) Soften(light);

        float[] planes = new float[3 * light.Length];                                   // luma and two chromas, as JPEG has them
        for (int i = 0; i < light.Length; i++)
        {
            Vector3 rgb = new(Tone(light[i].X), Tone(light[i].Y), Tone(light[i].Z));
            float luma = (0.299f * rgb.X) + (0.587f * rgb.Y) + (0.114f * rgb.Z);
            planes[i] = luma * 255;
            planes[light.Length + i] = (rgb.Z - luma) * camera.Saturation * 0.564f * 255;
            planes[(2 * light.Length) + i] = (rgb.X - luma) * camera.Saturation * 0.713f * 255;
        }
        JpegLoss.Apply(planes.AsSpan(0, light.Length), Width, Height, JpegLoss.Luma, camera.Quantiser);
        JpegLoss.ApplyHalved(planes.AsSpan(light.Length, light.Length), Width, Height, JpegLoss.Chroma, camera.Quantiser);
        JpegLoss.ApplyHalved(planes.AsSpan(2 * light.Length, light.Length), Width, Height, JpegLoss.Chroma, camera.Quantiser);
        byte[] rgb8 = new byte[3 * light.Length];
        for (int i = 0; i < light.Length; i++)
        {
            float luma = planes[i], blue = planes[light.Length + i], red = planes[(2 * light.Length) + i];
            rgb8[3 * i] = Byte(luma + (1.402f * red));
            rgb8[(3 * i) + 1] = Byte(luma - (0.344136f * blue) - (0.714136f * red));
            rgb8[(3 * i) + 2] = Byte(luma + (1.772f * blue));
        }
        return new DrawnDress(Width, Height, rgb8, MeanOf(rgb8, canvas.Cloth), MeanOf(rgb8, canvas.Lace), scene.Light.Kelvin);

        float Tone(float value)
        {
            float at = Math.Clamp(value, 0, 1) * 4096;
            int below = Math.Min((int)at, 4095);
            float encoded = Mix(Encoded[below], Encoded[below + 1], at - below);
            return Mix(encoded, encoded * encoded * (3 - (2 * encoded)), camera.Contrast);
        }
    }

    static byte Byte(float value) => (byte)Math.Clamp(MathF.Floor(value + 0.5f), 0, 255);

    static float Luminance(Vector3 rgb) => (0.2126f * rgb.X) + (0.7152f * rgb.Y) + (0.0722f * rgb.Z);

    static void Soften(Vector3[] image)
    {
        for (int row = 0; row < Height; row++)
        {
            Vector3 before = image[row * Width];
            for (int i = row * Width; i < (row * Width) + Width - 1; i++)
            {
                Vector3 here = image[i];
                image[i] = (before + (here * 2) + image[i + 1]) * 0.25f;
                before = here;
            }
        }
        for (int column = 0; column < Width; column++)
        {
            Vector3 before = image[column];
            for (int i = column; i < image.Length - Width; i += Width)
            {
                Vector3 here = image[i];
                image[i] = (before + (here * 2) + image[i + Width]) * 0.25f;
                before = here;
            }
        }
    }

    static Vector3 MeanOf(byte[] rgb, float[] share)
    {
        Vector3 sum = Vector3.Zero;
        float count = 0.001f;
        for (int i = 0; i < share.Length; i++)
            if (share[i] > 0.6f)
            {
                sum += new Vector3(rgb[3 * i], rgb[(3 * i) + 1], rgb[(3 * i) + 2]);
                count++;
            }
        return sum / count;
    }
}

/// <summary>What JPEG loses: each 8 × 8 block's cosine coefficients are rounded to multiples of a table's steps; colour is kept at half the
/// size.</summary>
/// <remarks>Source: ITU-T T.81, A.3.3 (transform), K.1 (tables; scale 1 is what many programs call quality 50).</remarks>
static class JpegLoss
{
    public static readonly byte[] Luma =
    [
        16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62,
        18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
    ];

    public static readonly byte[] Chroma =
    [
        17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99, 99, 99, 99,
        99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
    ];

    /// <summary>cos(kπ/16), k = 0 … 8.</summary>
    static readonly float[] Cosines = [1, 0.98078528f, 0.92387953f, 0.83146961f, 0.70710678f, 0.55557023f, 0.38268343f, 0.19509032f, 0];

    /// <summary>The orthonormal transform, [frequency, place].</summary>
    static readonly float[] Basis = [.. Enumerable.Range(0, 64).Select(i => Cosine((i / 8) * ((2 * (i % 8)) + 1)) * (i < 8 ? 0.35355339f : 0.5f))];

    static readonly float[] Turned = [.. Enumerable.Range(0, 64).Select(i => Basis[((i % 8) * 8) + (i / 8)])];

    static float Cosine(int sixteenths)
    {
        int k = sixteenths % 32;
        if (k > 16) k = 32 - k;
        return k <= 8 ? Cosines[k] : -Cosines[16 - k];
    }

    public static void Apply(Span<float> plane, int width, int height, byte[] table, float scale)
    {
        Span<float> block = stackalloc float[64], half = stackalloc float[64], steps = stackalloc float[64];
        for (int i = 0; i < 64; i++) steps[i] = MathF.Max(1, table[i] * scale);
        for (int top = 0; top < height; top += 8)
            for (int left = 0; left < width; left += 8)
            {
                for (int row = 0; row < 8; row++) plane.Slice(((top + row) * width) + left, 8).CopyTo(block[(8 * row)..]);
                Transform(block, half, inverse: false);
                for (int i = 0; i < 64; i++) block[i] = MathF.Floor((block[i] / steps[i]) + 0.5f) * steps[i];
                Transform(block, half, inverse: true);
                for (int row = 0; row < 8; row++) block.Slice(8 * row, 8).CopyTo(plane[(((top + row) * width) + left)..]);
            }
    }

    public static void ApplyHalved(Span<float> plane, int width, int height, byte[] table, float scale)
    {
        int w = width / 2, h = height / 2;
        float[] small = new float[w * h];
        for (int y = 0; y < h; y++)
            for (int x = 0; x < w; x++)
            {
                int i = (2 * y * width) + (2 * x);
                small[(y * w) + x] = (plane[i] + plane[i + 1] + plane[i + width] + plane[i + width + 1]) / 4;
            }
        Apply(small, w, h, table, scale);
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++) plane[(y * width) + x] = small[(y / 2 * w) + (x / 2)];
    }

    /// <summary>Rows, then columns; eight sums at a time, each in the order of the plain loop.</summary>
    static void Transform(Span<float> block, Span<float> half, bool inverse)
    {
        ReadOnlySpan<float> table = inverse ? Basis : Turned;
        for (int row = 0; row < 64; row += 8)                                           // half[row, k] = Σ block[row, n] · table[n, k]
        {
            Vector256<float> sum = Vector256<float>.Zero;
            for (int n = 0; n < 8; n++) sum += Vector256.Create(block[row + n]) * Vector256.Create(table.Slice(8 * n, 8));
            sum.CopyTo(half[row..]);
        }
        for (int k = 0; k < 8; k++)                                                     // block[k, column] = Σ table[n, k] · half[n, column]
        {
            Vector256<float> sum = Vector256<float>.Zero;
            for (int n = 0; n < 8; n++) sum += Vector256.Create(table[(8 * n) + k]) * Vector256.Create(half.Slice(8 * n, 8));
            sum.CopyTo(block[(8 * k)..]);
        }
    }
}
