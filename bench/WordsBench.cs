using System.Diagnostics;
using System.Globalization;
using Scion.Datasets;
using Scion.Text;

namespace Scion.Bench;

/// <summary>How many words a second does the trainer read, against skip-gram in plain C# loops, in the same run?</summary>
/// <remarks>Dimension 100, window 5, 5 negatives, no sub-sampling; <c>words FILE [threads]</c>. Both train on the same corpus; the plain loops draw noise for
/// each pair, as word2vec.c does, on one thread. Three rounds of each, alternating; the ratio is of the medians.</remarks>
static class WordsBench
{
    const int Dim = 100, Window = 5, Negatives = 5;

    public static Task<int> Run(string[] arguments)
    {
        int threads = arguments.Length > 1 ? int.Parse(arguments[1], CultureInfo.InvariantCulture) : 2;
        string[] texts = LabelledTexts.Read(arguments[0], 0).Pool;
        Vocabulary vocabulary = Vocabulary.Of(texts.SelectMany(Tokenizer.Words).CountBy(word => word).ToDictionary(c => c.Key, c => (long)c.Value), 2);
        TokenCorpus.Builder builder = new(vocabulary);
        foreach (string text in texts) builder.Add(text);
        TokenCorpus corpus = builder.Build();
        EmbeddingOptions options = EmbeddingPresets.Resolve(new ReviewSettings(), corpus.Count, 1) with { Dim = Dim, Window = Window, Negatives = Negatives, Subsample = 0, Epochs = 10 };
        List<double> plain = [], one = [], many = [];
        for (int round = 0; round < 3; round++)
        {
            plain.Add(Rate(corpus.Count, () => Plain(corpus, vocabulary, options.Seed)));
            one.Add(Rate(corpus.Count * 10L, () => new SkipGramTrainer().Train(corpus, vocabulary, options, null, default)));
            many.Add(Rate(corpus.Count * 10L, () => new SkipGramTrainer().Train(corpus, vocabulary, options with { Threads = threads }, null, default)));
        }
        double Median(List<double> values) => values.Order().ElementAt(1);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{corpus.Count} words; plain loops {Median(plain):N0} words/s; trainer, 1 thread {Median(one):N0} ({Median(one) / Median(plain):F1}x), {threads} threads {Median(many):N0} ({Median(many) / Median(plain):F1}x)"));
        return Task.FromResult(0);
    }

    static double Rate(long words, Action train)
    {
        long started = Stopwatch.GetTimestamp();
        train();
        return words / Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    /// <summary>One pass of skip-gram with negative sampling, a pair at a time.</summary>
    static void Plain(TokenCorpus corpus, Vocabulary vocabulary, int seed)
    {
        Xoshiro random = new(seed, 0);
        NoiseSampler noise = NoiseSampler.ByCount(vocabulary.Counts);
        float[] input = new float[vocabulary.Count * Dim], output = new float[input.Length], pull = new float[Dim];
        for (int i = 0; i < input.Length; i++) input[i] = (float)(random.Unit() - 0.5) / Dim;
        for (int t = 0; t < corpus.Texts; t++)
        {
            ReadOnlySpan<int> text = corpus.Text(t);
            for (int at = 0; at < text.Length; at++)
            {
                int span = 1 + random.Below(Window);
                for (int i = Math.Max(0, at - span); i <= Math.Min(text.Length - 1, at + span); i++)
                {
                    if (i == at) continue;
                    int u = text[i] * Dim;
                    Array.Clear(pull);
                    for (int k = -1; k < Negatives; k++)
                    {
                        int id = k < 0 ? text[at] : noise.Draw(ref random);
                        if (k >= 0 && id == text[at]) continue;
                        int v = id * Dim;
                        float score = 0;
                        for (int j = 0; j < Dim; j++) score += input[u + j] * output[v + j];
                        float step = 0.05f * ((k < 0 ? 1 : 0) - (1 / (1 + MathF.Exp(-score))));
                        for (int j = 0; j < Dim; j++)
                        {
                            pull[j] += step * output[v + j];
                            output[v + j] += step * input[u + j];
                        }
                    }
                    for (int j = 0; j < Dim; j++) input[u + j] += pull[j];
                }
            }
        }
    }
}
