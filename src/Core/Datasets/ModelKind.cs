using System.Text.Json;
using Scion.Faults;
using Scion.Registry;
using Scion.Storage;

namespace Scion.Datasets;

/// <summary>A model is of one kind: of reviews or of images.</summary>
public static class ModelKind
{
    /// <summary>Refuses a model of the other kind: by its published versions, else by the files that lie in the other container.</summary>
    /// <exception cref="InputRejectedException">It is one (D508).</exception>
    public static async Task RequireAsync(IBlobStore store, DataKind kind, string model, CancellationToken cancellation)
    {
        if (await PublishedAsync(store, model, cancellation) is { } published)
        {
            if (published != kind) throw DatasetFaults.OtherKind(model, kind, published, "as its versions are");
            return;
        }
        DataKind other = kind == DataKind.Images ? DataKind.Reviews : DataKind.Images;
        await foreach (BlobItem item in store.ListAsync(other.Container, model + "/", cancellation))
            if (!item.NameRefused && !ReviewFormats.IsHidden(item.Name) && other.IsRead(item.Name))
                throw DatasetFaults.OtherKind(model, kind, other, $"since '{other.Container}/{DatasetFaults.Printable(item.Name)}' is there");
    }

    /// <summary>The kind of the model's first version that can be read, or null when it has none.</summary>
    static async Task<DataKind?> PublishedAsync(IBlobStore store, string model, CancellationToken cancellation)
    {
        await foreach (BlobItem item in store.ListAsync(ModelRegistry.Container, model + "/versions/", cancellation))
        {
            if (item.NameRefused || !item.Name.EndsWith("/" + ModelPackage.ManifestName, StringComparison.Ordinal)) continue;
            try
            {
                if (await store.FindJsonAsync<JsonElement>(item.Path, cancellation) is ({ ValueKind: JsonValueKind.Object } manifest, _)
                    && manifest.TryGetProperty("kind", out JsonElement kind) && kind.ValueKind == JsonValueKind.String && DataKinds.Of(kind.GetString()!) is { } found) return found;
            }
            catch (InputRejectedException)
            {
                // Damaged: another version may tell.
            }
        }
        return null;
    }
}
