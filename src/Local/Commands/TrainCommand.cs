using System.CommandLine;
using System.CommandLine.Parsing;
using System.Runtime.ExceptionServices;
using Scion.Datasets;
using Scion.Local.Running;
using Scion.Local.Server;
using Scion.Local.Terminal;
using Scion.Pipelines;
using Scion.Registry;
using Scion.Storage;

namespace Scion.Local.Commands;

/// <summary><c>scion train reviews PATH --model NAME</c>: copies files into the data set, trains, prints the receipt.</summary>
static class TrainCommand
{
    public const string Reviews = "reviews";

    public static Command Create()
    {
        Argument<string[]> paths = new("PATH")
        {
            Description = "Files (.csv .tsv .jsonl .txt .zip, also .gz) or folders; a folder's sub-folders are labels. They are copied into the model's data set: new and changed ones, nothing is deleted.",
            Arity = ArgumentArity.OneOrMore,
        };
        Option<string> model = new("--model") { Description = "The model to train: a-z, 0-9 and '-', 2 to 63 characters.", HelpName = "NAME", Required = true };
        Option<KeyValuePair<string, string>[]> set = Setting("A setting of this run; outranks dataset.json. May be given more than once.");
        Command reviews = new(Reviews, "Trains on reviews and prints the receipt: every figure with its interval, baselines beside it.") { paths, model, set };
        return new Command("train", "Trains a model.")
        {
            reviews.Does(call => RunAsync(call, call.Get(paths), call.Get(model), call.Get(set) ?? [])),
        };
    }

    /// <summary><c>--set KEY=VALUE</c>.</summary>
    public static Option<KeyValuePair<string, string>[]> Setting(string description) => new("--set")
    {
        Description = description,
        HelpName = "KEY=VALUE",
        CustomParser = ParseSettings,
        Arity = ArgumentArity.OneOrMore,
    };

    /// <summary>Every setting, with its range and default.</summary>
    public static void WriteSettings(TextWriter output)
    {
        output.WriteLine("Settings, for --set and dataset.json:");
        foreach (string line in TextTable.Lines(["key", "value", "default", "meaning"],
            ReviewSettingsFile.Describe().Select(setting => new[] { setting.Key, setting.Type, setting.Default, setting.Meaning }))) output.WriteLine($"  {line}");
        output.WriteLine();
    }

    static async Task<int> RunAsync(Invocation call, string[] paths, string model, KeyValuePair<string, string>[] settings)
    {
        ModelName.Require(model);
        EmbeddingTrainers.Require(ReviewSettingsFile.Read(null, settings));       // a wrong setting is told before anything is copied
        using IDisposable? copying = call.Location.Locks().TryTake(ReviewWatcher.UploadLock(model));
        Uploaded uploaded = await ReviewUpload.CopyAsync(call.Location, call.Store, model, paths, call.Cancellation);
        foreach (string skipped in uploaded.Skipped) call.Screen.Note($"[yellow]![/] not a file of reviews, left out: {skipped.Escaped()}");
        if (uploaded.Kept.Count > 0)
            call.Screen.Note($"[yellow]![/] reviews/{model}/ holds {Count(uploaded.Kept.Count, "file")} from before, used too: {Shown(uploaded.Kept).Escaped()}");
        call.Screen.Note($"[dim]{Count(uploaded.Copied.Count, "file")} copied to reviews/{model}/, {uploaded.Same.Count} there already[/]");

        TrainReviewsRequest request = await ReviewSnapshot.TakeAsync(call.Store, model, settings, call.Time, call.Cancellation);
        EmbeddingTrainers.Require(request.Settings);
        await call.Ledger.RecordAsync(request, call.Cancellation);
        copying?.Dispose();
        RunStatus status = await TrainAsync(call, request);
        TrainedReviews trained = (TrainedReviews)await call.Ledger.ReportAsync(request.Run, call.Cancellation);
        await Receipt.PrintAsync(call, status, trained);
        return Exit.Done;
    }

    /// <summary>Records a request and follows its run to its end.</summary>
    /// <exception cref="Faults.InputRejectedException">It failed, with its own code, or was cancelled (L011).</exception>
    public static async Task<RunStatus> TrainAsync(Invocation call, TrainingRequest request)
    {
        await call.Ledger.RecordAsync(request, call.Cancellation);
        RunStatus status = await call.Ledger.ReopenAsync(request.Run, call.Cancellation);
        if (status.State == RunState.Succeeded) call.Screen.Note($"Nothing changed: run {status.Run} trained on exactly this data with these settings before, so nothing is trained again.");
        else
        {
            RunProgress progress = new(call.Time);
            LocalRunner runner = new(call.Store, call.Location.Locks(), call.Time);
            RunEnd ended = await ProgressView.WhileAsync(call.Screen, progress, runner.RunAsync(request.Run, progress, call.Cancellation));
            status = ended.Status;
            if (status is { State: RunState.Failed, Refused: > 0 })
                call.Screen.Note($"[yellow]![/] {Count(status.Refused, "row")} refused: {call.Location.Show($"{RunLedger.Container}/{status.Run}/rejects.csv").Escaped()}");
            if (ended.Fault is { } fault) ExceptionDispatchInfo.Throw(fault);
        }
        return status.State switch
        {
            RunState.Failed => throw LocalFaults.FailedRun(status),
            RunState.Cancelled => throw LocalFaults.CancelledRun(status.Run),
            _ => status,
        };
    }

    static KeyValuePair<string, string>[]? ParseSettings(ArgumentResult result)
    {
        List<KeyValuePair<string, string>> settings = [];
        foreach (Token token in result.Tokens)
        {
            int equals = token.Value.IndexOf('=', StringComparison.Ordinal);
            if (equals > 0) settings.Add(new(token.Value[..equals].Trim(), token.Value[(equals + 1)..].Trim()));
            else result.AddError($"'{token.Value}' is not KEY=VALUE.");
        }
        return [.. settings];
    }

    static string Count(long number, string of) => number == 1 ? $"1 {of}" : $"{number} {of}s";

    static string Shown(IReadOnlyList<string> names) => string.Join(", ", names.Take(5)) + (names.Count > 5 ? ", …" : "");
}
