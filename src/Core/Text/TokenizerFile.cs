using System.Text;
using System.Text.Json;

namespace Scion.Text;

/// <summary>How a text is cut into pieces of words.</summary>
public enum SubwordKind
{
    /// <summary>WordPiece as BERT has it.</summary>
    WordPiece,
    /// <summary>Byte-level byte-pair encoding as GPT-2 and RoBERTa have it.</summary>
    BytePair,
}

/// <summary>A tokenizer of a published network, read from <c>tokenizer.json</c>: what gives each text the ids the network learned with.</summary>
/// <remarks>Source: the format of Hugging Face's <c>tokenizers</c>. What would change ids and is not read (other kinds, normalizers, added words) is
/// refused. Sizes are bounded before anything is built.</remarks>
public sealed record TokenizerFile
{
    public const string Name = "tokenizer.json";

    /// <summary>Most bytes of a file: the largest in use, of 250,000 tokens, has 17 MB.</summary>
    public const int MaxBytes = 48 << 20;

    /// <summary>Most tokens, and the bound of ids.</summary>
    public const int MaxTokens = 1 << 20;

    /// <summary>Most characters of a token.</summary>
    const int MaxToken = 512;

    public required SubwordKind Kind { get; init; }

    /// <summary>Id of each token, in [0, <see cref="Ids"/>); ids may have gaps.</summary>
    public required IReadOnlyDictionary<string, int> Vocabulary { get; init; }

    /// <summary>Pairs "a b" that are merged, first first; empty for WordPiece.</summary>
    public IReadOnlyList<string> Merges { get; init; } = [];

    /// <summary>Token of what no piece matches; WordPiece only.</summary>
    public string? Unknown { get; init; }

    /// <summary>WordPiece: text is lower-cased first.</summary>
    public bool LowerCase { get; init; }

    /// <summary>WordPiece: marks such as accents are dropped first.</summary>
    public bool StripAccents { get; init; }

    /// <summary>WordPiece: each Han character is a word.</summary>
    public bool SplitHan { get; init; }

    /// <summary>Byte-pair: a text that begins with a word is read as if a space came before.</summary>
    public bool PrefixSpace { get; init; }

    /// <summary>Ids put before every text, as <c>[CLS]</c>.</summary>
    public IReadOnlyList<int> Before { get; init; } = [];

    /// <summary>Ids put behind every text, as <c>[SEP]</c>.</summary>
    public IReadOnlyList<int> After { get; init; } = [];

    /// <summary>Id that pads shorter texts of a batch.</summary>
    public int Padding { get; init; }

    /// <summary>Tokens of a text at most, as the file states; null when it does not.</summary>
    public int? MaxLength { get; init; }

    /// <summary>Largest id and one.</summary>
    public int Ids { get; private init; }

    /// <param name="file">Name of the file, for messages.</param>
    /// <param name="bytes">The whole file.</param>
    /// <exception cref="Faults.InputRejectedException">It is damaged (T020), of a kind that is not read (T021) or too large (T022).</exception>
    public static TokenizerFile Read(string file, ReadOnlyMemory<byte> bytes)
    {
        if (bytes.Length > MaxBytes) throw SentenceNetworkFaults.TokenizerTooLarge(file, $"it has {bytes.Length:n0} bytes; at most {MaxBytes:n0} are read");
        try
        {
            using JsonDocument document = JsonDocument.Parse(bytes, new JsonDocumentOptions { MaxDepth = 32 });
            return new Reading(file).Of(document.RootElement);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or KeyNotFoundException)
        {
            throw SentenceNetworkFaults.BadTokenizer(file, e.Message.TrimEnd('.'));
        }
    }

