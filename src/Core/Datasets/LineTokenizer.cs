namespace Scion.Datasets;

/// <summary>Splits bytes into lines; line ends are LF, CRLF or CR. Answers as <see cref="CsvTokenizer"/> does.</summary>
sealed class LineTokenizer
{
    bool skipping;

    /// <summary>Bytes the answer takes from the window.</summary>
    public int Consumed { get; private set; }

    /// <summary>Line ends in them.</summary>
    public int Lines { get; private set; }

    /// <summary>Bytes of the line, without its end.</summary>
    public int Length { get; private set; }

    public CsvRead Next(ReadOnlySpan<byte> window, bool ended)
    {
        (Consumed, Lines, Length) = (0, 0, 0);
        if (window.IsEmpty)
        {
            if (ended) skipping = false;
            return ended ? CsvRead.End : CsvRead.More;
        }
        int at = window.IndexOfAny((byte)'\r', (byte)'\n');
        if (at >= 0 && window[at] == (byte)'\r' && at + 1 == window.Length && !ended)
        {
            if (!skipping || at == 0) return CsvRead.More;
            Consumed = at;
            return CsvRead.Skipped;
        }
        if (at < 0 && !ended)
        {
            if (!skipping && window.Length <= CsvTokenizer.MaxRow) return CsvRead.More;
            return Skip(window.Length);
        }
        Length = at < 0 ? window.Length : at;
        Consumed = at < 0 ? window.Length : at + (window[at] == (byte)'\r' && at + 1 < window.Length && window[at + 1] == (byte)'\n' ? 2 : 1);
        Lines = at < 0 ? 0 : 1;
        if (skipping)
        {
            skipping = false;
            return CsvRead.Skipped;
        }
        return Length == 0 ? CsvRead.Blank : Length > CsvTokenizer.MaxRow ? CsvRead.TooLong : CsvRead.Row;
    }

    CsvRead Skip(int count)
    {
        Consumed = count;
        (bool reported, skipping) = (skipping, true);
        return reported ? CsvRead.Skipped : CsvRead.TooLong;
    }
}
