using System.Globalization;
using DataType = Scion.Onnx.TensorProto.Types.DataType;

namespace Scion.Onnx;

/// <summary>A size of a tensor: a number, or a number times the pictures of a batch.</summary>
/// <param name="Value">The number.</param>
/// <param name="Batched">True when it is times the batch. The batch is then the outer part: of index i, picture i ÷ Value.</param>
public readonly record struct Size(long Value, bool Batched = false)
{
    public static implicit operator Size(long value) => new(value);

    public static Size Batch { get; } = new(1, Batched: true);

    public override string ToString() => Batched ? Value == 1 ? "batch" : string.Create(CultureInfo.InvariantCulture, $"{Value}·batch") : Value.ToString(CultureInfo.InvariantCulture);
}

/// <summary>What is known of a tensor before the graph runs.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Element type.</param>
/// <param name="Sizes">Sizes, outermost first.</param>
/// <param name="Values">Values of a small whole-number tensor that does not depend on pixels; null when not known.</param>
/// <param name="ChannelAxis">Axis of the features, for pooling over the others; meaningful when it depends on pixels.</param>
/// <param name="FromPixels">True when it is computed from the picture's values, not only from constants and shapes.</param>
public sealed record GraphTensor(string Name, DataType Type, IReadOnlyList<Size> Sizes, IReadOnlyList<Size>? Values, int ChannelAxis, bool FromPixels)
{
    public int Rank => Sizes.Count;

    /// <summary>Elements per picture: of the whole tensor when no size grows with the batch.</summary>
    public long Elements => Sizes.Aggregate(1L, (product, size) => product * size.Value);

    public bool IsBatched => Sizes.Any(size => size.Batched);

    public bool IsFloat => Type is DataType.Float or DataType.Float16 or DataType.Double;

    public override string ToString() => $"[{string.Join(", ", Sizes)}]";
}

/// <summary>Shapes and costs of a whole graph.</summary>
/// <param name="Tensors">By name: the input, constants, and what nodes make.</param>
/// <param name="Activations">Elements that nodes make, per picture, in all.</param>
/// <param name="MultiplyAdds">Multiplications of convolutions and matrix products, per picture.</param>
public sealed record GraphShapes(IReadOnlyDictionary<string, GraphTensor> Tensors, long Activations, long MultiplyAdds)
{
    public GraphTensor this[string name] => Tensors[name];
}
