using System.Text;

namespace Scion.Text;

/// <summary>Reads lines, words and bytes from one stream with one buffer, which bounds a line.</summary>
sealed class LineReader(Stream stream, int maxLine)
{
    readonly byte[] buffer = new byte[Math.Max(1 << 16, maxLine + 2)];
    int from;
    int to;
    bool ended;

    public void SkipByteOrderMark()
    {
        Fill(3);
        if (buffer.AsSpan(from, to - from).StartsWith("\uFEFF"u8)) from += 3;
    }

    /// <summary>What is buffered of the rest, at least a line or all of the buffer.</summary>
    public ReadOnlySpan<byte> Peek()
    {
        Fill(buffer.Length);
        return buffer.AsSpan(from, to - from);
    }

    /// <summary>The next line without its line feed; false at the end.</summary>
    /// <exception cref="Faults.InputRejectedException">The line is longer than the limit (T007).</exception>
    public bool TryReadLine(out ReadOnlySpan<byte> line)
    {
        int searched = 0;
        while (true)
        {
            int end = buffer.AsSpan(from + searched, to - from - searched).IndexOf((byte)'\n');
            if (end >= 0 && searched + end <= maxLine)
            {
                line = buffer.AsSpan(from, searched + end);
                from += searched + end + 1;
                return true;
            }
            searched = to - from;
            if (end >= 0 || searched > maxLine) throw VectorFileFaults.WrongLine(0, $"a line is longer than {maxLine} bytes");
            if (ended || !Fill(searched + 1))
            {
                line = buffer.AsSpan(from, to - from);
                from = to;
                return line.Length > 0;
            }
        }
    }

    /// <summary>The bytes up to the next space, without line feeds before them; null at the end.</summary>
    public string? ReadWord(int maxBytes)
    {
        Fill(maxBytes + 2);
        while (from < to && buffer[from] == (byte)'\n') from++;
        Fill(maxBytes + 2);
        int end = buffer.AsSpan(from, Math.Min(to - from, maxBytes + 1)).IndexOf((byte)' ');
        if (end < 0) return to - from > maxBytes ? throw VectorFileFaults.WrongLine(0, $"a word is longer than {maxBytes} bytes") : null;
        string word = Encoding.UTF8.GetString(buffer, from, end);
        from += end + 1;
        return word;
    }

    /// <summary>Up to <paramref name="count"/> bytes; fewer only at the end.</summary>
    public ReadOnlySpan<byte> ReadBytes(int count)
    {
        Fill(count);
        int taken = Math.Min(count, to - from);
        from += taken;
        return buffer.AsSpan(from - taken, taken);
    }

    /// <summary>Buffers at least this many bytes, or up to the end of the stream or of the buffer.</summary>
    /// <returns>False when no byte could be added.</returns>
    bool Fill(int wanted)
    {
        if (to - from >= wanted) return true;
        if (from > 0)
        {
            buffer.AsSpan(from, to - from).CopyTo(buffer);
            (from, to) = (0, to - from);
        }
        int before = to;
        while (to < wanted && to < buffer.Length && !ended)
        {
            int read = stream.Read(buffer, to, buffer.Length - to);
            if (read == 0) ended = true;
            to += read;
        }
        return to > before;
    }
}
