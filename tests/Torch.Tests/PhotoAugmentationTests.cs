using CsCheck;
using Scion.Text;
using Scion.Torch;

namespace Scion.Tests;

public sealed class PhotoAugmentationTests
{
    [Fact]
    public void Apply_OneStream_GivesTheSameBytes() => Gen.Select(Gen.Byte.Array[24 * 24 * 3], Gen.Int[0, 10_000]).Sample((photo, stream) =>
    {
        Xoshiro first = new(1, stream), second = new(1, stream);
        byte[] one = new byte[16 * 16 * 3], two = new byte[16 * 16 * 3];

        PhotoAugmentation.Apply(photo, 24, one, 16, ref first);
        PhotoAugmentation.Apply(photo, 24, two, 16, ref second);

        Assert.Equal(one, two);
    }, iter: 200);

    [Fact]
    public void Apply_ManyStreams_KeepsAPictureBrightWhereItWas()
    {
        byte[] photo = new byte[24 * 24 * 3];
        photo.AsSpan(0, photo.Length / 2).Fill(220);
        photo.AsSpan(photo.Length / 2).Fill(40);
        byte[] pixels = new byte[16 * 16 * 3];
        int kept = 0;
        const int trials = 400;

        for (int stream = 0; stream < trials; stream++)
        {
            Xoshiro random = new(2, stream);
            PhotoAugmentation.Apply(photo, 24, pixels, 16, ref random);
            if (pixels.Take(pixels.Length / 2).Sum(p => (long)p) >= pixels.Skip(pixels.Length / 2).Sum(p => (long)p)) kept++;
        }

        Assert.InRange(kept / (double)trials, 0.9, 1);
    }

    [Fact]
    public void Mix_TwoPlainPictures_TellsTheShareThatIsLeft() => Gen.Int[0, 100_000].Sample(stream =>
    {
        const int side = 20;
        byte[] into = new byte[side * side * 3], other = new byte[side * side * 3];
        other.AsSpan().Fill(255);
        Xoshiro random = new(3, stream);

        float share = PhotoAugmentation.Mix(into, other, side, ref random);

        Assert.Equal(into.Count(p => p == 0) / (double)into.Length, share, 1e-6);
    }, iter: 300);
}
