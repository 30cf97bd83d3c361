using System.Buffers.Binary;

namespace Scion.Vision;

/// <summary>Reads the entropy-coded bytes of a JPEG's scans without making pixels of them, to tell whether they reach the last block.</summary>
/// <remarks>ITU-T T.81, annexes F and G. Decoders fill what is missing with flat blocks and report nothing when an end marker follows; a file that lost its end and was
/// closed again would train as grey. Restart markers that are missing count as an early end; whatever follows the last block is let pass.</remarks>
sealed class JpegScans
{
    readonly HuffmanCodes?[] tables = new HuffmanCodes?[8];         // class · 4 + destination
    readonly ulong[][] nonzero;                                     // of progressive files: bit k of a block tells that coefficient k is not 0
    readonly Component[] components;
    readonly int width, height, widest, highest;
    readonly bool progressive;
    int restart;

    readonly record struct Component(byte Id, int Across, int Down, int BlocksAcross, int BlocksDown, int Stride);

    /// <param name="frame">Body of SOF0, SOF1 or SOF2, its length checked.</param>
    /// <param name="progressive">SOF2.</param>
    JpegScans(ReadOnlySpan<byte> frame, bool progressive)
    {
        this.progressive = progressive;
        (height, width) = (BinaryPrimitives.ReadUInt16BigEndian(frame[1..]), BinaryPrimitives.ReadUInt16BigEndian(frame[3..]));
        components = new Component[frame[5]];
        for (int c = 0; c < components.Length; c++)
        {
            byte sampling = frame[7 + 3 * c];
            (widest, highest) = (Math.Max(widest, sampling >> 4), Math.Max(highest, sampling & 15));
            if (sampling >> 4 is 0 or > 4 || (sampling & 15) is 0 or > 4) throw PictureFaults.Header("jpeg", $"a channel is sampled {sampling >> 4} × {sampling & 15}");
        }
        nonzero = new ulong[components.Length][];
        for (int c = 0; c < components.Length; c++)
        {
            (int across, int down) = (frame[7 + 3 * c] >> 4, frame[7 + 3 * c] & 15);
            int stride = Up(width, 8 * widest) * across;
            components[c] = new(frame[6 + 3 * c], across, down, Up(Up(width * across, widest), 8), Up(Up(height * down, highest), 8), stride);
            nonzero[c] = progressive ? new ulong[stride * Up(height, 8 * highest) * down] : [];
        }
    }

    static int Up(int value, int by) => (value + by - 1) / by;

    /// <summary>Walks all scans of a file that <see cref="JpegHeader.Read"/> has accepted.</summary>
    /// <param name="jpeg">Only what pixels are made of: no byte outside segments and scans.</param>
    /// <exception cref="Faults.InputRejectedException">It ends before the last block (V006), or is not the code it says (V007).</exception>
    public static void RequireWhole(ReadOnlySpan<byte> jpeg)
    {
        JpegScans? scans = null;
        JpegScans early = new([8, 0, 1, 0, 1, 0], false);           // holds tables that come before the frame
        for (int at = 2; at + 4 <= jpeg.Length;)
        {
            if (jpeg[at] != 0xFF || jpeg[at + 1] is 0 or 0xFF or 1 or (>= 0xD0 and <= 0xD9))
            {
                at++;
                continue;
            }
            int marker = jpeg[at + 1], length = BinaryPrimitives.ReadUInt16BigEndian(jpeg[(at + 2)..]);
            ReadOnlySpan<byte> body = jpeg.Slice(at + 4, Math.Min(length - 2, jpeg.Length - at - 4));
            at += 2 + length;
            switch (marker)
            {
                case 0xC0 or 0xC1 or 0xC2:
                    scans = new JpegScans(body, marker == 0xC2) { restart = early.restart };
                    early.tables.CopyTo(scans.tables, 0);
                    break;
                case 0xC4:
                    (scans ?? early).Learn(body);
                    break;
                case 0xDD when body.Length >= 2:
                    (scans ?? early).restart = BinaryPrimitives.ReadUInt16BigEndian(body);
                    break;
                case 0xDA:
                    at += scans!.Walk(body, jpeg[at..]);
                    break;
            }
        }
    }

    void Learn(ReadOnlySpan<byte> body)
    {
        while (body.Length >= 17)
        {
            int symbols = 0;
            for (int i = 1; i <= 16; i++) symbols += body[i];
            if (body.Length < 17 + symbols || (body[0] & 0xEF) > 3) throw PictureFaults.Damaged("jpeg", "a table of codes is not whole");
            tables[(body[0] >> 4) * 4 + (body[0] & 15)] = new HuffmanCodes(body.Slice(1, 16), body.Slice(17, symbols));
            body = body[(17 + symbols)..];
        }
    }

