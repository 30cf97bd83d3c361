using Scion.Faults;
using Scion.Storage;

namespace Scion.Registry;

/// <summary>Models, their immutable versions, and the one pointer that says which version serves.</summary>
/// <remarks>Reads and writes: container <c>models</c>, <c>{model}/versions/{version}/{file}</c> create-only with <c>model.json</c> last, and
/// <c>{model}/latest.json</c> by If-Match. Deletes nothing. Every operation may be repeated after a crash or a lost answer.</remarks>
/// <param name="store">Where everything lives.</param>
/// <param name="time">Stamps the moves of <c>latest</c>; nothing is ordered by it.</param>
public sealed class ModelRegistry(IBlobStore store, TimeProvider time)
{
    public const string Container = "models";

    const int MaxSwaps = 32;

    /// <summary>The time that stamps a move.</summary>
    public DateTimeOffset Now => time.GetUtcNow();

    /// <summary>All models that have a pointer or a version, by name. Blobs with other names are ignored.</summary>
    public async Task<IReadOnlyList<ModelEntry>> ListAsync(CancellationToken cancellation)
    {
        SortedDictionary<string, SortedSet<string>> found = new(StringComparer.Ordinal);
        await foreach (BlobItem item in store.ListAsync(Container, "", cancellation))
        {
            string[] parts = item.Name.Split('/');
            if (item.NameRefused || !ModelName.IsValid(parts[0])) continue;
            if (parts is [_, "latest.json"]) Of(parts[0]);
            else if (parts is [_, "versions", string version, ModelPackage.ManifestName] && VersionName.IsValid(version)) Of(parts[0]).Add(version);
        }
        List<ModelEntry> entries = [];
        foreach ((string model, SortedSet<string> versions) in found)
        {
            try
            {
                entries.Add(new ModelEntry(model, (await FindLatestAsync(model, cancellation))?.Pointer.Version, versions.Count, Fault: null));
            }
            catch (InputRejectedException e)
            {
                entries.Add(new ModelEntry(model, Latest: null, versions.Count, e.Message));
            }
        }
        return entries;

        SortedSet<string> Of(string model) => found.TryGetValue(model, out SortedSet<string>? versions) ? versions : found[model] = new(StringComparer.Ordinal);
    }

    /// <summary>Versions of a model, newest first; those cut off while they were published are marked.</summary>
    /// <exception cref="InputRejectedException">The name is not allowed (R001) or there is no such model (R002).</exception>
    public async Task<IReadOnlyList<VersionEntry>> ListVersionsAsync(string model, CancellationToken cancellation)
    {
        SortedDictionary<string, bool> found = new(StringComparer.Ordinal);
        await foreach (BlobItem item in store.ListAsync(Container, $"{ModelName.Require(model)}/versions/", cancellation))
        {
            if (item.NameRefused || item.Name.Split('/') is not [_, _, string version, string file] || !VersionName.IsValid(version)) continue;
            found[version] = file == ModelPackage.ManifestName || found.GetValueOrDefault(version);
        }
        if (found.Count == 0) throw RegistryFaults.ModelNotFound(model);
        string? latest = null;
        try
        {
            latest = (await FindLatestAsync(model, cancellation))?.Pointer.Version;
        }
        catch (InputRejectedException)
        {
            // The list is how a person finds the version to repair the pointer with; the pointer's own fault is told by ListAsync.
        }
        return [.. found.Reverse().Select(version => new VersionEntry(version.Key, version.Value, version.Key == latest))];
    }

    /// <summary>The pointer and its ETag, or null when nothing was promoted yet.</summary>
    /// <exception cref="InputRejectedException">The name is not allowed (R001) or the pointer is malformed (R009).</exception>
    public async Task<(LatestPointer Pointer, string ETag)?> FindLatestAsync(string model, CancellationToken cancellation) =>
        await FindPointerBytesAsync(model, cancellation) is (byte[] json, string etag) ? (LatestPointer.Parse(model, json), etag) : null;

    /// <summary>ETag of the pointer, or null when nothing was promoted yet. One cheap call; reads no content.</summary>
    public async Task<string?> FindLatestTagAsync(string model, CancellationToken cancellation) =>
        (await store.FindAsync(PointerOf(model), cancellation))?.ETag;

