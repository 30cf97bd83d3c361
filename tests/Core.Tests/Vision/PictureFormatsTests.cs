using Scion.Vision;
using static Scion.Tests.PictureFiles;

namespace Scion.Tests.Vision;

/// <summary>What pixels come out of every kind of file. At 16 × 16 a fit changes nothing, so values can be told.</summary>
public sealed class PictureFormatsTests
{
    const int N = 16;
    static readonly PictureFit Same = new(1, N, N, PictureResize.Squash, 0);

    /// <summary>Frames a value for each pixel.</summary>
    static byte[] Rgb(Func<int, int, (int R, int G, int B)> colour) => [.. from y in Enumerable.Range(0, N)
                                                                           from x in Enumerable.Range(0, N)
                                                                           let c = colour(x, y)
                                                                           from v in new[] { c.R, c.G, c.B }
                                                                           select (byte)v];

    static byte[] Read(byte[] file, out PictureFacts facts) => Read(file, Same, out facts);

    static byte[] Read(byte[] file, PictureFit fit, out PictureFacts facts)
    {
        byte[] pixels = new byte[fit.Bytes];
        facts = PictureDecoder.Decode(file, fit, pixels);
        return pixels;
    }

    static byte[] Packed(int depth, Func<int, int, int> value)
    {
        byte[] rows = new byte[N * N * depth / 8];
        for (int y = 0; y < N; y++)
            for (int x = 0; x < N; x++)
            {
                int bit = (y * N + x) * depth;
                if (depth == 16) (rows[bit / 8], rows[bit / 8 + 1]) = ((byte)(value(x, y) >> 8), (byte)value(x, y));
                else rows[bit / 8] |= (byte)(value(x, y) << 8 - depth - bit % 8);
            }
        return rows;
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(8)]
    [InlineData(16)]
    public void Png_GreyOfAnyDepth_SpreadsOverAllValues(int depth)
    {
        int most = (1 << depth) - 1;
        int Value(int x, int y) => (int)((long)(x * 4099 + y * 9001) % (most + 1));

        byte[] pixels = Read(Png(N, N, depth, 0, Packed(depth, Value)), out PictureFacts facts);

        // 16 bits lose the low ones; the others are spread.
        Assert.Equal(Rgb((x, y) => Enumerable.Repeat(depth == 16 ? Value(x, y) >> 8 : Value(x, y) * 255 / most, 3).ToArray() is [var r, var g, var b] ? (r, g, b) : default), pixels);
        Assert.Equal(("png", N, N), (facts.Format, facts.Width, facts.Height));
        Assert.Empty(facts.Warnings);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(8)]
    public void Png_PaletteWithTransparency_IsLaidOnWhite(int depth)
    {
        int colours = 1 << depth;
        (int R, int G, int B)[] palette = [.. Enumerable.Range(0, colours).Select(i => (i * 37 % 256, i * 91 % 256, 255 - i))];
        byte[] before = [.. Chunk("PLTE", [.. palette.SelectMany(c => new[] { (byte)c.R, (byte)c.G, (byte)c.B })]), .. Chunk("tRNS", [0, 128])];

        byte[] pixels = Read(Png(N, N, depth, 3, Packed(depth, (x, y) => (x + 3 * y) % colours), before), out _);

        Assert.Equal(Rgb((x, y) =>
        {
            int i = (x + 3 * y) % colours;
            (int r, int g, int b) = palette[i];
            return i switch { 0 => (255, 255, 255), 1 => (OnWhite(r, 128), OnWhite(g, 128), OnWhite(b, 128)), _ => (r, g, b) };
        }), pixels);
    }

    static int OnWhite(int value, int alpha) => (int)Math.Floor((value * alpha + 255.0 * (255 - alpha)) / 255 + 0.5);

