namespace Scion.Datasets;

/// <summary>What the folders of a .txt file say of its reviews: the nearest names the label, and <c>train</c> or <c>test</c> above it the split.</summary>
/// <param name="Label">Normalised; null when the reviews are unlabelled.</param>
/// <param name="Split">From a folder named <c>train</c> or <c>test</c>.</param>
readonly record struct FolderLabel(string? Label, GivenSplit Split)
{
    /// <summary>Folders of unlabelled reviews.</summary>
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

    static bool TryParse(string folder, out GivenSplit split)
    {
        split = folder.Equals("train", StringComparison.OrdinalIgnoreCase) ? GivenSplit.Train
            : folder.Equals("test", StringComparison.OrdinalIgnoreCase) ? GivenSplit.Test : GivenSplit.None;
        return split != GivenSplit.None;
    }
}
