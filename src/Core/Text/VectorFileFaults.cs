using Scion.Faults;

namespace Scion.Text;

/// <summary>Refusals about imported word vectors.</summary>
public static class VectorFileFaults
{
    const string Remedy = "Export it again as word2vec text, word2vec binary or GloVe.";

    public static InputRejectedException UnknownFormat(string fact) => new("T006", $"This is not a word vector file: {fact}.", Remedy, Refusal.Unsupported);

    public static InputRejectedException WrongLine(long line, string fact) =>
        new("T007", line > 0 ? $"Line {line} of the word vector file is wrong: {fact}." : $"The word vector file is wrong: {fact}.", Remedy);

    public static InputRejectedException EndsEarly(long found, long claimed) =>
        new("T008", $"The word vector file ends after {found} of {claimed} words.", "It was cut off; copy or export it again.");

    public static InputRejectedException NotFinite(long line) =>
        new("T009", $"Entry {line} of the word vector file holds a value that is not finite.", Remedy);

    public static InputRejectedException NoOverlap(string encoder, int words) => new("T010",
        $"None of the {words} words of these reviews is in '{encoder}'.", "Import vectors of the reviews' language, or leave the encoder setting out.");

    public static InputRejectedException CannotWrite(string word) => new("T014",
        $"The word '{word}' is empty or holds a space or a line break; word vector files part words by these.", "Leave the word out, or train the model again.");

    public static InputRejectedException NotImported(string encoder) => new("T011",
        $"There is no encoder '{encoder}'.", "Import it with 'scion encoders import FILE', and use the name that prints.", Refusal.NotFound);
}
