using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Unicode;

namespace Scion.Datasets;

/// <summary>A file's bytes as UTF-8, a window at a time, whatever its encoding. What cannot be decoded becomes bytes that are not UTF-8,
/// so that the row they stand in is refused and no other.</summary>
/// <remarks>Encoding: a byte-order mark decides; else NUL bytes on one side of each pair tell UTF-16; else the first block with a byte above
/// 127 decides between UTF-8 (it has valid sequences) and Windows-1252 (it has none). Blocks are filled before they are looked at, so the
/// answer does not depend on how the stream hands out its bytes. Memory: the window, which grows to what the reader asks for.</remarks>
/// <param name="stream">Read to its end; not disposed of.</param>
/// <param name="encoding">One of <see cref="Encodings"/>, or null to detect it.</param>
sealed class TextSource(Stream stream, string? encoding)
{
    public const string Utf8 = "utf-8";
    public const string Utf16Le = "utf-16le";
    public const string Utf16Be = "utf-16be";
    public const string Windows1252 = "windows-1252";

    public static readonly IReadOnlyList<string> Encodings = [Utf8, Utf16Le, Utf16Be, Windows1252];

    /// <summary>Bytes read at once. Even, so that a UTF-16 unit is never cut.</summary>
    const int Block = 1 << 17;

    byte[] buffer = new byte[Block + 16];
    byte[] raw = [];
    int from, to;
    bool started;
    readonly string? set = encoding;
    string? decided = encoding;
    char high;                                          // a high surrogate at the end of a block

    /// <summary>The encoding, so far as it is known: plain ASCII is UTF-8.</summary>
    public string Encoding => decided ?? Utf8;

    /// <summary>True when Windows-1252 was chosen because the bytes are not UTF-8.</summary>
    public bool Guessed { get; private set; }

    /// <summary>True when the window reaches the end of the file.</summary>
    public bool Ended { get; private set; }

    /// <summary>Position of the window's first byte in the file.</summary>
    public long Offset { get; private set; }

    public ReadOnlyMemory<byte> Memory => buffer.AsMemory(from, to - from);

    public ReadOnlySpan<byte> Window => buffer.AsSpan(from, to - from);

    /// <summary>Moves the window's start; it must lie within the window.</summary>
    public void Advance(int count)
    {
        Offset += SourceLength(buffer.AsSpan(from, count));
        from += count;
    }

    /// <summary>Bytes of the file that these bytes of the window came from.</summary>
    public long SourceLength(ReadOnlySpan<byte> utf8)
    {
        if (Encoding == Utf8) return utf8.Length;
        long characters = 0, pairs = 0;
        foreach (byte b in utf8)
        {
            if ((b & 0xC0) != 0x80) characters++;
            if (b is >= 0xF0 and < 0xFF) pairs++;
        }
        return Encoding == Windows1252 ? characters : 2 * (characters + pairs);
    }

    /// <summary>Reads until the window has at least this many bytes, or all there are.</summary>
    /// <exception cref="Faults.InputRejectedException">The file is in an encoding that is not read (D006).</exception>
    public async ValueTask FillAsync(int wanted, CancellationToken cancellation)
    {
        while (!Ended && to - from < wanted)
        {
            MakeRoom();
            bool direct = decided is null or Utf8;
            if (!direct && raw.Length == 0) raw = new byte[Block];
            Memory<byte> block = direct ? buffer.AsMemory(to, Block) : raw.AsMemory(0, Block);
            int count = await stream.ReadAtLeastAsync(block, Block, throwOnEndOfStream: false, cancellation);
            Ended = count < Block;
            Take(direct, count);
        }
    }

    void MakeRoom()
    {
        int needed = 3 * Block;                         // a Windows-1252 byte or a UTF-16 unit becomes three bytes at most
        if (buffer.Length - to >= needed) return;
        int kept = to - from;
        byte[] target = buffer.Length - kept >= needed ? buffer : new byte[Math.Max(buffer.Length * 2, kept + needed)];
        buffer.AsSpan(from, kept).CopyTo(target);
        (buffer, from, to) = (target, 0, kept);
    }

    void Take(bool direct, int count)
    {
        Span<byte> block = direct ? buffer.AsSpan(to, count) : raw.AsSpan(0, count);
        int mark = 0;
        if (!started)
        {
            started = true;
            mark = Start(block);
            Offset = mark;
        }
        if (decided is null && !Ascii.IsValid(block[mark..])) Decide(block[mark..]);
        if (decided is null or Utf8)
        {
            if (!direct) block.CopyTo(buffer.AsSpan(to));
            to += count;
            from += mark;
            return;
        }
        if (direct)
        {
            raw = new byte[Block];
            block.CopyTo(raw);
            block = raw.AsSpan(0, count);
        }
        if (decided == Windows1252) FromWindows1252(block[mark..]);
        else FromUtf16(block[mark..]);
    }

    /// <summary>Byte-order marks and UTF-16 without one.</summary>
    /// <returns>Bytes of the mark.</returns>
    int Start(ReadOnlySpan<byte> first)
    {
        if (first.StartsWith<byte>([0xFF, 0xFE, 0, 0]) || first.StartsWith<byte>([0, 0, 0xFE, 0xFF])) throw DatasetFaults.Encoding("It begins with the mark of UTF-32.");
        (string? marked, int length) = first switch
        {
            [0xEF, 0xBB, 0xBF, ..] => (Utf8, 3),
            [0xFF, 0xFE, ..] => (Utf16Le, 2),
            [0xFE, 0xFF, ..] => (Utf16Be, 2),
            _ => (null, 0),
        };
        if (marked is not null && set is not null && marked != set) throw DatasetFaults.Encoding($"It begins with the mark of {marked}, and the settings say {set}.");
        decided ??= marked ?? Unmarked16(first);
        return length;
    }