    [Theory]
    [InlineData(8, false)]
    [InlineData(8, true)]
    [InlineData(16, false)]
    [InlineData(16, true)]
    public void Png_WithAlphaAndInterlace_IsLaidOnWhite(int depth, bool interlaced)
    {
        int bytes = depth / 8;
        (int R, int G, int B, int A) At(int x, int y) => (x * 16, y * 16, x * y, (x * 31 + y * 17) % 256);
        byte[] samples = [.. from y in Enumerable.Range(0, N)
                             from x in Enumerable.Range(0, N)
                             let c = At(x, y)
                             from v in new[] { c.R, c.G, c.B, c.A }
                             from b in Enumerable.Repeat((byte)v, bytes)
                             select b];

        byte[] pixels = Read(Png(N, N, depth, 6, samples, interlaced: interlaced), out _);

        Assert.Equal(Rgb((x, y) => At(x, y) is var c ? (OnWhite(c.R, c.A), OnWhite(c.G, c.A), OnWhite(c.B, c.A)) : default), pixels);
    }

    [Fact]
    public void Png_GreyWithAlpha_IsLaidOnWhite()
    {
        byte[] pixels = Read(Png(N, N, 8, 4, [.. from y in Enumerable.Range(0, N) from x in Enumerable.Range(0, N) from v in new[] { x * 16, y * 16 } select (byte)v]), out _);

        Assert.Equal(Rgb((x, y) => OnWhite(x * 16, y * 16) is var v ? (v, v, v) : default), pixels);
    }

    [Fact]
    public void Png_ThatMoves_GivesItsFirstPictureAndAWarning()
    {
        byte[] first = Pixels(N, N, 3);
        byte[] control = [0, 0, 0, 0, 0, 0, 0, N, 0, 0, 0, N, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 10, 0, 0];
        byte[] rows = [.. Enumerable.Range(0, N).SelectMany(y => Pixels(N, N, 4).Skip(y * 3 * N).Take(3 * N).Prepend((byte)0))];
        byte[] file = Png(N, N, 8, 2, first, [.. Chunk("acTL", [0, 0, 0, 2, 0, 0, 0, 0]), .. Chunk("fcTL", control)],
            [.. Chunk("fcTL", [0, 0, 0, 1, .. control[4..]]), .. Chunk("fdAT", [0, 0, 0, 2, .. Zlib(rows)])]);

        byte[] pixels = Read(file, out PictureFacts facts);

        Assert.Equal(first, pixels);
        Assert.Equal("V030: The file has 2 frames; only the first is used.", Assert.Single(facts.Warnings));
    }

    [Fact]
    public void Webp_ThatMoves_GivesItsFirstFrameOnWhiteAndAWarning()
    {
        byte[] frame = [.. Enumerable.Repeat(new byte[] { 200, 30, 90 }, 64).SelectMany(c => c)];
        byte[] file = AnimatedWebp(N, N, (4, 2, Webp(8, 8, frame)), (0, 0, Webp(N, N, new byte[N * N * 3])), (0, 0, Webp(N, N, new byte[N * N * 3])));

        byte[] pixels = Read(file, out PictureFacts facts);

        Assert.Equal(Rgb((x, y) => x is >= 4 and < 12 && y is >= 2 and < 10 ? (200, 30, 90) : (255, 255, 255)), pixels);
        Assert.Equal("V030: The file has 3 frames; only the first is used.", Assert.Single(facts.Warnings));
    }

