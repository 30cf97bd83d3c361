using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using Google.Protobuf;
using Scion.Vision;
using DataType = Scion.Onnx.TensorProto.Types.DataType;

namespace Scion.Onnx;

/// <summary>Image networks as graphs: from a foreign file to <c>encoder.onnx</c>, and from that to features.</summary>
/// <remarks>A stored encoder takes <c>pixels</c>, uint8 [batch, height, width, 3], RGB, and begins with nodes that bring values to what the network
/// was trained on; the network follows whole, as it was published. It is cut when it is used: <see cref="Cut"/>. Equal calls give equal bytes.</remarks>
public static class EncoderGraph
{
    /// <summary>Name of a stored encoder's input.</summary>
    public const string Pixels = "pixels";

    /// <summary>Names of our own tensors begin so; a foreign tensor of such a name is renamed.</summary>
    const string Own = "pixels/";

    /// <summary>Metadata entry with the <see cref="PictureValues"/> that the graph begins with, as JSON.</summary>
    public const string ValuesKey = "scion.values";

    /// <summary>Metadata entry with the <see cref="PictureFit"/> of the pictures that the graph takes, as JSON.</summary>
    public const string FitKey = "scion.fit";

    /// <summary>Name of an output of a cut graph.</summary>
    public static string FeaturesName(int index) => string.Create(CultureInfo.InvariantCulture, $"features_{index}");

    /// <summary>Puts preprocessing before a foreign network.</summary>
    /// <param name="network">As <see cref="ForeignGraph.Read"/> returned it.</param>
    /// <param name="fit">How pictures are brought to its size; kept as metadata, so that another rule is another encoder.</param>
    /// <param name="values">What its input is.</param>
    /// <param name="batch">True for any number of pictures; false for one.</param>
    public static ModelProto WithPixels(ModelProto network, PictureFit fit, PictureValues values, bool batch)
    {
        ModelProto model = network.Clone();
        RenameOwn(model.Graph);
        string input = model.Graph.Input.Single().Name;
        model.MetadataProps.Clear();
        model.MetadataProps.Add(new StringStringEntryProto { Key = ValuesKey, Value = JsonSerializer.Serialize(values, ScionJson.Strict) });
        model.MetadataProps.Add(new StringStringEntryProto { Key = FitKey, Value = JsonSerializer.Serialize(fit, ScionJson.Strict) });
        model.ProducerName = "Scion";

        OnnxGraphWriter writer = new("values");
        string at = Pixels;
        if (values.Channels == "bgr") at = writer.Node("Gather", Own + "channels", [at, writer.Constant(Own + "order", [2L, 1, 0], 3)], OnnxGraphWriter.Int("axis", 3));
        if (values.Layout == "nchw") at = writer.Node("Transpose", Own + "planes", [at], OnnxGraphWriter.Ints("perm", 0, 3, 1, 2));
        at = writer.Node("Cast", Own + "numbers", [at], OnnxGraphWriter.Int("to", (long)DataType.Float));
        long[] shape = values.Layout == "nchw" ? [1, 3, 1, 1] : [1, 1, 1, 3];
        if (values.Mean.Any(mean => mean != 0)) at = writer.Node("Sub", Own + "centred", [at, writer.Constant(Own + "mean", [.. values.Mean], shape)]);
        if (values.Scale.Any(scale => scale != 1)) at = writer.Node("Mul", Own + "scaled", [at, writer.Constant(Own + "scale", [.. values.Scale], shape)]);
        if (values.Type == "float16") at = writer.Node("Cast", Own + "halves", [at], OnnxGraphWriter.Int("to", (long)DataType.Float16));
        writer.Input(Pixels, DataType.Uint8, batch ? "batch" : "1", Text(fit.Height), Text(fit.Width), "3");
        GraphProto first = writer.ToModel().Graph;
        first.Node[^1].Output[0] = input;

        model.Graph.Node.InsertAll(0, first.Node);
        model.Graph.Initializer.AddRange(first.Initializer);
        model.Graph.Input.Clear();
        model.Graph.Input.AddRange(first.Input);
        return model;
    }

