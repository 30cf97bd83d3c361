using System.Numerics.Tensors;
using Scion.Datasets;
using Scion.Evaluation;
using Scion.Text;

namespace Scion.Demo;

/// <param name="Accuracy">Share of the test predictions that were right, over all re-draws.</param>
/// <param name="Low">Lower end of its 95 % interval.</param>
/// <param name="High">Upper end.</param>
/// <param name="N">Test predictions.</param>
public sealed record TransferArm(double Accuracy, double Low, double High, int N);

/// <param name="Scratch">The head on untrained vectors, U(−1, 1).</param>
/// <param name="Transfer">The same head on vectors pretrained on all texts but the two that test.</param>
/// <param name="Gain">Transfer less scratch; its interval is of the difference.</param>
/// <param name="Draws">Re-draws of which texts train and which test.</param>
/// <param name="Pretrainings">Times word vectors were trained.</param>
/// <param name="Texts">Texts the re-draws share.</param>
public sealed record TransferOutcome(TransferArm Scratch, TransferArm Transfer, TransferArm Gain, int Draws, int Pretrainings, int Texts);

/// <summary>The article's experiment, many times: which few texts are labelled and which two test is drawn again and again.</summary>
/// <remarks>Each round pairs the texts at random, one of each class; each pair tests once, with vectors pretrained on every other text,
/// no label seen, and many draws of the labelled ones. A test text is thus in nothing that is fitted, and with 72 texts the sizes are the
/// article's: 62 unlabelled, 8 labelled, 2 test. The head is the nearest class mean, which has nothing to tune.
/// <para>Intervals: the re-draws share the texts, so they are no independent trials, and their number must not narrow the interval. It is the
/// jackknife's over texts (Efron and Stein 1981): each text is left out in turn, as test and as labelled text, and the variance is
/// (n − 1)/n · Σ(estimate without it − estimate)²; the interval is ±t(n − 1) standard errors. Pretraining is not repeated for it.
/// What it leaves out: how another author's texts would differ.</para></remarks>
public static class TransferExperiment
{
    /// <param name="texts">The reviews.</param>
    /// <param name="truth">True: positive, [texts]. As many as negative.</param>
    /// <param name="settings">Preset, overrides and seed of the word vectors.</param>
    /// <param name="trainer">Trains them.</param>
    /// <param name="perClass">Labelled texts a class; the article has 4.</param>
    /// <param name="rounds">Times every text tests with its own pretraining.</param>
    /// <param name="drawsPerTest">Draws of the labelled texts for each pretraining.</param>
    /// <param name="cancellation">Stops the experiment.</param>
    /// <exception cref="ArgumentException">The classes differ in size or are too small.</exception>
    public static TransferOutcome Run(
        IReadOnlyList<string> texts, IReadOnlyList<bool> truth, ReviewSettings settings, IEmbeddingTrainer trainer, int perClass = 4, int rounds = 1,
        int drawsPerTest = 200, CancellationToken cancellation = default)
    {
        int[] positive = [.. Enumerable.Range(0, texts.Count).Where(i => truth[i])], negative = [.. Enumerable.Range(0, texts.Count).Where(i => !truth[i])];
        if (positive.Length != negative.Length || positive.Length <= perClass)
            throw new ArgumentException($"{positive.Length} positive and {negative.Length} negative texts; both must be more than {perClass}, and equal.", nameof(truth));

        List<(int Seed, int Positive, int Negative)> tests = [];
        Xoshiro pairs = new(settings.Seed, stream: 1_000_000);
        for (int round = 0; round < rounds; round++)
        {
            Shuffle(positive, ref pairs);
            for (int pair = 0; pair < positive.Length; pair++) tests.Add((tests.Count, positive[pair], negative[pair]));
        }
        Tally[] tallies = new Tally[tests.Count];
        Parallel.For(0, tests.Count, new ParallelOptions { CancellationToken = cancellation }, t =>
            tallies[t] = Test(texts, truth, settings with { Seed = settings.Seed + tests[t].Seed }, trainer, [tests[t].Negative, tests[t].Positive], perClass, drawsPerTest, cancellation));

        Tally all = new(texts.Count);
        foreach (Tally tally in tallies) all.Add(tally);
        return new TransferOutcome(all.Arm(0), all.Arm(1), all.Arm(2), tests.Count * drawsPerTest, tests.Count, texts.Count);
    }

