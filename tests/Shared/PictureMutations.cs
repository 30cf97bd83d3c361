using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;

namespace Scion.Tests;

/// <summary>Damaged pictures: bytes, header fields, lengths of chunks and segments, cuts, splices. PNG chunks get a true CRC-32 again half of the time, so that
/// damage reaches what lies behind it.</summary>
static class PictureMutations
{
    static readonly byte[] Extremes = [0, 1, 2, 3, 4, 7, 8, 16, 17, 63, 64, 127, 128, 192, 254, 255];

    /// <summary>Whole files of a format to start from: small ones, so that damage hits what matters.</summary>
    public static byte[][] Seeds(string format)
    {
        byte[] rgb = PictureFiles.Pixels(61, 45);
        byte[][] channels = [.. Enumerable.Range(0, 4).Select(c => Enumerable.Range(0, 61 * 45).Select(i => rgb[3 * i + c % 3]).ToArray())];
        switch (format)
        {
            case "jpeg":
                return [PictureFiles.Jpeg(61, 45), PictureFiles.Jpeg(200, 150, quality: 40), PictureFiles.Oriented(PictureFiles.Jpeg(33, 47), 6),
                    JpegFiles.Encode(61, 45, channels[..3], step: 12, progressive: true), JpegFiles.Encode(61, 45, channels, step: 12, adobe: 2), JpegFiles.Encode(61, 45, channels[..1])];
            case "png":
                byte[] wide = [.. Enumerable.Range(0, 61 * 45 * 8).Select(i => (byte)(i * 7))];
                return [PictureFiles.Png(61, 45), PictureFiles.Png(61, 45, 8, 2, rgb, interlaced: true), PictureFiles.Png(61, 45, 16, 6, wide), PictureFiles.Png(61, 45, 16, 6, wide, interlaced: true),
                    PictureFiles.Png(61, 45, 4, 3, wide, [.. PictureFiles.Chunk("PLTE", wide[..48]), .. PictureFiles.Chunk("tRNS", wide[..16])]), PictureFiles.Png(61, 45, 1, 0, wide),
                    PictureFiles.Oriented(PictureFiles.Png(33, 47), 6)];
            default:
                byte[] lossy = PictureFiles.Webp(61, 45), lossless = PictureFiles.Webp(61, 45, rgb);
                return [lossy, lossless, PictureFiles.Webp(200, 150, quality: 40), PictureFiles.Oriented(lossy, 6), PictureFiles.AnimatedWebp(64, 48, (0, 0, lossy), (2, 0, lossless)),
                    PictureFiles.AnimatedWebp(64, 48, (2, 2, lossless), (2, 0, lossy)), PictureFiles.ExtendedWebp(lossy, 0x10, [])];
        }
    }

    /// <summary>One to three injuries of one of the files.</summary>
    public static byte[] Mutate(byte[][] seeds, Random random)
    {
        byte[] file = [.. seeds[random.Next(seeds.Length)]];
        for (int injuries = 1 + random.Next(3); injuries > 0 && file.Length > 4; injuries--) file = Injure(file, seeds[random.Next(seeds.Length)], random);
        return file;
    }

    static byte[] Injure(byte[] file, byte[] other, Random random)
    {
        if (file[0] == 0x89 && random.Next(3) == 0) return ChangeRows(file, random);
        int at = random.Next(file.Length), count = 1 + random.Next(Math.Min(64, file.Length - at));
        switch (random.Next(10))
        {
            case 0:
                for (int i = random.Next(8); i >= 0; i--) file[random.Next(file.Length)] ^= (byte)(1 << random.Next(8));
                break;
            case 1:
                for (int i = random.Next(4); i >= 0; i--) file[random.Next(Math.Min(file.Length, 64))] = Extremes[random.Next(Extremes.Length)];
                break;
            case 2:
                return file[..at];
            case 3:
                return [.. file[..at], .. file[(at + count)..]];
            case 4:
                return [.. file[..(at + count)], .. file[at..]];
            case 5:
                return [.. file[..at], .. other[random.Next(other.Length)..]];
            case 6:
                random.NextBytes(file.AsSpan(at, count));
                break;
            case 7 or 8:
                ChangePart(file, random, length: true);
                break;
            default:
                ChangePart(file, random, length: false);
                break;
        }
        if (file[0] == 0x89 && random.Next(2) == 0) MakeSumsTrue(file);
        return file;
    }

