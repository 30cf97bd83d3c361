using System.CommandLine;
using System.Globalization;
using Scion.Datasets;
using Scion.Evaluation;
using Scion.Local.Terminal;
using Scion.Registry;
using Scion.Text;

namespace Scion.Local.Commands;

/// <summary><c>scion models</c>: versions, the one that serves, and what they are worth.</summary>
static class ModelsCommand
{
    static readonly Dictionary<string, WordVectorFormat> Formats = new(StringComparer.Ordinal)
    {
        ["word2vec"] = WordVectorFormat.Word2VecText,
        ["word2vec-binary"] = WordVectorFormat.Word2VecBinary,
        ["glove"] = WordVectorFormat.Glove,
    };

    public static Command Create()
    {
        Argument<string> model = new("MODEL") { Description = "Name of the model." };
        Argument<string> version = new("VERSION") { Description = "Name of the version." };
        Argument<string?> optional = new("VERSION") { Description = "Name of the version; the one that serves when left out.", Arity = ArgumentArity.ZeroOrOne };
        Argument<string?> one = new("VERSION") { Description = "Name of the version; all when left out.", Arity = ArgumentArity.ZeroOrOne };
        Option<string?> from = new("--from") { Description = "Only when this version serves now, so that a repeated call goes back once.", HelpName = "VERSION" };
        Option<string?> reason = new("--reason") { Description = "Kept with the move.", HelpName = "TEXT" };
        Option<string> output = new("--output", "-o") { Description = "Folder or .zip file to write; must not exist.", HelpName = "PATH", Required = true };
        Option<string?> vectors = new("--vectors") { Description = $"Write only the word vectors, as a file other tools read: {string.Join(", ", Formats.Keys)}.", HelpName = "FORMAT" };
        vectors.AcceptOnlyFromAmong([.. Formats.Keys]);
        return new Command("models", "Lists, shows, promotes, rolls back, verifies and exports models.")
        {
            new Command("list", "All models and the version of each that serves.").Does(ListAsync),
            new Command("show", "Versions of a model, and the figures of one.") { model, optional }.Does(call => ShowAsync(call, call.Get(model), call.Get(optional))),
            new Command("promote", "Lets a version serve, after checking all its digests.") { model, version, reason }.Does(async call => Moved(call, call.Get(model),
                await call.Registry.PromoteAsync(call.Get(model), call.Get(version), call.Get(reason) ?? "Promoted by hand.", call.Cancellation))),
            new Command("rollback", "Goes back: the version that served before serves again.") { model, from, reason }.Does(async call => Moved(call, call.Get(model),
                await call.Registry.RollbackAsync(call.Get(model), call.Get(from), call.Get(reason) ?? "Rolled back by hand.", call.Cancellation))),
            new Command("verify", "Checks every digest and repeats the parity check, of one version or of all.") { model, one }.Does(call => VerifyAsync(call, call.Get(model), call.Get(one))),
            new Command("export", "Copies a version out: ONNX graphs, one of them whole, examples, report, card; or its word vectors.") { model, optional, output, vectors }
                .Does(call => ExportAsync(call, call.Get(model), call.Get(optional), call.Get(output), call.Get(vectors))),
        };
    }

    static async Task<int> ListAsync(Invocation call)
    {
        IReadOnlyList<ModelEntry> models = await call.Registry.ListAsync(call.Cancellation);
        call.Screen.Document(new { models });
        if (models.Count == 0) call.Screen.Line("No models yet. Train one: scion train reviews FILE --model NAME");
        foreach (string line in TextTable.Lines(["model", "serves", "versions"], models.Select(entry => new[]
        {
            entry.Model, entry.Latest ?? (entry.Fault is null ? "none" : $"none: {entry.Fault}"), entry.Versions.ToString(CultureInfo.InvariantCulture),
        }))) call.Screen.Line(line.Escaped());
        return Exit.Done;
    }

