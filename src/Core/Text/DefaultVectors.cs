using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Scion.Storage;

namespace Scion.Text;

/// <summary>The English word vectors that ship with Scion, so that a handful of reviews is not all a model transfers from. What they learned from, and by
/// which command, says their card; what they are worth, docs/experiments.md.</summary>
/// <remarks>Read when first asked for. Stored as eight bits a number and one scale a word: the largest component of a word's vector is ±127.</remarks>
public static class DefaultVectors
{
    static readonly Lazy<DefaultVectorsCard> Known = new(() => JsonSerializer.Deserialize<DefaultVectorsCard>(Resource("vectors.json"), ScionJson.Strict)!);

    static readonly Lazy<WordTable> Stored = new(() => Read(Resource("vectors.safetensors")));

    /// <summary>Their card.</summary>
    public static DefaultVectorsCard Card => Known.Value;

    /// <summary>The words, with their counts in the text they were learned from, and their vectors.</summary>
    public static WordTable Table => Stored.Value;

    /// <summary>The bytes of a table: <c>words</c>, <c>quantised</c> uint8 [words, dim] (128 is zero), <c>scales</c> float32 [words].</summary>
    /// <param name="table">Finite vectors.</param>
    public static byte[] Write(WordTable table)
    {
        (int words, int dim) = (table.Vocabulary.Count, table.Dim);
        byte[] quantised = new byte[words * dim];
        float[] scales = new float[words];
        for (int id = 0; id < words; id++)
        {
            ReadOnlySpan<float> vector = table.Vectors.AsSpan(id * dim, dim);
            float scale = scales[id] = TensorPrimitives.MaxMagnitude(vector) is var most && most != 0 ? Math.Abs(most) / 127 : 1;
            for (int i = 0; i < dim; i++) quantised[(id * dim) + i] = (byte)(128 + (int)MathF.Round(vector[i] / scale));
        }
        SafeTensors file = new();
        byte[] text = table.Vocabulary.ToBytes();
        file.Add("words", text, text.Length);
        file.Add("quantised", quantised, words, dim);
        file.Add("scales", scales, words);
        return file.ToBytes();
    }

    /// <exception cref="Faults.InputRejectedException">The bytes are no such table (S006, S007, T001).</exception>
    public static WordTable Read(ReadOnlySpan<byte> bytes)
    {
        SafeTensors file = SafeTensors.Parse(bytes);
        Vocabulary vocabulary = Vocabulary.Parse(file.Bytes("words", -1));
        int words = vocabulary.Count, dim = file.ShapeOf("quantised")[^1];
        byte[] quantised = file.Bytes("quantised", words, dim);
        return new WordTable(vocabulary, dim, Widened(quantised, file.Floats("scales", words), dim));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]             // runs once in a process: there is no second run that could be faster
    static float[] Widened(byte[] quantised, float[] scales, int dim)
    {
        float[] vectors = GC.AllocateUninitializedArray<float>(quantised.Length);
        for (int id = 0; id < scales.Length; id++)
        {
            float scale = scales[id];
            ReadOnlySpan<byte> from = quantised.AsSpan(id * dim, dim);
            Span<float> to = vectors.AsSpan(id * dim, dim);
            for (int i = 0; i < from.Length; i++) to[i] = (from[i] - 128) * scale;
        }
        return vectors;
    }

    static byte[] Resource(string name)
    {
        using Stream stream = typeof(DefaultVectors).Assembly.GetManifestResourceStream($"Scion.Text.Default.{name}")
            ?? throw new InvalidOperationException($"The default word vectors' {name} is not in the build.");
        byte[] bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }
}

/// <summary>Words and their vectors.</summary>
/// <param name="Vocabulary">Words with counts.</param>
/// <param name="Dim">Components of a vector.</param>
/// <param name="Vectors">[words, dim], row-major.</param>
public sealed record WordTable(Vocabulary Vocabulary, int Dim, float[] Vectors);

/// <summary>What is known of the vectors that ship.</summary>
/// <param name="Name">What settings call them.</param>
/// <param name="Language">Of the texts.</param>
/// <param name="TrainedOn">What they learned from.</param>
/// <param name="Command">The command that made them.</param>
/// <param name="Texts">Texts read.</param>
/// <param name="Tokens">Words of them.</param>
/// <param name="Words">Words with a vector.</param>
/// <param name="Dim">Components of a vector.</param>
/// <param name="Options">Options of the training.</param>
/// <param name="Loss">Mean loss of a pair over the last epoch, nats.</param>
/// <param name="Licence">Of the vectors.</param>
/// <param name="Measured">Where they were measured.</param>
public sealed record DefaultVectorsCard(
    string Name, string Language, string TrainedOn, string Command, long Texts, long Tokens, int Words, int Dim, EmbeddingOptions Options, double Loss,
    string Licence, string Measured);
