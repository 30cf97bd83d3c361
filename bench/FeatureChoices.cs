using System.Diagnostics;
using System.Globalization;
using Scion.Datasets;
using Scion.Text;

namespace Scion.Bench;

/// <summary>How accurate is a head on n labels per class, by the options of the word vectors and of the sentence features?</summary>
/// <remarks>A fifth of the rows is held back by hash and read by nothing but the last count. Vectors learn from the texts of the rest, without
/// labels. The head is L2 logistic regression, its strength cross-validated on the n rows. Every option list is crossed with every other.
/// <code>features ../shared/data/mr/reviews.csv dim=50,100 a=1e-3 components=0,1 labels=8,64 draws=10 rows=10000</code></remarks>
static class FeatureChoices
{
    public static readonly string[] Trained = ["preset", "dim", "window", "negatives", "epochs", "minCount", "subsample", "rate", "seed", "threads"];

    public static Task<int> Run(string[] arguments)
    {
        Dictionary<string, string[]> sets = OptionLists(arguments[1..]);
        string[] Values(string key, string fallback) => sets.TryGetValue(key, out string[]? values) ? values : [fallback];
        LabelledTexts data = LabelledTexts.Read(arguments[0], (int)Number(Values("rows", "0")[0]));
        int[] sizes = [.. Values("labels", "8,16,64,256").SelectMany(v => v.Split(',')).Select(v => (int)Number(v))];
        int draws = (int)Number(Values("draws", "10")[0]);
        Console.WriteLine($"{data.Pool.Length} texts to learn from, {data.Held.Length} held back, {draws} draws");
        Console.WriteLine($"{"options",-90} {string.Join(' ', sizes.Select(n => $"{"n=" + n,12}"))}   loss  words/s");

        string[] pooled = ["a", "components"];
        foreach (Dictionary<string, string> choice in Cross(sets, Trained))
        {
            ReviewSettings settings = Settings(choice);
            Dictionary<string, long> counts = [];
            foreach (string text in data.Pool)
                foreach (string word in Tokenizer.Words(text)) counts[word] = counts.GetValueOrDefault(word) + 1;
            long tokens = counts.Values.Sum();
            EmbeddingOptions options = EmbeddingPresets.Resolve(settings, tokens, 1);
            Vocabulary vocabulary = Vocabulary.Of(counts, options.MinCount);
            TokenCorpus.Builder builder = new(vocabulary);
            foreach (string text in data.Pool) builder.Add(text);
            TokenCorpus corpus = builder.Build();
            long started = Stopwatch.GetTimestamp();
            TrainedVectors vectors = choice.GetValueOrDefault("preset") == "untrained"
                ? new TrainedVectors(PretrainEmbeddingsStep.Untrained(vocabulary.Count, options), 0, "cpu", true)
                : new SkipGramTrainer().Train(corpus, vocabulary, options, null, default);
            double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;

            foreach (Dictionary<string, string> pooling in Cross(sets, pooled))
            {
                SentenceEncoder encoder = SentenceEncoderFit.Fit(vocabulary, options.Dim, vectors.Vectors, Weights(vocabulary, data.Pool, pooling.GetValueOrDefault("a", "1e-3")),
                    data.Pool, (int)Number(pooling.GetValueOrDefault("components", "1")));
                float[][] pool = [.. data.Pool.Select(t => Encode(encoder, t))], held = [.. data.Held.Select(t => Encode(encoder, t))];
                string[] figures = [.. sizes.Select(n => Figure(pool, data.PoolLabels, held, data.HeldLabels, n, draws))];
                string name = string.Join(' ', choice.Concat(pooling).Select(c => $"{c.Key}={c.Value}"));
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"{name + $" (epochs {options.Epochs})",-90} {string.Join(' ', figures.Select(f => $"{f,12}"))} {vectors.Loss,6:F3} {tokens * options.Epochs / seconds,8:F0}"));
            }
        }
        return Task.FromResult(0);
    }

    static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);

    public static Dictionary<string, string[]> OptionLists(string[] arguments) =>
        arguments.Select(a => a.Split('=')).ToDictionary(a => a[0], a => a[1].Split(','));

    public static ReviewSettings Settings(Dictionary<string, string> choice)
    {
        int? Int(string key) => choice.TryGetValue(key, out string? v) ? (int)Number(v) : null;
        double? Real(string key) => choice.TryGetValue(key, out string? v) ? Number(v) : null;
        return new ReviewSettings
        {
            Preset = choice.GetValueOrDefault("preset", "default") is "untrained" ? "default" : choice.GetValueOrDefault("preset", "default"),
            Seed = Int("seed") ?? 1,
            Embedding = new EmbeddingOverrides
            {
                Dim = Int("dim"), Window = Int("window"), Negatives = Int("negatives"), Epochs = Int("epochs"), MinCount = Int("minCount"),
                Subsample = Real("subsample"), Rate = Real("rate"), Threads = Int("threads") ?? 1,
            },
        };
    }

    public static IEnumerable<Dictionary<string, string>> Cross(Dictionary<string, string[]> sets, string[] keys)
    {
        IEnumerable<Dictionary<string, string>> crossed = [[]];
        foreach (string key in keys.Where(sets.ContainsKey))
            crossed = crossed.SelectMany(c => sets[key].Select(v => new Dictionary<string, string>(c) { [key] = v }));
        return crossed;
    }

    static float[] Weights(Vocabulary vocabulary, string[] texts, string a)
    {
        if (a == "mean") return [.. Enumerable.Repeat(1f, vocabulary.Count)];
        if (a != "idf") return SentenceEncoderFit.Weights(vocabulary.Counts, double.Parse(a, CultureInfo.InvariantCulture));
        int[] texts1 = new int[vocabulary.Count];
        foreach (string text in texts)
            foreach (int id in Tokenizer.Words(text).Select(w => vocabulary.IdOf(w)).Where(id => id >= 0).Distinct()) texts1[id]++;
        return [.. texts1.Select(df => (float)Math.Log((double)texts.Length / Math.Max(1, df)))];
    }

    static float[] Encode(SentenceEncoder encoder, string text)
    {
        float[] features = new float[encoder.Dim];
        encoder.Encode(text, features);
        return features;
    }

    /// <summary>Mean accuracy over the draws ± its standard error over them.</summary>
    static string Figure(float[][] pool, int[] labels, float[][] held, int[] heldLabels, int n, int draws)
    {
        double[] accuracies = new double[draws];
        Parallel.For(0, draws, new ParallelOptions { MaxDegreeOfParallelism = 1 }, draw =>
        {
            Random random = new(1000 + draw);
            int[] order = [.. Enumerable.Range(0, pool.Length)];
            random.Shuffle(order);
            int[] train = [.. order.Where(i => labels[i] == 0).Take(n), .. order.Where(i => labels[i] == 1).Take(n)];
            random.Shuffle(train);
            ProbeHead head = ProbeHead.Fit([.. train.Select(i => pool[i])], [.. train.Select(i => labels[i])]);
            accuracies[draw] = held.Select((x, i) => head.Score(x) > 0 == (heldLabels[i] == 1) ? 1.0 : 0).Average();
        });
        double mean = accuracies.Average(), deviation = Math.Sqrt(accuracies.Sum(x => (x - mean) * (x - mean)) / (draws - 1) / draws);
        return string.Create(CultureInfo.InvariantCulture, $"{mean:F3}±{deviation:F3}");
    }
}

