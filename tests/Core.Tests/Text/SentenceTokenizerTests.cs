using System.Text;
using System.Text.Json.Nodes;
using CsCheck;
using Scion.Faults;
using Scion.Text;

namespace Scion.Tests.Text;

public sealed class SentenceTokenizerTests
{
    static readonly TokenizerFile WordPiece = TokenizerFile.Read("tokenizer.json", TokenizerFile.OfWordPiece("vocab.txt", SentenceFiles.VocabTxt, lowerCase: null));

    static readonly TokenizerFile BytePair = Pairs();

    static TokenizerFile Pairs()
    {
        (Dictionary<string, int> vocabulary, string[] merges) = SentenceFiles.BytePairs();
        return TokenizerFile.Read("tokenizer.json", TokenizerFile.OfBytePairs("vocab.json", SentenceFiles.VocabJson(vocabulary), SentenceFiles.MergesTxt(merges)));
    }

    static string[] Shown(TokenizerFile file, int[] ids)
    {
        Dictionary<int, string> tokens = file.Vocabulary.ToDictionary(token => token.Value, token => token.Key);
        return [.. ids.Select(id => tokens[id])];
    }

    [Theory]
    [InlineData("The film was unwatchable!", "[CLS] the film was un ##watch ##able ! [SEP]")]
    [InlineData("FILMS,  plots", "[CLS] film ##s , plot ##s [SEP]")]
    [InlineData("f\u00eflm caf\u00e9", "[CLS] film [UNK] [SEP]")]                        // accents go
    [InlineData("fi\u200blm\u0000 \u00adplot", "[CLS] film plot [SEP]")]                   // control and format characters go
    [InlineData("film\u4e2d\u4e2dplot", "[CLS] film 中 中 plot [SEP]")]                      // Han characters stand alone
    [InlineData("$film$ don't", "[CLS] $ film $ [UNK] ' [UNK] [SEP]")]                     // ASCII symbols are punctuation, as in BERT
    [InlineData("[SEP] film", "[CLS] [UNK] [UNK] [UNK] film [SEP]")]                       // nobody ends the sentence for the network
    [InlineData("film\ud800plot", "[CLS] film ##plot [SEP]", true)]
    [InlineData("", "[CLS] [SEP]")]
    public void WordPiece_KnownTexts_GiveTheIdsWorkedOutByHand(string text, string expected, bool lone = false)
    {
        TokenizedText found = new SentenceTokenizer("vocab.txt", WordPiece, 64).Encode(text);

        if (lone) Assert.Equal("[CLS]", Shown(WordPiece, found.Ids)[0]);                   // a lone surrogate is U+FFFD, which BERT drops: no exception
        else Assert.Equal(expected, string.Join(' ', Shown(WordPiece, found.Ids)));
        Assert.False(found.Cut);
    }

    [Theory]
    [InlineData("film was good", "<s> film Ġwas Ġgood </s>")]
    [InlineData(" film  was", "<s> Ġfilm Ġ Ġwas </s>")]
    [InlineData("é中", "<s> Ã © ä ¸ Ń </s>")]
    [InlineData("I'll", "<s> I ' l l </s>")]
    [InlineData("<s> bad", "<s> < s > Ġbad </s>")]
    [InlineData("", "<s> </s>")]
    public void BytePair_KnownTexts_GiveTheIdsWorkedOutByHand(string text, string expected)
    {
        TokenizedText found = new SentenceTokenizer("vocab.json", BytePair, 64).Encode(text);

        Assert.Equal(expected, string.Join(' ', Shown(BytePair, found.Ids)));
        Assert.Equal(found.Ids.Length - 2, found.Known);
    }

    [Fact]
    public void Encode_LongTexts_AreCutAtTheNetworksLengthAndSayIt()
    {
        SentenceTokenizer words = new("vocab.txt", WordPiece, 5), bytes = new("vocab.json", BytePair, 5);

        Assert.Equal(["[CLS]", "the", "film", "was", "[SEP]"], Shown(WordPiece, words.Encode("the film was funny").Ids));
        Assert.True(words.Encode("the film was funny").Cut);
        Assert.False(words.Encode("the film was").Cut);
        Assert.Equal(["<s>", "film", "Ġwas", "Ġgood", "</s>"], Shown(BytePair, bytes.Encode("film was good good").Ids));
        Assert.True(bytes.Encode("film was good good").Cut);
        Assert.Equal(0, words.Encode("xyz qqq").Known);
    }

