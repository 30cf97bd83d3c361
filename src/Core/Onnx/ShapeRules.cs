using System.Runtime.InteropServices;
using DataType = Scion.Onnx.TensorProto.Types.DataType;

namespace Scion.Onnx;

/// <summary>One shape rule for each operator of <see cref="OperatorRule.Known"/>, over all its versions from 7 to 23.</summary>
/// <param name="what">Name of the file, for messages.</param>
/// <param name="opset">Operator set of the graph.</param>
/// <param name="known">Tensors made so far.</param>
/// <param name="tokens">True for a sentence network: what is picked from a table may depend on ids, which changes no shape, and masks are as large as the length's square.</param>
/// <remarks>Source: the operators' specifications at onnx.ai. Arithmetic cannot overflow: sizes of known tensors are below 2²⁵ and attributes are bounded here.</remarks>
sealed class ShapeRules(string what, int opset, IReadOnlyDictionary<string, GraphTensor> known, bool tokens = false)
{
    /// <summary>Largest kernel, stride, padding or dilation.</summary>
    const long MaxStep = 4096;

    /// <summary>Operators whose inputs are all of one element type.</summary>
    static readonly HashSet<string> OfOneType =
        ["Conv", "Gemm", "MatMul", "Add", "Sub", "Mul", "Div", "Sum", "Max", "Min", "Equal", "Greater", "Less", "Concat", "PRelu", "Clip", "And", "Or", "LessOrEqual", "GreaterOrEqual", "Range", "InstanceNormalization", "LayerNormalization"];

    NodeProto node = new();

    /// <summary>What a node makes. Its inputs are known.</summary>
    /// <exception cref="Faults.InputRejectedException">The shape cannot be worked out, or inputs contradict each other (V058).</exception>
    public IReadOnlyList<GraphTensor> Apply(NodeProto next)
    {
        node = next;
        if (OfOneType.Contains(node.OpType) && Inputs().FirstOrDefault(input => input.Type != In(0).Type) is { } other) throw Bad($"'{EncoderFaults.Shown(other.Name)}' is of the type {other.Type}, beside {In(0).Type}");
        switch (node.OpType)
        {
            case "Split": return Split();
            case "Dropout" when node.Output.Count > 1:
                GraphTensor kept = Made(In(0).Sizes);
                return [kept, kept with { Name = node.Output[1], Type = opset < 10 ? kept.Type : DataType.Bool, FromPixels = false }];
            default: return [One()];
        }
    }

    GraphTensor One() => node.OpType switch
    {
        "Conv" => Conv(),
        "MaxPool" or "AveragePool" => Pool(),
        "GlobalAveragePool" or "GlobalMaxPool" => Made([.. Spatial().Sizes.Take(2), .. Enumerable.Repeat(new Size(1), In(0).Rank - 2)], channels: 1),
        "BatchNormalization" or "InstanceNormalization" or "GroupNormalization" => Made(Spatial().Sizes, channels: 1),
        "LRN" => Made(Spatial().Sizes, channels: 1),
        "LayerNormalization" => Made(In(0).Sizes, channels: In(0).Rank - 1),
        "Add" or "Sub" or "Mul" or "Div" => Arithmetic(),
        "Pow" or "Sum" or "Max" or "Min" or "PRelu" => Made(Broadcast([.. Inputs()])),
        "Equal" or "Greater" or "Less" or "And" or "Or" or "LessOrEqual" or "GreaterOrEqual" => Compare(),
        "Not" or "IsNaN" => Made(In(0).Sizes, type: DataType.Bool),
        "Range" => Range(),
        "Tile" => Tile(),
        "Where" => Choose(),
        "Cast" => Cast(),
        "Identity" or "Dropout" or "Clip" => Made(In(0).Sizes, In(0).Values is { } values && node.OpType == "Identity" ? values : null),
        "Concat" => Concat(),
        "ReduceMean" or "ReduceSum" or "ReduceMax" or "ReduceMin" or "ReduceL2" => Reduce(),
        "Gemm" => Gemm(),
        "MatMul" => MatMul(),
        "Flatten" => Flatten(),
        "Reshape" => Reshape(),
        "Transpose" => Transpose(),
        "Squeeze" or "Unsqueeze" => Squeeze(),
        "Shape" => Shape(),
        "Gather" => Gather(),
        "Slice" => Slice(),
        "ConstantOfShape" => ConstantOfShape(),
        "Expand" => Expand(),
        "Pad" => Pad(),
        "DepthToSpace" or "SpaceToDepth" => Blocks(),
        _ => Made(In(0).Sizes),                                       // one input, element by element
    };