/// <summary>Two-class L2 logistic regression for measuring features; strength by cross-validation. Not the product's head.</summary>
sealed class ProbeHead(double[] weights, double bias)
{
    static readonly double[] Strengths = [1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1];

    public double Score(float[] x)
    {
        double score = bias;
        for (int j = 0; j < x.Length; j++) score += weights[j] * x[j];
        return score;
    }

    public static ProbeHead Fit(float[][] rows, int[] labels)
    {
        int folds = rows.Length <= 200 ? 5 : 3;
        double best = double.PositiveInfinity, chosen = Strengths[^1];
        foreach (double strength in Strengths)
        {
            double loss = 0;
            for (int fold = 0; fold < folds; fold++)
            {
                int[] fit = [.. Enumerable.Range(0, rows.Length).Where(i => i % folds != fold)];
                ProbeHead head = Fit([.. fit.Select(i => rows[i])], [.. fit.Select(i => labels[i])], strength);
                for (int i = fold; i < rows.Length; i += folds) loss += Math.Log(1 + Math.Exp((labels[i] == 1 ? -1 : 1) * head.Score(rows[i])));
            }
            if (loss < best) (best, chosen) = (loss, strength);
        }
        return Fit(rows, labels, chosen);
    }

    /// <summary>Nesterov's gradient on the mean loss; rows of length 1, so its curvature is at most ½ + strength.</summary>
    static ProbeHead Fit(float[][] rows, int[] labels, double strength)
    {
        int dim = rows[0].Length;
        double[] w = new double[dim + 1], previous = new double[dim + 1], ahead = new double[dim + 1], gradient = new double[dim + 1];
        double step = 1 / (0.5 + strength), kappa = Math.Sqrt(strength * step), momentum = (1 - kappa) / (1 + kappa);
        for (int iteration = 0; iteration < 200; iteration++)
        {
            for (int j = 0; j <= dim; j++) ahead[j] = w[j] + (Math.Min(momentum, iteration / (iteration + 3.0)) * (w[j] - previous[j]));
            Array.Clear(gradient);
            for (int i = 0; i < rows.Length; i++)
            {
                double score = ahead[dim];
                float[] x = rows[i];
                for (int j = 0; j < x.Length; j++) score += ahead[j] * x[j];
                double g = ((1 / (1 + Math.Exp(-score))) - labels[i]) / rows.Length;
                for (int j = 0; j < x.Length; j++) gradient[j] += g * x[j];
                gradient[dim] += g;
            }
            double size = 0;
            for (int j = 0; j <= dim; j++)
            {
                previous[j] = w[j];
                double slope = gradient[j] + (j < dim ? strength * ahead[j] : 0);
                size += slope * slope;
                w[j] = ahead[j] - (step * slope);
            }
            if (size < 1e-14) break;
        }
        return new ProbeHead(w[..dim], w[dim]);
    }
}
