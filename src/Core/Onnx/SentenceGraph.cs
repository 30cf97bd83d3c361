using System.Globalization;
using System.Text.Json;
using Google.Protobuf;
using Scion.Faults;
using Scion.Text;
using DataType = Scion.Onnx.TensorProto.Types.DataType;

namespace Scion.Onnx;

/// <summary>How vectors of a text's tokens become one.</summary>
public enum SentencePooling
{
    /// <summary>Mean over the tokens that the mask has.</summary>
    Mean,
    /// <summary>The first token's, as <c>[CLS]</c>.</summary>
    Cls,
    /// <summary>Largest value over the tokens that the mask has.</summary>
    Max,
    /// <summary>None: the network gives one vector a text already.</summary>
    None,
}

/// <summary>What a stored sentence network says of itself, as metadata of its graph: another tokenizer, pooling or length is another digest and another encoder.</summary>
/// <param name="Tokenizer">SHA-256 of its <c>tokenizer.json</c>.</param>
/// <param name="MaxLength">Tokens of a text at most, those around it among them.</param>
/// <param name="Pooling">How vectors of tokens become one.</param>
/// <param name="Output">Output of the network as it came.</param>
public sealed record SentenceInput(string Tokenizer, int MaxLength, SentencePooling Pooling, string Output);

/// <summary>Sentence networks as graphs: a foreign network, pooling and unit length behind it.</summary>
/// <remarks>Inputs, int64 [batch, length]: <c>input_ids</c>, <c>attention_mask</c> (1 for a token, 0 for padding) and, where the network takes it,
/// <c>token_type_ids</c> (0). Output <c>features</c>, float32 [batch, dim]: unit length, or zero. The mean is taken as a sum: unit length cancels the divisor.
/// Texts are padded to <see cref="Lengths"/> only, and shapes of each were worked out, so no other shape ever runs. Equal calls give equal bytes.</remarks>
public static class SentenceGraph
{
    public const string Ids = "input_ids", Mask = "attention_mask", Types = "token_type_ids", Features = "features";

    /// <summary>Metadata entry with the <see cref="SentenceInput"/>, as JSON.</summary>
    public const string InputKey = "scion.sentence";

    /// <summary>Longest text that any network is given, in tokens.</summary>
    public const int MostTokens = 4096;

    /// <summary>Names of our own tensors begin so; those and names of <see cref="HeadGraph"/> are taken from the network's own tensors.</summary>
    const string Own = "sentence/";

    static readonly HashSet<string> Taken = [Features, "logits", "probabilities", "head_weights", "head_bias", "cooled", "temperature"];

    static readonly int[] Steps = [8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096];

    /// <summary>Lengths that texts are padded to, shortest first; the last is <paramref name="maxLength"/>.</summary>
    public static int[] Lengths(int maxLength) => [.. Steps.Where(step => step < maxLength), maxLength];

