using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;
using SkiaSharp;

namespace Scion.Tests;

/// <summary>Pictures made by the tests, byte for byte where it matters.</summary>
static class PictureFiles
{
    /// <summary>Smooth colours with some grain, [height, width, 3]; the same for the same arguments.</summary>
    public static byte[] Pixels(int width, int height, int seed = 1)
    {
        Random random = new(seed);
        (double a, double b) = (1 + random.NextDouble() * 3, 1 + random.NextDouble() * 3);
        byte[] pixels = new byte[width * height * 3];
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++)
                for (int c = 0; c < 3; c++)
                    pixels[3 * (y * width + x) + c] = (byte)Math.Clamp(128 + 90 * Math.Sin(a * (c + 1) * x / width + b * y / height * 3 + c) + random.Next(-20, 21), 0, 255);
        return pixels;
    }

    public static byte[] Jpeg(int width, int height, int seed = 1, int quality = 90) => Skia(width, height, Pixels(width, height, seed), SKEncodedImageFormat.Jpeg, quality);

    public static byte[] Webp(int width, int height, int seed = 1, int quality = 90) => Skia(width, height, Pixels(width, height, seed), SKEncodedImageFormat.Webp, quality);

    /// <summary>A lossless one.</summary>
    public static byte[] Webp(int width, int height, byte[] rgb)
    {
        using SKBitmap bitmap = Bitmap(width, height, rgb);
        using SKPixmap pixmap = bitmap.PeekPixels();
        using SKData data = pixmap.Encode(new SKWebpEncoderOptions(SKWebpEncoderCompression.Lossless, 50))!;
        return data.ToArray();
    }

    public static byte[] Png(int width, int height, byte[]? rgb = null) => Png(width, height, 8, 2, rgb ?? Pixels(width, height));

    /// <summary>A PNG of any kind.</summary>
    /// <param name="width">Pixels.</param>
    /// <param name="height">Pixels.</param>
    /// <param name="depth">Bits a sample.</param>
    /// <param name="colour">Type: 0 grey, 2 RGB, 3 palette, 4 grey with alpha, 6 RGB with alpha.</param>
    /// <param name="samples">As stored: rows of bytes, packed, without filter bytes.</param>
    /// <param name="before">Chunks before the picture: a palette, say.</param>
    /// <param name="after">Chunks after it.</param>
    /// <param name="interlaced">In Adam's seven passes; samples of whole bytes only.</param>
    public static byte[] Png(int width, int height, int depth, int colour, byte[] samples, byte[]? before = null, byte[]? after = null, bool interlaced = false)
    {
        int bits = depth * colour switch { 2 => 3, 4 => 2, 6 => 4, _ => 1 };
        int stride = (width * bits + 7) / 8;
        MemoryStream rows = new();
        (int X, int Y, int DX, int DY)[] passes = interlaced
            ? [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)] : [(0, 0, 1, 1)];
        foreach ((int x0, int y0, int dx, int dy) in passes)
            for (int y = y0; y < height && x0 < width; y += dy)
            {
                rows.WriteByte(0);
                if (!interlaced) rows.Write(samples, y * stride, stride);
                else for (int x = x0; x < width; x += dx) rows.Write(samples, y * stride + x * bits / 8, bits / 8);
            }
        byte[] header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        (header[8], header[9], header[12]) = ((byte)depth, (byte)colour, (byte)(interlaced ? 1 : 0));
        return [0x89, .. "PNG\r\n\u001A\n"u8, .. Chunk("IHDR", header), .. before ?? [], .. Chunk("IDAT", Zlib(rows.ToArray())), .. after ?? [], .. Chunk("IEND", [])];
    }

    public static byte[] Chunk(string type, byte[] body)
    {
        byte[] chunk = [0, 0, 0, 0, .. type.Select(c => (byte)c), .. body, 0, 0, 0, 0];
        BinaryPrimitives.WriteInt32BigEndian(chunk, body.Length);
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(chunk.Length - 4), Crc32.HashToUInt32(chunk.AsSpan(4, 4 + body.Length)));
        return chunk;
    }

    public static byte[] Zlib(byte[] bytes)
    {
        MemoryStream packed = new();
        using (ZLibStream zlib = new(packed, CompressionLevel.Fastest, leaveOpen: true)) zlib.Write(bytes);
        return packed.ToArray();
    }

    /// <summary>The TIFF structure of EXIF that says an orientation and nothing else.</summary>
    public static byte[] Exif(int orientation, bool little = true) => little
        ? [.. "II*\0"u8, 8, 0, 0, 0, 1, 0, 0x12, 0x01, 3, 0, 1, 0, 0, 0, (byte)orientation, 0, 0, 0, 0, 0, 0, 0]
        : [.. "MM\0*"u8, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, (byte)orientation, 0, 0, 0, 0, 0, 0];

    /// <summary>The picture with an orientation written into it, in the way of its format.</summary>
    public static byte[] Oriented(byte[] file, int orientation, bool little = true) => file[0] switch
    {
        0xFF => [.. file[..2], .. JpegFiles.Segment(0xE1, [.. "Exif\0\0"u8, .. Exif(orientation, little)]), .. file[2..]],
        0x89 => [.. file[..33], .. Chunk("eXIf", Exif(orientation, little)), .. file[33..]],
        _ => ExtendedWebp(file, 0x08, Riff("EXIF", Exif(orientation, little))),
    };

    public static byte[] Riff(string type, byte[] body)
    {
        byte[] chunk = [.. type.Select(c => (byte)c), 0, 0, 0, 0, .. body, .. new byte[body.Length & 1]];
        BinaryPrimitives.WriteInt32LittleEndian(chunk.AsSpan(4), body.Length);
        return chunk;
    }

    /// <summary>A simple WebP with the extended header and further chunks.</summary>
    public static byte[] ExtendedWebp(byte[] simple, byte flags, byte[] further)
    {
        (int width, int height) = SizeOf(simple);
        byte[] header = [flags, 0, 0, 0, .. Int24(width - 1), .. Int24(height - 1)];
        return Riff("RIFF", [.. "WEBP"u8, .. Riff("VP8X", header), .. simple[12..], .. further]);
    }

    /// <summary>A WebP that moves: each frame a simple WebP, laid at a place.</summary>
    public static byte[] AnimatedWebp(int width, int height, params (int X, int Y, byte[] Simple)[] frames)
    {
        MemoryStream chunks = new();
        foreach ((int x, int y, byte[] simple) in frames)
        {
            (int w, int h) = SizeOf(simple);
            chunks.Write(Riff("ANMF", [.. Int24(x / 2), .. Int24(y / 2), .. Int24(w - 1), .. Int24(h - 1), 100, 0, 0, 0, .. simple[12..]]));
        }
        return Riff("RIFF", [.. "WEBP"u8, .. Riff("VP8X", [0x02 | 0x10, 0, 0, 0, .. Int24(width - 1), .. Int24(height - 1)]), .. Riff("ANIM", new byte[6]), .. chunks.ToArray()]);
    }

    static (int Width, int Height) SizeOf(byte[] simple)
    {
        using SKData data = SKData.CreateCopy(simple);
        using SKCodec codec = SKCodec.Create(data);
        return (codec.Info.Width, codec.Info.Height);
    }

    static byte[] Int24(int value) => [(byte)value, (byte)(value >> 8), (byte)(value >> 16)];

    static byte[] Skia(int width, int height, byte[] rgb, SKEncodedImageFormat format, int quality)
    {
        using SKBitmap bitmap = Bitmap(width, height, rgb);
        using SKData data = bitmap.Encode(format, quality);
        return data.ToArray();
    }

    static SKBitmap Bitmap(int width, int height, byte[] rgb)
    {
        SKBitmap bitmap = new(new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        Span<byte> rgba = bitmap.GetPixelSpan();
        for (int i = 0; i < width * height; i++) (rgba[4 * i], rgba[4 * i + 1], rgba[4 * i + 2], rgba[4 * i + 3]) = (rgb[3 * i], rgb[3 * i + 1], rgb[3 * i + 2], 255);
        return bitmap;
    }
}
