using System.Runtime.InteropServices;
using Scion.Datasets;
using Scion.Heads;
using Scion.Pipelines;
using Scion.Storage;

namespace Scion.Text;

/// <summary>Features of the labelled rows of one shard.</summary>
/// <remarks>Reads: encoder, row table, one shard. Writes: <c>features.bin</c>, float32 [rows, dim]. Randomness: none. Clock: none.</remarks>
/// <param name="memo">Keeps the answers.</param>
/// <param name="networks">Sentence networks, shared by all calls in this process; null opens one for this call.</param>
public sealed class ExtractFeaturesStep(StepMemo memo, SentenceNetworkSessions? networks = null)
{
    const int Version = 1;

    public Task<FeaturesExtracted> RunAsync(ExtractFeaturesInput input, IProgress<StepProgress>? progress, CancellationToken cancellation) =>
        memo.RunAsync(nameof(ExtractFeaturesStep), Version, input, async writer =>
        {
            RowTable table = RowTable.Parse(await memo.Store.ReadAsync(input.Shard.Table, cancellation));
            RowUse[] uses = table.Uses[input.Shard.Index];
            int rows = uses.Count(use => use is RowUse.Train or RowUse.Test), dim = input.Encoder.Dim, row = 0, done = 0;
            float[] features = new float[checked(rows * dim)];
            int cut = 0;
            if (rows > 0 && input.Encoder.Source == EncoderSource.Network)
            {
                List<string> texts = [.. ReviewShard.Read(await memo.Store.ReadAsync(input.Shard.Stored.Rows, cancellation))
                    .Where((_, at) => uses[at] is RowUse.Train or RowUse.Test).Select(review => review.Text)];
                cut = await SentenceNetworkSessions.EncodeAsync(networks, memo.Store, input.Encoder, texts, features, progress, cancellation);
            }
            else if (rows > 0)
            {
                SentenceEncoder encoder = SentenceEncoder.Parse(await memo.Store.ReadAsync(input.Encoder.Encoder, cancellation));
                foreach (ReviewRow review in ReviewShard.Read(await memo.Store.ReadAsync(input.Shard.Stored.Rows, cancellation)))
                {
                    if (uses[row++] is not (RowUse.Train or RowUse.Test)) continue;
                    encoder.Encode(review.Text, features.AsSpan(done++ * dim, dim));
                    if (done % 1000 != 0) continue;
                    progress?.Report(new StepProgress(nameof(IReviewSteps.ExtractFeatures), done, rows, "rows"));
                    cancellation.ThrowIfCancellationRequested();
                }
            }
            ArtifactRef artifact = await writer.AddAsync("features.bin", MemoryMarshal.AsBytes(features.AsSpan()).ToArray(), cancellation);
            return new FeaturesExtracted(input.Shard.Index, rows, dim, artifact) { Cut = cut };
        }, cancellation);
}
