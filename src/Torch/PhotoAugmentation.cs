using Scion.Text;

namespace Scion.Torch;

/// <summary>Changes a photo as another camera, another light and another moment would, and does not change what it shows.</summary>
/// <remarks>A random part resized (Szegedy et al. 2014), mirroring, illuminant and exposure as gains per channel, gamma, saturation, grey, blur by
/// coarse sampling, and erasing a rectangle (Zhong et al. 2017, arXiv:1708.04896). Strengths: docs/experiments.md.</remarks>
static class PhotoAugmentation
{
    /// <param name="photo">uint8 [from, from, 3].</param>
    /// <param name="from">Pixels of its side.</param>
    /// <param name="pixels">uint8 [side, side, 3], written.</param>
    /// <param name="side">Pixels of the result's side.</param>
    /// <param name="random">Draws the change.</param>
    public static void Apply(ReadOnlySpan<byte> photo, int from, Span<byte> pixels, int side, ref Xoshiro random)
    {
        (float left, float top, float width, float height) = Part(from, ref random);
        if (random.Below(2) == 0) (left, width) = (left + width, -width);
        Span<float> curve = stackalloc float[256 * 3];
        float saturation = Light(curve, ref random);
        bool coarse = random.Below(10) == 0;
        Resample(photo, from, pixels, side, left, top, width, height, curve, saturation, coarse ? 1.5f + (1.5f * (float)random.Unit()) : 1);
        if (random.Below(4) == 0) Erase(pixels, side, ref random);
    }

    /// <summary>A quarter to all of the area, its proportions changed by up to a third.</summary>
    static (float Left, float Top, float Width, float Height) Part(int from, ref Xoshiro random)
    {
        for (int trial = 0; trial < 8; trial++)
        {
            double area = 0.25 + (0.75 * random.Unit()), ratio = Math.Exp((random.Unit() - 0.5) * 2 * Math.Log(4.0 / 3));
            double width = Math.Sqrt(area * ratio) * from, height = Math.Sqrt(area / ratio) * from;
            if (width > from || height > from) continue;
            return ((float)(random.Unit() * (from - width)), (float)(random.Unit() * (from - height)), (float)width, (float)height);
        }
        return (0, 0, from, from);
    }

    /// <summary>Gains, gamma and exposure as a table per channel, [3, 256] in 0 to 1.</summary>
    /// <returns>Saturation: 0 is grey, 1 as it was.</returns>
    static float Light(Span<float> curve, ref Xoshiro random)
    {
        double exposure = Math.Exp(0.25 * random.TruncatedNormal()), gamma = Math.Exp(0.2 * random.TruncatedNormal());
        double contrast = Math.Exp(0.2 * random.TruncatedNormal()), warm = 0.12 * random.TruncatedNormal(), tint = 0.06 * random.TruncatedNormal();
        Span<double> gains = [Math.Exp(warm - tint), Math.Exp(tint), Math.Exp(-warm - tint)];
        for (int c = 0; c < 3; c++)
            for (int v = 0; v < 256; v++)
            {
                double value = Math.Pow(v / 255.0, gamma) * exposure * gains[c];
                curve[(c * 256) + v] = (float)Math.Clamp(((value - 0.5) * contrast) + 0.5, 0, 1);
            }
        return random.Below(10) == 0 ? 0 : (float)Math.Exp(0.3 * random.TruncatedNormal());
    }

    static void Resample(ReadOnlySpan<byte> photo, int from, Span<byte> pixels, int side, float left, float top, float width, float height,
        ReadOnlySpan<float> curve, float saturation, float coarseness)
    {
        for (int y = 0; y < side; y++)
        {
            float sy = Place(y, side, top, height, from, coarseness);
            int y0 = (int)sy, y1 = Math.Min(y0 + 1, from - 1);
            float fy = sy - y0;
            for (int x = 0; x < side; x++)
            {
                float sx = Place(x, side, left, width, from, coarseness);
                int x0 = (int)sx, x1 = Math.Min(x0 + 1, from - 1);
                float fx = sx - x0;
                int a = ((y0 * from) + x0) * 3, b = ((y0 * from) + x1) * 3, c = ((y1 * from) + x0) * 3, d = ((y1 * from) + x1) * 3;
                float w00 = (1 - fx) * (1 - fy), w01 = fx * (1 - fy), w10 = (1 - fx) * fy, w11 = fx * fy;
                float red = curve[(int)((w00 * photo[a]) + (w01 * photo[b]) + (w10 * photo[c]) + (w11 * photo[d]) + 0.5f)];
                float green = curve[256 + (int)((w00 * photo[a + 1]) + (w01 * photo[b + 1]) + (w10 * photo[c + 1]) + (w11 * photo[d + 1]) + 0.5f)];
                float blue = curve[512 + (int)((w00 * photo[a + 2]) + (w01 * photo[b + 2]) + (w10 * photo[c + 2]) + (w11 * photo[d + 2]) + 0.5f)];
                float grey = (0.299f * red) + (0.587f * green) + (0.114f * blue);
                int at = ((y * side) + x) * 3;
                pixels[at] = Byte(grey + (saturation * (red - grey)));
                pixels[at + 1] = Byte(grey + (saturation * (green - grey)));
                pixels[at + 2] = Byte(grey + (saturation * (blue - grey)));
            }
        }
    }

    /// <summary>Where a result's pixel lies in the photo; coarse pictures have equal neighbours.</summary>
    static float Place(int i, int side, float start, float length, int from, float coarseness)
    {
        float at = i + 0.5f;
        if (coarseness > 1) at = (MathF.Floor(at / coarseness) + 0.5f) * coarseness;
        return Math.Clamp(start + (at * length / side) - 0.5f, 0, from - 1);
    }

    static byte Byte(float value) => (byte)((Math.Clamp(value, 0, 1) * 255) + 0.5f);

    static void Erase(Span<byte> pixels, int side, ref Xoshiro random)
    {
        int width = (int)(side * (0.15 + (0.35 * random.Unit()))), height = (int)(side * (0.15 + (0.35 * random.Unit())));
        int left = random.Below(side - width), top = random.Below(side - height);
        byte red = (byte)random.Next(), green = (byte)random.Next(), blue = (byte)random.Next();
        for (int y = top; y < top + height; y++)
            for (int x = left; x < left + width; x++)
            {
                int at = ((y * side) + x) * 3;
                (pixels[at], pixels[at + 1], pixels[at + 2]) = (red, green, blue);
            }
    }

    /// <summary>Pastes a rectangle of one picture into another (CutMix: Yun et al. 2019, arXiv:1905.04899).</summary>
    /// <returns>Share of the area that still shows <paramref name="into"/>.</returns>
    public static float Mix(Span<byte> into, ReadOnlySpan<byte> other, int side, ref Xoshiro random)
    {
        double share = Math.Sqrt(random.Unit());        // side of the rectangle; its area is uniform
        int width = (int)(side * share), height = width, left = random.Below(side - width + 1), top = random.Below(side - height + 1);
        for (int y = top; y < top + height; y++)
            other.Slice(((y * side) + left) * 3, width * 3).CopyTo(into[(((y * side) + left) * 3)..]);
        return 1 - (width * height / (float)(side * side));
    }
}