    /// <summary>UTF-16 without a mark: text in it has NULs on one side of the pairs, and hardly any on the other.</summary>
    static string? Unmarked16(ReadOnlySpan<byte> first)
    {
        int even = 0, odd = 0, pairs = first.Length / 2;
        for (int i = 0; i + 1 < first.Length; i += 2)
        {
            if (first[i] == 0) even++;
            if (first[i + 1] == 0) odd++;
        }
        if (pairs == 0 || Math.Min(even, odd) * 10 >= Math.Max(even, odd)) return null;
        // Latin script is nearly all NULs on one side. Other scripts have them in spaces, digits and line ends only; they are never UTF-8.
        bool likely = Math.Max(even, odd) * 10 >= pairs * 4 || !System.Text.Unicode.Utf8.IsValid(first);
        return !likely ? null : odd > even ? Utf16Le : Utf16Be;
    }

    void Decide(ReadOnlySpan<byte> block)
    {
        int valid = 0, invalid = 0;
        for (ReadOnlySpan<byte> rest = block; !rest.IsEmpty;)
        {
            int ascii = rest.IndexOfAnyInRange((byte)0x80, (byte)0xFF);
            if (ascii < 0) break;
            OperationStatus status = Rune.DecodeFromUtf8(rest[ascii..], out _, out int used);
            if (status == OperationStatus.Done || (status == OperationStatus.NeedMoreData && !Ended)) valid++;
            else invalid++;
            rest = rest[(ascii + used)..];
        }
        Guessed = valid == 0 && invalid > 0;
        decided = Guessed ? Windows1252 : Utf8;
    }

    void FromWindows1252(ReadOnlySpan<byte> block)
    {
        foreach (byte b in block)
        {
            char c = b is >= 0x80 and < 0xA0 ? Upper[b - 0x80] : (char)b;
            if (c == '\0' && b != 0) buffer[to++] = 0xFF;
            else to += new Rune(c).EncodeToUtf8(buffer.AsSpan(to));
        }
    }

    void FromUtf16(ReadOnlySpan<byte> block)
    {
        char[] units = ArrayPool<char>.Shared.Rent(block.Length / 2 + 1);
        int count = 0;
        if (high != 0) units[count++] = high;
        high = '\0';
        MemoryMarshal.Cast<byte, char>(block[..(block.Length & ~1)]).CopyTo(units.AsSpan(count));
        if (decided == Utf16Be)
        {
            Span<ushort> swapped = MemoryMarshal.Cast<char, ushort>(units.AsSpan(count, block.Length / 2));
            BinaryPrimitives.ReverseEndianness(swapped, swapped);
        }
        count += block.Length / 2;
        for (ReadOnlySpan<char> rest = units.AsSpan(0, count); !rest.IsEmpty;)
        {
            OperationStatus status = System.Text.Unicode.Utf8.FromUtf16(rest, buffer.AsSpan(to), out int read, out int written,
                replaceInvalidSequences: false, isFinalBlock: Ended);
            to += written;
            rest = rest[read..];
            if (status == OperationStatus.Done) break;
            if (status == OperationStatus.NeedMoreData && !Ended)
            {
                high = rest[0];
                break;
            }
            buffer[to++] = 0xED;                        // a lone surrogate, in the three bytes that UTF-8 forbids
            buffer[to++] = (byte)(0x80 | ((rest[0] >> 6) & 0x3F));
            buffer[to++] = (byte)(0x80 | (rest[0] & 0x3F));
            rest = rest[1..];
        }
        if (block.Length % 2 == 1) buffer[to++] = 0xFF;
        ArrayPool<char>.Shared.Return(units);
    }

    /// <summary>Bytes 0x80 to 0x9F of Windows-1252; NUL where it defines none.</summary>
    const string Upper = "\u20AC\0\u201A\u0192\u201E\u2026\u2020\u2021\u02C6\u2030\u0160\u2039\u0152\0\u017D\0\0\u2018\u2019\u201C\u201D\u2022\u2013\u2014\u02DC\u2122\u0161\u203A\u0153\0\u017E\u0178";

    /// <summary>True when text decoded from Windows-1252 was UTF-8 all along: every byte above 127 of it belongs to a valid sequence.</summary>
    public static bool WasUtf8(ReadOnlySpan<byte> decoded)
    {
        if (Ascii.IsValid(decoded)) return false;
        byte[] source = ArrayPool<byte>.Shared.Rent(decoded.Length);
        int count = 0;
        for (ReadOnlySpan<byte> rest = decoded; !rest.IsEmpty;)
        {
            if (Rune.DecodeFromUtf8(rest, out Rune rune, out int used) != OperationStatus.Done) break;
            int upper = Upper.IndexOf((char)rune.Value, StringComparison.Ordinal);
            source[count++] = rune.Value < 0x100 ? (byte)rune.Value : (byte)(0x80 + upper);
            rest = rest[used..];
        }
        bool valid = System.Text.Unicode.Utf8.IsValid(source.AsSpan(0, count));
        ArrayPool<byte>.Shared.Return(source);
        return valid;
    }
}
