using System.Text.RegularExpressions;
using Scion.Faults;

namespace Scion.Storage;

/// <summary>A container and a name in it, checked: no dot segments, no back-slashes, no control characters, no empty segments.</summary>
/// <remarks>The Azure SDK folds dot segments into the URI, so an unchecked <c>../other/x</c> writes into another container.</remarks>
public readonly partial record struct BlobPath
{
    /// <summary>Most characters a name may have; Azure's own limit.</summary>
    public const int MaxNameLength = 1024;

    BlobPath(string container, string name) => (Container, Name) = (container, name);

    public string Container { get; }

    public string Name { get; }

    /// <exception cref="InputRejectedException">The container or the name is not allowed (S001).</exception>
    public static BlobPath Of(string container, string name) => IsValid(container, name)
        ? new(container, name)
        : throw new InputRejectedException("S001", $"'{Printable(container)}/{Printable(name)}' is not a usable blob name.",
            $"Use 1 to {MaxNameLength} characters without control characters, back-slashes, empty, '.' or '..' segments, or a final '.' or '/'.");

    /// <summary>Parses <c>container/name</c>.</summary>
    /// <exception cref="InputRejectedException">There is no '/', or either part is not allowed (S001).</exception>
    public static BlobPath Parse(string path)
    {
        int slash = path.IndexOf('/', StringComparison.Ordinal);
        return slash < 0 ? Of(path, "") : Of(path[..slash], path[(slash + 1)..]);
    }

    /// <summary>Checks the name of a container alone, as a listing needs it.</summary>
    /// <exception cref="InputRejectedException">It is not allowed (S001).</exception>
    public static void RequireContainer(string container) => Of(container, "-");

    /// <summary>True when a container and a name can be addressed in every store. U+FFFD is refused because it stands for a name that could not be decoded.</summary>
    public static bool IsValid(string container, string name)
    {
        if (!ContainerName().IsMatch(container) || name.Length is 0 or > MaxNameLength) return false;
        foreach (char c in name)
            if (char.IsControl(c) || c is '\\' or '\uFFFD' or '\uFFFE' or '\uFFFF' || char.GetUnicodeCategory(c) == System.Globalization.UnicodeCategory.Format)
                return false;
        if (!IsWellFormed(name)) return false;
        foreach (Range segment in name.AsSpan().Split('/'))
        {
            ReadOnlySpan<char> part = name.AsSpan(segment);
            if (part.IsEmpty || part.EndsWith('.') || part.Length > 255) return false;
        }
        return true;
    }

    static bool IsWellFormed(string name)
    {
        for (int i = 0; i < name.Length; i++)
        {
            if (!char.IsSurrogate(name[i])) continue;
            if (i + 1 == name.Length || !char.IsSurrogatePair(name[i], name[i + 1])) return false;
            i++;
        }
        return true;
    }

    static string Printable(string text) =>
        string.Concat(text.Take(80).Select(c => char.IsControl(c) || char.IsSurrogate(c) ? $"\\u{(int)c:x4}" : c.ToString()));

    public override string ToString() => $"{Container}/{Name}";

    [GeneratedRegex("^[a-z0-9](?:[a-z0-9]|-(?!-)){1,61}[a-z0-9]$")]
    private static partial Regex ContainerName();
}
