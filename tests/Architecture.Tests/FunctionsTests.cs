using System.Text.RegularExpressions;
using Scion.Pipelines;

namespace Scion.Tests;

/// <summary>Rules of the Functions host that are read from its source, so that they hold where its packages do not restore too.</summary>
public sealed partial class FunctionsTests
{
    static readonly IReadOnlyList<SourceFile> Source = SourceTree.Files("src/Functions", ".cs");

    [Fact]
    public void Steps_OfThePipelines_EachHaveOneActivityOfTheirName()
    {
        string[] activities = [.. Source.SelectMany(file => Activity().Matches(file.Text)).Select(match => match.Groups[1].Value)];
        string[] notSteps = [nameof(ITrainingSteps.Report), nameof(ITrainingSteps.FanOut)];           // a status and a window, not calls of their own

        foreach (string step in new[] { typeof(ITrainingSteps), typeof(IReviewSteps), typeof(IImageSteps) }.SelectMany(steps => steps.GetMethods()).Select(method => method.Name).Except(notSteps))
            Assert.True(activities.Count(activity => activity == step) == 1, $"step {step} has {activities.Count(activity => activity == step)} activities");
    }

    [Fact]
    public void Activities_ThatOrchestratorsCall_AreFunctions()
    {
        HashSet<string> functions = [.. Source.SelectMany(file => Function().Matches(file.Text)).Select(match => match.Groups[1].Value)];
        string[] called = [.. Source.Where(file => file.Path.EndsWith(".Orchestrator.cs", StringComparison.Ordinal) || file.Path.EndsWith("DurableSteps.cs", StringComparison.Ordinal))
            .SelectMany(file => Called().Matches(file.Text)).Select(match => match.Groups[1].Value.Split('.')[^1])];

        Assert.True(called.Length >= 8, $"only {called.Length} calls were found");
        SourceTree.RequireNone(called.Where(name => !functions.Contains(name)).Select(name => $"{name} is called and is no function"));
    }

    [Fact]
    public void Functions_EachClassOfThem_SaysOneRole() => SourceTree.RequireNone(Source
        .Where(file => Function().IsMatch(file.Text) && !TypeWithRole().IsMatch(file.Text)).Select(file => $"{file.Path} has functions and no [ServedBy]"));

    [Fact]
    public void Orchestrators_ReplayedCode_LeaveTheirThreadNowhere() => SourceTree.RequireNone(Source
        .Where(file => file.Path.EndsWith(".Orchestrator.cs", StringComparison.Ordinal) || file.Path.EndsWith("DurableSteps.cs", StringComparison.Ordinal))
        .SelectMany(file => file.Lines.Where(line => Leaving().IsMatch(line.Line.Split("//")[0])).Select(line => $"{file.Path}:{line.Number} {line.Line.Trim()}")));

    [Fact]
    public void CoreAndWeb_Projects_ReferenceNoPackageOfFunctions() => SourceTree.RequireNone(new[] { "src/Core/Core.csproj", "src/Web/Web.csproj", "src/Torch/Torch.csproj", "src/Local/Local.csproj" }
        .Where(project => Regex.IsMatch(SourceTree.Read(project), "Microsoft\\.Azure\\.Functions|Microsoft\\.DurableTask|Functions\\.csproj")).Select(project => $"{project} references the Functions host"));

    [GeneratedRegex(@"\[Function\(nameof\((\w+)\)\)\]\s+public [^(]*\(\s*\[ActivityTrigger\]")]
    private static partial Regex Activity();

    [GeneratedRegex(@"\[Function\(nameof\((\w+)\)\)\]")]
    private static partial Regex Function();

    [GeneratedRegex(@"(?:CallActivityAsync|CallSubOrchestratorAsync)(?:<[^(]*>)?\(nameof\(([\w.]+)\)")]
    private static partial Regex Called();

    [GeneratedRegex(@"\[ServedBy\(FunctionRoles\.(\w+)\)\]\s+(?:static|sealed) ")]
    private static partial Regex TypeWithRole();

    [GeneratedRegex(@"CancelAsync|Task\.Run|Task\.Delay|ConfigureAwait|DateTime(?:Offset)?\.(?:Utc)?Now|Guid\.NewGuid|Random|Environment\.")]
    private static partial Regex Leaving();
}
