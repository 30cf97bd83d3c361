using Scion.Evaluation;

namespace Scion.Heads;

/// <summary>A head fitted to all training rows, and how it was chosen.</summary>
/// <param name="Kind">"logistic" or "nearest-mean".</param>
/// <param name="Strength">L2 strength; null for nearest-mean.</param>
/// <param name="Head">Fitted to all training rows.</param>
/// <param name="Features">The features it was fitted to, of all rows.</param>
/// <param name="Validated">Training rows that were held out once, in the order given; all, but the only row of a class.</param>
/// <param name="Validation">Logits for each by a head of the same kind and strength not fitted on it, [validated, classes].</param>
/// <param name="Accuracy">Share of them right, each class weighing the same; 1 / classes when none was held out.</param>
/// <param name="Temperature">Logits divided by it are calibrated.</param>
public sealed record SelectedHead(
    string Kind, double? Strength, LinearHead Head, FeatureMatrix Features, int[] Validated, float[] Validation, double Accuracy, double Temperature);

/// <summary>Chooses kind and strength of a head by cross-validation on the training rows, and fits it to all of them.</summary>
/// <remarks>Each choice is judged by the mean negative log-likelihood of rows held out, classes weighing the same, after the best temperature
/// (<see cref="TemperatureScaling"/>): likelihood tells choices apart that have equally many rows right, and the temperature leaves the
/// direction of the weights to be judged and not their size. Choices no worse than the best by <see cref="Tie"/> are ties; the strongest of them wins, and nearest
/// mean counts as the strongest: it is what logistic regression tends to as its strength grows. So a handful of labels, whose validation is
/// noise, gets the choice with the least freedom. Rule and figures: docs/experiments.md.</remarks>
public static class HeadSelection
{
    /// <summary>Strengths tried, strongest first: half a decade apart, for features of unit length.</summary>
    public static readonly IReadOnlyList<double> Strengths = [30, 10, 3, 1, 0.3, 0.1, 0.03, 0.01, 0.003];

    /// <summary>The strength of a head that nothing could be validated for.</summary>
    const double Unvalidated = 1;

    /// <summary>Rows below which each is left out alone.</summary>
    const int LeaveOneOutBelow = 20;

    /// <summary>Rows the choice is made on at most, and at most where each costs much; more rows, evenly spaced, change nothing that can be measured.</summary>
    const int MostRows = 10_000, MostCostlyRows = 500;

    /// <summary>Multiplications of one pass over the rows that the choice is made on.</summary>
    const double MostWork = 1e7;

    /// <summary>Standard errors by which another feature set must be better than the preferred one.</summary>
    const double StandardErrors = 2;

    /// <summary>Tolerance of fits that are compared: their logits are then right to about 1e-3.</summary>
    const double Tolerance = 1e-5;

    public const string Auto = "auto", Logistic = "logistic", NearestMeanKind = "nearest-mean";

    /// <param name="features">Features of all rows, with what is learned of them learned from the rows given and no other.</param>
    /// <param name="rows">Training rows; each class has one at least.</param>
    /// <param name="labels">Class of every row.</param>
    /// <param name="classes">At least 2.</param>
    /// <param name="kind">"auto", "logistic" or "nearest-mean".</param>
    /// <param name="seed">Of the folds.</param>
    /// <param name="threads">Folds fitted at once; the answer does not depend on it.</param>
    /// <param name="cancellation">Stops the work between fits.</param>
    /// <exception cref="Faults.InputRejectedException">The kind is not known (H004).</exception>
    public static SelectedHead Fit(
        Func<int[], FeatureMatrix> features, int[] rows, int[] labels, int classes, string kind, int seed, int threads, CancellationToken cancellation)
    {
        FeatureMatrix all = features(rows);
        int[] judged = Spaced(rows, labels, classes, RowsJudged(all, classes));
        return Finish(all, features, Judge(all, features, judged, labels, classes, kind, seed, threads, cancellation), rows, labels, classes, seed, threads, cancellation);
    }

