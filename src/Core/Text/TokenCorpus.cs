namespace Scion.Text;

/// <summary>A corpus as word ids: what trainers read. Four bytes a word.</summary>
/// <param name="ids">Ids of known words, texts one after the other.</param>
/// <param name="starts">Index of each text's first word, and last the number of words: [texts + 1].</param>
public sealed class TokenCorpus(int[] ids, int[] starts)
{
    public int[] Ids { get; } = ids;

    public int[] Starts { get; } = starts;

    public int Texts => Starts.Length - 1;

    /// <summary>Words in it.</summary>
    public int Count => Starts[^1];

    public ReadOnlySpan<int> Text(int text) => Ids.AsSpan(Starts[text], Starts[text + 1] - Starts[text]);

    /// <summary>The text that begins at the word, or is the next to begin; <see cref="Texts"/> at the end.</summary>
    public int TextAt(long word)
    {
        int at = Array.BinarySearch(Starts, (int)word);
        return at >= 0 ? at : ~at;
    }

    /// <summary>Collects texts as ids; words that are not known are left out.</summary>
    /// <param name="vocabulary">Gives the ids.</param>
    /// <param name="words">About how many words will come, known or not; spares memory when right.</param>
    public sealed class Builder(Vocabulary vocabulary, long words = 1024)
    {
        int[] ids = new int[Math.Min(words, Array.MaxLength)];
        int count;
        readonly List<int> starts = [0];

        /// <exception cref="Faults.InputRejectedException">The corpus has more words than fit (T013).</exception>
        public void Add(string text)
        {
            Tokenizer.WordReader words = new(Tokenizer.Composed(text), stackalloc char[Tokenizer.MaxWord]);
            while (words.MoveNext())
            {
                int id = vocabulary.IdOf(words.Current);
                if (id < 0) continue;
                if (count == Array.MaxLength) throw TextFaults.CorpusTooLong(count + 1L);
                if (count == ids.Length) Array.Resize(ref ids, (int)Math.Min(Array.MaxLength, ids.Length + (ids.Length / 2L) + 1024));
                ids[count++] = id;
            }
            if (count > starts[^1]) starts.Add(count);
        }

        public TokenCorpus Build() => new(ids, [.. starts]);
    }
}
