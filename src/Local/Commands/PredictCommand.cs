using System.CommandLine;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Scion.Datasets;
using Scion.Local.Running;
using Scion.Registry;
using Scion.Serving;
using Scion.Storage;
using Scion.Vision;

namespace Scion.Local.Commands;

/// <summary><c>scion predict MODEL</c>: one text or picture, or files.</summary>
static class PredictCommand
{
    const int ListedRefusals = 20;

    public static Command Create()
    {
        Argument<string> model = new("MODEL") { Description = "Name of the model." };
        Option<string?> text = new("--text") { Description = "One review.", HelpName = "TEXT" };
        Option<string?> input = new("--input") { Description = "A file of reviews (.csv .tsv .jsonl .txt .zip, also .gz), read as training reads it; for a model of images a picture, a folder of them or a .zip.", HelpName = "PATH" };
        Option<string?> output = new("--output", "-o") { Description = "CSV to write: input,label,score,abstained. Without it, rows go to stdout.", HelpName = "FILE.csv" };
        Option<string?> version = new("--version") { Description = "A version instead of the one that serves.", HelpName = "VERSION" };
        Option<KeyValuePair<string, string>[]> set = TrainCommand.Setting("Where the text is in the file, as in training: columns.text=NAME, delimiter=;, encoding=NAME.");
        Command predict = new("predict", "Says what a model thinks of a text or picture, or of every row or picture of a file.") { model, text, input, output, version, set };
        predict.Validators.Add(result =>
        {
            if (result.GetValue(text) is null == result.GetValue(input) is null) result.AddError("Give either --text or --input.");
            else if (result.GetValue(output) is not null && result.GetValue(input) is null) result.AddError("--output goes with --input.");
        });
        return predict.Does(async call =>
        {
            (Predictor predictor, string chosen) = await LoadAsync(call.Registry, call.Pictures, call.Get(model), call.Get(version), call.Cancellation);
            using (predictor)
                return predictor switch
                {
                    ReviewPredictor reviews when call.Get(text) is { } one => One(call, call.Get(model), chosen, reviews, one),
                    ReviewPredictor reviews => await FileAsync(call, call.Get(model), chosen, reviews, call.Get(input)!, call.Get(output), call.Get(set) ?? []),
                    ImagePredictor when call.Get(text) is not null => throw ServingFaults.TextToImages(call.Get(model)),
                    ImagePredictor images when call.Get(set) is null or [] => await PicturePrediction.RunAsync(call, call.Get(model), chosen, images, call.Get(input)!, call.Get(output)),
                    _ => throw LocalFaults.SettingsOfReviews(call.Get(model)),
                };
        });
    }

    /// <summary>Loads a version as serving does.</summary>
    public static async Task<(Predictor Predictor, string Version)> LoadAsync(
        ModelRegistry registry, IPictureReader pictures, string model, string? version, CancellationToken cancellation)
    {
        (string chosen, ModelPackage package) = await registry.ReadChosenServedAsync(model, version, cancellation);
        return (Predictor.Load(package, pictures), chosen);
    }

