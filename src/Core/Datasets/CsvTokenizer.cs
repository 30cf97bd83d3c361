namespace Scion.Datasets;

/// <summary>What the next bytes of a table are.</summary>
enum CsvRead
{
    /// <summary>A row; its fields are set.</summary>
    Row,
    /// <summary>A line without a character.</summary>
    Blank,
    /// <summary>The window ends inside a row.</summary>
    More,
    /// <summary>Nothing is left.</summary>
    End,
    /// <summary>A quoted field does not end as it must. Reading goes on after the line that opened it.</summary>
    BrokenQuote,
    /// <summary>A row of more than <see cref="CsvTokenizer.MaxRow"/> bytes. Reading goes on after the line.</summary>
    TooLong,
    /// <summary>The rest of a row that was reported as <see cref="TooLong"/>; already reported.</summary>
    Skipped,
}

/// <summary>Splits bytes into rows and fields as RFC 4180 does; line ends are LF, CRLF or CR. Holds no text: fields are places in the window.</summary>
/// <remarks>Lenient in one point, as other readers are: a quote inside a field that does not begin with one is text. After a broken quote that
/// leniency ends until a row without such quotes, since the field's remains would pass for rows. Cost: each byte is looked at at most
/// twice: what a broken quote ran over holds no other field that could run as far.</remarks>
/// <param name="delimiter">An ASCII character other than a quote, CR and LF.</param>
sealed class CsvTokenizer(byte delimiter)
{
    /// <summary>Most bytes of a field, quotes not counted.</summary>
    public const int MaxField = 1 << 20;

    /// <summary>Most bytes of a row.</summary>
    public const int MaxRow = 4 << 20;

    /// <summary>Most fields of a row.</summary>
    public const int MaxColumns = 1024;

    readonly (int Start, int End, bool Escaped)[] fields = new (int, int, bool)[MaxColumns];
    bool skipping;
    bool recovering;

    /// <summary>Fields of the row; those beyond <see cref="MaxColumns"/> are counted, not kept.</summary>
    public int FieldCount { get; private set; }

    /// <summary>Bytes the answer takes from the window.</summary>
    public int Consumed { get; private set; }

    /// <summary>Line ends in them.</summary>
    public int Lines { get; private set; }

    /// <summary>Lines between the row's first and the one in which the broken quote opens.</summary>
    public int QuoteLine { get; private set; }

    /// <summary>The field's bytes, quotes undone.</summary>
    /// <param name="window">The window that the row was read from.</param>
    /// <param name="field">In [0, <see cref="FieldCount"/>) and below <see cref="MaxColumns"/>.</param>
    /// <param name="scratch">Used when quotes are undone; made larger as needed.</param>
    public ReadOnlySpan<byte> Field(ReadOnlySpan<byte> window, int field, ref byte[] scratch)
    {
        (int start, int end, bool escaped) = fields[field];
        ReadOnlySpan<byte> bytes = window[start..end];
        if (!escaped) return bytes;
        if (scratch.Length < bytes.Length) scratch = new byte[Math.Max(bytes.Length, scratch.Length * 2)];
        int length = 0;
        while (true)
        {
            int quote = bytes.IndexOf((byte)'"');
            if (quote < 0) break;
            bytes[..(quote + 1)].CopyTo(scratch.AsSpan(length));
            length += quote + 1;
            bytes = bytes[(quote + 2)..];
        }
        bytes.CopyTo(scratch.AsSpan(length));
        return scratch.AsSpan(0, length + bytes.Length);
    }

    /// <summary>Bytes of a field as they stand, for its length and place.</summary>
    public (int Start, int End) Place(int field) => (fields[field].Start, fields[field].End);

