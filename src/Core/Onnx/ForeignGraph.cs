using System.Globalization;
using Google.Protobuf;
using Type = Scion.Onnx.AttributeProto.Types.AttributeType;
using DataType = Scion.Onnx.TensorProto.Types.DataType;

namespace Scion.Onnx;

/// <summary>Reads ONNX files that others wrote, before ONNX Runtime sees them: what is not known to be harmless is refused.</summary>
/// <remarks>Why: ONNX Runtime reads other files that a model names, runs control flow without end, and allocates what shapes ask for.
/// So: one file; operators of <see cref="OperatorRule.Known"/> only, with the attributes they have; no functions, training graphs, sparse
/// tensors, subgraphs; each name defined once and before it is used, so no cycles; constants that fill their shapes and are finite. Sizes are
/// the next check, <see cref="ShapeInference"/>. The result is a new graph of known fields only: constants are initializers and not inputs,
/// their values little-endian bytes; documentation, stated shapes and nodes that no output needs are left out.</remarks>
public static class ForeignGraph
{
    /// <summary>Largest file read: VGG-16 in float32 has 528 MiB.</summary>
    public const int MaxBytes = 640 << 20;

    public const int MaxNodes = 20_000;

    public const int MaxNameLength = 256;

    public const int MinOpset = 7;

    public const int MaxOpset = 23;

    /// <param name="what">Name of the file, for messages.</param>
    /// <param name="bytes">The whole file.</param>
    /// <exception cref="Faults.InputRejectedException">It is not a network that is run (V050 to V057, V060).</exception>
    public static ModelProto Read(string what, ReadOnlyMemory<byte> bytes) => Scanned(what, bytes, tokens: false);

    /// <summary>As <see cref="Read"/>, of a sentence network: it may have several inputs, the operators of <see cref="OperatorRule.KnownOfText"/>, and
    /// single constants that are infinite, which masks are made of.</summary>
    /// <inheritdoc cref="Read"/>
    public static ModelProto ReadSentenceNetwork(string what, ReadOnlyMemory<byte> bytes) => Scanned(what, bytes, tokens: true);

    /// <summary>Names of a file's inputs, constants among them where they stand there.</summary>
    /// <exception cref="Faults.InputRejectedException">It is not an ONNX file (V050), or too large (V051).</exception>
    internal static IReadOnlyList<string> InputNames(string what, ReadOnlyMemory<byte> bytes) => [.. Parsed(what, bytes).Graph.Input.Select(input => input.Name)];

    static ModelProto Scanned(string what, ReadOnlyMemory<byte> bytes, bool tokens)
    {
        ModelProto model = Parsed(what, bytes);
        if (model.Functions.Count > 0) throw EncoderFaults.Forbidden(what, "functions of its own");
        if (model.TrainingInfo.Count > 0) throw EncoderFaults.Forbidden(what, "a training graph");
        if (model.Graph.SparseInitializer.Count > 0) throw EncoderFaults.Forbidden(what, "sparse constants");
        return new Reading(what, model, tokens).Checked();
    }

    static ModelProto Parsed(string what, ReadOnlyMemory<byte> bytes)
    {
        if (bytes.Length > MaxBytes) throw EncoderFaults.TooLarge(what, $"it has {bytes.Length:n0} bytes; at most {MaxBytes:n0} are read");
        WireCount.Require(what, bytes.Span);
        ModelProto model;
        try
        {
            model = ModelProto.Parser.WithDiscardUnknownFields(true).ParseFrom(bytes.Span);
        }
        catch (InvalidProtocolBufferException e)
        {
            throw EncoderFaults.NotOnnx(what, e.Message.TrimEnd('.'));
        }
        return model.Graph is null || model.OpsetImport.Count == 0 ? throw EncoderFaults.NotOnnx(what, $"its {bytes.Length:n0} bytes hold no graph or no operator set") : model;
    }

    /// <summary>Operator set of a graph that <see cref="Read"/> returned.</summary>
    public static int OpsetOf(ModelProto model) => (int)model.OpsetImport.Single().Version;

    /// <summary>Version of the file format that goes with an operator set.</summary>
    internal static int IrVersionFor(int opset) => opset switch { <= 18 => 8, <= 20 => 9, <= 22 => 10, _ => 11 };

