using System.ComponentModel;

namespace Scion.Datasets;

/// <summary>Everything a user may set for an images model, in <c>dataset.json</c> or by <c>--set key=value</c>. Stored with each model.</summary>
public sealed record ImageSettings : IDatasetSettings
{
    public ImageEncoderSettings Encoder { get; init; } = new();

    public SplitSettings Split { get; init; } = new();

    [Description("Kind of head: auto chooses by validation, logistic, or nearest-mean.")]
    public string Head { get; init; } = "auto";

    [Description("Seed of everything random in a run.")]
    public int Seed { get; init; } = 1;

    static DataKind IDatasetSettings.Kind => DataKind.Images;

    /// <inheritdoc/>
    public IEnumerable<string> Errors()
    {
        string key = Encoder.Name.StartsWith("encoders/", StringComparison.Ordinal) ? Encoder.Name[9..] : Encoder.Name;
        if (key.Length is 0 or > 64 || key[0] == '-' || !key.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-'))
            yield return $"encoder.name is '{DatasetFaults.Printable(Encoder.Name)}'; 'default', or an encoder as 'scion encoders list' prints it, is expected.";
        if (string.IsNullOrWhiteSpace(Encoder.Layer)) yield return "encoder.layer is empty; 'auto', or a layer's name as 'scion encoders inspect' prints it, is expected.";
        foreach (string error in Split.Errors().Concat(ReviewSettings.HeadErrors(Head))) yield return error;
    }
}

/// <summary>The pretrained network whose features are used.</summary>
public sealed record ImageEncoderSettings
{
    /// <summary>The network that ships with Scion.</summary>
    public const string Default = "default";

    /// <summary>The choice of a layer by validation.</summary>
    public const string Auto = "auto";

    [Description("default is the network that ships with Scion; an imported one goes by its name or encoders/{sha256}.")]
    public string Name { get; init; } = Default;

    [Description("Where the network is cut: auto tries several layers and keeps the one that validates best, or a layer's name as 'scion encoders inspect' prints it.")]
    public string Layer { get; init; } = Auto;
}

/// <summary>Files that are ingested by one call: an archive, or loose files of one folder.</summary>
/// <param name="Name">The archive's name, or the folder's with a slash at the end, as <c>dresses/blue/</c>.</param>
/// <param name="Files">The archive alone, or at most <see cref="MaxPictures"/> files, by name.</param>
public sealed record ImageBatch(string Name, IReadOnlyList<PinnedFile> Files)
{
    /// <summary>Pictures in a batch and in a shard.</summary>
    public const int MaxPictures = 500;

    /// <summary>The <c>labels.csv</c> that speaks for these files: the nearest at or above their folder; null where there is none.</summary>
    public PinnedFile? Labels { get; init; }

    /// <summary>Of several batches that one <c>labels.csv</c> speaks for: this one answers for its lines from this name on. Null: from the first.</summary>
    public string? From { get; init; }

    /// <summary>And for its lines before this name. Null: to the last.</summary>
    public string? Until { get; init; }

    /// <param name="files">Files of a run.</param>
    public static IReadOnlyList<ImageBatch> Of(IReadOnlyList<PinnedFile> files)
    {
        Dictionary<string, PinnedFile> labels = files.Where(file => ImageFormats.IsLabels(file.Name))
            .GroupBy(file => FolderOf(file.Name), StringComparer.Ordinal).ToDictionary(group => group.Key, group => group.First(), StringComparer.Ordinal);
        List<ImageBatch> batches = [.. files.Where(file => ImageFormats.IsArchive(file.Name)).Select(file => new ImageBatch(file.Name, [file]))];
        foreach (IGrouping<(string Folder, PinnedFile? Labels), PinnedFile> folder in files
            .Where(file => !ImageFormats.IsArchive(file.Name) && !labels.ContainsValue(file))
            .OrderBy(file => file.Name, StringComparer.Ordinal)
            .GroupBy(file => Nearest(file.Name) is { } nearest ? (FolderOf(nearest.Name), nearest) : (FolderOf(file.Name), (PinnedFile?)null)))
        {
            PinnedFile[][] chunks = [.. folder.Chunk(MaxPictures)];
            for (int i = 0; i < chunks.Length; i++)
                batches.Add(new ImageBatch(folder.Key.Folder, chunks[i])
                {
                    Labels = folder.Key.Labels,
                    From = folder.Key.Labels is null || i == 0 ? null : chunks[i][0].Name,
                    Until = folder.Key.Labels is null || i + 1 == chunks.Length ? null : chunks[i + 1][0].Name,
                });
        }
        batches.AddRange(labels.Values.Where(file => !batches.Any(batch => batch.Labels == file)).Select(file => new ImageBatch(FolderOf(file.Name), []) { Labels = file }));
        return [.. batches.OrderBy(batch => batch.Name, StringComparer.Ordinal).ThenBy(batch => batch.Files.Count == 0 ? "" : batch.Files[0].Name, StringComparer.Ordinal)];

        PinnedFile? Nearest(string name)
        {
            for (string folder = FolderOf(name); folder.Length > 0; folder = FolderOf(folder[..^1]))
                if (labels.TryGetValue(folder, out PinnedFile? found)) return found;
            return null;
        }
    }

    static string FolderOf(string name) => name[..(name.LastIndexOf('/') + 1)];
}

public sealed record IngestImagesInput(ImageBatch Batch);