    /// <summary>Multiplications of a node whose output is known.</summary>
    public long MultiplyAddsOf(NodeProto made)
    {
        GraphTensor result = known[made.Output[0]];
        long each = made.OpType switch
        {
            "Conv" => known[made.Input[1]].Elements / Math.Max(1, known[made.Input[1]].Sizes[0].Value),
            "Gemm" => known[made.Input[0]].Sizes[made.IntOf("transA", 0) != 0 ? 0 : 1].Value,
            "MatMul" => known[made.Input[0]].Sizes[^1].Value,
            _ => 0,
        };
        return Math.BigMul(result.Elements, each, out long low) == 0 && low >= 0 ? low : long.MaxValue / 2;
    }

    GraphTensor In(int index) => node.InputAt(index) is { } name ? known[name] : throw Bad($"input {index} is left out");

    IEnumerable<GraphTensor> Inputs() => node.Input.Where(name => name.Length > 0).Select(name => known[name]);

    GraphTensor Made(IReadOnlyList<Size> sizes, IReadOnlyList<Size>? values = null, int? channels = null, DataType? type = null)
    {
        GraphTensor? leading = Inputs().FirstOrDefault(input => input.FromPixels);
        int axis = channels ?? (leading is null ? 0 : leading.ChannelAxis + sizes.Count - leading.Rank);
        return new GraphTensor(node.Output[0], type ?? In(0).Type, sizes, values, Math.Clamp(axis, 0, Math.Max(0, sizes.Count - 1)), leading is not null);
    }

    Faults.InputRejectedException Bad(string fact) => EncoderFaults.BadShape(what, node.Output[0], $"{node.OpType}: {fact}");

    int Axis(long axis, int rank) => axis >= -rank && axis < rank ? (int)(axis < 0 ? axis + rank : axis) : throw Bad($"axis {axis} of {rank} dimensions");

    static long Product(IEnumerable<Size> sizes) => sizes.Aggregate(1L, (product, size) => product * size.Value);

    GraphTensor Spatial() => In(0) is { Rank: 3 or 4 } x || (x = In(0)).Rank == 2 && node.OpType == "BatchNormalization" ? x : throw Bad($"the shape {In(0)} is not that of a picture");

    IReadOnlyList<Size> ValuesOf(int index) => In(index) is { Values: { } values, Rank: <= 1 } ? values : throw Bad($"'{EncoderFaults.Shown(node.Input[index])}' depends on more than sizes");

    IReadOnlyList<long> PlainOf(int index) => [.. ValuesOf(index).Select(size => size.Batched ? throw Bad("a position depends on the batch") : size.Value)];

    IReadOnlyList<long>? AxesOf(int index, string attribute) => node.InputAt(index) is not null ? PlainOf(index) : node.IntsOf(attribute);

    Size[] Broadcast(params ReadOnlySpan<GraphTensor> tensors)
    {
        int rank = 0;
        foreach (GraphTensor tensor in tensors) rank = Math.Max(rank, tensor.Rank);
        Size[] sizes = new Size[rank];
        Array.Fill(sizes, 1);
        foreach (GraphTensor tensor in tensors)
        {
            for (int i = 0; i < tensor.Rank; i++)
            {
                ref Size size = ref sizes[rank - tensor.Rank + i];
                if (size == new Size(1)) size = tensor.Sizes[i];
                else if (tensor.Sizes[i] != size && tensor.Sizes[i] != new Size(1)) throw Bad($"the shapes {tensors[0]} and {tensor} do not fit");
            }
        }
        return sizes;
    }