    /// <summary>Writes a WordPiece vocabulary, a token a line with its number as id, as <c>tokenizer.json</c>.</summary>
    /// <param name="file">Name of the file, for messages.</param>
    /// <param name="vocabulary">UTF-8 text of <c>vocab.txt</c>.</param>
    /// <param name="lowerCase">Null: yes unless a token has a capital letter.</param>
    /// <exception cref="Faults.InputRejectedException">It is no such vocabulary (T020), or too large (T022).</exception>
    public static byte[] OfWordPiece(string file, ReadOnlyMemory<byte> vocabulary, bool? lowerCase)
    {
        string[] tokens = Lines(file, vocabulary);
        Dictionary<string, int> ids = new(StringComparer.Ordinal);
        for (int i = 0; i < tokens.Length; i++)
            if (!ids.TryAdd(tokens[i], i)) throw SentenceNetworkFaults.BadTokenizer(file, $"line {i + 1:n0} repeats the token of line {ids[tokens[i]] + 1:n0}");
        foreach (string needed in new[] { "[UNK]", "[CLS]", "[SEP]", "[PAD]" })
            if (!ids.ContainsKey(needed)) throw SentenceNetworkFaults.BadTokenizer(file, $"its {tokens.Length:n0} lines have no token {needed}");
        bool lower = lowerCase ?? !tokens.Any(token => !(token.StartsWith('[') && token.EndsWith(']')) && token.Any(char.IsAsciiLetterUpper));
        return TokenizerWriter.WordPiece(tokens, lower);
    }

    /// <summary>Writes a byte-level vocabulary and its merges as <c>tokenizer.json</c>.</summary>
    /// <param name="file">Name of the vocabulary, for messages.</param>
    /// <param name="vocabulary">JSON object of tokens and ids: <c>vocab.json</c>.</param>
    /// <param name="merges">A pair a line, most important first: <c>merges.txt</c>.</param>
    /// <exception cref="Faults.InputRejectedException">They are no such files (T020), or too large (T022).</exception>
    public static byte[] OfBytePairs(string file, ReadOnlyMemory<byte> vocabulary, ReadOnlyMemory<byte> merges)
    {
        if (vocabulary.Length > MaxBytes) throw SentenceNetworkFaults.TokenizerTooLarge(file, $"it has {vocabulary.Length:n0} bytes; at most {MaxBytes:n0} are read");
        Dictionary<string, int> ids;
        try
        {
            using JsonDocument document = JsonDocument.Parse(vocabulary, new JsonDocumentOptions { MaxDepth = 4 });
            ids = new Reading(file).Tokens(document.RootElement);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            throw SentenceNetworkFaults.BadTokenizer(file, e.Message.TrimEnd('.'));
        }
        string[] pairs = [.. Lines("merges.txt", merges).Where((line, i) => !(i == 0 && line.StartsWith("#version", StringComparison.Ordinal)) && line.Length > 0)];
        return TokenizerWriter.BytePairs(ids, pairs);
    }

    static string[] Lines(string file, ReadOnlyMemory<byte> text)
    {
        if (text.Length > MaxBytes) throw SentenceNetworkFaults.TokenizerTooLarge(file, $"it has {text.Length:n0} bytes; at most {MaxBytes:n0} are read");
        string whole;
        try
        {
            whole = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(text.Span);
        }
        catch (DecoderFallbackException)
        {
            throw SentenceNetworkFaults.BadTokenizer(file, "it is not text in UTF-8");
        }
        string[] lines = whole.Split('\n');
        if (lines[^1].Length == 0) lines = lines[..^1];
        for (int i = 0; i < lines.Length; i++) lines[i] = lines[i].TrimEnd('\r');
        return lines.Length is > 0 and <= MaxTokens ? lines : throw SentenceNetworkFaults.TokenizerTooLarge(file, $"it has {lines.Length:n0} lines; 1 to {MaxTokens:n0} are read");
    }

    /// <summary>The character a byte is written as in byte-level vocabularies.</summary>
    /// <remarks>Source: GPT-2's <c>bytes_to_unicode</c>: printable bytes of Latin-1 stand for themselves, the others follow from U+0100 on.</remarks>
    public static IReadOnlyList<char> ByteCharacters { get; } = MakeByteCharacters();

    static char[] MakeByteCharacters()
    {
        char[] characters = new char[256];
        for (int i = 0, next = 256; i < 256; i++) characters[i] = i is (>= 33 and <= 126) or (>= 161 and <= 172) or >= 174 ? (char)i : (char)next++;
        return characters;
    }

