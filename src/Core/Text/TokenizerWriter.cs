using System.Buffers;
using System.Text.Json;

namespace Scion.Text;

/// <summary>Writes vocabularies as <c>tokenizer.json</c>, which Hugging Face's <c>tokenizers</c> reads, too. Equal calls give equal bytes.</summary>
static class TokenizerWriter
{
    static readonly JsonWriterOptions Format = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <param name="tokens">A token an id; <c>[UNK]</c>, <c>[CLS]</c>, <c>[SEP]</c> and <c>[PAD]</c> are among them.</param>
    /// <param name="lowerCase">Text is lower-cased and loses its accents.</param>
    public static byte[] WordPiece(IReadOnlyList<string> tokens, bool lowerCase) => Write(json =>
    {
        Dictionary<string, int> ids = tokens.Index().ToDictionary(token => token.Item, token => token.Index, StringComparer.Ordinal);
        Added(json, ids, ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]);
        json.WriteStartObject("normalizer");
        json.WriteString("type", "BertNormalizer");
        json.WriteBoolean("clean_text", true);
        json.WriteBoolean("handle_chinese_chars", true);
        json.WriteNull("strip_accents");
        json.WriteBoolean("lowercase", lowerCase);
        json.WriteEndObject();
        Typed(json, "pre_tokenizer", "BertPreTokenizer");
        Around(json, "BertProcessing", "[CLS]", ids["[CLS]"], "[SEP]", ids["[SEP]"]);
        json.WriteStartObject("decoder");
        json.WriteString("type", "WordPiece");
        json.WriteString("prefix", "##");
        json.WriteBoolean("cleanup", true);
        json.WriteEndObject();
        json.WriteStartObject("model");
        json.WriteString("type", "WordPiece");
        json.WriteString("unk_token", "[UNK]");
        json.WriteString("continuing_subword_prefix", "##");
        json.WriteNumber("max_input_chars_per_word", 100);
        Vocabulary(json, ids);
        json.WriteEndObject();
    });

    /// <param name="ids">Tokens and ids. With <c>&lt;s&gt;</c> and <c>&lt;/s&gt;</c> among them, as RoBERTa has them, these are put around each text.</param>
    /// <param name="merges">Pairs "a b".</param>
    public static byte[] BytePairs(IReadOnlyDictionary<string, int> ids, IReadOnlyList<string> merges) => Write(json =>
    {
        Added(json, ids, ["<s>", "<pad>", "</s>", "<unk>", "<mask>", "<|endoftext|>"]);
        json.WriteNull("normalizer");
        json.WriteStartObject("pre_tokenizer");
        json.WriteString("type", "ByteLevel");
        json.WriteBoolean("add_prefix_space", false);
        json.WriteBoolean("trim_offsets", true);
        json.WriteBoolean("use_regex", true);
        json.WriteEndObject();
        if (ids.TryGetValue("<s>", out int begin) && ids.TryGetValue("</s>", out int end)) Around(json, "RobertaProcessing", "<s>", begin, "</s>", end);
        else json.WriteNull("post_processor");
        json.WriteStartObject("decoder");
        json.WriteString("type", "ByteLevel");
        json.WriteBoolean("add_prefix_space", true);
        json.WriteBoolean("trim_offsets", true);
        json.WriteBoolean("use_regex", true);
        json.WriteEndObject();
        json.WriteStartObject("model");
        json.WriteString("type", "BPE");
        json.WriteNull("dropout");
        json.WriteNull("unk_token");
        json.WriteString("continuing_subword_prefix", "");
        json.WriteString("end_of_word_suffix", "");
        json.WriteBoolean("fuse_unk", false);
        Vocabulary(json, ids);
        json.WriteStartArray("merges");
        foreach (string merge in merges) json.WriteStringValue(merge);
        json.WriteEndArray();
        json.WriteEndObject();
    });

    static byte[] Write(Action<Utf8JsonWriter> content)
    {
        ArrayBufferWriter<byte> bytes = new();
        using (Utf8JsonWriter json = new(bytes, Format))
        {
            json.WriteStartObject();
            json.WriteString("version", "1.0");
            json.WriteNull("truncation");
            json.WriteNull("padding");
            content(json);
            json.WriteEndObject();
        }
        return bytes.WrittenSpan.ToArray();
    }

    static void Added(Utf8JsonWriter json, IReadOnlyDictionary<string, int> ids, IEnumerable<string> special)
    {
        json.WriteStartArray("added_tokens");
        foreach (string token in special.Where(ids.ContainsKey).OrderBy(token => ids[token]))
        {
            json.WriteStartObject();
            json.WriteNumber("id", ids[token]);
            json.WriteString("content", token);
            foreach (string flag in new[] { "single_word", "lstrip", "rstrip", "normalized" }) json.WriteBoolean(flag, false);
            json.WriteBoolean("special", true);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    static void Typed(Utf8JsonWriter json, string part, string type)
    {
        json.WriteStartObject(part);
        json.WriteString("type", type);
        json.WriteEndObject();
    }

    static void Around(Utf8JsonWriter json, string type, string begin, int beginId, string end, int endId)
    {
        json.WriteStartObject("post_processor");
        json.WriteString("type", type);
        foreach ((string name, string token, int id) in new[] { ("sep", end, endId), ("cls", begin, beginId) })
        {
            json.WriteStartArray(name);
            json.WriteStringValue(token);
            json.WriteNumberValue(id);
            json.WriteEndArray();
        }
        if (type == "RobertaProcessing")
        {
            json.WriteBoolean("trim_offsets", true);
            json.WriteBoolean("add_prefix_space", false);
        }
        json.WriteEndObject();
    }

    static void Vocabulary(Utf8JsonWriter json, IReadOnlyDictionary<string, int> ids)
    {
        json.WriteStartObject("vocab");
        foreach ((string token, int id) in ids.OrderBy(token => token.Value)) json.WriteNumber(token, id);
        json.WriteEndObject();
    }
}
