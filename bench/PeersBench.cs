using System.Diagnostics;
using System.Globalization;
using Scion.Datasets;
using Scion.Heads;
using Scion.Text;

namespace Scion.Bench;

/// <summary>What <c>bench/peers.sh</c> needs of ours: the texts as words for every tool, our trainer in a process of its own, and one measure of all tools' vectors.</summary>
/// <remarks><code>
/// peers tokens FOLDER-OR-FILE OUT [words=N]      one text a line, words parted by blanks: columns "text" of a CSV file, or of all in a folder
/// peers train TOKENS [out=VECTORS] [threads=2] [epochs=5] [dim=100] [window=5] [negatives=5] [minCount=5] [subsample=1e-4] [rate=0.05]
/// peers quality LABELLED [n=64] [draws=20] [rows=0] REFERENCE VECTORS …
/// </code></remarks>
static class PeersBench
{
    public static Task<int> Run(string[] arguments)
    {
        Dictionary<string, string> set = arguments.Where(a => a.Contains('=', StringComparison.Ordinal)).Select(a => a.Split('=', 2)).ToDictionary(a => a[0], a => a[1]);
        string[] files = [.. arguments.Where(a => !a.Contains('=', StringComparison.Ordinal))];
        switch (files.FirstOrDefault())
        {
            case "tokens": Tokens(files[1], files[2], (long)Number(set.GetValueOrDefault("words", "0"))); break;
            case "train": Train(files[1], set); break;
            case "quality": Quality(files[1], files[2..], (int)Number(set.GetValueOrDefault("n", "64")), (int)Number(set.GetValueOrDefault("draws", "20")), (int)Number(set.GetValueOrDefault("rows", "0"))); break;
            default:
                Console.Error.WriteLine("peers tokens|train|quality: see bench/PeersBench.cs");
                return Task.FromResult(2);
        }
        return Task.FromResult(0);
    }

