using DataType = Scion.Onnx.TensorProto.Types.DataType;

namespace Scion.Onnx;

/// <summary>What a layer says of a picture, as nodes: its activations pooled over space, of unit length.</summary>
/// <remarks>A map [channels, height, width] is pooled in each of its four quarters, as a spatial pyramid does (Lazebnik, Schmid, Ponce 2006), by the
/// generalised mean ∛(mean of x³) (Radenović, Tolias, Chum 2019, arXiv:1711.02512, eq. 3, with p = 3 where they start), which lies between mean and
/// maximum and keeps the sign: [4 · channels], a channel's quarters beside each other (top left, top right, bottom left, bottom right). Where a side
/// is odd, the first half is the larger. A map of one row or column is pooled whole; tokens [tokens, features] by their mean; a vector stays.
/// Then unit length, or zero. Figures: docs/experiments.md.</remarks>
static class LayerFeatures
{
    /// <summary>What lengths are divided by beside themselves, so that nothing is divided by zero.</summary>
    const float Tiny = 1e-30f;

    /// <summary>Components of a picture's features.</summary>
    public static int DimOf(GraphTensor layer) => (int)layer.Sizes[layer.ChannelAxis].Value * Quarters(layer);

    /// <summary>Adds the nodes.</summary>
    /// <param name="writer">Takes the nodes and constants.</param>
    /// <param name="layer">The layer: 2 to 4 axes, the first the batch.</param>
    /// <param name="name">Name of the result, float32 [batch, <see cref="DimOf"/>], and what names of other tensors begin with.</param>
    /// <param name="opset">Operator set of the graph, 7 to 23.</param>
    public static void Write(OnnxGraphWriter writer, GraphTensor layer, string name, int opset)
    {
        string at = layer.Name;
        if (layer.Type != DataType.Float) at = writer.Node("Cast", $"{name}/numbers", [at], OnnxGraphWriter.Int("to", (long)DataType.Float));
        string tiny = writer.Constant($"{name}/tiny", [Tiny]);
        if (layer.Rank == 4) at = Cubic(writer, layer, name, at, tiny);
        else if (layer.Rank == 3) at = Reduce(writer, "ReduceMean", $"{name}/mean", at, layer.ChannelAxis == 1 ? 2 : 1, keep: false, opset);
        string length = writer.Node("Add", $"{name}/divisor", [Reduce(writer, "ReduceL2", $"{name}/length", at, 1, keep: true, opset), tiny]);
        writer.Node("Div", name, [at, length]);
    }

    static int Quarters(GraphTensor layer) => layer.Rank == 4 && layer.Sizes.Where((_, axis) => axis > 0 && axis != layer.ChannelAxis).All(size => size.Value > 1) ? 4 : 1;

    /// <summary>∛(mean of x³) over each quarter. The means are one product with the matrix that says which place counts how much in which quarter.</summary>
    static string Cubic(OnnxGraphWriter writer, GraphTensor layer, string name, string at, string tiny)
    {
        bool planes = layer.ChannelAxis == 1;
        long channels = layer.Sizes[layer.ChannelAxis].Value, height = layer.Sizes[planes ? 2 : 1].Value, width = layer.Sizes[planes ? 3 : 2].Value, places = height * width;
        int quarters = Quarters(layer), across = quarters == 4 ? 2 : 1;
        long top = (height + across - 1) / across, left = (width + across - 1) / across;
        float[] shares = new float[places * quarters];
        for (long y = 0; y < height; y++)
            for (long x = 0; x < width; x++)
            {
                (bool below, bool beside) = (y >= top, x >= left);
                long quarter = (below ? 2 : 0) + (beside ? 1 : 0), counted = (below ? height - top : top) * (beside ? width - left : left), place = (y * width) + x;
                shares[planes ? (place * quarters) + quarter : (quarter * places) + place] = 1f / counted;
            }
        string flat = writer.Node("Reshape", $"{name}/flat", [at, writer.Constant($"{name}/flat_shape", planes ? new long[] { 0, channels, places } : [0, places, channels], 3)]);
        string cubes = writer.Node("Mul", $"{name}/cubes", [writer.Node("Mul", $"{name}/squares", [flat, flat]), flat]);
        string matrix = planes ? writer.Constant($"{name}/quarters", shares, places, quarters) : writer.Constant($"{name}/quarters", shares, quarters, places);
        string means = writer.Node("MatMul", $"{name}/means", planes ? [cubes, matrix] : [matrix, cubes]);
        if (!planes) means = writer.Node("Transpose", $"{name}/turned", [means], OnnxGraphWriter.Ints("perm", 0, 2, 1));
        string mean = writer.Node("Reshape", $"{name}/rows", [means, writer.Constant($"{name}/rows_shape", new long[] { 0, channels * quarters }, 2)]);
        // ∛m = m / |m|^⅔, also for negative m; operator set 7 has no Sign.
        string power = writer.Node("Pow", $"{name}/power", [writer.Node("Abs", $"{name}/sizes", [mean]), writer.Constant($"{name}/two_thirds", [2f / 3])]);
        return writer.Node("Div", $"{name}/roots", [mean, writer.Node("Add", $"{name}/root_divisor", [power, tiny])]);
    }

    static string Reduce(OnnxGraphWriter writer, string op, string output, string at, long axis, bool keep, int opset)
    {
        // The axes became an input in operator set 18.
        return opset < 18
            ? writer.Node(op, output, [at], OnnxGraphWriter.Ints("axes", axis), OnnxGraphWriter.Int("keepdims", keep ? 1 : 0))
            : writer.Node(op, output, [at, writer.Constant($"{output}_axis", [axis], 1)], OnnxGraphWriter.Int("keepdims", keep ? 1 : 0));
    }
}