    static int One(Invocation call, string model, string version, ReviewPredictor predictor, string text)
    {
        Prediction prediction = predictor.Predict(text);
        call.Screen.Document(new { model, version, predictions = new[] { prediction } });
        call.Screen.Line($"[bold]{prediction.Label.Escaped()}[/]  {Receipt.Percent(prediction.Score)}{(prediction.Reason switch
        {
            null => "",
            AbstainReason.NoKnownWords => "  [yellow]abstains: no word of it is known[/]",
            _ => "  [yellow]abstains: unlike everything it was trained on[/]",
        })}");
        if (prediction.Cut) call.Screen.Line("[yellow]![/] The text has more tokens than the model's sentence network reads; only its beginning was judged.");
        if (prediction.Neighbours.Count > 0) call.Screen.Line("[dim]Most similar training reviews, with the cosine of their features:[/]");
        foreach (Neighbour neighbour in prediction.Neighbours)
            call.Screen.Line($"[dim]{neighbour.Similarity.ToString("0.00", CultureInfo.InvariantCulture)}  {neighbour.Label.Escaped()}: {Short(neighbour.Text!).Escaped()}[/]");
        return Exit.Done;
    }

    static async Task<int> FileAsync(
        Invocation call, string model, string version, ReviewPredictor predictor, string input, string? output, KeyValuePair<string, string>[] settings)
    {
        if (!File.Exists(input)) throw LocalFaults.NoSuchPath(input);
        if (!ReviewFormats.IsReviewFile(input)) throw LocalFaults.NothingToUpload(DataKind.Reviews, input, 1);
        ReviewSettings read = SettingsFile.Read<ReviewSettings>(null, settings);
        DirectoryInfo folder = Directory.CreateTempSubdirectory("scion-predict-");
        string? unfinished = output is null ? null : $"{output}.{Environment.ProcessId}.part";
        try
        {
            FileBlobStore scratch = new(folder.FullName);
            PinnedFile file = await PinAsync(scratch, input, call.Cancellation);
            bool rows = output is not null || !call.Screen.Json;
            List<object> predictions = [];
            StringBuilder line = new(BatchScoring.Header);
            BatchScored scored;
            await using (TextWriter writer = unfinished is null ? Shared(call.Screen.Output) : new StreamWriter(unfinished, append: false, new UTF8Encoding(false), 1 << 16))
            {
                if (rows) await WriteAsync();
                scored = await BatchScoring.RunAsync(scratch, file, read, predictor, async (row, prediction) =>
                {
                    if (rows)
                    {
                        BatchScoring.Append(line, row.Text, prediction);
                        await WriteAsync();
                    }
                    else predictions.Add(new { input = row.Text, prediction.Label, prediction.Score, prediction.Abstained });
                }, progress: null, call.Cancellation);
                await writer.FlushAsync(call.Cancellation);

                async Task WriteAsync()
                {
                    foreach (ReadOnlyMemory<char> chunk in line.GetChunks()) await writer.WriteAsync(chunk, call.Cancellation);
                    line.Clear();
                }
            }
            if (unfinished is not null) File.Move(unfinished, output!, overwrite: true);

            call.Screen.Document(new
            {
                model, version, scored.Rows, scored.Abstained, scored.Labelled, scored.Agreed, scored.Refused, scored.Refusals, output,
                predictions = output is null ? predictions : null,
            });
            Tell(call, scored, output, "rows");
            return scored.Rows == 0 ? Exit.Refused : Exit.Done;
        }
        finally
        {
            folder.Delete(recursive: true);
            if (unfinished is not null) File.Delete(unfinished);
        }
    }

    /// <summary>What became of a batch, in a line, and its first refusals.</summary>
    public static void Tell(Invocation call, BatchScored scored, string? output, string unit)
    {
        foreach (RefusedRow refusal in scored.Refusals.Take(ListedRefusals))
            call.Screen.Note($"[yellow]![/] {refusal.File.Escaped()}{(refusal.Line > 0 ? $":{refusal.Line}" : "")} {refusal.Code}: {refusal.Reason.Escaped()}");
        if (scored.Refused > ListedRefusals) call.Screen.Note($"[yellow]![/] … {N(scored.Refused - ListedRefusals)} more");
        string agreed = scored.Labelled == 0 ? "" : string.Create(CultureInfo.InvariantCulture,
            $"; {scored.Agreed:n0} of {scored.Labelled:n0} {unit} with a label agree with it ({100.0 * scored.Agreed / scored.Labelled:0.0} %)");
        call.Screen.Note($"[dim]{N(scored.Rows)} {unit} scored, {N(scored.Abstained)} abstained, {N(scored.Refused)} refused{agreed}{(output is null ? "" : $", in {output.Escaped()}")}[/]");
    }

    static async Task<PinnedFile> PinAsync(FileBlobStore scratch, string input, CancellationToken cancellation)
    {
        await using FileStream file = new(input, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, FileOptions.Asynchronous | FileOptions.SequentialScan);
        string sha256 = Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancellation));
        file.Position = 0;
        BlobItem item = (await scratch.CreateAsync(BlobPath.Of("predict", Path.GetFileName(input)), file, cancellation))!;
        return new PinnedFile(item.Container, item.Name, item.ETag, item.Length, sha256);
    }

    /// <summary>Stdout, which outlives the rows.</summary>
    public static StreamWriter Shared(TextWriter output)
    {
        output.Flush();
        return new StreamWriter(Console.OpenStandardOutput(), new UTF8Encoding(false), 1 << 16);
    }

    static string Short(string text) => text.Length <= 70 ? text : text[..67] + "…";

    static string N(long number) => number.ToString("n0", CultureInfo.InvariantCulture);
}
