using System.CommandLine;
using Scion.Datasets;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using Scion.Local.Terminal;

namespace Scion.Local.Commands;

/// <summary>The command line: design §7.</summary>
static class ScionCommand
{
    public static async Task<int> RunAsync(string[] arguments)
    {
        RootCommand root = Create();
        ParseResult parsed = root.Parse(arguments);
        if (parsed.Action is ParseErrorAction) return RefuseUsage(parsed, arguments);
        return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = TimeSpan.FromSeconds(15) });
    }

    public static RootCommand Create()
    {
        RootCommand root = new("Trains a classifier from a few labels and many unlabelled reviews, measures it honestly, and serves it.")
        {
            DemoCommand.Create(),
            TrainCommand.Create(),
            PredictCommand.Create(),
            ServeCommand.Create(),
            ModelsCommand.Create(),
            WordsCommand.Create(),
            RunsCommand.Create(),
            EncodersCommand.Create(),
            DoctorCommand.Create(),
            GlobalOptions.Data,
            GlobalOptions.Storage,
            GlobalOptions.Json,
        };
        HelpOption help = root.Options.OfType<HelpOption>().Single();
        help.Action = new HelpWithSettings((SynchronousCommandLineAction)help.Action!);
        return root;
    }

    static int RefuseUsage(ParseResult parsed, string[] arguments)
    {
        string command = string.Join(' ', PathTo(parsed.CommandResult.Command));
        bool json = arguments.Contains("--json");
        if (!json && parsed.CommandResult.Command.Subcommands.Count > 0 && parsed.UnmatchedTokens.Count == 0)
        {
            string name = parsed.CommandResult.Command == parsed.RootCommandResult.Command ? "" : command["scion".Length..] + " ";
            parsed.RootCommandResult.Command.Parse($"{name}--help").Invoke(new InvocationConfiguration { Output = Console.Error });
            return Exit.Usage;
        }
        IEnumerable<string> errors = parsed.Errors.Select(error => error.Message).Distinct();
        if (parsed.UnmatchedTokens.Count > 0) errors = errors.Where(error => error.Contains(parsed.UnmatchedTokens[0], StringComparison.Ordinal));
        new Screen(json, Console.Out, Console.Error).Fault(LocalFaults.Usage(string.Join(' ', errors.Select(OneLine)) + Meant(parsed), command));
        return Exit.Usage;
    }

    static string OneLine(string text) => string.Join(' ', text.Split((char[])['\r', '\n', '\t'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));

    /// <summary>The subcommand that was probably meant; all of them when none is near.</summary>
    static string Meant(ParseResult parsed)
    {
        Command[] among = [.. parsed.CommandResult.Command.Subcommands];
        if (parsed.UnmatchedTokens.Count == 0 || among.Length == 0) return "";
        string given = parsed.UnmatchedTokens[0];
        Command? near = among.Where(command => Edits(given, command.Name) <= 2).MinBy(command => Edits(given, command.Name));
        return near is not null ? $" Was '{near.Name}' meant?" : $" Here follows one of: {string.Join(", ", among.Select(command => command.Name))}.";
    }

    /// <summary>Levenshtein's distance.</summary>
    static int Edits(string a, string b)
    {
        int[] row = [.. Enumerable.Range(0, b.Length + 1)];
        for (int i = 1; i <= a.Length; i++)
        {
            (int diagonal, row[0]) = (row[0], i);
            for (int j = 1; j <= b.Length; j++)
                (diagonal, row[j]) = (row[j], Math.Min(Math.Min(row[j], row[j - 1]) + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)));
        }
        return row[b.Length];
    }

    static Stack<string> PathTo(Command command)
    {
        Stack<string> names = new();
        for (Symbol? at = command; at is not null; at = at.Parents.FirstOrDefault()) names.Push(at is RootCommand ? "scion" : at.Name);
        return names;
    }

    /// <summary>The usual help, and under <c>train reviews</c> every setting.</summary>
    sealed class HelpWithSettings(SynchronousCommandLineAction usual) : SynchronousCommandLineAction
    {
        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parseResult)
        {
            int exit = usual.Invoke(parseResult);
            Command asked = parseResult.CommandResult.Command;
            if (DataKinds.Of(asked.Name) is { } kind && asked.Parents.Any(parent => parent.Name == TrainCommand.Name)) TrainCommand.WriteSettings(parseResult.InvocationConfiguration.Output, kind);
            return exit;
        }
    }
}
