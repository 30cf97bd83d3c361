using System.Globalization;
using System.Text;
using System.Text.Json;
using Scion.Datasets;
using Scion.Evaluation;

namespace Scion.Registry;

/// <summary>What a report and a card call things, by kind of model.</summary>
/// <param name="One">"review" or "photo".</param>
/// <param name="Many">"reviews" or "photos".</param>
/// <param name="Content">What of it is hashed and compared: "text" or "picture".</param>
sealed record ReportNouns(string One, string Many, string Content)
{
    static readonly ReportNouns Reviews = new("review", "reviews", "text"), Photos = new("photo", "photos", "picture");

    public static ReportNouns Of(ModelManifest manifest) => manifest.Kind == ModelManifest.Images ? Photos : Reviews;

    /// <summary>What a measured model is, in a few words.</summary>
    public string Explained(string model) => model switch
    {
        "majority" => "always gives the most common label",
        "bag-of-words" => "counts words, learns from the labels alone",
        "pixels" => "colours and edges alone, no network",
        "scratch" when this == Photos => "the same network with its weights shuffled: it learned nothing before",
        "scratch" => "the same network with word vectors that learned nothing",
        "transfer" when this == Photos => "features of a pretrained network, a head from the labels",
        "transfer" => "word vectors learned from all text, a head from the labels",
        _ => "",
    };
}

/// <summary>The sections that reports on every kind of model have. Every text of the data is escaped.</summary>
static class ReportSections
{
    static readonly CultureInfo Plain = CultureInfo.InvariantCulture;

    /// <summary>Label suspects listed; the rest is counted.</summary>
    const int MaxSuspects = 25;

    /// <summary>Confusions listed below the matrix.</summary>
    const int MaxConfusions = 8;

    /// <summary>Everything before the first section.</summary>
    /// <param name="page">The page.</param>
    /// <param name="title">Plain text.</param>
    /// <param name="pictures">True when pictures are inside the page.</param>
    public static void Open(StringBuilder page, string title, bool pictures) => page.Append("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
        .Append(Plain, $"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline';{(pictures ? " img-src data:;" : "")} base-uri 'none'; form-action 'none'\">\n")
        .Append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"referrer\" content=\"no-referrer\">\n<meta name=\"robots\" content=\"noindex\">\n")
        .Append(Plain, $"<title>{title}</title>\n<style>\n").Append(Style()).Append("</style>\n</head>\n<body>\n<main>\n");

    /// <summary>Everything after the last section.</summary>
    public static string Close(StringBuilder page) => page.Append("</main>\n</body>\n</html>\n").ToString();

    public static void Summary(StringBuilder page, ModelManifest manifest, string tryIt)
    {
        ReportNouns n = ReportNouns.Of(manifest);
        ModelMetrics own = manifest.Measured.Models[^1];
        page.Append(Plain, $"<h1>Sorts a {n.One} into {Classes(manifest.Labels)}</h1>\n")
            .Append(Plain, $"<p class=\"headline\">{ReportText.Percent(own.Accuracy.Value)} right</p>\n")
            .Append(Plain, $"<p class=\"under\">on {ReportText.Count(own.Rows, n.One, n.Many)} it was not fitted on. The true figure lies between {ReportText.Percent(own.Accuracy.Low)} and {ReportText.Percent(own.Accuracy.High)} with 95 % confidence.</p>\n");
        ModelMetrics[] others = [.. manifest.Measured.Models.SkipLast(1)];
        if (others.Length > 0)
            page.Append(Plain, $"<p>On the same {n.Many}: ").Append(string.Join(", ", others.Select(WithFigure))).Append(".</p>\n");
        page.Append("<figure>").Append(ReportPlots.Accuracies([.. manifest.Measured.Models.Select(m => (ReportText.Model(m.Name), m.Accuracy, m == own))]))
            .Append(Plain, $"<figcaption>Share of {n.Many} judged right; the lines are 95 % intervals.</figcaption></figure>\n");
        page.Append("<section class=\"next\"><h2>What to do next</h2>\n<ul>\n");
        foreach (string sentence in ReportAdvice.Next(manifest)) page.Append("<li>").Append(ReportText.Html(sentence)).Append("</li>\n");
        page.Append(Plain, $"<li>Try it: <code>{ReportText.Html(tryIt)}</code></li>\n</ul></section>\n");
        if (manifest.Warnings.Count == 0) return;
        page.Append("<section class=\"warnings\" aria-label=\"Warnings\"><p><strong>Warnings of the run</strong></p>\n<ul>\n");
        foreach (string warning in manifest.Warnings) page.Append("<li>").Append(ReportText.Html(warning)).Append("</li>\n");
        page.Append("</ul></section>\n");
    }