    /// <summary>Reads files of a version and checks their digests.</summary>
    /// <param name="model">Model name.</param>
    /// <param name="version">Version name.</param>
    /// <param name="digest">Digest its <c>model.json</c> must have, as the pointer says; null accepts any.</param>
    /// <param name="names">Files to read; null for all that <c>model.json</c> lists.</param>
    /// <param name="cancellation">Stops the reads.</param>
    /// <exception cref="InputRejectedException">Absent (R003, R004), malformed (R005, R006), damaged (R007, R008) or not the one meant (R010).</exception>
    public Task<ModelPackage> ReadAsync(string model, string version, string? digest, IEnumerable<string>? names, CancellationToken cancellation) =>
        ReadNamedAsync(model, version, digest, manifest => names ?? manifest.Files.Keys, cancellation);

    /// <summary>Reads what serving needs of a version; otherwise as <see cref="ReadAsync"/>.</summary>
    public Task<ModelPackage> ReadServedAsync(string model, string version, string? digest, CancellationToken cancellation) =>
        ReadNamedAsync(model, version, digest, manifest => ModelPackage.ServingFiles(manifest.Kind, manifest.Sentence is not null), cancellation);

    async Task<ModelPackage> ReadNamedAsync(string model, string version, string? digest, Func<ModelManifest, IEnumerable<string>> names, CancellationToken cancellation)
    {
        byte[] json = await ReadManifestBytesAsync(model, version, cancellation);
        string found = ModelPackage.DigestOf(json);
        if (digest is not null && found != digest) throw RegistryFaults.PointerMismatch(model, version, digest, found);
        ModelManifest manifest = ModelPackage.ReadManifest(FileOf(model, version, ModelPackage.ManifestName).ToString(), json);
        Dictionary<string, ReadOnlyMemory<byte>> files = [];
        foreach (string name in names(manifest))
        {
            files[name] = manifest.Files.TryGetValue(name, out FileFacts? expected)
                ? await ReadFileAsync(FileOf(model, version, name), expected, cancellation)
                : throw RegistryFaults.FileMissing(FileOf(model, version, name).ToString());
        }
        return ModelPackage.Open(FolderOf(model, version), json, files);
    }

    /// <summary>Reads files of the version a person chose, or of the one that serves.</summary>
    /// <param name="model">Model name.</param>
    /// <param name="version">A version; null for the one that serves.</param>
    /// <param name="names">Files to read; null for all that <c>model.json</c> lists.</param>
    /// <param name="cancellation">Stops the reads.</param>
    /// <exception cref="InputRejectedException">Nothing serves (R002), the pointer is malformed (R009), or as <see cref="ReadAsync"/>.</exception>
    public async Task<(string Version, ModelPackage Package)> ReadChosenAsync(
        string model, string? version, IEnumerable<string>? names, CancellationToken cancellation)
    {
        (string chosen, string? digest) = await ChosenAsync(model, version, cancellation);
        return (chosen, await ReadAsync(model, chosen, digest, names, cancellation));
    }

    /// <summary>Reads what serving needs of the version a person chose, or of the one that serves; otherwise as <see cref="ReadChosenAsync"/>.</summary>
    public async Task<(string Version, ModelPackage Package)> ReadChosenServedAsync(string model, string? version, CancellationToken cancellation)
    {
        (string chosen, string? digest) = await ChosenAsync(model, version, cancellation);
        return (chosen, await ReadServedAsync(model, chosen, digest, cancellation));
    }

    async Task<(string Version, string? Digest)> ChosenAsync(string model, string? version, CancellationToken cancellation)
    {
        if (version is not null) return (version, null);
        (LatestPointer pointer, _) = await FindLatestAsync(model, cancellation) ?? throw RegistryFaults.ModelNotFound(model);
        return (pointer.Version, pointer.Digest);
    }

    /// <summary>The manifest of a version.</summary>
    /// <exception cref="InputRejectedException">As <see cref="ReadAsync"/>.</exception>
    public async Task<ModelManifest> ReadManifestAsync(string model, string version, CancellationToken cancellation) =>
        (await ReadAsync(model, version, digest: null, [], cancellation)).Manifest;

