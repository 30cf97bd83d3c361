using System.Globalization;
using Scion.Faults;

namespace Scion.Onnx;

/// <summary>Refusals of foreign networks, of stored encoders and of their downloads.</summary>
public static class EncoderFaults
{
    const string Export = "Export the network again: a plain feed-forward network, weights inside the file, opset 7 to 23.";

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
        "Use a plain feed-forward network; the list is in docs/encoders.md.");

    public static InputRejectedException Forbidden(string what, string feature) => new("V055", $"{what} has {feature}, which is never run.", Export);

    public static InputRejectedException Malformed(string what, string fact) => new("V056", $"{what} is malformed: {fact}.", Export);

    public static InputRejectedException BadConstant(string what, string tensor, string fact) =>
        new("V057", $"The constant '{Shown(tensor)}' of {what} {fact}.", Export);

    public static InputRejectedException BadShape(string what, string node, string fact) => new("V058",
        $"The shapes of {what} cannot be worked out before it runs: at '{Shown(node)}' {fact}.", "Export it again for pictures of one fixed size; only the batch may stay open, and of a sentence network the length.");

    public static InputRejectedException TooCostly(string what, string fact) =>
        new("V059", $"{what} would need too much: {fact}.", "Use a smaller network, smaller pictures, or shorter texts (--max-length).", Refusal.TooLarge);

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

    public static string StoredAlready(string name) => $"V069: This encoder is in the store already, as '{name}'; its card was left as it is.";

    public static InputRejectedException UrlRefused(string url, string fact) => new("V070", $"'{Shown(url)}' is not fetched: {fact}.",
        "Download the file yourself and import it from disk.");

    public static InputRejectedException NotThere(string url, int status) => new("V071", $"'{Shown(url)}' was answered with {N(status)}.",
        "Check the address in a browser; it must give the file itself, without signing in.", Refusal.NotFound);

    public static TransientStorageException NoAnswer(string url, string fact, Exception? inner) => new("V072", $"'{Shown(url)}' could not be fetched: {fact}.",
        "Repeat it, or download the file yourself and import it from disk.", inner);

    public static InputRejectedException WrongDigest(string source, long length, string found, string expected) => new("V073",
        $"'{Shown(source)}' has {length.ToString("n0", CultureInfo.InvariantCulture)} bytes with SHA-256 {found}, not {expected}. Nothing of it was read further.",
        "It was changed, or is another version; look up the digest where it is published.", Refusal.Conflict);

    public static InputRejectedException DigestNeeded(string url) => new("V074", $"'{Shown(url)}' is an address, and no digest says what must come from it.",
        "Give --sha256 with the digest that the publisher states, or --any-digest to take what comes.");

    public static InputRejectedException NotOneFile(string folder, IReadOnlyList<string> found) => new("V075",
        $"'{Shown(folder)}' holds {N(found.Count)} .onnx files{(found.Count > 0 ? $" ({string.Join(", ", found.Take(5).Select(name => Shown(name)))})" : "")}; one is expected.", "Name the file itself.");

    public static InputRejectedException BadConfig(string path, string fact) => new("V076", $"'{Shown(path)}' cannot be used: {fact}.",
        "Correct it, or move it away and give --preset, --size and --resize.");

    static string N(int number) => number.ToString("n0", CultureInfo.InvariantCulture);

    /// <summary>A foreign name as a message may show it: 60 printable ASCII characters at most.</summary>
    internal static string Shown(string name, int most = 60) => string.Concat(name.Take(most).Select(c => c is >= ' ' and < '\x7f' ? c : '?')) + (name.Length > most ? "…" : "");
}
