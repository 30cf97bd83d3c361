using System.Buffers.Binary;
using System.Text;
using Scion.Faults;
using Scion.Vision;
using static Scion.Tests.PictureFiles;

namespace Scion.Tests.Vision;

/// <summary>What is not read, and what is said of it.</summary>
public sealed class PictureRefusalsTests
{
    static readonly PictureFit Fit = new(1, 32, 24, PictureResize.Squash, 0);

    static InputRejectedException Refusal(byte[] file) => Assert.Throws<InputRejectedException>(() => PictureDecoder.Decode(file, Fit, new byte[Fit.Bytes]));

    public static TheoryData<string, string, string> Foreign => new()
    {
        { "GIF89a", "", "a GIF" }, { "BM", new string('\0', 40), "a BMP" }, { "II*\0", "abc", "a TIFF or a camera's raw file" }, { "MM\0*", "abc", "a TIFF or a camera's raw file" },
        { "%PDF-1.7", "", "a PDF" }, { "PK\u0003\u0004", "", "a zip archive or an Office document" }, { "\0\0\0\u0018ftypheic", "", "a HEIC, as iPhones take" },
        { "\0\0\0\u0018ftypmif1", "", "a HEIC, as iPhones take" }, { "\0\0\0\u0018ftypavif", "", "an AVIF" }, { "\0\0\0\u0018ftypisom", "", "a video (MP4)" },
        { "<svg xmlns=", "", "an SVG" }, { "\u00EF\u00BB\u00BF <?xml version='1.0'?><SVG ", "", "an SVG" }, { "<!DOCTYPE html><body>", "", "an HTML page" }, { "\n <html>", "", "an HTML page" },
        { "<note/>", "", "an XML or HTML file" }, { "8BPS", "", "a Photoshop file" }, { "\0\0\u0001\0\u0001\0", "", "an icon (ICO)" }, { "RIFF....AVI LIST", "", "a RIFF file that is no WebP (video or sound)" },
        { "\u0089PNG\n\u001A\n", "", "a PNG whose signature was changed, as by a transfer in text mode" }, { "\u00FF\u00D8", "", "the first two bytes of a JPEG" }, { "\0\0\0\u000CJXL \r\n", "", "a JPEG XL" },
        { "\0\0\0\u000CjP  \r\n", "", "a JPEG 2000" }, { "\0\0\0\0\0", "", "filled with zeros" }, { "hello", "", "of a type that is not known" }, { "\u001F\u008B\u0008", "", "a gzip" },
    };

    [Theory]
    [MemberData(nameof(Foreign))]
    public void File_OfAnotherType_IsNamed(string head, string tail, string what)
    {
        InputRejectedException refusal = Refusal(Encoding.Latin1.GetBytes(head + tail));

        Assert.Equal($"V001: The file is {what}. Save it as JPEG, PNG or WebP: these are read, whatever the file is called.", refusal.Message);
        Assert.Equal(Faults.Refusal.Unsupported, refusal.Kind);
    }

    [Fact]
    public void File_EmptyOrTooLong_IsRefused()
    {
        Assert.Equal("V002: The file is empty. Upload the original again, or leave it out.", Refusal([]).Message);
        Assert.Equal("V003: The file has 33,554,433 bytes; a picture may have 33,554,432. Save it with stronger compression or fewer pixels.",
            Refusal([.. Jpeg(16, 16), .. new byte[PictureDecoder.MaxBytes + 1 - Jpeg(16, 16).Length]]).Message);
    }