    static string WithFigure(ModelMetrics model)
    {
        string name = ReportText.Model(model.Name);
        return $"{ReportText.Html(char.ToLowerInvariant(name[0]) + name[1..])} {ReportText.Percent(model.Accuracy.Value)}";
    }

    public static void Compared(StringBuilder page, ModelManifest manifest)
    {
        page.Append("<h2>Compared with what</h2>\n<p>").Append(ReportText.Html(ReportAdvice.Protocol(manifest))).Append("</p>\n")
            .Append("<p class=\"soft\">All models on the same rows, 95 % intervals beneath.</p>\n<div class=\"scroll\"><table><thead><tr><th scope=\"col\">Model</th><th scope=\"col\" class=\"n\">Accuracy</th>")
            .Append("<th scope=\"col\" class=\"n\">Macro F1</th><th scope=\"col\" class=\"n\">Log loss</th><th scope=\"col\" class=\"n\">Calibration error</th></tr></thead><tbody>\n");
        foreach (ModelMetrics model in manifest.Measured.Models)
            page.Append(model == manifest.Measured.Models[^1] ? "<tr class=\"own\">" : "<tr>")
                .Append(Plain, $"<th scope=\"row\">{ReportText.Html(ReportText.Model(model.Name))}<small>{ReportText.Html(ReportNouns.Of(manifest).Explained(model.Name))}</small></th>")
                .Append(Cell(model.Accuracy)).Append(Cell(model.MacroF1))
                .Append(Plain, $"<td class=\"n\">{(model.LogLoss is { } loss ? ReportText.Value(loss) : "–")}</td><td class=\"n\">{(model.CalibrationError is { } off ? ReportText.Percent(off) : "–")}</td></tr>\n");
        page.Append("</tbody></table></div>\n<ul>\n");
        foreach (PairedTest test in manifest.Measured.Comparisons) page.Append("<li>").Append(ReportText.Html(ReportAdvice.Comparison(test))).Append("</li>\n");
        page.Append("</ul>\n");
    }

    public static void Classes(StringBuilder page, ModelManifest manifest)
    {
        ReportNouns n = ReportNouns.Of(manifest);
        ModelMetrics own = manifest.Measured.Models[^1];
        page.Append(Plain, $"<h2>Class by class</h2>\n<p class=\"soft\">Precision: of the {n.Many} it calls so, how many are. Recall: of those that are, how many it finds. F1: their harmonic mean.</p>\n<div class=\"scroll\"><table>")
            .Append("<thead><tr><th scope=\"col\">Class</th><th scope=\"col\" class=\"n\">Rows</th><th scope=\"col\" class=\"n\">Precision</th><th scope=\"col\" class=\"n\">Recall</th><th scope=\"col\" class=\"n\">F1</th></tr></thead><tbody>\n");
        foreach (ClassMetrics one in own.Classes)
            page.Append(Plain, $"<tr><th scope=\"row\">{ReportText.Name(one.Label)}</th><td class=\"n\">{ReportText.Number(one.Support)}</td>")
                .Append(Cell(one.Precision)).Append(Cell(one.Recall)).Append(Cell(one.F1)).Append("</tr>\n");
        page.Append("</tbody></table></div>\n");
        if (own.Confusion.Count == manifest.Labels.Count && manifest.Labels.Count <= ReportPlots.MaxDrawnClasses)
            page.Append("<figure><div class=\"scroll\">").Append(ReportPlots.Confusion(manifest.Labels, own.Confusion))
                .Append(Plain, $"</div><figcaption>What it says of {n.Many} of each class; the stronger the colour, the more of the row. Off the diagonal are mistakes.</figcaption></figure>\n");
        (string True, string Predicted, int Rows, int Of)[] confusions = [.. own.Confusion
            .SelectMany((row, t) => row.Select((count, p) => (True: manifest.Labels[t], Predicted: manifest.Labels[p], Rows: count, Of: row.Sum())).Where((_, p) => p != t))
            .Where(confusion => confusion.Rows > 0).OrderByDescending(confusion => confusion.Rows).Take(MaxConfusions)];
        if (confusions.Length == 0) page.Append("<p>It made no mistake on these rows.</p>\n");
        else
        {
            page.Append("<p>Most frequent mistakes:</p>\n<ul>\n");
            foreach ((string label, string predicted, int rows, int of) in confusions)
                page.Append(Plain, $"<li>{ReportText.Name(label)} taken for {ReportText.Name(predicted)}: {ReportText.Number(rows)} of {ReportText.Number(of)}</li>\n");
            page.Append("</ul>\n");
        }
    }

