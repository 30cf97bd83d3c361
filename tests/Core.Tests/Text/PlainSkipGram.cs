using Scion.Text;

namespace Scion.Tests.Text;

/// <summary>Skip-gram as the papers write it, in double precision and plain loops: the slow oracle of kernel and trainers.</summary>
/// <remarks>Mikolov et al. 2013, arXiv:1310.4546, eq. 4; Gutmann and Hyvärinen 2010. It draws the same random numbers in the same order as
/// <see cref="SkipGramTrainer"/>, so the two may differ by rounding alone.</remarks>
sealed class PlainSkipGram
{
    public double[][] Input { get; init; } = [];
    public double[][] Output { get; init; } = [];
    public double[] Bias { get; init; } = [];

    public static double Softplus(double x) => Math.Max(x, 0) + Math.Log(1 + Math.Exp(-Math.Abs(x)));

    public static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));

    /// <summary>Σ over inputs and outputs of −log σ(±(u·v + b − offset)); output 0 is the true one where <paramref name="first"/> says so.</summary>
    public static double Loss(double[][] inputs, double[][] outputs, double[] biases, double[] offsets, bool first = true)
    {
        double loss = 0;
        foreach (double[] u in inputs)
            for (int k = 0; k < outputs.Length; k++)
            {
                double logit = u.Zip(outputs[k], (a, b) => a * b).Sum() + biases[k] - offsets[k];
                loss += Softplus(first && k == 0 ? -logit : logit);
            }
        return loss;
    }

    /// <summary>One step as the kernel takes it: groups of six outputs one after the other, each an exact gradient step on rows read before it.
    /// A row that stands among the inputs twice gives its second push to the outputs from where its first has moved it.</summary>
    public static double Step(double[][] inputs, double[][] outputs, double[] biases, double[] offsets, double rate, bool biased)
    {
        double loss = 0;
        for (int start = 0; start < outputs.Length; start += 6)
        {
            int count = Math.Min(6, outputs.Length - start);
            double[][] u = [.. inputs.Select(row => (double[])row.Clone())], v = [.. outputs.Skip(start).Take(count).Select(row => (double[])row.Clone())];
            double[] b = biases[start..(start + count)];
            loss += Loss(u, v, b, offsets[start..(start + count)], start == 0);
            for (int i = 0; i < u.Length; i++)
            {
                double[] moved = (double[])inputs[i].Clone();         // differs from u[i] where the row stood among the inputs before
                for (int k = 0; k < count; k++)
                {
                    double logit = u[i].Zip(v[k], (x, y) => x * y).Sum() + b[k] - offsets[start + k];
                    double g = rate * ((start + k == 0 ? 1 : 0) - Sigmoid(logit));
                    for (int j = 0; j < u[i].Length; j++)
                    {
                        inputs[i][j] += g * v[k][j];
                        outputs[start + k][j] += g * moved[j];
                    }
                    if (biased) biases[start + k] += g;
                }
            }
        }
        return loss;
    }

    public static PlainSkipGram Start(Vocabulary vocabulary, EmbeddingOptions o)
    {
        float[] input = new float[vocabulary.Count * o.Dim], output = new float[input.Length];
        SkipGramTrainer.Start(input, output, vocabulary.Count, o.Dim, o);
        return new PlainSkipGram
        {
            Input = [.. input.Chunk(o.Dim).Select(row => row.Select(x => (double)x).ToArray())],
            Output = [.. output.Chunk(o.Dim).Select(row => row.Select(x => (double)x).ToArray())],
            Bias = new double[vocabulary.Count],
        };
    }

    /// <summary>The words of a text that stay when frequent ones are thinned.</summary>
    public static int[] Thinned(ReadOnlySpan<int> text, Vocabulary vocabulary, EmbeddingOptions o, ref Xoshiro random)
    {
        double tokens = vocabulary.Counts.Sum();
        List<int> kept = [];
        foreach (int id in text)
        {
            double ratio = o.Subsample * tokens / vocabulary.Counts[id];
            uint keep = (uint)(Math.Min(1, Math.Sqrt(ratio) + ratio) * uint.MaxValue);
            if (o.Subsample <= 0 || (uint)(random.Next() >> 32) <= keep) kept.Add(id);
        }
        return [.. kept];
    }

    /// <summary>Negative sampling a pair at a time, noise drawn for each pair, as word2vec.c: what the vectors of the fast algorithm are no worse than.</summary>
    public static PlainSkipGram TrainPairs(TokenCorpus corpus, Vocabulary vocabulary, EmbeddingOptions o)
    {
        PlainSkipGram model = Start(vocabulary, o);
        NoiseSampler noise = NoiseSampler.ByCount(vocabulary.Counts);
        Xoshiro random = new(o.Seed, 1);
        long total = (long)corpus.Count * o.Epochs, done = 0;
        for (int epoch = 0; epoch < o.Epochs; epoch++)
            for (int t = 0; t < corpus.Texts; t++)
            {
                double rate = o.Rate * Math.Max(1e-4, 1 - ((double)done / total));
                int[] text = Thinned(corpus.Text(t), vocabulary, o, ref random);
                for (int at = 0; at < text.Length; at++)
                {
                    int span = 1 + random.Below(o.Window);
                    for (int i = Math.Max(0, at - span); i <= Math.Min(text.Length - 1, at + span); i++)
                    {
                        if (i == at) continue;
                        double[] u = model.Input[text[i]], pull = new double[o.Dim];
                        for (int k = -1; k < o.Negatives; k++)
                        {
                            int id = k < 0 ? text[at] : noise.Draw(ref random);
                            if (k >= 0 && id == text[at]) continue;
                            double[] v = model.Output[id];
                            double logit = 0;
                            for (int j = 0; j < u.Length; j++) logit += u[j] * v[j];
                            double g = rate * ((k < 0 ? 1 : 0) - Sigmoid(logit));
                            for (int j = 0; j < u.Length; j++)
                            {
                                pull[j] += g * v[j];
                                v[j] += g * u[j];
                            }
                        }
                        for (int j = 0; j < u.Length; j++) u[j] += pull[j];
                    }
                }
                done += corpus.Text(t).Length;
            }
        return model;
    }

    /// <summary>A training with NCE at one thread, or with negative sampling around one word after the other.</summary>
    /// <returns>Mean loss of a pair in the last epoch.</returns>
    public static (PlainSkipGram Model, double Loss) Train(TokenCorpus corpus, Vocabulary vocabulary, EmbeddingOptions o)
    {
        bool nce = o.Loss == SkipGramLoss.Nce;
        PlainSkipGram model = Start(vocabulary, o);
        NoiseSampler noise = nce ? NoiseSampler.LogUniform(vocabulary.Count) : NoiseSampler.ByCount(vocabulary.Counts);
        Xoshiro random = new(o.Seed, 0);
        double lossSum = 0;
        long total = (long)corpus.Count * o.Epochs, done = 0, batch = 0, pairs = 0;
        float rate = (float)o.Rate;
        for (int epoch = 0; epoch < o.Epochs; epoch++)
            for (int t = 0; t < corpus.Texts; t++)
            {
                int[] text = Thinned(corpus.Text(t), vocabulary, o, ref random);
                for (int at = 0; at < text.Length; at++)
                {
                    int span = o.Window == 0 ? 64 : 1 + random.Below(o.Window);
                    int[] around = [.. Enumerable.Range(0, text.Length).Where(i => i != at && Math.Abs(i - at) <= span).Select(i => text[i])];
                    if (around.Length == 0) continue;
                    List<int> ids = [text[at]];
                    for (int k = 0; k < o.Negatives; k++)
                        if (noise.Draw(ref random) is var id && !ids.Contains(id)) ids.Add(id);
                    double[] biases = [.. ids.Select(id => model.Bias[id])], offsets = [.. ids.Select(id => nce ? noise.LogExpected(id, o.Negatives) : 0)];
                    double loss = Step([.. around.Select(id => model.Input[id])], [.. ids.Select(id => model.Output[id])], biases, offsets, nce ? rate / around.Length : rate, nce);
                    for (int k = 0; k < ids.Count; k++) model.Bias[ids[k]] = biases[k];
                    if (epoch < o.Epochs - 1) continue;
                    lossSum += loss;
                    pairs += around.Length;
                }
                batch += corpus.Text(t).Length;
                if (batch < 4096 && total >= 4096 * 64L) continue;
                done += batch;
                batch = 0;
                if (o.LinearDecay) rate = (float)(o.Rate * Math.Max(1e-4, 1 - ((double)done / total)));
            }
        return (model, lossSum / pairs);
    }
}