    sealed class Reading(string what, ModelProto model, bool tokens)
    {
        readonly GraphProto graph = model.Graph;
        readonly Dictionary<string, TensorProto> constants = new(StringComparer.Ordinal);
        readonly HashSet<string> defined = new(StringComparer.Ordinal);
        readonly List<NodeProto> nodes = [];

        public ModelProto Checked()
        {
            int opset = Opset();
            if (graph.Node.Count > MaxNodes) throw EncoderFaults.TooLarge(what, $"it has {graph.Node.Count:n0} nodes; at most {MaxNodes:n0} are read");
            foreach (TensorProto constant in graph.Initializer) AddConstant(constant);
            List<ValueInfoProto> inputs = [.. graph.Input.Where(input => !constants.ContainsKey(input.Name))];     // until 2019 constants stood among the inputs, too
            if (tokens ? inputs.Count is 0 or > 8 : inputs.Count != 1) throw EncoderFaults.NoPictureInput(what, $"it has {inputs.Count} inputs beside its constants");
            ValueInfoProto[] taken = [.. inputs.Select(input => Value(input, shaped: true))];
            foreach (ValueInfoProto input in taken) Define(input.Name);
            for (int i = 0; i < graph.Node.Count; i++) AddNode(graph.Node[i], i, opset);

            if (graph.Output.Count is 0 or > 64) throw EncoderFaults.Malformed(what, $"it has {graph.Output.Count} outputs; 1 to 64 are expected");
            HashSet<string> made = new(nodes.SelectMany(node => node.Output), StringComparer.Ordinal), outputs = new(StringComparer.Ordinal);
            foreach (ValueInfoProto output in graph.Output)
            {
                if (!made.Contains(output.Name)) throw EncoderFaults.Malformed(what, $"no node makes its output '{EncoderFaults.Shown(output.Name)}'");
                if (!outputs.Add(output.Name)) throw EncoderFaults.Malformed(what, $"its output '{EncoderFaults.Shown(output.Name)}' is listed twice");
            }

            ModelProto whole = new() { IrVersion = IrVersionFor(opset), ProducerName = model.ProducerName, Graph = new GraphProto { Name = "network" } };
            whole.OpsetImport.Add(new OperatorSetIdProto { Version = opset });
            whole.MetadataProps.AddRange(model.MetadataProps
                .Where(entry => entry.Key.Length <= MaxNameLength && entry.Value.Length <= 4096).Take(64).Select(entry => entry.Clone()));
            whole.Graph.Input.AddRange(taken);
            whole.Graph.Output.AddRange(graph.Output.Select(output => Value(output, shaped: false)));
            whole.Graph.Node.AddRange(nodes);
            whole.Graph.Initializer.AddRange(constants.Values);
            GraphPruning.Prune(whole.Graph);
            return whole;
        }

        int Opset()
        {
            if (model.IrVersion is < 3 or > 13) throw EncoderFaults.UnknownOpset(what, $"is of version {model.IrVersion} of the file format, which is not read");
            OperatorSetIdProto[] own = [.. model.OpsetImport.Where(set => set.Domain is "" or "ai.onnx")];
            if (own.Length != 1) throw EncoderFaults.UnknownOpset(what, $"names {own.Length} operator sets of ONNX");
            return own[0].Version is >= MinOpset and <= MaxOpset ? (int)own[0].Version : throw EncoderFaults.UnknownOpset(what, $"is of operator set {own[0].Version}");
        }

        void AddConstant(TensorProto constant)
        {
            Define(constant.Name);
            constants.Add(constant.Name, ConstantBytes.Normalised(what, constant, infinite: tokens));
        }

        void Define(string name)
        {
            if (name.Length is 0 or > MaxNameLength || name.Any(char.IsControl)) throw EncoderFaults.Malformed(what, $"the name '{EncoderFaults.Shown(name)}' has {name.Length} characters, or control characters");
            if (!defined.Add(name)) throw EncoderFaults.Malformed(what, $"'{EncoderFaults.Shown(name)}' is defined twice");
        }

