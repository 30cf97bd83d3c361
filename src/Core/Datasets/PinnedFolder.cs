using System.Security.Cryptography;
using Scion.Faults;
using Scion.Pipelines;
using Scion.Registry;
using Scion.Storage;

namespace Scion.Datasets;

/// <summary>What lies in a model's folder at one moment.</summary>
/// <param name="Files">Each by ETag and SHA-256.</param>
/// <param name="Settings">Bytes of dataset.json; null without one.</param>
/// <param name="Warnings">Of what was not read, each a sentence that begins with its code.</param>
sealed record PinnedFolder(IReadOnlyList<PinnedFile> Files, byte[]? Settings, IReadOnlyList<string> Warnings)
{
    /// <summary>Listings tried when files change while they are read.</summary>
    const int Attempts = 5;

    /// <summary>Lists the model's folder, reads its settings, and pins each file.</summary>
    /// <remarks>Files of unknown types are pinned too, so that ingestion refuses them where people see it. Names that cannot be addressed, links and
    /// hidden files are listed in <see cref="Warnings"/>; what operating systems leave beside pictures is left out.</remarks>
    /// <exception cref="InputRejectedException">The name is not allowed (R001), the model is of the other kind (D508), there is nothing to train on
    /// (D501), or files kept changing (D503).</exception>
    public static async Task<PinnedFolder> ReadAsync(IBlobStore store, DataKind kind, string model, CancellationToken cancellation)
    {
        string prefix = ModelName.Require(model) + "/";
        await ModelKind.RequireAsync(store, kind, model, cancellation);
        Dictionary<string, (string ETag, string Sha256)> hashed = new(StringComparer.Ordinal);
        for (int attempt = 0; attempt < Attempts; attempt++)
        {
            List<PinnedFile> files = [];
            List<string> warnings = [];
            byte[]? settings = null;
            bool changed = false;
            await foreach (BlobItem item in store.ListAsync(kind.Container, prefix, cancellation))
            {
                if (item.NameRefused) warnings.Add(DatasetFaults.NameRefused(item.Name));
                else if (kind == DataKind.Images && ImageFormats.IsSystem(item.Name)) continue;
                else if (ReviewFormats.IsHidden(item.Name)) warnings.Add(DatasetFaults.Hidden(kind, item.Name));
                else if (item.Name == prefix + ReviewFormats.SettingsName) changed |= (settings = await BytesAsync(store, item, cancellation)) is null;
                else if (await HashAsync(store, item, hashed, warnings, cancellation) is not { } sha256) changed = true;
                else if (sha256.Length > 0) files.Add(new PinnedFile(item.Container, item.Name, item.ETag, item.Length, sha256));
            }
            if (changed) continue;
            return files.Count == 0 ? throw DatasetFaults.NothingToTrainOn(kind, model, warnings) : new PinnedFolder(files, settings, warnings);
        }
        throw DatasetFaults.KeepsChanging(kind, model);
    }

    /// <returns>Null when the file is no longer as listed; empty when the store does not read it, which is a warning.</returns>
    static async Task<string?> HashAsync(
        IBlobStore store, BlobItem item, Dictionary<string, (string ETag, string Sha256)> hashed, List<string> warnings, CancellationToken cancellation)
    {
        if (hashed.TryGetValue(item.Name, out (string ETag, string Sha256) earlier) && earlier.ETag == item.ETag) return earlier.Sha256;
        try
        {
            await using BlobContent? content = await store.OpenAsync(item.Path, item.ETag, cancellation);
            if (content is null) return null;
            string sha256 = Convert.ToHexStringLower(await SHA256.HashDataAsync(content.Stream, cancellation));
            hashed[item.Name] = (item.ETag, sha256);
            return sha256;
        }
        catch (InputRejectedException e) when (e.Code == "S002")
        {
            return null;
        }
        catch (InputRejectedException e) when (e.Code is "S010" or "S012")
        {
            warnings.Add(DatasetFaults.NotReadable(item.Name, e.Message));
            return "";
        }
    }

    static async Task<byte[]?> BytesAsync(IBlobStore store, BlobItem item, CancellationToken cancellation)
    {
        try
        {
            await using BlobContent? content = await store.OpenAsync(item.Path, item.ETag, cancellation);
            if (content is null) return null;
            byte[] bytes = new byte[Math.Min(item.Length, SettingsFile.MaxBytes + 1L)];
            await content.Stream.ReadExactlyAsync(bytes, cancellation);
            return bytes;
        }
        catch (InputRejectedException e) when (e.Code == "S002")
        {
            return null;
        }
    }
}
