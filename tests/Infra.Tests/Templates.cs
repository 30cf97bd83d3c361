using System.Diagnostics;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;

namespace Scion.Tests;

/// <summary>The templates of <c>infra/</c>, compiled once by the Bicep CLI that NuGet brought.</summary>
static class Templates
{
    /// <summary>What is deployed by itself: the installation, then the app of each image.</summary>
    public static readonly IReadOnlyList<string> Roots = ["main", "api", "cpu", "pretrain", "extract"];

    public static readonly IReadOnlyList<string> Apps = ["api", "cpu", "pretrain", "extract"];

    static readonly Lazy<IReadOnlyDictionary<string, Compiled>> All = new(() => Roots.ToDictionary(root => root, Compile));

    public static string Root { get; } = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(ThisFile())!, "..", ".."));

    /// <summary>The compiler, or null where its package was left out.</summary>
    public static string? Bicep { get; } = typeof(Templates).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .FirstOrDefault(attribute => attribute.Key == "Bicep" && File.Exists(attribute.Value))?.Value;

    /// <summary>A template as Azure is given it.</summary>
    public static Compiled Of(string root)
    {
        Assert.SkipWhen(Bicep is null, "The Bicep CLI's package is not there.");
        return All.Value[root];
    }

    public static string Read(string path) => File.ReadAllText(Path.Combine(Root, path));

    /// <summary>Every resource of a template and of the modules in it.</summary>
    /// <returns>The resource, and the template it stands in.</returns>
    public static IEnumerable<(JsonObject Resource, JsonObject Template)> Resources(string root) => Within(Of(root).Template);

    public static IEnumerable<JsonObject> Resources(string root, string type) =>
        Resources(root).Where(found => (string?)found.Resource["type"] == type && found.Resource["existing"]?.GetValue<bool>() != true).Select(found => found.Resource);

    static IEnumerable<(JsonObject, JsonObject)> Within(JsonObject template)
    {
        IEnumerable<JsonNode?> resources = template["resources"] is JsonObject named ? named.Select(pair => pair.Value) : template["resources"]!.AsArray();
        foreach (JsonObject resource in resources.Cast<JsonObject>())
        {
            yield return (resource, template);
            if (resource["properties"]?["template"] is JsonObject nested && (string?)resource["type"] == "Microsoft.Resources/deployments")
                foreach ((JsonObject, JsonObject) found in Within(nested)) yield return found;
        }
    }

    /// <summary>A parameters file is compiled with its template.</summary>
    static Compiled Compile(string root)
    {
        ProcessStartInfo start = new(Bicep!, ["build-params", $"infra/{root}.bicepparam", "--stdout"])
        {
            WorkingDirectory = Root,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (string name in start.Environment.Keys.Where(IsSetting).ToArray()) start.Environment.Remove(name);
        using Process process = Process.Start(start)!;
        Task<string> said = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"bicep build-params infra/{root}.bicepparam ended with {process.ExitCode}:\n{said.Result}");
        JsonNode compiled = JsonNode.Parse(output)!;
        JsonObject values = JsonNode.Parse((string)compiled["parametersJson"]!)!["parameters"]!.AsObject();
        return new Compiled(JsonNode.Parse((string)compiled["templateJson"]!)!.AsObject(), values, said.Result);

        static bool IsSetting(string name) => name.StartsWith("SCION_", StringComparison.Ordinal) || name.StartsWith("AZURE_", StringComparison.Ordinal);
    }

    static string ThisFile([CallerFilePath] string path = "") => path;
}

/// <param name="Template">ARM JSON.</param>
/// <param name="Parameters">What the parameters file gives when the environment names nothing.</param>
/// <param name="Said">Warnings of compiler and linter.</param>
sealed record Compiled(JsonObject Template, JsonObject Parameters, string Said);