    /// <summary>Puts pooling and unit length behind a network.</summary>
    /// <param name="what">Name of the file, for messages.</param>
    /// <param name="network">As <see cref="ForeignGraph.ReadSentenceNetwork"/> returned it; not changed.</param>
    /// <param name="input">What it is given, and which output is used.</param>
    /// <exception cref="InputRejectedException">It lacks an input or the output, or has others (T024), or shapes do not fit (V058, V059).</exception>
    public static ModelProto Write(string what, ModelProto network, SentenceInput input)
    {
        ModelProto model = network.Clone();
        GraphProto graph = model.Graph;
        RequireInputs(what, graph);
        if (graph.Output.All(output => output.Name != input.Output))
            throw SentenceNetworkFaults.NotASentenceNetwork(what, $"it has no output '{EncoderFaults.Shown(input.Output)}', but {Listed(graph.Output)}");
        string hidden = Rename(graph).GetValueOrDefault(input.Output, input.Output);
        graph.Name = "sentence-encoder";
        model.ProducerName = "Scion";
        model.MetadataProps.Clear();
        model.MetadataProps.Add(new StringStringEntryProto { Key = InputKey, Value = JsonSerializer.Serialize(input, ScionJson.Strict) });

        OnnxGraphWriter first = new("inputs");
        foreach (ValueInfoProto taken in graph.Input)
        {
            string name = taken.Name;
            if (taken.Type.TensorType.ElemType == (int)DataType.Int32)
            {
                string narrow = first.Node("Cast", Own + name, [name], OnnxGraphWriter.Int("to", (long)DataType.Int32));
                foreach (NodeProto node in graph.Node)
                    for (int i = 0; i < node.Input.Count; i++)
                        if (node.Input[i] == name) node.Input[i] = narrow;
            }
            first.Input(name, DataType.Int64, "batch", "length");
        }
        GraphProto before = first.ToModel().Graph;
        graph.Input.Clear();
        graph.Input.AddRange(new[] { Ids, Mask, Types }.SelectMany(name => before.Input.Where(value => value.Name == name)));
        NodeProto[] nodes = [.. before.Node, .. graph.Node];
        graph.Node.Clear();
        graph.Node.AddRange(nodes);
        graph.Output.Clear();
        graph.Output.Add(new ValueInfoProto { Name = hidden });
        GraphPruning.Prune(graph);

        int length = Lengths(input.MaxLength)[0];
        GraphTensor vectors = ShapeInference.OfLength(what, model, length)[hidden];
        bool one = input.Pooling == SentencePooling.None;
        if (!vectors.IsFloat || vectors.Sizes is not [{ Batched: true, Value: 1 }, ..] || vectors.Rank != (one ? 2 : 3) || (!one && vectors.Sizes[1] != new Size(length)) || vectors.Sizes[^1].Batched)
            throw SentenceNetworkFaults.NotASentenceNetwork(what, $"its output '{EncoderFaults.Shown(input.Output)}' is {vectors.Type} {vectors} for texts of {length} tokens; pooling {Name(input.Pooling)} takes [batch, {(one ? "" : $"{length}, ")}dim]");

        OnnxGraphWriter writer = new("pooling");
        Pool(writer, hidden, vectors, input.Pooling, ForeignGraph.OpsetOf(model));
        writer.Output(Features, DataType.Float, "batch", vectors.Sizes[^1].ToString());
        GraphProto last = writer.ToModel().Graph;
        graph.Node.AddRange(last.Node);
        graph.Initializer.AddRange(last.Initializer);
        graph.Output.Clear();
        graph.Output.AddRange(last.Output);
        return model;
    }

    /// <summary>Reads a stored sentence network: scanned as a foreign file is, shapes of every length worked out.</summary>
    /// <param name="what">Name of the file, for messages.</param>
    /// <param name="bytes">The whole file.</param>
    /// <exception cref="InputRejectedException">It is not one (R020).</exception>
    public static StoredSentenceGraph Read(string what, ReadOnlyMemory<byte> bytes)
    {
        try
        {
            return Scanned(what, bytes);
        }
        catch (InputRejectedException e) when (e.Code != "R020")
        {
            throw OnnxFaults.Unexpected(what, $"{e.Code}, {e.Fact.TrimEnd('.')}");
        }
    }

    /// <summary>As <see cref="Read"/>, of a graph that <see cref="Write"/> just made.</summary>
    /// <exception cref="InputRejectedException">As <see cref="ForeignGraph.ReadSentenceNetwork"/>; shapes of a length do not fit (V058) or are too costly (V059), or it is not such a graph (R020, T024).</exception>
    internal static StoredSentenceGraph Scanned(string what, ReadOnlyMemory<byte> bytes)
    {
        ModelProto model = ForeignGraph.ReadSentenceNetwork(what, bytes);
        if (InputOf(model) is not { } input || input.MaxLength is < 1 or > MostTokens || !Enum.IsDefined(input.Pooling)) throw OnnxFaults.Unexpected(what, "it does not say what it is given");
        RequireInputs(what, model.Graph);
        if (model.Graph.Output is not [{ Name: Features }]) throw OnnxFaults.Unexpected(what, $"its output is not '{Features}' alone");
        return new StoredSentenceGraph(model, input, DimOf(what, model, input), LearnedNumbersOf(model), IsHalf(model));
    }

    /// <summary>Components of the features, the same at every length.</summary>
    /// <exception cref="InputRejectedException">Shapes do not fit (V058) or are too costly (V059), or features are not [batch, dim] (T024).</exception>
    internal static int DimOf(string what, ModelProto model, SentenceInput input)
    {
        long dim = 0;
        foreach (int length in Lengths(input.MaxLength))
        {
            GraphTensor features = ShapeInference.OfLength(what, model, length)[Features];
            if (features.Type != DataType.Float || features.Sizes is not [{ Batched: true, Value: 1 }, { Batched: false, Value: <= 1 << 16 }] || (dim > 0 && features.Sizes[1].Value != dim))
                throw SentenceNetworkFaults.NotASentenceNetwork(what, $"its features are {features.Type} {features} for texts of {length} tokens");
            dim = features.Sizes[1].Value;
        }
        return (int)dim;
    }