    (long[] Kernel, long[] Strides, long[] Pads, long[] Dilations) Window(IReadOnlyList<long> kernel, int spatial)
    {
        long[] Of(string name, int count, long otherwise)
        {
            IReadOnlyList<long> values = node.IntsOf(name) ?? [.. Enumerable.Repeat(otherwise, count)];
            if (values.Count != count) throw Bad($"{name} has {values.Count} numbers; {count} are expected");
            return values.All(value => value >= (name == "pads" ? 0 : 1) && value <= MaxStep) ? [.. values] : throw Bad($"{name} is [{string.Join(", ", values)}]; up to {MaxStep} is allowed");
        }
        if (kernel.Count != spatial || kernel.Any(size => size is < 1 or > MaxStep)) throw Bad($"the kernel is [{string.Join(", ", kernel)}]");
        return ([.. kernel], Of("strides", spatial, 1), Of("pads", 2 * spatial, 0), Of("dilations", spatial, 1));
    }

    Size[] Slid(IReadOnlyList<Size> sizes, (long[] Kernel, long[] Strides, long[] Pads, long[] Dilations) window, bool ceiling)
    {
        string auto = node.TextOf("auto_pad", "NOTSET");
        Size[] slid = new Size[window.Kernel.Length];
        for (int i = 0; i < slid.Length; i++)
        {
            (long size, long stride, long reach) = (sizes[2 + i].Value, window.Strides[i], (window.Kernel[i] - 1) * window.Dilations[i] + 1);
            if (sizes[2 + i].Batched) throw Bad("height or width depends on the batch");
            long padded = size + (auto == "NOTSET" ? window.Pads[i] + window.Pads[slid.Length + i] : 0);
            if (auto is "SAME_UPPER" or "SAME_LOWER") slid[i] = (size + stride - 1) / stride;
            else if (auto is "NOTSET" or "VALID")
            {
                if (padded < reach) throw Bad($"a window of {reach} does not fit into {padded}");
                long steps = ceiling ? (padded - reach + stride - 1) / stride : (padded - reach) / stride;
                if (ceiling && steps * stride >= size + (auto == "NOTSET" ? window.Pads[i] : 0)) steps--;        // a window may not begin beyond the picture
                slid[i] = steps + 1;
            }
            else throw Bad($"auto_pad is '{EncoderFaults.Shown(auto)}'");
        }
        return slid;
    }

    GraphTensor Conv()
    {
        (GraphTensor x, GraphTensor w) = (Spatial(), In(1));
        if (w.Rank != x.Rank || w.IsBatched) throw Bad($"weights {w} on {x}");
        long group = node.IntOf("group", 1);
        if (group < 1 || x.Sizes[1].Batched || group > w.Sizes[0].Value || w.Sizes[0].Value % group != 0 || w.Sizes[1].Value * group != x.Sizes[1].Value) throw Bad($"weights {w} in {group} groups on {x}");
        if (node.InputAt(2) is not null && (In(2).Rank != 1 || In(2).Sizes[0] != w.Sizes[0])) throw Bad($"bias {In(2)} for weights {w}");
        long[] kernel = [.. w.Sizes.Skip(2).Select(size => size.Value)];
        if (node.IntsOf("kernel_shape") is { } stated && !stated.SequenceEqual(kernel)) throw Bad($"the kernel is stated as [{string.Join(", ", stated)}] and the weights are {w}");
        return Made([x.Sizes[0], w.Sizes[0], .. Slid(x.Sizes, Window(kernel, kernel.Length), ceiling: false)], channels: 1);
    }

    GraphTensor Pool()
    {
        GraphTensor x = Spatial();
        IReadOnlyList<long> kernel = node.IntsOf("kernel_shape") ?? throw Bad("it has no kernel");
        (long[] Kernel, long[] Strides, long[] Pads, long[] Dilations) window = Window(kernel, x.Rank - 2);
        for (int i = 0; i < kernel.Count; i++)
            if (window.Pads[i] >= kernel[i] || window.Pads[kernel.Count + i] >= kernel[i]) throw Bad("the padding reaches the kernel's size");
        return Made([.. x.Sizes.Take(2), .. Slid(x.Sizes, window, node.IntOf("ceil_mode", 0) != 0)], channels: 1);
    }