    [Fact]
    public void Webp_Lossless_GivesItsPixels()
    {
        byte[] pixels = Pixels(N, N);

        Assert.Equal(pixels, Read(Webp(N, N, pixels), out PictureFacts facts));
        Assert.Equal("webp", facts.Format);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Jpeg_Grey_GivesItsValues(bool progressive)
    {
        byte[] grey = [.. from y in Enumerable.Range(0, N) from x in Enumerable.Range(0, N) select (byte)(x / 8 * 90 + y / 8 * 50 + 20)];     // flat blocks are exact

        byte[] pixels = Read(JpegFiles.Encode(N, N, [grey], step: 1, progressive), out PictureFacts facts);

        Assert.Equal(Rgb((x, y) => grey[y * N + x] is var v ? (v, v, v) : default), pixels);
        Assert.Equal("jpeg", facts.Format);
    }

    [Theory]
    [InlineData(128, 128, 128, 128, 128, 128)]
    [InlineData(76, 85, 255, 254, 0, 0)]
    [InlineData(150, 44, 21, 0, 255, 1)]
    [InlineData(29, 255, 107, 0, 0, 254)]
    [InlineData(200, 100, 160, 245, 187, 150)]
    public void Jpeg_YCbCr_GivesJfifColours(byte y, byte cb, byte cr, int r, int g, int b) =>
        Assert.Equal(Rgb((_, _) => (r, g, b)), Read(JpegFiles.Encode(N, N, [Flat(y), Flat(cb), Flat(cr)], step: 1), out _));

    /// <summary>Channels of print are stored inverted, as Adobe does: 255 is no ink. Value · K / 255; YCCK is the same after 255 − RGB(Y, Cb, Cr).</summary>
    [Theory]
    [InlineData(0, 255, 255, 255, 255, 255, 255, 255)]
    [InlineData(0, 10, 200, 77, 255, 10, 200, 77)]
    [InlineData(0, 10, 200, 77, 128, 5, 100, 39)]
    [InlineData(2, 128, 128, 128, 255, 127, 127, 127)]
    [InlineData(2, 200, 100, 160, 128, 5, 34, 53)]
    public void Jpeg_OfFourChannels_IsConvertedByFormulaWithAWarning(int transform, byte c, byte m, byte y, byte k, int r, int g, int b)
    {
        byte[] pixels = Read(JpegFiles.Encode(N, N, [Flat(c), Flat(m), Flat(y), Flat(k)], step: 1, adobe: transform), out PictureFacts facts);

        Assert.Equal(Rgb((_, _) => (r, g, b)), pixels);
        Assert.StartsWith("V031: ", Assert.Single(facts.Warnings), StringComparison.Ordinal);
    }

    static byte[] Flat(byte value) => [.. Enumerable.Repeat(value, N * N)];

    [Fact]
    public void Jpeg_Progressive_GivesThePixelsOfTheBaselineOne()
    {
        byte[] rgb = Pixels(64, 48);
        byte[][] channels = [.. Enumerable.Range(0, 3).Select(c => Enumerable.Range(0, 64 * 48).Select(i => rgb[3 * i + c]).ToArray())];
        PictureFit fit = new(1, 48, 64, PictureResize.Squash, 0);

        byte[] baseline = Read(JpegFiles.Encode(64, 48, channels), fit, out _), progressive = Read(JpegFiles.Encode(64, 48, channels, progressive: true), fit, out _);

        Assert.Equal(baseline, progressive);
        Assert.True(baseline.Distinct().Count() > 100);
    }

    [Theory]
    [InlineData("png")]
    [InlineData("jpeg")]
    [InlineData("webp")]
    public void AnyFormat_OfOnePixel_FillsThePicture(string format)
    {
        byte[] one = [200, 100, 50];
        byte[] file = format switch { "png" => Png(1, 1, one), "webp" => Webp(1, 1, one), _ => JpegFiles.Encode(1, 1, [[77]], step: 1) };

        byte[] pixels = Read(file, out PictureFacts facts);

        Assert.Equal(Rgb((_, _) => format == "jpeg" ? (77, 77, 77) : (200, 100, 50)), pixels);
        Assert.Equal((1, 1), (facts.Width, facts.Height));
    }

    /// <summary>Which pixel of the stored picture a person sees at a place; EXIF 2.3, table 6.</summary>
    static (int X, int Y) Stored(int orientation, int x, int y, int width, int height) => orientation switch
    {
        2 => (width - 1 - x, y),
        3 => (width - 1 - x, height - 1 - y),
        4 => (x, height - 1 - y),
        5 => (y, x),
        6 => (y, height - 1 - x),
        7 => (width - 1 - y, height - 1 - x),
        8 => (width - 1 - y, x),
        _ => (x, y),
    };

    [Fact]
    public void Exif_AllEightOrientations_AreAppliedBeforeAnyFit()
    {
        (int width, int height) = (53, 31);
        byte[] rgb = Pixels(width, height);
        PictureFit[] fits = [new(1, 24, 40, PictureResize.Squash, 0), new(1, 100, 64, PictureResize.Squash, 0), new(1, 20, 24, PictureResize.CentreCrop, 27), new(1, 40, 24, PictureResize.Pad, 0)];
        for (int orientation = 0; orientation <= 9; orientation++)
        {
            (int w, int h) = orientation is >= 5 and <= 8 ? (height, width) : (width, height);
            byte[] seen = [.. from y in Enumerable.Range(0, h)
                              from x in Enumerable.Range(0, w)
                              let at = Stored(orientation, x, y, width, height)
                              from c in Enumerable.Range(0, 3)
                              select rgb[3 * (at.Y * width + at.X) + c]];
            foreach (PictureFit fit in fits)
            {
                byte[] expected = Read(Png(w, h, seen), fit, out _);
                foreach (byte[] file in new[] { Png(width, height, rgb), Webp(width, height, rgb) })
                {
                    Assert.Equal(expected, Read(Oriented(file, orientation, little: orientation % 2 == 0), fit, out PictureFacts facts));
                    Assert.Equal((w, h), (facts.Width, facts.Height));
                }
            }
        }
    }

    [Fact]
    public void Exif_OfAJpeg_TurnsItsPixels()
    {
        byte[] file = Jpeg(N, N);
        byte[] plain = Read(file, out _);
        for (int orientation = 1; orientation <= 8; orientation++)
        {
            byte[] turned = Read(Oriented(file, orientation), out _);

            Assert.Equal(Rgb((x, y) => Stored(orientation, x, y, N, N) is var at && plain.AsSpan(3 * (at.Y * N + at.X), 3) is [var r, var g, var b] ? (r, g, b) : default), turned);
        }
    }

    [Fact]
    public void Metadata_OfAnySizeAndKind_ChangesNoPixel()
    {
        byte[] junk = new byte[2_000_000];
        new Random(1).NextBytes(junk);
        byte[] jpeg = Jpeg(N, N), png = Png(N, N), webp = Webp(N, N);
        byte[] segments = [.. Enumerable.Range(0, 40).SelectMany(i => JpegFiles.Segment(i % 2 == 0 ? 0xE2 : 0xFE, [.. "ICC_PROFILE\0"u8, .. junk[..60_000]]))];
        byte[] profile = Chunk("iCCP", [.. "evil\0\0"u8, .. Zlib(new byte[50_000_000])]), gamma = Chunk("gAMA", [0, 0, 0, 1]), text = Chunk("zTXt", [.. "a\0\0"u8, .. Zlib(junk)]);

        Assert.Equal(Read(jpeg, out _), Read([.. jpeg[..2], .. segments, .. jpeg[2..], .. junk], out _));
        Assert.Equal(Read(png, out _), Read([.. png[..33], .. profile, .. gamma, .. text, .. png[33..], .. junk], out _));
        Assert.Equal(Read(webp, out _), Read([.. ExtendedWebp(webp, 0x2C, [.. Riff("ICCP", junk), .. Riff("EXIF", junk), .. Riff("XMP ", junk)]), .. junk], out _));
    }

    [Fact]
    public void Exif_ThatMakesNoSense_IsIgnored()
    {
        byte[] jpeg = Jpeg(N, N), plain = Read(jpeg, out _);
        byte[][] evil =
        [
            [], [.. "II*\0"u8], [.. "II*\0"u8, 255, 255, 255, 255], [.. "MM\0*"u8, 0x7F, 255, 255, 255], [.. "II*\0"u8, 8, 0, 0, 0, 255, 255],
            [.. "II*\0"u8, 8, 0, 0, 0, 1, 0, 0x12, 1, 4, 0, 1, 0, 0, 0, 6, 0, 0, 0], [.. "II*\0"u8, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, 9, 0, 0, 0],
        ];

        foreach (byte[] tiff in evil)
            Assert.Equal(plain, Read([.. jpeg[..2], .. JpegFiles.Segment(0xE1, [.. "Exif\0\0"u8, .. tiff]), .. jpeg[2..]], out _));
    }

    [Fact]
    public void Jpeg_ManyTimesTooLarge_IsReadAtReducedScaleAndLooksTheSame()
    {
        byte[] rgb = Pixels(1601, 1207), jpeg = Jpeg(1601, 1207, quality: 100);
        PictureFit fit = new(1, 64, 96, PictureResize.Squash, 0);

        byte[] reduced = Read(jpeg, fit, out PictureFacts facts), whole = Read(Png(1601, 1207, rgb), fit, out _);

        Assert.Equal((1601, 1207), (facts.Width, facts.Height));
        Assert.True(reduced.Zip(whole, (a, b) => Math.Abs(a - b)).Max() <= 3, $"{reduced.Zip(whole, (a, b) => Math.Abs(a - b)).Max()}");
    }
}
