using System.Globalization;
using Scion.Datasets;
using Scion.Heads;
using Scion.Text;

namespace Scion.Bench;

/// <summary>How accurate is the product's head on n labels per class, by features and by kind of head?</summary>
/// <remarks>A fifth of the rows is held back by hash and read by nothing but the last count. Vectors learn once, from the texts of the rest,
/// without labels. Every draw takes n rows a class of the rest; all features and heads see the same draws.
/// <code>few-labels ../shared/data/mr/reviews.csv n=4,8,16,64,256 draws=10 strengths=no rows=0 preset=default dim=100</code>
/// <c>strengths=yes</c> adds each fixed strength on transfer: what a choice could gain at best.</remarks>
static class FewLabels
{
    public static Task<int> Run(string[] arguments)
    {
        Dictionary<string, string> set = arguments[1..].Select(a => a.Split('=')).ToDictionary(a => a[0], a => a[1]);
        int[] sizes = [.. set.GetValueOrDefault("n", "4,8,16,64,256").Split(',').Select(v => int.Parse(v, CultureInfo.InvariantCulture))];
        int draws = int.Parse(set.GetValueOrDefault("draws", "10"), CultureInfo.InvariantCulture);
        LabelledTexts data = LabelledTexts.Read(arguments[0], int.Parse(set.GetValueOrDefault("rows", "0"), CultureInfo.InvariantCulture));
        int classes = Math.Max(data.PoolLabels.Max(), data.HeldLabels.Max()) + 1;
        string[] texts = [.. data.Pool, .. data.Held];
        int[] labels = [.. data.PoolLabels, .. data.HeldLabels];
        Console.WriteLine($"{data.Pool.Length} texts to learn from, {data.Held.Length} held back, {classes} classes, {draws} draws; mean accuracy ± its standard error over draws");

        BagOfWords words = new();
        foreach (string text in texts) words.Add(text);
        DenseFeatures transfer = Vectors(data.Pool, texts, set, trained: true), scratch = Vectors(data.Pool, texts, set, trained: false);
        List<(string Name, Func<int[], FeatureMatrix> Features, string Kind, double? Strength)> rows =
        [
            ("bag of words, auto", words.FittedOn, HeadSelection.Auto, null),
            ("scratch, auto", _ => scratch, HeadSelection.Auto, null),
            ("transfer, auto", _ => transfer, HeadSelection.Auto, null),
            ("transfer, logistic", _ => transfer, HeadSelection.Logistic, null),
            ("transfer, nearest-mean", _ => transfer, HeadSelection.NearestMeanKind, null),
        ];
        if (set.GetValueOrDefault("strengths") == "yes")
            rows.AddRange(HeadSelection.Strengths.Select(s => (string.Create(CultureInfo.InvariantCulture, $"transfer, strength {s}"), (Func<int[], FeatureMatrix>)(_ => transfer), "", (double?)s)));
        Console.WriteLine($"{"",-24}{string.Concat(sizes.Select(n => $"{$"n={n}",14}"))}");
        foreach ((string name, Func<int[], FeatureMatrix> features, string kind, double? strength) in rows)
            Console.WriteLine($"{name,-24}{string.Concat(sizes.Select(n => $"{Accuracy(features, kind, strength, data.Pool.Length, labels, classes, n, draws),14}"))}");
        return Task.FromResult(0);
    }

    static DenseFeatures Vectors(string[] pool, string[] texts, Dictionary<string, string> set, bool trained)
    {
        Dictionary<string, string> choice = set.Where(option => FeatureChoices.Trained.Contains(option.Key)).ToDictionary(option => option.Key, option => option.Value);
        Dictionary<string, long> counts = [];
        foreach (string text in pool)
            foreach (string word in Tokenizer.Words(text)) counts[word] = counts.GetValueOrDefault(word) + 1;
        EmbeddingOptions options = EmbeddingPresets.Resolve(FeatureChoices.Settings(choice), counts.Values.Sum(), 1);
        Vocabulary vocabulary = Vocabulary.Of(counts, options.MinCount);
        TokenCorpus.Builder corpus = new(vocabulary);
        foreach (string text in pool) corpus.Add(text);
        float[] vectors = trained ? new SkipGramTrainer().Train(corpus.Build(), vocabulary, options, null, default).Vectors : PretrainEmbeddingsStep.Untrained(vocabulary.Count, options);
        SentenceEncoder encoder = SentenceEncoderFit.Fit(vocabulary, options.Dim, vectors, pool);
        float[] features = new float[texts.Length * options.Dim];
        for (int i = 0; i < texts.Length; i++) encoder.Encode(texts[i], features.AsSpan(i * options.Dim, options.Dim));
        return new DenseFeatures(features, options.Dim);
    }

    static string Accuracy(Func<int[], FeatureMatrix> features, string kind, double? strength, int pool, int[] labels, int classes, int n, int draws)
    {
        double[] accuracies = new double[draws];
        for (int draw = 0; draw < draws; draw++) accuracies[draw] = Draw(features, kind, strength, pool, labels, classes, n, draw);
        double mean = accuracies.Average(), error = Math.Sqrt(accuracies.Sum(x => (x - mean) * (x - mean)) / Math.Max(1, draws - 1) / draws);
        return string.Create(CultureInfo.InvariantCulture, $"{mean:F3} ± {error:F3}");
    }

    /// <summary>Accuracy on the rows after <paramref name="pool"/> of a head fitted to n rows a class of those before.</summary>
    public static double Draw(Func<int[], FeatureMatrix> features, string kind, double? strength, int pool, int[] labels, int classes, int n, int draw)
    {
        Random random = new(1000 + draw);
        int[] order = [.. Enumerable.Range(0, pool)];
        random.Shuffle(order);
        int[] train = [.. Enumerable.Range(0, classes).SelectMany(c => order.Where(i => labels[i] == c).Take(n)).Order()];
        (LinearHead head, FeatureMatrix matrix) = strength is { } fixedStrength
            ? (LogisticRegression.Fit(features(train), train, labels, classes, fixedStrength), features(train))
            : Selected(HeadSelection.Fit(features, train, labels, classes, kind, seed: draw, threads: Environment.ProcessorCount, default));
        WideHead wide = new(head);
        float[] logits = new float[classes];
        int right = 0;
        for (int row = pool; row < labels.Length; row++)
        {
            wide.Logits(matrix, row, logits);
            if (HeldOutPredictions.Largest(logits) == labels[row]) right++;
        }
        return right / (double)(labels.Length - pool);
    }

    static (LinearHead, FeatureMatrix) Selected(SelectedHead selected) => (selected.Head, selected.Features);
}
