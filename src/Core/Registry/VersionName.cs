using System.Text.RegularExpressions;

namespace Scion.Registry;

/// <summary>What a version is called: <c>yyyyMMdd-HHmmss-</c> and 8 hex digits of its run. Ordinal order is the order in which runs were
/// first recorded.</summary>
public static partial class VersionName
{
    public static bool IsValid(string? name) => name is not null && Allowed().IsMatch(name);

    [GeneratedRegex("^[0-9]{8}-[0-9]{6}-[0-9a-f]{8}\\z")]
    private static partial Regex Allowed();
}
