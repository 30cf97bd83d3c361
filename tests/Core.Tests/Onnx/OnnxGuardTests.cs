using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using Scion.Faults;
using Scion.Heads;
using Scion.Onnx;
using Scion.Tests.Registry;
using Scion.Text;

namespace Scion.Tests.Onnx;

/// <summary>Hostile and damaged graphs: none reaches ONNX Runtime.</summary>
public sealed class OnnxGuardTests
{
    static readonly LinearHead Head = TrainedModel.Head(1);
    static readonly SentenceEncoder Encoder = TrainedModel.Encoder(1, components: 2);

    static ModelProto Own => HeadGraph.Write(Head, 1.5, TrainedModel.Labels);

    static ModelProto Read(byte[] bytes) => OnnxGuard.ReadOwn("head.onnx", bytes, _ => HeadGraph.Layout(Head.Dim, 1.5, TrainedModel.Labels));

    static ModelProto ReadEncoder(byte[] bytes) =>
        OnnxGuard.ReadOwn("encoder.onnx", bytes, graph => TextEncoderGraph.Layout(Encoder.Vocabulary.Count, Encoder.Dim, TextEncoderGraph.RemovedBy(graph, Encoder.Dim)));

    /// <summary>Name of the attack, and what it does to a head that is otherwise ours.</summary>
    static readonly Dictionary<string, Action<ModelProto>> Attacks = new()
    {
        ["external data"] = model =>
        {
            model.Graph.Initializer[0].DataLocation = TensorProto.Types.DataLocation.External;
            model.Graph.Initializer[0].ExternalData.Add(new StringStringEntryProto { Key = "location", Value = "local.settings.json" });
        },
        ["external data without the flag"] = model => model.Graph.Initializer[0].ExternalData.Add(new StringStringEntryProto { Key = "location", Value = "../../etc/passwd" }),
        ["foreign domain"] = model => model.Graph.Node[0].Domain = "com.evil",
        ["unknown operator"] = model => model.Graph.Node[0].OpType = "Evil",
        ["memory bomb"] = model => model.Graph.Node.Add(new NodeProto { OpType = "ConstantOfShape", Input = { "temperature" }, Output = { "bomb" } }),
        ["allowed operator, bomb by broadcasting"] = model => model.Graph.Initializer[2].Dims.AddRange([1, 1, 1]),
        ["control flow"] = model => model.Graph.Node[1].Attribute.Add(new AttributeProto { Name = "then_branch", Type = AttributeProto.Types.AttributeType.Graph, G = new GraphProto { Name = "inner" } }),
        ["nested graphs"] = model => model.Graph.Node[1].Attribute.Add(new AttributeProto { Name = "g", G = Nested(90) }),
        ["tensor in an attribute"] = model => model.Graph.Node[1].Attribute.Add(new AttributeProto { Name = "value", T = new TensorProto { Dims = { 3_000_000_000 } } }),
        ["another node"] = model => model.Graph.Node.Add(model.Graph.Node[2].Clone()),
        ["a node less"] = model => model.Graph.Node.RemoveAt(2),
        ["cycle"] = model => model.Graph.Node[0].Input[0] = "probabilities",
        ["another attribute"] = model => model.Graph.Node[0].Attribute[0].I = 0,
        ["another input"] = model => model.Graph.Input.Add(model.Graph.Input[0].Clone()),
        ["another output"] = model => model.Graph.Output.RemoveAt(0),
        ["dimension lie"] = model => model.Graph.Initializer[0].Dims[1] = 1L << 40,
        ["negative dimension"] = model => model.Graph.Initializer[0].Dims[0] = -2,
        ["overflowing dimensions"] = model => model.Graph.Initializer[0].Dims.AddRange([1L << 32, 1L << 32]),
        ["not a number"] = model => model.Graph.Initializer[0].RawData = ByteString.CopyFrom([0, 0, 0xc0, 0x7f, .. model.Graph.Initializer[0].RawData.ToByteArray()[4..]]),
        ["short data"] = model => model.Graph.Initializer[0].RawData = ByteString.CopyFrom(model.Graph.Initializer[0].RawData.ToByteArray()[4..]),
        ["data in another field"] = model => model.Graph.Initializer[0].FloatData.Add(1),
        ["text tensor"] = model => model.Graph.Initializer[0].DataType = (int)TensorProto.Types.DataType.String,
        ["another temperature"] = model => model.Graph.Initializer[2].RawData = ByteString.CopyFrom(BitConverter.GetBytes(0f)),
        ["renamed constant"] = model => model.Graph.Initializer[0].Name = "other",
        ["another constant"] = model => model.Graph.Initializer.Add(model.Graph.Initializer[0].Clone()),
        ["other labels"] = model => model.MetadataProps[0].Value = "[\"good\",\"bad\"]",
        ["another operator set"] = model => model.OpsetImport[0].Version = 21,
        ["two operator sets"] = model => model.OpsetImport.Add(new OperatorSetIdProto { Domain = "com.microsoft", Version = 1 }),
        ["no graph"] = model => model.Graph = null,
        ["doc string"] = model => model.Graph.DocString = new string('x', 1 << 20),
    };

    public static TheoryData<string> AttackNames => [.. Attacks.Keys];

