using System.Buffers.Binary;

namespace Scion.Vision;

/// <summary>Walks the segments of a JPEG (ITU-T T.81, annex B).</summary>
static class JpegHeader
{
    const string Format = "jpeg";

    /// <summary>Most scans of a progressive file; ordinary ones have 10. Each costs a pass over all coefficients.</summary>
    const int MaxScans = 100;

    /// <exception cref="Faults.InputRejectedException">V004 to V008.</exception>
    public static PictureHeader Read(ReadOnlySpan<byte> bytes)
    {
        int width = 0, height = 0, components = 0, orientation = 0, scans = 0, at = 2;
        (int Width, int Height) unit = default;
        List<Range> needed = [0..2];
        while (true)
        {
            int marker = NextMarker(bytes, ref at);
            int start = at - 2;
            if (marker == 0xD9)
            {
                if (scans == 0) throw PictureFaults.Damaged(Format, "it ends before its picture");
                Add(needed, start, at);
                break;
            }
            if (marker is 0x01 or (>= 0xD0 and <= 0xD7)) continue;
            if (marker == 0xD8) throw PictureFaults.Damaged(Format, $"another begins at byte {start:N0}, inside it");
            if (bytes.Length - at < 2) throw CutOff(bytes.Length, "in its header");
            int length = BinaryPrimitives.ReadUInt16BigEndian(bytes[at..]);
            if (length < 2) throw PictureFaults.Header(Format, $"a segment at byte {start:N0} has {length} bytes");
            if (bytes.Length - at < length) throw CutOff(bytes.Length, "in its header");
            ReadOnlySpan<byte> body = bytes.Slice(at + 2, length - 2);
            at += length;
            switch (marker)
            {
                case 0xC0 or 0xC1 or 0xC2:
                    if (components != 0) throw PictureFaults.Header(Format, "it describes two frames");
                    if (body.Length < 6) throw PictureFaults.Header(Format, $"its frame has {body.Length} bytes");
                    if (body[0] != 8) throw PictureFaults.Variant("JPEG", $"{body[0]} bits a channel");
                    (height, width, components) = (BinaryPrimitives.ReadUInt16BigEndian(body[1..]), BinaryPrimitives.ReadUInt16BigEndian(body[3..]), body[5]);
                    PictureHeader.RequireSize(Format, width, height);
                    if (components is not (1 or 3 or 4)) throw PictureFaults.Variant("JPEG", $"{components} channels");
                    if (body.Length != 6 + 3 * components) throw PictureFaults.Header(Format, $"its frame has {body.Length} bytes for {components} channels");
                    for (int i = 7; i < body.Length; i += 3) unit = (Math.Max(unit.Width, 8 * (body[i] >> 4)), Math.Max(unit.Height, 8 * (body[i] & 15)));
                    Add(needed, start, at);
                    break;
                case 0xC3 or (>= 0xC5 and <= 0xC7) or (>= 0xC9 and <= 0xCB) or (>= 0xCD and <= 0xCF):
                    throw PictureFaults.Variant("JPEG", marker switch
                    {
                        0xC3 => "lossless",
                        0xC9 or 0xCA => "arithmetic coding",
                        _ => $"a process of type SOF{marker - 0xC0}",
                    });
                case 0xE1 when orientation == 0 && body.StartsWith("Exif\0\0"u8):
                    orientation = ExifOrientation.Of(body);
                    break;
                case 0xE0 when body.StartsWith("JFIF\0"u8):                     // both decide how channels become colours
                case 0xEE when body.StartsWith("Adobe"u8):
                    Add(needed, start, at);
                    break;
                case (>= 0xE0 and <= 0xEF) or 0xFE:
                    break;
                case 0xDA:
                    if (components == 0) throw PictureFaults.Header(Format, "a scan comes before its frame");
                    if (++scans > MaxScans) throw PictureFaults.Variant("JPEG", $"more than {MaxScans} scans");
                    at = EndOfScan(bytes, at);
                    Add(needed, start, at);
                    break;
                default:
                    Add(needed, start, at);
                    break;
            }
        }
        return new(Format, width, height, Math.Max(1, orientation), 1, components == 4, scans, unit, needed);
    }

    /// <summary>Goes past fill bytes, and past what is no marker as every decoder does.</summary>
    static int NextMarker(ReadOnlySpan<byte> bytes, ref int at)
    {
        while (true)
        {
            int next = at < bytes.Length ? bytes[at..].IndexOf((byte)0xFF) : -1;
            if (next < 0) throw CutOff(bytes.Length, "before its end marker");
            at += next + 1;
            while (at < bytes.Length && bytes[at] == 0xFF) at++;
            if (at >= bytes.Length) throw CutOff(bytes.Length, "before its end marker");
            if (bytes[at++] is not 0 and var marker) return marker;
        }
    }

    /// <summary>Where the marker after the entropy-coded bytes stands: 0xFF that is neither stuffed, nor a restart, nor fill.</summary>
    static int EndOfScan(ReadOnlySpan<byte> bytes, int at)
    {
        while (true)
        {
            int next = bytes[at..].IndexOf((byte)0xFF);
            if (next < 0 || at + next + 1 >= bytes.Length) throw CutOff(bytes.Length, "in its picture");
            at += next;
            if (bytes[at + 1] is not (0 or 0xFF or (>= 0xD0 and <= 0xD7))) return at;
            at += bytes[at + 1] == 0xFF ? 1 : 2;
        }
    }

    static void Add(List<Range> needed, int start, int end)
    {
        if (needed[^1].End.Value == start) needed[^1] = needed[^1].Start..end;
        else needed.Add(start..end);
    }

    static Faults.InputRejectedException CutOff(int length, string where) =>
        PictureFaults.Incomplete(Format, string.Create(System.Globalization.CultureInfo.InvariantCulture, $"its {length:N0} bytes end {where}"));
}