    /// <summary>What was chosen, and what was held out to choose it.</summary>
    /// <param name="Strength">Null for nearest mean.</param>
    /// <param name="Temperature">Of the chosen one.</param>
    /// <param name="Validated">Rows that were held out once.</param>
    /// <param name="Validation">Logits for each, [validated, classes].</param>
    /// <param name="Rows">Rows that took part.</param>
    sealed record Choice(double? Strength, double Temperature, int[] Validated, float[] Validation, int Rows);

    /// <summary>Chooses kind and strength on these rows.</summary>
    static Choice Judge(
        FeatureMatrix all, Func<int[], FeatureMatrix> features, int[] judged, int[] labels, int classes, string kind, int seed, int threads, CancellationToken cancellation)
    {
        if (kind is not (Auto or Logistic or NearestMeanKind)) throw HeadFaults.UnknownHead(kind);
        double?[] choices = [.. kind == Logistic ? [] : new double?[] { null }, .. kind == NearestMeanKind ? [] : Strengths.Select(s => (double?)s)];
        (int[] validated, float[][] logits) = ValidateDense(all, features, judged, labels, classes, choices, seed, threads, cancellation);
        int chosen = choices.Length == 1 ? 0 : Array.FindIndex(choices, choice => choice is null or <= Unvalidated);
        double temperature = 1;
        if (validated.Length > 0)
        {
            int[] truth = [.. validated.Select(row => labels[row])];
            double[] losses = [.. logits.Select(of => TemperatureScaling.Fit(of, truth, classes, cautious: false).Loss)];
            double least = losses.Min();
            chosen = Array.FindIndex(losses, loss => loss <= least + Tie(validated.Length));
            temperature = TemperatureScaling.Fit(logits[chosen], truth, classes, cautious: true).Temperature;
        }
        return new Choice(choices[chosen], temperature, validated, validated.Length > 0 ? logits[chosen] : [], judged.Length);
    }

    /// <summary>Fits what was chosen to all rows, and validates it on all.</summary>
    static SelectedHead Finish(
        FeatureMatrix all, Func<int[], FeatureMatrix> features, Choice choice, int[] rows, int[] labels, int classes, int seed, int threads, CancellationToken cancellation)
    {
        (int[] validated, float[] validation, double temperature) = (choice.Validated, choice.Validation, choice.Temperature);
        if (choice.Rows < rows.Length)
        {
            (validated, float[][] logits) = Validate(features, rows, labels, classes, [choice.Strength], seed, threads, cancellation);
            validation = logits[0];
            temperature = TemperatureScaling.Fit(validation, [.. validated.Select(row => labels[row])], classes, cautious: true).Temperature;
        }
        LinearHead head = choice.Strength is { } strength
            ? LogisticRegression.Fit(all, rows, labels, classes, strength)
            : NearestMean.Fit(all, rows, labels, classes);
        return new SelectedHead(choice.Strength is null ? NearestMeanKind : Logistic, choice.Strength, head, all, validated, validation,
            BalancedAccuracy(validated, validation, labels, classes), temperature);
    }

