using System.Security.Cryptography;
using System.Text;
using Scion.Storage;

namespace Scion.Datasets;

/// <summary>What lies in <c>reviews/{model}/</c> or <c>images/{model}/</c> at one moment, as listed: names and versions, no content.</summary>
/// <param name="kind">Of the container.</param>
/// <param name="model">First segment of the names, whether or not a model can be called so; "" for files in no folder.</param>
/// <param name="items">Its files, in the order listed.</param>
public sealed class DroppedFolder(DataKind kind, string model, IReadOnlyList<BlobItem> items)
{
    public DataKind Kind { get; } = kind;

    public string Model { get; } = model;

    public IReadOnlyList<BlobItem> Items { get; } = items;

    /// <summary>64 hex digits over the names, lengths and ETags: equal when nothing was written or deleted, and only then.</summary>
    public string Print { get; } = PrintOf(items);

    /// <summary>When a file of it was last written, by the store's clock. Deleting leaves no trace in it.</summary>
    public DateTimeOffset Newest { get; } = items.Count == 0 ? DateTimeOffset.MinValue : items.Max(item => item.Modified);

    /// <summary>False when there are settings and hidden files only: alone, they start nothing.</summary>
    public bool HasUploads => Items.Any(IsUpload);

    /// <summary>Every folder of a kind, as listed; also those that no model can be called after.</summary>
    public static async Task<IReadOnlyList<DroppedFolder>> ListAsync(IBlobStore store, DataKind kind, CancellationToken cancellation)
    {
        OrderedDictionary<string, List<BlobItem>> found = new(StringComparer.Ordinal);
        await foreach (BlobItem item in store.ListAsync(kind.Container, "", cancellation))
        {
            string model = StrayUploads.FolderOf(item.Name);
            if (!found.TryGetValue(model, out List<BlobItem>? items)) found[model] = items = [];
            items.Add(item);
        }
        return [.. found.Select(folder => new DroppedFolder(kind, folder.Key, folder.Value))];
    }

    /// <summary>One model's folder; without items when there is none.</summary>
    public static async Task<DroppedFolder> FindAsync(IBlobStore store, DataKind kind, string model, CancellationToken cancellation) =>
        new(kind, model, await store.ListAsync(kind.Container, model + "/", cancellation).ToListAsync(cancellation));

    /// <summary>How long it must stay as it is to be taken for whole.</summary>
    /// <param name="known">True for files that an earlier arrival took in already: nobody waits for their companions.</param>
    /// <param name="settle">For files that are data sets by themselves, in every case: a file that is being copied grows.</param>
    /// <param name="quiet">For loose files (.txt, pictures, dataset.json), which have companions.</param>
    public TimeSpan Stillness(Func<BlobItem, bool> known, TimeSpan settle, TimeSpan quiet) =>
        quiet > settle && Items.Any(item => IsLoose(item) && !known(item)) ? quiet : settle;

    bool IsLoose(BlobItem item) => (item.NameRefused || !Kind.IsCompleteByItself(item.Name)) && !IsSystem(item);

    bool IsUpload(BlobItem item) => item.NameRefused
        || (!IsSystem(item) && item.Name != $"{Model}/{ReviewFormats.SettingsName}" && !ReviewFormats.IsHidden(item.Name));

    bool IsSystem(BlobItem item) => Kind == DataKind.Images && ImageFormats.IsSystem(item.Name);

    static string PrintOf(IReadOnlyList<BlobItem> items)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (BlobItem item in items) hash.AppendData(Encoding.UTF8.GetBytes($"{item.Name}\0{item.Length}\0{item.ETag}\n"));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
