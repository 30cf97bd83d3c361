namespace Scion.Datasets;

/// <summary>Which files hold pictures, told by their names. What a picture is, its bytes decide.</summary>
public static class ImageFormats
{
    /// <summary>Name of the optional table of labels beside pictures.</summary>
    public const string LabelsName = "labels.csv";

    /// <summary>What a user may upload, for messages.</summary>
    public const string Known = ".jpg, .png and .webp pictures, .zip of them, and labels.csv";

    /// <summary>Endings of pictures. Those that are not read are here too, so that they are refused by what they are: a phone's .heic is one.</summary>
    static readonly HashSet<string> Endings = new(StringComparer.OrdinalIgnoreCase)
    {
        ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".heic", ".heif", ".avif",
    };

    /// <summary>True for a picture by its name.</summary>
    public static bool IsPicture(string name) => Endings.Contains(Path.GetExtension(name));

    public static bool IsArchive(string name) => name.EndsWith(".zip", StringComparison.OrdinalIgnoreCase);

    public static bool IsLabels(string name) => Path.GetFileName(name).Equals(LabelsName, StringComparison.OrdinalIgnoreCase);

    /// <summary>True for a file that pictures, or their labels, are read from.</summary>
    public static bool IsImageFile(string name) => IsPicture(name) || IsArchive(name) || IsLabels(name);

    /// <summary>True for what operating systems leave beside a user's own files.</summary>
    public static bool IsSystem(string name) => name.StartsWith("__MACOSX/", StringComparison.Ordinal)
        || Path.GetFileName(name) is ".DS_Store" or "Thumbs.db" or "desktop.ini" or ['.', '_', ..];

    /// <summary>True for a file that is a whole data set, so that a run may start at once; loose pictures wait for their companions.</summary>
    public static bool IsCompleteByItself(string name) => IsArchive(name);
}