    /// <summary>Fits a head on each of several feature sets, and chooses the set.</summary>
    /// <remarks>The preferred set is left only for one whose heads lose less on rows held out, by more than <see cref="StandardErrors"/> of that
    /// difference (paired over rows: folds are the same): the rule of Breiman et al. 1984, §3.4.3, but with two standard errors instead of one, since up to
    /// five rivals are tried. So a handful of labels, whose validation is noise, keeps the set that is usually best. Figures: docs/experiments.md.</remarks>
    /// <param name="sets">Each as in <see cref="Fit"/>, of the same rows.</param>
    /// <param name="preferred">Index of the set to prefer.</param>
    /// <param name="rows">As in <see cref="Fit"/>, as all that follow.</param>
    /// <param name="labels">Class of every row.</param>
    /// <param name="classes">At least 2.</param>
    /// <param name="kind">"auto", "logistic" or "nearest-mean".</param>
    /// <param name="seed">Of the folds.</param>
    /// <param name="threads">Folds fitted at once.</param>
    /// <param name="cancellation">Stops the work between fits.</param>
    /// <param name="handicaps">One a set, nats: the set of the least summed loss and handicap is chosen instead, as by the product of likelihood and prior. Empty for the
    /// rule of standard errors.</param>
    /// <returns>Index of the set chosen, the head on it, and what each set reached: share of rows held out that are right, classes weighing the same, and loss summed over
    /// them, nats.</returns>
    public static (int Chosen, SelectedHead Head, IReadOnlyList<(double Accuracy, double Loss)> Reached) FitBest(
        IReadOnlyList<Func<int[], FeatureMatrix>> sets, int preferred, IReadOnlyList<double> handicaps, int[] rows, int[] labels, int classes, string kind, int seed, int threads,
        CancellationToken cancellation)
    {
        FeatureMatrix[] all = [.. sets.Select(set => set(rows))];
        int[] judged = Spaced(rows, labels, classes, all.Min(matrix => RowsJudged(matrix, classes)));      // the same rows, so that losses are paired
        Choice[] choices = [.. sets.Select((set, i) => Judge(all[i], set, judged, labels, classes, kind, seed, threads, cancellation))];
        double[][] losses = [.. choices.Select(choice => RowLosses(choice, labels, classes))];
        int chosen = preferred;
        double most = 0;
        if (handicaps.Count > 0) chosen = Enumerable.Range(0, sets.Count).MinBy(set => losses[set].Sum() + handicaps[set]);
        for (int set = 0; set < sets.Count && handicaps.Count == 0; set++)
        {
            if (set == preferred || losses[set].Length < 2) continue;
            double[] gains = [.. losses[preferred].Zip(losses[set], (before, after) => before - after)];
            double mean = gains.Average(), error = Math.Sqrt(gains.Sum(gain => (gain - mean) * (gain - mean)) / (gains.Length - 1) / gains.Length);
            if (mean > StandardErrors * error && mean > most) (chosen, most) = (set, mean);
        }
        return (chosen, Finish(all[chosen], sets[chosen], choices[chosen], rows, labels, classes, seed, threads, cancellation),
            [.. choices.Select((choice, set) => (BalancedAccuracy(choice.Validated, choice.Validation, labels, classes), losses[set].Sum()))]);
    }

    /// <summary>Loss of each validated row at the best temperature, in nats, classes weighing the same.</summary>
    static double[] RowLosses(Choice head, int[] labels, int classes)
    {
        int[] truth = [.. head.Validated.Select(row => labels[row])];
        double inverse = 1 / TemperatureScaling.Fit(head.Validation, truth, classes, cautious: false).Temperature;
        int[] counts = new int[classes];
        foreach (int c in truth) counts[c]++;
        int present = counts.Count(count => count > 0);
        return [.. truth.Select((c, i) => (double)truth.Length / (present * counts[c]) * TemperatureScaling.LogLoss(head.Validation.AsSpan(i * classes, classes), c, inverse))];
    }

    /// <summary>Difference of mean loss, in nats, that is not a difference.</summary>
    static double Tie(int rows) => 0.1 / Math.Sqrt(rows);

