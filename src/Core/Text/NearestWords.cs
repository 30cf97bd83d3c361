using System.Numerics.Tensors;

namespace Scion.Text;

/// <param name="Word">A known word.</param>
/// <param name="Similarity">Cosine of its vector to the one asked for, in [−1, 1].</param>
public sealed record NearWord(string Word, float Similarity);

/// <summary>Cosine neighbours: the embedding, inspected.</summary>
public static class NearestWords
{
    /// <param name="vocabulary">Known words.</param>
    /// <param name="vectors">[words, dim], row-major.</param>
    /// <param name="dim">Components of a vector.</param>
    /// <param name="word">A word, as people write it.</param>
    /// <param name="count">Most neighbours to return.</param>
    /// <returns>The nearest words, nearest first, without the word itself.</returns>
    /// <exception cref="Faults.InputRejectedException">The word is not known (T005); close spellings are named.</exception>
    public static IReadOnlyList<NearWord> Of(Vocabulary vocabulary, ReadOnlySpan<float> vectors, int dim, string word, int count)
    {
        List<string> parts = Tokenizer.Words(word);
        int id = parts.Count == 1 ? vocabulary.IdOf(parts[0]) : -1;
        if (id < 0) throw TextFaults.UnknownWord(word, Close(vocabulary, parts.Count > 0 ? parts[0] : word));
        ReadOnlySpan<float> own = vectors.Slice(id * dim, dim);
        float norm = TensorPrimitives.Norm(own);
        PriorityQueue<int, float> best = new();
        for (int other = 0; other < vocabulary.Count; other++)
        {
            if (other == id) continue;
            ReadOnlySpan<float> vector = vectors.Slice(other * dim, dim);
            float lengths = norm * TensorPrimitives.Norm(vector);
            best.Enqueue(other, lengths > 0 ? TensorPrimitives.Dot(own, vector) / lengths : 0);
            if (best.Count > count) best.Dequeue();
        }
        List<NearWord> near = [];
        while (best.TryDequeue(out int other, out float similarity)) near.Add(new NearWord(vocabulary.Words[other], similarity));
        near.Reverse();
        return near;
    }

    /// <summary>Up to three frequent known words within two edits.</summary>
    static List<string> Close(Vocabulary vocabulary, string word) =>
        [.. vocabulary.Words.Where(known => EditDistance.AtMost(known, word, Math.Min(2, word.Length / 3))).Take(3)];
}