    /// <summary>One pretraining without the two test texts, and many draws of the labelled ones.</summary>
    static Tally Test(
        IReadOnlyList<string> texts, IReadOnlyList<bool> truth, ReviewSettings settings, IEmbeddingTrainer trainer, int[] test, int perClass, int draws,
        CancellationToken cancellation)
    {
        int[] rest = [.. Enumerable.Range(0, texts.Count).Except(test)];
        (SentenceEncoder trained, SentenceEncoder untrained) = Encoders([.. rest.Select(i => texts[i])], settings, trainer, cancellation);
        float[][][] features = [[.. texts.Select(text => Features(untrained, text))], [.. texts.Select(text => Features(trained, text))]];
        int[] positive = [.. rest.Where(i => truth[i])], negative = [.. rest.Where(i => !truth[i])];
        Xoshiro random = new(settings.Seed, stream: 2_000_000);
        Tally tally = new(texts.Count);
        Span<double> right = stackalloc double[2];
        for (int draw = 0; draw < draws; draw++)
        {
            Shuffle(positive, ref random);
            Shuffle(negative, ref random);
            ReadOnlySpan<int> yes = positive.AsSpan(0, perClass), no = negative.AsSpan(0, perClass);
            for (int arm = 0; arm < 2; arm++)
            {
                right[arm] = 0;
                foreach (int i in test) right[arm] += Score(features[arm], yes, no, i) is var score && score == 0 ? 0.5 : (score > 0) == truth[i] ? 1 : 0;
            }
            tally.Add(right[0] / test.Length, right[1] / test.Length, [.. yes, .. no, .. test]);
        }
        return tally;
    }

    static (SentenceEncoder Trained, SentenceEncoder Untrained) Encoders(
        string[] texts, ReviewSettings settings, IEmbeddingTrainer trainer, CancellationToken cancellation)
    {
        Dictionary<string, long> counts = new(StringComparer.Ordinal);
        foreach (string text in texts)
            foreach (string word in Tokenizer.Words(text)) counts[word] = counts.GetValueOrDefault(word) + 1;
        EmbeddingOptions options = EmbeddingPresets.Resolve(settings, counts.Values.Sum(), cores: 1);
        Vocabulary vocabulary = Vocabulary.Of(counts, options.MinCount);
        TokenCorpus.Builder corpus = new(vocabulary);
        foreach (string text in texts) corpus.Add(text);
        float[] vectors = trainer.Train(corpus.Build(), vocabulary, options, progress: null, cancellation).Vectors;
        return (SentenceEncoderFit.Fit(vocabulary, options.Dim, vectors, texts),
            SentenceEncoderFit.Fit(vocabulary, options.Dim, PretrainEmbeddingsStep.Untrained(vocabulary.Count, options), texts));
    }

    static float[] Features(SentenceEncoder encoder, string text)
    {
        float[] features = new float[encoder.Dim];
        encoder.Encode(text, features);
        return features;
    }

    /// <summary>Above 0 where the text lies nearer to the mean of the first class than to that of the second.</summary>
    static double Score(float[][] features, ReadOnlySpan<int> yes, ReadOnlySpan<int> no, int text)
    {
        Span<float> difference = new float[features[text].Length], between = new float[features[text].Length];
        foreach (int i in yes) TensorPrimitives.Add(difference, features[i], difference);
        difference.CopyTo(between);
        foreach (int i in no) TensorPrimitives.Subtract(difference, features[i], difference);
        foreach (int i in no) TensorPrimitives.Add(between, features[i], between);
        return TensorPrimitives.Dot(features[text], difference) - (TensorPrimitives.Dot(between, difference) / (yes.Length + no.Length));
    }

    static void Shuffle(int[] items, ref Xoshiro random)
    {
        for (int i = items.Length - 1; i > 0; i--)
        {
            int j = random.Below(i + 1);
            (items[i], items[j]) = (items[j], items[i]);
        }
    }

    /// <summary>Sums over re-draws, in all and of those each text is part of.</summary>
    sealed class Tally(int texts)
    {
        readonly double[] sums = new double[3];
        readonly double[] with = new double[3 * texts];
        readonly long[] drawsWith = new long[texts];
        long draws;

        public void Add(double scratch, double transfer, ReadOnlySpan<int> used)
        {
            ReadOnlySpan<double> values = [scratch, transfer, transfer - scratch];
            draws++;
            TensorPrimitives.Add(sums, values, sums);
            foreach (int text in used)
            {
                drawsWith[text]++;
                for (int arm = 0; arm < 3; arm++) with[(arm * texts) + text] += values[arm];
            }
        }

        public void Add(Tally other)
        {
            draws += other.draws;
            TensorPrimitives.Add(sums, other.sums, sums);
            TensorPrimitives.Add(with, other.with, with);
            TensorPrimitives.Add<long>(drawsWith, other.drawsWith, drawsWith);
        }

        public TransferArm Arm(int arm)
        {
            double estimate = sums[arm] / draws, squares = 0;
            for (int text = 0; text < texts; text++)
            {
                double without = (sums[arm] - with[(arm * texts) + text]) / (draws - drawsWith[text]);
                squares += (without - estimate) * (without - estimate);
            }
            double error = StudentT.Point975(texts - 1) * Math.Sqrt(squares * (texts - 1) / texts);
            return new TransferArm(estimate, Math.Max(arm == 2 ? -1 : 0, estimate - error), Math.Min(1, estimate + error), checked((int)(2 * draws)));
        }
    }
}
