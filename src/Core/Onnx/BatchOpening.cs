using System.Globalization;
using DataType = Scion.Onnx.TensorProto.Types.DataType;

namespace Scion.Onnx;

/// <summary>Makes a graph that was exported for one picture take any number of them.</summary>
/// <remarks>Two things hold a batch of one fast: reshapes to constant sizes, and constants that are joined to each picture. A reshape keeps all its sizes but
/// one, which becomes −1: that before which as many elements lie as before the batch in what is reshaped. A joined constant is expanded to the batch.
/// Whether the result is right is not argued but tried: <see cref="PictureNetwork"/> runs three pictures together and alone.</remarks>
static class BatchOpening
{
    /// <summary>Rewrites what it can; the shapes of the result need not fit yet.</summary>
    /// <param name="what">Name of the file, for messages.</param>
    /// <param name="model">Its input is open in the batch. Not changed.</param>
    /// <exception cref="Faults.InputRejectedException">A shape cannot be worked out (V058).</exception>
    public static ModelProto Of(string what, ModelProto model)
    {
        ModelProto opened = model.Clone();
        opened.Graph.Node.Clear();
        Dictionary<string, GraphTensor> known = new(ShapeInference.Given(what, model), StringComparer.Ordinal);
        int opset = ForeignGraph.OpsetOf(model);
        ShapeRules rules = new(what, opset, known);
        OnnxGraphWriter writer = new("added");
        foreach (NodeProto original in model.Graph.Node)
        {
            NodeProto node = original.Clone();
            int before = writer.Nodes.Count;
            if (node.OpType == "Reshape") OpenReshape(node, known, writer);
            else if (node.OpType == "Concat" && opset >= 8) OpenConcat(node, known, writer);
            foreach (NodeProto added in writer.Nodes.Skip(before).Append(node).ToArray())
            {
                opened.Graph.Node.Add(added);
                foreach (TensorProto constant in writer.Constants) known.TryAdd(constant.Name, ShapeInference.OfConstant(constant));
                foreach (GraphTensor made in rules.Apply(added)) known.Add(made.Name, made);
            }
        }
        opened.Graph.Initializer.AddRange(writer.Constants);
        return opened;
    }

    static void OpenReshape(NodeProto node, Dictionary<string, GraphTensor> known, OnnxGraphWriter writer)
    {
        GraphTensor x = known[node.Input[0]];
        if (!x.IsBatched || known[node.Input[1]].Values is not { Count: > 0 } wanted || wanted.Any(size => size.Batched)) return;
        long[] sizes = [.. wanted.Select((size, i) => size.Value == 0 && i < x.Rank ? x.Sizes[i].Value : size.Value)];
        long product = sizes.Where(size => size != -1).Aggregate(1L, (all, size) => size is > 0 and < ShapeInference.MaxElements && all < ShapeInference.MaxElements ? all * size : 0);
        if (product == 0 || x.Elements % product != 0 || sizes.Count(size => size == -1) > 1) return;
        if (Array.IndexOf(sizes, -1) is >= 0 and int open) sizes[open] = x.Elements / product;
        else if (product != x.Elements) return;

        long ahead = x.Sizes.TakeWhile(size => !size.Batched).Aggregate(1L, (all, size) => all * size.Value), passed = 1;
        int at = 0;
        while (at < sizes.Length && passed != ahead) passed *= sizes[at++];
        if (at == sizes.Length) return;
        sizes[at] = -1;
        node.Input[1] = writer.Constant($"pixels/batched/{node.Output[0]}", sizes, sizes.Length);
    }

    static void OpenConcat(NodeProto node, Dictionary<string, GraphTensor> known, OnnxGraphWriter writer)
    {
        GraphTensor[] parts = [.. node.Input.Select(name => known[name])];
        if (parts.FirstOrDefault(part => part.Rank > 1 && part.Sizes[0] == Size.Batch) is not { } batched || node.IntOf("axis", 1) is 0 || node.IntOf("axis", 1) == -batched.Rank) return;
        for (int i = 0; i < parts.Length; i++)
        {
            if (parts[i].Rank != batched.Rank || parts[i].Sizes[0] != new Size(1) || !parts[i].IsFloat) continue;
            string name = string.Create(CultureInfo.InvariantCulture, $"pixels/batched/{node.Output[0]}/{i}");
            string count = writer.Node("Gather", $"{name}/count", [writer.Node("Shape", $"{name}/shape", [batched.Name]), writer.Constant($"{name}/first", [0L], 1)]);
            string rest = writer.Constant($"{name}/rest", [.. parts[i].Sizes.Skip(1).Select(size => size.Value)], parts[i].Rank - 1);
            string shape = writer.Node("Concat", $"{name}/sizes", [count, rest], OnnxGraphWriter.Int("axis", 0));
            node.Input[i] = writer.Node("Expand", $"{name}/each", [node.Input[i], shape]);
        }
    }
}