        ValueInfoProto Value(ValueInfoProto value, bool shaped)
        {
            if (value.Type is null or { ValueCase: TypeProto.ValueOneofCase.None } && !shaped) return new ValueInfoProto { Name = value.Name };
            if (value.Type?.ValueCase != TypeProto.ValueOneofCase.TensorType) throw EncoderFaults.Forbidden(what, $"a value '{EncoderFaults.Shown(value.Name)}' that is no plain tensor");
            ValueInfoProto plain = new() { Name = value.Name, Type = new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = value.Type.TensorType.ElemType } } };
            if (shaped) plain.Type.TensorType.Shape = value.Type.TensorType.Shape ?? throw EncoderFaults.NoPictureInput(what, "its input has no shape");
            return plain;
        }

        void AddNode(NodeProto node, int at, int opset)
        {
            if (node.Domain is not ("" or "ai.onnx") || !(tokens ? OperatorRule.KnownOfText : OperatorRule.Known).TryGetValue(node.OpType, out OperatorRule? rule))
                throw EncoderFaults.UnknownOperator(what, at, node.Domain, node.OpType);
            string shown = $"node {at.ToString("n0", CultureInfo.InvariantCulture)} ({node.OpType})";
            if (!OperatorRule.IsIn(opset, node.OpType)) throw EncoderFaults.Malformed(what, $"{shown} is of an operator that operator set {opset} does not have");
            if (node.Overload.Length > 0) throw EncoderFaults.Forbidden(what, "functions of its own");
            NodeProto plain = new() { OpType = node.OpType, Name = node.Name.Length <= MaxNameLength ? node.Name : "" };
            AddAttributes(node, plain, rule, shown);

            int inputs = node.Input.Count;
            while (inputs > 0 && node.Input[inputs - 1].Length == 0) inputs--;                 // trailing optional inputs may be named ""
            if (inputs < rule.Least || inputs > rule.Most) throw EncoderFaults.Malformed(what, $"{shown} has {inputs} inputs; {rule.Least} to {rule.Most} are expected");
            for (int i = 0; i < inputs; i++)
            {
                string input = node.Input[i];
                if (input.Length == 0 && i < rule.Least) throw EncoderFaults.Malformed(what, $"{shown} lacks its input {i}");
                if (input.Length > 0 && !defined.Contains(input)) throw EncoderFaults.Malformed(what, $"{shown} uses '{EncoderFaults.Shown(input)}', which is made by nothing before it");
                plain.Input.Add(input);
            }
            int outputs = node.Output.Count;
            while (outputs > 1 && node.Output[outputs - 1].Length == 0) outputs--;
            int most = node.OpType switch { "Split" => 4096, "Dropout" => 2, _ => 1 };
            if (outputs == 0 || outputs > most) throw EncoderFaults.Malformed(what, $"{shown} has {outputs} outputs; 1{(most > 1 ? $" to {most}" : "")} are expected");
            foreach (string output in node.Output.Take(outputs))
            {
                Define(output);
                plain.Output.Add(output);
            }
            RequireInference(plain, opset, shown);
            if (plain.OpType == "Constant") constants.Add(plain.Output[0], ValueOf(plain, shown));
            else nodes.Add(plain);
        }

        void AddAttributes(NodeProto node, NodeProto plain, OperatorRule rule, string shown)
        {
            HashSet<string> seen = new(StringComparer.Ordinal);
            foreach (AttributeProto attribute in node.Attribute)
            {
                string name = EncoderFaults.Shown(attribute.Name);
                if (attribute.G is not null || attribute.Graphs.Count > 0 || attribute.Type is Type.Graph or Type.Graphs) throw EncoderFaults.Forbidden(what, $"a graph within {shown}");
                if (attribute.RefAttrName.Length > 0) throw EncoderFaults.Forbidden(what, "attributes of functions");
                if (!attribute.SparseTensor.IsEmpty || attribute.SparseTensors.Count > 0) throw EncoderFaults.Forbidden(what, "sparse constants");
                if (!rule.Attributes.TryGetValue(attribute.Name, out Type type)) throw EncoderFaults.Malformed(what, $"{shown} has the attribute '{name}', which is not one of its operator");
                if (attribute.Type != type) throw EncoderFaults.Malformed(what, $"the attribute '{name}' of {shown} is of the type {attribute.Type}; {type} is expected");
                if (!seen.Add(attribute.Name)) throw EncoderFaults.Malformed(what, $"{shown} has the attribute '{name}' twice");
                if (attribute.Ints.Count > 64 || attribute.Floats.Count > 64 || attribute.S.Length > 64) throw EncoderFaults.Malformed(what, $"the attribute '{name}' of {shown} is longer than 64");
                if (!float.IsFinite(attribute.F) || attribute.Floats.Any(value => !float.IsFinite(value))) throw EncoderFaults.Malformed(what, $"the attribute '{name}' of {shown} is not finite");
                AttributeProto kept = new() { Name = attribute.Name, Type = type };
                switch (type)
                {
                    case Type.Int: kept.I = attribute.I; break;
                    case Type.Ints: kept.Ints.AddRange(attribute.Ints); break;
                    case Type.Float: kept.F = attribute.F; break;
                    case Type.Floats: kept.Floats.AddRange(attribute.Floats); break;
                    case Type.String: kept.S = attribute.S; break;
                    default:
                        kept.T = ConstantBytes.Normalised(what, attribute.T ?? throw EncoderFaults.Malformed(what, $"the attribute '{name}' of {shown} has no tensor"), infinite: tokens);
                        break;
                }
                plain.Attribute.Add(kept);
            }
        }

        /// <summary>Nodes that differ between training and use must be in use.</summary>
        void RequireInference(NodeProto node, int opset, string shown)
        {
            if (node.OpType == "BatchNormalization" && (node.IntOf("training_mode", 0) != 0 || node.IntOf("spatial", 1) != 1))
                throw EncoderFaults.Forbidden(what, $"a batch normalisation in training mode or per element at {shown}");
            if (node.OpType != "Dropout") return;
            if (opset < 12 && node.Input.Count > 1) throw EncoderFaults.Malformed(what, $"{shown} has {node.Input.Count} inputs; 1 is expected");
            if (node.Input.Count > 2 && !(constants.TryGetValue(node.Input[2], out TensorProto? mode) && mode.RawData.Span.IndexOfAnyExcept((byte)0) < 0))
                throw EncoderFaults.Forbidden(what, $"a dropout in training mode at {shown}");
        }

        TensorProto ValueOf(NodeProto node, string shown)
        {
            if (node.Attribute.Count != 1) throw EncoderFaults.Malformed(what, $"{shown} has {node.Attribute.Count} values; 1 is expected");
            AttributeProto value = node.Attribute[0];
            TensorProto tensor = value.Name switch
            {
                "value" => value.T,
                "value_int" => new TensorProto { DataType = (int)DataType.Int64, Int64Data = { value.I } },
                "value_ints" => new TensorProto { DataType = (int)DataType.Int64, Dims = { value.Ints.Count }, Int64Data = { value.Ints } },
                "value_float" => new TensorProto { DataType = (int)DataType.Float, FloatData = { value.F } },
                _ => new TensorProto { DataType = (int)DataType.Float, Dims = { value.Floats.Count }, FloatData = { value.Floats } },
            };
            tensor.Name = node.Output[0];
            return ConstantBytes.Normalised(what, tensor, infinite: tokens);
        }
    }
}