    /// <summary>Stores a version: every file create-only, <c>model.json</c> last, then all read back and their digests checked.</summary>
    /// <remarks>Repeating it with equal bytes finishes what a crash cut off and otherwise changes nothing.</remarks>
    /// <returns>The version as it was read back.</returns>
    /// <exception cref="InputRejectedException">The version is published with other bytes (R011), or what was stored is damaged (R007).</exception>
    public async Task<ModelPackage> UploadAsync(string model, string version, ModelPackage package, CancellationToken cancellation)
    {
        foreach (string name in package.Names.Order(StringComparer.Ordinal).OrderBy(name => name == ModelPackage.ManifestName))
        {
            BlobPath path = FileOf(model, version, name);
            if (await store.CreateAsync(path, new ReadOnlyMemoryStream(package[name]), cancellation) is not null) continue;
            byte[] stored = await store.FindBytesAsync(path, cancellation) ?? throw RegistryFaults.FileMissing(path.ToString());
            if (!package[name].Span.SequenceEqual(stored))
                throw RegistryFaults.OtherBytes(path.ToString(), ModelPackage.DigestOf(stored), ModelPackage.DigestOf(package[name].Span));
        }
        return await ReadAsync(model, version, package.Digest, names: null, cancellation);
    }

    /// <summary>Moves <c>latest</c> to a version a person chose, after checking that all its digests hold. Also replaces a malformed pointer.</summary>
    /// <param name="model">Model name.</param>
    /// <param name="version">The version; promoting the one that serves changes nothing.</param>
    /// <param name="reason">Kept in the audit row.</param>
    /// <param name="cancellation">Stops the call.</param>
    public async Task<LatestPointer> PromoteAsync(string model, string version, string reason, CancellationToken cancellation)
    {
        ModelPackage package = await ReadAsync(model, version, digest: null, names: null, cancellation);
        return await SwapAsync(model, replaceMalformed: true, (pointer, _) => Task.FromResult<LatestPointer?>(pointer?.Version == version && pointer.Digest == package.Digest
            ? pointer
            : LatestPointer.Moved(pointer, PointerAction.Promote, version, package.Digest, Now, reason)), cancellation)
            ?? throw RegistryFaults.ModelNotFound(model);
    }

    /// <summary>Moves <c>latest</c> back to the version that served before, after checking that all its digests hold.</summary>
    /// <param name="model">Model name.</param>
    /// <param name="from">The version to go back from, so that a repeated call goes back once; null for the one that serves now.</param>
    /// <param name="reason">Kept in the audit row.</param>
    /// <param name="cancellation">Stops the call.</param>
    /// <exception cref="InputRejectedException">Nothing was promoted (R002), nothing served before (R013) or another version serves (R016).</exception>
    public async Task<LatestPointer> RollbackAsync(string model, string? from, string reason, CancellationToken cancellation)
    {
        LatestPointer? pointer = await SwapAsync(model, replaceMalformed: false, async (current, stop) =>
        {
            if (current is null) throw RegistryFaults.ModelNotFound(model);
            from ??= current.Version;                                     // decided once: a lost race must not go back twice as far
            if (current.Moves is [.., { } before, { Action: PointerAction.Rollback }] && before.Version == from) return current;
            if (current.Version != from) throw RegistryFaults.MovedMeanwhile(model, from, current.Version);
            PointerMove previous = current.Previous ?? throw RegistryFaults.NothingToRollBackTo(model, current.Version);
            await ReadAsync(model, previous.Version, previous.Digest, names: null, stop);
            return LatestPointer.Moved(current, PointerAction.Rollback, previous.Version, previous.Digest, Now, reason);
        }, cancellation);
        return pointer!;
    }

