using CsCheck;
using Scion.Text;
using Scion.Vision;

namespace Scion.Tests.Vision;

public sealed class FormulaImagesTests
{
    const int Side = 64;

    static readonly FormulaImages Images = new(seed: 3, shapes: 28, palettes: 12, Side);

    static byte[] Drawn(FormulaImages images, FormulaLabel label, int stream)
    {
        Xoshiro random = new(11, stream);
        byte[] pixels = new byte[images.Side * images.Side * 3];
        images.Draw(label, ref random, pixels);
        return pixels;
    }

    [Fact]
    public void Draw_SameSeedLabelAndStream_GivesTheSameBytes() => Gen.Select(Gen.Int[0, 27], Gen.Int[0, 11], Gen.Int[0, 1000]).Sample((shape, palette, stream) =>
    {
        FormulaImages again = new(seed: 3, shapes: 28, palettes: 12, Side);

        Assert.Equal(Drawn(Images, new(shape, palette), stream), Drawn(again, new(shape, palette), stream));
    }, iter: 30);

    [Fact]
    public void Draw_AnotherStream_VariesEveryClass()
    {
        for (int shape = 0; shape < Images.Shapes; shape++)
            Assert.NotEqual(Drawn(Images, new(shape, 0), 1), Drawn(Images, new(shape, 0), 2));
    }

    [Fact]
    public void Draw_EveryFamily_ShowsAFormOnItsGround()
    {
        for (int shape = 0; shape < Images.Shapes; shape++)
        {
            byte[] pixels = Drawn(Images, new(shape, shape % 12), shape);

            Assert.InRange(pixels.Distinct().Count(), 16, 256);
        }
    }

    [Fact]
    public void Draw_MoreClasses_LeavesEarlierOnesAsTheyWere()
    {
        FormulaImages more = new(seed: 3, shapes: 60, palettes: 40, Side);

        for (int shape = 0; shape < Images.Shapes; shape++)
            Assert.Equal(Drawn(Images, new(shape, 5), 7), Drawn(more, new(shape, 5), 7));
    }

    /// <summary>Edges alone tell forms apart, colours alone palettes: by the nearest mean of other instances, far above chance.</summary>
    [Theory]
    [InlineData(true, 0.4)]         // chance: 1/28
    [InlineData(false, 0.6)]        // chance: 1/12
    public void Draw_InstancesOfAClass_LieNearTheirOwnMean(bool shapes, double least)
    {
        const int instances = 24;
        int classes = shapes ? Images.Shapes : Images.Palettes;
        Range part = shapes ? PixelFeatures.ColourDim.. : ..PixelFeatures.ColourDim;
        float[][][] features = [.. Enumerable.Range(0, classes).Select(c => Enumerable.Range(0, instances).Select(i =>
        {
            FormulaLabel label = shapes ? new(c, i % Images.Palettes) : new(i % Images.Shapes, c);
            float[] measured = new float[PixelFeatures.Dim];
            PixelFeatures.Measure(Drawn(Images, label, (c * instances) + i), measured);
            return measured[part];
        }).ToArray())];
        float[][] means = [.. features.Select(of => Enumerable.Range(0, of[0].Length).Select(d => of.Take(instances / 2).Average(f => f[d])).ToArray())];

        int right = features.SelectMany((of, c) => of.Skip(instances / 2).Select(f => Nearest(means, f) == c)).Count(told => told);

        Assert.InRange(right / (double)(classes * (instances - (instances / 2))), least, 1);
    }

    static int Nearest(float[][] means, float[] features) =>
        Enumerable.Range(0, means.Length).MinBy(c => means[c].Zip(features, (a, b) => (a - b) * (a - b)).Sum());

    [Fact]
    public void Draw_ChosenLabel_CoversAllClasses()
    {
        Xoshiro random = new(5, 0);
        byte[] pixels = new byte[16 * 16 * 3];
        FormulaImages small = new(seed: 1, shapes: 7, palettes: 3, side: 16);
        HashSet<FormulaLabel> seen = [];

        for (int i = 0; i < 400; i++) seen.Add(small.Draw(ref random, pixels));

        Assert.Equal(21, seen.Count);
    }

    [Fact]
    public void Draw_WrongLength_IsRefused()
    {
        Xoshiro random = new(5, 0);

        Assert.Throws<ArgumentException>(() => Images.Draw(ref random, new byte[5]));
    }
}
