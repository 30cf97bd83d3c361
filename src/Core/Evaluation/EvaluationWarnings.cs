using System.Globalization;
using Scion.Datasets;

namespace Scion.Evaluation;

/// <summary>What a person should know before trusting the figures.</summary>
static class EvaluationWarnings
{
    /// <summary>Measured rows below which no figure is exact to ±10 points.</summary>
    const int FewRows = 100;

    const double WideInterval = 0.2, Imbalance = 5;

    const int FewOfAClass = 5;

    /// <param name="data">The data set.</param>
    /// <param name="models">Majority first, transfer last.</param>
    /// <param name="comparisons">Of transfer.</param>
    /// <param name="suspects">Label suspects listed, at most <see cref="EvaluateStep.MostSuspects"/>.</param>
    public static IEnumerable<string> Of(CuratedRows data, IReadOnlyList<ModelMetrics> models, IReadOnlyList<PairedTest> comparisons, int suspects)
    {
        ModelMetrics transfer = models[^1];
        bool images = data.Kind == DataKind.Images;
        if (transfer.Rows < FewRows)
            yield return Text($"E101: Only {transfer.Rows} labelled rows were measured on; 100 or more tell accuracy to about ±10 points. Label more rows.");
        if (transfer.Accuracy.High - transfer.Accuracy.Low > WideInterval)
            yield return Text($"E102: Accuracy is only known to lie between {Percent(transfer.Accuracy.Low)} and {Percent(transfer.Accuracy.High)}. Label more rows to narrow it.");
        LabelCount[] counts = [.. data.Train.OrderByDescending(count => count.Rows).ThenBy(count => count.Label, StringComparer.Ordinal)];
        if (counts.Length > 1 && counts[0].Rows >= Imbalance * counts[^1].Rows)
            yield return Text($"E103: Classes are uneven: '{counts[0].Label}' has {counts[0].Rows} training rows, '{counts[^1].Label}' has {counts[^1].Rows}. Look at macro-F1 and at recall by class; accuracy hides rare classes.");
        string[] thin = [.. transfer.Classes.Where(c => c.Support < FewOfAClass).Select(c => $"'{c.Label}' ({c.Support})")];
        if (thin.Length > 0)
            yield return Text($"E104: Fewer than {FewOfAClass} rows were measured on of {string.Join(", ", thin)}; figures of {(thin.Length == 1 ? "that class say" : "those classes say")} little.");
        foreach (PairedTest test in comparisons.Where(test => test.Verdict == "worse"))
        {
            string numbers = Text($"this one alone is right on {Rows(test.OnlyFirstRight)}, the other alone on {Rows(test.OnlySecondRight)}, exact {McNemar.InWords(test.PValue)}");
            yield return $"E105: This model is worse than {NameOf(test.Than)} ({numbers}). {test.Than switch
            {
                "bag-of-words" => "With this many labels single words tell more; add unlabelled text like it.",
                _ when images => "Check the labels, or import a network that learned from more pictures.",
                _ => "Check the labels and the columns.",
            }}";
        }
        string[] alike = [.. comparisons.Where(test => test.Verdict == "cannot tell").Select(test => $"{NameOf(test.Than)} ({McNemar.InWords(test.PValue)})")];
        if (alike.Length > 0)
            yield return $"E106: This model cannot be told apart from {string.Join(", ", alike)}. {(images ? "Label more pictures, or import a network that learned from more." : "Label more rows, or add unlabelled text.")}";
        if (suspects >= EvaluateStep.MostSuspects)
            yield return Text($"E107: {suspects} labels or more are contradicted by the other rows; the report lists the surest. Check them first.");
        else if (suspects > 0)
            yield return Text($"E107: {suspects} {(suspects == 1 ? "label is" : "labels are")} contradicted by the other rows; the report lists {(suspects == 1 ? "it" : "them")}. Check {(suspects == 1 ? "it" : "them")} first.");
    }

    static string Rows(long count) => Text($"{count} {(count == 1 ? "row" : "rows")}");

    /// <summary>A measured model as receipt and report call it.</summary>
    static string NameOf(string model) => model switch
    {
        "majority" => "always saying the most common class",
        "bag-of-words" => "a bag of words",
        "pixels" => "colours and edges alone",
        "scratch" => "the same model from scratch",
        _ => model,
    };

    static string Percent(double share) => Text($"{100 * share:0} %");

    static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
