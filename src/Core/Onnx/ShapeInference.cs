using System.Runtime.InteropServices;
using DataType = Scion.Onnx.TensorProto.Types.DataType;

namespace Scion.Onnx;

/// <summary>Works out every shape of a graph before it runs, and refuses what would need too much memory or time.</summary>
/// <remarks>Only the number of pictures may stay open. Whole numbers that come from shapes are computed along (Shape → Gather → Concat →
/// Reshape, as exporters write it). Tests compare the result with what ONNX Runtime computes.</remarks>
public static class ShapeInference
{
    public const int MaxRank = 8;

    /// <summary>Most elements of one tensor, per picture: 128 MiB in float32.</summary>
    public const long MaxElements = 32 << 20;

    /// <summary>Most elements that all nodes make together, per picture. ResNet-152 at 224 makes 60 million.</summary>
    public const long MaxActivations = 1L << 30;

    /// <summary>Most multiplications per picture. VGG-16 at 224 has 15 billion, ViT-L 60.</summary>
    public const long MaxMultiplyAdds = 400_000_000_000;

    /// <summary>Whole-number tensors up to this size are computed along.</summary>
    internal const int MaxValues = 1024;

    /// <param name="what">Name of the file, for messages.</param>
    /// <param name="model">A graph that <see cref="ForeignGraph.Read"/> returned or one built of the same operators. Its input has fixed sizes, but for
    /// the first, which may be open: then it grows with the batch.</param>
    /// <exception cref="Faults.InputRejectedException">A shape cannot be worked out or contradicts another (V058), or the whole is too costly (V059).</exception>
    public static GraphShapes Of(string what, ModelProto model) => Of(what, model, null);

    /// <summary>As <see cref="Of(string, ModelProto)"/>, of a sentence network: each input is [batch, length].</summary>
    /// <param name="what">Name of the file, for messages.</param>
    /// <param name="model">A graph that <see cref="ForeignGraph.ReadSentenceNetwork"/> returned or one built of the same operators.</param>
    /// <param name="length">Tokens of a text.</param>
    /// <exception cref="Faults.InputRejectedException">As there.</exception>
    public static GraphShapes OfLength(string what, ModelProto model, int length) => Of(what, model, (long?)length);

    static GraphShapes Of(string what, ModelProto model, long? length)
    {
        Dictionary<string, GraphTensor> known = Given(what, model, length);
        ShapeRules rules = new(what, ForeignGraph.OpsetOf(model), known, tokens: length is not null);
        (long activations, long multiplyAdds) = (0, 0);
        foreach (NodeProto node in model.Graph.Node)
        {
            foreach (GraphTensor made in rules.Apply(node))
            {
                known.Add(made.Name, made);
                activations += Bounded(what, made);
            }
            multiplyAdds += rules.MultiplyAddsOf(node);
            if (activations > MaxActivations) throw EncoderFaults.TooCostly(what, $"its nodes make over {MaxActivations:n0} numbers per picture");
            if (multiplyAdds is < 0 or > MaxMultiplyAdds) throw EncoderFaults.TooCostly(what, $"over {MaxMultiplyAdds:n0} multiplications per picture");
        }
        return new GraphShapes(known, activations, multiplyAdds);
    }

    /// <summary>What is known before the first node: constants and the input.</summary>
    internal static Dictionary<string, GraphTensor> Given(string what, ModelProto model, long? length = null)
    {
        Dictionary<string, GraphTensor> known = new(StringComparer.Ordinal);
        foreach (TensorProto constant in model.Graph.Initializer) known.Add(constant.Name, OfConstant(constant));
        if (length is { } tokens)
            foreach (ValueInfoProto ids in model.Graph.Input) known.Add(ids.Name, new GraphTensor(ids.Name, (DataType)ids.Type.TensorType.ElemType, [Size.Batch, tokens], null, 1, FromPixels: true));
        else if (model.Graph.Input.Single() is { } input) known.Add(input.Name, OfInput(what, input));
        return known;
    }

    static long Bounded(string what, GraphTensor tensor)
    {
        long product = 1;
        foreach (Size size in tensor.Sizes)
        {
            if (size.Value < 1) throw EncoderFaults.BadShape(what, tensor.Name, $"the shape {tensor} is empty or negative");
            if (size.Value > MaxElements / product) throw EncoderFaults.TooCostly(what, $"'{EncoderFaults.Shown(tensor.Name)}' has the shape {tensor}; at most {MaxElements:n0} elements are allowed");
            product *= size.Value;
        }
        if (tensor.Rank > MaxRank) throw EncoderFaults.BadShape(what, tensor.Name, $"there are {tensor.Rank} dimensions; at most {MaxRank} are allowed");
        return tensor.Sizes.Count(size => size.Batched) <= 1 ? product : throw EncoderFaults.BadShape(what, tensor.Name, $"the shape {tensor} grows with the square of the batch");
    }

    static GraphTensor OfInput(string what, ValueInfoProto input)
    {
        TypeProto.Types.Tensor tensor = input.Type.TensorType;
        Size[] sizes = new Size[tensor.Shape.Dim.Count];
        for (int i = 0; i < sizes.Length; i++)
        {
            TensorShapeProto.Types.Dimension size = tensor.Shape.Dim[i];
            bool open = size.ValueCase != TensorShapeProto.Types.Dimension.ValueOneofCase.DimValue;
            sizes[i] = open ? i == 0 ? Size.Batch : throw EncoderFaults.BadShape(what, input.Name, $"the input's size {i} is open") : size.DimValue;
        }
        GraphTensor picture = new(input.Name, (DataType)tensor.ElemType, sizes, null, sizes.Length == 4 && sizes[3].Value == 3 && sizes[1].Value != 3 ? 3 : 1, FromPixels: true);
        Bounded(what, picture);
        return picture;
    }

    internal static GraphTensor OfConstant(TensorProto constant)
    {
        DataType type = (DataType)constant.DataType;
        Size[] sizes = [.. constant.Dims.Select(dim => new Size(dim))];
        ReadOnlySpan<byte> bytes = constant.RawData.Span;
        Size[]? values = bytes.Length > MaxValues * 8 ? null : type switch
        {
            DataType.Int64 => [.. MemoryMarshal.Cast<byte, long>(bytes).ToArray().Select(value => new Size(value))],
            DataType.Int32 => [.. MemoryMarshal.Cast<byte, int>(bytes).ToArray().Select(value => new Size(value))],
            DataType.Bool => [.. bytes.ToArray().Select(value => new Size(value))],
            _ => null,
        };
        return new GraphTensor(constant.Name, type, sizes, values, ChannelAxis: 0, FromPixels: false);
    }
}
