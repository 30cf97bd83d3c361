using Scion.Faults;

namespace Scion.Registry;

/// <summary>Refusals of the registry and of packages; listed in docs/errors.md.</summary>
public static class RegistryFaults
{
    const string Restore = "Restore the file from a backup, promote another version, or train again.";

    public static InputRejectedException ModelNotFound(string model) => new("R002",
        $"There is no model '{model}' that serves.", "List models with 'scion models list'; train it, or promote one of its versions.", Refusal.NotFound);

    public static InputRejectedException VersionNotFound(string model, string version) => new("R003",
        $"Model '{model}' has no version '{Shown(version)}'.", $"List them with 'scion models show {model}'.", Refusal.NotFound);

    public static InputRejectedException VersionIncomplete(string model, string version) => new("R004",
        $"Version '{version}' of '{model}' was not completely published: it has no model.json.",
        "Start its run again, which finishes it, or choose another version.", Refusal.Conflict);

    public static InputRejectedException Malformed(string path, string fact) => new("R005", $"'{path}' is not valid: {fact}", Restore);

    public static InputRejectedException TooNew(string path, int schema) => new("R006",
        $"'{path}' has schema version {schema}; this program reads up to {ModelManifest.CurrentSchema}.", "Update Scion, or promote an older version.");

    public static InputRejectedException Damaged(string path, long length, string sha256, FileFacts expected) => new("R007",
        $"'{path}' holds {length} bytes with SHA-256 {sha256}; its version says {expected.Length} bytes with {expected.Sha256}.", Restore, Refusal.Conflict);

    public static InputRejectedException FileMissing(string path) => new("R008", $"'{path}' is missing from its version.", Restore, Refusal.NotFound);

    public static InputRejectedException PointerMalformed(string model, string fact) => new("R009",
        $"models/{model}/latest.json is not valid: {fact}", $"Run 'scion models promote {model} VERSION', which writes it anew.");

    public static InputRejectedException PointerMismatch(string model, string version, string claimed, string found) => new("R010",
        $"latest.json of '{model}' names version {version} with digest {claimed}; that version's model.json has {found}.",
        $"One of the two was edited. Run 'scion models verify {model}', then promote a version that passes.", Refusal.Conflict);

    public static InputRejectedException OtherBytes(string path, string stored, string wanted) => new("R011",
        $"'{path}' is published with SHA-256 {stored}; this run made {wanted}.",
        "A published version never changes. Start a new run, which gets a version of its own.", Refusal.Conflict);

    public static InputRejectedException ParityBroken(double largest, int row, double limit) => new("R012",
        $"The package's logits differ from training's by {largest:g3} of their size (or 1) at labelled row {row}; at most {limit:g3} is published.",
        "This is a defect of Scion or of ONNX Runtime on this machine; report it with the run's id.");

    public static InputRejectedException NothingToRollBackTo(string model, string version) => new("R013",
        $"'{model}' serves {version}, and no version served before it.", $"Name one: 'scion models promote {model} VERSION'.", Refusal.Conflict);

    public static InputRejectedException Inconsistent(string fact) => new("R014",
        $"The package's files do not fit together: {fact}", "They come from different versions or were edited; train again, or promote another version.");

    public static TransientStorageException PointerContended(string model, int tries) => new("R015",
        $"latest.json of '{model}' changed under each of {tries} attempts to swap it.", "Other publishers are busy; repeat the call.");

    public static InputRejectedException MovedMeanwhile(string model, string from, string to) => new("R016",
        $"'{model}' serves {to}, not {from}, which was to be rolled back.", "Look at its history with 'scion models show' and decide again.", Refusal.Conflict);

    public static InputRejectedException OtherKind(string model, string serves, string made) => new("R017",
        $"Model '{model}' is of {serves} and serves; this version is of {made}.", "A model belongs to one kind: train under another name.", Refusal.Conflict);

    public static InputRejectedException ExportDiffers(double largest, int row, double limit) => new("R018",
        $"The exported graph's probabilities differ from the served model's by {largest:g3} at stored picture {row}; at most {limit:g3} is written.",
        "This is a defect of Scion or of ONNX Runtime on this machine; report it with the output of 'scion models verify'.");

    public static InputRejectedException NoExample(string model, string version, string number) => new("R019",
        $"Version '{Shown(version)}' of '{model}' has no stored picture '{Shown(number)}'.", "Numbers are those that a prediction's neighbours have; models of reviews have none.", Refusal.NotFound);

    static string Shown(string text) => string.Concat(text.Take(80).Select(c => c is >= ' ' and < '\x7f' and not '\'' ? c : '?'));
}
