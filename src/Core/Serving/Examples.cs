using System.Numerics.Tensors;
using System.Text;
using System.Text.Json;
using Scion.Storage;

namespace Scion.Serving;

/// <summary>Labelled training rows stored with a model: nearest examples and the measure of "unlike the training data".</summary>
/// <param name="features">[rows, dim], row-major; each of unit length or zero.</param>
/// <param name="labels">Class ids, [rows].</param>
/// <param name="texts">Texts cut by <see cref="Cut"/>, or names of pictures, [rows].</param>
/// <param name="dim">Components of a row.</param>
/// <param name="pictures">True when <paramref name="texts"/> are names of pictures.</param>
public sealed class Examples(float[] features, int[] labels, IReadOnlyList<string> texts, int dim, bool pictures)
{
    /// <summary>Rows kept of a larger training set, evenly spaced. 1,000 rows of 100 components are 400 KB: they stay in a core's cache, and
    /// a prediction compares with all of them in about 10 µs.</summary>
    public const int MaxRows = 1000;

    /// <summary>Characters kept of a text: enough to recognise it, and a bound on what a package discloses of the training data.</summary>
    public const int MaxText = 300;

    public int Count => labels.Length;

    public int LabelOf(int row) => labels[row];

    /// <summary>A stored row as a prediction shows it.</summary>
    /// <param name="row">In [0, <see cref="Count"/>).</param>
    /// <param name="names">Class names.</param>
    /// <param name="similarity">Its cosine.</param>
    public Neighbour NeighbourOf(int row, IReadOnlyList<string> names, float similarity) => pictures
        ? new Neighbour(null, names[labels[row]], similarity) { Name = texts[row], Example = row }
        : new Neighbour(texts[row], names[labels[row]], similarity);

    /// <summary>Cosine of unit-length features to each row.</summary>
    /// <param name="of">[dim].</param>
    /// <param name="cosines">[rows], written.</param>
    public void Compare(ReadOnlySpan<float> of, Span<float> cosines)
    {
        for (int row = 0; row < labels.Length; row++) cosines[row] = TensorPrimitives.Dot(features.AsSpan(row * dim, dim), of);
    }

    /// <summary>The first <see cref="MaxText"/> characters, cut between characters, with "…" when cut.</summary>
    public static string Cut(string text)
    {
        if (text.Length <= MaxText) return text;
        int end = MaxText - 1;
        if (char.IsHighSurrogate(text[end - 1])) end--;
        return $"{text.AsSpan(0, end)}…";
    }

    public byte[] ToTensors()
    {
        SafeTensors file = new();
        file.Add("features", features, labels.Length, dim);
        file.Add("labels", labels, labels.Length);
        return file.ToBytes();
    }

    /// <summary>One JSON line a row: <c>{"text":…,"label":…}</c>; of pictures <c>{"name":…,"label":…}</c>.</summary>
    public byte[] ToLines(IReadOnlyList<string> names)
    {
        StringBuilder lines = new();
        for (int row = 0; row < labels.Length; row++)
            lines.Append(JsonSerializer.Serialize(new Line(pictures ? null : texts[row], pictures ? texts[row] : null, names[labels[row]]), ScionJson.Strict)).Append('\n');
        return Encoding.UTF8.GetBytes(lines.ToString());
    }

    /// <exception cref="Faults.InputRejectedException">A file is malformed (S006, S007) or they do not fit together (R014).</exception>
    public static Examples Parse(ReadOnlySpan<byte> tensors, ReadOnlySpan<byte> lines, IReadOnlyList<string> names, int dim, bool pictures)
    {
        SafeTensors file = SafeTensors.Parse(tensors);
        int[] labels = file.Ints("labels", -1);
        float[] features = file.Floats("features", labels.Length, dim);
        if (labels.Any(label => label < 0 || label >= names.Count)) throw Registry.RegistryFaults.Inconsistent($"an example has a class id outside 0 to {names.Count - 1}.");
        if (!TensorPrimitives.IsFiniteAll<float>(features)) throw Registry.RegistryFaults.Inconsistent("an example's features are not finite.");
        for (int row = 0; row < labels.Length; row++)
            if (TensorPrimitives.Norm<float>(features.AsSpan(row * dim, dim)) > 1.001f) throw Registry.RegistryFaults.Inconsistent($"the features of example {row} are longer than 1.");
        List<string> texts = new(labels.Length);
        foreach (Range range in lines.Split((byte)'\n'))
        {
            if (lines[range].IsEmpty) continue;
            try
            {
                Line? line = JsonSerializer.Deserialize<Line>(lines[range], ScionJson.Strict);
                if (line is null || (pictures ? line.Name : line.Text) is not { } text) throw new JsonException(pictures ? "it has no name." : "it has no text.");
                if (texts.Count < labels.Length && line.Label != names[labels[texts.Count]])
                    throw Registry.RegistryFaults.Inconsistent($"line {texts.Count + 1} of examples.jsonl has another label than its row of features.");
                texts.Add(text);
            }
            catch (JsonException e)
            {
                throw Registry.RegistryFaults.Malformed($"examples.jsonl line {texts.Count + 1}", e.Message);
            }
        }
        if (texts.Count != labels.Length) throw Registry.RegistryFaults.Inconsistent($"examples.jsonl has {texts.Count} lines for {labels.Length} rows of features.");
        return new Examples(features, labels, texts, dim, pictures);
    }

    sealed record Line(string? Text, string? Name, string Label);
}
