using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Scion.Tests;

public sealed partial class PageTests
{
    [Fact]
    public async Task Page_EveryFile_ComesWithoutAKeyAndNamesNoOtherHost()
    {
        await using RunningApi api = await RunningApi.StartWithFilmsAsync();

        foreach (string address in new[] { "/", "/app.js", "/app.css", "/icon.svg", "/report", "/report.js", "/report.css" })
        {
            using HttpResponseMessage response = await api.Anonymous.GetAsync(new Uri(address, UriKind.Relative));
            string text = await response.Content.ReadAsStringAsync();

            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.Contains("default-src 'none'", response.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
            Assert.Equal("nosniff", response.Headers.GetValues("X-Content-Type-Options").Single());
            Assert.DoesNotMatch(OtherHost(), text);
            Assert.DoesNotMatch(InlineCode(), text);
        }
    }

    [Fact]
    public async Task Page_Policy_AllowsNoInlineScriptOrStyle()
    {
        await using RunningApi api = await RunningApi.StartWithFilmsAsync();

        using HttpResponseMessage page = await api.Anonymous.GetAsync(new Uri("/", UriKind.Relative));

        Assert.Equal("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            page.Headers.GetValues("Content-Security-Policy").Single());
    }

    [Fact]
    public async Task OpenApi_EveryMappedAddress_IsDescribedAndNoOther()
    {
        await using RunningApi api = await RunningApi.StartWithFilmsAsync();

        using JsonDocument openapi = JsonDocument.Parse(await api.Anonymous.GetStringAsync(new Uri("/openapi.json", UriKind.Relative)));

        string[] described = [.. openapi.RootElement.GetProperty("paths").EnumerateObject()
            .SelectMany(path => path.Value.EnumerateObject().Select(method => $"{method.Name.ToUpperInvariant()} {path.Name} {(method.Value.TryGetProperty("security", out _) ? "open" : "key")}")).Order(StringComparer.Ordinal)];
        string[] mapped = [.. api.Api.Endpoints.Select(endpoint => $"{endpoint.Method} {endpoint.Pattern.Replace("{**name}", "{name}", StringComparison.Ordinal)} {(endpoint.Open ? "open" : "key")}").Order(StringComparer.Ordinal)];
        Assert.Equal(mapped, described);
    }

    [Fact]
    public async Task OpenApi_EveryReference_Resolves()
    {
        await using RunningApi api = await RunningApi.StartWithFilmsAsync();

        string text = await api.Anonymous.GetStringAsync(new Uri("/openapi.json", UriKind.Relative));

        using JsonDocument openapi = JsonDocument.Parse(text);
        foreach (string reference in Reference().Matches(text).Select(match => match.Groups[1].Value).Distinct())
            Assert.True(openapi.RootElement.GetProperty("components").TryGetProperty(reference.Split('/')[0], out JsonElement kind) && kind.TryGetProperty(reference.Split('/')[1], out _), reference);
    }

    [GeneratedRegex("https?://(?!www\\.w3\\.org/2000/svg)")]
    private static partial Regex OtherHost();

    [GeneratedRegex("<script>|<style|\\sstyle=|\\son[a-z]+=\"|innerHTML|eval\\(")]
    private static partial Regex InlineCode();

    [GeneratedRegex("\"#/components/([^\"]+)\"")]
    private static partial Regex Reference();
}