    /// <summary>Reads a stored encoder again: scanned as a foreign file is, and its input checked.</summary>
    /// <exception cref="Faults.InputRejectedException">It is not one (V050 to V060).</exception>
    public static ModelProto Read(string what, ReadOnlyMemory<byte> bytes)
    {
        ModelProto model = ForeignGraph.Read(what, bytes);
        if (!IsStored(model)) throw EncoderFaults.NoPictureInput(what, $"its input is not {Pixels}, uint8 [batch, height, width, 3]");
        return model;
    }

    /// <summary>True for a graph that takes pixels as stored encoders do.</summary>
    public static bool IsStored(ModelProto model) => model.Graph.Input is [{ Name: Pixels, Type.TensorType: { ElemType: (int)DataType.Uint8 } input }]
        && input.Shape.Dim is [var batch, var height, var width, { DimValue: 3 }]
        && height.DimValue is >= 16 and <= 1024 && width.DimValue is >= 16 and <= 1024 && batch.DimValue is 0 or 1
        && ValuesOf(model) is not null && FitOf(model) is { } fit && fit.Height == height.DimValue && fit.Width == width.DimValue;

    /// <summary>What a stored encoder's first nodes do.</summary>
    public static PictureValues? ValuesOf(ModelProto model) => Metadata<PictureValues>(model, ValuesKey) is { Mean.Count: 3, Scale.Count: 3 } values ? values : null;

    /// <summary>How pictures are brought to a stored encoder's size.</summary>
    public static PictureFit? FitOf(ModelProto model) => Metadata<PictureFit>(model, FitKey);

