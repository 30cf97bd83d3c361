using System.Buffers.Binary;

namespace Scion.Vision;

/// <summary>The one thing of EXIF that changes what a person sees.</summary>
static class ExifOrientation
{
    const ushort Tag = 0x0112, Short = 3;

    /// <summary>The orientation in a TIFF structure, in [1, 8]; 1 when there is none or it makes no sense.</summary>
    /// <param name="tiff">From the byte order mark on; only its first directory is looked at, in one pass that cannot loop.</param>
    public static int Of(ReadOnlySpan<byte> tiff)
    {
        if (tiff.StartsWith("Exif\0\0"u8)) tiff = tiff[6..];
        if (tiff.Length < 8) return 1;
        bool little = tiff.StartsWith("II*\0"u8);
        if (!little && !tiff.StartsWith("MM\0*"u8)) return 1;
        uint at = UInt32(tiff[4..], little);
        if (at > tiff.Length - 2) return 1;
        ReadOnlySpan<byte> directory = tiff[(int)at..];
        int entries = UInt16(directory, little);
        for (int i = 0; i < entries && 2 + (i + 1) * 12 <= directory.Length; i++)
        {
            ReadOnlySpan<byte> entry = directory.Slice(2 + i * 12, 12);
            if (UInt16(entry, little) != Tag) continue;
            int value = UInt16(entry[8..], little);
            return UInt16(entry[2..], little) == Short && value is >= 1 and <= 8 ? value : 1;
        }
        return 1;
    }

    static ushort UInt16(ReadOnlySpan<byte> bytes, bool little) => little ? BinaryPrimitives.ReadUInt16LittleEndian(bytes) : BinaryPrimitives.ReadUInt16BigEndian(bytes);

    static uint UInt32(ReadOnlySpan<byte> bytes, bool little) => little ? BinaryPrimitives.ReadUInt32LittleEndian(bytes) : BinaryPrimitives.ReadUInt32BigEndian(bytes);
}
