using System.Globalization;
using System.Runtime.InteropServices;
using Google.Protobuf;
using Scion.Onnx;
using Scion.Text;
using DataType = Scion.Onnx.TensorProto.Types.DataType;

namespace Scion.Tests.Onnx;

/// <summary>Writes networks with random weights as exporters write them: names of theirs, constants among the inputs, values as nodes.</summary>
sealed class NetworkBuilder(int opset, int seed = 1)
{
    readonly GraphProto graph = new() { Name = "torch-jit-export" };
    int count;
    Xoshiro random = new(seed, 0);

    /// <summary>Element type of weights.</summary>
    public DataType Type { get; init; } = DataType.Float;

    /// <summary>Until 2019 constants stood among the graph's inputs.</summary>
    public bool ConstantsAreInputs { get; init; }

    public string Input(string name, params string[] shape)
    {
        graph.Input.Add(Value(name, shape));
        return name;
    }

    public string Node(string op, string[] inputs, params AttributeProto[] attributes) => Node(op, inputs, 1, attributes)[0];

    public string[] Node(string op, string[] inputs, int outputs, params AttributeProto[] attributes)
    {
        NodeProto node = new() { OpType = op, Name = $"{op}_{count}" };
        node.Input.AddRange(inputs);
        for (int i = 0; i < outputs; i++) node.Output.Add(string.Create(CultureInfo.InvariantCulture, $"{op.ToLowerInvariant()}{count++}"));
        node.Attribute.AddRange(attributes);
        graph.Node.Add(node);
        return [.. node.Output];
    }

    /// <summary>Even numbers of a spread that keeps signals their size.</summary>
    public string Weights(params long[] shape)
    {
        float[] values = new float[shape.Aggregate(1L, (product, size) => product * size)];
        float widest = (float)Math.Sqrt(6.0 / Math.Max(1, values.Length / shape[0]));
        for (int i = 0; i < values.Length; i++) values[i] = widest * (float)(2 * random.Unit() - 1);
        return Constant(values, shape);
    }

    public string Fill(float value, params long[] shape)
    {
        float[] values = new float[shape.Aggregate(1L, (product, size) => product * size)];
        Array.Fill(values, value);
        return Constant(values, shape);
    }

    public string Constant(float[] values, params long[] shape)
    {
        byte[] bytes = Type == DataType.Float ? MemoryMarshal.AsBytes<float>(values).ToArray() : MemoryMarshal.AsBytes<Half>(values.Select(value => (Half)value).ToArray()).ToArray();
        return Add(new TensorProto { DataType = (int)Type, RawData = ByteString.CopyFrom(bytes), Dims = { shape } });
    }

    public string Ints(params long[] values) => Add(new TensorProto { DataType = (int)DataType.Int64, Int64Data = { values }, Dims = { values.Length } });

    public string Scalar(long value) => Add(new TensorProto { DataType = (int)DataType.Int64, Int64Data = { value } });

    /// <summary>A constant as a node, as PyTorch writes small ones.</summary>
    public string Held(params long[] values) => Node("Constant", [], new AttributeProto
    {
        Name = "value",
        Type = AttributeProto.Types.AttributeType.Tensor,
        T = new TensorProto { DataType = (int)DataType.Int64, Int64Data = { values }, Dims = { values.Length } },
    });

    string Add(TensorProto tensor)
    {
        tensor.Name = string.Create(CultureInfo.InvariantCulture, $"weight{count++}");
        graph.Initializer.Add(tensor);
        if (ConstantsAreInputs) graph.Input.Add(Value(tensor.Name, [.. tensor.Dims.Select(dim => dim.ToString(CultureInfo.InvariantCulture))], (DataType)tensor.DataType));
        return tensor.Name;
    }

    public string Conv(string x, long from, long to, int kernel, int stride = 1, long group = 1, bool bias = false, int? pad = null)
    {
        int padding = pad ?? kernel / 2;
        string[] inputs = [x, Weights(to, from / group, kernel, kernel), .. bias ? [Fill(0.01f, to)] : Array.Empty<string>()];
        return Node("Conv", inputs, OnnxGraphWriter.Ints("kernel_shape", kernel, kernel), OnnxGraphWriter.Ints("strides", stride, stride),
            OnnxGraphWriter.Ints("pads", padding, padding, padding, padding), OnnxGraphWriter.Ints("dilations", 1, 1), OnnxGraphWriter.Int("group", group));
    }

