using System.Globalization;
using Scion.Datasets;
using Scion.Heads;
using Scion.Text;

namespace Scion.Bench;

/// <summary>Word vectors of shards averaged each round, beside one machine's on the same texts: accuracy of the product's head on n labels per class.</summary>
/// <remarks>A fifth of the rows is held back by hash and read by nothing but the last count. Every seed trains one machine's vectors and the shards'; heads of all
/// see the same draws, so differences are paired. A way of averaging is NAME[:RATE[:MOMENTUM[:PLACES]]]: <c>product</c> is the pipeline's; <c>mean</c>; <c>count</c> by
/// occurrences; <c>sum</c> of what the shards changed; <c>sat</c> from sum to mean as a word stands PLACES times or more. RATE multiplies the learning rate.
/// <code>shards ../shared/data/mr/reviews.csv shards=4 rounds=88 averages=product,mean:1:0.75,count:4,sum,sat:1:0:128 n=64,256 draws=10 seeds=3 rows=0</code></remarks>
static class ShardsBench
{
    public static Task<int> Run(string[] arguments)
    {
        Dictionary<string, string> set = arguments[1..].Select(a => a.Split('=')).ToDictionary(a => a[0], a => a[1]);
        int Number(string name, int standard) => int.Parse(set.GetValueOrDefault(name, $"{standard}"), CultureInfo.InvariantCulture);
        int[] sizes = [.. set.GetValueOrDefault("n", "64,256").Split(',').Select(v => int.Parse(v, CultureInfo.InvariantCulture))];
        int draws = Number("draws", 10), seeds = Number("seeds", 3), shards = Number("shards", 4);
        LabelledTexts data = LabelledTexts.Read(arguments[0], Number("rows", 0));
        Dictionary<string, long> counts = [];
        foreach (string text in data.Pool)
            foreach (string word in Tokenizer.Words(text)) counts[word] = counts.GetValueOrDefault(word) + 1;
        Dictionary<string, string> choice = set.Where(option => FeatureChoices.Trained.Contains(option.Key)).ToDictionary(option => option.Key, option => option.Value);
        EmbeddingOptions options = EmbeddingPresets.Resolve(FeatureChoices.Settings(choice), counts.Values.Sum(), 1);
        int usual = EmbeddingPresets.Resolve(new ReviewSettings { Embedding = new EmbeddingOverrides { Shards = shards, Epochs = options.Epochs } }, counts.Values.Sum(), 1).Rounds;
        Vocabulary vocabulary = Vocabulary.Of(counts, options.MinCount);
        TokenCorpus all = Corpus(data.Pool, vocabulary, 0, 1);
        int rounds = Number("rounds", usual), pieces = Math.Max(1, rounds / options.Epochs);
        TokenCorpus[][] parts = [.. Enumerable.Range(0, pieces).Select(piece =>
            Enumerable.Range(0, shards).Select(s => Corpus(data.Pool, vocabulary, (piece * shards) + s, shards * pieces)).ToArray())];
        Console.WriteLine($"{all.Count} words, {vocabulary.Count} distinct, {options.Epochs} epochs, {rounds} rounds, {shards} shards; {draws} draws, {seeds} seeds");

        List<(string Name, Func<int, (float[], double)> Train)> rows = [("one machine", seed =>
        {
            TrainedVectors one = new SkipGramTrainer().Train(all, vocabulary, options with { Seed = seed }, null, default);
            return (one.Vectors, one.Loss);
        })];
        foreach (string average in set.GetValueOrDefault("averages", "product").Split(','))
            rows.Add((average, seed => Sharded(parts, vocabulary, options with { Seed = seed }, rounds, average)));
        double[][]? first = null;
        foreach ((string name, Func<int, (float[] Vectors, double Loss)> train) in rows)
        {
            double[][] figures = [.. sizes.Select(_ => new double[seeds])];
            double loss = 0;
            for (int seed = 1; seed <= seeds; seed++)
            {
                (float[] vectors, double last) = (new float[vocabulary.Count * options.Dim], double.NaN);
                try
                {
                    (vectors, last) = train(seed);
                }
                catch (AggregateException e)
                {
                    Console.WriteLine($"{name}: {e.InnerExceptions[0].Message}");
                    break;
                }
                loss += last / seeds;
                for (int i = 0; i < sizes.Length; i++) figures[i][seed - 1] = Accuracy(data, vocabulary, options.Dim, vectors, sizes[i], draws);
            }
            first ??= figures;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-24} loss {loss:F4}") + string.Concat(sizes.Select((n, i) => string.Create(
                CultureInfo.InvariantCulture, $"  n={n} {figures[i].Average():F4} ({100 * (figures[i].Average() - first[i].Average()):+0.00;-0.00} points)"))));
        }
        return Task.FromResult(0);
    }

    static TokenCorpus Corpus(string[] texts, Vocabulary vocabulary, int shard, int shards)
    {
        TokenCorpus.Builder corpus = new(vocabulary);
        for (int i = shard; i < texts.Length; i += shards) corpus.Add(texts[i]);
        return corpus.Build();
    }

    static (float[], double) Sharded(TokenCorpus[][] pieces, Vocabulary vocabulary, EmbeddingOptions options, int rounds, string average)
    {
        string[] scheme = average.Split(':');
        double Part(int at, double standard) => scheme.Length > at ? double.Parse(scheme[at], CultureInfo.InvariantCulture) : standard;
        double rate = Part(1, 1), momentum = Part(2, scheme[0] == "product" ? AverageEmbeddingsStep.Momentum(pieces[0].Length) : 0), places = Part(3, 128), loss = 0;
        float[] input = new float[vocabulary.Count * options.Dim], output = new float[input.Length];
        SkipGramTrainer.Start(input, output, vocabulary.Count, options.Dim, options);
        float[] inputBefore = [.. input], outputBefore = [.. output];
        for (int round = 0; round < rounds; round++)
        {
            int passes = pieces.Length > 1 ? 1 : (options.Epochs * (round + 1) / rounds) - (options.Epochs * round / rounds);
            TokenCorpus[] parts = pieces[round % pieces.Length];
            EmbeddingOptions own = options with { Epochs = passes, Threads = 1, Rate = options.Rate * rate };
            TrainedVectors[] trained = [.. parts.AsParallel().AsOrdered().WithDegreeOfParallelism(2).Select((part, s) => new SkipGramTrainer().Continue(
                new EmbeddingStart([.. input], [.. output], [], round / (double)rounds, (round + 1.0) / rounds, (round * parts.Length) + s), part, vocabulary, own, null, default))];
            loss = trained.Average(t => t.Loss);
            double[][] occurrences = [.. parts.Select(part => Occurrences(part, vocabulary.Count, passes))];
            float[] inputNow = [.. input], outputNow = [.. output];
            for (int w = 0; w < vocabulary.Count; w++)
            {
                double total = occurrences.Sum(count => count[w]);
                double[] shares = [.. occurrences.Select(count => scheme[0] switch
                {
                    "product" or "mean" => 1.0 / parts.Length,
                    "count" => total == 0 ? 1.0 / parts.Length : count[w] / total,
                    "sum" => 1,
                    "sat" => total == 0 || count[w] == 0 ? 0 : count[w] / total * (1 - Math.Exp(-total / places)) / (1 - Math.Exp(-count[w] / places)),
                    _ => throw new ArgumentException(average),
                })];
                for (int j = w * options.Dim; j < (w + 1) * options.Dim; j++)
                {
                    double a = momentum * (inputNow[j] - inputBefore[j]), b = momentum * (outputNow[j] - outputBefore[j]);
                    for (int s = 0; s < parts.Length; s++)
                    {
                        a += shares[s] * (trained[s].Vectors[j] - inputNow[j]);
                        b += shares[s] * (trained[s].Output[j] - outputNow[j]);
                    }
                    input[j] += (float)a;
                    output[j] += (float)b;
                }
            }
            (inputBefore, outputBefore) = (inputNow, outputNow);
        }
        return (input, loss);
    }

    static double[] Occurrences(TokenCorpus corpus, int words, int passes)
    {
        double[] counts = new double[words];
        foreach (int id in corpus.Ids.AsSpan(0, corpus.Count)) counts[id] += passes;
        return counts;
    }

    static double Accuracy(LabelledTexts data, Vocabulary vocabulary, int dim, float[] vectors, int n, int draws)
    {
        string[] texts = [.. data.Pool, .. data.Held];
        int[] labels = [.. data.PoolLabels, .. data.HeldLabels];
        int classes = labels.Max() + 1;
        SentenceEncoder encoder = SentenceEncoderFit.Fit(vocabulary, dim, vectors, data.Pool);
        float[] features = new float[texts.Length * dim];
        for (int i = 0; i < texts.Length; i++) encoder.Encode(texts[i], features.AsSpan(i * dim, dim));
        DenseFeatures matrix = new(features, dim);
        double sum = 0;
        for (int draw = 0; draw < draws; draw++)
        {
            Random random = new(1000 + draw);
            int[] order = [.. Enumerable.Range(0, data.Pool.Length)];
            random.Shuffle(order);
            int[] train = [.. Enumerable.Range(0, classes).SelectMany(c => order.Where(i => labels[i] == c).Take(n)).Order()];
            WideHead head = new(HeadSelection.Fit(_ => matrix, train, labels, classes, HeadSelection.Auto, seed: draw, threads: 2, default).Head);
            float[] logits = new float[classes];
            int right = 0;
            for (int row = data.Pool.Length; row < labels.Length; row++)
            {
                head.Logits(matrix, row, logits);
                if (HeldOutPredictions.Largest(logits) == labels[row]) right++;
            }
            sum += right / (double)data.Held.Length;
        }
        return sum / draws;
    }
}
