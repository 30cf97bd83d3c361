namespace Scion.Tests;

/// <summary>What Azure is given.</summary>
public sealed class TemplateTests
{
    public static TheoryData<string> Roots => [.. Templates.Roots];

    [Theory]
    [MemberData(nameof(Roots))]
    public void Template_Compiled_HasNoWarning(string root) => Assert.Equal("", Templates.Of(root).Said);
}
