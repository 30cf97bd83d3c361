using Scion.Datasets;
using Scion.Faults;
using Scion.Pipelines;
using Scion.Serving;
using Scion.Storage;
using Scion.Vision;

namespace Scion.Registry;

/// <summary>Stores a version of an images model, checks it, and lets it serve if it is not worse than the one that does.</summary>
/// <remarks>Reads: what <see cref="BuildImagePackageStep"/> reads, the version that serves, pictures of the test rows. Writes and repeats as
/// <see cref="PublishStep"/>. Randomness: none. Clock: stamps the move of <c>latest.json</c>; nothing is decided by it.</remarks>
/// <param name="memo">Keeps answers.</param>
/// <param name="registry">On the same store.</param>
/// <param name="pictures">Reads pictures.</param>
public sealed class PublishImagesStep(StepMemo memo, ModelRegistry registry, IPictureReader pictures)
{
    const int Version = 1;

    /// <exception cref="InputRejectedException">The package differs from training (R012), the version holds other bytes (R011), or a model of another kind
    /// serves under the name (R017).</exception>
    /// <exception cref="TransientStorageException">Storage did not answer or others keep moving the pointer; the call is safe to repeat.</exception>
    public Task<Published> RunAsync(PublishImagesInput input, IProgress<StepProgress>? progress, CancellationToken cancellation) =>
        memo.RunAsync(nameof(PublishImagesStep), Version, input, async _ =>
        {
            PackageBuilt built = await new BuildImagePackageStep(memo, pictures).RunAsync(new BuildImagePackageInput(
                input.DataDigest, input.Data, input.Encoder, input.Sets, input.Transfer, input.Evaluated, input.Settings), cancellation);
            return await new Publishing<ImagePredictor>(memo, registry, package => ImagePredictor.Load(package, pictures),
                (ours, theirs, stop) => OnTestRowsAsync(input.Data, ours, theirs, stop))
                .RunAsync(input.Model, input.Version, built, nameof(IImageSteps.PublishImages), progress, cancellation);
        }, cancellation);

    async Task<IReadOnlyCollection<(bool, bool)>> OnTestRowsAsync(CuratedRows data, ImagePredictor ours, ImagePredictor champion, CancellationToken cancellation)
    {
        RowTable table = RowTable.Parse(await memo.Store.ReadAsync(data.Rows, cancellation));
        (bool, bool)?[] rows = new (bool, bool)?[table.Labelled.Count];
        await Parallel.ForEachAsync(LabelledPicture.ReadAsync(memo.Store, data, table, at => table.Labelled[at].Use == RowUse.Test, cancellation),
            new ParallelOptions { CancellationToken = cancellation, MaxDegreeOfParallelism = Environment.ProcessorCount }, async (row, stop) =>
            {
                string label = data.Labels[row.Label];
                rows[row.Row] = (await ours.LabelOfAsync(row.Bytes, stop) == label, await champion.LabelOfAsync(row.Bytes, stop) == label);
            });
        return [.. rows.OfType<(bool, bool)>()];
    }
}
