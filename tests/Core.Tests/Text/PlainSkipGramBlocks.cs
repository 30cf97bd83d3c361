using Scion.Text;

namespace Scion.Tests.Text;

/// <summary>Negative sampling in blocks, in double precision and plain loops: the slow oracle of <see cref="SkipGramReader"/>, <see cref="SkipGramBlockKernel"/> and the trainer. It draws the same
/// random numbers in the same order, so the two differ by rounding alone.</summary>
static class PlainSkipGramBlocks
{
    /// <summary>One step: every pair and every weighted meeting of an input and a noise word, all rows read before any is written.</summary>
    /// <param name="input">Input rows.</param>
    /// <param name="output">Output rows.</param>
    /// <param name="inputs">Words that tell others, by place.</param>
    /// <param name="told">Words that each is to tell.</param>
    /// <param name="noise">Noise words as drawn, with repetition.</param>
    /// <param name="negatives">Noise words that a pair meets in the mean.</param>
    /// <param name="rate">Learning rate.</param>
    /// <returns>Loss before the step, nats, summed.</returns>
    public static double Step(double[][] input, double[][] output, int[] inputs, int[][] told, int[] noise, int negatives, double rate)
    {
        double[][] u = [.. inputs.Select(id => (double[])input[id].Clone())];
        Dictionary<int, double[]> v = told.SelectMany(ids => ids).Concat(noise).Distinct().ToDictionary(id => id, id => (double[])output[id].Clone());
        double loss = 0;
        for (int i = 0; i < inputs.Length; i++)
        {
            void Meet(int id, double label, double weight)
            {
                double logit = u[i].Zip(v[id], (a, b) => a * b).Sum(), g = rate * weight * (label - PlainSkipGram.Sigmoid(logit));
                loss += weight * PlainSkipGram.Softplus(label == 1 ? -logit : logit);
                for (int j = 0; j < u[i].Length; j++)
                {
                    input[inputs[i]][j] += g * v[id][j];
                    output[id][j] += g * u[i][j];
                }
            }
            foreach (int id in told[i]) Meet(id, 1, 1);
            foreach (int id in noise) Meet(id, 0, (double)negatives / noise.Length * told[i].Count(other => other != id));      // a noise word is left out for the pair that it is in
        }
        return loss;
    }

    /// <summary>A training at one thread.</summary>
    /// <returns>Mean loss of a pair in the last epoch.</returns>
    public static (PlainSkipGram Model, double Loss) Train(TokenCorpus corpus, Vocabulary vocabulary, EmbeddingOptions o)
    {
        PlainSkipGram model = PlainSkipGram.Start(vocabulary, o);
        NoiseSampler sampler = NoiseSampler.ByCount(vocabulary.Counts);
        Xoshiro random = new(o.Seed, 0);
        long total = (long)corpus.Count * o.Epochs, batch = Math.Clamp(total / 64, 1, 4096), done = 0, pairs = 0;
        double loss = 0;
        for (int epoch = 0; epoch < o.Epochs; epoch++)
            for (int t = 0; t < corpus.Texts;)
            {
                double rate = o.LinearDecay ? (float)(o.Rate * Math.Max(1e-4, 1 - ((double)done / total))) : (float)o.Rate;
                List<(int Id, int[] Told)> words = [];
                long read = 0;
                for (; t < corpus.Texts && read < batch; t++)
                {
                    int[] text = PlainSkipGram.Thinned(corpus.Text(t), vocabulary, o, ref random);
                    for (int at = 0; at < text.Length; at++)
                    {
                        int span = o.Window == 0 ? 64 : 1 + random.Below(o.Window), here = at;
                        words.Add((text[at], [.. Enumerable.Range(0, text.Length).Where(i => i != here && Math.Abs(i - here) <= span).Select(i => text[i])]));
                    }
                    read += corpus.Text(t).Length;
                }
                foreach ((int Id, int[] Told)[] block in words.Chunk(16))
                {
                    if (block.All(word => word.Told.Length == 0)) continue;
                    int[] noise = new int[SkipGramReader.NoiseWords(o)];
                    for (int k = 0; k < noise.Length; k++) noise[k] = sampler.Draw(ref random);
                    double stepLoss = Step(model.Input, model.Output, [.. block.Select(word => word.Id)], [.. block.Select(word => word.Told)], noise, o.Negatives, rate);
                    if (epoch < o.Epochs - 1) continue;
                    loss += stepLoss;
                    pairs += block.Sum(word => word.Told.Length);
                }
                done += read;
            }
        return (model, loss / pairs);
    }
}
