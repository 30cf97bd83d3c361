using System.Globalization;
using System.Text;
using Scion.Evaluation;
using Scion.Serving;

namespace Scion.Registry;

/// <summary><c>README.md</c> of a package, the model card: what it is for, what it learned from, how good it is, and how to run its files without Scion.</summary>
/// <remarks>Holds no clock, model, version or run, as the whole package. Markdown in the data is escaped.</remarks>
public static class ModelCard
{
    static readonly CultureInfo Plain = CultureInfo.InvariantCulture;

    /// <param name="manifest">Complete but for the digest of this file.</param>
    public static string Markdown(ModelManifest manifest)
    {
        ModelMetrics own = manifest.Measured.Models[^1];
        string classes = Numeral(manifest.Labels.Count), dim = Numeral(manifest.Encoder.Dim), words = Numeral(manifest.Encoder.Words);
        StringBuilder card = new();
        card.Append("# Review classifier\n\n")
            .Append(Plain, $"Sorts a review into {(manifest.Labels.Count == 2 ? "one of 2 classes" : $"one of {classes} classes")}: {string.Join(", ", manifest.Labels.Select(Escaped))}.\n")
            .Append(Plain, $"Right on {ReportText.Interval(own.Accuracy)} of {ReportText.Count(own.Rows, "review", "reviews")} it was not fitted on; the range is a 95 % interval. Plots and details: `report.html`.\n\n");

        card.Append("## Intended use\n\nReviews like those it learned from: the same language, subject and length. Decisions about people need a person.\n")
            .Append(Plain, $"{ReportAdvice.Abstention(manifest)} Do not act on an answer that abstains.\n\n");

        DataAndFigures(card, manifest);
        card.Append("\n## Limits\n\n");
        if (manifest.Sentence is { } network) SentenceCard.Limits(card, network);
        else
        {
            card.Append("- It weighs words; it does not read. Negation, irony and order of words are mostly lost on it.\n")
                .Append(Plain, $"- Words that are not among its {ReportText.Number(manifest.Encoder.Words)} are ignored.\n");
        }
        card.Append("- Probabilities are calibrated on data like the training data, and only there.\n");
        if (manifest.Sentence is null) card.Append(Plain, $"- Texts of more than {ReportText.Number(ReviewPredictor.MaxWords)} known words are refused, never cut.\n");
        card.Append(Plain, $"- The package holds {ReportText.Count(manifest.Examples.Rows, "training text", "training texts")} (`examples.jsonl`, at most {Serving.Examples.MaxText} characters each); `report.html` shows some held-out ones. Whoever gets the package can read them.\n");
        foreach (string warning in manifest.Warnings) card.Append(Plain, $"- {Escaped(warning)}\n");

        card.Append("\n## Files, and how to run them\n\n");
        if (manifest.Sentence is { } sentence) SentenceCard.Files(card, manifest, sentence);
        else
        {
            card.Append(Plain, $"`{ModelPackage.EncoderName}` (ONNX, operator set {Onnx.OnnxGraphWriter.Opset}): input `ids`, int64 [batch, length]; output `features`, float32 [batch, {dim}]. ")
                .Append(Plain, $"The ids are line numbers, from 0, of the text's words in `{ModelPackage.VocabularyName}` ({words} lines: word, tab, count); unknown words are left out; {words} pads shorter texts.\n\n")
                .Append(Plain, $"`{ModelPackage.HeadName}`: input `features`, float32 [batch, {dim}]{(manifest.Head.Words > 0 ? ", and the same `ids`" : "")}; outputs `logits` and `probabilities`, float32 [batch, {classes}], in the order of the classes above (metadata `labels`). ")
                .Append(Plain, $"{ReportText.Number(manifest.Head.Parameters)} parameters, ({dim} + {(manifest.Head.Words > 0 ? $"{ReportText.Number(manifest.Head.Words)} words + " : "")}1) · {classes}; the encoder has {ReportText.Number(manifest.Encoder.Parameters)}.\n\n");
        }
        card.Append(Plain, $"`{ModelPackage.ExamplesName}`: `features`, float32 [{Numeral(manifest.Examples.Rows)}, {dim}], and `labels`, int32, of the stored examples; `{ModelPackage.ExampleTextsName}`: their texts. ")
            .Append(Plain, $"`{ModelPackage.ParityName}`: ids and logits of {ReportText.Count(manifest.Parity.Rows, "row", "rows")}, to check a copy with. `{ModelPackage.ManifestName}`: everything above for programs, and the SHA-256 of each file.\n\n");
        if (manifest.Sentence is { } runs)
        {
            SentenceCard.Python(card, runs);
            return card.ToString();
        }
        card.Append("Words: lower case, runs of letters, marks and digits, with apostrophes between letters; hyphens part words; each Han, Hiragana or Katakana character, each emoji, each `!` and `?` is a word; HTML tags are skipped.\n\n")
            .Append("```python\nimport numpy as np, onnxruntime as ort\n\n")
            .Append("words = {line.split(\"\\t\")[0]: i for i, line in enumerate(open(\"vocabulary.txt\", encoding=\"utf-8\"))}\n")
            .Append(Plain, $"ids = [words[w] for w in \"a gem of a film\".split() if w in words] or [{words}]\n")
            .Append("features = ort.InferenceSession(\"encoder.onnx\").run([\"features\"], {\"ids\": np.array([ids], np.int64)})[0]\n")
            .Append(Plain, $"print(ort.InferenceSession(\"head.onnx\").run([\"probabilities\"], {{\"features\": features{(manifest.Head.Words > 0 ? ", \"ids\": np.array([ids], np.int64)" : "")}}})[0])\n```\n");
        return card.ToString();
    }

    /// <summary>The sections on data and figures that cards of every kind have.</summary>
    internal static void DataAndFigures(StringBuilder card, ModelManifest manifest)
    {
        ModelMetrics own = manifest.Measured.Models[^1];
        card.Append("## Data\n\n| Class | Learned from | Held out |\n|---|---:|---:|\n");
        Dictionary<string, long> test = manifest.Data.Test.ToDictionary(count => count.Label, count => count.Rows, StringComparer.Ordinal);
        foreach (Datasets.LabelCount count in manifest.Data.Train)
            card.Append(Plain, $"| {Escaped(count.Label)} | {ReportText.Number(count.Rows)} | {ReportText.Number(test.GetValueOrDefault(count.Label))} |\n");
        card.Append(Plain, $"\nBeside these, {ReportText.Count(manifest.Data.Unlabelled, "unlabelled row", "unlabelled rows")}. Left out: {ReportText.Count(manifest.Data.Duplicates, "copy", "copies")}, {ReportText.Count(manifest.Data.Conflicts, "row", "rows")} with two labels.\n")
            .Append(Plain, $"{ReportAdvice.Protocol(manifest)}\nSHA-256 over the files' names and digests: `{manifest.DataDigest}`.\n\n");

        card.Append("## Measured\n\n| Model | Rows | Accuracy, % | Macro F1, % | Log loss, nats |\n|---|---:|---:|---:|---:|\n");
        foreach (ModelMetrics model in manifest.Measured.Models)
            card.Append(Plain, $"| {Escaped(ReportText.Model(model.Name))} | {ReportText.Number(model.Rows)} | {Cell(model.Accuracy)} | {Cell(model.MacroF1)} | {(model.LogLoss is { } loss ? ReportText.Value(loss) : "–")} |\n");
        card.Append('\n');
        foreach (PairedTest comparison in manifest.Measured.Comparisons) card.Append(Plain, $"- {Escaped(ReportAdvice.Comparison(comparison))}\n");
        card.Append("\n| Class | Rows | Precision, % | Recall, % | F1, % |\n|---|---:|---:|---:|---:|\n");
        foreach (ClassMetrics one in own.Classes)
            card.Append(Plain, $"| {Escaped(one.Label)} | {ReportText.Number(one.Support)} | {Cell(one.Precision)} | {Cell(one.Recall)} | {Cell(one.F1)} |\n");
    }

    static string Cell(Figure figure) => string.Create(CultureInfo.InvariantCulture, $"{100 * figure.Value:0.0} ({100 * figure.Low:0.0} to {100 * figure.High:0.0})");

    internal static string Numeral(long value) => value.ToString(CultureInfo.InvariantCulture);

    /// <summary>Text that Markdown shows as it is, on one line and in a table's cell.</summary>
    internal static string Escaped(string text)
    {
        StringBuilder escaped = new(text.Length + 8);
        foreach (Rune rune in text.EnumerateRunes())
        {
            if (Rune.IsControl(rune)) escaped.Append(' ');
            else if (rune.Value is '<') escaped.Append("&lt;");
            else if (rune.Value is '&') escaped.Append("&amp;");
            else if (rune.Value < 128 && @"\`*_[]|#~".Contains((char)rune.Value, StringComparison.Ordinal)) escaped.Append('\\').Append(rune);
            else escaped.Append(rune);
        }
        return escaped.ToString();
    }
}
