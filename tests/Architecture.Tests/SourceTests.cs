using System.Text.RegularExpressions;

namespace Scion.Tests;

/// <summary>Rules of the sources and documents that no analyzer checks.</summary>
public sealed partial class SourceTests
{
    /// <summary>Longest file. A longer one holds two concepts.</summary>
    const int MaxLines = 600;

    /// <summary>Longest line that is let pass; the style asks for 140. The content of string literals is not counted: a message is not broken into pieces.</summary>
    const int MaxColumns = 200;

    static readonly IReadOnlyList<SourceFile> Code = [.. new[] { "src", "tests", "bench" }.SelectMany(folder => SourceTree.Files(folder, ".cs"))];

    static readonly IReadOnlyList<SourceFile> Documents = [.. SourceTree.Files("docs", ".md"), new("README.md", SourceTree.Read("README.md")), new("CHANGELOG.md", SourceTree.Read("CHANGELOG.md"))];

    [Fact]
    public void Files_OfTheProduct_AreShort() =>
        SourceTree.RequireNone(Code.Where(file => file.Lines.Count() > MaxLines).Select(file => $"{file.Path} has {file.Lines.Count()} lines; at most {MaxLines}"));

    [Fact]
    public void Lines_WithoutTheirStrings_AreShort() => SourceTree.RequireNone(Code.SelectMany(file => file.Lines
        .Where(line => line.Line.Length > MaxColumns && Literal().Replace(line.Line, "\"\"").Length > MaxColumns)
        .Select(line => $"{file.Path}:{line.Number} has more than {MaxColumns} columns")));

    [Fact]
    public void Files_OfTheProduct_AreNamedAfterATypeInThem() => SourceTree.RequireNone(SourceTree.Files("src", ".cs")
        .Where(file => Path.GetFileName(file.Path) != "Program.cs" && !file.Text.Contains("global using", StringComparison.Ordinal))
        .Where(file => !file.Path.EndsWith(".Pipeline.cs", StringComparison.Ordinal) && !file.Path.EndsWith("Contracts.cs", StringComparison.Ordinal))
        .Where(file => DeclaredType().Matches(file.Text).All(match => match.Groups[1].Value != Named(Path.GetFileName(file.Path).Split('.'))))
        .Select(file => $"{file.Path} declares no type of its name"));

    /// <summary>Type of a file <c>Type.cs</c> or <c>Name.Orchestrator.cs</c>.</summary>
    static string Named(string[] parts) => parts is [string name, "Orchestrator", "cs"] ? $"{name}Orchestrator" : parts[0];

    [Fact]
    public void Namespaces_OfTheProduct_AreTheFolders() => SourceTree.RequireNone(SourceTree.Files("src/Core", ".cs")
        .Where(file => Namespace().Match(file.Text).Groups[1].Value != string.Join('.', file.Path.Split('/')[2..^1].Prepend("Scion")))
        .Select(file => $"{file.Path} is in namespace {Namespace().Match(file.Text).Groups[1].Value}"));

    [Fact]
    public void Pipelines_ReplayedCode_ReadsNoClockRandomnessOrFiles()
    {
        SourceFile[] pipelines = [.. SourceTree.Files("src", ".Pipeline.cs")];

        Assert.NotEmpty(pipelines);
        SourceTree.RequireNone(pipelines.SelectMany(file => file.Lines.Select(line => (line.Number, Line: Comment().Replace(line.Line, "")))
            .Where(line => Unreplayable().IsMatch(line.Line)).Select(line => $"{file.Path}:{line.Number} cannot be replayed: {line.Line.Trim()}")));
    }

    [Fact]
    public void Tests_OfEveryProject_AreNamedSubjectSituationResult() => SourceTree.RequireNone(Code.Where(file => file.Path.StartsWith("tests/", StringComparison.Ordinal))
        .SelectMany(file => TestMethod().Matches(file.Text).Select(match => match.Groups[1].Value)
            .Where(name => name.Split('_') is not [{ Length: > 0 }, { Length: > 0 }, { Length: > 0 }]).Select(name => $"{file.Path}: {name}")));

    [Fact]
    public void Links_InTheDocuments_Resolve() => SourceTree.RequireNone(Documents.SelectMany(file => Link().Matches(file.Text)
        .Select(match => match.Groups[1].Value).Where(link => !link.Contains("://", StringComparison.Ordinal) && !link.StartsWith('#'))
        .Where(link => !IsThere(Path.Combine(Path.GetDirectoryName(file.Path)!, link.Split('#')[0])))
        .Select(link => $"{file.Path} links to {link}, which is not there")));

