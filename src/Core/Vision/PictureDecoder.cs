using System.Buffers;
using System.Runtime.InteropServices;
using SkiaSharp;

namespace Scion.Vision;

/// <summary>Decodes a picture whole and fits it, in this process.</summary>
/// <remarks>The result depends on bytes and fit alone. Order: the file's parts are walked by own code; what pixels are not made of (profiles, EXIF, text, further
/// frames) is left out; Skia decodes the rest, a JPEG at ½, ¼ or ⅛ where that leaves twice the pixels wanted; transparency is laid on white; one pass of
/// <see cref="PictureResampler"/> turns, cuts and resizes. ICC profiles and gamma are ignored: values are taken for sRGB.</remarks>
public static class PictureDecoder
{
    /// <summary>Most bytes of a file.</summary>
    public const int MaxBytes = 32 << 20;

    /// <summary>Most pixels of a side.</summary>
    public const int MaxSide = 8192;

    /// <summary>Most pixels of all.</summary>
    public const int MaxPixels = 40_000_000;

    /// <param name="bytes">The file.</param>
    /// <param name="fit">Size wanted.</param>
    /// <param name="pixels">[height, width, 3], RGB, written; <see cref="PictureFit.Bytes"/> long. Undefined after an exception.</param>
    /// <exception cref="Faults.InputRejectedException">It is not a whole, allowed picture (V001 to V008), or the fit is not usable (V012).</exception>
    /// <exception cref="ArgumentException"><paramref name="pixels"/> has another length.</exception>
    public static PictureFacts Decode(ReadOnlySpan<byte> bytes, PictureFit fit, Span<byte> pixels)
    {
        RequireUsable(fit);
        if (pixels.Length != fit.Bytes) throw new ArgumentException($"{pixels.Length} bytes were given for {fit.Bytes}.", nameof(pixels));
        PictureHeader header = PictureHeader.Read(bytes);
        (int width, int height) = header.Turned ? (header.Height, header.Width) : (header.Width, header.Height);
        FittedArea area = FittedArea.Of(fit, width, height);
        byte[]? needed = null;
        try
        {
            ReadOnlySpan<byte> handed = header.Needed is [var all] && all.Equals(0..bytes.Length) ? bytes : Gather(bytes, header, out needed);
            Decode(handed, header, fit, area, pixels);
        }
        finally
        {
            if (needed is not null) ArrayPool<byte>.Shared.Return(needed);
        }
        string[] warnings = [.. header.Frames > 1 ? [PictureFaults.Frames(header.Frames)] : (string[])[], .. header.Printing ? [PictureFaults.PrintingColours()] : (string[])[]];
        return new PictureFacts(header.Format, width, height, warnings);
    }

    static unsafe void Decode(ReadOnlySpan<byte> file, in PictureHeader header, PictureFit fit, in FittedArea area, Span<byte> pixels)
    {
        fixed (byte* start = file)
        {
            using SKData data = SKData.Create((nint)start, file.Length);                    // no copy
            using SKMemoryStream stream = new(data);
            using SKCodec codec = SKCodec.Create(stream, out SKCodecResult opened) ?? throw Refused(header.Format, opened);
            if (codec.Info.Width != header.Width || codec.Info.Height != header.Height)
                throw PictureFaults.Header(header.Format, $"it says {header.Width} × {header.Height} and decodes to {codec.Info.Width} × {codec.Info.Height}");
            int reduction = Reduction(header, area);
            SKSizeI size = reduction == 1 ? codec.Info.Size : codec.GetScaledDimensions(1f / reduction);
            bool opaque = codec.Info.AlphaType == SKAlphaType.Opaque;
            SKImageInfo info = new(size.Width, size.Height, SKColorType.Rgba8888, opaque ? SKAlphaType.Opaque : SKAlphaType.Unpremul);
            byte* decoded = (byte*)NativeMemory.Alloc((nuint)info.BytesSize);
            try
            {
                SKCodecResult result = codec.GetPixels(info, (nint)decoded);
                if (result != SKCodecResult.Success) throw Refused(header.Format, result);
                Span<byte> rgba = new(decoded, info.BytesSize);
                if (header.Scans > 1 || (header.Scans == 1 && EndsFlat(rgba, size, reduction, header))) JpegScans.RequireWhole(file);
                if (!opaque) LayOnWhite(rgba);
                Fit(rgba, size, header, fit, area, pixels);
            }
            finally
            {
                NativeMemory.Free(decoded);
            }
        }
    }

    /// <summary>2, 4 or 8 when a JPEG decoded at that fraction still has twice the pixels a side that the fitted picture has; else 1.</summary>
    static int Reduction(in PictureHeader header, in FittedArea area)
    {
        if (header.Format != "jpeg") return 1;
        (int width, int height) = header.Turned ? (area.SizeY, area.SizeX) : (area.SizeX, area.SizeY);
        int reduction = 8;
        while (reduction > 1 && (header.Width < 2 * width * reduction || header.Height < 2 * height * reduction)) reduction /= 2;
        return reduction;
    }