    static async Task<int> ShowAsync(Invocation call, string model, string? version)
    {
        IReadOnlyList<VersionEntry> versions = await call.Registry.ListVersionsAsync(model, call.Cancellation);
        version ??= (versions.FirstOrDefault(entry => entry.Latest) ?? versions.FirstOrDefault(entry => entry.Complete) ?? throw RegistryFaults.ModelNotFound(model)).Version;
        ModelManifest manifest = await call.Registry.ReadManifestAsync(model, version, call.Cancellation);
        string report = call.Location.Show($"{ModelRegistry.Container}/{model}/versions/{version}/{ModelPackage.ReportName}");
        IReadOnlyList<PointerMove> moves = [];
        try
        {
            if (await call.Registry.FindLatestAsync(model, call.Cancellation) is (LatestPointer pointer, _)) moves = pointer.Moves;
        }
        catch (Faults.InputRejectedException e) when (e.Code == "R009")
        {
            call.Screen.Note($"[yellow]![/] {e.Message.Escaped()}");
        }
        call.Screen.Document(new { model, versions, version, manifest, moves, report });
        if (call.Screen.Json) return Exit.Done;

        foreach (string line in TextTable.Lines(["version", ""], versions.Select(entry => new[]
        {
            entry.Version, entry.Latest ? "serves" : entry.Complete ? "" : "not completely published",
        }))) call.Screen.Line(line.Escaped());
        call.Screen.Line();
        call.Screen.Line($"[bold]{model} {version}[/]");
        Receipt.Field(call.Screen, "Labels", string.Join(", ", manifest.Labels).Escaped());
        Receipt.Field(call.Screen, "Data", $"{Sum(manifest.Data.Train)} to train on, {Sum(manifest.Data.Test)} to test, {manifest.Data.Unlabelled.ToString("n0", CultureInfo.InvariantCulture)} unlabelled");
        string origin = manifest.Network is { } network ? $"{network.Name} cut at {network.Layer}, {manifest.Encoder.Dim.ToString("n0", CultureInfo.InvariantCulture)} features"
            : manifest.Encoder.Source.ToString().ToLowerInvariant();
        Receipt.Field(call.Screen, "Encoder", $"{manifest.Encoder.Parameters.ToString("n0", CultureInfo.InvariantCulture)} parameters, {origin.Escaped()}");
        Receipt.Field(call.Screen, "Head", $"{manifest.Head.Parameters.ToString("n0", CultureInfo.InvariantCulture)} parameters, {manifest.Head.Kind}");
        foreach (ModelMetrics metrics in manifest.Measured.Models)
            Receipt.Field(call.Screen, metrics == manifest.Measured.Models[0] ? "Accuracy" : "",
                $"{Receipt.NameOf(metrics.Name),-17} {Receipt.Percent(metrics.Accuracy.Value),7}   {Receipt.Percent(metrics.Accuracy.Low)} – {Receipt.Percent(metrics.Accuracy.High)}");
        Receipt.Field(call.Screen, "Parity", string.Create(CultureInfo.InvariantCulture, $"largest |Δ logit| {manifest.Parity.Largest:g3} over {manifest.Parity.Rows} rows"));
        foreach (PointerMove move in moves.TakeLast(5))
            Receipt.Field(call.Screen, "Moved", $"{move.At.ToLocalTime().ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture)} to {move.Version}: {move.Reason.Escaped()}");
        Receipt.Field(call.Screen, "Report", report.Escaped());
        return Exit.Done;
    }

    static int Moved(Invocation call, string model, LatestPointer pointer)
    {
        call.Screen.Document(new { model, pointer.Version, pointer.Digest, move = pointer.Moves[^1] });
        call.Screen.Line($"[bold]{model.Escaped()}[/] serves {pointer.Version}");
        return Exit.Done;
    }

    static async Task<int> VerifyAsync(Invocation call, string model, string? version)
    {
        ModelVerified verified = await ModelVerification.VerifyAsync(call.Registry, call.Pictures, model, version, progress: null, call.Cancellation);
        call.Screen.Document(new { verified.Model, verified.Passed, verified.Checks });
        foreach (VerifiedCheck check in verified.Checks)
            call.Screen.Line($"{(check.Passed ? "[green]ok  [/]" : "[red]fail[/]")}  {(check.Version ?? "").Escaped()}  {check.Check.Escaped()}: {check.Detail.Escaped()}");
        return verified.Passed ? Exit.Done : Exit.Refused;
    }

    static async Task<int> ExportAsync(Invocation call, string model, string? version, string output, string? vectors)
    {
        if (File.Exists(output) || Directory.Exists(output)) throw LocalFaults.OutputExists(output);
        bool zip = output.EndsWith(".zip", StringComparison.OrdinalIgnoreCase);
        if (vectors is not null)
        {
            (int words, int dim) = await ToFileAsync(output, file => ModelExport.WriteVectorsAsync(call.Registry, model, version, Formats[vectors], file, call.Cancellation));
            call.Screen.Document(new { model, version, output, format = vectors, words, dim });
            call.Screen.Line($"{words.ToString("n0", CultureInfo.InvariantCulture)} words of {dim} components in {output.Escaped()}");
            return Exit.Done;
        }
        ExportedModel exported = zip
            ? await ToFileAsync(output, file => ModelExport.WriteZipAsync(call.Registry, call.Pictures, model, version, file, call.Cancellation))
            : await ModelExport.ReadAsync(call.Registry, call.Pictures, model, version, call.Cancellation);
        if (!zip)
        {
            Directory.CreateDirectory(output);
            foreach (ExportedFile file in exported.Files)
                await File.WriteAllBytesAsync(Path.Combine(output, file.Name), file.Content, call.Cancellation);
        }
        call.Screen.Document(new { model, exported.Version, exported.Digest, output, files = exported.Files.Select(file => file.Name) });
        call.Screen.Line($"{model.Escaped()} {exported.Version}: {exported.Files.Count} files in {output.Escaped()}; {ModelExport.WholeName} is encoder and head in one graph");
        return Exit.Done;
    }

    /// <summary>Writes a new file; leaves none behind when writing fails.</summary>
    static async Task<T> ToFileAsync<T>(string path, Func<Stream, Task<T>> write)
    {
        string unfinished = $"{path}.{Environment.ProcessId}.part";
        try
        {
            T written;
            await using (FileStream file = new(unfinished, FileMode.Create, FileAccess.ReadWrite)) written = await write(file);
            File.Move(unfinished, path);
            return written;
        }
        finally
        {
            File.Delete(unfinished);
        }
    }

    static string Sum(IReadOnlyList<LabelCount> labels) => labels.Sum(label => label.Rows).ToString("n0", CultureInfo.InvariantCulture);
}
