using System.Globalization;
using Scion.Faults;

namespace Scion.Onnx;

/// <summary>Refusals of foreign networks, of stored encoders and of their downloads.</summary>
public static class EncoderFaults
{
    const string Export = "Export the network again: a plain feed-forward image network, weights inside the file, opset 7 to 23.";

    public static InputRejectedException NotOnnx(string what, string fact) =>
        new("V050", $"{what} is not an ONNX file: {fact}.", "Give the .onnx file itself; it may have been cut off on its way.", Refusal.Unsupported);

    public static InputRejectedException TooLarge(string what, string fact) =>
        new("V051", $"{what} is too large: {fact}.", "Use a smaller network.", Refusal.TooLarge);

    public static InputRejectedException ExternalData(string what, string tensor) => new("V052",
        $"{what} keeps its constant '{Shown(tensor)}' in another file, which is never read.", "Save the network as one file, with its weights inside.");

    public static InputRejectedException UnknownOpset(string what, string fact) => new("V053", $"{what} {fact}; operator sets 7 to 23 of ONNX itself are read.",
        "Export it again with an opset in that range, or convert it with onnx.version_converter.");

    public static InputRejectedException UnknownOperator(string what, int node, string domain, string op) => new("V054",
        $"Node {N(node)} of {what} is '{Shown(op)}'{(domain.Length > 0 ? $" of the domain '{Shown(domain)}'" : "")}, which is not on the list of operators that are run.",
        "Use a plain feed-forward image network; the list is in docs/encoders.md.");

    public static InputRejectedException Forbidden(string what, string feature) => new("V055", $"{what} has {feature}, which is never run.", Export);

    public static InputRejectedException Malformed(string what, string fact) => new("V056", $"{what} is malformed: {fact}.", Export);

    public static InputRejectedException BadConstant(string what, string tensor, string fact) =>
        new("V057", $"The constant '{Shown(tensor)}' of {what} {fact}.", Export);

    public static InputRejectedException BadShape(string what, string node, string fact) => new("V058",
        $"The shapes of {what} cannot be worked out before it runs: at '{Shown(node)}' {fact}.", "Export it again for pictures of one fixed size; only the batch may stay open.");

    public static InputRejectedException TooCostly(string what, string fact) =>
        new("V059", $"{what} would need too much: {fact}.", "Use a smaller network, or smaller pictures.", Refusal.TooLarge);

    public static InputRejectedException NoPictureInput(string what, string fact) => new("V060", $"{what} does not take pictures: {fact}.",
        "Use a network with one input of shape [batch, 3, height, width] or [batch, height, width, 3] in float32 or float16.");

    public static InputRejectedException NoPreprocessing(string what) => new("V061",
        $"{what} does not say how pixel values become its input, and a wrong guess would quietly spoil every prediction.",
        "Look it up where the network is published and give --preset imagenet, imagenet-caffe, bgr, rgb, unit or tf, or --channels, --mean and --scale.");

    public static InputRejectedException BadPreprocessing(string fact) => new("V062", fact, "Correct the option; docs/encoders.md explains each.");

    public static InputRejectedException NoSuchLayer(string what, string layer, string near) => new("V063",
        $"{what} has no layer '{Shown(layer)}' that it can be cut at.", $"{near}'scion encoders inspect' lists them.", Refusal.NotFound);

    public static InputRejectedException DoesNotRun(string what, string fact) => new("V064", $"{what} passed the scan but does not run: {fact}.", Export);

    public static InputRejectedException NotImported(string encoder) => new("V065", $"There is no image encoder '{Shown(encoder)}'.",
        "'scion encoders list' names those there are; import one with 'scion encoders import'.", Refusal.NotFound);

    public static InputRejectedException Damaged(string encoder, string fact) => new("V066", $"The stored encoder '{Shown(encoder)}' is damaged: {fact}.",
        "Delete its folder and import it again.", Refusal.Conflict);

    public static InputRejectedException Ambiguous(string encoder, IEnumerable<string> digests) => new("V067",
        $"Several encoders are called '{Shown(encoder)}': {string.Join(", ", digests)}.", "Name it by encoders/ and its digest.", Refusal.Conflict);

    public static string OneAtATime(string reason) => $"V068: The network takes one picture at a time, which is slower: {reason}.";

    static string N(int number) => number.ToString("n0", CultureInfo.InvariantCulture);

    /// <summary>A foreign name as a message may show it: 60 printable ASCII characters at most.</summary>
    internal static string Shown(string name) => string.Concat(name.Take(60).Select(c => c is >= ' ' and < '\x7f' ? c : '?')) + (name.Length > 60 ? "…" : "");
}
