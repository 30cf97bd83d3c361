using System.Runtime.InteropServices;
using Scion.Text;

namespace Scion.Heads;

/// <summary>The words of labelled rows by an encoder's vocabulary, as features beside the encoder's own.</summary>
/// <remarks>A word's own weight is 1 + ln((1 + n) / (1 + min(n, count))), count being its occurrences in all n texts, labelled or not: how rare it is, known
/// without labels. A row's value of a word is occurrences · weight / √Σ weight², the sum over its words. What is learned on it becomes a <see cref="WordLexicon"/>.</remarks>
/// <param name="vocabulary">Words with their counts in the user's own text; the first are the most frequent.</param>
/// <param name="texts">Texts that were counted.</param>
/// <param name="words">Words with a column: ids below it.</param>
public sealed class WordCounts(Vocabulary vocabulary, long texts, int words)
{
    readonly List<int> ids = [], counts = [], starts = [0];
    readonly float[] weights = [.. Enumerable.Range(0, Math.Min(words, vocabulary.Count)).Select(id => (float)(1 + Math.Log((1.0 + texts) / (1 + Math.Min(texts, vocabulary.Counts[id])))))];

    public int Rows => starts.Count - 1;

    /// <summary>Adds the next row.</summary>
    public void Add(string text)
    {
        Tokenizer.WordReader reader = new(Tokenizer.Composed(text), stackalloc char[Tokenizer.MaxWord]);
        int from = ids.Count;
        while (reader.MoveNext())
            if (vocabulary.IdOf(reader.Current) is var id && id >= 0 && id < weights.Length) ids.Add(id);
        CollectionsMarshal.AsSpan(ids)[from..].Sort();
        int kept = from;
        for (int at = from; at < ids.Count; kept++)
        {
            int end = at + 1;
            while (end < ids.Count && ids[end] == ids[at]) end++;
            ids[kept] = ids[at];
            counts.Add(end - at);
            at = end;
        }
        ids.RemoveRange(kept, ids.Count - kept);
        starts.Add(kept);
    }

    /// <summary>Features of all rows, a column for each word of theirs, times <paramref name="share"/>.</summary>
    /// <param name="share">Length of a row without repeats; above 0.</param>
    /// <param name="columns">Id of each column's word.</param>
    public SparseFeatures ToFeatures(double share, out int[] columns)
    {
        int[] present = [.. ids.Distinct().Order()], columnOf = new int[weights.Length];
        for (int c = 0; c < present.Length; c++) columnOf[present[c]] = c;
        float[] values = new float[ids.Count];
        for (int row = 0; row < Rows; row++)
        {
            double squares = 0;
            for (int i = starts[row]; i < starts[row + 1]; i++) squares += counts[i] * (double)weights[ids[i]] * weights[ids[i]];
            for (int i = starts[row]; i < starts[row + 1]; i++) values[i] = (float)(share * counts[i] * weights[ids[i]] / Math.Sqrt(squares));
        }
        columns = present;
        return new SparseFeatures([.. starts], [.. ids.Select(id => columnOf[id])], values, Math.Max(1, present.Length));
    }

    /// <summary>What was learned on <see cref="ToFeatures"/>, by word.</summary>
    /// <param name="head">Weights of the columns, [classes, columns].</param>
    /// <param name="classes">Classes.</param>
    /// <param name="columns">Id of each column's word.</param>
    /// <param name="share">As it was.</param>
    public WordLexicon Learned(ReadOnlySpan<float> head, int classes, int[] columns, double share)
    {
        float[] lexicon = new float[weights.Length * classes];
        int across = Math.Max(1, columns.Length);
        for (int c = 0; c < classes; c++)
            for (int column = 0; column < columns.Length; column++)
                lexicon[(columns[column] * classes) + c] = (float)(share * weights[columns[column]] * head[(c * across) + column]);
        return new WordLexicon(lexicon, [.. weights.Select(weight => weight * weight)], classes);
    }
}
