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

/// <summary><c>scion train reviews|images PATH --model NAME</c>: copies files into the data set, trains, prints the receipt.</summary>
static class TrainCommand
{
    public const string Name = "train";

    const string Copied = "They are copied into the model's data set: new and changed ones, nothing is deleted.";

    public static Command Create() => new(Name, "Trains a model.")
    {
        Of(DataKind.Reviews, $"Files (.csv .tsv .jsonl .txt .zip, also .gz) or folders; a folder's sub-folders are labels. {Copied}",
            "Trains on reviews and prints the receipt: every figure with its interval, baselines beside it."),
        Of(DataKind.Images, $"Folders whose sub-folders are labels, zips of such folders, or single pictures (.jpg .png .webp). {Copied}",
            "Trains on photos through a pretrained network and prints the receipt: every figure with its interval, baselines beside it."),
    };

    static Command Of(DataKind kind, string what, string description)
    {
        Argument<string[]> paths = new("PATH") { Description = what, Arity = ArgumentArity.OneOrMore };
        Option<string> model = new("--model") { Description = "The model to train: a-z, 0-9 and '-', 2 to 63 characters.", HelpName = "NAME", Required = true };
        Option<KeyValuePair<string, string>[]> set = Setting("A setting of this run; outranks dataset.json. May be given more than once.");
        return new Command(kind.Container, description) { paths, model, set }.Does(call => RunAsync(call, kind, call.Get(paths), call.Get(model), call.Get(set) ?? []));
    }

    /// <summary>Most files left out that are named.</summary>
    const int SkippedNamed = 20;

    /// <summary><c>--set KEY=VALUE</c>.</summary>
    public static Option<KeyValuePair<string, string>[]> Setting(string description) => new("--set")
    {
        Description = description,
        HelpName = "KEY=VALUE",
        CustomParser = ParseSettings,
        Arity = ArgumentArity.OneOrMore,
    };

    /// <summary>Every setting of a kind, with its range and default.</summary>
    public static void WriteSettings(TextWriter output, DataKind kind)
    {
        IReadOnlyList<SettingDescription> settings = kind == DataKind.Images ? SettingsFile.Describe<ImageSettings>() : SettingsFile.Describe<ReviewSettings>();
        output.WriteLine("Settings, for --set and dataset.json:");
        foreach (string line in TextTable.Lines(["key", "value", "default", "meaning"],
            settings.Select(setting => new[] { setting.Key, setting.Type, setting.Default, setting.Meaning }))) output.WriteLine($"  {line}");
        output.WriteLine();
    }

    static async Task<int> RunAsync(Invocation call, DataKind kind, string[] paths, string model, KeyValuePair<string, string>[] settings)
    {
        ModelName.Require(model);
        Snapshots.Require(kind, settings);                                // a wrong setting is told before anything is copied
        await ModelKind.RequireAsync(call.Store, kind, model, call.Cancellation);
        using IDisposable? copying = call.Location.Locks().TryTake(DatasetWatcher.UploadLock(model));
        Uploaded uploaded = await DatasetUpload.CopyAsync(call.Location, call.Store, kind, model, paths, call.Cancellation);
        foreach (string skipped in uploaded.Skipped.Take(SkippedNamed)) call.Screen.Note($"[yellow]![/] not a file of {kind.Item}s, left out: {skipped.Escaped()}");
        if (uploaded.Skipped.Count > SkippedNamed) call.Screen.Note($"[yellow]![/] and {uploaded.Skipped.Count - SkippedNamed} more");
        if (uploaded.Kept.Count > 0)
            call.Screen.Note($"[yellow]![/] {kind.Container}/{model}/ holds {Count(uploaded.Kept.Count, "file")} from before, used too: {Shown(uploaded.Kept).Escaped()}");
        call.Screen.Note($"[dim]{Count(uploaded.Copied.Count, "file")} copied to {kind.Container}/{model}/, {uploaded.Same.Count} there already[/]");

        TrainingRequest request = await Snapshots.TakeAsync(call.Store, kind, model, settings, call.Time, call.Cancellation);
        await call.Ledger.RecordAsync(request, call.Cancellation);
        copying?.Dispose();
        RunStatus status = await TrainAsync(call, request);
        switch (await call.Ledger.ReportAsync(request.Run, call.Cancellation))
        {
            case TrainedReviews reviews: await Receipt.PrintAsync(call, status, reviews); break;
            case TrainedImages images: ImageReceipt.Print(call, status, images); break;
            case { } other: throw new NotSupportedException($"A receipt of {other.GetType().Name} is not known.");
        }
        return Exit.Done;
    }

    /// <summary>Records a request and follows its run to its end.</summary>
    /// <exception cref="Faults.InputRejectedException">It failed, with its own code, or was cancelled (L011) or suspended (L013).</exception>
    public static async Task<RunStatus> TrainAsync(Invocation call, TrainingRequest request)
    {
        await call.Ledger.RecordAsync(request, call.Cancellation);
        RunStatus status = await call.Ledger.ReopenAsync(request.Run, call.Cancellation);
        if (status.State == RunState.Succeeded) call.Screen.Note($"Nothing changed: run {status.Run} trained on exactly this data with these settings before, so nothing is trained again.");
        else
        {
            RunProgress progress = new(call.Time);
            LocalRunner runner = new(call.Store, call.Location.Locks(), call.Pictures, call.Time);
            RunEnd ended = await ProgressView.WhileAsync(call.Screen, progress, runner.RunAsync(request.Run, progress, call.Cancellation));
            status = ended.Status;
            if (status is { State: RunState.Failed, Refused: > 0 })
                call.Screen.Note($"[yellow]![/] {Count(status.Refused, status.Kind == DataKind.Images.Container ? "picture" : "row")} refused: {call.Location.Show($"{RunLedger.Container}/{status.Run}/rejects.csv").Escaped()}");
            if (ended.Fault is { } fault) ExceptionDispatchInfo.Throw(fault);
        }
        return status.State switch
        {
            RunState.Failed => throw LocalFaults.FailedRun(status),
            RunState.Cancelled => throw LocalFaults.CancelledRun(status.Run),
            RunState.Suspended => throw LocalFaults.SuspendedRun(status.Run),
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