    GraphTensor Arithmetic()
    {
        (GraphTensor a, GraphTensor b) = (In(0), In(1));
        IReadOnlyList<Size> sizes = Broadcast(a, b);
        if (a.Values is not { Count: > 0 } left || b.Values is not { Count: > 0 } right || (left.Count != right.Count && left.Count != 1 && right.Count != 1)) return Made(sizes);
        Size?[] values =
            [.. Enumerable.Range(0, Math.Max(left.Count, right.Count)).Select(i => Compute(left[left.Count == 1 ? 0 : i], right[right.Count == 1 ? 0 : i]))];
        return Made(sizes, values.All(value => value is not null) ? [.. values.Select(value => value!.Value)] : null);
    }

    Size? Compute(Size a, Size b)
    {
        const long Most = 1L << 40;                                   // what no sound size is, and what cannot overflow below
        if (Math.Abs(a.Value) > Most || Math.Abs(b.Value) > Most) return null;
        return node.OpType switch
        {
            "Add" when a.Batched == b.Batched => new Size(a.Value + b.Value, a.Batched),
            "Sub" when a.Batched == b.Batched => new Size(a.Value - b.Value, a.Batched && a.Value != b.Value),
            "Mul" when !(a.Batched && b.Batched) && Math.Abs(a.Value) <= Most / Math.Max(1, Math.Abs(b.Value)) => new Size(a.Value * b.Value, a.Batched || b.Batched),
            "Div" when b.Value != 0 && !b.Batched && (!a.Batched || a.Value % b.Value == 0) => new Size(a.Value / b.Value, a.Batched),
            "Div" when b.Value != 0 && a.Batched && b.Batched && a.Value % b.Value == 0 => new Size(a.Value / b.Value),
            _ => null,
        };
    }

    GraphTensor Compare()
    {
        (GraphTensor a, GraphTensor b) = (In(0), In(1));
        IReadOnlyList<Size>? values = null;
        if (node.OpType == "Equal" && a.Values is { Count: > 0 } left && b.Values is { Count: > 0 } right && (left.Count == right.Count || right.Count == 1))
            values = [.. left.Select((size, i) => new Size(size == right[right.Count == 1 ? 0 : i] ? 1 : 0))];
        return Made(Broadcast(a, b), values, type: DataType.Bool);
    }

    GraphTensor Choose()
    {
        (GraphTensor condition, GraphTensor a, GraphTensor b) = (In(0), In(1), In(2));
        IReadOnlyList<Size>? values = null;
        if (condition.Values is { Count: > 0 } chosen && a.Values is { Count: > 0 } left && b.Values is { Count: > 0 } right
            && (left.Count == chosen.Count || left.Count == 1) && (right.Count == chosen.Count || right.Count == 1))
            values = [.. chosen.Select((yes, i) => yes.Value != 0 ? left[left.Count == 1 ? 0 : i] : right[right.Count == 1 ? 0 : i])];
        return Made(Broadcast(condition, a, b), values, type: a.Type);
    }

    GraphTensor Cast()
    {
        DataType to = (DataType)node.IntOf("to", 0);
        if (ConstantBytes.SizeOf(to) == 0) throw Bad($"the element type {(int)to} is not read");
        return Made(In(0).Sizes, to is DataType.Int64 or DataType.Int32 ? In(0).Values : null, type: to);
    }

    GraphTensor Concat()
    {
        GraphTensor[] parts = [.. Inputs()];
        int axis = Axis(node.IntOf("axis", 1), parts[0].Rank);
        long sum = 0;
        foreach (GraphTensor part in parts)
        {
            if (part.Rank != parts[0].Rank || part.Sizes.Where((size, i) => i != axis && size != parts[0].Sizes[i]).Any() || part.Sizes[axis].Batched) throw Bad($"the shapes {parts[0]} and {part} along axis {axis}");
            sum += part.Sizes[axis].Value;
        }
        IReadOnlyList<Size>? values = parts[0].Rank == 1 && parts.All(part => part.Values is not null) ? [.. parts.SelectMany(part => part.Values!)] : null;
        return Made([.. parts[0].Sizes.Select((size, i) => i == axis ? new Size(sum) : size)], values);
    }

