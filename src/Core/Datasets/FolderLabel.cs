namespace Scion.Datasets;

/// <summary>What the folders of a .txt file or of a picture say: the nearest names the label, and <c>train</c>, <c>val</c> or <c>test</c> above it the split.</summary>
/// <param name="Label">Normalised; null when unlabelled.</param>
/// <param name="Split">From a folder so named.</param>
readonly record struct FolderLabel(string? Label, GivenSplit Split)
{
    /// <summary>Folders of what has no label.</summary>
    static readonly string[] Unlabelled = ["unlabelled", "unlabeled", "unsup"];

    /// <param name="path">Path in the zip or in the model's folder, parted by '/'.</param>
    public static FolderLabel Of(string path)
    {
        string[] folders = path.Split('/')[..^1];
        GivenSplit split = GivenSplit.None;
        foreach (string folder in folders)
            if (TryParse(folder, out GivenSplit named)) split = named;
        if (folders.Length == 0 || TryParse(folders[^1], out _)) return new FolderLabel(null, split);
        string label = TextForm.Normalise(folders[^1]);
        return new FolderLabel(label.Length == 0 || Unlabelled.Contains(label, StringComparer.OrdinalIgnoreCase) ? null : label, split);
    }

    /// <summary>Reads the name of a split.</summary>
    public static bool TryParse(string folder, out GivenSplit split)
    {
        split = folder.ToUpperInvariant() switch
        {
            "TRAIN" or "TRAINING" => GivenSplit.Train,
            "TEST" or "TESTING" => GivenSplit.Test,
            "VAL" or "VALID" or "VALIDATION" => GivenSplit.Validation,
            _ => GivenSplit.None,
        };
        return split != GivenSplit.None;
    }
}
