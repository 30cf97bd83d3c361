using System.Globalization;
using System.Text;
using Scion.Evaluation;
using Scion.Vision;

namespace Scion.Registry;

/// <summary><c>README.md</c> of an images package, the model card.</summary>
/// <remarks>As <see cref="ModelCard"/>.</remarks>
public static class ImageCard
{
    static readonly CultureInfo Plain = CultureInfo.InvariantCulture;

    /// <param name="manifest">Complete but for the digest of this file.</param>
    public static string Markdown(ModelManifest manifest)
    {
        NetworkFacts network = manifest.Network ?? throw new ArgumentException("The manifest has no image network.", nameof(manifest));
        ModelMetrics own = manifest.Measured.Models[^1];
        (string classes, string dim, PictureFit fit) = (ModelCard.Numeral(manifest.Labels.Count), ModelCard.Numeral(manifest.Encoder.Dim), network.Fit);
        string size = string.Create(Plain, $"{fit.Height}, {fit.Width}");
        StringBuilder card = new();
        card.Append("# Photo classifier\n\n")
            .Append(Plain, $"Sorts a photo into one of {classes} classes: {string.Join(", ", manifest.Labels.Select(ModelCard.Escaped))}.\n")
            .Append(Plain, $"Right on {ReportText.Interval(own.Accuracy)} of {ReportText.Count(own.Rows, "photo", "photos")} it was not fitted on; the range is a 95 % interval. Plots and details: `report.html`.\n\n");

        card.Append("## Intended use\n\nPhotos like those it learned from: the same subject, taken the same way. Decisions about people need a person.\n")
            .Append(Plain, $"{ReportAdvice.Abstention(manifest)} Do not act on an answer that abstains.\n\n");
        ModelCard.DataAndFigures(card, manifest);

        card.Append(Plain, $"\n## Network\n\n{ModelCard.Escaped(network.Name)}, {ReportText.Number(network.Parameters)} parameters, cut at `{network.Layer.Replace('`', '\'')}`: {dim} features by {ReportText.Number(manifest.Encoder.Parameters)} parameters. ")
            .Append(Plain, $"From {ModelCard.Escaped(network.Source)} (SHA-256 `{network.SourceSha256}`); licence: {ModelCard.Escaped(network.Licence ?? "not given")}; trained on: {ModelCard.Escaped(network.TrainedOn ?? "not given")}.\n");

        card.Append("\n## Limits\n\n- It compares with photos it has seen; another background, camera or light may mislead it.\n")
            .Append("- Probabilities are calibrated on data like the training data, and only there.\n")
            .Append(Plain, $"- The package holds {ReportText.Count(manifest.Examples.Rows, "training photo", "training photos")}, {PictureWriter.SmallSide} pixels a side (`{ModelPackage.ExamplePicturesName}`), with their file names (`{ModelPackage.ExampleTextsName}`), and at most {ParityCheck.KeptPictures} as the network sees them (`{ModelPackage.ParityPicturesName}`); `report.html` shows some held-out ones. Whoever gets the package can see them.\n");
        foreach (string warning in manifest.Warnings) card.Append(Plain, $"- {ModelCard.Escaped(warning)}\n");

        card.Append("\n## Files, and how to run them\n\n")
            .Append(Plain, $"`{ModelPackage.EncoderName}` (ONNX): input `pixels`, uint8 [batch, {size}, 3], RGB; output `features`, float32 [batch, {dim}], of unit length. Mean, scale and layout are inside.\n\n")
            .Append(Plain, $"`{ModelPackage.HeadName}`: input `features`; outputs `logits` and `probabilities`, float32 [batch, {classes}], in the order of the classes above (metadata `labels`). {ReportText.Number(manifest.Head.Parameters)} parameters, ({dim} + 1) · {classes}.\n\n")
            .Append("`scion models export` adds `model.onnx`: both in one graph, from `pixels` to `scores`.\n\n")
            .Append(Plain, $"From a picture to `pixels`: decode whole, turn as EXIF says, lay transparency on white, {Fitting(fit)} Resampling is antialiased linear interpolation, as Pillow's BILINEAR; another one moves the scores a little.\n\n")
            .Append("```python\nimport numpy as np, onnxruntime as ort\nfrom PIL import Image, ImageOps\n\n")
            .Append("picture = ImageOps.exif_transpose(Image.open(\"photo.jpg\")).convert(\"RGB\")\n").Append(PythonFit(fit))
            .Append("features = ort.InferenceSession(\"encoder.onnx\").run([\"features\"], {\"pixels\": np.asarray(picture)[None]})[0]\n")
            .Append("print(ort.InferenceSession(\"head.onnx\").run([\"probabilities\"], {\"features\": features})[0])\n```\n");
        return card.ToString();
    }

    static string Fitting(PictureFit fit) => fit.Resize switch
    {
        PictureResize.Squash => string.Create(Plain, $"resize to {fit.Width} × {fit.Height} whatever the proportions."),
        PictureResize.CentreCrop => string.Create(Plain, $"resize so that the shorter side is {fit.ShorterSide}, and cut {fit.Width} × {fit.Height} out of the middle."),
        _ => string.Create(Plain, $"resize so that it just fits {fit.Width} × {fit.Height}, and fill the rest with white."),
    };

    static string PythonFit(PictureFit fit) => fit.Resize switch
    {
        PictureResize.Squash => string.Create(Plain, $"picture = picture.resize(({fit.Width}, {fit.Height}), Image.BILINEAR)\n"),
        PictureResize.CentreCrop => string.Create(Plain, $"k = {fit.ShorterSide} / min(picture.size)\npicture = picture.resize([round(k * side) for side in picture.size], Image.BILINEAR)\nleft, top = (picture.width - {fit.Width}) // 2, (picture.height - {fit.Height}) // 2\npicture = picture.crop((left, top, left + {fit.Width}, top + {fit.Height}))\n"),
        _ => string.Create(Plain, $"picture = ImageOps.pad(picture, ({fit.Width}, {fit.Height}), Image.BILINEAR, color=\"white\")\n"),
    };
}
