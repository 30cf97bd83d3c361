using System.Text.Json;
using Scion.Datasets;
using Scion.Faults;
using Scion.Pipelines;
using Scion.Serving;
using Scion.Storage;

namespace Scion.Registry;

/// <summary>Stores a version, checks it, and lets it serve if it is not worse than the one that does.</summary>
/// <remarks>Reads: what <see cref="BuildPackageStep"/> reads, the version that serves, texts of the test rows. Writes:
/// <c>models/{model}/versions/{version}/</c> create-only, then <c>latest.json</c> by If-Match. May run more than once and be cut off between any
/// two writes: a repeat finds what is there, finishes the rest and answers the same. Randomness: none. Clock: stamps the move of
/// <c>latest.json</c>; nothing is decided by it.</remarks>
/// <param name="memo">Keeps answers.</param>
/// <param name="registry">On the same store.</param>
public sealed class PublishStep(StepMemo memo, ModelRegistry registry)
{
    const int Version = 1;

    /// <exception cref="InputRejectedException">The package differs from training (R012), or the version holds other bytes (R011).</exception>
    /// <exception cref="TransientStorageException">Storage did not answer or others keep moving the pointer; the call is safe to repeat.</exception>
    public Task<Published> RunAsync(PublishInput input, IProgress<StepProgress>? progress, CancellationToken cancellation) =>
        memo.RunAsync(nameof(PublishStep), Version, input, async _ =>
        {
            PackageBuilt built = await new BuildPackageStep(memo).RunAsync(new BuildPackageInput(
                input.DataDigest, input.Data, input.Encoder, input.Embedding, input.Features, input.Evaluated, input.Settings), cancellation);
            progress?.Report(new StepProgress("Publish", 1, 3, "parts"));
            ModelPackage package = await PackageAsync(built, cancellation);
            package = await registry.UploadAsync(input.Model, input.Version, package, cancellation);
            using ReviewPredictor stored = ReviewPredictor.Load(package);            // from the bytes read back, as serving does
            ParityCheck.Repeat(stored, package[ModelPackage.ParityName].Span);
            progress?.Report(new StepProgress("Publish", 2, 3, "parts"));
            PublishGate gate = await MoveLatestAsync(input, package, stored, cancellation);
            progress?.Report(new StepProgress("Publish", 3, 3, "parts"));
            return new Published(input.Model, input.Version, built.Digest, gate.Pass, gate.Sentence, built.ParityError);
        }, cancellation);

    async Task<ModelPackage> PackageAsync(PackageBuilt built, CancellationToken cancellation)
    {
        Dictionary<string, ReadOnlyMemory<byte>> files = [];
        foreach (PackageFile file in built.Files) files[file.Name] = await memo.Store.ReadAsync(file.Content, cancellation);
        files.Remove(ModelPackage.ManifestName, out ReadOnlyMemory<byte> manifest);
        return ModelPackage.Open("work", manifest.ToArray(), files);
    }

    async Task<PublishGate> MoveLatestAsync(PublishInput input, ModelPackage package, ReviewPredictor stored, CancellationToken cancellation)
    {
        PublishGate gate = new(false, "");
        (string Champion, PublishGate Verdict)? judged = null;                // a lost race against the same champion need not measure again
        try
        {
            await registry.SwapAsync(input.Model, replaceMalformed: false, async (latest, stop) =>
            {
                if (latest?.Moves.LastOrDefault(move => move.Version == input.Version) is { } earlier)
                {
                    gate = latest.Version == input.Version ? new(true, earlier.Reason)
                        : new(false, $"Not promoted: this version served before, and {latest.Version} was put in its place.");
                    return latest;
                }
                if (latest is not null && string.CompareOrdinal(latest.Version, input.Version) > 0)
                {
                    gate = new(false, $"Not promoted: {latest.Version}, from a later run, serves already.");
                    return latest;
                }
                if (latest is null) gate = new(true, "Promoted: the first version of this model.");
                else
                {
                    if (judged?.Champion != latest.Digest) judged = (latest.Digest, await JudgeAsync(input, stored, latest, stop));
                    gate = judged.Value.Verdict;
                }
                return gate.Pass ? LatestPointer.Moved(latest, PointerAction.Publish, input.Version, package.Digest, registry.Now, gate.Sentence) : latest;
            }, cancellation);
        }
        catch (InputRejectedException e) when (e.Code == "R009")
        {
            return new PublishGate(false, $"Not promoted: {e.Message}");
        }
        return gate;
    }

    async Task<PublishGate> JudgeAsync(PublishInput input, ReviewPredictor ours, LatestPointer latest, CancellationToken cancellation)
    {
        ReviewPredictor theirs;
        try
        {
            theirs = ReviewPredictor.Load(await registry.ReadAsync(input.Model, latest.Version, latest.Digest, ModelPackage.ServingFiles, cancellation));
        }
        catch (InputRejectedException e)
        {
            return new PublishGate(true, $"Promoted: {latest.Version} cannot be loaded any more ({e.Code}).");
        }
        using ReviewPredictor champion = theirs;
        if (!HeldOutFromBoth(ours.Manifest, champion.Manifest))
            return PublishGate.OnIntervals(latest.Version, input.Evaluated.Models[^1].Accuracy, champion.Manifest.Measured.Models[^1].Accuracy);
        RowTable table = RowTable.Parse(await memo.Store.ReadAsync(input.Data.Rows, cancellation));
        List<(bool, bool)> rows = [];
        await foreach (LabelledText row in LabelledText.ReadAsync(memo.Store, input.Data, table, at => table.Labelled[at].Use == RowUse.Test, cancellation))
        {
            string label = input.Data.Labels[row.Label];
            rows.Add((ours.LabelOf(row.Text) == label, champion.LabelOf(row.Text) == label));
        }
        return PublishGate.OnRows(latest.Version, rows);
    }

    /// <summary>True when the champion cannot have learned from the challenger's test rows: both split alike, by hash or by the files.</summary>
    static bool HeldOutFromBoth(ModelManifest challenger, ModelManifest champion) =>
        challenger.Data.Protocol == champion.Data.Protocol && challenger.Data.Protocol != Protocol.CrossValidation
        && (challenger.Data.Protocol == Protocol.GivenSplit || SplitOf(challenger) == SplitOf(champion));

    static string? SplitOf(ModelManifest manifest) =>
        manifest.Settings.ValueKind == JsonValueKind.Object && manifest.Settings.TryGetProperty("split", out JsonElement split) ? split.GetRawText() : null;
}
