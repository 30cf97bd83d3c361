using System.Diagnostics;
using System.Text;
using Google.Protobuf;
using Scion.Faults;
using Scion.Onnx;
using Scion.Vision;
using DataType = Scion.Onnx.TensorProto.Types.DataType;

namespace Scion.Tests.Onnx;

public sealed class ForeignGraphTests
{
    public static TheoryData<string> Hostile => [.. HostileNetworks.All.Select(file => file.Name)];

    [Theory]
    [MemberData(nameof(Hostile))]
    public void Make_HostileFile_IsRefusedInTimeWithItsCode(string name)
    {
        (_, string code, Func<byte[]> make) = HostileNetworks.All.First(file => file.Name == name);
        byte[] file = make();
        Stopwatch watch = Stopwatch.StartNew();

        InputRejectedException fault = Assert.Throws<InputRejectedException>(() => ImageEncoders.Make(file, Origins.Of("hostile")));

        Assert.True(fault.Code == code, fault.Message);
        Assert.InRange(watch.ElapsedMilliseconds, 0, 1000);
        Assert.InRange(fault.Message.Length, 40, 600);
        Assert.DoesNotContain(fault.Message, char.IsControl);
    }

    [Fact]
    public void HostileFiles_OfEveryKind_AreManyAndDistinct()
    {
        Assert.True(HostileNetworks.All.Count >= 90, $"{HostileNetworks.All.Count} files");
        Assert.Equal(HostileNetworks.All.Count, HostileNetworks.All.Select(file => file.Name).Distinct().Count());
        Assert.Equal(["V050", "V051", "V052", "V053", "V054", "V055", "V056", "V057", "V058", "V059", "V060"], HostileNetworks.All.Select(file => file.Code).Distinct().Order());
    }

    [Fact]
    public void Read_UnknownOperator_SaysWhichNode()
    {
        ModelProto model = PublishedNetworks.SqueezeNet();
        model.Graph.Node[5].OpType = "NonMaxSuppression";

        InputRejectedException fault = Assert.Throws<InputRejectedException>(() => ForeignGraph.Read("'net.onnx'", model.ToByteArray()));

        Assert.Equal("V054: Node 5 of 'net.onnx' is 'NonMaxSuppression', which is not on the list of operators that are run. Use a plain feed-forward network; the list is in docs/encoders.md.", fault.Message);
    }

    [Fact]
    public void Read_CutAnywhere_IsRefused()
    {
        byte[] whole = PublishedNetworks.SqueezeNet().ToByteArray();
        for (int length = 0; length < whole.Length; length += 97)
            Assert.InRange(Assert.Throws<InputRejectedException>(() => ForeignGraph.Read("cut", whole.AsMemory(0, length))).Code, "V050", "V060");
    }

    [Fact]
    public void Read_HugeClaims_AllocatesByTheFileNotByTheClaim()
    {
        byte[] file = HostileNetworks.All.First(hostile => hostile.Name == "millions of empty nodes").File();
        long before = GC.GetAllocatedBytesForCurrentThread();

        Assert.Throws<InputRejectedException>(() => ForeignGraph.Read("bomb", file));

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Fact]
    public void Read_ConstantsInTypedFields_AreTheSameAsInBytes()
    {
        ModelProto raw = PublishedNetworks.SqueezeNet(), typed = raw.Clone();
        foreach (TensorProto constant in typed.Graph.Initializer)
        {
            constant.Int32Data.AddRange(System.Runtime.InteropServices.MemoryMarshal.Cast<byte, ushort>(constant.RawData.Span).ToArray().Select(half => (int)half));
            constant.RawData = ByteString.Empty;
        }

        Assert.Equal(ForeignGraph.Read("raw", raw.ToByteArray()), ForeignGraph.Read("typed", typed.ToByteArray()));
    }

    [Fact]
    public void Read_WhatIsNotNeeded_IsLeftOut()
    {
        ModelProto model = PublishedNetworks.SqueezeNet();
        model.Graph.Node.Add(new NodeProto { OpType = "Relu", Input = { "data_0" }, Output = { "unused" }, DocString = new string('x', 10_000) });
        model.Graph.ValueInfo.Add(new ValueInfoProto { Name = "a lie", Type = new TypeProto { SequenceType = ByteString.Empty } });
        model.DocString = "someone's model.py";
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "ai.onnx.ml", Version = 2 });

        ModelProto read = ForeignGraph.Read("net", model.ToByteArray());

        Assert.Equal(ForeignGraph.Read("net", PublishedNetworks.SqueezeNet().ToByteArray()), read);
        Assert.Equal([], read.Graph.Node.First(node => node.OpType == "Dropout").Output.Skip(1));
        Assert.Single(read.Graph.Input);
        Assert.DoesNotContain("someone", Encoding.UTF8.GetString(read.ToByteArray()), StringComparison.Ordinal);
        Assert.Equal((int)DataType.Float16, read.Graph.Input[0].Type.TensorType.ElemType);
    }

    [Fact]
    public void Operators_OnTheList_StandInTheDocument()
    {
        string root = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(ThisFile())!, "..", "..", ".."));
        string document = File.ReadAllText(Path.Combine(root, "docs", "encoders.md"));

        string[] listed = [.. document.Split("<!-- operators -->")[1].Split((char[])[' ', '\n', ',', '.'], StringSplitOptions.RemoveEmptyEntries)];
        string[] ofText = [.. document.Split("<!-- text operators -->")[1].Split((char[])[' ', '\n', ',', '.'], StringSplitOptions.RemoveEmptyEntries)];

        Assert.Equal(OperatorRule.Known.Keys.Order(StringComparer.Ordinal), listed.Order(StringComparer.Ordinal));
        Assert.Equal(OperatorRule.KnownOfText.Keys.Except(OperatorRule.Known.Keys).Order(StringComparer.Ordinal), ofText.Order(StringComparer.Ordinal));

        static string ThisFile([System.Runtime.CompilerServices.CallerFilePath] string path = "") => path;
    }
}
