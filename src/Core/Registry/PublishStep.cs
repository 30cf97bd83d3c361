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

    /// <exception cref="InputRejectedException">The package differs from training (R012), the version holds other bytes (R011), or a model of another kind
    /// serves under the name (R017).</exception>
    /// <exception cref="TransientStorageException">Storage did not answer or others keep moving the pointer; the call is safe to repeat.</exception>
    public Task<Published> RunAsync(PublishInput input, IProgress<StepProgress>? progress, CancellationToken cancellation) =>
        memo.RunAsync(nameof(PublishStep), Version, input, async _ =>
        {
            PackageBuilt built = await new BuildPackageStep(memo).RunAsync(new BuildPackageInput(
                input.DataDigest, input.Data, input.Encoder, input.Embedding, input.Features, input.Evaluated, input.Settings), cancellation);
            return await new Publishing<ReviewPredictor>(memo, registry, ReviewPredictor.Load, (ours, theirs, stop) => OnTestRowsAsync(input.Data, ours, theirs, stop))
                .RunAsync(input.Model, input.Version, built, nameof(IReviewSteps.Publish), progress, cancellation);
        }, cancellation);

    async Task<IReadOnlyCollection<(bool, bool)>> OnTestRowsAsync(CuratedRows data, ReviewPredictor ours, ReviewPredictor champion, CancellationToken cancellation)
    {
        RowTable table = RowTable.Parse(await memo.Store.ReadAsync(data.Rows, cancellation));
        List<(bool, bool)> rows = [];
        await foreach (LabelledText row in LabelledText.ReadAsync(memo.Store, data, table, at => table.Labelled[at].Use == RowUse.Test, cancellation))
        {
            string label = data.Labels[row.Label];
            rows.Add((ours.LabelOf(row.Text) == label, champion.LabelOf(row.Text) == label));
        }
        return rows;
    }
}
