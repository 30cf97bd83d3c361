using System.Numerics.Tensors;
using System.Text;
using Scion.Storage;

namespace Scion.Text;

/// <summary>Turns a text into features: weighted mean of its word vectors, common components removed, unit length.</summary>
/// <remarks>Source: Arora, Liang, Ma 2017, "A simple but tough-to-beat baseline for sentence embeddings". The training-side
/// implementation; serving runs the same arithmetic as an ONNX graph, and publishing measures how far the two differ.</remarks>
/// <param name="vocabulary">Known words.</param>
/// <param name="dim">Components of a vector.</param>
/// <param name="vectors">[words, dim], row-major.</param>
/// <param name="weights">Weight of each word in the mean, [words], at least 0.</param>
/// <param name="components">Orthonormal directions that are removed, [k, dim]; k may be 0.</param>
public sealed class SentenceEncoder(Vocabulary vocabulary, int dim, float[] vectors, float[] weights, float[] components)
{
    /// <summary>Features shorter than this share of the mean they are left of are rounding noise, and are set to zero.</summary>
    public const float Noise = 1e-5f;

    /// <summary>Most numbers of all word vectors together: they lie in one blob of less than 2 GiB, and in one ONNX file.</summary>
    public const long MaxNumbers = 500_000_000;

    public Vocabulary Vocabulary { get; } = vocabulary;

    public int Dim { get; } = dim;

    public float[] Vectors { get; } = vectors;

    public float[] Weights { get; } = weights;

    public float[] Components { get; } = components;

    /// <summary>Encodes one text.</summary>
    /// <param name="text">Any text.</param>
    /// <param name="features">[dim], written; all zero when no word is known.</param>
    /// <returns>Number of known words in the text.</returns>
    public int Encode(string text, Span<float> features)
    {
        features.Clear();
        int known = 0;
        float total = 0;
        Tokenizer.WordReader words = new(Tokenizer.Composed(text), stackalloc char[Tokenizer.MaxWord]);
        while (words.MoveNext())
        {
            int id = Vocabulary.IdOf(words.Current);
            if (id < 0) continue;
            known++;
            total += Weights[id];
            TensorPrimitives.MultiplyAdd(Vectors.AsSpan(id * Dim, Dim), Weights[id], features, features);
        }
        if (total <= 0) return known;
        TensorPrimitives.Divide(features, total, features);
        float least = Noise * TensorPrimitives.Norm(features);
        for (int k = 0; k < Components.Length; k += Dim)
        {
            ReadOnlySpan<float> direction = Components.AsSpan(k, Dim);
            TensorPrimitives.MultiplyAdd(direction, -TensorPrimitives.Dot(direction, features), features, features);
        }
        float norm = TensorPrimitives.Norm(features);
        if (norm > least) TensorPrimitives.Divide(features, norm, features);
        else features.Clear();
        return known;
    }

    public byte[] ToBytes()
    {
        SafeTensors file = new();
        byte[] words = Vocabulary.ToBytes();
        file.Add("vocabulary", words, words.Length);
        file.Add("vectors", Vectors, Vocabulary.Count, Dim);
        file.Add("weights", Weights, Vocabulary.Count);
        file.Add("components", Components, Components.Length / Dim, Dim);
        return file.ToBytes();
    }

    /// <exception cref="Faults.InputRejectedException">The bytes are not an encoder (S006, S007, T001).</exception>
    public static SentenceEncoder Parse(ReadOnlySpan<byte> bytes)
    {
        SafeTensors file = SafeTensors.Parse(bytes);
        Vocabulary vocabulary = Vocabulary.Parse(file.Bytes("vocabulary", -1));
        int dim = file.ShapeOf("vectors")[^1];
        return new SentenceEncoder(vocabulary, dim, file.Floats("vectors", vocabulary.Count, dim), file.Floats("weights", vocabulary.Count),
            file.Floats("components", -1, dim));
    }
}
