using System.Globalization;
using System.Text;
using Scion.Datasets;
using Scion.Evaluation;

namespace Scion.Registry;

/// <summary><c>report.html</c>: what a model does, how good it is, compared with what, and what to do next, for people who are no experts.</summary>
/// <remarks>One file without script, fonts, images or links out; its own policy forbids them too. Holds no clock, model, version or run, so that
/// equal training gives equal bytes. Every text of the data is escaped.</remarks>
public static class ReviewReport
{
    static readonly CultureInfo Plain = CultureInfo.InvariantCulture;

    /// <param name="manifest">Complete but for the digests of this file and the card.</param>
    /// <param name="examples">What it said of some rows it was not fitted on: mistakes first.</param>
    public static string Html(ModelManifest manifest, IReadOnlyList<HeldOutExample> examples)
    {
        StringBuilder page = new(64 << 10);
        ReportSections.Open(page, "Review classifier: report", pictures: false);
        ReportSections.Summary(page, manifest, "scion predict MODEL --text \"…\"");
        ReportSections.Compared(page, manifest);
        ReportSections.Classes(page, manifest);
        Examples(page, examples);
        ReportSections.Learning(page, manifest);
        ReportSections.Calibration(page, manifest);
        Receipt(page, manifest);
        Data(page, manifest);
        ReportSections.Suspects(page, manifest);
        Reproduction(page, manifest);
        return ReportSections.Close(page);
    }

    static void Examples(StringBuilder page, IReadOnlyList<HeldOutExample> examples)
    {
        if (examples.Count == 0) return;
        page.Append("<h2>Some of its answers</h2>\n<p>On reviews it was not fitted on: its surest mistakes, then right answers from the surest to the least sure.</p>\n");
        foreach (HeldOutExample example in examples)
            page.Append(example.Label == example.Predicted ? "<blockquote>" : "<blockquote class=\"wrong\">").Append(Plain, $"<p>{ReportText.Name(example.Text)}</p><p class=\"soft\">")
                .Append(example.Label == example.Predicted ? $"Right: {ReportText.Name(example.Predicted)}, {ReportText.Percent(example.Score)} sure"
                    : $"Wrong: says {ReportText.Name(example.Predicted)}, {ReportText.Percent(example.Score)} sure; the label is {ReportText.Name(example.Label)}").Append("</p></blockquote>\n");
    }

    static void Receipt(StringBuilder page, ModelManifest manifest)
    {
        (EncoderFacts encoder, HeadFacts head) = (manifest.Encoder, manifest.Head);
        string origin = encoder.Source switch
        {
            Text.EncoderSource.Own => $"learned from all text that was uploaded, no labels needed; trained on {ReportText.Html(encoder.Device)}, {(encoder.Reproducible ? "exactly repeatable" : "not repeatable to the bit")}",
            Text.EncoderSource.Imported => "imported",
            Text.EncoderSource.Default => "ships with Scion, learned from English film reviews",
            Text.EncoderSource.Continued => "ships with Scion, trained further on all text that was uploaded, no labels needed",
            Text.EncoderSource.Network => $"imported from {ReportText.Html(manifest.Sentence?.Source ?? "a sentence network")}, reads {ReportText.Number(manifest.Sentence?.MaxLength ?? 0)} tokens of a text at most",
            _ => "random, not trained",
        };
        page.Append("<h2>Transfer receipt</h2>\n<div class=\"scroll\"><table><caption>What was learned, from what.</caption><tbody>\n")
            .Append(Plain, $"<tr><th scope=\"row\">Encoder: {Kind(manifest)} × {ReportText.Number(encoder.Dim)} components<small>{origin}</small></th><td class=\"n\">{ReportText.Count(encoder.Parameters, "parameter", "parameters")}</td></tr>\n")
            .Append(Plain, $"<tr class=\"own\"><th scope=\"row\">Head ({ReportText.Html(head.Kind)}): ({ReportText.Number(encoder.Dim)} + {(head.Words > 0 ? $"{ReportText.Number(head.Words)} words + " : "")}1) · {ReportText.Number(manifest.Labels.Count)}<small>learned from {ReportText.Count(ReportAdvice.TrainRows(manifest), "labelled row", "labelled rows")}</small></th><td class=\"n\">{ReportText.Count(head.Parameters, "parameter", "parameters")}</td></tr>\n")
            .Append("</tbody></table></div>\n");
        if (head.Choice.Count > 1)
        {
            page.Append("<p>Encoders that competed: ")
                .AppendJoin("; ", head.Choice.Select(tried => string.Create(Plain, $"{(tried.Set == head.Set ? "<strong>" : "")}{ReportText.Html(tried.Set)} {ReportText.Percent(tried.ValidationAccuracy)} in validation{(tried is { ValidationLoss: { } loss, Handicap: { } prior } ? $", loss {loss:0.0} + prior {prior:0.0} nats" : "")}{(tried.Set == head.Set ? "</strong>" : "")}")))
                .Append(". The least sum of validation loss and prior is taken; the prior is what other tasks showed, and decides while labels are few.</p>\n");
        }
        page.Append(Plain, $"<p>The labels had to fix {ReportText.Count(head.Parameters, "number", "numbers")}; the other {ReportText.Number(encoder.Parameters)} came with the encoder.</p>\n");
    }

    static string Kind(ModelManifest manifest) => manifest.Sentence is { } network ? $"sentence network {ReportText.Html(network.Name)}" : $"{ReportText.Number(manifest.Encoder.Words)} words";

    static void Data(StringBuilder page, ModelManifest manifest)
    {
        DataFacts data = manifest.Data;
        ReportSections.Data(page, manifest);
        page.Append(Plain, $"<p>Beside these, {ReportText.Count(data.Unlabelled, "unlabelled row", "unlabelled rows")} for the word vectors. Left out: {ReportText.Count(data.Duplicates, "copy", "copies")} of other rows, and {ReportText.Count(data.Conflicts, "row", "rows")} whose text has two labels.</p>\n")
            .Append(Plain, $"<p>The package keeps {ReportText.Number(manifest.Examples.Rows)} of {ReportText.Number(manifest.Examples.Of)} training texts, cut to {ReportText.Number(Serving.Examples.MaxText)} characters, to show the nearest ones with each answer.</p>\n");
    }

    static void Reproduction(StringBuilder page, ModelManifest manifest)
    {
        page.Append("<h2>Settings and digests</h2>\n<p>")
            .Append(manifest.Encoder.Reproducible ? "Equal files and settings give this model again, byte for byte, on the same kind of processor."
                : "The word vectors were trained by several threads or a GPU, so a second training differs a little; set <code>embedding.trainer=cpu</code> and <code>embedding.threads=1</code> for an exact repeat.")
            .Append(string.Create(CultureInfo.InvariantCulture, $" Seed {manifest.Seed}, training code version {manifest.CodeVersion}."));
        ReportSections.Parity(page, manifest);
        ReportSections.Settings(page, "Settings of the run", manifest.Settings);
        ReportSections.Settings(page, "Settings of the word vectors", manifest.Encoder.Options);
        ReportSections.Digests(page, manifest);
    }
}
