using System.Text.Json;
using Scion.Datasets;
using Scion.Faults;
using Scion.Pipelines;
using Scion.Serving;
using Scion.Storage;

namespace Scion.Registry;

/// <summary>Publishing of any kind of model: uploads a package, loads it from what was stored, repeats its parity, and moves <c>latest</c> if the gate passes.</summary>
/// <param name="memo">Keeps the package's files.</param>
/// <param name="registry">On the same store.</param>
/// <param name="load">Loads a package as serving does.</param>
/// <param name="onTestRows">For each held-out row: whether the challenger (first) and the champion are right.</param>
sealed class Publishing<TPredictor>(
    StepMemo memo, ModelRegistry registry, Func<ModelPackage, TPredictor> load,
    Func<TPredictor, TPredictor, CancellationToken, Task<IReadOnlyCollection<(bool Challenger, bool Champion)>>> onTestRows) where TPredictor : Predictor
{
    /// <exception cref="InputRejectedException">The package differs from training (R012), the version holds other bytes (R011), or a model of another kind
    /// serves under the name (R017).</exception>
    public async Task<Published> RunAsync(string model, string version, PackageBuilt built, string stage, IProgress<StepProgress>? progress, CancellationToken cancellation)
    {
        progress?.Report(new StepProgress(stage, 1, 3, "parts"));
        ModelPackage package = await PackageAsync(built, cancellation);
        await RequireKindAsync(model, package.Manifest.Kind, cancellation);
        package = await registry.UploadAsync(model, version, package, cancellation);
        using TPredictor stored = load(package);                              // from the bytes read back, as serving does
        await ParityCheck.RepeatAsync(stored, package, cancellation);
        progress?.Report(new StepProgress(stage, 2, 3, "parts"));
        PublishGate gate = await MoveLatestAsync(model, version, package, stored, cancellation);
        progress?.Report(new StepProgress(stage, 3, 3, "parts"));
        return new Published(model, version, built.Digest, gate.Pass, gate.Sentence, built.ParityError);
    }

    async Task<ModelPackage> PackageAsync(PackageBuilt built, CancellationToken cancellation)
    {
        Dictionary<string, ReadOnlyMemory<byte>> files = [];
        foreach (PackageFile file in built.Files) files[file.Name] = await memo.Store.ReadAsync(file.Content, cancellation);
        files.Remove(ModelPackage.ManifestName, out ReadOnlyMemory<byte> manifest);
        return ModelPackage.Open("work", manifest.ToArray(), files);
    }

    async Task RequireKindAsync(string model, string kind, CancellationToken cancellation)
    {
        string serves;
        try
        {
            if (await registry.FindLatestAsync(model, cancellation) is not { } latest) return;
            serves = (await registry.ReadManifestAsync(model, latest.Pointer.Version, cancellation)).Kind;
        }
        catch (InputRejectedException)
        {
            return;                                                            // what serves cannot be read; the gate says so
        }
        if (serves != kind) throw RegistryFaults.OtherKind(model, serves, kind);
    }

    async Task<PublishGate> MoveLatestAsync(string model, string version, ModelPackage package, TPredictor stored, CancellationToken cancellation)
    {
        PublishGate gate = new(false, "");
        (string Champion, PublishGate Verdict)? judged = null;                // a lost race against the same champion need not measure again
        try
        {
            await registry.SwapAsync(model, replaceMalformed: false, async (latest, stop) =>
            {
                if (latest?.Moves.LastOrDefault(move => move.Version == version) is { } earlier)
                {
                    gate = latest.Version == version ? new(true, earlier.Reason)
                        : new(false, $"Not promoted: this version served before, and {latest.Version} was put in its place.");
                    return latest;
                }
                if (latest is not null && string.CompareOrdinal(latest.Version, version) > 0)
                {
                    gate = new(false, $"Not promoted: {latest.Version}, from a later run, serves already.");
                    return latest;
                }
                if (latest is null) gate = new(true, "Promoted: the first version of this model.");
                else
                {
                    if (judged?.Champion != latest.Digest) judged = (latest.Digest, await JudgeAsync(model, stored, latest, stop));
                    gate = judged.Value.Verdict;
                }
                return gate.Pass ? LatestPointer.Moved(latest, PointerAction.Publish, version, package.Digest, registry.Now, gate.Sentence) : latest;
            }, cancellation);
        }
        catch (InputRejectedException e) when (e.Code == "R009")
        {
            return new PublishGate(false, $"Not promoted: {e.Message}");
        }
        return gate;
    }

    async Task<PublishGate> JudgeAsync(string model, TPredictor ours, LatestPointer latest, CancellationToken cancellation)
    {
        TPredictor theirs;
        try
        {
            theirs = load(await registry.ReadServedAsync(model, latest.Version, latest.Digest, cancellation));
        }
        catch (InputRejectedException e)
        {
            return new PublishGate(true, $"Promoted: {latest.Version} cannot be loaded any more ({e.Code}).");
        }
        using TPredictor champion = theirs;
        return HeldOutFromBoth(ours.Manifest, champion.Manifest)
            ? PublishGate.OnRows(latest.Version, await onTestRows(ours, champion, cancellation))
            : PublishGate.OnIntervals(latest.Version, ours.Manifest.Measured.Models[^1].Accuracy, champion.Manifest.Measured.Models[^1].Accuracy);
    }

    /// <summary>True when the champion cannot have learned from the challenger's test rows: both split alike, by hash or by the files.</summary>
    static bool HeldOutFromBoth(ModelManifest challenger, ModelManifest champion) =>
        challenger.Data.Protocol == champion.Data.Protocol && challenger.Data.Protocol != Protocol.CrossValidation
        && (challenger.Data.Protocol == Protocol.GivenSplit || SplitOf(challenger) == SplitOf(champion));

    static string? SplitOf(ModelManifest manifest) =>
        manifest.Settings.ValueKind == JsonValueKind.Object && manifest.Settings.TryGetProperty("split", out JsonElement split) ? split.GetRawText() : null;
}