    /// <summary>Held-out logits of each choice, [choice][validated, classes].</summary>
    static (int[] Validated, float[][] Logits) Validate(
        Func<int[], FeatureMatrix> features, int[] rows, int[] labels, int classes, double?[] choices, int seed, int threads, CancellationToken cancellation)
    {
        int[] counts = new int[classes];
        foreach (int row in rows) counts[labels[row]]++;
        int[][] folds = rows.Length < LeaveOneOutBelow
            ? StratifiedFolds.LeaveOneOut(rows, labels, classes)
            : StratifiedFolds.Of(rows, labels, classes, StratifiedFolds.Most, seed, stream: 101);
        Dictionary<int, int> place = new(rows.Length);
        HashSet<int> held = [.. folds.SelectMany(fold => fold)];
        int[] validated = [.. rows.Where(held.Contains)];
        for (int i = 0; i < validated.Length; i++) place[validated[i]] = i;
        float[][] logits = [.. choices.Select(_ => new float[validated.Length * classes])];
        Parallel.For(0, folds.Length, new ParallelOptions { MaxDegreeOfParallelism = threads, CancellationToken = cancellation }, f =>
        {
            HashSet<int> left = [.. folds[f]];
            int[] train = [.. rows.Where(row => !left.Contains(row))];
            FeatureMatrix matrix = features(train);
            LogisticRegression? path = null;
            for (int c = 0; c < choices.Length; c++)
            {
                cancellation.ThrowIfCancellationRequested();
                LinearHead head = choices[c] is { } strength
                    ? (path ??= new LogisticRegression(matrix, train, labels, classes)).Fit(strength, Tolerance)
                    : NearestMean.Fit(matrix, train, labels, classes);
                WideHead wide = new(head);
                foreach (int row in folds[f]) wide.Logits(matrix, row, logits[c].AsSpan(place[row] * classes, classes));
            }
        });
        return (validated, logits);
    }

    /// <summary>Rows that kind and strength are chosen on.</summary>
    static int RowsJudged(FeatureMatrix all, int classes) => (int)Math.Clamp(MostWork / (all.Stored * (classes == 2 ? 1.0 : classes)), MostCostlyRows, MostRows);

    /// <summary>As <see cref="Validate"/>. Dense features, from which nothing is learned, are taken to the space of their rows where that is smaller.</summary>
    static (int[] Validated, float[][] Logits) ValidateDense(
        FeatureMatrix all, Func<int[], FeatureMatrix> features, int[] rows, int[] labels, int classes, double?[] choices, int seed, int threads, CancellationToken cancellation)
    {
        if (all is not DenseFeatures dense || dense.Dim < RowSpace.LeastComponents || dense.Dim <= rows.Length)
            return Validate(features, rows, labels, classes, choices, seed, threads, cancellation);
        RowSpace space = new(dense.Of(rows));
        (int[] validated, float[][] logits) = Validate(_ => space, [.. Enumerable.Range(0, rows.Length)], [.. rows.Select(row => labels[row])], classes, choices, seed, threads, cancellation);
        return ([.. validated.Select(place => rows[place])], logits);
    }

    /// <summary>So many rows at most, evenly spaced, and two of each class at least where there are two.</summary>
    static int[] Spaced(int[] rows, int[] labels, int classes, int most)
    {
        if (rows.Length <= most) return rows;
        HashSet<int> kept = [.. Enumerable.Range(0, most).Select(i => rows[(int)((long)i * rows.Length / most)])];
        for (int c = 0; c < classes; c++) kept.UnionWith(rows.Where(row => labels[row] == c).Take(2));
        return [.. rows.Where(kept.Contains)];
    }

    static double BalancedAccuracy(int[] rows, float[] logits, int[] labels, int classes)
    {
        double[] right = new double[classes], of = new double[classes];
        for (int i = 0; i < rows.Length; i++)
        {
            of[labels[rows[i]]]++;
            if (HeldOutPredictions.Largest(logits.AsSpan(i * classes, classes)) == labels[rows[i]]) right[labels[rows[i]]]++;
        }
        double[] recalls = [.. Enumerable.Range(0, classes).Where(c => of[c] > 0).Select(c => right[c] / of[c])];
        return recalls.Length == 0 ? 1.0 / classes : recalls.Average();
    }
}

/// <summary>A head as doubles, for features of any layout.</summary>
public sealed class WideHead(LinearHead head)
{
    readonly double[] weights = [.. head.Weights.Select(weight => (double)weight)];

    /// <param name="features">Features.</param>
    /// <param name="row">Row of them.</param>
    /// <param name="logits">[classes], written.</param>
    public void Logits(FeatureMatrix features, int row, Span<float> logits)
    {
        for (int c = 0; c < head.Classes; c++) logits[c] = (float)(head.Bias[c] + features.Dot(row, weights.AsSpan(c * features.Dim, features.Dim)));
    }
}
