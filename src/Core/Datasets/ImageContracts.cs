using System.ComponentModel;

namespace Scion.Datasets;

/// <summary>Everything a user may set for an images model, in <c>dataset.json</c> or by <c>--set key=value</c>. Stored with each model.</summary>
public sealed record ImageSettings
{
    public ImageEncoderSettings Encoder { get; init; } = new();

    public SplitSettings Split { get; init; } = new();

    [Description("Kind of head: auto chooses by validation, logistic, or nearest-mean.")]
    public string Head { get; init; } = "auto";

    [Description("Seed of everything random in a run.")]
    public int Seed { get; init; } = 1;
}

/// <summary>The pretrained network whose features are used.</summary>
public sealed record ImageEncoderSettings
{
    /// <summary>The network that ships with Scion.</summary>
    public const string Default = "default";

    /// <summary>The choice of a layer by validation.</summary>
    public const string Auto = "auto";

    [Description("default is the network that ships with Scion; encoders/{sha256} uses an imported one.")]
    public string Name { get; init; } = Default;

    [Description("Where the network is cut: auto tries several layers and keeps the one that validates best, or a layer's name as 'scion encoders inspect' prints it.")]
    public string Layer { get; init; } = Auto;
}

/// <summary>Files that are ingested by one call: an archive, or loose pictures of one folder.</summary>
/// <param name="Name">The archive's name, or the folder's with a slash at the end, as <c>dresses/blue/</c>.</param>
/// <param name="Files">The archive alone, or at most <see cref="MaxPictures"/> pictures, by name.</param>
public sealed record ImageBatch(string Name, IReadOnlyList<PinnedFile> Files)
{
    /// <summary>Pictures in a batch and in a shard.</summary>
    public const int MaxPictures = 500;

    /// <param name="files">Files of a run, by name.</param>
    public static IReadOnlyList<ImageBatch> Of(IReadOnlyList<PinnedFile> files)
    {
        IEnumerable<ImageBatch> archives = files.Where(IsArchive).Select(file => new ImageBatch(file.Name, [file]));
        IEnumerable<ImageBatch> folders = files.Where(file => !IsArchive(file)).GroupBy(file => file.Name[..(file.Name.LastIndexOf('/') + 1)], StringComparer.Ordinal)
            .SelectMany(folder => folder.Chunk(MaxPictures).Select(chunk => new ImageBatch(folder.Key, chunk)));
        return [.. archives.Concat(folders).OrderBy(batch => batch.Name, StringComparer.Ordinal).ThenBy(batch => batch.Files[0].Name, StringComparer.Ordinal)];
    }

    static bool IsArchive(PinnedFile file) => file.Name.EndsWith(".zip", StringComparison.OrdinalIgnoreCase);
}

public sealed record IngestImagesInput(ImageBatch Batch);
