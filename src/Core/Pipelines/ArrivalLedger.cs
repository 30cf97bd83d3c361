using System.Text.Json;
using Scion.Datasets;
using Scion.Faults;
using Scion.Registry;
using Scion.Storage;

namespace Scion.Pipelines;

/// <summary>What was dropped and what became of it, also when no run came of it: <c>runs/arrivals/</c>.</summary>
/// <remarks>One blob a model, replaced by each arrival; whoever writes last wins. When that is the older of two, its print differs from the
/// folder's, and the next look takes the folder in again.</remarks>
public sealed class ArrivalLedger(IBlobStore store, TimeProvider time)
{
    /// <summary>The last arrival in a model's folder, or null when there was none.</summary>
    /// <exception cref="InputRejectedException">The name is not allowed (R001), or the record is damaged (S005).</exception>
    public async Task<ArrivalRecord?> FindAsync(DataKind kind, string model, CancellationToken cancellation) =>
        (await store.FindJsonAsync<ArrivalRecord>(At(kind, model), cancellation))?.Value;

    /// <summary>True when nothing has changed in a folder since it was last taken in by a program of this version. A damaged record counts for none.</summary>
    public async Task<bool> IsTakenInAsync(DroppedFolder folder, CancellationToken cancellation) =>
        await ReadableAsync(folder.Kind, folder.Model, cancellation) is { CodeVersion: TrainingRequest.CodeVersion } earlier && earlier.Print == folder.Print;

    /// <summary>As <see cref="FindAsync"/>; null for a record that is damaged or of another version of the program.</summary>
    public async Task<ArrivalRecord?> ReadableAsync(DataKind kind, string model, CancellationToken cancellation)
    {
        try
        {
            return await FindAsync(kind, model, cancellation);
        }
        catch (InputRejectedException e) when (e.Code == "S005")
        {
            return null;
        }
    }

    /// <summary>The last arrivals in all folders of a kind, by model; without records that cannot be read.</summary>
    public async Task<IReadOnlyList<ArrivalRecord>> ListAsync(DataKind kind, CancellationToken cancellation)
    {
        string folder = $"arrivals/{kind.Container}/";
        List<ArrivalRecord> arrivals = [];
        await foreach (BlobItem item in store.ListAsync(RunLedger.Container, folder, cancellation))
            if (!item.NameRefused && item.Name.EndsWith(".json", StringComparison.Ordinal) && item.Name[folder.Length..^".json".Length] is { } model
                && ModelName.IsValid(model) && await ReadableAsync(kind, model, cancellation) is { } arrival) arrivals.Add(arrival);
        return arrivals;
    }

    /// <summary>Records an arrival.</summary>
    public Task PutAsync(ArrivalRecord arrival, CancellationToken cancellation) =>
        store.PutAsync(At(DataKinds.Of(arrival.Kind)!.Value, arrival.Model), JsonSerializer.SerializeToUtf8Bytes(arrival, ScionJson.Indented), cancellation);

    /// <summary>Uploads of a container in no model's folder, as last found; null when there never were any.</summary>
    /// <param name="container"><c>reviews</c>, <c>images</c> or <c>predict</c>.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="InputRejectedException">The record is damaged (S005).</exception>
    public async Task<StrayRecord?> FindStraysAsync(string container, CancellationToken cancellation) =>
        (await store.FindJsonAsync<StrayRecord>(StraysAt(container), cancellation))?.Value;

    /// <summary>Records which uploads of a container lie in no model's folder, unless the same is recorded.</summary>
    /// <param name="container"><c>reviews</c>, <c>images</c> or <c>predict</c>.</param>
    /// <param name="strays">A sentence each, as <see cref="StrayUploads.Among"/>.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>Those that were not recorded before.</returns>
    public async Task<IReadOnlyList<string>> PutStraysAsync(string container, IReadOnlyList<string> strays, CancellationToken cancellation)
    {
        StrayRecord? before;
        try
        {
            before = await FindStraysAsync(container, cancellation);
        }
        catch (InputRejectedException e) when (e.Code == "S005")
        {
            before = null;
        }
        string[] listed = [.. strays.Take(StrayRecord.Listed)];
        if (before is null ? strays.Count == 0 : before.Total == strays.Count && before.Uploads.SequenceEqual(listed)) return [];
        StrayRecord now = new(listed, strays.Count, time.GetUtcNow());
        await store.PutAsync(StraysAt(container), JsonSerializer.SerializeToUtf8Bytes(now, ScionJson.Indented), cancellation);
        return [.. listed.Except(before?.Uploads ?? [], StringComparer.Ordinal)];
    }

    static BlobPath At(DataKind kind, string model) => BlobPath.Of(RunLedger.Container, $"arrivals/{kind.Container}/{ModelName.Require(model)}.json");

    static BlobPath StraysAt(string container) => BlobPath.Of(RunLedger.Container, $"arrivals/{container}.json");
}
