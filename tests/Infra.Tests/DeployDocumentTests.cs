using System.Text.RegularExpressions;

namespace Scion.Tests;

/// <summary>docs/deploy.md and the templates say the same.</summary>
public sealed partial class DeployDocumentTests
{
    static readonly string Document = Templates.Read("docs/deploy.md");

    [Fact]
    public void Parameters_OfTheTemplates_AreDocumentedWithTheirDefaults()
    {
        List<string> missing = [];
        foreach ((string path, string text) in Templates.Sources().Where(file => file.Path.EndsWith(".bicepparam", StringComparison.Ordinal)))
            foreach (Match match in Setting().Matches(text))
            {
                (string name, string fallback) = (match.Groups[1].Value, match.Groups[2].Value);
                if (name.StartsWith("SERVICE_", StringComparison.Ordinal)) continue;                       // azd's own
                string row = Document.Split('\n').FirstOrDefault(line => line.StartsWith($"| `{name}`", StringComparison.Ordinal)) ?? "";
                if (row.Length == 0 || (fallback.Length > 0 && !row.Contains($"`{fallback}`", StringComparison.Ordinal))) missing.Add($"{path}: {name} = {fallback}");
            }

        Assert.Empty(missing);
    }

    [Fact]
    public void Parameters_WithoutASettingOfAzd_AreDocumented() => Assert.Empty(Templates.Roots.SelectMany(root =>
    {
        string set = Templates.Read($"infra/{root}.bicepparam");
        return Parameter().Matches(Templates.Read($"infra/{Template().Match(set).Groups[1].Value}")).Select(match => match.Groups[1].Value)
            .Where(name => !set.Contains($"param {name} =", StringComparison.Ordinal) && !Document.Contains($"`{name}`", StringComparison.Ordinal)).Select(name => $"{root}.{name}");
    }));

    [Fact]
    public void Settings_OfTheDocument_AreReadByATemplate() => Assert.All(Row().Matches(Document).Select(match => match.Groups[1].Value),
        name => Assert.Contains(Templates.Sources(), file => file.Text.Contains($"'{name}'", StringComparison.Ordinal)));

    [GeneratedRegex(@"readEnvironmentVariable\('(\w+)', '([^']*)'\)")]
    private static partial Regex Setting();

    [GeneratedRegex(@"^param (\w+) ", RegexOptions.Multiline)]
    private static partial Regex Parameter();

    [GeneratedRegex("^using '(.*)'")]
    private static partial Regex Template();

    [GeneratedRegex(@"^\| `([A-Z_]{4,})`", RegexOptions.Multiline)]
    private static partial Regex Row();
}
