using System.CommandLine;
using System.Globalization;
using Scion.Local.Terminal;
using Scion.Pipelines;

namespace Scion.Local.Commands;

/// <summary><c>scion runs</c>: what arrived and what became of it.</summary>
static class RunsCommand
{
    public static Command Create()
    {
        Option<string?> model = new("--model") { Description = "Only runs of this model.", HelpName = "MODEL" };
        Argument<string> run = new("RUN") { Description = "Name of the run, as 'scion runs list' prints it." };
        Command list = new("list", "Runs, latest first.") { model };
        Command show = new("show", "One run: its files, what was refused and why, how it ended.") { run };
        Command cancel = new("cancel", "Ends a run, also one that another process is training. What its finished steps made is kept.") { run };
        Command suspend = new("suspend", "Stops a run for now, also one that another process is training, until it is resumed. Finished steps are kept.") { run };
        Command resume = new("resume", "Queues a suspended run again: a running 'scion serve' goes on with it.") { run };
        return new Command("runs", "Lists, shows, cancels, suspends and resumes training runs.")
        {
            list.Does(call => ListAsync(call, call.Get(model))),
            show.Does(async call => Show(call, await call.Ledger.StatusAsync(call.Get(run), call.Cancellation))),
            cancel.Does(async call =>
            {
                RunStatus before = await call.Ledger.StatusAsync(call.Get(run), call.Cancellation);
                if (before.IsFinished)
                    call.Screen.Note($"[yellow]![/] Nothing to cancel: the run had ended before.");
                return Show(call, await call.Ledger.CancelAsync(call.Get(run), call.Cancellation));
            }),
            suspend.Does(async call =>
            {
                RunStatus before = await call.Ledger.StatusAsync(call.Get(run), call.Cancellation);
                if (before.IsFinished) call.Screen.Note($"[yellow]![/] Nothing to suspend: the run had ended before.");
                return Show(call, await call.Ledger.SuspendAsync(call.Get(run), call.Cancellation));
            }),
            resume.Does(async call =>
            {
                RunStatus before = await call.Ledger.StatusAsync(call.Get(run), call.Cancellation);
                call.Screen.Note(before.State == RunState.Suspended
                    ? "A 'scion serve' on this data takes it up within half a minute; without one, start the same 'scion train' again."
                    : "[yellow]![/] Nothing to resume: the run is not suspended.");
                return Show(call, await call.Ledger.ResumeAsync(call.Get(run), call.Cancellation));
            }),
        };
    }

    static async Task<int> ListAsync(Invocation call, string? model)
    {
        IReadOnlyList<RunStatus> runs = await call.Ledger.ListAsync(model, call.Cancellation);
        call.Screen.Document(new { runs });
        if (runs.Count == 0) call.Screen.Line("No runs yet. Start one: scion train reviews FILE --model NAME");
        foreach (string line in TextTable.Lines(["run", "state", "started", "version or why not"],
            runs.Select(run => new[] { run.Run, StateOf(run), Local(run.StartedAt), run.Version ?? Why(run) }))) call.Screen.Line(line.Escaped());
        return Exit.Done;
    }

    static int Show(Invocation call, RunStatus run)
    {
        call.Screen.Document(run);
        call.Screen.Line($"[bold]{run.Run.Escaped()}[/]  {StateOf(run).Escaped()}");
        call.Screen.Line($"started   {Local(run.StartedAt)}");
        if (run.Version is not null) call.Screen.Line($"version   {run.Version.Escaped()}  {(run.Promoted == true ? "promoted" : "not promoted")}");
        if (run.Gate is not null) call.Screen.Line($"gate      {run.Gate.Escaped()}");
        if (run.Error is not null) call.Screen.Line($"[red]{run.Error.Code.Escaped()}[/]      {run.Error.Message.Escaped()}");
        foreach (string line in TextTable.Lines(["file", "bytes", "state", "rows", "refused"], run.Files.Select(file => new[]
        {
            file.Name, N(file.Length), file.State.ToString().ToLowerInvariant(), N(file.Rows), N(file.Refused),
        }), right: [1, 3, 4])) call.Screen.Line(line.Escaped());
        if (run.Refused > 0) call.Screen.Line($"refused   {N(run.Refused)} rows: {call.Location.Show($"{RunLedger.Container}/{run.Run}/rejects.csv").Escaped()}");
        foreach (string warning in run.Warnings) call.Screen.Line($"[yellow]![/] {warning.Escaped()}");
        return Exit.Done;
    }

    /// <summary>Code and start of what went wrong; the rest is in <c>runs show</c>.</summary>
    static string Why(RunStatus run) => run.Error is not { } error ? ""
        : $"{error.Code}: {(error.Message.Length <= 60 ? error.Message : $"{error.Message[..error.Message.LastIndexOf(' ', 60)]} …")}";

    static string StateOf(RunStatus run) => run is { State: RunState.Running, Stage: { } stage }
        ? $"running: {ProgressView.NameOf(stage)} {N(run.Done)}/{N(run.Total)}{(run.SecondsLeft is { } left ? $", {left} s left" : "")}"
        : run.State.ToString().ToLowerInvariant();

    static string Local(DateTimeOffset time) => time.ToLocalTime().ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);

    static string N(long number) => number.ToString("n0", CultureInfo.InvariantCulture);
}