    sealed class Reading(string file)
    {
        public TokenizerFile Of(JsonElement root)
        {
            if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("model", out JsonElement model) || model.ValueKind != JsonValueKind.Object)
                throw SentenceNetworkFaults.BadTokenizer(file, "it has no model");
            Dictionary<string, int> vocabulary = Tokens(Required(model, "vocab"));
            string? type = Text(model, "type") ?? (model.TryGetProperty("merges", out _) ? "BPE" : null);
            TokenizerFile read = type switch
            {
                "WordPiece" => WordPiece(root, model, vocabulary),
                "BPE" => BytePairs(root, model, vocabulary),
                _ => throw SentenceNetworkFaults.OtherTokenizer(file, $"its model is '{SentenceNetworkFaults.Shown(type ?? "not named")}'"),
            };
            AddAdded(root, vocabulary);
            HashSet<int> ids = new(vocabulary.Count);
            foreach ((string token, int id) in vocabulary)
                if (!ids.Add(id)) throw SentenceNetworkFaults.BadTokenizer(file, $"two tokens have the id {id:n0}");
            (IReadOnlyList<int> before, IReadOnlyList<int> after) = Around(root);
            int bound = ids.Max() + 1;
            foreach (int id in before.Concat(after))
                if (!ids.Contains(id)) throw SentenceNetworkFaults.BadTokenizer(file, $"it puts the id {id:n0} around texts, which is no token's");
            int? length = root.TryGetProperty("truncation", out JsonElement truncation) && truncation.ValueKind == JsonValueKind.Object ? Whole(truncation, "max_length") : null;
            return read with { Before = before, After = after, Padding = PaddingOf(root, vocabulary), MaxLength = length is > 0 ? length : null, Ids = bound };
        }

        public Dictionary<string, int> Tokens(JsonElement tokens)
        {
            if (tokens.ValueKind != JsonValueKind.Object) throw SentenceNetworkFaults.OtherTokenizer(file, "its vocabulary is not an object of tokens and ids");
            Dictionary<string, int> vocabulary = new(StringComparer.Ordinal);
            foreach (JsonProperty token in tokens.EnumerateObject()) Add(vocabulary, token.Name, token.Value.TryGetInt32(out int id) ? id : -1);
            return vocabulary.Count > 0 ? vocabulary : throw SentenceNetworkFaults.BadTokenizer(file, "its vocabulary is empty");
        }

        void Add(Dictionary<string, int> vocabulary, string token, int id)
        {
            if (id is < 0 or >= MaxTokens) throw SentenceNetworkFaults.BadTokenizer(file, $"the token '{SentenceNetworkFaults.Shown(token)}' has no id in 0 to {MaxTokens - 1:n0}");
            if (token.Length > MaxToken) throw SentenceNetworkFaults.BadTokenizer(file, $"a token has {token.Length:n0} characters; at most {MaxToken} are read");
            if (!vocabulary.TryAdd(token, id)) throw SentenceNetworkFaults.BadTokenizer(file, $"the token '{SentenceNetworkFaults.Shown(token)}' stands in it twice");
        }

        TokenizerFile WordPiece(JsonElement root, JsonElement model, Dictionary<string, int> vocabulary)
        {
            if (Text(model, "continuing_subword_prefix") is not (null or "##")) throw SentenceNetworkFaults.OtherTokenizer(file, "its pieces do not begin with ##");
            if (Whole(model, "max_input_chars_per_word") is not (null or 100)) throw SentenceNetworkFaults.OtherTokenizer(file, "its words may have other than 100 characters");
            string unknown = Text(model, "unk_token") ?? "[UNK]";
            if (!vocabulary.ContainsKey(unknown)) throw SentenceNetworkFaults.BadTokenizer(file, $"its unknown token '{SentenceNetworkFaults.Shown(unknown)}' is not in its vocabulary");
            if (TypeOf(root, "normalizer") != "BertNormalizer") throw SentenceNetworkFaults.OtherTokenizer(file, $"its normalizer is '{SentenceNetworkFaults.Shown(TypeOf(root, "normalizer"))}'");
            if (TypeOf(root, "pre_tokenizer") != "BertPreTokenizer") throw SentenceNetworkFaults.OtherTokenizer(file, $"its pre-tokenizer is '{SentenceNetworkFaults.Shown(TypeOf(root, "pre_tokenizer"))}'");
            JsonElement normalizer = root.GetProperty("normalizer");
            if (!Flag(normalizer, "clean_text", true)) throw SentenceNetworkFaults.OtherTokenizer(file, "it keeps control characters");
            bool lower = Flag(normalizer, "lowercase", true);
            return new TokenizerFile
            {
                Kind = SubwordKind.WordPiece,
                Vocabulary = vocabulary,
                Unknown = unknown,
                LowerCase = lower,
                StripAccents = Flag(normalizer, "strip_accents", lower),
                SplitHan = Flag(normalizer, "handle_chinese_chars", true),
            };
        }

