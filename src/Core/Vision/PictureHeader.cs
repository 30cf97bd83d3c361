namespace Scion.Vision;

/// <summary>What a picture's own bytes say before anything is decoded.</summary>
/// <param name="Format">"jpeg", "png" or "webp".</param>
/// <param name="Width">Pixels as stored, before orientation.</param>
/// <param name="Height">Pixels as stored.</param>
/// <param name="Orientation">Of EXIF, in [1, 8]; 1 when it says none.</param>
/// <param name="Frames">1 unless it moves.</param>
/// <param name="Printing">True for CMYK and YCCK.</param>
/// <param name="Scans">Of a JPEG; 0 of others.</param>
/// <param name="Unit">Pixels a side of what a JPEG codes at a time.</param>
/// <param name="Needed">Pieces of the file that pixels are made of, in order. Profiles, EXIF, text and further frames are in none.</param>
readonly record struct PictureHeader(
    string Format, int Width, int Height, int Orientation, int Frames, bool Printing, int Scans, (int Width, int Height) Unit, IReadOnlyList<Range> Needed)
{
    public bool Turned => Orientation >= 5;

    /// <summary>Reads the header and walks all parts of the file, so that a file that ends too early is known before it is decoded.</summary>
    /// <exception cref="Faults.InputRejectedException">V001 to V008.</exception>
    public static PictureHeader Read(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty) throw PictureFaults.Empty();
        if (bytes.Length > PictureDecoder.MaxBytes) throw PictureFaults.TooManyBytes(bytes.Length);
        return bytes switch
        {
            [0xFF, 0xD8, 0xFF, ..] => JpegHeader.Read(bytes),
            [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A, ..] => PngHeader.Read(bytes),
            _ when bytes.Length >= 12 && bytes.StartsWith("RIFF"u8) && bytes[8..].StartsWith("WEBP"u8) => WebpHeader.Read(bytes),
            _ => throw PictureFaults.NotRead(ForeignType.Name(bytes)),
        };
    }

    /// <exception cref="Faults.InputRejectedException">A side is 0 (V005) or beyond the limits (V004).</exception>
    public static void RequireSize(string format, long width, long height)
    {
        if (width <= 0 || height <= 0) throw PictureFaults.Header(format, $"it says {width} × {height} pixels");
        if (width > PictureDecoder.MaxSide || height > PictureDecoder.MaxSide || width * height > PictureDecoder.MaxPixels)
            throw PictureFaults.TooManyPixels(width, height);
    }
}
