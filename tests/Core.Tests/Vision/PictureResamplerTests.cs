using CsCheck;
using Scion.Vision;

namespace Scion.Tests.Vision;

public sealed class PictureResamplerTests
{
    /// <summary>Shares of stored pixels in an output pixel, by the triangle's formula in double precision. The oracle for weights.</summary>
    static double[] Triangle(int stored, int size, int output)
    {
        double ratio = (double)stored / size, radius = Math.Max(1, ratio), centre = (output + 0.5) * ratio;
        double[] weights = [.. Enumerable.Range(0, stored).Select(j => Math.Max(0, 1 - Math.Abs(j + 0.5 - centre) / radius))];
        return [.. weights.Select(weight => weight / weights.Sum())];
    }

    static readonly Gen<(int Stored, int Size)> Sides = Gen.Select(Gen.Int[1, 300], Gen.Int[1, 200]);

    [Fact]
    public void Weights_OfAnySides_AreTheTrianglesAndSumToOne() => Sides.Sample((stored, size) =>
    {
        PictureAxis axis = new(stored, stored, size, 0, size, false), mirrored = new(stored, stored, size, 0, size, true);
        for (int o = 0; o < size; o++)
        {
            ReadOnlySpan<ushort> weights = axis.Weights(o, out int first), back = mirrored.Weights(o, out int last);
            double[] expected = Triangle(stored, size, o);
            int sum = 0;
            for (int j = 0; j < weights.Length; j++)
            {
                Assert.Equal(expected[first + j] * PictureAxis.One, weights[j], 1.0001);
                Assert.Equal(weights[j], back[back.Length - 1 - j]);
                sum += weights[j];
            }
            Assert.Equal(PictureAxis.One, sum);
            Assert.Equal(stored - first - weights.Length, last);
            foreach (double outside in expected[..first].Concat(expected[(first + weights.Length)..])) Assert.InRange(outside * PictureAxis.One, 0, 1);
        }
    }, iter: 300);

    /// <summary>out = ⌊Σ Σ wʸ wˣ p / 2²⁴ + ½⌋ as it is written, in any order of sums. Slow on purpose: it is the oracle, and agreement is exact.</summary>
    static byte Plain(byte[] rgba, int width, PictureAxis down, PictureAxis across, int y, int x, int channel)
    {
        ReadOnlySpan<ushort> rows = down.Weights(y, out int top), columns = across.Weights(x, out int left);
        ulong sum = 0;
        for (int j = 0; j < columns.Length; j++)
            for (int i = 0; i < rows.Length; i++) sum += (ulong)rows[i] * columns[j] * rgba[4 * ((top + i) * width + left + j) + channel];
        return (byte)((sum + (1UL << 23)) >> 24);
    }

    [Fact]
    public void Resample_AnySidesCutsAndTurns_EqualsThePlainSum() =>
        Gen.Select(Sides, Sides, Gen.Int[0, 1000], Gen.Bool, Gen.Bool, Gen.Bool).Sample((horizontal, vertical, seed, turned, mirrored, upsideDown) =>
        {
            ((int width, int outWidth), (int height, int outHeight)) = (horizontal, vertical);
            byte[] rgba = new byte[4 * width * height];
            new Random(seed).NextBytes(rgba);
            int cut = Math.Max(1, outWidth * 2 / 3);
            PictureAxis across = new(width, width - seed % 7 / 8.0, outWidth, outWidth - cut, cut, mirrored), down = new(height, height, outHeight, 0, outHeight, upsideDown);
            byte[] output = new byte[3 * cut * outHeight];

            PictureResampler.Resample(rgba, 4 * width, down, across, turned, output, 3 * (turned ? outHeight : cut));

            Random spots = new(seed);
            for (int i = 0; i < 60; i++)
            {
                (int x, int y, int c) = (spots.Next(cut), spots.Next(outHeight), spots.Next(3));
                Assert.Equal(Plain(rgba, width, down, across, y, x, c), output[3 * (turned ? x * outHeight + y : y * cut + x) + c]);
            }
        }, iter: 300);

    [Theory]
    [InlineData(PictureResize.Squash, 0)]
    [InlineData(PictureResize.CentreCrop, 70)]
    [InlineData(PictureResize.Pad, 0)]
    public void Fit_OfOneColour_KeepsItToTheLastBit(PictureResize resize, int shorter) => Gen.Select(Gen.Int[1, 200], Gen.Int[1, 200], Gen.Byte).Sample((width, height, value) =>
    {
        PictureFit fit = new(1, 50, 64, resize, shorter);
        byte[] pixels = new byte[fit.Bytes];

        PictureDecoder.Decode(PictureFiles.Png(width, height, 8, 0, [.. Enumerable.Repeat(value, width * height)]), fit, pixels);

        // Pad: white around the longer side's picture, which touches two borders.
        int own = pixels.Count(pixel => pixel == value), white = pixels.Count(pixel => pixel == 255);
        Assert.Equal(pixels.Length, value == 255 ? own : own + white);
        if (resize != PictureResize.Pad) Assert.Equal(pixels.Length, own);
        else if (value != 255)
        {
            double scale = Math.Min(64.0 / width, 50.0 / height);
            Assert.InRange(own - Math.Max(1, width * scale) * Math.Max(1, height * scale) * 3, -3 * 64, 3 * 64);
        }
    }, iter: 60);

    [Fact]
    public void CentreCrop_OfAWidePicture_TakesItsMiddle()
    {
        byte[] pixels = new byte[16 * 16 * 3];
        byte[] grey = [.. Enumerable.Range(0, 16).SelectMany(_ => Enumerable.Range(0, 48).Select(x => (byte)(x * 5)))];

        PictureDecoder.Decode(PictureFiles.Png(48, 16, 8, 0, grey), new PictureFit(1, 16, 16, PictureResize.CentreCrop, 16), pixels);

        Assert.Equal(Enumerable.Range(16, 16).Select(x => x * 5), pixels[..48].Where((_, i) => i % 3 == 0).Select(value => (int)value));
    }
}
