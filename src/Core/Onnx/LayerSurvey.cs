using Scion.Vision;

namespace Scion.Onnx;

/// <summary>Finds where a network can be cut, and which of these places are worth trying.</summary>
/// <remarks>Offered are ends of blocks: tensors that every path from pixels to the output passes. Of each stage (a run of one height and width) the
/// last; then what the classifier at the end takes, the map that this is the mean of, and its scores before softmax; while fewer than
/// <see cref="MostOffered"/>, more ends of blocks,
/// spread over the parameters.</remarks>
sealed class LayerSurvey
{
    public const int MostOffered = 6;

    static readonly HashSet<string> Through = ["Dropout", "Identity", "Cast"];

    static readonly HashSet<string> Plumbing =
        [.. Through, "Reshape", "Flatten", "Transpose", "Squeeze", "Unsqueeze", "Slice", "Gather", "Split", "Pad", "Expand", "Shape", "SpaceToDepth", "DepthToSpace"];

    static readonly HashSet<string> Pools = ["GlobalAveragePool", "AveragePool", "ReduceMean", "Reshape", "Flatten", "Squeeze", .. Through];

    static readonly HashSet<string> Tail = ["Softmax", "LogSoftmax", "Sigmoid", "Reshape", "Flatten", "Squeeze", "Transpose", .. Through];

    static readonly HashSet<string> Activations = ["Relu", "LeakyRelu", "PRelu", "Elu", "Selu", "Celu", "Clip", "HardSwish", "Mish", "Gelu", "Sigmoid", "HardSigmoid", "Tanh", "BatchNormalization"];

    /// <summary>Sizes of the usual sets of classes: a last convolution with so many channels is taken for a classifier.</summary>
    static readonly HashSet<int> ClassCounts = [10, 100, 200, 365, 1000, 1001, 11221, 21841, 21843];

    readonly GraphProto graph;
    readonly GraphShapes shapes;
    readonly LearnedNumbers learned;
    readonly Dictionary<string, NodeProto> makers = new(StringComparer.Ordinal);
    readonly Dictionary<string, List<NodeProto>> users = new(StringComparer.Ordinal);
    readonly Dictionary<string, EncoderLayer> layers = new(StringComparer.Ordinal);

    LayerSurvey(GraphProto graph, GraphShapes shapes)
    {
        (this.graph, this.shapes) = (graph, shapes);
        learned = new LearnedNumbers(graph, shapes);
        foreach (NodeProto node in graph.Node)
        {
            foreach (string output in node.Output)
            {
                makers.Add(output, node);
                if (LayerOf(node, output) is { } layer) layers.Add(output, layer);
            }
            foreach (string input in node.Input.Where(IsData).Distinct(StringComparer.Ordinal))
            {
                if (!users.TryGetValue(input, out List<NodeProto>? list)) users.Add(input, list = []);
                if (shapes[node.Output[0]].FromPixels) list.Add(node);
            }
        }
    }

    public static EncoderLayers Of(string what, ModelProto model, GraphShapes shapes)
    {
        LayerSurvey survey = new(model.Graph, shapes);
        if (survey.layers.Count == 0) throw EncoderFaults.NoPictureInput(what, "no node of it makes features of a picture");
        (HashSet<string> offered, string preferred) = survey.Choose();
        return new EncoderLayers([.. survey.layers.Values.Select(layer => layer with { Offered = offered.Contains(layer.Name) })], preferred,
            survey.learned.BehindAny(model.Graph.Output.Select(output => output.Name)));
    }

    bool IsData(string name) => name.Length > 0 && shapes[name].FromPixels;

    EncoderLayer? LayerOf(NodeProto node, string output)
    {
        GraphTensor tensor = shapes[output];
        if (!tensor.FromPixels || !tensor.IsFloat || tensor.Rank is < 2 or > 4 || tensor.ChannelAxis == 0 || Through.Contains(node.OpType)) return null;
        if (tensor.Sizes[0].Value != 1 || tensor.Sizes.Skip(1).Any(size => size.Batched) || tensor.Sizes[0].Batched != shapes[graph.Input[0].Name].Sizes[0].Batched) return null;
        long parameters = learned.Behind(output);
        return parameters == 0 ? null : new EncoderLayer(output, node.OpType, [.. tensor.Sizes.Skip(1).Select(size => (int)size.Value)],
            LayerFeatures.DimOf(tensor), parameters, Offered: false);
    }