    static readonly string[] Words = ["film", "films", "un", "watch", "able", "unwatchable", "ing", "s", "the", "x1", "12x", "0", "funnys", "dulling"];

    // Longest piece first, as the paper writes it: the slow oracle.
    static List<string> Greedy(string word)
    {
        HashSet<string> pieces = [.. SentenceFiles.WordPieces];
        List<string> found = [];
        for (int at = 0; at < word.Length;)
        {
            int end = word.Length;
            while (end > at && !pieces.Contains((at > 0 ? "##" : "") + word[at..end])) end--;
            if (end == at) return ["[UNK]"];
            found.Add((at > 0 ? "##" : "") + word[at..end]);
            at = end;
        }
        return found;
    }

    [Fact]
    public void WordPiece_AnyWords_AgreeWithThePlainAlgorithm() =>
        Gen.Int[0, Words.Length - 1].Select(i => Words[i]).Array[0, 8].Sample(words =>
            Assert.Equal([2, .. words.SelectMany(Greedy).Select(piece => WordPiece.Vocabulary[piece]), 3], new SentenceTokenizer("vocab.txt", WordPiece, 64).Encode(string.Join(' ', words)).Ids));

    // Merges the best-ranked neighbouring pair until none is left: the slow oracle. Words are parted before each space.
    static List<string> Merged(string text)
    {
        (_, string[] merges) = SentenceFiles.BytePairs();
        List<string> found = [];
        foreach (string word in text.Replace(" ", " \u0120", StringComparison.Ordinal).Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            List<string> parts = [.. word.Select(c => c.ToString())];
            while (true)
            {
                int best = Enumerable.Range(0, Math.Max(0, parts.Count - 1)).OrderBy(i => Rank(parts[i], parts[i + 1])).FirstOrDefault(-1);
                if (best < 0 || Rank(parts[best], parts[best + 1]) == int.MaxValue) break;
                parts[best] += parts[best + 1];
                parts.RemoveAt(best + 1);
            }
            found.AddRange(parts);
        }
        return found;

        int Rank(string left, string right) => Array.IndexOf(merges, $"{left} {right}") is >= 0 and int rank ? rank : int.MaxValue;
    }

    [Fact]
    public void BytePair_AnyWords_AgreeWithThePlainAlgorithm() =>
        Gen.Char["abdfgilmosw"].Array[1, 6].Select(letters => new string(letters)).Array[1, 5].Sample(words =>
            Assert.Equal([0, .. Merged(string.Join(' ', words)).Select(token => BytePair.Vocabulary[token]), 2], new SentenceTokenizer("vocab.json", BytePair, 64).Encode(string.Join(' ', words)).Ids));

    [Fact]
    public void WordPiece_VocabularyWithCapitals_IsNotLowerCased()
    {
        byte[] cased = TokenizerFile.OfWordPiece("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\nFilm\nfilm\n"u8.ToArray(), lowerCase: null);

        TokenizerFile file = TokenizerFile.Read("tokenizer.json", cased);

        Assert.False(file.LowerCase);
        Assert.Equal([2, 4, 5, 3], new SentenceTokenizer("vocab.txt", file, 16).Encode("Film film").Ids);
        Assert.True(WordPiece.LowerCase);
        Assert.Equal([2, 5, 5, 3], new SentenceTokenizer("vocab.txt", TokenizerFile.Read("t", TokenizerFile.OfWordPiece("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\nFilm\nfilm\n"u8.ToArray(), true)), 16).Encode("Film film").Ids);
    }

    static string Changed(TokenizerFile of, Action<JsonObject> change)
    {
        byte[] bytes = of == WordPiece ? TokenizerFile.OfWordPiece("vocab.txt", SentenceFiles.VocabTxt, null) : Bytes();
        JsonObject json = JsonNode.Parse(bytes)!.AsObject();
        change(json);
        return json.ToJsonString();

        static byte[] Bytes()
        {
            (Dictionary<string, int> vocabulary, string[] merges) = SentenceFiles.BytePairs();
            return TokenizerFile.OfBytePairs("vocab.json", SentenceFiles.VocabJson(vocabulary), SentenceFiles.MergesTxt(merges));
        }
    }

