using System.Globalization;
using Scion.Datasets;
using Scion.Pipelines;
using Scion.Storage;
using Scion.Text;

namespace Scion.Heads;

/// <summary>Fits a candidate's head to the training rows, and says what it predicts for rows it was not fitted on.</summary>
/// <remarks>Reads: features, or for bag of words the shards with labelled rows; the row table. Writes: <c>head.bin</c>, <c>lexicon.bin</c>, <c>held-out.bin</c>,
/// <c>validation.bin</c>. Labels of test rows are not used. Under <see cref="Protocol.CrossValidation"/> the held-out predictions are of all
/// labelled rows, by repeated stratified cross-validation in which feature set, kind, strength, temperature and words are chosen anew inside each fold.
/// Randomness: the seed in the settings. Clock: none. The answer does not depend on the number of threads.</remarks>
public sealed class TrainHeadsStep(StepMemo memo)
{
    const int Version = 4;

    /// <summary>Repeats of cross-validation: fewer rows vary more between repeats, and cost less.</summary>
    public static int Repeats(int rows) => rows < 50 ? 10 : 5;

    /// <exception cref="Faults.InputRejectedException">The data cannot be learned from (H001, H002, H005, H006), features differ (H003), the head is not
    /// known (H004), or an input is damaged (S003, S004, S006, S007).</exception>
    public Task<HeadsTrained> RunAsync(TrainHeadsInput input, IProgress<StepProgress>? progress, CancellationToken cancellation) =>
        memo.RunAsync(nameof(TrainHeadsStep), Version, input, async writer =>
        {
            RowTable table = RowTable.Parse(await memo.Store.ReadAsync(input.Data.Rows, cancellation));
            int classes = input.Data.Labels.Count;
            int[] labels = [.. table.Labelled.Select(row => row.Label)], all = [.. Enumerable.Range(0, labels.Length)];
            int[] train = [.. all.Where(row => table.Labelled[row].Use == RowUse.Train)], test = [.. all.Where(row => table.Labelled[row].Use == RowUse.Test)];
            Check(input, labels, train, test);

            List<Func<int[], FeatureMatrix>> sets = [];
            if (input.Kind == CandidateKind.BagOfWords) sets.Add((await WordsAsync(input.Data, table, cancellation)).FittedOn);
            List<HeadSpace> spaces = [];
            foreach (FeatureSet set in input.Sets)
            {
                HeadSpace space = await HeadSpace.ReadAsync(memo.Store, input.Data, table, set, cancellation);
                spaces.Add(space);
                sets.Add(_ => space.Matrix);
            }
            double[] handicaps = input.Sets.Any(set => set.Handicap is not null) ? [.. input.Sets.Select(set => set.Handicap ?? 0)] : [];
            if (sets.Count == 0) throw HeadFaults.FeaturesDiffer("there are none.");
            int preferred = Math.Max(0, input.Sets.ToList().FindIndex(set => set.Preferred));
            // Folds run in parallel; the wait is left to a pool thread, since a host may run this on a thread it needs.
            (int chosen, SelectedHead selected, IReadOnlyList<(double Accuracy, double Loss)> reached, HeldOutPredictions held) = await Task.Run(() =>
            {
                (int best, SelectedHead fitted, IReadOnlyList<(double, double)> each) = HeadSelection.FitBest(sets, preferred, handicaps, train, labels, classes, input.Settings.Head,
                    input.Settings.Seed, Environment.ProcessorCount, cancellation);
                return (best, fitted, each, input.Data.Protocol == Protocol.CrossValidation
                    ? CrossValidate(sets, preferred, handicaps, train, labels, classes, input.Settings, fitted.Temperature, progress, cancellation)
                    : Predict(fitted, test, classes));
            }, cancellation);

            HeldOutPredictions validation = new(selected.Validated, new int[selected.Validated.Length], selected.Validation, classes);
            (LinearHead? head, WordLexicon? lexicon) = spaces.Count > 0 ? spaces[chosen].Unfold(selected.Head) : (null, null);
            return new HeadsTrained(input.Kind, selected.Kind, selected.Strength, selected.Accuracy, (selected.Features.Components + 1L) * classes,
                head is null ? null : await writer.AddAsync("head.bin", head.ToBytes(), cancellation),
                await writer.AddAsync("held-out.bin", held.ToBytes(), cancellation), [.. Warnings(input, selected, train.Length)],
                await writer.AddAsync("validation.bin", validation.ToBytes(), cancellation), selected.Temperature)
            {
                Lexicon = lexicon is null ? null : await writer.AddAsync("lexicon.bin", lexicon.ToBytes(), cancellation),
                Set = input.Sets.Count > 0 ? input.Sets[chosen].Name : "",
                Scores = input.Sets.Count > 1 ? [.. input.Sets.Select((set, i) => new SetScore(set.Name, set.Shards[0].Dim, reached[i].Accuracy)
                {
                    ValidationLoss = set.Handicap is null ? null : reached[i].Loss, Handicap = set.Handicap,
                })] : [],
            };
        }, cancellation);