    GraphTensor[] Split()
    {
        GraphTensor x = In(0);
        int axis = Axis(node.IntOf("axis", 0), x.Rank), parts = node.Output.Count;
        long whole = x.Sizes[axis].Value;
        IReadOnlyList<long> sizes = AxesOf(1, "split") ?? (opset >= 18
            ? [.. Enumerable.Range(0, parts).Select(i => Math.Clamp(whole - i * ((whole + parts - 1) / parts), 0, (whole + parts - 1) / parts))]
            : [.. Enumerable.Repeat(whole / parts, parts)]);
        if (x.Sizes[axis].Batched || sizes.Count != parts || sizes.Any(size => size < 1 || size > whole) || sizes.Sum() != whole || node.IntOf("num_outputs", parts) != parts)
            throw Bad($"{x} along axis {axis} into [{string.Join(", ", sizes)}]");
        int start = 0;
        GraphTensor[] made = new GraphTensor[parts];
        for (int p = 0; p < parts; p++)
        {
            IReadOnlyList<Size>? values = x is { Rank: 1, Values: { } all } ? [.. all.Skip(start).Take((int)sizes[p])] : null;
            made[p] = Made([.. x.Sizes.Select((size, i) => i == axis ? new Size(sizes[p]) : size)], values) with { Name = node.Output[p] };
            start += (int)sizes[p];
        }
        return made;
    }

    GraphTensor Reduce()
    {
        GraphTensor x = In(0);
        IReadOnlyList<long>? given = AxesOf(1, "axes");
        if (given is null or { Count: 0 } && node.IntOf("noop_with_empty_axes", 0) != 0) return Made(x.Sizes);
        HashSet<int> axes = [.. given is { Count: > 0 } ? given.Select(axis => Axis(axis, x.Rank)) : Enumerable.Range(0, x.Rank)];
        if (axes.Any(axis => x.Sizes[axis].Batched)) throw Bad("it mixes the pictures of a batch");
        bool keep = node.IntOf("keepdims", 1) != 0;
        return Made([.. x.Sizes.Select((size, i) => axes.Contains(i) ? new Size(1) : size).Where((_, i) => keep || !axes.Contains(i))],
            channels: keep ? x.ChannelAxis : x.ChannelAxis - axes.Count(axis => axis < x.ChannelAxis));
    }

    GraphTensor Gemm()
    {
        (GraphTensor a, GraphTensor b) = (In(0), In(1));
        if (a.Rank != 2 || b.Rank != 2) throw Bad($"{a} by {b}");
        (Size rows, Size inner) = node.IntOf("transA", 0) != 0 ? (a.Sizes[1], a.Sizes[0]) : (a.Sizes[0], a.Sizes[1]);
        (Size across, Size columns) = node.IntOf("transB", 0) != 0 ? (b.Sizes[1], b.Sizes[0]) : (b.Sizes[0], b.Sizes[1]);
        if (inner != across || inner.Batched) throw Bad($"{a} by {b}");
        Size[] sizes = [rows, columns];
        if (node.InputAt(2) is not null && !Broadcast(new GraphTensor("", a.Type, sizes, null, 0, true), In(2)).SequenceEqual(sizes)) throw Bad($"bias {In(2)} for {rows} × {columns}");
        return Made(sizes, channels: 1);
    }

    GraphTensor MatMul()
    {
        (GraphTensor a, GraphTensor b) = (In(0), In(1));
        if (a.Rank == 0 || b.Rank == 0 || a.Sizes[^1] != b.Sizes[Math.Max(0, b.Rank - 2)] || a.Sizes[^1].Batched) throw Bad($"{a} by {b}");
        IReadOnlyList<Size> outer = Broadcast(
            a with { Sizes = [.. a.Sizes.Take(Math.Max(0, a.Rank - 2))] }, b with { Sizes = [.. b.Sizes.Take(Math.Max(0, b.Rank - 2))] });
        Size[] sizes = [.. outer, .. a.Rank > 1 ? [a.Sizes[^2]] : Array.Empty<Size>(), .. b.Rank > 1 ? [b.Sizes[^1]] : Array.Empty<Size>()];
        return Made(sizes, channels: sizes.Length - 1);
    }

    GraphTensor Flatten()
    {
        GraphTensor x = In(0);
        long at = node.IntOf("axis", 1);
        int axis = at == x.Rank ? x.Rank : Axis(at, x.Rank);
        Size Folded(IEnumerable<Size> sizes) => new(Product(sizes), sizes.Any(size => size.Batched));
        return Made([Folded(x.Sizes.Take(axis)), Folded(x.Sizes.Skip(axis))], channels: 1);
    }