    /// <summary>Swaps the pointer by compare-and-swap: decides on what is there now, writes only over that, and decides anew when it lost.</summary>
    /// <param name="model">Model name.</param>
    /// <param name="replaceMalformed">True decides on null, and writes over it, when the pointer is malformed.</param>
    /// <param name="decide">From the pointer there is (null when there is none) to the pointer there should be; returning its argument, or null, writes nothing.</param>
    /// <param name="cancellation">Stops the call.</param>
    /// <returns>The pointer there is at the end.</returns>
    /// <exception cref="TransientStorageException">Others moved it <see cref="MaxSwaps"/> times meanwhile (R015).</exception>
    public async Task<LatestPointer?> SwapAsync(
        string model, bool replaceMalformed, Func<LatestPointer?, CancellationToken, Task<LatestPointer?>> decide, CancellationToken cancellation)
    {
        for (int attempt = 0; attempt < MaxSwaps; attempt++)
        {
            LatestPointer? current = null;
            string? etag = null;
            if (await FindPointerBytesAsync(model, cancellation) is (byte[] json, string tag))
            {
                etag = tag;
                try
                {
                    current = LatestPointer.Parse(model, json);
                }
                catch (InputRejectedException) when (replaceMalformed)
                {
                    // Its history cannot be read; the next move begins a new one.
                }
            }
            LatestPointer? wanted = await decide(current, cancellation);
            if (wanted is null || ReferenceEquals(wanted, current)) return current;
            ReadOnlyMemoryStream bytes = new(wanted.ToBytes());
            BlobItem? written = etag is null
                ? await store.CreateAsync(PointerOf(model), bytes, cancellation)
                : await store.ReplaceAsync(PointerOf(model), bytes, etag, cancellation);
            if (written is not null) return wanted;
        }
        throw RegistryFaults.PointerContended(model, MaxSwaps);
    }

    /// <summary>Reads one file; a file of another length than stated is refused before it is read.</summary>
    async Task<byte[]> ReadFileAsync(BlobPath path, FileFacts expected, CancellationToken cancellation)
    {
        await using BlobContent content = await store.OpenAsync(path, etag: null, cancellation) ?? throw RegistryFaults.FileMissing(path.ToString());
        if (content.Item.Length != expected.Length) throw RegistryFaults.Damaged(path.ToString(), content.Item.Length, "not computed", expected);
        byte[] bytes = new byte[expected.Length];
        await content.Stream.ReadExactlyAsync(bytes, cancellation);
        return bytes;
    }

    async Task<byte[]> ReadManifestBytesAsync(string model, string version, CancellationToken cancellation)
    {
        BlobPath path = FileOf(model, version, ModelPackage.ManifestName);
        await using (BlobContent? content = await store.OpenAsync(path, etag: null, cancellation))
        {
            if (content is not null)
            {
                if (content.Item.Length > ModelPackage.MaxManifestBytes)
                    throw RegistryFaults.Malformed(path.ToString(), $"it has {content.Item.Length} bytes; at most {ModelPackage.MaxManifestBytes} are read.");
                byte[] json = new byte[content.Item.Length];
                await content.Stream.ReadExactlyAsync(json, cancellation);
                return json;
            }
        }
        await foreach (BlobItem _ in store.ListAsync(Container, $"{FolderOf(model, version)["models/".Length..]}/", cancellation))
            throw RegistryFaults.VersionIncomplete(model, version);
        throw RegistryFaults.VersionNotFound(model, version);
    }

    async Task<(byte[] Json, string ETag)?> FindPointerBytesAsync(string model, CancellationToken cancellation)
    {
        await using BlobContent? content = await store.OpenAsync(PointerOf(model), etag: null, cancellation);
        if (content is null) return null;
        if (content.Item.Length > MaxPointerBytes) return ([], content.Item.ETag);
        byte[] json = new byte[content.Item.Length];
        await content.Stream.ReadExactlyAsync(json, cancellation);
        return (json, content.Item.ETag);
    }

    static string FolderOf(string model, string version) => VersionName.IsValid(version)
        ? $"{Container}/{ModelName.Require(model)}/versions/{version}"
        : throw RegistryFaults.VersionNotFound(ModelName.Require(model), version);

    static BlobPath FileOf(string model, string version, string file) => BlobPath.Parse($"{FolderOf(model, version)}/{file}");

    static BlobPath PointerOf(string model) => BlobPath.Of(Container, $"{ModelName.Require(model)}/latest.json");

    /// <summary>Most bytes of a pointer that are read: several times what <see cref="LatestPointer.MaxMoves"/> moves need; a longer file is
    /// taken for an empty, so malformed, one.</summary>
    const int MaxPointerBytes = 4 << 20;
}

/// <param name="Model">Name.</param>
/// <param name="Latest">Version that serves; null when none does.</param>
/// <param name="Versions">Complete versions.</param>
/// <param name="Fault">Why its pointer cannot be used; null when it can.</param>
public sealed record ModelEntry(string Model, string? Latest, int Versions, string? Fault);

/// <param name="Version">Name.</param>
/// <param name="Complete">False when its publishing was cut off.</param>
/// <param name="Latest">True when it serves.</param>
public sealed record VersionEntry(string Version, bool Complete, bool Latest);
