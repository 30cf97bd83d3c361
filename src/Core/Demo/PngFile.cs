using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;

namespace Scion.Demo;

/// <summary>Writes PNG files of 8-bit RGB.</summary>
/// <remarks>Source: ISO/IEC 15948. Each row is stored as differences from the row above (filter 2), which photos compress well with. The
/// pixels are the same on every machine; the compressed bytes may differ between versions of .NET, whose zlib may.</remarks>
public static class PngFile
{
    /// <param name="rgb">[height, width, 3].</param>
    /// <param name="width">Pixels.</param>
    /// <param name="height">Pixels.</param>
    public static byte[] Write(ReadOnlySpan<byte> rgb, int width, int height)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(rgb.Length, width * height * 3);
        using MemoryStream file = new();
        file.Write([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]);
        Span<byte> header = stackalloc byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header[4..], height);
        (header[8], header[9], header[10], header[11], header[12]) = (8, 2, 0, 0, 0);
        Chunk(file, "IHDR"u8, header);
        using MemoryStream packed = new();
        using (ZLibStream zlib = new(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            byte[] row = new byte[1 + (3 * width)];
            row[0] = 2;
            for (int y = 0; y < height; y++)
            {
                ReadOnlySpan<byte> here = rgb.Slice(y * 3 * width, 3 * width), above = y > 0 ? rgb.Slice((y - 1) * 3 * width, 3 * width) : default;
                for (int i = 0; i < here.Length; i++) row[i + 1] = unchecked((byte)(here[i] - (y > 0 ? above[i] : 0)));
                zlib.Write(row);
            }
        }
        Chunk(file, "IDAT"u8, packed.GetBuffer().AsSpan(0, (int)packed.Length));
        Chunk(file, "IEND"u8, []);
        return file.ToArray();
    }

    static void Chunk(MemoryStream file, ReadOnlySpan<byte> type, ReadOnlySpan<byte> data)
    {
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, data.Length);
        file.Write(number);
        file.Write(type);
        file.Write(data);
        Crc32 crc = new();
        crc.Append(type);
        crc.Append(data);
        BinaryPrimitives.WriteUInt32BigEndian(number, crc.GetCurrentHashAsUInt32());
        file.Write(number);
    }
}