    /// <summary>Rows of the table that ids pick vectors from; null when no such table is found.</summary>
    internal static long? VocabularyOf(ModelProto model)
    {
        HashSet<string> ids = new(StringComparer.Ordinal) { Ids };
        Dictionary<string, TensorProto> constants = model.Graph.Initializer.ToDictionary(constant => constant.Name, StringComparer.Ordinal);
        long? rows = null;
        foreach (NodeProto node in model.Graph.Node)
        {
            if (node.OpType is "Cast" or "Identity" && ids.Contains(node.Input[0])) ids.Add(node.Output[0]);
            if (node.OpType == "Gather" && node.IntOf("axis", 0) == 0 && ids.Contains(node.Input[1]) && constants.TryGetValue(node.Input[0], out TensorProto? table) && table.Dims.Count == 2)
                rows = Math.Min(rows ?? long.MaxValue, table.Dims[0]);
        }
        return rows;
    }

    /// <summary>Encoder and head as one graph, from ids to probabilities, for programs that run a single file.</summary>
    /// <param name="encoder">A stored sentence network.</param>
    /// <param name="head">A graph of <see cref="HeadGraph"/> for its features.</param>
    public static ModelProto Join(ModelProto encoder, ModelProto head)
    {
        ModelProto whole = TextClassifierGraph.Join(encoder, head);
        whole.Graph.Name = "sentence-classifier";
        return whole;
    }

