using System.Globalization;
using Scion.Datasets;
using Scion.Heads;
using Scion.Text;

namespace Scion.Bench;

/// <summary>How accurate is a reviews model on n labels per class, by encoder, and by the choice among encoders that training makes?</summary>
/// <remarks>Of each file some rows are never shown. The texts of the others are learned from without labels; of these n rows of each class keep their labels, drawn anew
/// for each draw. Heads are chosen, fitted and unfolded as <see cref="TrainHeadsStep"/> does and applied as serving applies them: to a text's features and words.</remarks>
static class LabelBench
{
    sealed record Entrant(string Name, SentenceEncoder Encoder, FeatureSpectrum Spectrum, double Handicap, float[] Pool, float[] Held);

    public static Task<int> Run(string[] arguments)
    {
        Dictionary<string, string> options = arguments.Where(a => a.Contains('=', StringComparison.Ordinal))
            .ToDictionary(a => a[..a.IndexOf('=', StringComparison.Ordinal)], a => a[(a.IndexOf('=', StringComparison.Ordinal) + 1)..]);
        int Number(string key, int otherwise) => options.TryGetValue(key, out string? value) ? int.Parse(value, CultureInfo.InvariantCulture) : otherwise;
        int[] sizes = [.. options.GetValueOrDefault("n", "4,8,16,64,256,1000").Split(',').Select(n => int.Parse(n, CultureInfo.InvariantCulture))];
        string[] encoders = options.GetValueOrDefault("encoders", "own,default,continued").Split(',');
        foreach (string file in arguments.Where(a => !a.Contains('=', StringComparison.Ordinal)))
        {
            LabelledTexts data = LabelledTexts.ReadHolding(file, Number("rows", 0), Number("held", 2000));
            Measure(Path.GetFileName(file), data, sizes, encoders, Number("draws", 10), options.GetValueOrDefault("sets") == "yes", options.GetValueOrDefault("head", HeadSelection.Auto));
        }
        return Task.FromResult(0);
    }

    static void Measure(string name, LabelledTexts data, int[] sizes, string[] encoders, int draws, bool sets, string kind)
    {
        int classes = data.PoolLabels.Max() + 1;
        Console.WriteLine($"{name}: {data.Pool.Length} texts to learn from, {data.Held.Length} held back, {classes} classes, {draws} draws");
        Console.WriteLine($"{"",-34} {string.Join(' ', sizes.Select(n => $"{"n=" + n,13}"))}");
        Vocabulary vocabulary;
        EmbeddingOptions settings;
        (Vocabulary, EmbeddingOptions) Count()
        {
            Dictionary<string, long> counts = [];
            foreach (string text in data.Pool)
                foreach (string word in Tokenizer.Words(text)) counts[word] = counts.GetValueOrDefault(word) + 1;
            EmbeddingOptions resolved = EmbeddingPresets.Resolve(new ReviewSettings(), counts.Values.Sum(), Environment.ProcessorCount);
            return (Vocabulary.Of(counts, resolved.MinCount), resolved);
        }
        (vocabulary, settings) = Count();
        BagOfWords bags = new();
        foreach (string text in data.Pool.Concat(data.Held)) bags.Add(text);
        int[] all = [.. data.PoolLabels, .. data.HeldLabels], test = [.. Enumerable.Range(data.Pool.Length, data.Held.Length)];
        Print("bag of words", sizes.Select(n => Figure(draws, draw =>
        {
            int[] train = Draw(data.PoolLabels, classes, n, draw);
            SparseFeatures features = bags.FittedOn(train);
            SelectedHead head = HeadSelection.Fit(_ => features, train, all, classes, HeadSelection.Auto, seed: 1, threads: 1, default);
            WideHead wide = new(head.Head);
            float[] logits = new float[classes];
            return test.Average(row =>
            {
                wide.Logits(head.Features, row, logits);
                return HeldOutPredictions.Largest(logits) == all[row] ? 1.0 : 0;
            });
        })));

        Entrant[] entrants = [.. encoders.Select(source => Prepare(source, data, vocabulary, settings))];
        int[][] heldIds(Entrant of) => [.. data.Held.Select(text => Tokenizer.Words(text).Select(word => of.Encoder.Vocabulary.IdOf(word)).Where(id => id >= 0).ToArray())];
        int[][][] ids = [.. entrants.Select(heldIds)];
        (int Entrant, double Share, double Handicap, string Name)[] choices = [.. entrants.SelectMany((entrant, e) =>
            EncoderPriors.WordShares.Select((share, i) => (e, share, entrant.Handicap + EncoderPriors.HandicapOf(i), i == 0 ? entrant.Name : entrant.Name + ", words first")))];
        foreach ((int e, Entrant entrant) in entrants.Index())
        {
            if (sets)
                foreach ((int Entrant, double Share, double Handicap, string Name) choice in choices.Where(choice => choice.Entrant == e))
                    Print(choice.Name, sizes.Select(n => Figure(draws, draw => Fit([choice], n, draw).Right)));
            else Print(entrant.Name, sizes.Select(n => Figure(draws, draw => Fit([.. choices.Where(choice => choice.Entrant == e)], n, draw).Right)));
        }
        if (entrants.Length < 2) return;
        List<string> chosen = [];
        Print("chosen among them", sizes.Select(n =>
        {
            int[] votes = new int[choices.Length];
            string figure = Figure(draws, draw =>
            {
                (double right, int which) = Fit(choices, n, draw);
                lock (votes) votes[which]++;
                return right;
            });
            chosen.Add($"n={n}: {string.Join(", ", votes.Index().Where(v => v.Item > 0).Select(v => $"{choices[v.Index].Name} {v.Item}"))}");
            return figure;
        }));
        Console.WriteLine($"  chosen: {string.Join("; ", chosen)}");

        (double Right, int Chosen) Fit((int Entrant, double Share, double Handicap, string Name)[] among, int n, int draw)
        {
            int[] train = Draw(data.PoolLabels, classes, n, draw), labels = [.. train.Select(row => data.PoolLabels[row])], rows = [.. Enumerable.Range(0, train.Length)];
            HeadSpace[] spaces = [.. among.Select(choice =>
            {
                Entrant of = entrants[choice.Entrant];
                int dim = of.Encoder.Dim;
                WordCounts words = new(of.Encoder.Vocabulary, data.Pool.Length, Math.Min(BagOfWords.MostWords(classes), of.Encoder.Vocabulary.Counts.Count(count => count > 0)));
                foreach (int row in train) words.Add(data.Pool[row]);
                float[] features = new float[train.Length * dim];
                for (int i = 0; i < train.Length; i++) of.Pool.AsSpan(train[i] * dim, dim).CopyTo(features.AsSpan(i * dim));
                return new HeadSpace(new DenseFeatures(features, dim), of.Spectrum, words, choice.Share);
            })];
            (int best, SelectedHead fitted, _) = HeadSelection.FitBest([.. spaces.Select(space => (Func<int[], FeatureMatrix>)(_ => space.Matrix))], 0, [.. among.Select(choice => choice.Handicap)],
                rows, labels, classes, kind, seed: 1, threads: 1, default);
            (LinearHead head, WordLexicon? lexicon) = spaces[best].Unfold(fitted.Head);
            Entrant used = entrants[among[best].Entrant];
            float[] logits = new float[classes];
            int right = 0;
            for (int i = 0; i < data.Held.Length; i++)
            {
                head.Logits(used.Held.AsSpan(i * used.Encoder.Dim, used.Encoder.Dim), logits);
                lexicon?.AddTo(ids[among[best].Entrant][i], logits);
                if (HeldOutPredictions.Largest(logits) == data.HeldLabels[i]) right++;
            }
            return ((double)right / data.Held.Length, best);
        }
    }