    static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);

    static void Tokens(string path, string outPath, long most)
    {
        string[] files = Directory.Exists(path) ? [.. Directory.GetFiles(path).Where(f => f.Contains(".csv", StringComparison.Ordinal)).Order(StringComparer.Ordinal)] : [path];
        using StreamWriter writer = new(outPath);
        long words = 0, texts = 0;
        foreach (string text in LabelledTexts.Texts(files))
        {
            List<string> read = Tokenizer.Words(text);
            if (read.Count == 0) continue;
            writer.Write(string.Join(' ', read));
            writer.Write('\n');
            (words, texts) = (words + read.Count, texts + 1);
            if (most > 0 && words >= most) break;
        }
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{texts} texts {words} words"));
    }

    /// <summary>Prints seconds of training alone, words a second, peak memory of the process, and what training added to the memory that was there (runtime, vocabulary, ids) over the
    /// size of the two tables [words, dim].</summary>
    static void Train(string path, Dictionary<string, string> set)
    {
        double Value(string key, double fallback) => set.TryGetValue(key, out string? value) ? Number(value) : fallback;
        EmbeddingOptions options = new(SkipGramLoss.NegativeSampling, (int)Value("dim", 100), (int)Value("window", 5), (int)Value("negatives", 5), (int)Value("epochs", 5), (int)Value("minCount", 5),
            Value("subsample", 1e-4), Value("rate", 0.05), LinearDecay: true, (int)Value("threads", 2), (int)Value("seed", 1));
        (TokenCorpus corpus, Vocabulary vocabulary, long words) = Corpus(path, options.MinCount);
        GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        long reading = Peak();
        if (File.Exists("/proc/self/clear_refs")) File.WriteAllText("/proc/self/clear_refs", "5");        // the peak counts from here
        long before = Peak();
        TimeSpan processor = Environment.CpuUsage.UserTime;
        long started = Stopwatch.GetTimestamp();
        TrainedVectors trained = new SkipGramTrainer().Train(corpus, vocabulary, options, null, default);
        double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds, busy = (Environment.CpuUsage.UserTime - processor).TotalSeconds;
        double tables = 2.0 * vocabulary.Count * options.Dim * sizeof(float) / 1024, ids = 4.0 * corpus.Count / 1024, grown = Peak() - before;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"seconds {seconds:F3} words/s {words * options.Epochs / seconds:F0} processor {busy:F2} loss {trained.Loss:F4} words {words} vocabulary {vocabulary.Count} peak-KiB {Math.Max(reading, Peak())} tables-KiB {tables:F0} ids-KiB {ids:F0} training-share {grown / tables:F3} with-ids-share {(grown + ids) / (tables + ids):F3}"));
        if (!set.TryGetValue("out", out string? outPath)) return;
        using StreamWriter writer = new(outPath);
        writer.Write($"{vocabulary.Count} {options.Dim}\n");
        for (int id = 0; id < vocabulary.Count; id++)
        {
            writer.Write(vocabulary.Words[id]);
            for (int j = 0; j < options.Dim; j++) writer.Write(string.Create(CultureInfo.InvariantCulture, $" {trained.Vectors[(id * options.Dim) + j]:R}"));
            writer.Write('\n');
        }
    }

    static (TokenCorpus Corpus, Vocabulary Vocabulary, long Words) Corpus(string path, int minCount)
    {
        Dictionary<string, long> counts = [];
        Dictionary<string, long>.AlternateLookup<ReadOnlySpan<char>> lookup = counts.GetAlternateLookup<ReadOnlySpan<char>>();
        long words = 0;
        foreach (string line in File.ReadLines(path))
            foreach (Range range in line.AsSpan().Split(' '))
            {
                ReadOnlySpan<char> word = line.AsSpan()[range];
                lookup[word] = (lookup.TryGetValue(word, out long count) ? count : 0) + 1;
                words++;
            }
        Vocabulary vocabulary = Vocabulary.Of(counts, minCount);
        int[] ids = new int[vocabulary.Counts.Sum()];
        List<int> starts = [0];
        int at = 0;
        foreach (string line in File.ReadLines(path))
        {
            foreach (Range range in line.AsSpan().Split(' '))
                if (vocabulary.IdOf(line.AsSpan()[range]) is >= 0 and int id) ids[at++] = id;
            if (at > starts[^1]) starts.Add(at);
        }
        return (new TokenCorpus(ids, [.. starts]), vocabulary, words);
    }

    /// <summary>Most memory the process ever had resident, KiB (VmHWM); 0 where the system does not say.</summary>
    static long Peak() => File.Exists("/proc/self/status")
        ? long.Parse(File.ReadLines("/proc/self/status").First(line => line.StartsWith("VmHWM", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture)
        : 0;

    /// <summary>Each tool's vectors: accuracy on rows held back with n labels a class (our sentence encoder and head for all), and rank correlation of similarities with the first file's.</summary>
    static void Quality(string labelled, string[] vectorFiles, int n, int draws, int rows)
    {
        LabelledTexts data = LabelledTexts.Read(labelled, rows);
        (Vocabulary Vocabulary, float[] Vectors, int Dim)? reference = null;
        foreach (string file in vectorFiles)
        {
            (Vocabulary vocabulary, float[] vectors, int dim) = Vectors(file, data.Pool);
            SentenceEncoder encoder = SentenceEncoderFit.Fit(vocabulary, dim, vectors, [.. data.Pool.Take(SentenceEncoderFit.MaxSamples)]);
            string[] texts = [.. data.Pool, .. data.Held];
            int[] labels = [.. data.PoolLabels, .. data.HeldLabels];
            float[] features = new float[texts.Length * dim];
            for (int i = 0; i < texts.Length; i++) encoder.Encode(texts[i], features.AsSpan(i * dim, dim));
            DenseFeatures matrix = new(features, dim);
            double[] accuracies = new double[draws];
            for (int draw = 0; draw < draws; draw++) accuracies[draw] = FewLabels.Draw(_ => matrix, HeadSelection.Auto, null, data.Pool.Length, labels, labels.Max() + 1, n, draw);
            double mean = accuracies.Average(), error = Math.Sqrt(accuracies.Sum(x => (x - mean) * (x - mean)) / Math.Max(1, draws - 1) / draws);
            reference ??= (vocabulary, vectors, dim);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{Path.GetFileName(file),-24} accuracy {mean:F4} ± {error:F4} (n={n}, {draws} draws)  rank correlation with the first {RankCorrelation(reference.Value, (vocabulary, vectors, dim)):F4}"));
        }
    }

    /// <summary>word2vec's text format; words by the counts that they have in the texts.</summary>
    static (Vocabulary, float[], int) Vectors(string path, string[] texts)
    {
        Dictionary<string, float[]> rows = new(StringComparer.Ordinal);
        foreach (string line in File.ReadLines(path).Skip(1))
        {
            string[] parts = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            rows[parts[0]] = [.. parts.Skip(1).Select(x => float.Parse(x, CultureInfo.InvariantCulture))];
        }
        Dictionary<string, long> counts = rows.Keys.ToDictionary(word => word, _ => 1L);
        foreach (string text in texts)
            foreach (string word in Tokenizer.Words(text))
                if (counts.TryGetValue(word, out long count)) counts[word] = count + 1;
        Vocabulary vocabulary = Vocabulary.Of(counts, 1);
        return (vocabulary, [.. vocabulary.Words.SelectMany(word => rows[word])], rows.First().Value.Length);
    }

    /// <summary>Spearman's, of the cosines of 20,000 pairs of words: 200 of the 2,000 most frequent with 100 others each.</summary>
    static double RankCorrelation((Vocabulary Vocabulary, float[] Vectors, int Dim) a, (Vocabulary Vocabulary, float[] Vectors, int Dim) b)
    {
        string[] shared = [.. a.Vocabulary.Words.Where(word => b.Vocabulary.IdOf(word) >= 0).Take(2000)];
        Random random = new(1);
        List<double> first = [], second = [];
        for (int pair = 0; pair < 20_000; pair++)
        {
            string one = shared[random.Next(shared.Length)], other = shared[random.Next(shared.Length)];
            if (one == other) continue;
            first.Add(Cosine(a, one, other));
            second.Add(Cosine(b, one, other));
        }
        return Pearson(Ranks(first), Ranks(second));
    }

    static double Cosine((Vocabulary Vocabulary, float[] Vectors, int Dim) model, string one, string other) => System.Numerics.Tensors.TensorPrimitives.CosineSimilarity(
        model.Vectors.AsSpan(model.Vocabulary.IdOf(one) * model.Dim, model.Dim), model.Vectors.AsSpan(model.Vocabulary.IdOf(other) * model.Dim, model.Dim));

    static double[] Ranks(List<double> values)
    {
        double[] ranks = new double[values.Count];
        int rank = 0;
        foreach (int i in Enumerable.Range(0, values.Count).OrderBy(i => values[i])) ranks[i] = rank++;
        return ranks;
    }

    static double Pearson(double[] a, double[] b)
    {
        double meanA = a.Average(), meanB = b.Average();
        return a.Zip(b, (x, y) => (x - meanA) * (y - meanB)).Sum() / Math.Sqrt(a.Sum(x => (x - meanA) * (x - meanA)) * b.Sum(y => (y - meanB) * (y - meanB)));
    }
}