    public static void Learning(StringBuilder page, ModelManifest manifest)
    {
        LearningPoint[] points = [.. manifest.Measured.LearningCurve.Where(point => point.LabelsPerClass > 0).OrderBy(point => point.LabelsPerClass)];
        page.Append("<h2>What more labels would bring</h2>\n");
        if (points.Length < 2) page.Append("<p>There are too few labels to draw a learning curve.</p>\n");
        else
            page.Append("<figure>").Append(ReportPlots.Learning(points, manifest.Measured.Models[0].Accuracy.Value))
                .Append("<figcaption>Accuracy of this model when it is given fewer labels, with its 95 % interval. Dashed: always the most common class. Where the curve still rises, labelling pays.</figcaption></figure>\n");
    }

    public static void Calibration(StringBuilder page, ModelManifest manifest)
    {
        page.Append("<h2>Can its probabilities be believed?</h2>\n");
        if (manifest.Measured.Calibration.Count == 0) page.Append("<p>Nothing was measured.</p>\n");
        else
            page.Append("<figure>").Append(ReportPlots.Calibration(manifest.Measured.Calibration))
                .Append("<figcaption>Across: how sure it says it is. Up: how often it is right, with 95 % intervals. On the dashed line both agree; below it, it is too sure.</figcaption></figure>\n");
        page.Append(Plain, $"<p>Logits are divided by {ReportText.Value(manifest.Head.Temperature)} before they become probabilities. {ReportText.Html(ReportAdvice.Abstention(manifest))}</p>\n");
    }

    public static void Data(StringBuilder page, ModelManifest manifest)
    {
        DataFacts data = manifest.Data;
        Dictionary<string, long> test = data.Test.ToDictionary(count => count.Label, count => count.Rows, StringComparer.Ordinal);
        page.Append("<h2>The data</h2>\n<div class=\"scroll\"><table><thead><tr><th scope=\"col\">Class</th><th scope=\"col\" class=\"n\">Learned from</th><th scope=\"col\" class=\"n\">Held out</th></tr></thead><tbody>\n");
        foreach (LabelCount count in data.Train)
            page.Append(Plain, $"<tr><th scope=\"row\">{ReportText.Name(count.Label)}</th><td class=\"n\">{ReportText.Number(count.Rows)}</td><td class=\"n\">{ReportText.Number(test.GetValueOrDefault(count.Label))}</td></tr>\n");
        page.Append(Plain, $"<tr class=\"own\"><th scope=\"row\">In all</th><td class=\"n\">{ReportText.Number(ReportAdvice.TrainRows(manifest))}</td><td class=\"n\">{ReportText.Number(ReportAdvice.TestRows(manifest))}</td></tr>\n</tbody></table></div>\n");
    }