    GraphTensor Reshape()
    {
        GraphTensor x = In(0);
        IReadOnlyList<Size> wanted = ValuesOf(1);
        if (wanted.Count > ShapeInference.MaxRank) throw Bad($"there are {wanted.Count} dimensions; at most {ShapeInference.MaxRank} are allowed");
        Size[] sizes = new Size[wanted.Count];
        int free = -1;
        long product = 1;
        bool batched = false;
        for (int i = 0; i < sizes.Length; i++)
        {
            if (wanted[i] == new Size(-1))
            {
                free = free < 0 ? i : throw Bad("two sizes are left open");
                continue;
            }
            sizes[i] = wanted[i].Value == 0 && node.IntOf("allowzero", 0) == 0 ? i < x.Rank ? x.Sizes[i] : throw Bad($"size {i} is to be kept and {x} has none") : wanted[i];
            if (sizes[i].Value < 1 || sizes[i].Value > x.Elements / product || (batched && sizes[i].Batched)) throw Bad($"{x} to [{string.Join(", ", wanted)}]");
            product *= sizes[i].Value;
            batched |= sizes[i].Batched;
        }
        if (free >= 0) sizes[free] = x.Elements % product == 0 && (x.IsBatched || !batched) ? new Size(x.Elements / product, x.IsBatched && !batched) : throw Bad($"{x} to [{string.Join(", ", wanted)}]");
        else if (product != x.Elements || batched != x.IsBatched) throw Bad($"{x} to [{string.Join(", ", wanted)}]");
        int channels = x.ChannelAxis < sizes.Length && sizes[x.ChannelAxis] == x.Sizes.ElementAtOrDefault(x.ChannelAxis) ? x.ChannelAxis : sizes.Length - 1;
        if (sizes.Length == 2) channels = 1;
        return Made(sizes, sizes.Length <= 1 ? x.Values : null, channels);
    }

    GraphTensor Transpose()
    {
        GraphTensor x = In(0);
        IReadOnlyList<long> order = node.IntsOf("perm") ?? [.. Enumerable.Range(0, x.Rank).Reverse().Select(i => (long)i)];
        if (!order.Order().SequenceEqual(Enumerable.Range(0, x.Rank).Select(i => (long)i))) throw Bad($"the order [{string.Join(", ", order)}] of {x.Rank} dimensions");
        return Made([.. order.Select(from => x.Sizes[(int)from])], x.Rank <= 1 ? x.Values : null, channels: order.ToList().IndexOf(x.ChannelAxis));
    }

    GraphTensor Squeeze()
    {
        GraphTensor x = In(0);
        IReadOnlyList<long>? given = AxesOf(1, "axes");
        if (node.OpType == "Squeeze")
        {
            HashSet<int> gone = given is null ? [.. Enumerable.Range(0, x.Rank).Where(i => x.Sizes[i] == new Size(1))] : [.. given.Select(axis => Axis(axis, x.Rank))];
            if (gone.Any(axis => x.Sizes[axis] != new Size(1))) throw Bad($"{x} without [{string.Join(", ", gone)}]");
            return Made([.. x.Sizes.Where((_, i) => !gone.Contains(i))], x.Values, channels: x.ChannelAxis - gone.Count(axis => axis < x.ChannelAxis));
        }
        if (given is null || given.Count > ShapeInference.MaxRank) throw Bad("it names no axes, or too many");
        int rank = x.Rank + given.Count;
        HashSet<int> added = [.. given.Select(axis => Axis(axis, rank))];
        if (added.Count != given.Count) throw Bad($"the axes [{string.Join(", ", given)}] repeat");
        List<Size> sizes = [];
        int from = 0, channels = 0;
        for (int i = 0; i < rank; i++)
        {
            if (!added.Contains(i) && from == x.ChannelAxis) channels = i;
            sizes.Add(added.Contains(i) ? 1 : x.Sizes[from++]);
        }
        return Made(sizes, x.Values, channels);
    }

    GraphTensor Shape()
    {
        GraphTensor x = In(0);
        int start = (int)Clamped(node.IntOf("start", 0)), end = (int)Clamped(node.IntOf("end", x.Rank));
        Size[] values = start < end ? [.. x.Sizes.Skip(start).Take(end - start)] : throw Bad($"sizes {start} to {end} of {x}");
        return Made([values.Length], values, type: DataType.Int64) with { FromPixels = false };

        long Clamped(long at) => Math.Clamp(at < 0 ? at + x.Rank : at, 0, x.Rank);
    }

