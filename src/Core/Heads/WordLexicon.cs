using Scion.Storage;

namespace Scion.Heads;

/// <summary>What single words say for each class, beside a head on a text's features: a bag of words that is summed word by word.</summary>
/// <remarks>A text's logits gain Σ weights[word] / √Σ squares[word], both sums over its words, repeats counted. Without repeats that is a linear head on TF-IDF
/// features of unit length.</remarks>
/// <param name="weights">[words, classes], row-major: the head's weights times the words' own; by the encoder's word ids, the first ones.</param>
/// <param name="squares">Square of each word's own weight, [words].</param>
/// <param name="classes">Classes.</param>
public sealed class WordLexicon(float[] weights, float[] squares, int classes)
{
    /// <summary>Texts shorter than this by their squares have no word of the lexicon.</summary>
    public const float Tiny = 1e-12f;

    public float[] Weights { get; } = weights;

    public float[] Squares { get; } = squares;

    public int Classes { get; } = classes;

    /// <summary>Words with weights: ids below it.</summary>
    public int Words => Squares.Length;

    /// <param name="ids">Known words of a text.</param>
    /// <param name="logits">[classes], added to.</param>
    public void AddTo(ReadOnlySpan<int> ids, Span<float> logits)
    {
        float total = 0;
        Span<float> sums = Classes <= 64 ? stackalloc float[Classes] : new float[Classes];
        sums.Clear();
        foreach (int id in ids)
        {
            if (id >= Words) continue;
            total += Squares[id];
            for (int c = 0; c < Classes; c++) sums[c] += Weights[(id * Classes) + c];
        }
        float norm = MathF.Sqrt(Math.Max(total, Tiny));
        for (int c = 0; c < Classes; c++) logits[c] += sums[c] / norm;
    }

    public byte[] ToBytes()
    {
        SafeTensors file = new();
        file.Add("weights", Weights, Words, Classes);
        file.Add("squares", Squares, Words);
        return file.ToBytes();
    }

    /// <exception cref="Faults.InputRejectedException">The bytes are no lexicon (S006, S007).</exception>
    public static WordLexicon Parse(ReadOnlySpan<byte> bytes)
    {
        SafeTensors file = SafeTensors.Parse(bytes);
        float[] squares = file.Floats("squares", -1);
        int classes = file.ShapeOf("weights")[^1];
        return new WordLexicon(file.Floats("weights", squares.Length, classes), squares, classes);
    }
}
