using System.Globalization;
using System.Text;
using Scion.Onnx;
using Scion.Text;

namespace Scion.Registry;

/// <summary>What <c>README.md</c> says where a sentence network reads the texts: its origin, its limits, and how to run it without Scion.</summary>
static class SentenceCard
{
    static readonly CultureInfo Plain = CultureInfo.InvariantCulture;

    /// <summary>Items of the section on limits.</summary>
    public static void Limits(StringBuilder card, SentenceFacts network) => card
        .Append(Plain, $"- A sentence network made elsewhere reads the texts: what it learned from, it may favour. Licence: {ModelCard.Escaped(network.Licence ?? "not given")}; trained on: {ModelCard.Escaped(network.TrainedOn ?? "not given")}.\n")
        .Append(Plain, $"- It reads {ReportText.Number(network.MaxLength)} tokens of a text at most, from its beginning; the answer says when a text was cut{(network.Cut > 0 ? $", and {ReportText.Count(network.Cut, "labelled text was", "labelled texts were")}" : "")}.\n");

    /// <summary>The section on files, but for examples and parity.</summary>
    public static void Files(StringBuilder card, ModelManifest manifest, SentenceFacts network)
    {
        string classes = ModelCard.Numeral(manifest.Labels.Count), dim = ModelCard.Numeral(manifest.Encoder.Dim);
        card.Append(Plain, $"`{ModelPackage.EncoderName}` (ONNX), {ModelCard.Escaped(network.Name)} from {ModelCard.Escaped(network.Source)}, SHA-256 `{network.SourceSha256}` as it came, output {ModelCard.Escaped(network.Output)}, pooling {SentenceGraph.Name(network.Pooling)}: ")
            .Append(Plain, $"inputs {string.Join(", ", network.Inputs.Select(input => $"`{input}`"))}, int64 [batch, length], length at most {ModelCard.Numeral(network.MaxLength)}; output `features`, float32 [batch, {dim}], unit length. ")
            .Append(Plain, $"`{ModelPackage.TokenizerName}` ({(network.Tokenizer.Kind == SubwordKind.WordPiece ? "WordPiece" : "byte-level byte-pair encoding")}, {ReportText.Number(network.Tokenizer.Tokens)} tokens) makes the ids.\n\n")
            .Append(Plain, $"`{ModelPackage.HeadName}`: input `features`; outputs `logits` and `probabilities`, float32 [batch, {classes}], in the order of the classes above (metadata `labels`). ")
            .Append(Plain, $"{ReportText.Number(manifest.Head.Parameters)} parameters, ({dim} + 1) · {classes}; the encoder has {ReportText.Number(manifest.Encoder.Parameters)}.\n\n");
    }

    /// <summary>Python that runs the files.</summary>
    public static void Python(StringBuilder card, SentenceFacts network)
    {
        card.Append("Texts are in normal form C.\n\n```python\nimport numpy as np, onnxruntime as ort, tokenizers\n\n")
            .Append("tokenizer = tokenizers.Tokenizer.from_file(\"tokenizer.json\")\ntokenizer.no_padding()\n")
            .Append(Plain, $"tokenizer.enable_truncation({ModelCard.Numeral(network.MaxLength)})\n")
            .Append("ids = np.array([tokenizer.encode(\"a gem of a film\").ids], np.int64)\n")
            .Append(Plain, $"inputs = {{\"{SentenceGraph.Ids}\": ids, \"{SentenceGraph.Mask}\": np.ones_like(ids){(network.Inputs.Contains(SentenceGraph.Types) ? $", \"{SentenceGraph.Types}\": np.zeros_like(ids)" : "")}}}\n")
            .Append("features = ort.InferenceSession(\"encoder.onnx\").run([\"features\"], inputs)[0]\n")
            .Append("print(ort.InferenceSession(\"head.onnx\").run([\"probabilities\"], {\"features\": features})[0])\n```\n");
    }
}
