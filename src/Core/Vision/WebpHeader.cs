using System.Buffers.Binary;
using System.Globalization;

namespace Scion.Vision;

/// <summary>Walks the chunks of a WebP (RFC 9649).</summary>
static class WebpHeader
{
    const string Format = "webp";
    const int Animated = 0x02;

    /// <summary>Bits of VP8X that speak of chunks which are not handed on: ICC, EXIF, XMP.</summary>
    internal const byte Dropped = 0x20 | 0x08 | 0x04;

    /// <exception cref="Faults.InputRejectedException">V004 to V007.</exception>
    public static PictureHeader Read(ReadOnlySpan<byte> bytes)
    {
        long said = BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]) + 8L;
        if (said > bytes.Length)
            throw PictureFaults.Incomplete(Format, string.Create(CultureInfo.InvariantCulture, $"it has {bytes.Length:N0} of {said:N0} bytes"));
        if (said < 20) throw PictureFaults.Header(Format, string.Create(CultureInfo.InvariantCulture, $"it says {said} bytes"));
        bytes = bytes[..(int)said];
        (int Width, int Height)? canvas = null, picture = null;
        int orientation = 1, frames = 0, at = 12;
        bool animated = false;
        List<Range> needed = [0..12];
        while (at < bytes.Length)
        {
            if (bytes.Length - at < 8) throw PictureFaults.Incomplete(Format, "a chunk's header is not whole");
            ReadOnlySpan<byte> type = bytes.Slice(at, 4);
            uint length = BinaryPrimitives.ReadUInt32LittleEndian(bytes[(at + 4)..]);
            if (length > (uint)(bytes.Length - at - 8)) throw PictureFaults.Incomplete(Format, "a chunk is longer than what is left");
            ReadOnlySpan<byte> body = bytes.Slice(at + 8, (int)length);
            int end = Math.Min(at + 8 + (int)length + (int)(length & 1), bytes.Length);
            bool keep = false;
            if (type.SequenceEqual("VP8X"u8))
            {
                if (at != 12 || length < 10) throw PictureFaults.Header(Format, "its extended header is misplaced or too short");
                canvas = (UInt24(body[4..]) + 1, UInt24(body[7..]) + 1);
                PictureHeader.RequireSize(Format, canvas.Value.Width, canvas.Value.Height);
                animated = (body[0] & Animated) != 0;
                keep = true;
            }
            else if (type.SequenceEqual("VP8 "u8) || type.SequenceEqual("VP8L"u8))
            {
                if (picture is null && !animated)
                {
                    picture = SizeOf(type, body);
                    keep = true;
                }
            }
            else if (type.SequenceEqual("ALPH"u8)) keep = picture is null && !animated;
            else if (type.SequenceEqual("ANIM"u8)) keep = animated && frames == 0;
            else if (type.SequenceEqual("ANMF"u8) && animated)
            {
                keep = frames++ == 0;
                if (keep) picture = FirstFrame(body, canvas!.Value);
            }
            else if (type.SequenceEqual("EXIF"u8)) orientation = ExifOrientation.Of(body);
            if (keep)
            {
                if (needed[^1].End.Value == at) needed[^1] = needed[^1].Start..end;
                else needed.Add(at..end);
            }
            at = end;
        }
        if (picture is null) throw PictureFaults.Damaged(Format, "it has no picture");
        (int width, int height) = canvas ?? picture.Value;
        if (!animated && (width, height) != picture) throw PictureFaults.Header(Format, $"it says {width} × {height} and its picture {picture.Value.Width} × {picture.Value.Height}");
        return new(Format, width, height, orientation, Math.Max(1, frames), false, 0, default, needed);
    }

    static (int Width, int Height) SizeOf(ReadOnlySpan<byte> type, ReadOnlySpan<byte> body)
    {
        (int width, int height) = (0, 0);
        if (type[3] == 'L')
        {
            if (body.Length < 5 || body[0] != 0x2F) throw PictureFaults.Header(Format, "its lossless part has no signature");
            uint bits = BinaryPrimitives.ReadUInt32LittleEndian(body[1..]);
            (width, height) = ((int)(bits & 0x3FFF) + 1, (int)(bits >> 14 & 0x3FFF) + 1);
        }
        else
        {
            if (body.Length < 10 || body[3] != 0x9D || body[4] != 0x01 || body[5] != 0x2A) throw PictureFaults.Header(Format, "its key frame has no start code");
            (width, height) = (BinaryPrimitives.ReadUInt16LittleEndian(body[6..]) & 0x3FFF, BinaryPrimitives.ReadUInt16LittleEndian(body[8..]) & 0x3FFF);
        }
        PictureHeader.RequireSize(Format, width, height);
        return (width, height);
    }

    /// <summary>The size of an animation's first frame, which has to lie inside the canvas.</summary>
    static (int Width, int Height) FirstFrame(ReadOnlySpan<byte> frame, (int Width, int Height) canvas)
    {
        if (frame.Length < 16) throw PictureFaults.Header(Format, "its first frame is too short");
        (int x, int y, int width, int height) = (2 * UInt24(frame), 2 * UInt24(frame[3..]), UInt24(frame[6..]) + 1, UInt24(frame[9..]) + 1);
        if (x + width > canvas.Width || y + height > canvas.Height) throw PictureFaults.Header(Format, "its first frame lies outside");
        for (int at = 16; frame.Length - at >= 8;)
        {
            ReadOnlySpan<byte> type = frame.Slice(at, 4);
            uint length = BinaryPrimitives.ReadUInt32LittleEndian(frame[(at + 4)..]);
            if (length > (uint)(frame.Length - at - 8)) break;
            if (type.SequenceEqual("VP8 "u8) || type.SequenceEqual("VP8L"u8))
            {
                (int Width, int Height) size = SizeOf(type, frame.Slice(at + 8, (int)length));
                return size == (width, height) ? size : throw PictureFaults.Header(Format, $"its first frame says {width} × {height} and its picture {size.Width} × {size.Height}");
            }
            at += 8 + (int)length + (int)(length & 1);
        }
        throw PictureFaults.Damaged(Format, "its first frame has no picture");
    }

    static int UInt24(ReadOnlySpan<byte> bytes) => bytes[0] | bytes[1] << 8 | bytes[2] << 16;
}
