using Google.Protobuf;
using Scion.Onnx;
using DataType = Scion.Onnx.TensorProto.Types.DataType;
using Type = Scion.Onnx.AttributeProto.Types.AttributeType;

namespace Scion.Tests.Onnx;

/// <summary>ONNX files made to harm or to break: name, the code that must refuse each, and the file.</summary>
static class HostileNetworks
{
    static ModelProto Sound => PublishedNetworks.SqueezeNet(DataType.Float);

    static ModelProto Changed(Action<GraphProto> change)
    {
        ModelProto model = Sound;
        change(model.Graph);
        return model;
    }

    static ModelProto WithNode(string op, string[] inputs, params AttributeProto[] attributes) => Changed(graph =>
    {
        NodeProto node = new() { OpType = op, Output = { "evil" } };
        node.Input.AddRange(inputs);
        node.Attribute.AddRange(attributes);
        graph.Node.Add(node);
        graph.Output[0].Name = "evil";
    });

    static TensorProto Weight(GraphProto graph) => graph.Initializer[0];

    static void AddInts(GraphProto graph, string name, params long[] values) =>
        graph.Initializer.Add(new TensorProto { Name = name, DataType = (int)DataType.Int64, Dims = { values.Length }, Int64Data = { values } });

    static ModelProto Shaped(string op, params long[] shape)
    {
        ModelProto model = WithNode(op, ["data_0", "shape"]);
        AddInts(model.Graph, "shape", shape);
        return model;
    }

    static byte[] Nested(int depth)
    {
        byte[] bytes = [];
        for (int i = 0; i < depth; i++) bytes = i % 3 == 0 ? Field(6, bytes) : i % 3 == 1 ? Field(5, bytes) : Field(1, bytes);     // graph { node { attribute { g { …
        return Field(7, bytes);
    }

    static byte[] Field(int number, byte[] content)
    {
        using MemoryStream stream = new();
        using (CodedOutputStream output = new(stream, leaveOpen: true))
        {
            output.WriteTag(number, WireFormat.WireType.LengthDelimited);
            output.WriteBytes(ByteString.CopyFrom(content));
        }
        return stream.ToArray();
    }

    static byte[] Bytes(Action<GraphProto> change) => Changed(change).ToByteArray();

    static byte[] External(string location, bool flagged) => Bytes(graph =>
    {
        if (flagged) Weight(graph).DataLocation = TensorProto.Types.DataLocation.External;
        Weight(graph).ExternalData.Add(new StringStringEntryProto { Key = "location", Value = location });
        Weight(graph).RawData = ByteString.Empty;
    });

    /// <summary>75 bytes that ask ONNX Runtime for 12 GB.</summary>
    static byte[] Bomb()
    {
        ModelProto model = new() { IrVersion = 8, OpsetImport = { new OperatorSetIdProto { Version = 17 } }, Graph = new GraphProto() };
        model.Graph.Initializer.Add(new TensorProto { Name = "n", DataType = (int)DataType.Int64, Dims = { 1 }, Int64Data = { 3_000_000_000 } });
        model.Graph.Node.Add(new NodeProto { OpType = "ConstantOfShape", Input = { "n" }, Output = { "y" } });
        model.Graph.Output.Add(new ValueInfoProto { Name = "y" });
        return model.ToByteArray();
    }

    static byte[] Doubling()
    {
        ModelProto model = Sound;
        string at = "data_0";
        for (int i = 0; i < 40; i++)
        {
            model.Graph.Node.Add(new NodeProto { OpType = "Concat", Input = { at, at }, Output = { $"twice{i}" }, Attribute = { new AttributeProto { Name = "axis", I = 1, Type = Type.Int } } });
            at = $"twice{i}";
        }
        model.Graph.Output[0].Name = at;
        return model.ToByteArray();
    }

    static byte[] Opset(long version, string domain = "")
    {
        ModelProto model = Sound;
        model.OpsetImport[0].Version = version;
        model.OpsetImport[0].Domain = domain;
        return model.ToByteArray();
    }

    static byte[] With(Action<ModelProto> change)
    {
        ModelProto model = Sound;
        change(model);
        return model.ToByteArray();
    }

