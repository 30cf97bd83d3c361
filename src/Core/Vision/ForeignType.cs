namespace Scion.Vision;

/// <summary>What a file is that is no picture Scion reads, by its first bytes.</summary>
static class ForeignType
{
    const int Looked = 1024;

    /// <summary>A noun phrase with its article: "a GIF".</summary>
    public static string Name(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length >= 12 && bytes[4..].StartsWith("ftyp"u8)) return IsoMedia(bytes);
        if (bytes.StartsWith("GIF8"u8)) return "a GIF";
        if (bytes.StartsWith("BM"u8) && bytes.Length >= 26) return "a BMP";
        if (bytes.StartsWith("II*\0"u8) || bytes.StartsWith("MM\0*"u8)) return "a TIFF or a camera's raw file";
        if (bytes.StartsWith("II+\0"u8) || bytes.StartsWith("MM\0+"u8)) return "a BigTIFF";
        if (bytes.StartsWith("%PDF"u8)) return "a PDF";
        if (bytes.StartsWith("PK\u0003\u0004"u8)) return "a zip archive or an Office document";
        if (bytes.StartsWith("8BPS"u8)) return "a Photoshop file";
        if (bytes.StartsWith("\0\0\u0001\0"u8)) return "an icon (ICO)";
        if (bytes.StartsWith("gimp xcf"u8)) return "a GIMP file";
        if (bytes is [0xFF, 0x0A, ..] || bytes.StartsWith("\0\0\0\u000CJXL "u8)) return "a JPEG XL";
        if (bytes.StartsWith("\0\0\0\u000CjP  "u8) || bytes is [0xFF, 0x4F, 0xFF, 0x51, ..]) return "a JPEG 2000";
        if (bytes is [0x1F, 0x8B, ..]) return "a gzip";
        if (bytes.StartsWith("RIFF"u8)) return "a RIFF file that is no WebP (video or sound)";
        if (bytes.StartsWith("OggS"u8) || bytes is [0x1A, 0x45, 0xDF, 0xA3, ..]) return "a video or sound file";
        if (bytes is [0x89, (byte)'P', (byte)'N', (byte)'G', ..]) return "a PNG whose signature was changed, as by a transfer in text mode";
        if (bytes is [0xFF, 0xD8]) return "the first two bytes of a JPEG";
        return Markup(bytes[..Math.Min(bytes.Length, Looked)]) ?? (bytes.IndexOfAnyExcept((byte)0) < 0 ? "filled with zeros" : "of a type that is not known");
    }

    static string IsoMedia(ReadOnlySpan<byte> bytes)
    {
        ReadOnlySpan<byte> brand = bytes.Slice(8, 4);
        if (brand.SequenceEqual("avif"u8) || brand.SequenceEqual("avis"u8)) return "an AVIF";
        return brand.SequenceEqual("heic"u8) || brand.SequenceEqual("heix"u8) || brand.SequenceEqual("hevc"u8) || brand.SequenceEqual("heim"u8) || brand.SequenceEqual("heis"u8)
            || brand.SequenceEqual("mif1"u8) || brand.SequenceEqual("msf1"u8) ? "a HEIC, as iPhones take" : "a video (MP4)";
    }

    static string? Markup(ReadOnlySpan<byte> head)
    {
        if (head.StartsWith("\uFEFF"u8)) head = head[3..];
        head = head.TrimStart(" \t\r\n"u8);
        if (!head.StartsWith("<"u8)) return null;
        Span<byte> lower = stackalloc byte[head.Length];
        System.Text.Ascii.ToLower(head, lower, out int written);
        lower = lower[..written];
        return lower.IndexOf("<svg"u8) >= 0 ? "an SVG" : lower.IndexOf("<html"u8) >= 0 || lower.IndexOf("<!doctype html"u8) >= 0 ? "an HTML page" : "an XML or HTML file";
    }
}
