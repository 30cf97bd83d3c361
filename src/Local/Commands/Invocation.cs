using System.CommandLine;
using Scion.Local.Terminal;
using Scion.Pipelines;
using Scion.Registry;
using Scion.Storage;
using Scion.Vision;
using Spectre.Console;

namespace Scion.Local.Commands;

/// <summary>The options every command has.</summary>
static class GlobalOptions
{
    public static Option<string?> Data { get; } = new("--data")
    {
        Description = $"Folder that holds everything (default: ./{StoreLocation.DefaultFolder}, or SCION_DATA). With --storage: where this machine keeps the server's key.",
        HelpName = "DIR",
        Recursive = true,
    };

    public static Option<string?> Storage { get; } = new("--storage")
    {
        Description = "Azure Blob storage instead of a folder: a connection string, or https://ACCOUNT.blob.core.windows.net with the identity you are signed in with (or SCION_STORAGE).",
        HelpName = "CONNECTION",
        Recursive = true,
    };

    public static Option<bool> Json { get; } = new("--json")
    {
        Description = "Print one JSON document on stdout and nothing else there; also for errors.",
        Recursive = true,
    };
}

/// <summary>One call of a command: its options, its screen, its store.</summary>
sealed class Invocation(ParseResult parsed, Screen screen, CancellationToken cancellation) : IAsyncDisposable
{
    IBlobStore? store;
    DecoderProcesses? pictures;

    public ParseResult Parsed { get; } = parsed;

    public Screen Screen { get; } = screen;

    public CancellationToken Cancellation { get; } = cancellation;

    public TimeProvider Time { get; } = TimeProvider.System;

    public StoreLocation Location { get; init; } = LocationOf(parsed);

    /// <summary>Opened when first used.</summary>
    public IBlobStore Store => store ??= Location.Open();

    /// <summary>Reads pictures in processes that may die of one; none is started before the first picture.</summary>
    public DecoderProcesses Pictures => pictures ??= new(DecoderOptions.Beside(AppContext.BaseDirectory, Environment.ProcessorCount), Time);

    public ModelRegistry Registry => new(Store, Time);

    public RunLedger Ledger => new(Store, Time);

    public T Get<T>(Option<T> option) => Parsed.GetValue(option)!;

    public T Get<T>(Argument<T> argument) => Parsed.GetValue(argument)!;

    public async ValueTask DisposeAsync()
    {
        if (pictures is not null) await pictures.DisposeAsync();
    }

    static StoreLocation LocationOf(ParseResult parsed)
    {
        string? data = NotEmpty(parsed.GetValue(GlobalOptions.Data)), storage = NotEmpty(parsed.GetValue(GlobalOptions.Storage));
        if (data is null) storage ??= NotEmpty(Environment.GetEnvironmentVariable("SCION_STORAGE"));     // a folder that was named outranks the environment
        return new StoreLocation(data ?? NotEmpty(Environment.GetEnvironmentVariable("SCION_DATA")) ?? StoreLocation.DefaultFolder, storage);
    }

    static string? NotEmpty(string? text) => string.IsNullOrWhiteSpace(text) ? null : text;
}

/// <summary>Gives commands their actions; every fault ends as code, fact, remedy and exit code.</summary>
static class CommandActions
{
    extension(Command command)
    {
        /// <summary>Runs <paramref name="action"/> when the command is called; it returns the exit code.</summary>
        public Command Does(Func<Invocation, Task<int>> action)
        {
            command.SetAction(async (parsed, cancellation) =>
            {
                Screen screen = new(parsed.GetValue(GlobalOptions.Json), Console.Out, Console.Error);
                try
                {
                    await using Invocation call = new(parsed, screen, cancellation);
                    return await action(call);
                }
                catch (Exception e)
                {
                    LocalFault fault = LocalFaults.Of(e);
                    if (fault.Exit == Exit.Defect) Console.Error.WriteLine(e);
                    screen.Fault(fault);
                    return fault.Exit;
                }
            });
            return command;
        }
    }

    /// <summary>Text in Spectre's markup.</summary>
    public static string Escaped(this string text) => Markup.Escape(text);
}
