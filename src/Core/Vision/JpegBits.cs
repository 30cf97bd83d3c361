namespace Scion.Vision;

/// <summary>A table of Huffman codes (ITU-T T.81, annex C): code lengths and symbols by the next 16 bits.</summary>
sealed class HuffmanCodes
{
    const int Fast = 9;

    readonly ushort[] fast = new ushort[1 << Fast];                 // length · 256 + symbol; 0: the code is longer
    readonly int[] first = new int[17], offset = new int[17], count = new int[17];
    readonly byte[] symbols;

    /// <param name="counts">Codes of 1 to 16 bits.</param>
    /// <param name="symbols">In order of their codes.</param>
    public HuffmanCodes(ReadOnlySpan<byte> counts, ReadOnlySpan<byte> symbols)
    {
        this.symbols = symbols.ToArray();
        int code = 0, at = 0;
        for (int length = 1; length <= 16; length++)
        {
            (first[length], offset[length], count[length]) = (code, at, counts[length - 1]);
            if (code + counts[length - 1] > 1 << length) throw PictureFaults.Damaged("jpeg", $"a table has too many codes of {length} bits");
            for (int i = 0; i < counts[length - 1]; i++, code++, at++)
                if (length <= Fast) fast.AsSpan(code << Fast - length, 1 << Fast - length).Fill((ushort)(length << 8 | symbols[at]));
            code <<= 1;
        }
    }

    /// <summary>The symbol that 16 bits begin with.</summary>
    /// <returns>Its length · 256 + itself; -1 when they begin with no code.</returns>
    public int Find(int bits)
    {
        int found = fast[bits >> 16 - Fast];
        if (found != 0) return found;
        for (int length = Fast + 1; length <= 16; length++)
        {
            int index = (bits >> 16 - length) - first[length];
            if (index >= 0 && index < count[length]) return length << 8 | symbols[offset[length] + index];
        }
        return -1;
    }
}

/// <summary>Bits of a scan, first bit first, without the stuffed zeros; zeros after its end.</summary>
ref struct JpegBits(ReadOnlySpan<byte> data)
{
    readonly ReadOnlySpan<byte> data = data;
    ulong held;
    int count, at, beyond;                                          // beyond: bits made up so far, the last of those held

    /// <summary>True when more was taken than there was.</summary>
    public readonly bool IsSpent => beyond > 0 && count < beyond;

    public int Symbol(HuffmanCodes? codes)
    {
        if (codes is null) throw PictureFaults.Damaged("jpeg", "a scan names a table of codes that is not there");
        if (count < 32) Fill();
        int found = codes.Find((int)(held >> count - 16 & 0xFFFF));
        if (found < 0)
        {
            // Nothing but made-up bits is no code either: the end is said by IsSpent.
            if (beyond == 0) throw PictureFaults.Damaged("jpeg", "its data holds a code that is in no table");
            count = Math.Min(count, beyond) - 1;
            return 0;
        }
        count -= found >> 8;
        return found & 0xFF;
    }

    /// <param name="bits">At most 16.</param>
    public int Take(int bits)
    {
        if (count < 32) Fill();
        count -= bits;
        return (int)(held >> count & (1UL << bits) - 1);
    }

    public void Skip(int bits)
    {
        if (count < 32) Fill();
        count -= bits;
    }

    void Fill()
    {
        while (count <= 56)
        {
            byte next = 0;
            if (at < data.Length && (data[at] != 0xFF || (at + 1 < data.Length && data[at + 1] == 0)))
            {
                next = data[at];
                at += next == 0xFF ? 2 : 1;
            }
            else beyond += 8;
            held = held << 8 | next;
            count += 8;
        }
    }

    /// <summary>Goes past the next restart marker.</summary>
    /// <returns>False when there is none.</returns>
    public bool PassRestart()
    {
        int marker = NextMarker();
        if (marker + 1 >= data.Length || data[marker + 1] is < 0xD0 or > 0xD7) return false;
        (at, held, count, beyond) = (marker + 2, 0, 0, 0);
        return true;
    }

    /// <summary>Bytes before the marker that ends the scan.</summary>
    public int ToMarker()
    {
        at = NextMarker();
        while (at + 1 < data.Length && data[at + 1] is >= 0xD0 and <= 0xD7)
        {
            at += 2;
            at = NextMarker();
        }
        return at;
    }

    readonly int NextMarker()
    {
        int marker = at;
        while (marker < data.Length && (data[marker] != 0xFF || (marker + 1 < data.Length && data[marker + 1] is 0 or 0xFF))) marker += data[marker] == 0xFF && data[marker + 1] == 0 ? 2 : 1;
        return marker;
    }
}
