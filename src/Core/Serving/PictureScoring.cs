using System.Globalization;
using System.Text;
using Scion.Datasets;
using Scion.Faults;
using Scion.Pipelines;
using Scion.Storage;
using Scion.Vision;

namespace Scion.Serving;

/// <summary>Scores pictures as training would read them: the same reader, the same refusals.</summary>
/// <remarks>Some dozen pictures are in memory at a time.</remarks>
public static class PictureScoring
{
    /// <summary>Pictures judged side by side.</summary>
    static readonly int Chunk = 16 * Environment.ProcessorCount;

    /// <param name="store">Holds the files, and the shards made of them.</param>
    /// <param name="files">Pictures and archives, in folders of one name: the model's.</param>
    /// <param name="predictor">The model.</param>
    /// <param name="pictures">Reads pictures.</param>
    /// <param name="write">Given each picture's name and what the model says of it, in order.</param>
    /// <param name="refuse">Given each picture, entry or file that could not be read.</param>
    /// <param name="cancellation">Stops it.</param>
    public static async Task<BatchScored> RunAsync(
        IBlobStore store, IReadOnlyList<PinnedFile> files, ImagePredictor predictor, IPictureReader pictures, Func<string, Prediction, Task> write,
        Func<RefusedRow, Task> refuse, CancellationToken cancellation)
    {
        List<RefusedRow> refusals = [];
        (long scored, long abstained, long labelled, long agreed, long refused) = (0, 0, 0, 0, 0);
        foreach (ImageBatch batch in ImageBatch.Of(files))
        {
            IngestedFile ingested = await new IngestImagesStep(new StepMemo(store), pictures).RunAsync(new IngestImagesInput(batch), progress: null, cancellation);
            foreach (ShardRef shard in ingested.Shards)
            {
                IReadOnlyList<string?> labels = await ImageShard.LabelsAsync(store, shard, cancellation);
                int row = 0;
                await foreach (ImageRow[] chunk in ImageShard.ReadAsync(store, shard, cancellation).Chunk(Chunk).WithCancellation(cancellation))
                {
                    Prediction[] predictions = new Prediction[chunk.Length];
                    await Parallel.ForEachAsync(Enumerable.Range(0, chunk.Length), cancellation, async (i, stop) => predictions[i] = await predictor.PredictAsync(chunk[i].Bytes, stop));
                    foreach ((ImageRow picture, Prediction prediction) in chunk.Zip(predictions))
                    {
                        scored++;
                        if (prediction.Abstained) abstained++;
                        if (labels[row++] is { } label)
                        {
                            labelled++;
                            if (label == prediction.Label) agreed++;
                        }
                        await write(picture.Name, prediction);
                    }
                }
            }
            refused += ingested.Refused;
            if (ingested.Rejects is null) continue;
            foreach (RefusedRow refusal in await BatchScoring.RejectsAsync(store, ingested.Rejects, int.MaxValue, cancellation))
            {
                RefusedRow shown = refusal with { File = refusal.File[(refusal.File.IndexOf('/', StringComparison.Ordinal) + 1)..] };
                if (refusals.Count < BatchScoring.ShownRefusals) refusals.Add(shown);
                await refuse(shown);
            }
        }
        return new BatchScored(scored, abstained, labelled, agreed, refused, refusals, []);
    }

    /// <summary>Appends what could not be read to the output file: its code stands where "true" or "false" would.</summary>
    public static void Append(StringBuilder csv, RefusedRow refusal) => ExportCsv.Append(csv,
        refusal.Line > 0 ? string.Create(CultureInfo.InvariantCulture, $"{refusal.File}:{refusal.Line}") : refusal.File, "", "", refusal.Code);
}
