using System.Text.Json;
using Google.Protobuf;
using Scion.Faults;
using Scion.Vision;
using DataType = Scion.Onnx.TensorProto.Types.DataType;

namespace Scion.Onnx;

/// <summary>The encoder of an images model: a network cut at one layer.</summary>
/// <remarks>Input <c>pixels</c>, uint8 [batch, height, width, 3], RGB. Output <c>features</c>, float32 [batch, dim]: unit length, or zero. The network
/// keeps its own operator set; those of a head mean the same in all that are read.</remarks>
public static class ImageEncoderGraph
{
    /// <summary>Name of the output.</summary>
    public const string Features = "features";

    /// <summary>Names of graphs made by <see cref="HeadGraph"/> and here; a network's own tensors of these names are renamed.</summary>
    static readonly HashSet<string> Taken = [Features, "logits", "probabilities", "scores", "head_weights", "head_bias", "cooled", "temperature"];

    /// <param name="cut">A graph from pixels to the features of one or several layers, as <see cref="EncoderGraph.Cut"/> makes it; not changed.</param>
    /// <param name="layer">Index of the layer to keep.</param>
    public static ModelProto Write(ModelProto cut, int layer)
    {
        ModelProto model = cut.Clone();
        GraphProto graph = model.Graph;
        RenameTaken(graph);
        graph.Name = "image-encoder";
        ValueInfoProto kept = graph.Output[layer];
        graph.Output.Clear();
        graph.Output.Add(kept);
        GraphPruning.Prune(graph);

        foreach (NodeProto node in graph.Node)
            for (int i = 0; i < node.Output.Count; i++)
                if (node.Output[i] == kept.Name) node.Output[i] = Features;
        kept.Name = Features;
        return model;
    }

    /// <summary>Scans a stored encoder as a foreign file is scanned, since it was one, and makes the bytes that ONNX Runtime may see.</summary>
    /// <param name="what">Name of the file, for messages.</param>
    /// <param name="file">The whole file.</param>
    /// <param name="fit">Pictures it must take.</param>
    /// <param name="dim">Components it must give.</param>
    /// <exception cref="InputRejectedException">It is not such a graph (R020).</exception>
    public static byte[] Scanned(string what, ReadOnlyMemory<byte> file, PictureFit fit, int dim) => Read(what, file, fit, dim).ToByteArray();

    /// <inheritdoc cref="Scanned"/>
    public static ModelProto Read(string what, ReadOnlyMemory<byte> file, PictureFit fit, int dim)
    {
        try
        {
            ModelProto model = EncoderGraph.Read(what, file);
            GraphShapes shapes = ShapeInference.Of(what, model);
            var size = model.Graph.Input[0].Type.TensorType.Shape.Dim;
            if (size[1].DimValue != fit.Height || size[2].DimValue != fit.Width)
                throw OnnxFaults.Unexpected(what, $"it takes pictures of {size[2].DimValue} × {size[1].DimValue}; {fit.Width} × {fit.Height} are expected");
            if (model.Graph.Output is not [{ Name: Features }]) throw OnnxFaults.Unexpected(what, $"its output is not '{Features}' alone");
            GraphTensor features = shapes[Features];
            return features.Type == DataType.Float && features.Rank == 2 && features.Sizes[1] == new Size(dim) && features.Sizes[0].Value == 1 ? model
                : throw OnnxFaults.Unexpected(what, $"its features are {features.Type} {features}; Float [batch, {dim}] are expected");
        }
        catch (InputRejectedException e) when (e.Code != "R020")
        {
            throw OnnxFaults.Unexpected(what, $"{e.Code}, {e.Fact.TrimEnd('.')}");
        }
    }

    /// <summary>Encoder and head as one graph, from pixels to scores, for programs that run a single file.</summary>
    /// <remarks>Outputs <c>features</c> [batch, dim], <c>logits</c> and <c>scores</c> [batch, classes], float32; scores are calibrated probabilities. Metadata:
    /// <c>labels</c>, a JSON array; <c>scion.fit</c>, the <see cref="PictureFit"/> as JSON.</remarks>
    /// <param name="encoder">A graph of <see cref="Write"/>.</param>
    /// <param name="head">A graph of <see cref="HeadGraph"/> for its features.</param>
    /// <param name="fit">How pictures become pixels.</param>
    public static ModelProto Join(ModelProto encoder, ModelProto head, PictureFit fit)
    {
        ModelProto whole = encoder.Clone();
        whole.Graph.Name = "picture-classifier";
        GraphProto last = head.Graph.Clone();
        last.Node[^1].Output[0] = "scores";
        last.Output[^1].Name = "scores";
        whole.Graph.Node.AddRange(last.Node);
        whole.Graph.Initializer.AddRange(last.Initializer);
        whole.Graph.Output.AddRange(last.Output);
        whole.MetadataProps.AddRange(head.MetadataProps);
        if (whole.MetadataProps.All(entry => entry.Key != EncoderGraph.FitKey))
            whole.MetadataProps.Add(new StringStringEntryProto { Key = EncoderGraph.FitKey, Value = JsonSerializer.Serialize(fit, ScionJson.Strict) });
        return whole;
    }

    static void RenameTaken(GraphProto graph)
    {
        HashSet<string> names = [.. graph.Initializer.Select(constant => constant.Name), .. graph.Node.SelectMany(node => node.Output)];
        Dictionary<string, string> renamed = new(StringComparer.Ordinal);
        foreach (string name in names.Where(name => Taken.Contains(name)).Order(StringComparer.Ordinal).ToArray())
        {
            string other = $"network/{name}";
            while (!names.Add(other)) other += "_";
            renamed.Add(name, other);
        }
        if (renamed.Count == 0) return;
        foreach (ValueInfoProto output in graph.Output) output.Name = renamed.GetValueOrDefault(output.Name, output.Name);
        foreach (TensorProto constant in graph.Initializer) constant.Name = renamed.GetValueOrDefault(constant.Name, constant.Name);
        foreach (NodeProto node in graph.Node)
        {
            for (int i = 0; i < node.Input.Count; i++) node.Input[i] = renamed.GetValueOrDefault(node.Input[i], node.Input[i]);
            for (int i = 0; i < node.Output.Count; i++) node.Output[i] = renamed.GetValueOrDefault(node.Output[i], node.Output[i]);
        }
    }
}