    public static void Suspects(StringBuilder page, ModelManifest manifest)
    {
        ReportNouns n = ReportNouns.Of(manifest);
        IReadOnlyList<LabelSuspect> suspects = manifest.Measured.Suspects;
        if (suspects.Count == 0) return;
        page.Append(Plain, $"<h2>Labels to look at</h2>\n<p>A model that was not fitted on these rows contradicts their labels. Some are wrong labels, some are hard {n.Many}.</p>\n")
            .Append("<div class=\"scroll\"><table><thead><tr><th scope=\"col\">File</th><th scope=\"col\" class=\"n\">Line</th><th scope=\"col\">Label</th><th scope=\"col\">Looks like</th><th scope=\"col\" class=\"n\">Sure</th></tr></thead><tbody>\n");
        foreach (LabelSuspect suspect in suspects.Take(MaxSuspects))
            page.Append(Plain, $"<tr><td>{ReportText.Name(suspect.File)}</td><td class=\"n\">{ReportText.Number(suspect.Line)}</td><td>{ReportText.Name(suspect.Label)}</td><td>{ReportText.Name(suspect.Predicted)}</td><td class=\"n\">{ReportText.Percent(suspect.Score)}</td></tr>\n");
        page.Append("</tbody></table></div>\n");
        if (suspects.Count > MaxSuspects) page.Append(Plain, $"<p>{ReportText.Number(suspects.Count - MaxSuspects)} more are in <code>model.json</code>.</p>\n");
    }

    /// <summary>How near the package, as serving loads it, is to training; one sentence.</summary>
    public static void Parity(StringBuilder page, ModelManifest manifest) => page.Append(Plain, $" The package was loaded as it serves and compared with training on {ReportText.Count(manifest.Parity.Rows, "row", "rows")}: the largest difference of a logit, over its size where that is above 1, is {manifest.Parity.Largest.ToString("0.#e+0", CultureInfo.InvariantCulture)}, and {ReportText.Value(manifest.Parity.Limit)} is allowed.</p>\n");

    /// <summary>Digests of the data, the encoder and every file.</summary>
    public static void Digests(StringBuilder page, ModelManifest manifest)
    {
        page.Append("<div class=\"scroll\"><table><caption>SHA-256</caption><tbody>\n")
            .Append(Plain, $"<tr><th scope=\"row\">Data</th><td class=\"digest\">{ReportText.Html(manifest.DataDigest)}</td></tr>\n<tr><th scope=\"row\">Encoder</th><td class=\"digest\">{ReportText.Html(manifest.Encoder.Digest)}</td></tr>\n");
        foreach ((string name, FileFacts file) in manifest.Files)
            page.Append(Plain, $"<tr><th scope=\"row\"><code>{ReportText.Html(name)}</code><small>{ReportText.Count(file.Length, "byte", "bytes")}</small></th><td class=\"digest\">{file.Sha256}</td></tr>\n");
        page.Append("</tbody></table></div>\n");
    }

    public static void Settings(StringBuilder page, string caption, JsonElement settings)
    {
        page.Append(Plain, $"<div class=\"scroll\"><table><caption>{ReportText.Html(caption)}</caption><tbody>\n");
        foreach ((string key, string value) in Flat("", settings))
            page.Append(Plain, $"<tr><th scope=\"row\"><code>{ReportText.Html(key)}</code></th><td>{ReportText.Html(value)}</td></tr>\n");
        page.Append("</tbody></table></div>\n");
    }

    /// <summary>Settings as <c>--set</c> takes them: keys with dots.</summary>
    static IEnumerable<(string Key, string Value)> Flat(string prefix, JsonElement element) => element.ValueKind == JsonValueKind.Object
        ? element.EnumerateObject().SelectMany(field => Flat(prefix.Length == 0 ? field.Name : $"{prefix}.{field.Name}", field.Value))
        : [(prefix, element.ToString())];

    static string Cell(Figure figure) => $"<td class=\"n\">{ReportText.Percent(figure.Value)}<small>{ReportText.Range(figure)}</small></td>";

    static string Classes(IReadOnlyList<string> labels) =>
        labels.Count == 2 ? $"{Short(labels[0])} or {Short(labels[1])}" : $"{ReportText.Number(labels.Count)} classes: {ReportText.Names(labels, Short)}";

    static string Short(string label) => ReportText.Name(ReportText.Cut(label, 40));

    static string Style()
    {
        using Stream css = typeof(ReportSections).Assembly.GetManifestResourceStream("report.css")!;
        using StreamReader reader = new(css, Encoding.UTF8);
        return reader.ReadToEnd();
    }
}
