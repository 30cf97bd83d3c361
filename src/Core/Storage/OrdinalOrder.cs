namespace Scion.Storage;

/// <summary>Puts a listing that comes in the order of code points into ordinal order, holding back only what may still move.</summary>
/// <remarks>The orders differ in one thing: a character beyond U+FFFF, in UTF-16 a pair beginning with D800 to DBFF, sorts before U+E000 to
/// U+FFFF ordinally and after them by code point. In either order the names that share what comes before their first such character, and have one there,
/// stand together; each such group is sorted when it has ended. Names already in ordinal order pass unchanged.</remarks>
internal sealed class OrdinalOrder
{
    readonly List<BlobItem> group = [];
    string shared = "";

    /// <summary>Takes the next item and returns those whose place is now certain.</summary>
    public IReadOnlyList<BlobItem> Add(BlobItem item)
    {
        if (group.Count > 0 && item.Name.Length > shared.Length && item.Name.StartsWith(shared, StringComparison.Ordinal) && IsHigh(item.Name[shared.Length]))
        {
            group.Add(item);
            return [];
        }
        IReadOnlyList<BlobItem> ready = Rest();
        int high = item.Name.AsSpan().IndexOfAnyInRange('\uD800', '\uFFFF');
        if (high < 0) return [.. ready, item];
        shared = item.Name[..high];
        group.Add(item);
        return ready;
    }

    /// <summary>Returns what is held back, at the end of the listing.</summary>
    public IReadOnlyList<BlobItem> Rest()
    {
        BlobItem[] ready = [.. group];
        group.Clear();
        Array.Sort(ready, (a, b) => string.CompareOrdinal(a.Name, b.Name));
        return ready;
    }

    static bool IsHigh(char c) => c >= '\uD800';
}