    static T? Metadata<T>(ModelProto model, string key) where T : class
    {
        try
        {
            return model.MetadataProps.FirstOrDefault(entry => entry.Key == key) is { } entry ? JsonSerializer.Deserialize<T>(entry.Value, ScionJson.Strict) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>True when a stored encoder takes any number of pictures.</summary>
    public static bool Batches(ModelProto model) => model.Graph.Input[0].Type.TensorType.Shape.Dim[0].ValueCase != TensorShapeProto.Types.Dimension.ValueOneofCase.DimValue;

    /// <summary>Where a stored encoder can be cut.</summary>
    /// <exception cref="Faults.InputRejectedException">Its shapes cannot be worked out (V058, V059), or no node makes features (V060).</exception>
    public static EncoderLayers Layers(string what, ModelProto model) => LayerSurvey.Of(what, model, ShapeInference.Of(what, model));

    /// <summary>A graph from pixels to the features of some layers, with the nodes that these need and no others.</summary>
    /// <param name="model">A stored encoder; it is not changed.</param>
    /// <param name="layers">Names, as <see cref="Layers"/> lists them; each once.</param>
    /// <returns>Input <see cref="Pixels"/>; outputs <c>features_0</c>, <c>features_1</c> …, in the order of <paramref name="layers"/>, float32
    /// [batch, features]: the layer pooled over space, of unit length, as <see cref="LayerFeatures"/> does it.</returns>
    /// <exception cref="Faults.InputRejectedException">There is no such layer (V063).</exception>
    public static ModelProto Cut(ModelProto model, IReadOnlyList<string> layers)
    {
        if (layers.Count == 0 || layers.Distinct(StringComparer.Ordinal).Count() != layers.Count) throw new ArgumentException("Layers are named at least one, and each once.", nameof(layers));
        const string What = "The encoder";
        GraphShapes shapes = ShapeInference.Of(What, model);
        EncoderLayers known = LayerSurvey.Of(What, model, shapes);
        ModelProto cut = model.Clone();
        cut.Graph.Output.Clear();
        OnnxGraphWriter writer = new("features");
        int opset = ForeignGraph.OpsetOf(model);
        for (int i = 0; i < layers.Count; i++)
        {
            EncoderLayer layer = known.Find(What, layers[i]);
            GraphTensor tensor = shapes[layer.Name];
            string name = FeaturesName(i);
            LayerFeatures.Write(writer, tensor, name, opset);
            writer.Output(name, DataType.Float, Batches(model) ? "batch" : "1", Text(layer.Features));
        }
        GraphProto last = writer.ToModel().Graph;
        cut.Graph.Node.AddRange(last.Node);
        cut.Graph.Initializer.AddRange(last.Initializer);
        cut.Graph.Output.AddRange(last.Output);
        GraphPruning.Prune(cut.Graph);
        return cut;
    }

    /// <summary>The same network without what comes after a layer; the layer is its output.</summary>
    /// <exception cref="Faults.InputRejectedException">There is no such layer (V063).</exception>
    public static ModelProto EndedAt(string what, ModelProto model, string layer)
    {
        string name = Layers(what, model).Find(what, layer).Name;
        ModelProto ended = model.Clone();
        ended.Graph.Output.Clear();
        ended.Graph.Output.Add(new ValueInfoProto { Name = name });
        GraphPruning.Prune(ended.Graph);
        return ended;
    }

    /// <summary>The same network with nothing learned: see <see cref="WeightShuffle"/>.</summary>
    /// <param name="model">A stored encoder; it is not changed.</param>
    /// <param name="seed">Of the shuffling.</param>
    public static ModelProto ShuffledWeights(ModelProto model, int seed) => WeightShuffle.Of(model, seed);

    static void RenameOwn(GraphProto graph)
    {
        HashSet<string> names = [.. graph.Input.Select(input => input.Name), .. graph.Initializer.Select(constant => constant.Name), .. graph.Node.SelectMany(node => node.Output)];
        Dictionary<string, string> renamed = new(StringComparer.Ordinal);
        bool IsOwn(string name) => name == Pixels || name.StartsWith(Own, StringComparison.Ordinal) || name.StartsWith("features_", StringComparison.Ordinal);
        foreach (string name in names.Where(IsOwn).Order(StringComparer.Ordinal).ToArray())
        {
            string other = $"network/{name}";
            while (!names.Add(other)) other += "_";
            renamed.Add(name, other);
        }
        if (renamed.Count == 0) return;
        foreach (ValueInfoProto value in graph.Input.Concat(graph.Output)) value.Name = renamed.GetValueOrDefault(value.Name, value.Name);
        foreach (TensorProto constant in graph.Initializer) constant.Name = renamed.GetValueOrDefault(constant.Name, constant.Name);
        foreach (NodeProto node in graph.Node)
        {
            for (int i = 0; i < node.Input.Count; i++) node.Input[i] = renamed.GetValueOrDefault(node.Input[i], node.Input[i]);
            for (int i = 0; i < node.Output.Count; i++) node.Output[i] = renamed.GetValueOrDefault(node.Output[i], node.Output[i]);
        }
    }

    static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}

/// <summary>Where a network can be cut.</summary>
/// <param name="All">In the order they are computed.</param>
/// <param name="Default">Name of the one used when none is chosen: what the classifier at the end takes.</param>
/// <param name="Parameters">Numbers learned, of the whole network.</param>
public sealed record EncoderLayers(IReadOnlyList<EncoderLayer> All, string Default, long Parameters)
{
    /// <exception cref="Faults.InputRejectedException">There is no such layer (V063).</exception>
    public EncoderLayer Find(string what, string name) => All.FirstOrDefault(layer => layer.Name == name)
        ?? throw EncoderFaults.NoSuchLayer(what, name, Near(name) is { } near ? $"Was '{EncoderFaults.Shown(near.Name)}' meant? " : "");

    EncoderLayer? Near(string name) => Enumerable.Range(1, 3)
        .Select(distance => All.FirstOrDefault(layer => Scion.Text.EditDistance.AtMost(layer.Name, name, distance))).FirstOrDefault(layer => layer is not null);
}

file static class RepeatedNodes
{
    public static void InsertAll(this Google.Protobuf.Collections.RepeatedField<NodeProto> nodes, int at, IEnumerable<NodeProto> added)
    {
        foreach (NodeProto node in added) nodes.Insert(at++, node);
    }
}
