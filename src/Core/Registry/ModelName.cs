using System.Text.RegularExpressions;
using Scion.Faults;

namespace Scion.Registry;

/// <summary>What a model may be called. The only user text, besides file names, that becomes part of a path.</summary>
public static partial class ModelName
{
    public static bool IsValid(string name) => Allowed().IsMatch(name);

    /// <returns>The name.</returns>
    /// <exception cref="InputRejectedException">It is not allowed (R001).</exception>
    public static string Require(string name) => IsValid(name) ? name : throw new InputRejectedException("R001",
        $"'{Shown(name)}' cannot be a model's name.", "Use 2 to 63 of a-z, 0-9 and '-', beginning with a letter or digit.");

    static string Shown(string name) => string.Concat(name.Take(80).Select(c => c is >= ' ' and < '\x7f' and not '\'' ? c : '?'));

    [GeneratedRegex("^[a-z0-9][a-z0-9-]{1,62}\\z")]
    private static partial Regex Allowed();
}
