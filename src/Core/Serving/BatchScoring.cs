using System.Globalization;
using System.Text;
using Scion.Datasets;
using Scion.Faults;
using Scion.Pipelines;
using Scion.Storage;

namespace Scion.Serving;

/// <summary>What a model said of the rows of a file.</summary>
/// <param name="Rows">Rows scored.</param>
/// <param name="Abstained">Of them, those it has no ground to judge.</param>
/// <param name="Labelled">Of them, those with a label of their own.</param>
/// <param name="Agreed">Of the labelled, those it gives the same label.</param>
/// <param name="Refused">Rows and entries that could not be read or scored.</param>
/// <param name="Refusals">The first <see cref="BatchScoring.ShownRefusals"/> of them.</param>
/// <param name="Files">What was detected in the file.</param>
public sealed record BatchScored(long Rows, long Abstained, long Labelled, long Agreed, long Refused, IReadOnlyList<RefusedRow> Refusals, IReadOnlyList<IngestedPart> Files);

/// <summary>A row, an entry or a whole file that could not be read or scored.</summary>
/// <param name="File">File or entry.</param>
/// <param name="Line">Its line; 0 for the whole of it.</param>
/// <param name="Code">As in docs/errors.md.</param>
/// <param name="Reason">Fact and remedy.</param>
public sealed record RefusedRow(string File, long Line, string Code, string Reason);

/// <summary>Scores a file of reviews as training would read it: the same readers, the same refusals.</summary>
/// <remarks>One shard of at most 16 MiB is in memory at a time.</remarks>
public static class BatchScoring
{
    /// <summary>First line of the output file.</summary>
    public const string Header = "input,label,score,abstained\n";

    /// <summary>Refusals kept with a result; the count goes on.</summary>
    public const int ShownRefusals = 1000;

    const int Chunk = 2048;

    /// <param name="store">Holds the file, and the shards made of it.</param>
    /// <param name="file">The file.</param>
    /// <param name="settings">Columns, delimiter, encoding.</param>
    /// <param name="predictor">The model.</param>
    /// <param name="write">Given each row in the file's order.</param>
    /// <param name="progress">Told of the reading.</param>
    /// <param name="cancellation">Stops it.</param>
    public static async Task<BatchScored> RunAsync(
        IBlobStore store, PinnedFile file, ReviewSettings settings, ReviewPredictor predictor, Func<ReviewRow, Prediction, Task> write,
        IProgress<StepProgress>? progress, CancellationToken cancellation)
    {
        IngestedFile ingested = await new IngestReviewsStep(new StepMemo(store)).RunAsync(new IngestReviewsInput(file, settings), progress, cancellation);
        List<RefusedRow> refusals = [];
        if (ingested.Rejects is not null) refusals.AddRange(await RejectsAsync(store, ingested.Rejects, ShownRefusals, cancellation));
        long rows = 0, abstained = 0, labelled = 0, agreed = 0, tooLong = 0;
        foreach (ShardRef shard in ingested.Shards)
        {
            foreach (ReviewRow[] chunk in ReviewShard.Read(await store.ReadAsync(shard.Rows, cancellation)).Chunk(Chunk))
            {
                object[] answers = new object[chunk.Length];
                Parallel.For(0, chunk.Length, new ParallelOptions { CancellationToken = cancellation }, i =>
                {
                    try
                    {
                        answers[i] = predictor.Predict(chunk[i].Text);
                    }
                    catch (InputRejectedException e)
                    {
                        answers[i] = e;
                    }
                });
                for (int i = 0; i < chunk.Length; i++)
                {
                    if (answers[i] is InputRejectedException e)
                    {
                        tooLong++;
                        if (refusals.Count < ShownRefusals) refusals.Add(new(file.Name, chunk[i].Line, e.Code, $"{e.Fact} {e.Remedy}"));
                        continue;
                    }
                    Prediction prediction = (Prediction)answers[i];
                    rows++;
                    if (prediction.Abstained) abstained++;
                    if (chunk[i].Label is { } label)
                    {
                        labelled++;
                        if (label == prediction.Label) agreed++;
                    }
                    await write(chunk[i], prediction);
                }
            }
        }
        return new BatchScored(rows, abstained, labelled, agreed, ingested.Refused + tooLong, refusals, ingested.Parts);
    }

    /// <summary>Appends a row of the output file.</summary>
    public static void Append(StringBuilder csv, string input, Prediction prediction) => ExportCsv.Append(csv, input, prediction.Label,
        prediction.Score.ToString("0.######", CultureInfo.InvariantCulture), prediction.Abstained ? "true" : "false");

    /// <summary>The first refusals of a file.</summary>
    public static async Task<IEnumerable<RefusedRow>> RejectsAsync(IBlobStore store, ArtifactRef rejects, int most, CancellationToken cancellation)
    {
        string text = Encoding.UTF8.GetString(await store.ReadAsync(rejects, cancellation));
        return CsvLines(text).Skip(1).Take(most).Where(cells => cells.Count >= 4).Select(cells => new RefusedRow(
            ExportCsv.Undo(cells[0]), long.TryParse(cells[1], NumberStyles.None, CultureInfo.InvariantCulture, out long line) ? line : 0, cells[2], ExportCsv.Undo(cells[3])));
    }

    /// <summary>Cells of our own CSV: RFC 4180, line feeds.</summary>
    static IEnumerable<List<string>> CsvLines(string csv)
    {
        List<string> cells = [];
        StringBuilder cell = new();
        bool quoted = false;
        for (int i = 0; i < csv.Length; i++)
        {
            char c = csv[i];
            if (quoted && c == '"' && i + 1 < csv.Length && csv[i + 1] == '"') cell.Append(csv[++i]);
            else if (c == '"') quoted = !quoted;
            else if (quoted || c is not (',' or '\n')) cell.Append(c);
            else
            {
                cells.Add(cell.ToString());
                cell.Clear();
                if (c == ',') continue;
                yield return cells;
                cells = [];
            }
        }
    }
}