    public string BatchNorm(string x, long channels) =>
        Node("BatchNormalization", [x, Fill(1, channels), Fill(0.01f, channels), Fill(0, channels), Fill(1, channels)], Float("epsilon", 1e-5f), Float("momentum", 0.9f));

    public string Relu(string x) => Node("Relu", [x]);

    public string MaxPool(string x, int kernel, int stride, int pad = 0, int? ceiling = null) => Node("MaxPool", [x],
        [OnnxGraphWriter.Ints("kernel_shape", kernel, kernel), OnnxGraphWriter.Ints("strides", stride, stride), OnnxGraphWriter.Ints("pads", pad, pad, pad, pad),
            .. ceiling is { } mode ? [OnnxGraphWriter.Int("ceil_mode", mode)] : Array.Empty<AttributeProto>()]);

    public string Gemm(string x, long from, long to) => Node("Gemm", [x, Weights(to, from), Fill(0, to)], Float("alpha", 1), Float("beta", 1), OnnxGraphWriter.Int("transB", 1));

    public string Linear(string x, long from, long to) => Node("Add", [Node("MatMul", [x, Weights(from, to)]), Fill(0.01f, to)]);

    public string LayerNorm(string x, long dim)
    {
        if (opset >= 17) return Node("LayerNormalization", [x, Fill(1, dim), Fill(0, dim)], OnnxGraphWriter.Int("axis", -1), Float("epsilon", 1e-6f));
        string centred = Node("Sub", [x, Mean(x)]);
        string deviation = Node("Sqrt", [Node("Add", [Mean(Node("Pow", [centred, Constant([2])])), Constant([1e-6f])])]);
        return Node("Add", [Node("Mul", [Node("Div", [centred, deviation]), Fill(1, dim)]), Fill(0, dim)]);

        string Mean(string of) => Node("ReduceMean", [of], OnnxGraphWriter.Ints("axes", -1), OnnxGraphWriter.Int("keepdims", 1));
    }

    public string Reshape(string x, params long[] shape) => Node("Reshape", [x, Ints(shape)]);

    public string Transpose(string x, params long[] order) => Node("Transpose", [x], OnnxGraphWriter.Ints("perm", order));

    public string Unsqueeze(string x, long axis) => opset < 13 ? Node("Unsqueeze", [x], OnnxGraphWriter.Ints("axes", axis)) : Node("Unsqueeze", [x, Held(axis)]);

    /// <summary>One size of a tensor, as <c>x.size(i)</c> is exported: [1].</summary>
    public string SizeOf(string x, long index) => Unsqueeze(Node("Gather", [Node("Shape", [x]), Scalar(index)], OnnxGraphWriter.Int("axis", 0)), 0);

    public string Concat(long axis, params string[] parts) => Node("Concat", parts, OnnxGraphWriter.Int("axis", axis));

    public static AttributeProto Float(string name, float value) => new() { Name = name, F = value, Type = AttributeProto.Types.AttributeType.Float };

    public ModelProto Build(params string[] outputs)
    {
        foreach (string output in outputs) graph.Output.Add(new ValueInfoProto { Name = output, Type = new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = (int)Type } } });
        return new ModelProto { IrVersion = ConstantsAreInputs ? 3 : opset < 13 ? 6 : 8, ProducerName = "pytorch", Graph = graph, OpsetImport = { new OperatorSetIdProto { Version = opset } } };
    }

    ValueInfoProto Value(string name, string[] shape, DataType? type = null)
    {
        TypeProto.Types.Tensor tensor = new() { ElemType = (int)(type ?? Type), Shape = new TensorShapeProto() };
        foreach (string size in shape)
            tensor.Shape.Dim.Add(long.TryParse(size, out long value) ? new TensorShapeProto.Types.Dimension { DimValue = value } : new TensorShapeProto.Types.Dimension { DimParam = size });
        return new ValueInfoProto { Name = name, Type = new TypeProto { TensorType = tensor } };
    }
}