    /// <summary>Changes a length field or a byte of a part's beginning.</summary>
    static void ChangePart(byte[] file, Random random, bool length)
    {
        List<(int Length, int Size, int Body)> parts = Parts(file);
        if (parts.Count == 0) return;
        (int at, int size, int body) = parts[random.Next(parts.Count)];
        if (length)
            for (int i = 0; i < size; i++) if (random.Next(2) == 0) file[at + i] = Extremes[random.Next(Extremes.Length)];
        if (!length)
            for (int i = random.Next(3); i >= 0; i--) file[Math.Min(file.Length - 1, body + random.Next(24))] = Extremes[random.Next(Extremes.Length)];
    }

    /// <summary>Changes a PNG's rows and filters as they are before compression, or cuts them short, or adds to them.</summary>
    static byte[] ChangeRows(byte[] file, Random random)
    {
        foreach ((int at, _, int body) in Parts(file))
        {
            long end = body + (long)BinaryPrimitives.ReadUInt32BigEndian(file.AsSpan(at));
            if (end + 4 > file.Length || !file.AsSpan(at + 4, 4).SequenceEqual("IDAT"u8)) continue;
            MemoryStream rows = new();
            try
            {
                using ZLibStream zlib = new(new MemoryStream(file, body, (int)end - body), CompressionMode.Decompress);
                zlib.CopyTo(rows);
            }
            catch (InvalidDataException)
            {
                return file;                    // injured before
            }
            byte[] changed = rows.ToArray();
            for (int i = random.Next(40); i >= 0 && changed.Length > 0; i--) changed[random.Next(changed.Length)] = Extremes[random.Next(Extremes.Length)];
            if (random.Next(4) == 0) Array.Resize(ref changed, random.Next(2 * changed.Length + 1));
            return [.. file[..at], .. PictureFiles.Chunk("IDAT", PictureFiles.Zlib(changed)), .. file[((int)end + 4)..]];
        }
        return file;
    }

    /// <summary>Where the lengths of chunks or segments stand, how wide they are, and where their bodies begin.</summary>
    static List<(int Length, int Size, int Body)> Parts(byte[] file)
    {
        List<(int, int, int)> parts = [];
        switch (file[0])
        {
            case 0xFF:
                for (int at = 2; at + 4 < file.Length && file[at] == 0xFF && parts.Count < 100; at += 2 + BinaryPrimitives.ReadUInt16BigEndian(file.AsSpan(at + 2))) parts.Add((at + 2, 2, at + 4));
                break;
            case 0x89:
                for (long at = 8; at + 12 <= file.Length && parts.Count < 100; at += 12L + BinaryPrimitives.ReadUInt32BigEndian(file.AsSpan((int)at))) parts.Add(((int)at, 4, (int)at + 8));
                break;
            default:
                parts.Add((4, 4, 12));
                for (long at = 12; at + 8 < file.Length && parts.Count < 100; at += 8L + (BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan((int)at + 4)) + 1L) / 2 * 2)
                    parts.Add(((int)at + 4, 4, (int)at + 8));
                break;
        }
        return parts;
    }

    static void MakeSumsTrue(byte[] file)
    {
        foreach ((int at, _, int body) in Parts(file))
        {
            long end = body + (long)BinaryPrimitives.ReadUInt32BigEndian(file.AsSpan(at));
            if (end + 4 <= file.Length) BinaryPrimitives.WriteUInt32BigEndian(file.AsSpan((int)end), Crc32.HashToUInt32(file.AsSpan(at + 4, (int)end - at - 4)));
        }
    }
}