    /// <summary>Reads the row at the window's start.</summary>
    /// <param name="window">Bytes from the row's start.</param>
    /// <param name="ended">True when nothing follows the window.</param>
    public CsvRead Next(ReadOnlySpan<byte> window, bool ended)
    {
        (FieldCount, Consumed, Lines, QuoteLine) = (0, 0, 0, 0);
        if (skipping) return SkipLine(window, ended);
        if (window.IsEmpty) return ended ? CsvRead.End : CsvRead.More;
        int at = 0;
        bool stray = false;
        while (true)
        {
            if (at < window.Length && window[at] == (byte)'"')
            {
                int opened = at, end = at + 1;
                bool escaped = false;
                while (true)
                {
                    int quote = window[end..].IndexOf((byte)'"');
                    if (quote < 0 || end + quote - opened > MaxField + 1)
                    {
                        if (quote < 0 && !ended && window.Length - opened <= MaxField + 1) return CsvRead.More;
                        return Broken(window, ended, opened);
                    }
                    end += quote;
                    if (end + 1 == window.Length && !ended) return CsvRead.More;
                    if (end + 1 == window.Length || window[end + 1] != (byte)'"') break;
                    escaped = true;
                    end += 2;
                }
                Add(opened + 1, end, escaped);
                Lines += LineEnds(window[opened..end]);
                at = end + 1;
                while (at < window.Length && window[at] == (byte)' ' && delimiter != (byte)' ') at++;
                if (at == window.Length)
                {
                    if (!ended) return at > MaxRow ? TooLong(window) : CsvRead.More;
                    return Done(window, at, ended, stray);
                }
                if (window[at] != delimiter && window[at] is not ((byte)'\r' or (byte)'\n'))
                {
                    Lines -= LineEnds(window[opened..end]);
                    return Broken(window, ended, opened);
                }
            }
            else
            {
                int length = window[at..].IndexOfAny(delimiter, (byte)'\r', (byte)'\n');
                if (length < 0 && !ended) return window.Length > MaxRow ? TooLong(window) : CsvRead.More;
                int end = length < 0 ? window.Length : at + length;
                if (recovering) stray |= window[at..end].Contains((byte)'"');
                Add(at, end, escaped: false);
                at = end;
            }
            if (at > MaxRow) return TooLong(window);
            if (at == window.Length || window[at] != delimiter) return Done(window, at, ended, stray);
            at++;
            if (at == window.Length && !ended) return CsvRead.More;
        }
    }

    void Add(int start, int end, bool escaped)
    {
        if (FieldCount < MaxColumns) fields[FieldCount] = (start, end, escaped);
        FieldCount++;
    }

    CsvRead Done(ReadOnlySpan<byte> window, int at, bool ended, bool stray)
    {
        if (at < window.Length)
        {
            if (window[at] == (byte)'\r')
            {
                if (at + 1 == window.Length && !ended) return CsvRead.More;
                if (at + 1 < window.Length && window[at + 1] == (byte)'\n') at++;
            }
            at++;
            Lines++;
        }
        Consumed = at;
        if (FieldCount == 1 && fields[0] is (0, 0, _)) return CsvRead.Blank;
        if (recovering && stray) return CsvRead.BrokenQuote;
        recovering = false;
        return CsvRead.Row;
    }

    /// <summary>Gives the row up; reading goes on after the line in which the quote opened.</summary>
    CsvRead Broken(ReadOnlySpan<byte> window, bool ended, int opened)
    {
        QuoteLine = Lines;
        recovering = true;
        int line = window[opened..].IndexOfAny((byte)'\r', (byte)'\n');
        if (line < 0)
        {
            Consumed = window.Length;
            skipping = !ended;
            return CsvRead.BrokenQuote;
        }
        int at = opened + line;
        if (window[at] == (byte)'\r')
        {
            if (at + 1 == window.Length && !ended) return CsvRead.More;
            if (at + 1 < window.Length && window[at + 1] == (byte)'\n') at++;
        }
        Lines++;
        Consumed = at + 1;
        return CsvRead.BrokenQuote;
    }

    CsvRead TooLong(ReadOnlySpan<byte> window)
    {
        Consumed = 0;
        Lines = 0;
        (skipping, recovering) = (true, true);
        return window.IsEmpty ? CsvRead.More : CsvRead.TooLong;
    }

    CsvRead SkipLine(ReadOnlySpan<byte> window, bool ended)
    {
        if (window.IsEmpty && !ended) return CsvRead.More;
        int at = window.IndexOfAny((byte)'\r', (byte)'\n');
        if (at >= 0 && window[at] == (byte)'\r' && at + 1 == window.Length && !ended)
        {
            Consumed = at;
            return at == 0 ? CsvRead.More : CsvRead.Skipped;
        }
        if (at >= 0)
        {
            if (window[at] == (byte)'\r' && at + 1 < window.Length && window[at + 1] == (byte)'\n') at++;
            Lines = 1;
            skipping = false;
        }
        else if (ended)
        {
            skipping = false;
        }
        Consumed = at < 0 ? window.Length : at + 1;
        return CsvRead.Skipped;
    }

    /// <summary>LF, CRLF and CR, each as one.</summary>
    static int LineEnds(ReadOnlySpan<byte> bytes)
    {
        int count = bytes.Count((byte)'\n');
        for (int at = bytes.IndexOf((byte)'\r'); at >= 0;)
        {
            if (at + 1 == bytes.Length || bytes[at + 1] != (byte)'\n') count++;
            int next = bytes[(at + 1)..].IndexOf((byte)'\r');
            at = next < 0 ? -1 : at + 1 + next;
        }
        return count;
    }
}
