using System.Buffers.Binary;
using System.Globalization;
using System.IO.Hashing;

namespace Scion.Vision;

/// <summary>Walks the chunks of a PNG (W3C PNG, third edition) and checks the CRC-32 of those that pixels are made of.</summary>
static class PngHeader
{
    const string Format = "png";

    /// <exception cref="Faults.InputRejectedException">V004 to V008.</exception>
    public static PictureHeader Read(ReadOnlySpan<byte> bytes)
    {
        int width = 0, height = 0, orientation = 1, frames = 1, at = 8;
        byte depth = 0, colour = 0, interlace = 0;
        bool palette = false, data = false;
        List<Range> needed = [0..8];
        while (true)
        {
            if (bytes.Length - at < 12) throw CutOff(bytes.Length, data ? "before its end chunk" : "before its picture");
            uint length = BinaryPrimitives.ReadUInt32BigEndian(bytes[at..]);
            ReadOnlySpan<byte> type = bytes.Slice(at + 4, 4);
            if (type.ContainsAnyExcept(Letters)) throw PictureFaults.Damaged(Format, string.Create(CultureInfo.InvariantCulture, $"no chunk begins at byte {at:N0}"));
            if (width == 0 && !type.SequenceEqual("IHDR"u8) && !type.SequenceEqual("CgBI"u8)) throw PictureFaults.Header(Format, "it does not begin with IHDR");
            if (length > (uint)(bytes.Length - at - 12)) throw CutOff(bytes.Length, $"in its chunk {Name(type)}");
            ReadOnlySpan<byte> body = bytes.Slice(at + 8, (int)length);
            int end = at + 12 + (int)length;
            bool critical = (type[0] & 0x20) == 0;
            if (critical || type.SequenceEqual("tRNS"u8))
            {
                if (Crc32.HashToUInt32(bytes.Slice(at + 4, 4 + (int)length)) != BinaryPrimitives.ReadUInt32BigEndian(bytes[(end - 4)..]))
                    throw PictureFaults.Damaged(Format, $"the CRC-32 of its chunk {Name(type)} at byte {at.ToString("N0", CultureInfo.InvariantCulture)} is another");
                if (needed[^1].End.Value == at) needed[^1] = needed[^1].Start..end;
                else needed.Add(at..end);
            }
            if (type.SequenceEqual("IHDR"u8))
            {
                if (width != 0 || length != 13) throw PictureFaults.Header(Format, width != 0 ? "it has two" : $"it has {length} bytes");
                (uint w, uint h) = (BinaryPrimitives.ReadUInt32BigEndian(body), BinaryPrimitives.ReadUInt32BigEndian(body[4..]));
                PictureHeader.RequireSize(Format, w, h);
                (width, height, depth, colour, interlace) = ((int)w, (int)h, body[8], body[9], body[12]);
                if (!IsAllowed(depth, colour) || body[10] != 0 || body[11] != 0 || interlace > 1)
                    throw PictureFaults.Header(Format, $"depth {depth}, colour type {colour}, methods {body[10]}, {body[11]}, {interlace}");
            }
            else if (type.SequenceEqual("PLTE"u8)) palette = true;
            else if (type.SequenceEqual("IDAT"u8)) data = true;
            else if (type.SequenceEqual("IEND"u8)) break;
            else if (type.SequenceEqual("acTL"u8) && length >= 4) frames = (int)Math.Clamp(BinaryPrimitives.ReadUInt32BigEndian(body), 1, int.MaxValue);
            else if (type.SequenceEqual("eXIf"u8)) orientation = ExifOrientation.Of(body);
            else if (critical) throw PictureFaults.Variant("PNG", $"its chunk {Name(type)} is not of the standard");
            at = end;
        }
        if (!data) throw PictureFaults.Damaged(Format, "it ends before its picture");
        if (colour == 3 && !palette) throw PictureFaults.Header(Format, "it has no palette");
        return new(Format, width, height, orientation, frames, false, 0, default, needed);
    }

    static bool IsAllowed(byte depth, byte colour) => colour switch
    {
        0 => depth is 1 or 2 or 4 or 8 or 16,
        3 => depth is 1 or 2 or 4 or 8,
        2 or 4 or 6 => depth is 8 or 16,
        _ => false,
    };

    static readonly System.Buffers.SearchValues<byte> Letters =
        System.Buffers.SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"u8);

    static string Name(ReadOnlySpan<byte> type) => System.Text.Encoding.ASCII.GetString(type);

    static Faults.InputRejectedException CutOff(int length, string where) =>
        PictureFaults.Incomplete(Format, string.Create(CultureInfo.InvariantCulture, $"its {length:N0} bytes end {where}"));
}
