using Scion.Datasets;
using Scion.Evaluation;

namespace Scion.Registry;

/// <summary>What the figures mean and what to do next, in sentences for people who are no experts. Plain text; the caller escapes it.</summary>
static class ReportAdvice
{
    /// <summary>How the figures were measured, one sentence.</summary>
    public static string Protocol(ModelManifest manifest) => manifest.Data.Protocol switch
    {
        Datasets.Protocol.GivenSplit => $"Measured on the {ReportText.Count(TestRows(manifest), "row", "rows")} that the files marked as test; nothing learned from them.",
        Datasets.Protocol.HashSplit => $"Measured on {ReportText.Count(TestRows(manifest), "row", "rows")} held out by the hash of their {ReportNouns.Of(manifest).Content}, which stay held out as data is added; nothing learned from them.",
        _ => $"Measured by repeated cross-validation, because {ReportText.Count(TrainRows(manifest), "label is", "labels are")} too few to hold any out: each row was judged by a head that was not fitted on it, {(manifest.Kind == ModelManifest.Images ? "on features of a network that saw none of them" : "while the word vectors read the text of all rows")}.",
    };

    /// <summary>One comparison in words.</summary>
    public static string Comparison(PairedTest test)
    {
        (string first, string second) = (ReportText.Model(test.Better), ReportText.Model(test.Than));
        string verdict = test.Verdict switch
        {
            "better" => $"“{first}” is better than “{second}”.",
            "worse" => $"“{first}” is worse than “{second}”.",
            _ => $"Cannot tell whether “{first}” or “{second}” is better: a difference of this size is what chance brings.",
        };
        return $"{verdict} Of the rows where they differ, the first alone is right on {ReportText.Number(test.OnlyFirstRight)} and the second alone on {ReportText.Number(test.OnlySecondRight)} (exact paired test, {McNemar.InWords(test.PValue)}).";
    }

    /// <summary>What to do next, most useful first; never empty.</summary>
    public static IReadOnlyList<string> Next(ModelManifest manifest)
    {
        ReportNouns n = ReportNouns.Of(manifest);
        bool photos = manifest.Kind == ModelManifest.Images;
        List<string> next = [];
        ModelMetrics own = manifest.Measured.Models[^1];
        long train = TrainRows(manifest);

        if (Against(manifest, "majority") is { Verdict: not "better" })
            next.Add($"Do not use this model yet: it is not shown to be better than always giving the most common answer. Label more {n.Many}, and check that the labels mean what they say.");
        else if (Against(manifest, "bag-of-words") is { Verdict: "worse" })
            next.Add("A plain count of words does better on this data. Add unlabelled reviews of the same kind: the word vectors learn from them.");
        else if (Against(manifest, "pixels") is { Verdict: "worse" })
            next.Add("Colours and edges alone do better on this data. Import a network that learned from photos like yours: scion encoders import.");
        else if (photos && Against(manifest, "scratch") is { Verdict: not "better" })
            next.Add("What the network learned before is not shown to help yet. Label more photos, or import another network: scion encoders import.");
        else if (!photos && Against(manifest, "scratch") is { Verdict: not "better" })
            next.Add("The unlabelled text is not shown to help yet. More unlabelled reviews of the same kind usually change that, and cost no labelling.");

        if (manifest.Measured.LearningCurve is [.., LearningPoint before, LearningPoint last] && last.Accuracy.Value - before.Accuracy.Value >= 0.01)
            next.Add($"Label more: from {ReportText.Number(before.LabelsPerClass)} to {ReportText.Number(last.LabelsPerClass)} labels a class, accuracy still rose from {ReportText.Percent(before.Accuracy.Value)} to {ReportText.Percent(last.Accuracy.Value)}.");
        double width = own.Accuracy.High - own.Accuracy.Low;
        if (width > 0.1)
            next.Add($"Do not trust the figure to the point: its interval is {ReportText.Number((long)Math.Round(100 * width))} points wide. Four times as many measured rows halve it.");
        if (manifest.Measured.Suspects.Count > 0)
            next.Add($"Look at the {ReportText.Count(manifest.Measured.Suspects.Count, "label", "labels")} listed below that the other rows contradict; correcting wrong ones is the cheapest improvement.");
        if (manifest.Data.Conflicts > 0)
            next.Add($"Decide the {ReportText.Count(manifest.Data.Conflicts, "row", "rows")} left out because the same {n.Content} has two labels; the run's rejects.csv lists them.");
        LabelCount fewest = manifest.Data.Train.MinBy(count => count.Rows) ?? new LabelCount("", train);
        if (manifest.Data.Train.Count > 1 && fewest.Rows * manifest.Data.Train.Count * 4 < train)
            next.Add($"Label more of the rare class “{fewest.Label}”: it has {ReportText.Count(fewest.Rows, "row", "rows")} of {ReportText.Number(train)}.");
        if (own.Classes.Where(c => c.Support > 0).MinBy(c => c.Recall.Value) is { Recall.Value: < 0.5 } weakest && own.Classes.Count > 1)
            next.Add($"Check class “{weakest.Label}”: of its {ReportText.Count(weakest.Support, "row", "rows")}, only {ReportText.Percent(weakest.Recall.Value)} are recognised.");
        if (own.CalibrationError is > 0.1)
            next.Add($"Take the probabilities with care: they are off by {ReportText.Percent(own.CalibrationError.Value)} on average.");
        if (next.Count == 0) next.Add("Use it, and act on the label only where the answer does not say that it abstains.");
        return next;
    }

    /// <summary>Who judges rows it has no ground to judge, one sentence.</summary>
    public static string Abstention(ModelManifest manifest)
    {
        string when = manifest.Kind == ModelManifest.Images ? "when the photo's nearest" : "when it knows no word of a review, or when the review's nearest";
        string below = $"It abstains {when} stored example has a cosine below {ReportText.Value(manifest.Examples.AbstainBelow)}";
        return manifest.Examples.TrainingShareBelow is { } share
            ? $"{below}; {ReportText.Percent(share)} of the training rows, each judged without itself, fall below that." : $"{below}.";
    }

    public static long TrainRows(ModelManifest manifest) => manifest.Data.Train.Sum(count => count.Rows);

    public static long TestRows(ModelManifest manifest) => manifest.Data.Test.Sum(count => count.Rows);

    static PairedTest? Against(ModelManifest manifest, string model) => manifest.Measured.Comparisons.FirstOrDefault(test => test.Than == model);
}