    /// <summary>True for the bytes of a graph with an input <see cref="Ids"/>. Nothing else of them is looked at.</summary>
    public static bool TakesIds(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            return ForeignGraph.InputNames("", bytes).Contains(Ids);
        }
        catch (InputRejectedException)
        {
            return false;                                                  // who reads it says what is wrong
        }
    }

    internal static string Name(SentencePooling pooling) => pooling.ToString().ToLowerInvariant();

    static SentenceInput? InputOf(ModelProto model)
    {
        try
        {
            return model.MetadataProps.FirstOrDefault(entry => entry.Key == InputKey) is { } entry ? JsonSerializer.Deserialize<SentenceInput>(entry.Value, ScionJson.Strict) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    static void RequireInputs(string what, GraphProto graph)
    {
        foreach (ValueInfoProto input in graph.Input)
        {
            if (input.Name is not (Ids or Mask or Types)) throw SentenceNetworkFaults.NotASentenceNetwork(what, $"it has the input '{EncoderFaults.Shown(input.Name)}'; {Ids}, {Mask} and {Types} are known");
            TypeProto.Types.Tensor type = input.Type.TensorType;
            if (type.ElemType is not ((int)DataType.Int64 or (int)DataType.Int32) || type.Shape.Dim.Count != 2
                || type.Shape.Dim.Any(size => size.ValueCase == TensorShapeProto.Types.Dimension.ValueOneofCase.DimValue))
                throw SentenceNetworkFaults.NotASentenceNetwork(what, $"its input '{input.Name}' is {(DataType)type.ElemType} [{string.Join(", ", type.Shape.Dim.Select(Shown))}]; whole numbers [batch, length], both open, are expected");
        }
        foreach (string needed in new[] { Ids, Mask })
            if (graph.Input.All(input => input.Name != needed)) throw SentenceNetworkFaults.NotASentenceNetwork(what, $"it has no input '{needed}', but {Listed(graph.Input)}");

        static string Shown(TensorShapeProto.Types.Dimension size) =>
            size.ValueCase == TensorShapeProto.Types.Dimension.ValueOneofCase.DimValue ? size.DimValue.ToString(CultureInfo.InvariantCulture) : "open";
    }

    static string Listed(IEnumerable<ValueInfoProto> values) => string.Join(", ", values.Take(8).Select(value => $"'{EncoderFaults.Shown(value.Name)}'"));

    static void Pool(OnnxGraphWriter writer, string hidden, GraphTensor vectors, SentencePooling pooling, int opset)
    {
        string At(string name) => Own + name;
        string Numbers(string name, string of) => writer.Node("Cast", At(name), [of], OnnxGraphWriter.Int("to", (long)DataType.Float));
        string Shaped(string name, string of, params ReadOnlySpan<long> shape) => writer.Node("Reshape", At(name), [of, writer.Constant(At(name + "_shape"), shape, shape.Length)]);
        string Reduced(string op, string name, string of, bool keep)
        {
            AttributeProto kept = OnnxGraphWriter.Int("keepdims", keep ? 1 : 0);
            return opset >= 18 ? writer.Node(op, At(name), [of, writer.Constant(At(name + "_axes"), [1L], 1)], kept) : writer.Node(op, At(name), [of], OnnxGraphWriter.Ints("axes", 1), kept);
        }

        string values = vectors.Type == DataType.Float ? hidden : Numbers("values", hidden), pooled = values;
        long dim = vectors.Sizes[^1].Value;
        switch (pooling)
        {
            case SentencePooling.Mean:
                string sum = writer.Node("MatMul", At("sum"), [Shaped("mask", Numbers("weights", Mask), 0, 1, -1), values]);          // [batch, 1, dim]
                pooled = Shaped("mean", sum, 0, dim);
                break;
            case SentencePooling.Max:
                string absent = writer.Node("Mul", At("absent"), [writer.Node("Sub", At("less"), [Numbers("weights", Mask), writer.Constant(At("one"), [1f])]), writer.Constant(At("far"), [1e9f])]);
                pooled = Reduced("ReduceMax", "largest", writer.Node("Add", At("seen"), [values, Shaped("mask", absent, 0, -1, 1)]), keep: false);
                break;
            case SentencePooling.Cls:
                pooled = writer.Node("Gather", At("first"), [values, writer.Constant(At("index"), [0L])], OnnxGraphWriter.Int("axis", 1));
                break;
        }
        string norm = Reduced("ReduceL2", "norm", pooled, keep: true);
        writer.Node("Div", Features, [pooled, writer.Node("Max", At("divisor"), [norm, writer.Constant(At("tiny"), [1e-30f])])]);
    }

    static Dictionary<string, string> Rename(GraphProto graph)
    {
        HashSet<string> names = [.. graph.Input.Select(input => input.Name), .. graph.Initializer.Select(constant => constant.Name), .. graph.Node.SelectMany(node => node.Output)];
        Dictionary<string, string> renamed = new(StringComparer.Ordinal);
        foreach (string name in names.Where(name => Taken.Contains(name) || name.StartsWith(Own, StringComparison.Ordinal)).Order(StringComparer.Ordinal).ToArray())
        {
            string other = $"network/{name}";
            while (!names.Add(other)) other += "_";
            renamed.Add(name, other);
        }
        if (renamed.Count == 0) return renamed;
        foreach (ValueInfoProto output in graph.Output) output.Name = renamed.GetValueOrDefault(output.Name, output.Name);
        foreach (TensorProto constant in graph.Initializer) constant.Name = renamed.GetValueOrDefault(constant.Name, constant.Name);
        foreach (NodeProto node in graph.Node)
        {
            for (int i = 0; i < node.Input.Count; i++) node.Input[i] = renamed.GetValueOrDefault(node.Input[i], node.Input[i]);
            for (int i = 0; i < node.Output.Count; i++) node.Output[i] = renamed.GetValueOrDefault(node.Output[i], node.Output[i]);
        }
        return renamed;
    }

    /// <summary>Numbers learned: all float constants of more than one number. Tables of positions that are computed are counted with them.</summary>
    internal static long LearnedNumbersOf(ModelProto model) => model.Graph.Initializer
        .Where(constant => (DataType)constant.DataType is DataType.Float or DataType.Float16 or DataType.Double && !constant.Name.StartsWith(Own, StringComparison.Ordinal))
        .Select(constant => constant.Dims.Aggregate(1L, (product, dim) => product * dim)).Where(numbers => numbers > 1).Sum();

    internal static bool IsHalf(ModelProto model) => model.Graph.Initializer.Any(constant => constant.DataType == (int)DataType.Float16 && constant.Dims.Count > 1);
}

/// <summary>A sentence network as it is stored.</summary>
/// <param name="Model">The graph; callers do not change it.</param>
/// <param name="Input">What it is given.</param>
/// <param name="Dim">Components of its features.</param>
/// <param name="Parameters">Numbers learned.</param>
/// <param name="Half">True when it computes in float16.</param>
public sealed record StoredSentenceGraph(ModelProto Model, SentenceInput Input, int Dim, long Parameters, bool Half);
