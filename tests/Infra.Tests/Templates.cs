using System.Collections.Concurrent;
using System.Diagnostics;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;

namespace Scion.Tests;

/// <summary>What the templates of <c>infra/</c> come to: compiled and worked out, without Azure, by the Bicep CLI that NuGet brought.</summary>
static class Templates
{
    public const string Subscription = "00000000-0000-0000-0000-000000000001", Group = "rg-scion";

    /// <summary>What is deployed by itself: the installation, then the app of each image.</summary>
    public static readonly IReadOnlyList<string> Roots = ["main", "api", "cpu", "pretrain", "extract"];

    public static readonly IReadOnlyList<string> Apps = ["api", "cpu", "pretrain", "extract"];

    /// <summary>Settings other than the defaults, as <c>azd env set</c> sets them. Working out a template takes seconds, so all tests share these few.</summary>
    public static readonly IReadOnlyList<string> Changed =
    [
        "AZURE_ENV_NAME=dev", "AZURE_PRINCIPAL_ID=11111111-1111-1111-1111-111111111111", "SCION_KEEP_DAYS=9", "SCION_ALERT_EMAIL=a@example.org", "SCION_MONTHLY_BUDGET=200", "SCION_GPU=none",
        "SCION_HOSTING=functionapp", "SCION_PRETRAIN_MAX_REPLICAS=4", "SCION_EXTRACT_MAX_REPLICAS=4", .. Apps.Select(app => $"SERVICE_{app.ToUpperInvariant()}_IMAGE_NAME=registry/image:1"),
    ];

    /// <summary>The large GPU, nothing kept running, no budget.</summary>
    public static readonly IReadOnlyList<string> Sparing = ["SCION_GPU=Consumption-GPU-NC24-A100", "SCION_CPU_MIN_REPLICAS=0", "SCION_MONTHLY_BUDGET=0"];

    static readonly ConcurrentDictionary<string, Lazy<Snapshot>> Snapshots = new(StringComparer.Ordinal);

    public static string Root { get; } = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(ThisFile())!, "..", ".."));

    /// <summary>The compiler, or null where its package was left out.</summary>
    public static string? Bicep { get; } = typeof(Templates).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .FirstOrDefault(attribute => attribute.Key == "Bicep" && File.Exists(attribute.Value))?.Value;

    /// <summary>A template with its parameters file.</summary>
    /// <param name="root">One of <see cref="Roots"/>.</param>
    /// <param name="settings"><see cref="Changed"/> or <see cref="Sparing"/>; null for the defaults.</param>
    public static Snapshot Of(string root, IReadOnlyList<string>? settings = null)
    {
        Assert.SkipWhen(Bicep is null, "The Bicep CLI's package is not there.");
        return Snapshots.GetOrAdd($"{root} {(settings is null ? "" : settings[0])}", _ => new Lazy<Snapshot>(() => Take(root, settings ?? []))).Value;
    }

    public static string Read(string path) => File.ReadAllText(Path.Combine(Root, path));

    /// <summary>All lines of all files of the infrastructure that Bicep reads.</summary>
    public static IEnumerable<(string Path, string Text)> Sources() => Directory.EnumerateFiles(Path.Combine(Root, "infra"), "*.bicep*", SearchOption.AllDirectories)
        .Where(file => Path.GetExtension(file) is ".bicep" or ".bicepparam")
        .Select(file => (Path.GetRelativePath(Root, file).Replace('\\', '/'), File.ReadAllText(file)));

    /// <remarks>The CLI writes beside what it reads, so it reads a copy.</remarks>
    static Snapshot Take(string root, IReadOnlyList<string> settings)
    {
        DirectoryInfo copy = Directory.CreateTempSubdirectory("scion-infra-");
        try
        {
            foreach ((string path, string text) in Sources().Append(("infra/bicepconfig.json", Read("infra/bicepconfig.json"))))
            {
                string file = Path.Combine(copy.FullName, path);
                Directory.CreateDirectory(Path.GetDirectoryName(file)!);
                File.WriteAllText(file, text);
            }
            string said = Run(copy.FullName, root, settings);
            JsonObject taken = JsonNode.Parse(File.ReadAllText(Path.Combine(copy.FullName, "infra", $"{root}.snapshot.json")))!.AsObject();
            return new Snapshot([.. taken["predictedResources"]!.AsArray().Cast<JsonObject>()], taken.ToJsonString(), said);
        }
        finally
        {
            copy.Delete(recursive: true);
        }
    }

    static string Run(string folder, string root, IReadOnlyList<string> settings)
    {
        List<string> arguments = ["snapshot", $"infra/{root}.bicepparam", "--mode", "overwrite", "--tenant-id", Subscription, "--subscription-id", Subscription, "--location", "swedencentral"];
        if (root != "main") arguments.AddRange(["--resource-group", Group]);
        ProcessStartInfo start = new(Bicep!, arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string name in start.Environment.Keys.Where(IsSetting).ToArray()) start.Environment.Remove(name);
        foreach (string setting in settings) start.Environment[setting[..setting.IndexOf('=')]] = setting[(setting.IndexOf('=') + 1)..];
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string said = process.StandardOutput.ReadToEnd() + errors.GetAwaiter().GetResult();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"bicep {string.Join(' ', arguments)} ended with {process.ExitCode}:\n{said}");
        return said;
    }

    static bool IsSetting(string name) => name.StartsWith("SCION_", StringComparison.Ordinal) || name.StartsWith("AZURE_", StringComparison.Ordinal) || name.StartsWith("SERVICE_", StringComparison.Ordinal);

    static string ThisFile([CallerFilePath] string path = "") => path;
}

/// <param name="Resources">What Azure would be asked for, expressions worked out but for what only Azure knows.</param>
/// <param name="Text">All of it.</param>
/// <param name="Said">Warnings of compiler and linter.</param>
sealed record Snapshot(IReadOnlyList<JsonObject> Resources, string Text, string Said)
{
    public IEnumerable<JsonObject> OfType(string type) => Resources.Where(resource => (string)resource["type"]! == type);

    /// <summary>The container app of an app's template.</summary>
    public JsonObject App => Assert.Single(OfType("Microsoft.App/containerApps"));

    /// <summary>Environment of the app's container, by name.</summary>
    public IReadOnlyDictionary<string, string> Settings => Container["env"]!.AsArray().ToDictionary(setting => (string)setting!["name"]!, setting => (string)setting!["value"]!);

    public JsonObject Container => Assert.Single(App["properties"]!["template"]!["containers"]!.AsArray())!.AsObject();

    public JsonObject Scale => App["properties"]!["template"]!["scale"]!.AsObject();
}