    [Theory]
    [InlineData(65535, 65535)]
    [InlineData(8193, 1)]
    [InlineData(1, 8193)]
    [InlineData(8000, 5001)]
    public void Size_BeyondTheLimits_IsRefusedBeforeAnythingIsAllocated(int width, int height)
    {
        string expected = FormattableString.Invariant(
            $"V004: The picture says it is {width:N0} × {height:N0}; a side may have 8,192 pixels and all of it 40,000,000. Make it smaller; no network looks at more than a thousand pixels a side.");
        byte[] jpeg = Jpeg(16, 16), png = Png(16, 16), webp = ExtendedWebp(Webp(16, 16), 0, []);
        int frame = jpeg.AsSpan().IndexOf([(byte)0xFF, (byte)0xC0]);
        BinaryPrimitives.WriteUInt16BigEndian(jpeg.AsSpan(frame + 5), (ushort)height);
        BinaryPrimitives.WriteUInt16BigEndian(jpeg.AsSpan(frame + 7), (ushort)width);
        png = [.. png[..8], .. Chunk("IHDR", [0, 0, (byte)(width >> 8), (byte)width, 0, 0, (byte)(height >> 8), (byte)height, 8, 2, 0, 0, 0]), .. png[33..]];
        (webp[24], webp[25], webp[26], webp[27], webp[28], webp[29]) = ((byte)(width - 1), (byte)(width - 1 >> 8), 0, (byte)(height - 1), (byte)(height - 1 >> 8), 0);

        foreach (byte[] file in new[] { jpeg, png, webp })
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            Assert.Equal(expected, Refusal(file).Message);
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 300_000);
        }
    }

    [Fact]
    public void Size_LargestAllowed_IsRead()
    {
        byte[] rows = new byte[(8192 / 8 + 0) * 4882];

        PictureFacts facts = PictureDecoder.Decode(Png(8192, 4882, 1, 0, rows), Fit, new byte[Fit.Bytes]);

        Assert.Equal((8192, 4882), (facts.Width, facts.Height));
    }

    [Fact]
    public void Size_Zero_IsRefused()
    {
        byte[] jpeg = Jpeg(16, 16), png = Png(16, 16);
        int frame = jpeg.AsSpan().IndexOf([(byte)0xFF, (byte)0xC0]);
        (jpeg[frame + 5], jpeg[frame + 6]) = (0, 0);

        Assert.Equal("V005: The jpeg header is not valid: it says 16 × 0 pixels. Upload the original again, or leave it out.", Refusal(jpeg).Message);
        Assert.Equal("V005", Refusal([.. png[..8], .. Chunk("IHDR", [0, 0, 0, 0, 0, 0, 0, 16, 8, 2, 0, 0, 0]), .. png[33..]]).Code);
    }

    public static TheoryData<string> Formats => ["jpeg", "progressive", "cmyk", "png", "interlaced", "webp", "lossless", "animated"];

    internal static byte[] Sample(string kind, int width = 61, int height = 45)
    {
        byte[] rgb = Pixels(width, height);
        byte[][] channels = [.. Enumerable.Range(0, 4).Select(c => Enumerable.Range(0, width * height).Select(i => rgb[3 * i + c % 3]).ToArray())];
        return kind switch
        {
            "jpeg" => Jpeg(width, height),
            "progressive" => JpegFiles.Encode(width, height, channels[..3], step: 12, progressive: true),
            "cmyk" => JpegFiles.Encode(width, height, channels, step: 12, adobe: 2),
            "png" => Png(width, height),
            "interlaced" => Png(width, height, 8, 2, rgb, interlaced: true),
            "webp" => Webp(width, height),
            "lossless" => Webp(width, height, rgb),
            _ => AnimatedWebp(width + 3, height, (0, 0, Webp(width, height)), (2, 0, Webp(width, height, 2))),
        };
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void File_CutOffAnywhere_IsNeverRead(string kind)
    {
        byte[] file = Sample(kind);
        for (int length = 1; length < file.Length; length += length > file.Length - 600 || length < 600 ? 1 : 7)
        {
            InputRejectedException refusal = Refusal(file[..length]);
            Assert.True(refusal.Code is "V001" or "V006", $"{length} of {file.Length}: {refusal.Message}");
        }
    }

    [Theory]
    [InlineData("jpeg")]
    [InlineData("progressive")]
    [InlineData("cmyk")]
    public void Jpeg_CutOffBeforeItsLastUnitAndClosedByAnEndMarker_IsNeverRead(string kind)
    {
        byte[] file = Sample(kind);
        int scan = file.AsSpan().LastIndexOf([(byte)0xFF, (byte)0xDA]) + 14;
        Assert.True(file.Length - scan > 500 || kind == "progressive", $"{file.Length - scan}");
        for (int length = scan; length < file.Length - (kind == "progressive" ? 4 : 300); length += 5)
            Assert.True(Refusal([.. file[..length], 0xFF, 0xD9]).Code is "V006" or "V007", $"{length} of {file.Length}");
    }

    [Fact]
    public void Png_WhosePictureEndsEarlyInWholeChunks_IsIncomplete()
    {
        byte[] png = Png(40, 40);
        int at = 33, length = BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(at));
        byte[] data = png[(at + 8)..(at + 8 + length)];

        for (int kept = 0; kept < data.Length - 12; kept += 50)
            Assert.True(Refusal([.. png[..at], .. Chunk("IDAT", data[..kept]), .. Chunk("IEND", [])]).Code is "V006" or "V007", $"{kept}");
    }

    [Fact]
    public void Webp_WhosePictureEndsEarlyInWholeChunks_IsRefused()
    {
        foreach (byte[] webp in new[] { Webp(64, 64), Webp(64, 64, Pixels(64, 64)) })
        {
            string type = Encoding.ASCII.GetString(webp, 12, 4);
            int length = BinaryPrimitives.ReadInt32LittleEndian(webp.AsSpan(16));
            for (int kept = 12; kept < length - 8; kept += 13)
                Assert.True(Refusal(Riff("RIFF", [.. "WEBP"u8, .. Riff(type, webp[20..(20 + kept)])])).Code is "V005" or "V006" or "V007", $"{type} {kept} of {length}");
        }
    }

    [Fact]
    public void Png_WithAChangedByte_IsDamaged()
    {
        byte[] png = Png(40, 40);
        png[60] ^= 1;

        Assert.Equal("V007: The png is damaged: the CRC-32 of its chunk IDAT at byte 33 is another. Upload the original again, or leave it out.", Refusal(png).Message);
    }

    [Fact]
    public void Kinds_ThatAreNotRead_AreNamed()
    {
        byte[] jpeg = Jpeg(16, 16);
        int frame = jpeg.AsSpan().IndexOf([(byte)0xFF, (byte)0xC0]);
        byte[] With(int marker, byte bits)
        {
            byte[] other = [.. jpeg];
            (other[frame + 1], other[frame + 4]) = ((byte)marker, bits);
            return other;
        }

        Assert.Equal("V008: This kind of JPEG is not read: 12 bits a channel. Save it as an ordinary JPEG of 8 bits a channel.", Refusal(With(0xC1, 12)).Message);
        Assert.Contains("lossless", Refusal(With(0xC3, 8)).Fact, StringComparison.Ordinal);
        Assert.Contains("arithmetic coding", Refusal(With(0xC9, 8)).Fact, StringComparison.Ordinal);
        Assert.Contains("SOF5", Refusal(With(0xC5, 8)).Fact, StringComparison.Ordinal);
        Assert.Contains("CgBI", Refusal([.. Png(16, 16)[..8], .. Chunk("CgBI", [1, 2, 3, 4]), .. Png(16, 16)[8..]]).Fact, StringComparison.Ordinal);
    }

    [Fact]
    public void Jpeg_OfManyScans_IsRefused()
    {
        byte[] progressive = Sample("progressive");
        int scan = progressive.AsSpan().LastIndexOf([(byte)0xFF, (byte)0xDA]);
        byte[] one = progressive[scan..^2];

        Assert.Equal("V008: This kind of JPEG is not read: more than 100 scans. Save it as an ordinary JPEG of 8 bits a channel.",
            Refusal([.. progressive[..scan], .. Enumerable.Repeat(one, 100).SelectMany(bytes => bytes), 0xFF, 0xD9]).Message);
    }

    [Theory]
    [InlineData(2, 32, 32, 0, 0, "its version is 2 and 1 is known")]
    [InlineData(1, 15, 32, 0, 0, "32 × 15 does not lie within 16 to 1,024")]
    [InlineData(1, 32, 1025, 0, 0, "1025 × 32 does not lie within 16 to 1,024")]
    [InlineData(1, 32, 32, 1, 31, "a shorter side of 31 with CentreCrop to 32 × 32")]
    [InlineData(1, 32, 32, 0, 31, "a shorter side of 31 with Squash to 32 × 32")]
    [InlineData(1, 32, 32, 9, 0, "resize 9 is not known")]
    public void Fit_ThatIsNotUsable_IsRefused(int version, int height, int width, int resize, int shorter, string what)
    {
        PictureFit fit = new(version, height, width, (PictureResize)resize, shorter);

        InputRejectedException refusal = Assert.Throws<InputRejectedException>(() => PictureDecoder.Decode(Jpeg(16, 16), fit, new byte[fit.Bytes]));

        Assert.Equal($"V012: The size a picture is to be fitted to is not usable: {what}. Import the encoder again with this version of Scion.", refusal.Message);
    }
}
