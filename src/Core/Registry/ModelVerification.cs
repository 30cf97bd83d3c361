using System.Globalization;
using Scion.Faults;
using Scion.Serving;
using Scion.Vision;

namespace Scion.Registry;

/// <summary>What was checked of one version or of the pointer.</summary>
/// <param name="Version">Version; null for the pointer.</param>
/// <param name="Check">"pointer", "digests", "loads" or "parity".</param>
/// <param name="Passed">True when it holds.</param>
/// <param name="Detail">What was found, with numbers; begins with the code when it does not hold.</param>
public sealed record VerifiedCheck(string? Version, string Check, bool Passed, string Detail);

/// <param name="Model">Model name.</param>
/// <param name="Checks">In the order in which they were made: the pointer, then versions, newest first.</param>
public sealed record ModelVerified(string Model, IReadOnlyList<VerifiedCheck> Checks)
{
    public bool Passed => Checks.All(check => check.Passed);
}

/// <summary>Checks that stored versions are what was published and predict here what they did there: <c>scion models verify</c>.</summary>
/// <remarks>Reads every byte of the versions; writes nothing. One version is in memory at a time.</remarks>
public static class ModelVerification
{
    /// <summary>Checks the pointer, then all digests, loading and parity of one version or of all.</summary>
    /// <param name="registry">Where the model lives.</param>
    /// <param name="pictures">Reads stored pictures, for versions of images.</param>
    /// <param name="model">Model name.</param>
    /// <param name="version">One version; null for all.</param>
    /// <param name="progress">Told after each version; may be null.</param>
    /// <param name="cancellation">Stops between files.</param>
    /// <exception cref="InputRejectedException">The name is not allowed (R001), or there is no such model (R002) or version (R003).</exception>
    /// <exception cref="TransientStorageException">Storage did not answer: nothing is said about the model then.</exception>
    public static async Task<ModelVerified> VerifyAsync(
        ModelRegistry registry, IPictureReader pictures, string model, string? version, IProgress<(int Done, int Total)>? progress, CancellationToken cancellation)
    {
        List<VerifiedCheck> checks = [];
        (VerifiedCheck? pointer, string? latest, string? digest) = await PointerAsync(registry, model, cancellation);
        IReadOnlyList<VersionEntry> versions;
        try
        {
            versions = await registry.ListVersionsAsync(model, cancellation);
        }
        catch (InputRejectedException e) when (e.Code == "R002" && pointer is not null)
        {
            versions = [];                                                 // a pointer to nothing: the pointer's check below says so
        }
        if (version is not null && versions.All(entry => entry.Version != version)) throw RegistryFaults.VersionNotFound(model, version);
        if (pointer is { Passed: true } && !versions.Any(entry => entry.Version == latest && entry.Complete))
            pointer = Failed(null, "pointer", RegistryFaults.VersionNotFound(model, latest!));
        if (pointer is not null) checks.Add(pointer);

        VersionEntry[] chosen = [.. versions.Where(entry => version is null || entry.Version == version)];
        for (int i = 0; i < chosen.Length; i++)
        {
            await VersionAsync(checks, registry, pictures, model, chosen[i].Version, chosen[i].Version == latest ? digest : null, cancellation);
            progress?.Report((i + 1, chosen.Length));
        }
        return new ModelVerified(model, checks);
    }

    static async Task<(VerifiedCheck? Check, string? Latest, string? Digest)> PointerAsync(ModelRegistry registry, string model, CancellationToken cancellation)
    {
        try
        {
            if (await registry.FindLatestAsync(model, cancellation) is not { } found) return (null, null, null);
            LatestPointer pointer = found.Pointer;
            return (new VerifiedCheck(null, "pointer", true, $"latest.json names {pointer.Version}, move {pointer.Moves[^1].Sequence.ToString(CultureInfo.InvariantCulture)}."), pointer.Version, pointer.Digest);
        }
        catch (InputRejectedException e) when (e.Code == "R009")
        {
            return (Failed(null, "pointer", e), null, null);
        }
    }

    static async Task VersionAsync(
        List<VerifiedCheck> checks, ModelRegistry registry, IPictureReader pictures, string model, string version, string? digest, CancellationToken cancellation)
    {
        string check = "digests";
        try
        {
            ModelPackage package = await registry.ReadAsync(model, version, digest, names: null, cancellation);
            checks.Add(new VerifiedCheck(version, check, true, string.Create(CultureInfo.InvariantCulture,
                $"{package.Manifest.Files.Count} files, {package.Manifest.Files.Values.Sum(file => file.Length):n0} bytes; model.json {package.Digest}.")));
            check = "loads";
            using Predictor predictor = Predictor.Load(package, pictures);
            ModelManifest manifest = package.Manifest;
            string what = manifest.Network is { } network ? string.Create(CultureInfo.InvariantCulture, $"{network.Name} cut at {network.Layer}, {manifest.Encoder.Dim:n0} features")
                : manifest.Sentence is { } sentence ? string.Create(CultureInfo.InvariantCulture, $"{sentence.Name}, {manifest.Encoder.Words:n0} tokens, {manifest.Encoder.Dim:n0} features")
                : string.Create(CultureInfo.InvariantCulture, $"{manifest.Encoder.Words:n0} words");
            checks.Add(new VerifiedCheck(version, check, true, string.Create(CultureInfo.InvariantCulture, $"{what}, {manifest.Labels.Count} classes.")));
            check = "parity";
            double largest = await ParityCheck.RepeatAsync(predictor, package, cancellation);
            checks.Add(new VerifiedCheck(version, check, true, string.Create(CultureInfo.InvariantCulture,
                $"largest |Δ logit| here {largest:0.#e+0}, when published {package.Manifest.Parity.Largest:0.#e+0}, allowed {ParityCheck.LimitOf(package.Manifest):0.###}.")));
        }
        catch (InputRejectedException e)
        {
            checks.Add(Failed(version, check, e));
        }
    }

    static VerifiedCheck Failed(string? version, string check, InputRejectedException fault) => new(version, check, false, fault.Message);
}
