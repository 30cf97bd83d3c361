using Scion.Text;

namespace Scion.Torch;

/// <summary>Centre words of one step and the words around them.</summary>
/// <param name="Centres">Ids, [centres].</param>
/// <param name="Contexts">Ids of the words around all of them, [pairs].</param>
/// <param name="CentreOf">Index into <paramref name="Centres"/> of each pair, [pairs].</param>
/// <param name="PairsOf">Words around each centre, [centres].</param>
/// <param name="WordsBefore">Words of the corpus read before the step, in all epochs.</param>
sealed record CentreBatch(long[] Centres, long[] Contexts, long[] CentreOf, int[] PairsOf, long WordsBefore);

/// <summary>Cuts a corpus into steps, with the sub-sampling and the windows of <see cref="SkipGramTrainer"/>.</summary>
sealed class CentreBatches(TokenCorpus corpus, Vocabulary vocabulary, EmbeddingOptions options, int mostCentres, int mostPairs, int stream = 0)
{
    readonly uint[]? keep = SkipGramTrainer.Keep(vocabulary, options.Subsample);
    readonly List<long> centres = [], contexts = [], centreOf = [];
    readonly List<int> pairsOf = [];
    Xoshiro random = new(options.Seed, stream * 256);
    long words;

    /// <summary>One pass over the corpus, in order. Each epoch draws anew.</summary>
    public IEnumerable<CentreBatch> Epoch()
    {
        int[] text = new int[1024];
        for (int t = 0; t < corpus.Texts; t++)
        {
            int length = Subsample(t, ref text);
            for (int at = 0; at < length; at++)
            {
                int span = options.Window == 0 ? SkipGramTrainer.LongestSpan : 1 + random.Below(options.Window);
                int from = Math.Max(0, at - span), to = Math.Min(length - 1, at + span);
                if (from == to) continue;
                if (centres.Count == mostCentres || contexts.Count + to - from > mostPairs) yield return Take();
                for (int i = from; i <= to; i++)
                {
                    if (i == at) continue;
                    contexts.Add(text[i]);
                    centreOf.Add(centres.Count);
                }
                centres.Add(text[at]);
                pairsOf.Add(to - from);
            }
            words += corpus.Text(t).Length;
        }
        if (centres.Count > 0) yield return Take();
    }

    int Subsample(int t, ref int[] text)
    {
        ReadOnlySpan<int> all = corpus.Text(t);
        if (text.Length < all.Length) text = new int[all.Length];
        int length = 0;
        foreach (int id in all)
            if (keep is null || (uint)(random.Next() >> 32) <= keep[id]) text[length++] = id;
        return length;
    }

    CentreBatch Take()
    {
        CentreBatch batch = new([.. centres], [.. contexts], [.. centreOf], [.. pairsOf], words);
        centres.Clear();
        contexts.Clear();
        centreOf.Clear();
        pairsOf.Clear();
        return batch;
    }
}
