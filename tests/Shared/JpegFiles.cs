namespace Scion.Tests;

/// <summary>Writes JPEGs that no encoder at hand writes: any number of channels, baseline or progressive, with or without Adobe's marker. Plain and slow; channels are
/// not subsampled and not converted.</summary>
static class JpegFiles
{
    static readonly int[] ZigZag =
    [
        0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
        35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
    ];

    /// <summary>Every symbol has a code of 8 bits, so that no table has to be copied here: 12 sizes, and 162 runs with sizes.</summary>
    static readonly byte[] DcSymbols = [.. Enumerable.Range(0, 12).Select(i => (byte)i)],
        AcSymbols = [.. from run in Enumerable.Range(0, 16) from size in Enumerable.Range(0, 11) where size > 0 || run is 0 or 15 select (byte)(run << 4 | size)];

    /// <param name="width">Pixels.</param>
    /// <param name="height">Pixels.</param>
    /// <param name="channels">Each [height, width], as stored: grey, or Y Cb Cr, or C M Y K, or Y Cb Cr K.</param>
    /// <param name="step">Quantisation of all coefficients.</param>
    /// <param name="progressive">One scan of means, then three scans a channel.</param>
    /// <param name="adobe">Value of Adobe's transform flag; null leaves the marker out.</param>
    /// <param name="after">Segments to put after SOI.</param>
    public static byte[] Encode(int width, int height, byte[][] channels, int step = 2, bool progressive = false, int? adobe = null, byte[]? after = null)
    {
        MemoryStream file = new();
        file.Write([0xFF, 0xD8]);
        file.Write(after ?? []);
        if (adobe is { } transform) Segment(file, 0xEE, [.. "Adobe"u8, 0, 100, 0, 0, 0, 0, (byte)transform]);
        Segment(file, 0xDB, [0, .. Enumerable.Repeat((byte)step, 64)]);
        Segment(file, progressive ? 0xC2 : 0xC0,
            [8, (byte)(height >> 8), (byte)height, (byte)(width >> 8), (byte)width, (byte)channels.Length, .. channels.SelectMany((_, c) => new byte[] { (byte)(c + 1), 0x11, 0 })]);
        Segment(file, 0xC4, [0x00, .. Counts(DcSymbols.Length), .. DcSymbols]);
        Segment(file, 0xC4, [0x10, .. Counts(AcSymbols.Length), .. AcSymbols]);
        int[][][] blocks = [.. channels.Select(channel => Blocks(width, height, channel, step))];
        int[] all = [.. Enumerable.Range(0, channels.Length)];
        if (!progressive) Scan(file, blocks, all, 0, 63);
        else
        {
            Scan(file, blocks, all, 0, 0);
            foreach (int c in all)
                foreach ((int from, int to) in new[] { (1, 5), (6, 20), (21, 63) }) Scan(file, blocks, [c], from, to);
        }
        file.Write([0xFF, 0xD9]);
        return file.ToArray();
    }

    /// <summary>A segment with its length.</summary>
    public static byte[] Segment(int marker, byte[] body)
    {
        MemoryStream segment = new();
        Segment(segment, marker, body);
        return segment.ToArray();
    }

    static void Segment(MemoryStream file, int marker, byte[] body) => file.Write([0xFF, (byte)marker, (byte)(body.Length + 2 >> 8), (byte)(body.Length + 2), .. body]);

    static byte[] Counts(int symbols) => [0, 0, 0, 0, 0, 0, 0, (byte)Math.Min(symbols, 200), 0, 0, 0, 0, 0, 0, 0, 0];

    static int[][] Blocks(int width, int height, byte[] channel, int step)
    {
        List<int[]> blocks = [];
        for (int by = 0; by < height; by += 8)
            for (int bx = 0; bx < width; bx += 8)
            {
                int[] block = new int[64];
                for (int k = 0; k < 64; k++)
                {
                    (int v, int u) = (ZigZag[k] / 8, ZigZag[k] % 8);
                    double sum = 0;
                    for (int y = 0; y < 8; y++)
                        for (int x = 0; x < 8; x++)
                            sum += (channel[Math.Min(height - 1, by + y) * width + Math.Min(width - 1, bx + x)] - 128)
                                * Math.Cos((2 * x + 1) * u * Math.PI / 16) * Math.Cos((2 * y + 1) * v * Math.PI / 16);
                    block[k] = (int)Math.Round(sum / 4 * (u == 0 ? Math.Sqrt(0.5) : 1) * (v == 0 ? Math.Sqrt(0.5) : 1) / step);
                }
                blocks.Add(block);
            }
        return [.. blocks];
    }

    static void Scan(MemoryStream file, int[][][] blocks, int[] channels, int from, int to)
    {
        Segment(file, 0xDA, [(byte)channels.Length, .. channels.SelectMany(c => new byte[] { (byte)(c + 1), 0x00 }), (byte)from, (byte)to, 0]);
        int bits = 0, held = 0;
        int[] before = new int[blocks.Length];
        for (int b = 0; b < blocks[0].Length; b++)
            foreach (int c in channels)
            {
                int[] block = blocks[c][b];
                if (from == 0)
                {
                    Value(Array.IndexOf(DcSymbols, (byte)Size(block[0] - before[c])), block[0] - before[c]);
                    before[c] = block[0];
                }
                int run = 0;
                for (int k = Math.Max(1, from); k <= to; k++)
                {
                    if (block[k] == 0)
                    {
                        run++;
                        continue;
                    }
                    for (; run > 15; run -= 16) Put(Array.IndexOf(AcSymbols, (byte)0xF0), 8);
                    Value(Array.IndexOf(AcSymbols, (byte)(run << 4 | Size(block[k]))), block[k]);
                    run = 0;
                }
                if (run > 0) Put(Array.IndexOf(AcSymbols, (byte)0), 8);
            }
        while (held != 0) Put(1, 1);

        void Value(int code, int value)
        {
            Put(code, 8);
            int size = Size(value);
            Put(value < 0 ? value + (1 << size) - 1 : value, size);
        }

        void Put(int value, int count)
        {
            for (int i = count - 1; i >= 0; i--)
            {
                bits = bits << 1 | value >> i & 1;
                if (++held < 8) continue;
                file.WriteByte((byte)bits);
                if ((byte)bits == 0xFF) file.WriteByte(0);
                (bits, held) = (0, 0);
            }
        }
    }

    static int Size(int value)
    {
        int size = 0;
        for (value = Math.Abs(value); value > 0; value >>= 1) size++;
        return size;
    }
}
