using SkiaSharp;

namespace Scion.Vision;

/// <summary>Writes pixels as files: small pictures for people, and lossless ones to check with.</summary>
/// <remarks>Equal pixels give equal bytes, with one version of the encoder.</remarks>
public static class PictureWriter
{
    /// <summary>Pixels of a side of the small pictures that packages and reports hold: enough to recognise a photo, and a bound on what they disclose.</summary>
    public const int SmallSide = 112;

    /// <summary>How a picture becomes a small one: whole, the rest white.</summary>
    public static PictureFit SmallFit { get; } = new(PictureFit.CurrentVersion, SmallSide, SmallSide, PictureResize.Pad, 0);

    /// <summary>A JPEG of about 4 KB.</summary>
    /// <param name="pixels">[112, 112, 3], RGB, as <see cref="SmallFit"/> makes them.</param>
    public static byte[] Small(ReadOnlySpan<byte> pixels) => Encode(pixels, SmallSide, SmallSide, SKEncodedImageFormat.Jpeg, quality: 80);

    /// <summary>A PNG: the very pixels.</summary>
    /// <param name="pixels">[height, width, 3], RGB.</param>
    /// <param name="width">Pixels.</param>
    /// <param name="height">Pixels.</param>
    public static byte[] Lossless(ReadOnlySpan<byte> pixels, int width, int height) => Encode(pixels, width, height, SKEncodedImageFormat.Png, quality: 100);

    static byte[] Encode(ReadOnlySpan<byte> pixels, int width, int height, SKEncodedImageFormat format, int quality)
    {
        if (pixels.Length != width * height * 3) throw new ArgumentException($"{pixels.Length} bytes are not {width} × {height} pixels.", nameof(pixels));
        byte[] rgbx = new byte[width * height * 4];
        for (int i = 0; i < width * height; i++)
        {
            pixels.Slice(3 * i, 3).CopyTo(rgbx.AsSpan(4 * i));
            rgbx[(4 * i) + 3] = 255;
        }
        using SKImage image = SKImage.FromPixelCopy(new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Opaque), rgbx);
        using SKData file = image.Encode(format, quality);
        return file.ToArray();
    }
}