    static GraphProto Nested(int depth)
    {
        GraphProto graph = new() { Name = "inner" };
        if (depth > 0) graph.Node.Add(new NodeProto { OpType = "If", Attribute = { new AttributeProto { Name = "then_branch", G = Nested(depth - 1) } } });
        return graph;
    }

    [Theory]
    [MemberData(nameof(AttackNames))]
    public void ReadOwn_HostileGraph_IsRefused(string attack)
    {
        ModelProto model = Own;
        Attacks[attack](model);

        InputRejectedException fault = Assert.Throws<InputRejectedException>(() => Read(model.ToByteArray()));

        Assert.Equal("R020", fault.Code);
        Assert.StartsWith("R020: head.onnx is not a graph that Scion wrote: ", fault.Message, StringComparison.Ordinal);
        Assert.InRange(fault.Message.Length, 60, 500);
    }

    [Fact]
    public void ReadOwn_FieldsWeDoNotWrite_AreRefused()
    {
        byte[] function = [.. Own.ToByteArray(), 0xd2, 0x01, 0x00];                     // field 26: device configurations

        InputRejectedException fault = Assert.Throws<InputRejectedException>(() => Read(function));

        Assert.Contains("bytes are fields that Scion does not write", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ReadOwn_CutAnywhere_IsRefused()
    {
        byte[] whole = Own.ToByteArray();
        for (int length = 0; length < whole.Length; length++)
            Assert.Equal("R020", Assert.Throws<InputRejectedException>(() => Read(whole[..length])).Code);
    }

    [Fact]
    public void ReadOwn_DeeplyNestedBytes_AreRefusedWithoutOverflowingTheStack()
    {
        byte[] bytes = [];
        for (int depth = 0; depth < 5000; depth++)                                      // graph { node { attribute { g { node …
            bytes = depth % 3 == 0 ? Field(6, bytes) : depth % 3 == 1 ? Field(5, bytes) : Field(1, bytes);

        Assert.Equal("R020", Assert.Throws<InputRejectedException>(() => Read(Field(7, bytes))).Code);

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
    }

    [Fact]
    public void ReadOwn_EncoderConstantsOfOtherShapes_AreRefused()
    {
        for (int i = 0; i < TextEncoderGraph.Write(Encoder).Graph.Initializer.Count; i++)
        {
            ModelProto model = TextEncoderGraph.Write(Encoder);
            model.Graph.Initializer[i].Dims.Insert(0, 1);

            Assert.Equal("R020", Assert.Throws<InputRejectedException>(() => ReadEncoder(model.ToByteArray())).Code);
        }
    }

    [Fact]
    public void ReadOwn_WhatScionWrites_IsRead()
    {
        Assert.Equal(Own, Read(Own.ToByteArray()));
        Assert.Equal(TextEncoderGraph.Write(Encoder), ReadEncoder(TextEncoderGraph.Write(Encoder).ToByteArray()));
        SentenceEncoder plain = TrainedModel.Encoder(1, components: 0);
        Assert.Equal(TextEncoderGraph.Write(plain), ReadEncoder(TextEncoderGraph.Write(plain).ToByteArray()));
    }

    [Fact]
    public void Write_EqualModels_GiveEqualBytes() =>
        Assert.Equal(TextEncoderGraph.Write(Encoder).ToByteArray(), TextEncoderGraph.Write(TrainedModel.Encoder(1, components: 2)).ToByteArray());

    [Fact]
    public void Join_EncoderAndHead_GivesTheProbabilitiesOfBoth()
    {
        byte[] joined = TextClassifierGraph.Join(TextEncoderGraph.Write(Encoder), Own).ToByteArray();
        using InferenceSession session = new(joined);
        long padding = TextEncoderGraph.PaddingOf(Encoder.Vocabulary.Count);
        long[] ids = [.. Ids("a great film"), padding, padding, .. Ids("the plot was dull and awful")[..5]];
        using OrtValue input = OrtValue.CreateTensorValueFromMemory(ids, [2, 5]);

        using IDisposableReadOnlyCollection<OrtValue> outputs = session.Run(new RunOptions(), ["ids"], [input], ["features", "logits", "probabilities"]);

        float[] features = new float[Encoder.Dim], logits = new float[2];
        string[] texts = ["a great film", "the plot was dull and"];
        for (int row = 0; row < 2; row++)
        {
            Encoder.Encode(texts[row], features);
            Head.Logits(features, logits);
            double positive = 1 / (1 + Math.Exp((logits[0] - logits[1]) / 1.5));
            for (int j = 0; j < Encoder.Dim; j++) Assert.Equal(features[j], outputs[0].GetTensorDataAsSpan<float>()[row * Encoder.Dim + j], 1e-5f);
            for (int c = 0; c < 2; c++) Assert.Equal(logits[c], outputs[1].GetTensorDataAsSpan<float>()[row * 2 + c], 1e-4f);
            Assert.Equal(positive, outputs[2].GetTensorDataAsSpan<float>()[row * 2 + 1], 1e-5);
        }
    }

    static long[] Ids(string text) => [.. Tokenizer.Words(text).Select(word => (long)Encoder.Vocabulary.IdOf(word))];
}