    (HashSet<string> Offered, string Default) Choose()
    {
        string output = graph.Output.Select(value => value.Name).FirstOrDefault(IsData) ?? layers.Keys.Last();
        string scores = Scores(output, out bool softmax);
        string vector = ClassifierInput(scores, softmax) is { } input ? Back(input, Through) : "";
        if (!layers.ContainsKey(vector)) vector = layers.ContainsKey(scores) ? scores : layers.Keys.Last();
        string source = Back(vector, Pools);
        if (!layers.ContainsKey(source)) source = vector;

        List<string> ends = [.. BlockEnds().TakeWhile(name => name != source)];
        List<string> chosen = [vector];
        if (vector != source) chosen.Add(source);                        // the map that the vector is the mean of: its quarters say more
        if (vector != scores && layers.ContainsKey(scores)) chosen.Add(scores);
        List<string> stages = [.. ends.Where((name, i) => i + 1 == ends.Count ? Stage(name) != Stage(source) : Stage(name) != Stage(ends[i + 1]))];
        chosen.AddRange(stages.TakeLast(MostOffered - chosen.Count));
        string[] wide = [.. ends.Where((name, i) => !IsNarrow(i > 0 ? ends[i - 1] : name, name) && !IsNarrow(i + 1 < ends.Count ? ends[i + 1] : source, name))];
        while (chosen.Count < MostOffered && wide.Where(name => !chosen.Contains(name)).MaxBy(name => Apart(name, [.. chosen, source])) is { } further) chosen.Add(further);
        return ([.. chosen], vector);
    }

    /// <summary>The data input of the node whose weights make the scores; null when the network ends without a classifier.</summary>
    string? ClassifierInput(string scores, bool softmax)
    {
        string at = Back(scores, [.. Pools, "Relu", "Transpose"]);
        if (makers.TryGetValue(at, out NodeProto? bias) && bias.OpType == "Add" && bias.Input.Where(IsData).ToArray() is [var weighted]) at = weighted;
        if (!makers.TryGetValue(at, out NodeProto? last) || last.Input.Where(IsData).ToArray() is not [var data]) return null;
        bool classifies = last.OpType is "Gemm" or "MatMul" || (last.OpType == "Conv" && (softmax || ClassCounts.Contains((int)shapes[at].Sizes[1].Value)));
        return classifies && learned.Behind(data) > 0 ? data : null;
    }

    /// <summary>What the last softmax takes, or else the output itself.</summary>
    string Scores(string output, out bool softmax)
    {
        (string scores, softmax) = (output, false);
        for (string at = output; Before(at, Tail) is { } input; at = input)
            if (makers[at].OpType is "Softmax" or "LogSoftmax" or "Sigmoid") (scores, softmax) = (input, true);
        return Back(scores, Through);
    }

    /// <summary>Walks from a tensor towards the pixels as long as one of these operators made it.</summary>
    string Back(string name, HashSet<string> operators)
    {
        while (Before(name, operators) is { } input) name = input;
        return name;
    }

    string? Before(string name, HashSet<string> operators) => makers.TryGetValue(name, out NodeProto? node) && operators.Contains(node.OpType)
        && (node.OpType != "AveragePool" || shapes[name].Sizes.Skip(2).All(size => size.Value == 1)) && node.Input.Where(IsData).ToArray() is [var input] ? input : null;

    /// <summary>Layers that every path passes and that are the last of their kind before the next weights, in order.</summary>
    List<string> BlockEnds()
    {
        Dictionary<string, int> open = new(StringComparer.Ordinal);
        List<string> ends = [];
        foreach (NodeProto node in graph.Node.Where(node => shapes[node.Output[0]].FromPixels))
        {
            foreach (string input in node.Input.Where(IsData).Distinct(StringComparer.Ordinal))
                if (open.TryGetValue(input, out int left) && (open[input] = left - 1) == 0) open.Remove(input);
            foreach (string output in node.Output)
                if (users.TryGetValue(output, out List<NodeProto>? list) && list.Count > 0) open[output] = list.Count;
            if (open.Count == 1 && open.ContainsKey(node.Output[0]) && layers.ContainsKey(node.Output[0]) && !Plumbing.Contains(node.OpType) && !IsUnfinished(node.Output[0])) ends.Add(node.Output[0]);
        }
        return ends;
    }

    bool IsUnfinished(string name) => users[name] is [var only] && (Activations.Contains(only.OpType) || (only.OpType is "Add" or "Mul" && only.Input.Count(IsData) == 1));

    /// <summary>Height and width, number of tokens, or nothing: what tensors of one stage share.</summary>
    string Stage(string name) => string.Join('×', shapes[name].Sizes.Where((_, axis) => axis > 0 && axis != shapes[name].ChannelAxis));

    /// <summary>True for a bottleneck between layers of its stage that have over twice its features.</summary>
    bool IsNarrow(string beside, string name) => Stage(beside) == Stage(name) && layers[beside].Features > 2 * layers[name].Features;

    double Apart(string name, List<string> chosen) =>
        chosen.Min(other => Math.Abs(Math.Sqrt(layers[name].Parameters) - Math.Sqrt(layers.TryGetValue(other, out EncoderLayer? layer) ? layer.Parameters : 0)));
}