    /// <returns>Bytes up to the marker after the scan.</returns>
    int Walk(ReadOnlySpan<byte> header, ReadOnlySpan<byte> data)
    {
        int count = header.Length > 0 ? header[0] : 0;
        if (count is 0 or > 4 || header.Length < 4 + 2 * count) throw PictureFaults.Damaged("jpeg", "the header of a scan is not whole");
        (int from, int to, int refines) = (header[1 + 2 * count], header[2 + 2 * count], header[3 + 2 * count] >> 4);
        if (!progressive) (from, to, refines) = (0, 63, 0);
        if (from > to || to > 63 || (progressive && from == 0 && to != 0) || (from > 0 && count > 1)) throw PictureFaults.Damaged("jpeg", $"a scan is of coefficients {from} to {to}");
        Span<int> channels = stackalloc int[count];
        for (int i = 0; i < count; i++)
        {
            channels[i] = -1;
            for (int c = 0; c < components.Length; c++) if (components[c].Id == header[1 + 2 * i]) channels[i] = c;
            if (channels[i] < 0) throw PictureFaults.Damaged("jpeg", "a scan is of a channel that is not there");
        }
        JpegBits bits = new(data);
        Component only = components[channels[0]];
        (int across, int down) = count == 1 ? (only.BlocksAcross, only.BlocksDown) : (Up(width, 8 * widest), Up(height, 8 * highest));
        int units = across * down, ended = 0;                       // ended: blocks that an end-of-band run still covers
        for (int unit = 0; unit < units; unit++)
        {
            if (restart > 0 && unit > 0 && unit % restart == 0)
            {
                if (!bits.PassRestart()) throw EndsEarly(unit, units);
                ended = 0;
            }
            for (int i = 0; i < count; i++)
            {
                Component channel = components[channels[i]];
                HuffmanCodes? dc = tables[header[2 + 2 * i] >> 4 & 3], ac = tables[4 + (header[2 + 2 * i] & 3)];
                int blocks = count == 1 ? 1 : channel.Across * channel.Down;
                for (int block = 0; block < blocks; block++)
                {
                    if (from == 0 && refines > 0) bits.Skip(1);
                    else if (from == 0) bits.Skip(Size(ref bits, dc));
                    if (to > 0)
                    {
                        if (!progressive) SkipSequential(ref bits, ac);
                        else
                        {
                            ref ulong mask = ref nonzero[channels[i]][unit / across * channel.Stride + unit % across];
                            if (refines == 0) SkipFirst(ref bits, ac, from, to, ref mask, ref ended);
                            else SkipRefinement(ref bits, ac, from, to, ref mask, ref ended);
                        }
                    }
                }
            }
            if (bits.IsSpent) throw EndsEarly(unit, units);
        }
        return bits.ToMarker();
    }

    static Faults.InputRejectedException EndsEarly(int unit, int units) => PictureFaults.Incomplete("jpeg",
        string.Create(System.Globalization.CultureInfo.InvariantCulture, $"a scan ends after {unit:N0} of {units:N0} units of blocks"));

    static int Size(ref JpegBits bits, HuffmanCodes? dc) => bits.Symbol(dc) is var size and <= 15 ? size : throw PictureFaults.Damaged("jpeg", "a mean has more than 15 bits");

    static void SkipSequential(ref JpegBits bits, HuffmanCodes? ac)
    {
        for (int k = 1; k <= 63; k++)
        {
            int symbol = bits.Symbol(ac);
            if ((symbol & 15) == 0)
            {
                if (symbol != 0xF0) return;
                k += 15;
                continue;
            }
            k += symbol >> 4;
            bits.Skip(symbol & 15);
        }
    }

    static void SkipFirst(ref JpegBits bits, HuffmanCodes? ac, int from, int to, ref ulong mask, ref int ended)
    {
        if (ended > 0)
        {
            ended--;
            return;
        }
        for (int k = from; k <= to; k++)
        {
            int symbol = bits.Symbol(ac), run = symbol >> 4;
            if ((symbol & 15) != 0)
            {
                k += run;
                bits.Skip(symbol & 15);
                mask |= 1UL << k;
            }
            else if (run == 15) k += 15;
            else
            {
                ended = (1 << run) - 1 + bits.Take(run);
                return;
            }
        }
    }

    static void SkipRefinement(ref JpegBits bits, HuffmanCodes? ac, int from, int to, ref ulong mask, ref int ended)
    {
        int k = from;
        if (ended == 0)
            for (; k <= to; k++)
            {
                int symbol = bits.Symbol(ac), run = symbol >> 4;
                bool another = (symbol & 15) != 0;
                if (another) bits.Skip(1);
                else if (run != 15)
                {
                    ended = (1 << run) + bits.Take(run);
                    break;
                }
                for (; k <= to; k++)
                {
                    if ((mask >> k & 1) != 0) bits.Skip(1);
                    else if (--run < 0) break;
                }
                if (another && k <= to) mask |= 1UL << k;
            }
        if (ended == 0) return;
        for (; k <= to; k++) if ((mask >> k & 1) != 0) bits.Skip(1);
        ended--;
    }
}
