namespace Scion.Text;

/// <summary>Joins word vectors that were learned elsewhere to the words of a user's text.</summary>
/// <remarks>Ids are the user's own vocabulary first, so that counts, noise and a lexicon go by the user's text; then the other words, with count 0.</remarks>
public static class EmbeddingExtension
{
    /// <summary>Passes and rate of a training that goes on: few and slow, or what the vectors know of other text is lost. Measured in docs/experiments.md.</summary>
    const int Epochs = 5;

    const double Rate = 0.025;

    /// <summary>Words of other text that the frequencies of a user's own text are smoothed with.</summary>
    const double PriorWords = 100_000;

    /// <summary>Options of a training that goes on from vectors of <paramref name="dim"/> components: the user's, but of that size, by negative sampling, few and slow.</summary>
    public static EmbeddingOptions Options(EmbeddingOptions options, int dim) => options with
    {
        Loss = SkipGramLoss.NegativeSampling, Dim = dim, Epochs = Math.Min(Epochs, options.Epochs), Rate = Math.Min(Rate, options.Rate), LinearDecay = true,
    };

    /// <summary>Vectors of the user's words where known: zero for others, or as a training begins where one follows. [words, dim].</summary>
    /// <param name="own">The user's words.</param>
    /// <param name="known">Words with vectors.</param>
    /// <param name="training">Options of the training that follows; null for none.</param>
    public static float[] Start(Vocabulary own, WordTable known, EmbeddingOptions? training)
    {
        float[] vectors = new float[own.Count * known.Dim];
        if (training is not null) SkipGramTrainer.Start(vectors, new float[vectors.Length], own.Count, known.Dim, training);
        for (int id = 0; id < own.Count; id++)
            if (known.Vocabulary.IdOf(own.Words[id]) is >= 0 and int there) known.Vectors.AsSpan(there * known.Dim, known.Dim).CopyTo(vectors.AsSpan(id * known.Dim));
        return vectors;
    }

    /// <summary>The user's words with their counts, then the other known ones with none.</summary>
    public static Vocabulary Joined(Vocabulary own, WordTable known)
    {
        string[] others = [.. known.Vocabulary.Words.Where(word => own.IdOf(word) < 0)];
        return new Vocabulary([.. own.Words, .. others], [.. own.Counts, .. others.Select(_ => 0L)]);
    }

    /// <summary>Vectors in the order of <see cref="Joined"/>.</summary>
    /// <param name="own">The user's words.</param>
    /// <param name="vectors">Theirs, [words, dim].</param>
    /// <param name="known">Words with vectors.</param>
    public static float[] Join(Vocabulary own, float[] vectors, WordTable known)
    {
        int[] others = [.. Enumerable.Range(0, known.Vocabulary.Count).Where(id => own.IdOf(known.Vocabulary.Words[id]) < 0)];
        float[] joined = new float[checked((own.Count + others.Length) * known.Dim)];
        vectors.CopyTo(joined, 0);
        for (int i = 0; i < others.Length; i++) known.Vectors.AsSpan(others[i] * known.Dim, known.Dim).CopyTo(joined.AsSpan((own.Count + i) * known.Dim));
        return joined;
    }

    /// <summary>How often each word of <see cref="Joined"/> stands in the user's text, smoothed with <see cref="PriorWords"/> words of the other text: of eight reviews alone
    /// no frequency is known. Millionths of an occurrence.</summary>
    public static IReadOnlyList<long> Frequencies(Vocabulary own, WordTable known)
    {
        double share = PriorWords / Math.Max(1, known.Vocabulary.Counts.Sum());
        long Of(string word, long count) => (long)(1e6 * (count + (known.Vocabulary.IdOf(word) is >= 0 and int id ? share * known.Vocabulary.Counts[id] : 0)));
        Vocabulary joined = Joined(own, known);
        return [.. joined.Words.Select((word, id) => Of(word, joined.Counts[id]))];
    }
}