        TokenizerFile BytePairs(JsonElement root, JsonElement model, Dictionary<string, int> vocabulary)
        {
            if (TypeOf(root, "normalizer") is not ("" or "NFC")) throw SentenceNetworkFaults.OtherTokenizer(file, $"its normalizer is '{SentenceNetworkFaults.Shown(TypeOf(root, "normalizer"))}'");
            if (TypeOf(root, "pre_tokenizer") != "ByteLevel") throw SentenceNetworkFaults.OtherTokenizer(file, $"its pre-tokenizer is '{SentenceNetworkFaults.Shown(TypeOf(root, "pre_tokenizer"))}', not ByteLevel");
            JsonElement pre = root.GetProperty("pre_tokenizer");
            if (!Flag(pre, "use_regex", true)) throw SentenceNetworkFaults.OtherTokenizer(file, "it does not part words");
            if (Text(model, "continuing_subword_prefix") is not (null or "") || Text(model, "end_of_word_suffix") is not (null or "") || Flag(model, "byte_fallback", false)
                || Flag(model, "ignore_merges", false) || (model.TryGetProperty("dropout", out JsonElement dropout) && dropout.ValueKind == JsonValueKind.Number && dropout.GetDouble() > 0))
                throw SentenceNetworkFaults.OtherTokenizer(file, "it has a prefix, a suffix, byte fallback, ignored merges or dropout");
            foreach (char character in ByteCharacters)
                if (!vocabulary.ContainsKey(character.ToString())) throw SentenceNetworkFaults.BadTokenizer(file, $"the byte written '{character}' is no token of its vocabulary");
            return new TokenizerFile { Kind = SubwordKind.BytePair, Vocabulary = vocabulary, Merges = MergesOf(Required(model, "merges"), vocabulary), PrefixSpace = Flag(pre, "add_prefix_space", true) };
        }

        List<string> MergesOf(JsonElement merges, Dictionary<string, int> vocabulary)
        {
            if (merges.GetArrayLength() > MaxTokens) throw SentenceNetworkFaults.TokenizerTooLarge(file, $"it has {merges.GetArrayLength():n0} merges; at most {MaxTokens:n0} are read");
            List<string> pairs = [];
            foreach (JsonElement merge in merges.EnumerateArray())
            {
                string[] parts = merge.ValueKind == JsonValueKind.Array ? [.. merge.EnumerateArray().Select(part => part.GetString()!)] : merge.GetString()!.Split(' ');
                if (parts is not [{ Length: > 0 } left, { Length: > 0 } right] || !vocabulary.ContainsKey(left) || !vocabulary.ContainsKey(right) || !vocabulary.ContainsKey(left + right))
                    throw SentenceNetworkFaults.BadTokenizer(file, $"merge {pairs.Count + 1:n0} is not of two tokens to a third");
                pairs.Add($"{left} {right}");
            }
            return pairs;
        }

        void AddAdded(JsonElement root, Dictionary<string, int> vocabulary)
        {
            if (!root.TryGetProperty("added_tokens", out JsonElement added) || added.ValueKind == JsonValueKind.Null) return;
            if (added.GetArrayLength() > 10_000) throw SentenceNetworkFaults.TokenizerTooLarge(file, $"it has {added.GetArrayLength():n0} added tokens");
            foreach (JsonElement token in added.EnumerateArray())
            {
                string content = token.GetProperty("content").GetString()!;
                int id = token.GetProperty("id").GetInt32();
                if (!Flag(token, "special", false)) throw SentenceNetworkFaults.OtherTokenizer(file, $"the word '{SentenceNetworkFaults.Shown(content)}' is added to its vocabulary");
                if (!vocabulary.TryGetValue(content, out int known)) Add(vocabulary, content, id);
                else if (known != id) throw SentenceNetworkFaults.BadTokenizer(file, $"the token '{SentenceNetworkFaults.Shown(content)}' has the ids {known:n0} and {id:n0}");
            }
        }

