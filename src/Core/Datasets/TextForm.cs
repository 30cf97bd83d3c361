using System.Text;
using Scion.Text;

namespace Scion.Datasets;

/// <summary>The form in which texts and labels are stored: NFC, without white space and zero-width marks at the ends.</summary>
sealed class TextForm
{
    char[] chars = new char[4096];
    byte[] bytes = new byte[4096];

    /// <summary>Normalises valid UTF-8.</summary>
    /// <returns>A part of the argument, or of a buffer that the next call overwrites.</returns>
    public ReadOnlySpan<byte> Normalise(ReadOnlySpan<byte> utf8)
    {
        utf8 = TrimAscii(utf8);
        if (IsPlain(utf8)) return utf8;
        if (chars.Length < utf8.Length) chars = new char[Math.Max(utf8.Length, 2 * chars.Length)];
        int length = Encoding.UTF8.GetChars(utf8, chars);
        ReadOnlySpan<char> all = chars.AsSpan(0, length), text = Trim(all);
        if (!Tokenizer.HasLongMarkRun(text) && IsNfc(text))
        {
            if (text.IsEmpty) return [];
            all.Overlaps(text, out int before);
            return utf8[Encoding.UTF8.GetByteCount(all[..before])..^Encoding.UTF8.GetByteCount(all[(before + text.Length)..])];
        }
        text = Trim(Tokenizer.Composed(text.ToString()));
        int most = Encoding.UTF8.GetMaxByteCount(text.Length);
        if (bytes.Length < most) bytes = new byte[Math.Max(most, 2 * bytes.Length)];
        return bytes.AsSpan(0, Encoding.UTF8.GetBytes(text, bytes));
    }

    /// <summary>Normalises a short text.</summary>
    public static string Normalise(string text) => Trim(Tokenizer.Composed(text)).ToString();

    /// <summary>True for UTF-8 that is NFC and trimmed for certain, told without decoding it: between ASCII ends there are letters below U+0300 and
    /// common punctuation only. Most texts in Latin script.</summary>
    internal static bool IsPlain(ReadOnlySpan<byte> utf8)
    {
        if (utf8.IsEmpty || Ascii.IsValid(utf8)) return true;
        if (utf8[0] >= 0x80 || utf8[^1] >= 0x80) return false;
        while (true)
        {
            int above = utf8.IndexOfAnyInRange((byte)0xCC, (byte)0xFF);
            if (above < 0) return true;
            if (above + 3 > utf8.Length || utf8[above] != 0xE2
                || (utf8[above + 1], utf8[above + 2]) is not ((0x80, >= 0x90 and <= 0xA7 or >= 0xB0 and <= 0xBF) or (0x82, >= 0xA0 and <= 0xBF))) return false;
            utf8 = utf8[(above + 3)..];
        }
    }

    /// <summary>As IsNormalized, but quick for the letters and punctuation of most scripts: starters that NFC leaves as they are.</summary>
    internal static bool IsNfc(ReadOnlySpan<char> text)
    {
        for (ReadOnlySpan<char> rest = text; ;)
        {
            int other = rest.IndexOfAnyExceptInRange('\0', '\u02FF');
            if (other < 0) return true;
            if (rest[other] is not (>= '\u0400' and <= '\u0482' or >= '\u2010' and <= '\u2027' or >= '\u2030' and <= '\u205E' or >= '\u20A0' and <= '\u20BF'
                or >= '\u3041' and <= '\u3096' or >= '\u30A1' and <= '\u30FA' or >= '\u4E00' and <= '\u9FFF' or >= '\uAC00' and <= '\uD7A3'))
                return text.IsNormalized(NormalizationForm.FormC);
            rest = rest[(other + 1)..];
        }
    }

    static ReadOnlySpan<byte> TrimAscii(ReadOnlySpan<byte> utf8)
    {
        int from = 0, to = utf8.Length;
        while (from < to && IsAsciiSpace(utf8[from])) from++;
        while (to > from && IsAsciiSpace(utf8[to - 1])) to--;
        return utf8[from..to];
    }

    static bool IsAsciiSpace(byte b) => b is >= 9 and <= 13 or (byte)' ';

    static ReadOnlySpan<char> Trim(ReadOnlySpan<char> text)
    {
        int from = 0, to = text.Length;
        while (from < to && IsTrimmed(text[from])) from++;
        while (to > from && IsTrimmed(text[to - 1])) to--;
        return text[from..to];
    }

    /// <summary>White space, and what is seen as nothing: byte-order mark, zero-width space, word joiner.</summary>
    static bool IsTrimmed(char c) => char.IsWhiteSpace(c) || c is '\uFEFF' or '\u200B' or '\u2060';
}
