using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.ML.Tokenizers;

namespace Scion.Text;

/// <summary>Token ids of texts as a published network learned them; the same code in training and serving.</summary>
/// <remarks>Pieces are made by Microsoft.ML.Tokenizers. Before it, text is brought to normal form C, and for WordPiece control characters are dropped, as BERT's
/// own cleaning does; words and punctuation are parted here, since the library's pattern drops symbols such as '+' and '$'. Special tokens that stand in a
/// text are read as text: nobody can end a sentence for the network. Threads: any number.</remarks>
public sealed partial class SentenceTokenizer
{
    readonly Microsoft.ML.Tokenizers.Tokenizer pieces;
    readonly TokenizerFile file;
    readonly int unknown;

    /// <param name="name">Name of the file, for messages.</param>
    /// <param name="file">As read.</param>
    /// <param name="maxLength">Most tokens of a text, those around it among them.</param>
    /// <exception cref="Faults.InputRejectedException">The library refuses it (T020), or no room is left for a text (T027).</exception>
    public SentenceTokenizer(string name, TokenizerFile file, int maxLength)
    {
        (this.file, MaxLength) = (file, maxLength);
        if (maxLength <= Around) throw SentenceNetworkFaults.BadOption($"{maxLength} tokens leave no room for a text: {Around} are put around each.");
        unknown = file.Unknown is { } token ? file.Vocabulary[token] : -1;
        try
        {
            pieces = file.Kind == SubwordKind.WordPiece ? WordPieces(file) : BpeTokenizer.Create(new BpeOptions(file.Vocabulary)
            {
                Merges = file.Merges,
                ByteLevel = true,
                PreTokenizer = RobertaPreTokenizer.Instance,                 // the pattern of GPT-2, which RoBERTa took over
            });
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or IOException or FormatException)
        {
            throw SentenceNetworkFaults.BadTokenizer(name, e.Message.TrimEnd('.'));
        }
    }

    /// <summary>Most tokens of a text, those around it among them; what is behind them is not read.</summary>
    public int MaxLength { get; }

    /// <summary>Id that pads.</summary>
    public int Padding => file.Padding;

    int Around => file.Before.Count + file.After.Count;

    /// <summary>The ids of a text.</summary>
    /// <param name="text">Any text.</param>
    public TokenizedText Encode(string text)
    {
        int most = MaxLength - Around;
        string plain = Tokenizer.Composed(text);
        if (file.Kind == SubwordKind.WordPiece) plain = Cleaned(plain);
        else if (file.PrefixSpace && plain.Length > 0 && !char.IsWhiteSpace(plain[0])) plain = " " + plain;
        IReadOnlyList<int> found = plain.Length == 0 ? [] : pieces is BertTokenizer bert
            ? bert.EncodeToIds(plain, most + 1, addSpecialTokens: false, out _, out _)
            : pieces.EncodeToIds(plain, most + 1, out _, out _);
        bool cut = found.Count > most;
        int[] ids = [.. file.Before, .. found.Take(most), .. file.After];
        return new TokenizedText(ids, found.Take(most).Count(id => id != unknown), cut);
    }

    static BertTokenizer WordPieces(TokenizerFile file)
    {
        // The library reads a token a line; gaps of ids are filled with tokens that no text makes.
        string[] lines = new string[file.Ids];
        foreach ((string token, int id) in file.Vocabulary)
            lines[id] = token.AsSpan().ContainsAny('\n', '\r') ? throw new FormatException($"token {id:n0} holds a line break") : token;
        for (int id = 0; id < lines.Length; id++) lines[id] ??= $"\u0001{id.ToString(CultureInfo.InvariantCulture)}";
        string unknown = file.Unknown!;
        using MemoryStream vocabulary = new(Encoding.UTF8.GetBytes(string.Join('\n', lines)));
        return BertTokenizer.Create(vocabulary, new BertOptions
        {
            LowerCaseBeforeTokenization = file.LowerCase,
            RemoveNonSpacingMarks = file.StripAccents,
            IndividuallyTokenizeCjk = file.SplitHan,
            SplitOnSpecialTokens = false,
            PreTokenizer = new RegexPreTokenizer(Words(), specialTokens: null),
            UnknownToken = unknown,
            ClassificationToken = unknown,                                   // tokens around a text are put there by Encode
            SeparatorToken = unknown,
            PaddingToken = unknown,
            MaskingToken = unknown,
        });
    }

    /// <summary>BERT's cleaning: control and format characters, U+0000 and U+FFFD are dropped; each white space is a space.</summary>
    static string Cleaned(string text)
    {
        if (!text.AsSpan().ContainsAnyExceptInRange(' ', '~')) return text;
        StringBuilder cleaned = new(text.Length);
        foreach (Rune rune in text.EnumerateRunes())
        {
            if (Rune.IsWhiteSpace(rune)) cleaned.Append(' ');
            else if (rune.Value != 0xFFFD && Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned))
                cleaned.Append(rune);
        }
        return cleaned.ToString();
    }

    /// <summary>BERT's words: each punctuation mark, ASCII symbols among them, stands alone.</summary>
    [GeneratedRegex(@"[^\s\p{P}$+<=>^`|~]+|[\p{P}$+<=>^`|~]")]
    private static partial Regex Words();
}

/// <param name="Ids">All tokens, those around the text among them, at most the network's.</param>
/// <param name="Known">Tokens of the text itself that are not the unknown one.</param>
/// <param name="Cut">True when the text has more tokens than are read.</param>
public readonly record struct TokenizedText(int[] Ids, int Known, bool Cut);
