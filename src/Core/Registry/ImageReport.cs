using System.Globalization;
using System.Text;
using Scion.Datasets;
using Scion.Heads;
using Scion.Vision;

namespace Scion.Registry;

/// <summary><c>report.html</c> of an images model, for people who are no experts.</summary>
/// <remarks>As <see cref="ReviewReport"/>: one file, nothing loaded from elsewhere, no clock, model, version or run. Pictures are small JPEGs inside the page.</remarks>
public static class ImageReport
{
    static readonly CultureInfo Plain = CultureInfo.InvariantCulture;

    /// <param name="manifest">Complete but for the digests of this file and the card.</param>
    /// <param name="pictures">What it said of some pictures it was not fitted on: mistakes first.</param>
    public static string Html(ModelManifest manifest, IReadOnlyList<HeldOutPicture> pictures)
    {
        NetworkFacts network = manifest.Network ?? throw new ArgumentException("The manifest has no image network.", nameof(manifest));
        StringBuilder page = new(64 << 10);
        ReportSections.Open(page, "Photo classifier: report", pictures: true);
        ReportSections.Summary(page, manifest, "scion predict MODEL --input PHOTO.jpg");
        ReportSections.Compared(page, manifest);
        ReportSections.Classes(page, manifest);
        ContactSheet(page, pictures);
        ReportSections.Learning(page, manifest);
        ReportSections.Calibration(page, manifest);
        Receipt(page, manifest, network);
        Layers(page, network);
        Data(page, manifest);
        ReportSections.Suspects(page, manifest);
        Reproduction(page, manifest);
        return ReportSections.Close(page);
    }

    static void ContactSheet(StringBuilder page, IReadOnlyList<HeldOutPicture> pictures)
    {
        if (pictures.Count == 0) return;
        page.Append("<h2>Some of its answers</h2>\n<p>On photos it was not fitted on: its surest mistakes, then right answers from the surest to the least sure.</p>\n<div class=\"sheet\">\n");
        foreach (HeldOutPicture picture in pictures)
        {
            bool right = picture.Label == picture.Predicted;
            page.Append(Plain, $"<figure class=\"{(right ? "" : "wrong")}\"><img src=\"data:image/jpeg;base64,{Convert.ToBase64String(picture.Small.Span)}\" width=\"{PictureWriter.SmallSide}\" height=\"{PictureWriter.SmallSide}\" alt=\"{ReportText.Html(picture.Name)}\">")
                .Append(Plain, $"<figcaption>{(right ? "Right" : "Wrong")}: {ReportText.Name(picture.Predicted)}, {ReportText.Percent(picture.Score)}{(right ? "" : $"<br>Label: {ReportText.Name(picture.Label)}")}<small>{ReportText.Name(picture.Name)}</small></figcaption></figure>\n");
        }
        page.Append("</div>\n");
    }

    static void Receipt(StringBuilder page, ModelManifest manifest, NetworkFacts network)
    {
        (EncoderFacts encoder, HeadFacts head) = (manifest.Encoder, manifest.Head);
        page.Append("<h2>Transfer receipt</h2>\n<div class=\"scroll\"><table><caption>What was learned, from what.</caption><tbody>\n")
            .Append(Plain, $"<tr><th scope=\"row\">Network: {ReportText.Name(network.Name)}, cut at {ReportText.Name(network.Layer)}, {ReportText.Number(encoder.Dim)} features<small>learned before, from {ReportText.Html(network.TrainedOn ?? "data that its importer did not name")}; none of your photos changed it</small></th><td class=\"n\">{ReportText.Count(encoder.Parameters, "parameter", "parameters")}</td></tr>\n")
            .Append(Plain, $"<tr class=\"own\"><th scope=\"row\">Head ({ReportText.Html(head.Kind)}): ({ReportText.Number(encoder.Dim)} + 1) · {ReportText.Number(manifest.Labels.Count)}<small>learned from {ReportText.Count(ReportAdvice.TrainRows(manifest), "labelled photo", "labelled photos")}</small></th><td class=\"n\">{ReportText.Count(head.Parameters, "parameter", "parameters")}</td></tr>\n")
            .Append("</tbody></table></div>\n")
            .Append(Plain, $"<p>The labels had to fix {ReportText.Count(head.Parameters, "number", "numbers")}; the other {ReportText.Number(encoder.Parameters)} came with the network. The whole network has {ReportText.Number(network.Parameters)}.</p>\n");
    }

    static void Layers(StringBuilder page, NetworkFacts network)
    {
        if (network.Layers.Count < 2) return;
        page.Append("<h2>Where the network was cut</h2>\n<p>Each layer's features were tried on the training photos, cross-validated; the best one serves.</p>\n")
            .Append("<div class=\"scroll\"><table><thead><tr><th scope=\"col\">Layer</th><th scope=\"col\" class=\"n\">Features</th><th scope=\"col\" class=\"n\">Balanced accuracy in validation</th></tr></thead><tbody>\n");
        foreach (SetScore layer in network.Layers)
            page.Append(layer.Set == network.Layer ? "<tr class=\"own\">" : "<tr>")
                .Append(Plain, $"<th scope=\"row\">{ReportText.Name(layer.Set)}</th><td class=\"n\">{ReportText.Number(layer.Dim)}</td><td class=\"n\">{ReportText.Percent(layer.ValidationAccuracy)}</td></tr>\n");
        page.Append("</tbody></table></div>\n");
    }

    static void Data(StringBuilder page, ModelManifest manifest)
    {
        DataFacts data = manifest.Data;
        ReportSections.Data(page, manifest);
        page.Append(Plain, $"<p>Left out: {ReportText.Count(data.Duplicates, "copy or near copy", "copies and near copies")} of other photos, {ReportText.Count(data.Conflicts, "photo", "photos")} with two labels, and {ReportText.Count(data.Unlabelled, "photo", "photos")} without a label.</p>\n")
            .Append(Plain, $"<p>The package keeps {ReportText.Number(manifest.Examples.Rows)} of {ReportText.Number(manifest.Examples.Of)} training photos, {PictureWriter.SmallSide} pixels a side, to show the nearest ones with each answer, and {ParityCheck.KeptPictures} at most as the network sees them.</p>\n");
    }

    static void Reproduction(StringBuilder page, ModelManifest manifest)
    {
        page.Append("<h2>Settings and digests</h2>\n<p>Equal files and settings give this model again, byte for byte, on the same kind of processor.")
            .Append(Plain, $" Seed {manifest.Seed}, training code version {manifest.CodeVersion}.");
        ReportSections.Parity(page, manifest);
        ReportSections.Settings(page, "Settings of the run", manifest.Settings);
        ReportSections.Digests(page, manifest);
    }
}
