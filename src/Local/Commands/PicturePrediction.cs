using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Scion.Datasets;
using Scion.Local.Running;
using Scion.Serving;
using Scion.Storage;

namespace Scion.Local.Commands;

/// <summary><c>scion predict</c> of a model of images: a picture, a folder of them, or an archive.</summary>
static class PicturePrediction
{
    /// <summary>Folder that pictures stand in while they are scored; training's is the model's.</summary>
    const string Container = "images", Folder = "input";

    public static async Task<int> RunAsync(Invocation call, string model, string version, ImagePredictor predictor, string input, string? output)
    {
        if (output is null && File.Exists(input) && !ImageFormats.IsArchive(input)) return await OneAsync(call, model, version, predictor, input);
        SortedDictionary<string, string> files = FilesOf(input);
        DirectoryInfo folder = Directory.CreateTempSubdirectory("scion-predict-");
        string? unfinished = output is null ? null : $"{output}.{Environment.ProcessId}.part";
        try
        {
            FileBlobStore scratch = new(folder.FullName);
            List<PinnedFile> pinned = [];
            foreach ((string name, string path) in files) pinned.Add(await PinAsync(scratch, name, path, call.Cancellation));
            bool rows = output is not null || !call.Screen.Json;
            List<object> predictions = [];
            StringBuilder line = new(BatchScoring.Header);
            BatchScored scored;
            await using (TextWriter writer = unfinished is null ? PredictCommand.Shared(call.Screen.Output) : new StreamWriter(unfinished, append: false, new UTF8Encoding(false), 1 << 16))
            {
                if (rows) await WriteAsync();
                scored = await PictureScoring.RunAsync(scratch, pinned, predictor, call.Pictures, async (name, prediction) =>
                {
                    if (!rows) predictions.Add(new { input = name, prediction.Label, prediction.Score, prediction.Abstained });
                    else BatchScoring.Append(line, name, prediction);
                    await WriteAsync();
                }, async refusal =>
                {
                    if (rows) PictureScoring.Append(line, refusal);
                    await WriteAsync();
                }, call.Cancellation);
                await writer.FlushAsync(call.Cancellation);

                async Task WriteAsync()
                {
                    if (!rows) return;
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
            PredictCommand.Tell(call, scored, output, "pictures");
            return scored.Rows == 0 ? Exit.Refused : Exit.Done;
        }
        finally
        {
            folder.Delete(recursive: true);
            if (unfinished is not null) File.Delete(unfinished);
        }
    }

    static async Task<int> OneAsync(Invocation call, string model, string version, ImagePredictor predictor, string input)
    {
        Prediction prediction = await predictor.PredictAsync(await File.ReadAllBytesAsync(input, call.Cancellation), call.Cancellation);
        call.Screen.Document(new { model, version, predictions = new[] { prediction } });
        call.Screen.Line($"[bold]{prediction.Label.Escaped()}[/]  {Receipt.Percent(prediction.Score)}{(prediction.Abstained ? "  [yellow]abstains: unlike everything it was trained on[/]" : "")}");
        if (prediction.Neighbours.Count > 0) call.Screen.Line("[dim]Most similar training photos, with the cosine of their features:[/]");
        foreach (Neighbour neighbour in prediction.Neighbours)
            call.Screen.Line($"[dim]{neighbour.Similarity.ToString("0.00", CultureInfo.InvariantCulture)}  {neighbour.Label.Escaped()}: {neighbour.Name!.Escaped()}[/]");
        return Exit.Done;
    }

    /// <summary>Every file to read, by the name it is told under.</summary>
    static SortedDictionary<string, string> FilesOf(string input)
    {
        SortedDictionary<string, string> files = new(StringComparer.Ordinal);
        if (File.Exists(input)) files.Add(Path.GetFileName(input), input);
        else if (Directory.Exists(input))
        {
            string folder = Path.GetFullPath(input);
            foreach (string file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
            {
                string name = Path.GetRelativePath(folder, file).Replace(Path.DirectorySeparatorChar, '/');
                if (!ReviewFormats.IsHidden(name) && ImageFormats.IsImageFile(name)) files.Add(name, file);
            }
        }
        else throw LocalFaults.NoSuchPath(input);
        return files.Count > 0 ? files : throw LocalFaults.NoPictures(input);
    }

    static async Task<PinnedFile> PinAsync(FileBlobStore scratch, string name, string path, CancellationToken cancellation)
    {
        await using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, FileOptions.Asynchronous | FileOptions.SequentialScan);
        string sha256 = Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancellation));
        file.Position = 0;
        BlobItem item = (await scratch.CreateAsync(BlobPath.Of(Container, $"{Folder}/{name}"), file, cancellation))!;
        return new PinnedFile(item.Container, item.Name, item.ETag, item.Length, sha256);
    }
}
