using System.Globalization;
using Scion.Faults;

namespace Scion.Text;

/// <summary>Refusals about vocabularies, word vectors and their training.</summary>
public static class TextFaults
{
    public static InputRejectedException Vocabulary(int line) => new("T001", $"Line {line} of the vocabulary is not a new word, a tab and a count.",
        "The file is damaged; train the model again.");

    public static InputRejectedException OptionsRefused(IReadOnlyList<string> errors) => new("T002",
        string.Join(" ", errors), "Change these settings in dataset.json or with --set.");

    public static InputRejectedException NoWords(long texts, int minCount) => new("T003",
        $"No word stands {minCount} times or more in the {texts} texts.", "Add texts, or lower embedding.minCount.");

    public static InputRejectedException Diverged(EmbeddingOptions options) => new("T004",
        string.Create(CultureInfo.InvariantCulture, $"Training of word vectors diverged: a value is no longer finite (rate {options.Rate}, {options.Negatives} negatives, {options.Epochs} epochs)."),
        "Lower embedding.rate, for instance to a tenth.");

    public static InputRejectedException TooLarge(long words, int dim) => new("T012",
        string.Create(CultureInfo.InvariantCulture, $"{words:N0} words of {dim} components are {words * dim:N0} numbers; {SentenceEncoder.MaxNumbers:N0} fit into one encoder."),
        "Raise embedding.minCount, or lower embedding.dim.");

    public static InputRejectedException CorpusTooLong(long tokens) => new("T013",
        string.Create(CultureInfo.InvariantCulture, $"The texts have {tokens:N0} words; {Array.MaxLength:N0} are trained on at most."), "Leave texts out.");

    public static InputRejectedException NoTorch() => new("T015",
        "embedding.trainer is 'torch', and this build is without libtorch.",
        "Build with it: 'dotnet build src/Local -c Release -p:Accelerator=cuda' for an NVIDIA GPU, or '-p:Accelerator=cpu'; or leave embedding.trainer out.");

    public static InputRejectedException UnknownWord(string word, IReadOnlyList<string> close) => new("T005",
        $"The model does not know the word '{(word.Length > 80 ? word[..80] + "…" : word)}'." + (close.Count == 0 ? "" : $" It knows: {string.Join(", ", close)}."),
        "Try another spelling, or a more common word.", Refusal.NotFound);
}