/// <summary>Reads attributes with their defaults.</summary>
static class NodeAttributes
{
    extension(NodeProto node)
    {
        public AttributeProto? Find(string name) => node.Attribute.FirstOrDefault(attribute => attribute.Name == name);

        public long IntOf(string name, long otherwise) => node.Find(name)?.I ?? otherwise;

        public IReadOnlyList<long>? IntsOf(string name) => node.Find(name)?.Ints;

        public string TextOf(string name, string otherwise) => node.Find(name)?.S.ToStringUtf8() ?? otherwise;

        /// <summary>Name of an input, or null when it is left out.</summary>
        public string? InputAt(int index) => index < node.Input.Count && node.Input[index].Length > 0 ? node.Input[index] : null;
    }
}

/// <summary>Leaves out what no output needs.</summary>
static class GraphPruning
{
    /// <summary>Removes nodes, constants and second outputs of Dropout that no output of the graph needs; order is kept.</summary>
    public static void Prune(GraphProto graph)
    {
        HashSet<string> needed = new(graph.Output.Select(output => output.Name), StringComparer.Ordinal);
        List<NodeProto> kept = [];
        for (int i = graph.Node.Count - 1; i >= 0; i--)
        {
            NodeProto node = graph.Node[i];
            if (!node.Output.Any(needed.Contains)) continue;
            if (node.OpType == "Dropout" && node.Output.Count > 1 && !needed.Contains(node.Output[1])) node.Output.RemoveAt(1);
            foreach (string input in node.Input) needed.Add(input);
            kept.Add(node);
        }
        kept.Reverse();
        TensorProto[] constants = [.. graph.Initializer.Where(constant => needed.Contains(constant.Name))];
        graph.Node.Clear();
        graph.Node.AddRange(kept);
        graph.Initializer.Clear();
        graph.Initializer.AddRange(constants);
    }
}