    static void Check(TrainHeadsInput input, int[] labels, int[] train, int[] test)
    {
        IReadOnlyList<string> names = input.Data.Labels;
        if (names.Count < 2) throw HeadFaults.OneClass(names.Count);
        int[] counts = new int[names.Count];
        foreach (int row in train) counts[labels[row]]++;
        for (int c = 0; c < counts.Length; c++)
            if (counts[c] < 2) throw HeadFaults.TooFewRows(names[c], counts[c]);
        if (input.Data.Protocol != Protocol.CrossValidation && test.Length == 0) throw HeadFaults.NoTestRows();
    }

    async Task<BagOfWords> WordsAsync(CuratedRows data, RowTable table, CancellationToken cancellation)
    {
        BagOfWords words = new(BagOfWords.MostWords(data.Labels.Count));
        await foreach (Registry.LabelledText row in Registry.LabelledText.ReadAsync(memo.Store, data, table, _ => true, cancellation)) words.Add(row.Text);
        return words;
    }

    static HeldOutPredictions Predict(SelectedHead head, int[] rows, int classes)
    {
        float[] logits = new float[rows.Length * classes];
        WideHead wide = new(head.Head);
        for (int i = 0; i < rows.Length; i++) wide.Logits(head.Features, rows[i], logits.AsSpan(i * classes, classes));
        return new HeldOutPredictions(rows, new int[rows.Length], logits, classes);
    }

    /// <summary>Logits of every row in every repeat, by row within a repeat. Each fold's are scaled so that <paramref name="temperature"/>, the
    /// published one, calibrates them as the fold's own would.</summary>
    static HeldOutPredictions CrossValidate(
        IReadOnlyList<Func<int[], FeatureMatrix>> sets, int preferred, double[] handicaps, int[] rows, int[] labels, int classes, HeadSettings settings, double temperature,
        IProgress<StepProgress>? progress, CancellationToken cancellation)
    {
        int repeats = Repeats(rows.Length), done = 0;
        (int Repeat, int[] Held)[] folds = [.. Enumerable.Range(0, repeats).SelectMany(repeat => CrossValidationFolds(rows, labels, classes, settings.Seed, repeat)
            .Select(held => (repeat, held)))];
        float[][] logits = new float[folds.Length][];
        Parallel.For(0, folds.Length, new ParallelOptions { CancellationToken = cancellation }, f =>
        {
            HashSet<int> held = [.. folds[f].Held];
            (_, SelectedHead head, _) = HeadSelection.FitBest(sets, preferred, handicaps, [.. rows.Where(row => !held.Contains(row))], labels, classes,
                settings.Head, settings.Seed, threads: 1, cancellation);
            logits[f] = Predict(head, folds[f].Held, classes).Logits;
            float scale = (float)(temperature / head.Temperature);
            for (int i = 0; i < logits[f].Length; i++) logits[f][i] *= scale;
            progress?.Report(new StepProgress(nameof(IReviewSteps.TrainHeads), Interlocked.Increment(ref done), folds.Length, "folds"));
        });
        (int Repeat, int Row, int Fold, int At)[] order = [.. folds.SelectMany((fold, f) => fold.Held.Select((row, at) => (fold.Repeat, row, f, at)))
            .OrderBy(entry => entry.Repeat).ThenBy(entry => entry.row)];
        return new HeldOutPredictions([.. order.Select(entry => entry.Row)], [.. order.Select(entry => entry.Repeat)],
            [.. order.SelectMany(entry => logits[entry.Fold].AsSpan(entry.At * classes, classes).ToArray())], classes);
    }

    /// <summary>Folds of one repeat: at most ten, and no more than the rarest class has rows, so that a fold never takes a class's last.</summary>
    public static int[][] CrossValidationFolds(int[] rows, int[] labels, int classes, int seed, int repeat)
    {
        int rarest = rows.GroupBy(row => labels[row]).Min(group => group.Count());
        return StratifiedFolds.Of(rows, labels, classes, Math.Clamp(rarest, 2, 10), seed, stream: 1000 + repeat);
    }

    static IEnumerable<string> Warnings(TrainHeadsInput input, SelectedHead selected, int rows)
    {
        foreach (FeatureSet set in input.Sets)
            if (set.Shards.Sum(shard => (long)shard.Cut) is > 0 and long cut) yield return SentenceNetworkFaults.Cut(cut, set.Shards.Sum(shard => (long)shard.Rows));
        if (selected.Validated.Length == 0)
            yield return $"H101: {Name(input.Kind)}: no row could be left out to choose the head by, so a default was taken. Label more rows of each class.";
        else if (input.Kind != CandidateKind.Scratch && input.Settings.Head == HeadSelection.Auto && selected.Strength == HeadSelection.Strengths[^1])
            yield return string.Create(CultureInfo.InvariantCulture,
                $"H102: {Name(input.Kind)}: the weakest regularisation that is tried ({selected.Strength}) was best on {rows} rows; the features may tell the classes apart almost alone. {(input.Data.Kind == DataKind.Images ? "Look for something beside the subject that gives the label away, as a background." : "Look for words that give the label away.")}");
    }

    static string Name(CandidateKind kind) => kind switch { CandidateKind.BagOfWords => "bag-of-words", CandidateKind.Scratch => "scratch", CandidateKind.Pixels => "pixels", _ => "transfer" };
}
