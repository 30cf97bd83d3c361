using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Spectre.Console;

namespace Scion.Local.Terminal;

/// <summary>Where a command prints: people read stdout, or, with <c>--json</c>, one JSON document stands there and nothing else.
/// Progress, warnings and errors go to stderr.</summary>
sealed class Screen
{
    /// <summary>As <see cref="ScionJson.Indented"/>, without its rules for reading: a document is only written.</summary>
    static readonly JsonSerializerOptions Written = new(ScionJson.Indented) { TypeInfoResolver = new DefaultJsonTypeInfoResolver(), RespectNullableAnnotations = false };

    readonly IAnsiConsole text, side, live;

    public Screen(bool json, TextWriter output, TextWriter error)
    {
        Json = json;
        Output = output;
        text = Create(output);
        side = Create(error);
        live = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(error) });
    }

    public bool Json { get; }

    /// <summary>For data: CSV rows. Nothing else is written to it.</summary>
    public TextWriter Output { get; }

    /// <summary>Columns of the terminal; 80 where there is none.</summary>
    public int Width { get; } = WidthOf();

    /// <summary>Stderr at the width of the terminal, for what redraws itself.</summary>
    public IAnsiConsole Live => live;

    /// <summary>True when stderr is a terminal that can redraw lines.</summary>
    public bool IsLive => !Console.IsErrorRedirected && live.Profile.Capabilities is { Ansi: true, Interactive: true };

    /// <summary>A line for people, with Spectre's markup; nothing with <c>--json</c>.</summary>
    public void Line(string markup = "")
    {
        if (!Json) text.MarkupLine(markup);
    }

    /// <summary>A line beside the result, on stderr.</summary>
    public void Note(string markup) => side.MarkupLine(markup);

    /// <summary>The document of <c>--json</c>; nothing without.</summary>
    public void Document<T>(T document)
    {
        if (Json) Output.WriteLine(JsonSerializer.Serialize(document, Written));
    }

    public void Fault(LocalFault fault)
    {
        if (Json) Document(new { error = new { code = fault.Code, fact = fault.Fact, remedy = fault.Remedy } });
        else Note($"[red]{Markup.Escape(fault.Code)}[/] {Markup.Escape(fault.Fact)} {Markup.Escape(fault.Remedy)}".TrimEnd());
    }

    /// <summary>Colours where the writer is a terminal and NO_COLOR is not set; lines are never cut or wrapped, so that paths can be copied.</summary>
    static IAnsiConsole Create(TextWriter writer)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(writer) });
        console.Profile.Width = 100_000;
        return console;
    }

    static int WidthOf()
    {
        try
        {
            return Console.IsOutputRedirected || Console.WindowWidth < 20 ? 80 : Console.WindowWidth;
        }
        catch (IOException)
        {
            return 80;
        }
    }
}