    [Fact]
    public void Read_TheTemplateOfPublishedFiles_PutsItsTokensAroundTexts()
    {
        string json = Changed(WordPiece, root =>
        {
            root["post_processor"] = JsonNode.Parse("""
                {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
                 "pair": [], "special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [2], "tokens": ["[CLS]"]}, "[SEP]": {"id": "[SEP]", "ids": [3], "tokens": ["[SEP]"]}}}
                """);
            root["truncation"] = JsonNode.Parse("""{"direction": "Right", "max_length": 128, "strategy": "LongestFirst", "stride": 0}""");
            root["padding"] = JsonNode.Parse("""{"strategy": {"Fixed": 128}, "direction": "Right", "pad_to_multiple_of": null, "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]"}""");
        });

        TokenizerFile file = TokenizerFile.Read("tokenizer.json", Encoding.UTF8.GetBytes(json));

        Assert.Equal([2], file.Before);
        Assert.Equal([3], file.After);
        Assert.Equal((0, 128), (file.Padding, file.MaxLength));
    }

    public static TheoryData<string, string> Wrong() => new()
    {
        { "T020", "{" },
        { "T020", "{\"model\": {}}" },
        { "T021", "{\"model\": {\"type\": \"Unigram\", \"vocab\": [[\"a\", -1.5]]}}" },
        { "T021", Changed(WordPiece, root => root["normalizer"] = JsonNode.Parse("""{"type": "Lowercase"}""")) },
        { "T021", Changed(WordPiece, root => root["added_tokens"]!.AsArray().Add(JsonNode.Parse("""{"id": 900, "content": "extra", "special": false}"""))) },
        { "T020", Changed(WordPiece, root => root["model"]!["vocab"]!["film"] = 5) },
        { "T020", Changed(WordPiece, root => root["model"]!["vocab"]!["film"] = -5) },
        { "T020", Changed(WordPiece, root => root["model"]!["vocab"]!["film"] = 1 << 30) },
        { "T020", Changed(WordPiece, root => root["model"]!["unk_token"] = "none") },
        { "T021", Changed(WordPiece, root => root["model"]!["continuing_subword_prefix"] = "@@") },
        { "T020", Changed(BytePair, root => root["model"]!["merges"]!.AsArray().Add("no merge of this")) },
        { "T020", Changed(BytePair, root => root["model"]!["vocab"]!.AsObject().Remove("Ġ")) },
        { "T021", Changed(BytePair, root => root["pre_tokenizer"] = JsonNode.Parse("""{"type": "Whitespace"}""")) },
        { "T021", Changed(BytePair, root => root["model"]!["dropout"] = 0.1) },
        { "T021", Changed(BytePair, root => root["post_processor"] = JsonNode.Parse("""{"type": "Other"}""")) },
        { "T020", Changed(BytePair, root => root["post_processor"] = JsonNode.Parse("""{"type": "RobertaProcessing", "cls": ["<s>", 99999], "sep": ["</s>", 2]}""")) },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public void Read_FilesThatWouldGiveOtherIds_AreRefused(string code, string json) =>
        Assert.Equal(code, Assert.Throws<InputRejectedException>(() => TokenizerFile.Read("tokenizer.json", Encoding.UTF8.GetBytes(json))).Code);

    [Fact]
    public void OfWordPiece_RepeatedOrMissingTokens_AreRefusedByTheirLines()
    {
        InputRejectedException repeated = Assert.Throws<InputRejectedException>(() => TokenizerFile.OfWordPiece("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\nfilm\nfilm\n"u8.ToArray(), null));
        InputRejectedException missing = Assert.Throws<InputRejectedException>(() => TokenizerFile.OfWordPiece("vocab.txt", "film\nplot\n"u8.ToArray(), null));

        Assert.Equal("T020: The tokenizer 'vocab.txt' cannot be used: line 6 repeats the token of line 5. Give tokenizer.json, vocab.txt, or vocab.json+merges.txt as they were published with the network.", repeated.Message);
        Assert.Contains("its 2 lines have no token [UNK]", missing.Message, StringComparison.Ordinal);
        Assert.Equal("T022", Assert.Throws<InputRejectedException>(() => TokenizerFile.Read("tokenizer.json", new byte[TokenizerFile.MaxBytes + 1])).Code);
    }
}
