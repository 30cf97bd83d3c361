using CsCheck;
using Scion.Vision;

namespace Scion.Tests.Vision;

public sealed class PixelFeaturesTests
{
    const int Side = 64;

    [Fact]
    public void Measure_AnyPicture_EqualsTheFormulasWrittenOut() => Gen.Int[1, 1_000_000].Sample(seed =>
    {
        byte[] pixels = Picture(seed);

        float[] features = Measure(pixels);

        double[] expected = [.. Unit(Colours(pixels)), .. Unit(Edges(pixels))];
        for (int i = 0; i < expected.Length; i++) Assert.Equal(expected[i] / Math.Sqrt(2), features[i], 1e-4);
    }, iter: 20);

    [Fact]
    public void Measure_AnyPicture_HasUnitLengthAndNoNegative() => Gen.Int[1, 1_000_000].Sample(seed =>
    {
        float[] features = Measure(Picture(seed));

        Assert.Equal(1, features.Sum(value => (double)value * value), 1e-5);
        Assert.DoesNotContain(features, value => !(value >= 0));
    }, iter: 20);

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    [InlineData(255)]
    public void Measure_OneColour_HasNoEdgeAndOneBox(byte level)
    {
        byte[] pixels = new byte[PixelFeatures.Fit.Bytes];
        Array.Fill(pixels, level);

        float[] features = Measure(pixels);

        Assert.Equal(1, Assert.Single(features, value => value > 0), 1e-6);
        Assert.All(features[PixelFeatures.ColourDim..], value => Assert.Equal(0, value));
    }

    [Fact]
    public void Measure_StripesAcrossAndDown_FillDirectionsNinetyDegreesApart()
    {
        float[] across = Measure(Striped((x, y) => x / 4 % 2 == 0)), down = Measure(Striped((x, y) => y / 4 % 2 == 0));

        Assert.Equal([0, 8], Directions(across));                       // gradients along x: between the last direction and the first
        Assert.Equal([4], Directions(down));                            // along y: 90°, the middle of nine
    }

    [Fact]
    public void Measure_MirroredPicture_KeepsItsColours()
    {
        byte[] pixels = Picture(3), mirrored = new byte[pixels.Length];
        for (int at = 0; at < pixels.Length; at += 3)
            for (int channel = 0; channel < 3; channel++)
                mirrored[((((at / 3 / Side) + 1) * Side) - 1 - (at / 3 % Side)) * 3 + channel] = pixels[at + channel];

        float[] one = Measure(pixels), other = Measure(mirrored);

        Assert.Equal(one[..PixelFeatures.ColourDim], other[..PixelFeatures.ColourDim]);
        Assert.NotEqual(one, other);
    }

    [Fact]
    public void Box_EveryHue_FillsTwelveInTurn()
    {
        int[] boxes = [.. Enumerable.Range(0, 360).Select(degree => Hsv(degree)).Select(c => PixelFeatures.Box(c.R, c.G, c.B)).Distinct()];

        Assert.Equal(12, boxes.Length);
        Assert.Equal(boxes.Order(), boxes);
    }

    static float[] Measure(byte[] pixels)
    {
        float[] features = new float[PixelFeatures.Dim];
        PixelFeatures.Measure(pixels, features);
        return features;
    }

    static int[] Directions(float[] features)
    {
        double[] sums = new double[9];
        for (int i = PixelFeatures.ColourDim; i < features.Length; i++) sums[(i - PixelFeatures.ColourDim) % 9] += features[i];
        return [.. Enumerable.Range(0, 9).Where(d => sums[d] > sums.Max() / 2)];
    }

    static byte[] Striped(Func<int, int, bool> light)
    {
        byte[] pixels = new byte[PixelFeatures.Fit.Bytes];
        for (int at = 0; at < pixels.Length; at++) pixels[at] = light(at / 3 % Side, at / 3 / Side) ? (byte)220 : (byte)30;
        return pixels;
    }

    /// <summary>Rectangles of random colours with some noise.</summary>
    static byte[] Picture(int seed)
    {
        Random random = new(seed);
        byte[] pixels = new byte[PixelFeatures.Fit.Bytes];
        for (int shape = 0; shape < 6; shape++)
        {
            int left = random.Next(Side), top = random.Next(Side), right = random.Next(left, Side) + 1, bottom = random.Next(top, Side) + 1;
            byte[] colour = new byte[3];
            random.NextBytes(colour);
            for (int y = top; y < bottom; y++)
                for (int x = left; x < right; x++)
                    for (int channel = 0; channel < 3; channel++) pixels[(((y * Side) + x) * 3) + channel] = (byte)Math.Min(255, colour[channel] + random.Next(4));
        }
        return pixels;
    }

