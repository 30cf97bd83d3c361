using System.Buffers;
using System.Globalization;
using System.Text;

namespace Scion.Text;

/// <summary>Cuts text into words, the same in training and serving. Deterministic, no culture, linear time.</summary>
/// <remarks>A word is a run of letters, marks and digits, lower-case, with apostrophes kept between letters (<c>don't</c>). Hyphens part words.
/// Each Han, Hiragana or Katakana character is a word; so is each emoji with its joined parts, and each '!' and '?'. HTML tags and all
/// other characters part words. Of a word longer than <see cref="MaxWord"/> characters the first part is kept. Differs from the word
/// boundaries of UAX #29 in hyphens, full stops and kana, which suit retrieval less than classification.</remarks>
public static class Tokenizer
{
    /// <summary>Most UTF-16 characters of a word.</summary>
    public const int MaxWord = 64;

    const int MaxTag = 64;

    /// <summary>The words of a text, in order.</summary>
    public static List<string> Words(string text)
    {
        List<string> words = [];
        WordReader reader = new(Composed(text), stackalloc char[MaxWord]);
        while (reader.MoveNext()) words.Add(reader.Current.ToString());
        return words;
    }

    /// <summary>Marks in a row that are kept; the same limit as UAX #15's stream-safe text. No language comes near it.</summary>
    const int MaxMarks = 30;

