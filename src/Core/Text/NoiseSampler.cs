namespace Scion.Text;

/// <summary>Draws noise words: by count to the power 0.75 for negative sampling, log-uniform by rank for NCE.</summary>
/// <remarks>Sources: Mikolov et al. 2013, arXiv:1310.4546, section 2.2; TensorFlow's log-uniform candidate sampler,
/// P(k) = (log(k + 2) − log(k + 1)) / log(words + 1). The counts are drawn from by the alias method (Walker 1977; Vose 1991), O(1) a draw.</remarks>
public sealed class NoiseSampler
{
    readonly int words;
    readonly uint[]? threshold;         // of the alias method; null for log-uniform
    readonly int[]? alias;
    readonly double logRange;

    NoiseSampler(int words, uint[]? threshold, int[]? alias) =>
        (this.words, this.threshold, this.alias, logRange) = (words, threshold, alias, Math.Log(words + 1.0));

    /// <summary>P(word) ∝ count^0.75.</summary>
    public static NoiseSampler ByCount(IReadOnlyList<long> counts)
    {
        int n = counts.Count;
        double[] scaled = new double[n];
        double mean = 0;
        for (int i = 0; i < n; i++) mean += (scaled[i] = Math.Pow(counts[i], 0.75)) / n;
        uint[] threshold = new uint[n];
        int[] alias = new int[n], work = new int[n];                    // the small from the front, the large from the back: two stacks
        int small = 0, large = n;
        for (int i = 0; i < n; i++)
        {
            scaled[i] /= mean;
            alias[i] = i;
            if (scaled[i] < 1) work[small++] = i;
            else work[--large] = i;
        }
        while (small > 0 && large < n)
        {
            int less = work[--small], more = work[large];
            threshold[less] = (uint)(scaled[less] * uint.MaxValue);
            alias[less] = more;
            scaled[more] -= 1 - scaled[less];
            if (scaled[more] >= 1) continue;
            large++;
            work[small++] = more;
        }
        for (int i = 0; i < small; i++) threshold[work[i]] = uint.MaxValue;              // left by rounding
        for (int i = large; i < n; i++) threshold[work[i]] = uint.MaxValue;
        return new NoiseSampler(n, threshold, alias);
    }

    /// <summary>P(rank) falls as 1/rank; ids are ranks by count.</summary>
    public static NoiseSampler LogUniform(int words) => new(words, null, null);

    public int Draw(ref Xoshiro random)
    {
        if (threshold is null) return Math.Min(words - 1, (int)(Math.Exp(random.Unit() * logRange) - 1));
        ulong bits = random.Next();
        int id = (int)(((bits >> 32) * (ulong)words) >> 32);
        return (uint)bits <= threshold[id] ? id : alias![id];
    }

    /// <summary>Log of how often the word is expected among the draws, repeats counted once: log(1 − (1 − P(word))^draws). What NCE takes off a
    /// logit; TensorFlow's sampler without replacement has the same.</summary>
    public double LogExpected(int id, int draws) => threshold is null
        ? Math.Log(-Expm1(draws * Log1P(-((Math.Log(id + 2.0) - Math.Log(id + 1.0)) / logRange))))
        : throw new InvalidOperationException("Only the log-uniform sampler is used with NCE.");

    // Kahan's forms: exact where x is small, unlike log(1 + x) and exp(x) − 1.
    static double Log1P(double x) => 1 + x is var y && y == 1 ? x : Math.Log(y) * x / (y - 1);

    static double Expm1(double x)
    {
        double y = Math.Exp(x);
        return y == 1 ? x : y - 1 == -1 ? -1 : (y - 1) * x / Math.Log(y);
    }
}