        (IReadOnlyList<int> Before, IReadOnlyList<int> After) Around(JsonElement root)
        {
            if (!root.TryGetProperty("post_processor", out JsonElement post) || post.ValueKind == JsonValueKind.Null) return ([], []);
            if (TypeOf(root, "post_processor") == "Sequence")
            {
                JsonElement[] parts = [.. Required(post, "processors").EnumerateArray().Where(part => Text(part, "type") != "ByteLevel")];
                if (parts.Length == 0) return ([], []);
                post = parts is [var only] ? only : throw SentenceNetworkFaults.OtherTokenizer(file, $"it has {parts.Length} post-processors");
            }
            switch (Text(post, "type"))
            {
                case "ByteLevel":
                    return ([], []);
                case "BertProcessing" or "RobertaProcessing":
                    return ([Required(post, "cls")[1].GetInt32()], [Required(post, "sep")[1].GetInt32()]);
                case "TemplateProcessing":
                    return Template(post);
                default:
                    throw SentenceNetworkFaults.OtherTokenizer(file, $"its post-processor is '{SentenceNetworkFaults.Shown(Text(post, "type") ?? "not named")}'");
            }
        }

        (IReadOnlyList<int>, IReadOnlyList<int>) Template(JsonElement post)
        {
            List<int> before = [], after = [];
            bool text = false;
            foreach (JsonElement piece in Required(post, "single").EnumerateArray())
            {
                if (piece.TryGetProperty("Sequence", out JsonElement sequence))
                {
                    if (text || Text(sequence, "id") != "A") throw SentenceNetworkFaults.OtherTokenizer(file, "its template is not of one text");
                    text = true;
                    continue;
                }
                string id = Text(Required(piece, "SpecialToken"), "id") ?? "";
                foreach (JsonElement one in Required(Required(Required(post, "special_tokens"), id), "ids").EnumerateArray()) (text ? after : before).Add(one.GetInt32());
            }
            if (!text || before.Count + after.Count > 16) throw SentenceNetworkFaults.OtherTokenizer(file, "its template holds no text, or over 16 tokens around it");
            return (before, after);
        }

        int PaddingOf(JsonElement root, Dictionary<string, int> vocabulary)
        {
            if (root.TryGetProperty("padding", out JsonElement padding) && padding.ValueKind == JsonValueKind.Object && Whole(padding, "pad_id") is { } stated)
                return vocabulary.ContainsValue(stated) ? stated : throw SentenceNetworkFaults.BadTokenizer(file, $"it pads with the id {stated:n0}, which is no token's");
            foreach (string usual in new[] { "[PAD]", "<pad>", "<|endoftext|>" })
                if (vocabulary.TryGetValue(usual, out int id)) return id;
            return vocabulary.Values.Min();
        }

        JsonElement Required(JsonElement of, string name) =>
            of.ValueKind == JsonValueKind.Object && of.TryGetProperty(name, out JsonElement value) ? value : throw SentenceNetworkFaults.BadTokenizer(file, $"'{SentenceNetworkFaults.Shown(name)}' is missing");

        static string TypeOf(JsonElement root, string part) =>
            root.TryGetProperty(part, out JsonElement value) && value.ValueKind == JsonValueKind.Object ? Text(value, "type") ?? "" : "";

        static string? Text(JsonElement of, string name) => of.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

        static int? Whole(JsonElement of, string name) =>
            of.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int number) ? number : null;

        static bool Flag(JsonElement of, string name, bool otherwise) => of.TryGetProperty(name, out JsonElement value)
            ? value.ValueKind switch { JsonValueKind.True => true, JsonValueKind.False => false, JsonValueKind.Null => otherwise, _ => throw new FormatException($"'{name}' is neither true nor false") }
            : otherwise;
    }
}