    /// <summary>Name, code, file.</summary>
    public static IReadOnlyList<(string Name, string Code, Func<byte[]> File)> All { get; } =
    [
        ("empty file", "V050", () => []),
        ("text", "V050", () => "this is not a network, but a letter"u8.ToArray()),
        ("zip", "V050", () => [0x50, 0x4b, 3, 4, 20, 0, 0, 0, 8, 0]),
        ("cut in half", "V050", () => Sound.ToByteArray()[..20_000]),
        ("no graph", "V050", () => With(model => model.Graph = null)),
        ("a length beyond the end", "V050", () => [0x3a, 0xff, 0xff, 0xff, 0xff, 0x0f, 1, 2, 3]),
        ("a number without end", "V050", () => [8, .. Enumerable.Repeat((byte)0xff, 40)]),
        ("groups of the old wire format", "V050", () => [0x3b, 0x3b, 0x3b, 0x3c, 0x3c, 0x3c]),
        ("graphs nested 5,000 deep", "V055", () => Nested(4998)),
        ("millions of empty nodes", "V051", () => Field(7, [.. Enumerable.Repeat(new byte[] { 0x0a, 0 }, 2_100_000).SelectMany(node => node)])),
        ("more nodes than any network", "V051", () => Bytes(graph => graph.Node.AddRange(Enumerable.Range(0, 20_001).Select(i => new NodeProto { OpType = "Relu", Input = { "data_0" }, Output = { $"r{i}" } })))),
        ("external data", "V052", () => External("weights.bin", flagged: true)),
        ("external data in a parent folder", "V052", () => External("../../local.settings.json", flagged: true)),
        ("external data at an absolute path", "V052", () => External("/etc/passwd", flagged: true)),
        ("external data without the flag", "V052", () => External("weights.bin", flagged: false)),
        ("external data in an attribute", "V052", () => WithNode("Constant", [], new AttributeProto { Name = "value", Type = Type.Tensor, T = new TensorProto
            { DataType = 1, Dims = { 4 }, DataLocation = TensorProto.Types.DataLocation.External, ExternalData = { new StringStringEntryProto { Key = "location", Value = "x" } } } }).ToByteArray()),
        ("operator set 6", "V053", () => Opset(6)),
        ("operator set of the future", "V053", () => Opset(99)),
        ("negative operator set", "V053", () => Opset(-7)),
        ("no operator set of ONNX", "V053", () => Opset(1, "com.evil")),
        ("two operator sets of ONNX", "V053", () => With(model => model.OpsetImport.Add(new OperatorSetIdProto { Version = 17 }))),
        ("file format of the future", "V053", () => With(model => model.IrVersion = 99)),
        ("unknown operator", "V054", () => WithNode("Evil", ["data_0"]).ToByteArray()),
        ("operator of another domain", "V054", () => Bytes(graph => graph.Node[0].Domain = "com.evil")),
        ("operator of the runtime's own domain", "V054", () => Bytes(graph => (graph.Node[0].OpType, graph.Node[0].Domain) = ("FusedConv", "com.microsoft"))),
        ("a loop without end", "V054", () => WithNode("Loop", ["data_0"], new AttributeProto { Name = "body", Type = Type.Graph, G = new GraphProto() }).ToByteArray()),
        ("an operator that prints", "V054", () => WithNode("StringNormalizer", ["data_0"]).ToByteArray()),
        ("randomness", "V054", () => WithNode("RandomNormal", []).ToByteArray()),
        ("a graph in an attribute of an allowed operator", "V055", () => WithNode("Relu", ["data_0"], new AttributeProto { Name = "then_branch", Type = Type.Graph, G = new GraphProto() }).ToByteArray()),
        ("a graph hidden under another type", "V055", () => WithNode("Softmax", ["data_0"], new AttributeProto { Name = "axis", Type = Type.Int, G = new GraphProto() }).ToByteArray()),
        ("a sparse tensor in an attribute", "V055", () => WithNode("Softmax", ["data_0"], new AttributeProto { Name = "axis", Type = Type.Int, SparseTensor = ByteString.CopyFrom(1) }).ToByteArray()),
        ("functions", "V055", () => With(model => model.Functions.Add(ByteString.Empty))),
        ("an overloaded function", "V055", () => Bytes(graph => graph.Node[0].Overload = "mine")),
        ("a training graph", "V055", () => With(model => model.TrainingInfo.Add(ByteString.Empty))),
        ("sparse constants", "V055", () => Bytes(graph => graph.SparseInitializer.Add(ByteString.Empty))),
        ("a sequence as input", "V055", () => Bytes(graph => graph.Input[0].Type = new TypeProto { SequenceType = ByteString.Empty })),
        ("a map as output", "V055", () => Bytes(graph => graph.Output[0].Type = new TypeProto { MapType = ByteString.Empty })),
        ("dropout in training mode", "V055", () =>
        {
            ModelProto model = WithNode("Dropout", ["data_0", "", "on"]);
            model.OpsetImport[0].Version = 13;
            model.Graph.Initializer.Add(new TensorProto { Name = "on", DataType = (int)DataType.Bool, Int32Data = { 1 } });
            return model.ToByteArray();
        }),
        ("batch normalisation in training mode", "V055", () => WithNode("BatchNormalization", ["data_0", "data_0", "data_0", "data_0", "data_0"], OnnxGraphWriter.Int("training_mode", 1)).ToByteArray()),
        ("a cycle", "V056", () => Bytes(graph => graph.Node[0].Input[0] = graph.Output[0].Name)),
        ("a node that feeds itself", "V056", () => WithNode("Relu", ["evil"]).ToByteArray()),
        ("an input that nothing makes", "V056", () => Bytes(graph => graph.Node[3].Input[0] = "nowhere")),
        ("an output that nothing makes", "V056", () => Bytes(graph => graph.Output[0].Name = "nowhere")),
        ("no output", "V056", () => Bytes(graph => graph.Output.Clear())),
        ("one output twice", "V056", () => Bytes(graph => graph.Output.Add(graph.Output[0].Clone()))),
        ("one name twice", "V056", () => Bytes(graph => graph.Node[1].Output[0] = graph.Node[0].Output[0])),
        ("one constant twice", "V056", () => Bytes(graph => graph.Initializer.Add(graph.Initializer[0].Clone()))),
        ("a node that overwrites a constant", "V056", () => Bytes(graph => graph.Node[1].Output[0] = graph.Initializer[0].Name)),
        ("a name of 5,000 characters", "V056", () => Bytes(graph => graph.Node[^1].Output[0] = graph.Output[0].Name = new string('x', 5000))),
        ("a name with an escape sequence", "V056", () => Bytes(graph => graph.Node[^1].Output[0] = graph.Output[0].Name = "\u001b[2J")),
        ("an unknown attribute", "V056", () => WithNode("Relu", ["data_0"], OnnxGraphWriter.Int("evil", 1)).ToByteArray()),
        ("an attribute of another type", "V056", () => WithNode("Softmax", ["data_0"], NetworkBuilder.Float("axis", 1)).ToByteArray()),
        ("an attribute twice", "V056", () => WithNode("Softmax", ["data_0"], OnnxGraphWriter.Int("axis", 1), OnnxGraphWriter.Int("axis", 2)).ToByteArray()),
        ("an attribute that is not finite", "V056", () => WithNode("LeakyRelu", ["data_0"], NetworkBuilder.Float("alpha", float.NaN)).ToByteArray()),
        ("an endless attribute", "V056", () => WithNode("Transpose", ["data_0"], OnnxGraphWriter.Ints("perm", new long[100])).ToByteArray()),
        ("an input too many", "V056", () => WithNode("Relu", ["data_0", "data_0"]).ToByteArray()),
        ("an input too few", "V056", () => WithNode("Add", ["data_0"]).ToByteArray()),
        ("an empty name among the inputs", "V056", () => WithNode("Add", ["", "data_0"]).ToByteArray()),
        ("an output too many", "V056", () => Bytes(graph => graph.Node[1].Output.Add("more"))),
        ("an operator before its time", "V056", () => WithNode("Gelu", ["data_0"]).ToByteArray()),
        ("pixels added to whole numbers", "V058", () =>
        {
            ModelProto model = WithNode("Add", ["data_0", "n"]);
            AddInts(model.Graph, "n", 1);
            return model.ToByteArray();
        }),
        ("constant too short", "V057", () => Bytes(graph => Weight(graph).RawData = ByteString.CopyFrom(Weight(graph).RawData.ToByteArray()[4..]))),
        ("constant too long", "V057", () => Bytes(graph => Weight(graph).RawData = ByteString.CopyFrom([.. Weight(graph).RawData.ToByteArray(), 0, 0, 0, 0]))),
        ("constant of NaN", "V057", () => Bytes(graph => Weight(graph).RawData = ByteString.CopyFrom([0, 0, 0xc0, 0x7f, .. Weight(graph).RawData.ToByteArray()[4..]]))),
        ("constant of infinity", "V057", () => Bytes(graph => Weight(graph).RawData = ByteString.CopyFrom([0, 0, 0x80, 0xff, .. Weight(graph).RawData.ToByteArray()[4..]]))),
        ("constant of text", "V057", () => Bytes(graph => (Weight(graph).DataType, Weight(graph).RawData) = ((int)DataType.String, ByteString.Empty))),
        ("constant of an unknown type", "V057", () => Bytes(graph => Weight(graph).DataType = 77)),
        ("constant of a size that lies", "V057", () => Bytes(graph => Weight(graph).Dims[0] = 1L << 40)),
        ("constant of a negative size", "V057", () => Bytes(graph => Weight(graph).Dims[0] = -2)),
        ("constant whose sizes overflow to the right number", "V057", () => Bytes(graph => Weight(graph).Dims.AddRange([1L << 32, 1L << 32]))),
        ("constant in two fields", "V057", () => Bytes(graph => Weight(graph).FloatData.Add(1))),
        ("constant in pieces", "V057", () => Bytes(graph => Weight(graph).Segment = ByteString.CopyFrom(8, 1))),
        ("constant of 40 dimensions", "V057", () => Bytes(graph => Weight(graph).Dims.AddRange(Enumerable.Repeat(1L, 40)))),
        ("weights that do not fit", "V058", () => Bytes(graph => (Weight(graph).Dims[0], Weight(graph).Dims[1]) = (Weight(graph).Dims[1], Weight(graph).Dims[0]))),
        ("a reshape to what is not there", "V058", () => Shaped("Reshape", 7, 7).ToByteArray()),
        ("a reshape whose sizes overflow", "V058", () => Shaped("Reshape", 1L << 62, 1L << 62, -1).ToByteArray()),
        ("a reshape to two open sizes", "V058", () => Shaped("Reshape", -1, -1).ToByteArray()),
        ("a shape that depends on pixels", "V058", () =>
        {
            ModelProto model = WithNode("Reshape", ["data_0", "index"]);
            model.Graph.Node.Insert(model.Graph.Node.Count - 1, new NodeProto { OpType = "Cast", Input = { "data_0" }, Output = { "index" }, Attribute = { OnnxGraphWriter.Int("to", 7) } });
            return model.ToByteArray();
        }),
        ("75-byte bomb", "V060", Bomb),
        ("a bomb of ConstantOfShape beside a network", "V058", () =>
        {
            ModelProto model = WithNode("ConstantOfShape", ["n"]);
            model.OpsetImport[0].Version = 9;
            AddInts(model.Graph, "n", 3_000_000_000);
            return model.ToByteArray();
        }),
        ("negative padding beyond the picture", "V058", () =>
        {
            ModelProto model = WithNode("Pad", ["data_0"], OnnxGraphWriter.Ints("pads", 0, 0, -40, 0, 0, 0, -40, 0));
            return model.ToByteArray();
        }),
        ("a window of stride 0", "V058", () => WithNode("MaxPool", ["data_0"], OnnxGraphWriter.Ints("kernel_shape", 2, 2), OnnxGraphWriter.Ints("strides", 0, 0)).ToByteArray()),
        ("a window larger than the picture", "V058", () => WithNode("MaxPool", ["data_0"], OnnxGraphWriter.Ints("kernel_shape", 200, 200)).ToByteArray()),
        ("a dilation that overflows", "V058", () => WithNode("MaxPool", ["data_0"], OnnxGraphWriter.Ints("kernel_shape", 2, 2), OnnxGraphWriter.Ints("dilations", long.MaxValue, long.MaxValue)).ToByteArray()),
        ("slices backwards without end", "V058", () => WithNode("Slice", ["data_0"], OnnxGraphWriter.Ints("starts", long.MaxValue), OnnxGraphWriter.Ints("ends", long.MinValue), OnnxGraphWriter.Ints("axes", 3)).ToByteArray()),
        ("an axis that is not there", "V058", () => WithNode("Softmax", ["data_0"], OnnxGraphWriter.Int("axis", long.MinValue)) is var model && model.Graph.Node[^1].OpType == "Softmax"
            ? WithNode("Concat", ["data_0"], OnnxGraphWriter.Int("axis", long.MinValue)).ToByteArray() : []),
        ("expanded to the size of a disk", "V059", () =>
        {
            ModelProto model = Shaped("Expand", 30_000, 3, 48, 48);
            model.OpsetImport[0].Version = 8;
            return model.ToByteArray();
        }),
        ("doubled 40 times", "V059", Doubling),
        ("padded to a picture of 64 million pixels", "V059", () => WithNode("Pad", ["data_0"], OnnxGraphWriter.Ints("pads", 0, 0, 4096, 4096, 0, 0, 4096, 4096)).ToByteArray()),
        ("a matrix product of 10¹⁴ multiplications", "V059", () =>
        {
            ModelProto model = WithNode("MatMul", ["long", "turned"]);
            AddInts(model.Graph, "shape", 1, 1, 1, 6912);
            AddInts(model.Graph, "wide", 1, 1, 4000, 6912);
            model.OpsetImport[0].Version = 8;
            model.Graph.Node.Insert(model.Graph.Node.Count - 1, new NodeProto { OpType = "Reshape", Input = { "data_0", "shape" }, Output = { "flat" } });
            model.Graph.Node.Insert(model.Graph.Node.Count - 1, new NodeProto { OpType = "Expand", Input = { "flat", "wide" }, Output = { "long" } });
            model.Graph.Node.Insert(model.Graph.Node.Count - 1, new NodeProto { OpType = "Transpose", Input = { "long" }, Output = { "turned" }, Attribute = { OnnxGraphWriter.Ints("perm", 0, 1, 3, 2) } });
            for (int i = 0; i < 12; i++)
                model.Graph.Node.Add(new NodeProto { OpType = "MatMul", Input = { i == 0 ? "evil" : $"m{i - 1}", i == 0 ? "long" : i % 2 == 1 ? "turned" : "long" }, Output = { $"m{i}" } });
            model.Graph.Output[0].Name = "m11";
            return model.ToByteArray();
        }),
        ("two pictures as input", "V060", () => Bytes(graph => graph.Input.Add(new ValueInfoProto { Name = "other", Type = graph.Input[0].Type.Clone() }))),
        ("no input", "V060", () => Bytes(graph => graph.Input.Clear())),
        ("an input without a shape", "V060", () => Bytes(graph => graph.Input[0].Type.TensorType.Shape = null)),
        ("an input of words", "V060", () => Bytes(graph => graph.Input[0].Type.TensorType.ElemType = (int)DataType.Int64)),
        ("an input of a million pixels a side", "V060", () => Bytes(graph => (graph.Input[0].Type.TensorType.Shape.Dim[2].DimValue, graph.Input[0].Type.TensorType.Shape.Dim[3].DimValue) = (1_000_000, 1_000_000))),
        ("an input of seven channels", "V060", () => Bytes(graph => graph.Input[0].Type.TensorType.Shape.Dim[1].DimValue = 7)),
        ("an input of 60 dimensions", "V060", () => Bytes(graph => graph.Input[0].Type.TensorType.Shape.Dim.AddRange(Enumerable.Range(0, 56).Select(_ => new TensorShapeProto.Types.Dimension { DimValue = 2 })))),
    ];
}
