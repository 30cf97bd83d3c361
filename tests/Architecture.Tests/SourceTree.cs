using System.Runtime.CompilerServices;

namespace Scion.Tests;

/// <summary>The repository's text files, as a person reads them.</summary>
static class SourceTree
{
    static readonly string[] Generated = ["bin", "obj", "node_modules", ".git", ".vs", "artifacts", "scion-data"];

    public static string Root { get; } = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(ThisFile())!, "..", ".."));

    /// <summary>Files below a folder whose names end so, by path; what a build or a run makes is left out.</summary>
    public static IReadOnlyList<SourceFile> Files(string folder, params string[] endings)
    {
        List<SourceFile> files = [];
        Add(new DirectoryInfo(Path.Combine(Root, folder)));
        return [.. files.OrderBy(file => file.Path, StringComparer.Ordinal)];

        void Add(DirectoryInfo directory)
        {
            if (!directory.Exists) return;
            foreach (FileInfo file in directory.EnumerateFiles())
                if (endings.Any(ending => file.Name.EndsWith(ending, StringComparison.Ordinal)))
                    files.Add(new SourceFile(Path.GetRelativePath(Root, file.FullName).Replace('\\', '/'), File.ReadAllText(file.FullName)));
            foreach (DirectoryInfo child in directory.EnumerateDirectories())
                if (!Generated.Contains(child.Name)) Add(child);
        }
    }

    /// <summary>Fails with every fault in the message, one a line.</summary>
    public static void RequireNone(IEnumerable<string?> faults)
    {
        string[] found = [.. faults.Select(fault => fault ?? "")];
        Assert.True(found.Length == 0, string.Join('\n', found));
    }

    public static string Read(string path) => File.ReadAllText(Path.Combine(Root, path));

    static string ThisFile([CallerFilePath] string path = "") => path;
}

/// <param name="Path">From the root, with '/'.</param>
/// <param name="Text">Content.</param>
sealed record SourceFile(string Path, string Text)
{
    public IEnumerable<(int Number, string Line)> Lines => Text.Split('\n').Select((line, i) => (i + 1, line.TrimEnd('\r')));
}