    GraphTensor Gather()
    {
        (GraphTensor x, GraphTensor at) = (In(0), In(1));
        int axis = Axis(node.IntOf("axis", 0), x.Rank);
        if ((at.FromPixels && !tokens) || x.Sizes[axis].Batched) throw Bad("what is picked depends on pixels, or mixes the pictures of a batch");
        if (at.Values is { } indices)
            foreach (Size index in indices)
                if (index.Batched || index.Value < -x.Sizes[axis].Value || index.Value >= x.Sizes[axis].Value) throw Bad($"position {index} of {x} along axis {axis}");
        IReadOnlyList<Size>? values = x is { Rank: 1, Values: { } all } && at is { Rank: <= 1, Values: { } picked }
            ? [.. picked.Select(i => all[(int)(i.Value < 0 ? i.Value + all.Count : i.Value)])] : null;
        int channels = x.ChannelAxis + (axis < x.ChannelAxis ? at.Rank - 1 : 0);
        return Made([.. x.Sizes.Take(axis), .. at.Sizes, .. x.Sizes.Skip(axis + 1)], values, channels);
    }

    GraphTensor Slice()
    {
        GraphTensor x = In(0);
        IReadOnlyList<long> starts = AxesOf(1, "starts") ?? throw Bad("it has no starts"), ends = AxesOf(2, "ends") ?? throw Bad("it has no ends");
        IReadOnlyList<long> axes = AxesOf(3, "axes") ?? [.. Enumerable.Range(0, starts.Count).Select(i => (long)i)];
        IReadOnlyList<long> steps = node.InputAt(4) is not null ? PlainOf(4) : [.. Enumerable.Repeat(1L, starts.Count)];
        if (ends.Count != starts.Count || axes.Count != starts.Count || steps.Count != starts.Count) throw Bad("its starts, ends, axes and steps differ in number");
        Size[] sizes = [.. x.Sizes];
        IReadOnlyList<Size>? values = x.Rank == 1 ? x.Values : null;
        HashSet<int> seen = [];
        for (int k = 0; k < starts.Count; k++)
        {
            int axis = Axis(axes[k], x.Rank);
            (Size size, long step) = (x.Sizes[axis], steps[k]);
            if (!seen.Add(axis) || step is 0 or > ShapeInference.MaxElements or < -ShapeInference.MaxElements) throw Bad($"axis {axis} in steps of {step}");
            (long low, long high) = step > 0 ? (0L, size.Value) : (-1L, size.Value - 1);
            long start = At(starts[k], step > 0 ? 0 : 0, step > 0 ? size.Value : size.Value - 1), end = At(ends[k], low, step > 0 ? size.Value : high);
            if (size.Batched && (start != 0 || step != 1 || ends[k] < int.MaxValue)) throw Bad("it parts the pictures of a batch");
            if (size.Batched) continue;
            long count = step > 0 ? (end - start + step - 1) / step : (start - end - step - 1) / -step;
            if (count < 1) throw Bad($"nothing is left of {x} along axis {axis}");
            sizes[axis] = count;
            if (values is not null) values = [.. Enumerable.Range(0, (int)count).Select(i => x.Values![(int)(start + i * step)])];

            long At(long at, long least, long most) => Math.Clamp(at < 0 ? at + size.Value : at, least, most);
        }
        return Made(sizes, values);
    }

    GraphTensor ConstantOfShape()
    {
        IReadOnlyList<Size> shape = tokens ? ValuesOf(0) : [.. PlainOf(0).Select(size => new Size(size))];
        long elements = 1, most = tokens ? ShapeInference.MaxElements : ShapeInference.MaxValues;
        foreach (Size size in shape)
            elements = size.Value >= 1 && size.Value <= most / elements ? elements * size.Value : throw Bad($"the shape [{string.Join(", ", shape)}]; up to {most} elements are allowed");
        TensorProto? value = node.Find("value")?.T;
        if (value is not null && value.Dims.Count > 1 || value?.Dims.Any(dim => dim != 1) == true) throw Bad("its value is no single number");
        DataType type = (DataType)(value?.DataType ?? (int)DataType.Float);
        Size[]? values = type == DataType.Int64 && elements <= ShapeInference.MaxValues && shape.All(size => !size.Batched)
            ? [.. Enumerable.Repeat(new Size(MemoryMarshal.Read<long>(value!.RawData.Span)), (int)elements)] : null;
        return Made([.. shape], values, type: type) with { FromPixels = false };
    }