    static Entrant Prepare(string source, LabelledTexts data, Vocabulary own, EmbeddingOptions options)
    {
        TokenCorpus.Builder corpus = new(own);
        foreach (string text in data.Pool) corpus.Add(text);
        (SentenceEncoder encoder, FeatureSpectrum spectrum, double handicap) = PretrainEmbeddingsStep.MadeFor(source switch
        {
            "own" => EncoderSource.Own, "default" => EncoderSource.Default, "continued" => EncoderSource.Continued, _ => throw new ArgumentException($"{source} is no encoder."),
        }, own, corpus.Build(), [.. data.Pool], options, new SkipGramTrainer());
        return new Entrant(source, encoder, spectrum, handicap, Encode(encoder, data.Pool), Encode(encoder, data.Held));
    }

    static float[] Encode(SentenceEncoder encoder, string[] texts)
    {
        float[] features = new float[texts.Length * encoder.Dim];
        Parallel.For(0, texts.Length, i => encoder.Encode(texts[i], features.AsSpan(i * encoder.Dim, encoder.Dim)));
        return features;
    }

    static int[] Draw(int[] labels, int classes, int n, int draw)
    {
        Random random = new(1000 + draw);
        int[] order = [.. Enumerable.Range(0, labels.Length)];
        random.Shuffle(order);
        return [.. Enumerable.Range(0, classes).SelectMany(c => order.Where(i => labels[i] == c).Take(n)).Order()];
    }

    static string Figure(int draws, Func<int, double> accuracy)
    {
        double[] reached = new double[draws];
        Parallel.For(0, draws, draw => reached[draw] = accuracy(draw));
        double mean = reached.Average(), error = draws < 2 ? 0 : Math.Sqrt(reached.Sum(x => (x - mean) * (x - mean)) / (draws - 1) / draws);
        return string.Create(CultureInfo.InvariantCulture, $"{mean:F3} ± {error:F3}");
    }

    static void Print(string name, IEnumerable<string> figures) => Console.WriteLine($"{name,-34} {string.Join(' ', figures.Select(figure => $"{figure,13}"))}");
}
