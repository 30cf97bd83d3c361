using System.Security.Cryptography;
using Scion.Datasets;
using Scion.Faults;
using Scion.Storage;

namespace Scion.Local.Running;

/// <summary>What was copied into a model's folder.</summary>
/// <param name="Copied">Names created or replaced, without the model's folder.</param>
/// <param name="Same">Names that were there with the same bytes.</param>
/// <param name="Skipped">Files that are not read, as they were found.</param>
/// <param name="Kept">Names in the folder that did not come from here; they stay part of the data set.</param>
sealed record Uploaded(IReadOnlyList<string> Copied, IReadOnlyList<string> Same, IReadOnlyList<string> Skipped, IReadOnlyList<string> Kept);

/// <summary>Copies files of this machine into the data set of a model: creates and replaces, never deletes.</summary>
static class DatasetUpload
{
    /// <param name="location">Where the store lies: a path inside its own folder for the model is used in place.</param>
    /// <param name="store">The store.</param>
    /// <param name="kind">What is copied.</param>
    /// <param name="model">Model name, checked.</param>
    /// <param name="paths">Files and folders.</param>
    /// <param name="cancellation">Stops between two files.</param>
    /// <exception cref="InputRejectedException">A path does not exist (L005), holds nothing of the kind (L006), or two files have one name (L007).</exception>
    public static async Task<Uploaded> CopyAsync(
        StoreLocation location, IBlobStore store, DataKind kind, string model, IReadOnlyList<string> paths, CancellationToken cancellation)
    {
        SortedDictionary<string, string> files = new(StringComparer.Ordinal);
        List<string> skipped = [];
        foreach (string path in paths) Collect(kind, path, files, skipped);

        Dictionary<string, BlobItem> there = [];
        await foreach (BlobItem item in store.ListAsync(kind.Container, $"{model}/", cancellation))
            if (!item.NameRefused) there[item.Name[(model.Length + 1)..]] = item;

        List<string> copied = [], same = [];
        string own = Path.GetFullPath(Path.Combine(location.Folder, kind.Container, model)) + Path.DirectorySeparatorChar;
        foreach ((string name, string path) in files)
        {
            if (location.Connection is null && Path.GetFullPath(path).StartsWith(own, StringComparison.Ordinal))
            {
                string inPlace = Path.GetFullPath(path)[own.Length..].Replace(Path.DirectorySeparatorChar, '/');
                there.Remove(inPlace);
                same.Add(inPlace);
                continue;
            }
            there.Remove(name, out BlobItem? before);
            (await PutAsync(store, BlobPath.Of(kind.Container, $"{model}/{name}"), path, before, cancellation) ? copied : same).Add(name);
        }
        return new Uploaded(copied, same, skipped, [.. there.Keys.Where(name => kind.IsRead(name)).Order(StringComparer.Ordinal)]);
    }

    static void Collect(DataKind kind, string path, SortedDictionary<string, string> files, List<string> skipped)
    {
        if (File.Exists(path))
        {
            if (!Add(Path.GetFileName(path), path)) throw LocalFaults.NothingToUpload(kind, path, 1);
            return;
        }
        if (!Directory.Exists(path)) throw LocalFaults.NoSuchPath(path);
        int before = files.Count;
        string folder = Path.GetFullPath(path);
        foreach (string file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
            if (!Add(Path.GetRelativePath(folder, file).Replace(Path.DirectorySeparatorChar, '/'), file)) skipped.Add(file);
        if (files.Count == before) throw LocalFaults.NothingToUpload(kind, path, skipped.Count);

        bool Add(string name, string file)
        {
            if (ReviewFormats.IsHidden(name) || !(name == ReviewFormats.SettingsName || kind.IsRead(name))) return false;
            if (files.TryGetValue(name, out string? other) && Path.GetFullPath(other) != Path.GetFullPath(file)) throw LocalFaults.SameName(name, other, file);
            files[name] = file;
            return true;
        }
    }

    /// <returns>False when the same bytes were there.</returns>
    static async Task<bool> PutAsync(IBlobStore store, BlobPath blob, string path, BlobItem? before, CancellationToken cancellation)
    {
        await using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, FileOptions.Asynchronous | FileOptions.SequentialScan);
        while (true)
        {
            file.Position = 0;
            if (before is null)
            {
                if (await store.CreateAsync(blob, file, cancellation) is not null) return true;
            }
            else
            {
                if (before.Length == file.Length && await IsSameAsync(store, blob, before.ETag, file, cancellation)) return false;
                file.Position = 0;
                if (await store.ReplaceAsync(blob, file, before.ETag, cancellation) is not null) return true;
            }
            before = await store.FindAsync(blob, cancellation);
        }
    }

    static async Task<bool> IsSameAsync(IBlobStore store, BlobPath blob, string etag, FileStream file, CancellationToken cancellation)
    {
        try
        {
            await using BlobContent? content = await store.OpenAsync(blob, etag, cancellation);
            if (content is null) return false;
            byte[] there = await SHA256.HashDataAsync(content.Stream, cancellation), here = await SHA256.HashDataAsync(file, cancellation);
            return there.AsSpan().SequenceEqual(here);
        }
        catch (InputRejectedException e) when (e.Code == "S002")
        {
            return false;
        }
    }
}