    GraphTensor Range()
    {
        long start = PlainOf(0)[0], limit = PlainOf(1)[0], step = PlainOf(2)[0];
        if (step == 0 || new[] { start, limit, step }.Any(value => value is > ShapeInference.MaxElements or < -ShapeInference.MaxElements)) throw Bad($"{start} to {limit} in steps of {step}");
        long count = Math.Max(0, (limit - start + step - Math.Sign(step)) / step);
        return Made([count], count <= ShapeInference.MaxValues ? [.. Enumerable.Range(0, (int)count).Select(i => new Size(start + (i * step)))] : null);
    }

    GraphTensor Tile()
    {
        GraphTensor x = In(0);
        IReadOnlyList<Size> times = ValuesOf(1);
        if (times.Count != x.Rank) throw Bad($"{times.Count} repeats of {x}");
        Size[] sizes = new Size[x.Rank];
        for (int i = 0; i < sizes.Length; i++)
        {
            if (times[i].Value is < 1 or > ShapeInference.MaxElements || (times[i].Batched && x.Sizes[i] != new Size(1)) || (x.Sizes[i].Batched && times[i] != new Size(1)))
                throw Bad($"[{string.Join(", ", times)}] times {x}");
            sizes[i] = new Size(x.Sizes[i].Value * times[i].Value, x.Sizes[i].Batched || times[i].Batched);
        }
        return Made(sizes);
    }

    GraphTensor Expand()
    {
        GraphTensor x = In(0);
        IReadOnlyList<Size> to = ValuesOf(1);
        return to.All(size => size.Value is >= 1 and <= ShapeInference.MaxElements)
            ? Made(Broadcast(x, x with { Sizes = to }), channels: Math.Max(0, x.ChannelAxis + Math.Max(0, to.Count - x.Rank)))
            : throw Bad($"{x} to [{string.Join(", ", to)}]");
    }

    GraphTensor Pad()
    {
        GraphTensor x = In(0);
        IReadOnlyList<long> pads = AxesOf(1, "pads") ?? throw Bad("it has no sizes");
        IReadOnlyList<long> axes = node.InputAt(3) is not null ? PlainOf(3) : [.. Enumerable.Range(0, x.Rank).Select(i => (long)i)];
        if (pads.Count != axes.Count * 2 || pads.Any(pad => pad is < -MaxStep or > MaxStep)) throw Bad($"[{string.Join(", ", pads)}] around {axes.Count} dimensions of {x}");
        Size[] sizes = [.. x.Sizes];
        for (int k = 0; k < axes.Count; k++)
        {
            int axis = Axis(axes[k], x.Rank);
            long added = pads[k] + pads[axes.Count + k];
            if (added == 0 && pads[k] == 0) continue;
            if (x.Sizes[axis].Batched || x.Sizes[axis].Value + added < 1) throw Bad($"[{string.Join(", ", pads)}] around {x}");
            sizes[axis] = x.Sizes[axis].Value + added;
        }
        return Made(sizes);
    }

    GraphTensor Blocks()
    {
        GraphTensor x = Spatial();
        long block = node.IntOf("blocksize", 0);
        bool toSpace = node.OpType == "DepthToSpace";
        if (x.Rank != 4 || block is < 1 or > 64 || x.Sizes.Skip(1).Any(size => size.Batched)) throw Bad($"blocks of {block} of {x}");
        (long channels, long height, long width) = (x.Sizes[1].Value, x.Sizes[2].Value, x.Sizes[3].Value);
        if (toSpace ? channels % (block * block) != 0 : height % block != 0 || width % block != 0) throw Bad($"blocks of {block} of {x}");
        return toSpace
            ? Made([x.Sizes[0], channels / (block * block), height * block, width * block], channels: 1)
            : Made([x.Sizes[0], channels * block * block, height / block, width / block], channels: 1);
    }
}
