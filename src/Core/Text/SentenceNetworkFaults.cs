using System.Globalization;
using Scion.Faults;

namespace Scion.Text;

/// <summary>Refusals of sentence networks and their tokenizers, and what is told of texts they cut.</summary>
public static class SentenceNetworkFaults
{
    const string Export = "Export it for feature extraction, with batch and length open: inputs 'input_ids' and 'attention_mask' (and 'token_type_ids'), output the hidden states.";

    public static InputRejectedException BadTokenizer(string file, string fact) => new("T020", $"The tokenizer '{Shown(file)}' cannot be used: {fact}.",
        "Give tokenizer.json, vocab.txt, or vocab.json+merges.txt as they were published with the network.");

    public static InputRejectedException OtherTokenizer(string file, string fact) => new("T021", $"The tokenizer '{Shown(file)}' is of a kind that is not read: {fact}.",
        "WordPiece as BERT has it and byte-level byte-pair encoding as GPT-2 and RoBERTa have it are read; choose a network with one of these.", Refusal.Unsupported);

    public static InputRejectedException TokenizerTooLarge(string file, string fact) => new("T022", $"The tokenizer '{Shown(file)}' is too large: {fact}.",
        "Use a network with a smaller vocabulary.", Refusal.TooLarge);

    public static InputRejectedException NoTokenizer(string network) => new("T023", $"'{Shown(network)}' is a sentence network, and no tokenizer is given that makes its ids.",
        "Give --tokenizer tokenizer.json, vocab.txt, or vocab.json+merges.txt, as published with it.");

    public static InputRejectedException NotASentenceNetwork(string what, string fact) => new("T024", $"{what} is no sentence network: {fact}.", Export);

    public static InputRejectedException VocabularyTooLarge(string network, int ids, long rows) => new("T025", string.Create(CultureInfo.InvariantCulture,
        $"The tokenizer gives ids up to {ids - 1:n0}, and '{Shown(network)}' has {rows:n0} rows of vectors for them."), "Give the tokenizer that was published with this network.");

    public static InputRejectedException DoesNotRun(string network, string fact) => new("T026", $"'{Shown(network)}' passed the scan but cannot be used: {fact}.", Export);

    public static InputRejectedException BadOption(string fact) => new("T027", fact, "Correct the option; docs/encoders.md, \"Sentence networks\", explains each.");

    public static InputRejectedException NoPooling(string network) => new("T028",
        $"'{Shown(network)}' does not say how the vectors of a text's tokens become one, and a wrong guess would quietly spoil every prediction.",
        "Look it up where the network is published and give --pooling mean, cls, max, or none when the output is one vector a text already.");

    public static InputRejectedException Damaged(string encoder, string fact) => new("T029", $"The stored sentence network '{Shown(encoder)}' is damaged: {fact}.",
        "Delete its folder and import it again.", Refusal.Conflict);

    public static InputRejectedException OutOfMemory(string device) => new("T030", $"There is not enough memory to run one text through the sentence network on '{device}'.",
        "Run it on a machine with more memory, or import the network with a smaller --max-length.");

    public static string StoredAlready(string name) => $"T102: This sentence network is in the store already, as '{name}'; its card was left as it is.";

    public static string Cut(long cut, long rows) => string.Create(CultureInfo.InvariantCulture,
        $"T101: {cut:n0} of {rows:n0} labelled texts {(cut == 1 ? "has" : "have")} more tokens than the sentence network reads; only the beginning of {(cut == 1 ? "it" : "each")} counts.");

    internal static string Shown(string name) => Onnx.EncoderFaults.Shown(name);
}