    static (int R, int G, int B) Hsv(double degree)
    {
        double x = 1 - Math.Abs((degree / 60 % 2) - 1);
        (double r, double g, double b) = (int)(degree / 60) switch { 0 => (1.0, x, 0.0), 1 => (x, 1, 0), 2 => (0, 1, x), 3 => (0, x, 1), 4 => (x, 0, 1), _ => (1, 0, x) };
        return ((int)(r * 255), (int)(g * 255), (int)(b * 255));
    }

    static double[] Unit(double[] values)
    {
        double length = Math.Sqrt(values.Sum(value => value * value));
        return length == 0 ? values : [.. values.Select(value => value / length)];
    }

    // ---- slow on purpose: the formulas, in double, one output at a time ----

    static double[] Colours(byte[] pixels)
    {
        double[] counts = new double[PixelFeatures.ColourDim];
        for (int at = 0; at < pixels.Length; at += 3)
        {
            double r = pixels[at] / 255.0, g = pixels[at + 1] / 255.0, b = pixels[at + 2] / 255.0, value = Math.Max(r, Math.Max(g, b)), chroma = value - Math.Min(r, Math.Min(g, b));
            int v = (int)(value * 255 / 64), s = v == 0 ? 0 : Math.Min(3, (int)((chroma / value * 4) + 1e-9));
            double hue = chroma == 0 ? 0 : value == r ? (g - b) / chroma : value == g ? ((b - r) / chroma) + 2 : ((r - g) / chroma) + 4;
            if (hue < 0) hue += 6;
            counts[(((v * 4) + s) * 12) + (s == 0 ? 0 : Math.Min(11, (int)((hue * 2) + 1e-9)))]++;
        }
        return [.. counts.Select(Math.Sqrt)];
    }

    static double[] Edges(byte[] pixels)
    {
        (double Length, double Direction)[] gradients = [.. Enumerable.Range(0, Side * Side).Select(i => Gradient(pixels, i % Side, i / Side))];
        double[,,] cells = new double[8, 8, 9];
        for (int cy = 0; cy < 8; cy++)
            for (int cx = 0; cx < 8; cx++)
                for (int d = 0; d < 9; d++)
                    for (int i = 0; i < gradients.Length; i++)
                    {
                        double fromX = Math.Abs((i % Side) + 0.5 - (8 * (cx + 0.5))) / 8, fromY = Math.Abs((i / Side) + 0.5 - (8 * (cy + 0.5))) / 8;
                        double turn = Math.Abs(gradients[i].Direction - (20 * (d + 0.5))) / 20;
                        turn = Math.Min(turn, 9 - turn);
                        cells[cy, cx, d] += gradients[i].Length * Math.Max(0, 1 - fromX) * Math.Max(0, 1 - fromY) * Math.Max(0, 1 - turn);
                    }
        List<double> blocks = [];
        for (int by = 0; by < 7; by++)
            for (int bx = 0; bx < 7; bx++)
            {
                List<double> block = [];
                for (int cy = 0; cy < 2; cy++)
                    for (int cx = 0; cx < 2; cx++)
                        for (int d = 0; d < 9; d++) block.Add(cells[by + cy, bx + cx, d]);
                blocks.AddRange(Divided(Divided(block).Select(value => Math.Min(0.2, value))));
            }
        return [.. blocks];

        static List<double> Divided(IEnumerable<double> values)
        {
            double length = Math.Sqrt(values.Sum(value => value * value) + 1e-6);
            return [.. values.Select(value => value / length)];
        }
    }

    static (double Length, double Direction) Gradient(byte[] pixels, int x, int y)
    {
        float longest = 0;
        (double Length, double Direction) gradient = (0, 0);
        for (int channel = 0; channel < 3; channel++)
        {
            float dx = At(x + 1, y, channel) - At(x - 1, y, channel), dy = At(x, y + 1, channel) - At(x, y - 1, channel);
            if ((dx * dx) + (dy * dy) <= longest) continue;              // in float, so that ties fall as they do in the product
            longest = (dx * dx) + (dy * dy);
            gradient = (Math.Sqrt(((double)dx * dx) + ((double)dy * dy)), ((Math.Atan2(dy, dx) * 180 / Math.PI) + 360) % 180);
        }
        return gradient;

        float At(int atX, int atY, int channel) => MathF.Sqrt(pixels[(((Math.Clamp(atY, 0, Side - 1) * Side) + Math.Clamp(atX, 0, Side - 1)) * 3) + channel] / 255f);
    }
}