    static void Fit(ReadOnlySpan<byte> rgba, SKSizeI stored, in PictureHeader header, PictureFit fit, in FittedArea area, Span<byte> pixels)
    {
        int o = header.Orientation;
        bool turned = header.Turned, upsideDown = o is 3 or 4 or 6 or 7, leftIsRight = o is 2 or 3 or 7 or 8;
        (double across, double down) = (ExtentOf(stored.Width, header.Width), ExtentOf(stored.Height, header.Height));
        PictureAxis rows = turned
            ? new(stored.Height, down, area.SizeX, area.FromX, area.Width, upsideDown)
            : new(stored.Height, down, area.SizeY, area.FromY, area.Height, upsideDown);
        PictureAxis columns = turned
            ? new(stored.Width, across, area.SizeY, area.FromY, area.Height, leftIsRight)
            : new(stored.Width, across, area.SizeX, area.FromX, area.Width, leftIsRight);
        if (area.Width != fit.Width || area.Height != fit.Height) pixels.Fill(255);
        PictureResampler.Resample(rgba, 4 * stored.Width, rows, columns, turned, pixels[(3 * (area.Top * fit.Width + area.Left))..], 3 * fit.Width);
    }

    /// <summary>A decode at 1/n rounds sides up; its last pixel may be picture only in part.</summary>
    static double ExtentOf(int stored, int full)
    {
        int reduction = 1;
        while ((full + reduction - 1) / reduction > stored) reduction *= 2;
        return (double)full / reduction;
    }

    /// <summary>True when the last unit of a JPEG has one colour, as those have that were missing in the file and as white paper has. Its first row and column are
    /// left out: colour is interpolated from units before.</summary>
    static bool EndsFlat(ReadOnlySpan<byte> rgba, SKSizeI size, int reduction, in PictureHeader header)
    {
        int left = (header.Width - 1) / header.Unit.Width * header.Unit.Width / reduction, top = (header.Height - 1) / header.Unit.Height * header.Unit.Height / reduction;
        (left, top) = (Math.Min(left + 1, size.Width - 1), Math.Min(top + 1, size.Height - 1));
        ReadOnlySpan<int> pixels = MemoryMarshal.Cast<byte, int>(rgba);
        for (int y = top; y < size.Height; y++)
            if (pixels.Slice(y * size.Width + left, size.Width - left).ContainsAnyExcept(pixels[^1])) return false;
        return true;
    }

    static void LayOnWhite(Span<byte> rgba)
    {
        for (int i = 0; i < rgba.Length; i += 4)
        {
            int alpha = rgba[i + 3];
            if (alpha == 255) continue;
            for (int c = i; c < i + 3; c++) rgba[c] = (byte)((rgba[c] * alpha + 255 * (255 - alpha) + 127) / 255);
        }
    }

    /// <summary>The pieces of a file that pixels are made of, one after the other.</summary>
    static ReadOnlySpan<byte> Gather(ReadOnlySpan<byte> bytes, in PictureHeader header, out byte[] rented)
    {
        rented = ArrayPool<byte>.Shared.Rent(bytes.Length + 1);
        int length = 0;
        foreach (Range range in header.Needed)
        {
            ReadOnlySpan<byte> piece = bytes[range];
            piece.CopyTo(rented.AsSpan(length));
            length += piece.Length;
        }
        if (header.Format == "webp")
        {
            if ((length & 1) == 1) rented[length++] = 0;
            BitConverter.TryWriteBytes(rented.AsSpan(4), length - 8);
            if (rented.AsSpan(12).StartsWith("VP8X"u8)) rented[20] &= unchecked((byte)~WebpHeader.Dropped);
        }
        return rented.AsSpan(0, length);
    }

    static Faults.InputRejectedException Refused(string format, SKCodecResult result) => result switch
    {
        SKCodecResult.IncompleteInput => PictureFaults.Incomplete(format, "its data ends before its last pixel"),
        SKCodecResult.Unimplemented => PictureFaults.Variant(format.ToUpperInvariant(), "the decoder does not know it"),
        _ => PictureFaults.Damaged(format, $"the decoder says {result}"),
    };

    static void RequireUsable(PictureFit fit)
    {
        if (fit.Version != PictureFit.CurrentVersion) throw PictureFaults.Fit($"its version is {fit.Version} and {PictureFit.CurrentVersion} is known");
        if (fit.Height is < 16 or > 1024 || fit.Width is < 16 or > 1024) throw PictureFaults.Fit($"{fit.Width} × {fit.Height} does not lie within 16 to 1,024");
        if (fit.Resize == PictureResize.CentreCrop ? fit.ShorterSide < Math.Max(fit.Width, fit.Height) || fit.ShorterSide > 2048 : fit.ShorterSide != 0)
            throw PictureFaults.Fit($"a shorter side of {fit.ShorterSide} with {fit.Resize} to {fit.Width} × {fit.Height}");
        if (!Enum.IsDefined(fit.Resize)) throw PictureFaults.Fit($"resize {(int)fit.Resize} is not known");
    }
}
