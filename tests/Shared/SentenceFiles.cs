using System.Text;
using Google.Protobuf;
using Scion.Onnx;
using Scion.Text;
using DataType = Scion.Onnx.TensorProto.Types.DataType;

namespace Scion.Tests;

/// <summary>Small sentence networks as exporters write them, with their tokenizers.</summary>
public static class SentenceFiles
{
    public const int Dim = 16, Positions = 64;

    static readonly string[] Special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];

    static readonly string[] Good = ["wonderful", "moving", "brilliant", "funny", "beautiful", "charming"], Bad = ["awful", "boring", "stupid", "dull", "slow", "terrible"];

    /// <summary>A token an id: BERT's special tokens, words of reviews, pieces.</summary>
    public static readonly string[] WordPieces =
    [
        .. Special, "the", "was", "and", "number", "film", "story", "cast", "plot", "ending", "script", "music", "scene", .. Good, .. Bad, "un", "##watch", "##able", "##s", "##ing", "!", ".", ",", "'", "$",
        .. "0123456789".Select(c => c.ToString()), .. "0123456789x".Select(c => $"##{c}"), "中",
    ];

    public static byte[] VocabTxt => Encoding.UTF8.GetBytes(string.Join('\n', WordPieces) + "\n");

    /// <summary>RoBERTa's special tokens, all bytes, and what merges make.</summary>
    public static (Dictionary<string, int> Vocabulary, string[] Merges) BytePairs()
    {
        string[] merges = ["f i", "fi l", "fil m", "\u0120 film", "\u0120 w", "a s", "\u0120w as", "o o", "g oo", "goo d", "\u0120 good", "b a", "ba d", "\u0120 bad"];
        Dictionary<string, int> vocabulary = new() { ["<s>"] = 0, ["<pad>"] = 1, ["</s>"] = 2, ["<unk>"] = 3 };
        foreach (string token in TokenizerFile.ByteCharacters.Select(c => c.ToString()).Concat(merges.Select(merge => merge.Replace(" ", "", StringComparison.Ordinal))))
            vocabulary.TryAdd(token, vocabulary.Count);
        return (vocabulary, merges);
    }

    public static byte[] VocabJson(IReadOnlyDictionary<string, int> vocabulary) => System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(vocabulary);

    public static byte[] MergesTxt(IEnumerable<string> merges) => Encoding.UTF8.GetBytes("#version: 0.2\n" + string.Join('\n', merges) + "\n");

    /// <summary>One layer of BERT: vectors of tokens, positions and types; attention under the mask; normalisation. Operator set 17, sizes worked out as exporters write it.</summary>
    /// <param name="tokens">Rows of the table of vectors.</param>
    /// <param name="change">Changes the graph before it is written; may be null.</param>
    public static byte[] Bert(int tokens, Action<ModelProto>? change = null)
    {
        Random random = new(5);
        OnnxGraphWriter graph = new("bert");
        foreach (string input in new[] { "input_ids", "attention_mask", "token_type_ids" }) graph.Input(input, DataType.Int64, "batch_size", "sequence_length");
        graph.Output("last_hidden_state", DataType.Float, "batch_size", "sequence_length", "16");

        float[] vectors = Numbers(random, tokens * Dim, 1);
        for (int id = 0; id < Math.Min(tokens, WordPieces.Length); id++) vectors[id * Dim] += Good.Contains(WordPieces[id]) ? 3 : Bad.Contains(WordPieces[id]) ? -3 : 0;
        string one = graph.Constant("one_axis", [1L], 1), zero = graph.Constant("zero_axis", [0L], 1);
        string length = graph.Node("Unsqueeze", "length", [graph.Node("Gather", "size_1", [graph.Node("Shape", "shape", ["input_ids"]), graph.Constant("index_1", [1L])]), zero]);
        string places = graph.Node("Slice", "places", [graph.Constant("position_ids", [.. Enumerable.Range(0, Positions).Select(i => (long)i)], 1, Positions), zero, length, one, one]);
        string words = graph.Node("Gather", "words", [graph.Constant("word_embeddings", vectors, tokens, Dim), "input_ids"]);
        string types = graph.Node("Gather", "types", [graph.Constant("type_embeddings", Numbers(random, 2 * Dim, 0.1f), 2, Dim), "token_type_ids"]);
        string positions = graph.Node("Gather", "positions", [graph.Constant("position_embeddings", Numbers(random, Positions * Dim, 0.2f), Positions, Dim), places]);
        string x = graph.Node("Add", "x", [graph.Node("Add", "typed", [words, types]), positions]);
        string attended = Attention(graph, random, x);
        string normal = graph.Node("LayerNormalization", "last_hidden_state", [graph.Node("Add", "residual", [x, attended]), graph.Constant("gamma", [.. Enumerable.Repeat(1f, Dim)], Dim),
            graph.Constant("beta", new float[Dim], Dim)], OnnxGraphWriter.Int("axis", -1));
        Assert.Equal("last_hidden_state", normal);
        ModelProto model = graph.ToModel();
        change?.Invoke(model);
        return model.ToByteArray();
    }

    /// <summary>One layer of RoBERTa: positions are counted over tokens that are not padding, from 2. Operator set 13, normalisation of plain operators, ids int64, mask int32; no types.</summary>
    public static byte[] Roberta(int tokens)
    {
        Random random = new(6);
        OnnxGraphWriter graph = new("roberta");
        graph.Input("input_ids", DataType.Int64, "batch", "sequence");
        graph.Input("attention_mask", DataType.Int64, "batch", "sequence");
        graph.Output("token_embeddings", DataType.Float, "batch", "sequence", "16");
        string present = graph.Node("Cast", "present", [graph.Node("Not", "not_padding", [graph.Node("Equal", "is_padding", ["input_ids", graph.Constant("padding", [1L])])])], OnnxGraphWriter.Int("to", (long)DataType.Int64));
        string counted = graph.Node("Mul", "counted", [graph.Node("CumSum", "count", [present, graph.Constant("along", [1L])]), present]);
        string places = graph.Node("Add", "places", [counted, graph.Constant("first", [1L])]);
        string words = graph.Node("Gather", "words", [graph.Constant("word_embeddings", Numbers(random, tokens * Dim, 1), tokens, Dim), "input_ids"]);
        string positions = graph.Node("Gather", "positions", [graph.Constant("position_embeddings", Numbers(random, (Positions + 2) * Dim, 0.2f), Positions + 2, Dim), places]);
        string x = graph.Node("Add", "x", [words, positions]);
        string residual = graph.Node("Add", "residual", [x, Attention(graph, random, x)]);
        AttributeProto last = OnnxGraphWriter.Ints("axes", -1);
        string centred = graph.Node("Sub", "centred", [residual, graph.Node("ReduceMean", "mean", [residual], last)]);
        string variance = graph.Node("ReduceMean", "variance", [graph.Node("Pow", "squares", [centred, graph.Constant("two", [2f])])], last);
        graph.Node("Div", "token_embeddings", [centred, graph.Node("Sqrt", "deviation", [graph.Node("Add", "safe", [variance, graph.Constant("epsilon", [1e-5f])])])]);
        ModelProto model = graph.ToModel();
        model.OpsetImport[0].Version = 13;
        return model.ToByteArray();
    }

    static string Attention(OnnxGraphWriter graph, Random random, string x)
    {
        string Linear(string name) => graph.Node("MatMul", name, [x, graph.Constant(name + "_weights", Numbers(random, Dim * Dim, 0.3f), Dim, Dim)]);
        string scores = graph.Node("Div", "scores", [graph.Node("MatMul", "products", [Linear("query"), graph.Node("Transpose", "key_across", [Linear("key")], OnnxGraphWriter.Ints("perm", 0, 2, 1))]),
            graph.Constant("scale", [MathF.Sqrt(Dim)])]);
        string mask = graph.Node("Cast", "mask", [graph.Node("Unsqueeze", "mask_wide", ["attention_mask", graph.Constant("mask_axis", [1L], 1)])], OnnxGraphWriter.Int("to", (long)DataType.Float));
        string far = graph.Node("Mul", "far", [graph.Node("Sub", "absent", [graph.Constant("whole", [1f]), mask]), graph.Constant("least", [float.MinValue])]);
        string shares = graph.Node("Softmax", "shares", [graph.Node("Add", "masked", [scores, far])], OnnxGraphWriter.Int("axis", -1));
        return graph.Node("MatMul", "attended", [shares, Linear("value")]);
    }

    static float[] Numbers(Random random, int count, float scale) => [.. Enumerable.Range(0, count).Select(_ => scale * (float)((random.NextDouble() * 2) - 1))];
}