    /// <summary>The text in normal form C, which <see cref="WordReader"/> expects; the same object when it is so already.</summary>
    /// <remarks>Sorting marks takes quadratic time in their number (160,000 of them half a minute), so of more than 30 in a row the rest is
    /// dropped first.</remarks>
    public static string Composed(string text)
    {
        if (Ascii.IsValid(text)) return text;
        if (HasLongMarkRun(text)) text = WithoutLongMarkRuns(text);
        try
        {
            return text.IsNormalized() ? text : text.Normalize();
        }
        catch (ArgumentException)              // lone surrogates: U+FFFD parts words as they would
        {
            return Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)).Normalize();
        }
    }

    /// <summary>True when more marks stand in a row than <see cref="Composed"/> keeps: then normalising would be slow, and so would asking whether
    /// the text is in normal form.</summary>
    public static bool HasLongMarkRun(ReadOnlySpan<char> text)
    {
        int marks = 0;
        for (int at = 0; at < text.Length; at++)
        {
            int width = 1;
            marks = text[at] >= 0x300 && IsMark(text, at, out width) ? marks + 1 : 0;
            if (marks > MaxMarks) return true;
            if (marks > 0) at += width - 1;
        }
        return false;

        static bool IsMark(ReadOnlySpan<char> text, int at, out int width) =>
            Rune.DecodeFromUtf16(text[at..], out Rune rune, out width) == OperationStatus.Done && Tokenizer.IsMark(rune);
    }

    static string WithoutLongMarkRuns(string text)
    {
        StringBuilder kept = new(text.Length);
        int marks = 0;
        for (int at = 0, width; at < text.Length; at += width)
        {
            bool whole = Rune.DecodeFromUtf16(text.AsSpan(at), out Rune rune, out width) == OperationStatus.Done;
            marks = whole && IsMark(rune) ? marks + 1 : 0;
            if (marks <= MaxMarks) kept.Append(text, at, width);
        }
        return kept.ToString();
    }

    static bool IsMark(Rune rune) =>
        Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark;

    /// <summary>Reads words one by one without allocating.</summary>
    /// <param name="text">Text in normal form C.</param>
    /// <param name="buffer">Scratch of <see cref="MaxWord"/> characters; holds the current word.</param>
    public ref struct WordReader(ReadOnlySpan<char> text, Span<char> buffer)
    {
        readonly ReadOnlySpan<char> text = text;
        readonly Span<char> buffer = buffer;
        int at;
        int length;

        public readonly ReadOnlySpan<char> Current => buffer[..length];

        /// <summary>Where the current word begins in the text.</summary>
        public int Start { get; private set; }

        /// <summary>Where it ends.</summary>
        public readonly int End => at;

        public bool MoveNext()
        {
            length = 0;
            while (at < text.Length)
            {
                Start = at;
                char c = text[at];
                if (c < 128)
                {
                    if (char.IsAsciiLetterOrDigit(c))
                    {
                        ReadWord();
                        return true;
                    }
                    at++;
                    if (c is '!' or '?')
                    {
                        buffer[length++] = c;
                        return true;
                    }
                    if (c == '<') SkipTag();
                    continue;
                }
                Rune rune = RuneAt(at, out int width);
                if (IsWordPart(rune) && Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark))
                {
                    if (IsWordAlone(rune))
                    {
                        Append(Rune.ToLowerInvariant(rune));
                        at += width;
                        return true;
                    }
                    ReadWord();
                    return true;
                }
                at += width;
                if (IsEmoji(rune))
                {
                    Append(rune);
                    JoinEmoji();
                    return true;
                }
            }
            return false;
        }

        void ReadWord()
        {
            while (at < text.Length)
            {
                char c = text[at];
                if (c < 128)
                {
                    if (char.IsAsciiLetterOrDigit(c)) AppendChar((char)(char.IsAsciiLetterUpper(c) ? c | 0x20 : c));
                    else if (c == '\'' && ApostropheJoins(at + 1)) AppendChar('\'');
                    else return;
                    at++;
                    continue;
                }
                if (c == '\u2019' && ApostropheJoins(at + 1))
                {
                    AppendChar('\'');
                    at++;
                    continue;
                }
                Rune rune = RuneAt(at, out int width);
                if (!IsWordPart(rune) || IsWordAlone(rune)) return;
                Append(Rune.ToLowerInvariant(rune));
                at += width;
            }
        }

        readonly bool ApostropheJoins(int next) => next < text.Length && char.IsLetter(text[next]) && !IsWordAlone(new Rune(text[next])) && char.IsLetter(text[next - 2]);

        void JoinEmoji()
        {
            while (at < text.Length)
            {
                Rune rune = RuneAt(at, out int width);
                if (rune.Value == 0x200D && at + width < text.Length && IsEmoji(RuneAt(at + width, out int joined)))
                {
                    Append(rune);
                    Append(RuneAt(at + width, out _));
                    at += width + joined;
                }
                else if (rune.Value is 0xFE0F or (>= 0x1F3FB and <= 0x1F3FF))
                {
                    Append(rune);
                    at += width;
                }
                else return;
            }
        }

        void SkipTag()
        {
            if (at >= text.Length || !(char.IsAsciiLetter(text[at]) || text[at] == '/')) return;
            int end = text[at..Math.Min(text.Length, at + MaxTag)].IndexOf('>');
            if (end >= 0) at += end + 1;
        }

        readonly Rune RuneAt(int index, out int width)
        {
            Rune.DecodeFromUtf16(text[index..], out Rune rune, out width);
            return rune;
        }

        void AppendChar(char c)
        {
            if (length < MaxWord) buffer[length++] = c;
        }

        void Append(Rune rune)
        {
            if (length + rune.Utf16SequenceLength <= MaxWord) length += rune.EncodeToUtf16(buffer[length..]);
        }
    }

    static bool IsWordPart(Rune rune) => Rune.GetUnicodeCategory(rune) is UnicodeCategory.LowercaseLetter or UnicodeCategory.UppercaseLetter
        or UnicodeCategory.TitlecaseLetter or UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter or UnicodeCategory.DecimalDigitNumber
        or UnicodeCategory.LetterNumber or UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark;

    static bool IsWordAlone(Rune rune) => rune.Value is (>= 0x3041 and <= 0x30FF) or (>= 0x3400 and <= 0x4DBF) or (>= 0x4E00 and <= 0x9FFF)
        or (>= 0xF900 and <= 0xFAFF) or (>= 0x20000 and <= 0x323AF);

    static bool IsEmoji(Rune rune) => rune.Value is (>= 0x1F000 and <= 0x1FAFF) or (>= 0x2600 and <= 0x27BF) or (>= 0x2B00 and <= 0x2BFF) or 0x2122 or 0x2139;
}
