using System.Diagnostics;
using Scion.Faults;
using Scion.Vision;

namespace Scion.Tests.Vision;

/// <summary>Damaged files in number; ten thousand of each format are read by the bench command pictures-fuzz.</summary>
public sealed class PictureFuzzTests
{
    [Theory]
    [InlineData("jpeg")]
    [InlineData("png")]
    [InlineData("webp")]
    public void Decode_DamagedFiles_EachIsReadOrRefusedWithACode(string format)
    {
        PictureFit fit = new(1, 32, 32, PictureResize.Squash, 0);
        byte[][] seeds = PictureMutations.Seeds(format);
        byte[] first = new byte[fit.Bytes], again = new byte[fit.Bytes];
        int read = 0;
        for (int seed = 0; seed < 600; seed++)
        {
            byte[] file = PictureMutations.Mutate(seeds, new Random(seed));
            long began = Stopwatch.GetTimestamp();
            string? code = Code(file, first);
            Assert.True(Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(5), $"seed {seed} took {Stopwatch.GetElapsedTime(began)}");
            Assert.Equal(code, Code(file, again));
            if (code is not null) continue;
            read++;
            Assert.True(first.AsSpan().SequenceEqual(again), $"seed {seed} was read in two ways");
        }
        Assert.InRange(read, 10, 590);

        string? Code(byte[] file, byte[] pixels)
        {
            try
            {
                PictureDecoder.Decode(file, fit, pixels);
                return null;
            }
            catch (InputRejectedException refusal)
            {
                Assert.Matches("^V00[1-8]$", refusal.Code);
                return refusal.Code;
            }
        }
    }

    [Fact]
    public void Decode_ArbitraryBytesAfterASignature_AreRefused()
    {
        PictureFit fit = new(1, 32, 32, PictureResize.Squash, 0);
        byte[][] signatures = [[0xFF, 0xD8, 0xFF], [0x89, .. "PNG\r\n\u001A\n"u8], [.. "RIFF"u8, 100, 0, 0, 0, .. "WEBP"u8], []];
        for (int seed = 0; seed < 2000; seed++)
        {
            Random random = new(seed);
            byte[] noise = new byte[random.Next(300)];
            random.NextBytes(noise);
            byte[] file = [.. signatures[seed % signatures.Length], .. noise];

            Assert.Throws<InputRejectedException>(() => PictureDecoder.Decode(file, fit, new byte[fit.Bytes]));
        }
    }
}
