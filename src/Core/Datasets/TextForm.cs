using System.Text;

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
        if (Ascii.IsValid(utf8)) return TrimAscii(utf8);
        if (chars.Length < utf8.Length) chars = new char[Math.Max(utf8.Length, 2 * chars.Length)];
        int length = Encoding.UTF8.GetChars(utf8, chars);
        ReadOnlySpan<char> text = Trim(chars.AsSpan(0, length));
        if (!text.IsNormalized(NormalizationForm.FormC)) text = Trim(text.ToString().Normalize(NormalizationForm.FormC));
        int most = Encoding.UTF8.GetMaxByteCount(text.Length);
        if (bytes.Length < most) bytes = new byte[Math.Max(most, 2 * bytes.Length)];
        return bytes.AsSpan(0, Encoding.UTF8.GetBytes(text, bytes));
    }

    /// <summary>Normalises a short text.</summary>
    public static string Normalise(string text) => Trim(text.Normalize(NormalizationForm.FormC)).ToString();

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
