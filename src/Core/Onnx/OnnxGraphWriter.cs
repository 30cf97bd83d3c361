using System.Runtime.InteropServices;
using Google.Protobuf;

namespace Scion.Onnx;

/// <summary>Writes an ONNX graph, node by node, in the order it runs. Equal calls give equal bytes.</summary>
/// <param name="name">Name of the graph.</param>
public sealed class OnnxGraphWriter(string name)
{
    /// <summary>Operator set written: 17, read by ONNX Runtime 1.12 of 2022 and everything later.</summary>
    public const int Opset = 17;

    /// <summary>Version of the file format that goes with it.</summary>
    public const int IrVersion = 8;

    readonly GraphProto graph = new() { Name = name };
    readonly SortedDictionary<string, string> metadata = new(StringComparer.Ordinal);

    /// <summary>Nodes written so far.</summary>
    internal IReadOnlyList<NodeProto> Nodes => graph.Node;

    /// <summary>Constants written so far.</summary>
    internal IReadOnlyList<TensorProto> Constants => graph.Initializer;

    /// <param name="name">Name callers bind.</param>
    /// <param name="type">Element type.</param>
    /// <param name="shape">Sizes; a name stands for a size that may differ from run to run.</param>
    public void Input(string name, TensorProto.Types.DataType type, params ReadOnlySpan<string> shape) => graph.Input.Add(Value(name, type, shape));

    /// <inheritdoc cref="Input"/>
    public void Output(string name, TensorProto.Types.DataType type, params ReadOnlySpan<string> shape) => graph.Output.Add(Value(name, type, shape));

    /// <param name="name">Name nodes refer to.</param>
    /// <param name="values">Row-major.</param>
    /// <param name="shape">Sizes; their product is the number of values.</param>
    /// <returns><paramref name="name"/>.</returns>
    public string Constant(string name, ReadOnlySpan<float> values, params ReadOnlySpan<long> shape) =>
        Constant(name, TensorProto.Types.DataType.Float, MemoryMarshal.AsBytes(values), shape);

    /// <inheritdoc cref="Constant(string, ReadOnlySpan{float}, ReadOnlySpan{long})"/>
    public string Constant(string name, ReadOnlySpan<long> values, params ReadOnlySpan<long> shape) =>
        Constant(name, TensorProto.Types.DataType.Int64, MemoryMarshal.AsBytes(values), shape);

    string Constant(string constant, TensorProto.Types.DataType type, ReadOnlySpan<byte> bytes, ReadOnlySpan<long> shape)
    {
        TensorProto tensor = new() { Name = constant, DataType = (int)type, RawData = ByteString.CopyFrom(bytes) };
        tensor.Dims.AddRange(shape.ToArray());
        graph.Initializer.Add(tensor);
        return constant;
    }

    /// <summary>Adds a node with one output.</summary>
    /// <param name="op">Operator of ONNX itself, as "MatMul".</param>
    /// <param name="output">Name of its result.</param>
    /// <param name="inputs">Names of earlier results, inputs or constants.</param>
    /// <param name="attributes">Of the operator.</param>
    /// <returns><paramref name="output"/>.</returns>
    public string Node(string op, string output, ReadOnlySpan<string> inputs, params ReadOnlySpan<AttributeProto> attributes)
    {
        NodeProto node = new() { OpType = op, Name = output };
        node.Input.AddRange(inputs.ToArray());
        node.Output.Add(output);
        node.Attribute.AddRange(attributes.ToArray());
        graph.Node.Add(node);
        return output;
    }

    public static AttributeProto Int(string name, long value) => new() { Name = name, I = value, Type = AttributeProto.Types.AttributeType.Int };

    public static AttributeProto Ints(string name, params ReadOnlySpan<long> values)
    {
        AttributeProto attribute = new() { Name = name, Type = AttributeProto.Types.AttributeType.Ints };
        attribute.Ints.AddRange(values.ToArray());
        return attribute;
    }

    /// <summary>Free text that travels with the graph.</summary>
    public void Metadata(string key, string value) => metadata[key] = value;

    public ModelProto ToModel()
    {
        ModelProto model = new() { IrVersion = IrVersion, ProducerName = "Scion", Graph = graph };
        model.OpsetImport.Add(new OperatorSetIdProto { Version = Opset });
        model.MetadataProps.AddRange(metadata.Select(entry => new StringStringEntryProto { Key = entry.Key, Value = entry.Value }));
        return model;
    }

    static ValueInfoProto Value(string name, TensorProto.Types.DataType type, ReadOnlySpan<string> shape)
    {
        TypeProto.Types.Tensor tensor = new() { ElemType = (int)type, Shape = new TensorShapeProto() };
        foreach (string size in shape)
            tensor.Shape.Dim.Add(long.TryParse(size, out long value)
                ? new TensorShapeProto.Types.Dimension { DimValue = value }
                : new TensorShapeProto.Types.Dimension { DimParam = size });
        return new ValueInfoProto { Name = name, Type = new TypeProto { TensorType = tensor } };
    }
}