    [Fact]
    public void Paths_NamedInTheDocuments_Exist() => SourceTree.RequireNone(Documents.Where(file => file.Path != "CHANGELOG.md")
        .SelectMany(file => NamedPath().Matches(file.Text).Select(match => match.Groups[1].Value)
            .Where(path => !IsThere(path)).Select(path => $"{file.Path} names {path}, which is not there")));

    static bool IsThere(string path) => Path.Exists(Path.Combine(SourceTree.Root, path));

    [Fact]
    public void Changelog_AtItsTop_HasUnreleasedChanges() =>
        Assert.Equal("## Unreleased", SourceTree.Read("CHANGELOG.md").Split('\n').First(line => line.StartsWith("## ", StringComparison.Ordinal)).TrimEnd());

    [Fact]
    public void BenchCommands_AndTheDocuments_NameTheSame()
    {
        HashSet<string> commands = [.. BenchEntry().Matches(SourceTree.Read("bench/Program.cs")).Select(match => match.Groups[1].Value)];
        HashSet<string> named = [.. Documents.SelectMany(file => BenchUse().Matches(file.Text)).Select(match => match.Groups[1].Value)];
        string experiments = SourceTree.Read("docs/experiments.md");

        Assert.NotEmpty(commands);
        SourceTree.RequireNone(named.Where(name => name != "NAME" && !commands.Contains(name)).Select(name => $"the documents run bench command '{name}', which is not there"));
        SourceTree.RequireNone(commands.Where(command => !named.Contains(command) && !experiments.Contains($"`{command}", StringComparison.Ordinal)).Select(command => $"bench command '{command}' is in no document"));
    }

    [Fact]
    public void Decisions_EachOf_HaveADateAndAReason() => SourceTree.RequireNone(SourceTree.Files("docs/decisions", ".md")
        .Where(file => !DecisionName().IsMatch(Path.GetFileName(file.Path)) || !file.Text.StartsWith("# ", StringComparison.Ordinal)).Select(file => $"{file.Path} is not named date-slug or has no title"));

    [Fact]
    public void Tree_OfTheRepository_HoldsNoPathOfOneMachine() => SourceTree.RequireNone(Code.Concat(Documents).Concat(SourceTree.Files("", ".csproj", ".props", ".json", ".html", ".js", ".css", ".mjs"))
        .SelectMany(file => file.Lines.Where(line => MachinePath().IsMatch(line.Line)).Select(line => $"{file.Path}:{line.Number}: {line.Line.Trim()}")));

    [GeneratedRegex(@"""(?:[^""\\]|\\.)*""")]
    private static partial Regex Literal();

    [GeneratedRegex(@"//.*$")]
    private static partial Regex Comment();

    [GeneratedRegex(@"\b(?:class|record struct|record|struct|interface|enum|delegate \w+)\s+(\w+)")]
    private static partial Regex DeclaredType();

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex Namespace();

    [GeneratedRegex(@"\b(?:DateTime|DateTimeOffset|TimeProvider|Stopwatch|Random|Guid|File|Directory|Console|Environment|HttpClient|ILogger|Thread|Timer|Parallel|IBlobStore|ConfigureAwait|Task\.Run|Task\.Delay|Task\.Yield|ThreadPool|lock)\b")]
    private static partial Regex Unreplayable();

    [GeneratedRegex(@"\[(?:Fact|Theory)[^\]]*\](?:\s*\[[^\]]*\])*\s*(?:#pragma[^\n]*\s*)*public\s+(?:static\s+)?(?:async\s+)?[\w<>]+\s+(\w+)\s*\(")]
    private static partial Regex TestMethod();

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"`((?:src|tests|bench|docs)/[\w./-]+\.(?:cs|md|csv|csproj|json|css))`")]
    private static partial Regex NamedPath();

    [GeneratedRegex(@"^\s*\(""([a-z][a-z0-9-]*)""", RegexOptions.Multiline)]
    private static partial Regex BenchEntry();

    [GeneratedRegex(@"--project bench -c Release (?:--no-build )?-- ([A-Za-z][a-z0-9-]*)")]
    private static partial Regex BenchUse();

    [GeneratedRegex(@"^\d{4}-\d{2}-\d{2}-[a-z0-9-]+\.md$")]
    private static partial Regex DecisionName();

    [GeneratedRegex(@"(?<![\w.])/(?:wor[k]|hom[e]|roo[t]|User[s])/\w")]
    private static partial Regex MachinePath();
}
