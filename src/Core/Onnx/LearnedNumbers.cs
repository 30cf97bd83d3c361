using System.Numerics;

namespace Scion.Onnx;

/// <summary>Which constants of a network were learned, and which of them each tensor depends on.</summary>
/// <remarks>Counted: weights and biases of convolutions and matrix products, scales and shifts of normalisations (not their running statistics, which
/// are no parameters), slopes, embeddings. Not counted: single numbers, shapes, and what stands before the first weights, which is preprocessing.</remarks>
sealed class LearnedNumbers
{
    readonly Dictionary<string, ulong[]> behind = new(StringComparer.Ordinal);
    readonly Dictionary<string, int> indices = new(StringComparer.Ordinal);
    readonly long[] lengths;
    readonly int words;

    public LearnedNumbers(GraphProto graph, GraphShapes shapes)
    {
        foreach (TensorProto constant in graph.Initializer)
            if (shapes[constant.Name] is { IsFloat: true }) indices.Add(constant.Name, indices.Count);
        lengths = [.. indices.Keys.Select(name => shapes[name].Elements)];
        words = (indices.Count + 63) / 64;
        foreach (NodeProto node in graph.Node) Follow(node, shapes);
    }

    void Follow(NodeProto node, GraphShapes shapes)
    {
        bool fromPixels = shapes[node.Output[0]].FromPixels;
        ulong[] set = new ulong[words];
        foreach (string input in node.Input.Where(name => name.Length > 0 && shapes[name].FromPixels))
            if (behind.TryGetValue(input, out ulong[]? before)) Add(set, before);
        bool begun = set.Any(word => word != 0);
        for (int i = 0; i < node.Input.Count; i++)
        {
            if (node.InputAt(i) is not { } input || shapes[input] is not { FromPixels: false, IsFloat: true } constant) continue;
            if (fromPixels && !IsLearned(node, i, constant.Elements, begun)) continue;
            if (indices.TryGetValue(input, out int index)) set[index / 64] |= 1UL << (index % 64);
            else if (behind.TryGetValue(input, out ulong[]? before)) Add(set, before);
        }
        foreach (string output in node.Output) behind[output] = set;
    }

    /// <summary>True when the constant input of a node that sees pixels was learned.</summary>
    public static bool IsLearned(NodeProto node, int input, long elements, bool begun) => node.OpType switch
    {
        "Conv" or "Gemm" or "MatMul" or "PRelu" => true,
        "BatchNormalization" or "LayerNormalization" or "InstanceNormalization" or "GroupNormalization" => input is 1 or 2,
        "Add" or "Sub" or "Mul" or "Div" or "Concat" or "Sum" => begun && elements > 1,
        _ => false,
    };

    /// <summary>Numbers learned that a tensor depends on.</summary>
    public long Behind(string tensor) => behind.TryGetValue(tensor, out ulong[]? set) ? Count(set) : 0;

    /// <summary>Numbers learned that any of several tensors depends on.</summary>
    public long BehindAny(IEnumerable<string> tensors)
    {
        ulong[] all = new ulong[words];
        foreach (string tensor in tensors)
            if (behind.TryGetValue(tensor, out ulong[]? set)) Add(all, set);
        return Count(all);
    }

    long Count(ulong[] set)
    {
        long sum = 0;
        for (int w = 0; w < set.Length; w++)
            for (ulong rest = set[w]; rest != 0; rest &= rest - 1) sum += lengths[w * 64 + BitOperations.TrailingZeroCount(rest)];
        return sum;
    }

    static void Add(ulong[] set, ulong[] other)
    {
        for (int i = 0; i < set.Length; i++) set[i] |= other[i];
    }
}
