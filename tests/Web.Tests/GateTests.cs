using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Scion.Web;

namespace Scion.Tests;

public sealed class GateTests
{
    [Fact]
    public async Task Everything_WithoutAKey_IsRefusedButTheOpenAddresses()
    {
        await using RunningApi api = await RunningApi.StartWithFilmsAsync();

        foreach (ScionEndpoint endpoint in api.Api.Endpoints)
        {
            using HttpRequestMessage request = new(new HttpMethod(endpoint.Method), new Uri(Filled(endpoint.Pattern), UriKind.Relative));
            using HttpResponseMessage response = await api.Anonymous.SendAsync(request);
            if (endpoint.Open) Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            else
            {
                await Refused.AssertAsync(response, 401, "W001", "The request has no key.");
                Assert.Equal("ApiKey header=\"x-functions-key\"", response.Headers.WwwAuthenticate.ToString());
            }
        }
    }

    [Theory]
    [InlineData("x")]
    [InlineData("0123456789abcdef0123456789abcdeX")]
    [InlineData("0123456789abcdef0123456789abcdef0")]
    [InlineData("0123456789ABCDEF0123456789ABCDEF")]
    public async Task Key_Wrong_IsRefused(string key)
    {
        await using RunningApi api = await RunningApi.StartWithFilmsAsync();
        api.Anonymous.DefaultRequestHeaders.Add("x-functions-key", key);

        using HttpResponseMessage response = await api.Anonymous.GetAsync(new Uri("/api/models", UriKind.Relative));

        await Refused.AssertAsync(response, 401, "W002", null);
    }

    [Fact]
    public async Task Key_TwiceOrInTheAddress_IsRefused()
    {
        await using RunningApi api = await RunningApi.StartWithFilmsAsync();
        using RawConnection raw = await RawConnection.OpenAsync(api.Address);

        await raw.SendAsync($"GET /api/models HTTP/1.1\r\nHost: localhost\r\nx-functions-key: {RunningApi.Key}\r\nx-functions-key: {RunningApi.Key}\r\n\r\n");
        using HttpResponseMessage response = await api.Anonymous.GetAsync(new Uri($"/api/models?code={RunningApi.Key}", UriKind.Relative));

        Assert.StartsWith("HTTP/1.1 401 ", await raw.ReadHeadAsync(), StringComparison.Ordinal);
        await Refused.AssertAsync(response, 400, "W007", "The query has 'code': a key in an address ends up in logs and histories.");
    }

    [Theory]
    [InlineData("localhost", true)]
    [InlineData("LOCALHOST:7071", true)]
    [InlineData("127.0.0.1:7071", true)]
    [InlineData("[::1]:7071", true)]
    [InlineData("evil.example", false)]
    [InlineData("localhost.evil.example", false)]
    [InlineData("127.0.0.1.nip.io", false)]
    [InlineData("192.168.1.7", false)]
    [InlineData("2130706433", false)]
    public async Task Host_OnlyThisMachinesOwnNames_AreAnswered(string host, bool answered)
    {
        await using RunningApi api = await RunningApi.StartWithFilmsAsync();

        foreach (string address in new[] { "/", "/healthz", "/api/models", "/nowhere" })
        {
            using HttpRequestMessage request = new(HttpMethod.Get, new Uri(address, UriKind.Relative));
            request.Headers.Host = host;
            using HttpResponseMessage response = await api.Client.SendAsync(request);
            if (!answered) await Refused.AssertAsync(response, 403, "W003", null);
            else if (address != "/nowhere") Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }
    }

    [Fact]
    public async Task Host_ServerOpenToTheNetwork_IsAnsweredUnderAnyName()
    {
        await using RunningApi api = await RunningApi.StartWithFilmsAsync(new ScionApiOptions { Key = RunningApi.Key, LocalOnly = false });
        using HttpRequestMessage request = new(HttpMethod.Get, new Uri("/api/models", UriKind.Relative));
        request.Headers.Host = "scion.example";

        using HttpResponseMessage response = await api.Client.SendAsync(request);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Theory]
    [InlineData("Origin", "http://evil.example", false)]
    [InlineData("Origin", "null", false)]
    [InlineData("Origin", "http://localhost:1", false)]
    [InlineData("Origin", "self", true)]
    [InlineData("Sec-Fetch-Site", "cross-site", false)]
    [InlineData("Sec-Fetch-Site", "same-site", false)]
    [InlineData("Sec-Fetch-Site", "same-origin", true)]
    [InlineData("Sec-Fetch-Site", "none", true)]
    public async Task Origin_PagesOfOtherSites_AreRefusedEvenWithTheKey(string header, string value, bool answered)
    {
        await using RunningApi api = await RunningApi.StartWithFilmsAsync();
        if (value == "self") value = $"http://{api.Address.Authority}";

        foreach ((HttpMethod method, string address, string? body) in new[] { (HttpMethod.Post, "/api/models/films/predict", "{\"inputs\":[\"great\"]}"), (HttpMethod.Post, "/api/models/films/promote", "{\"version\":\"20260101-000000-00000001\"}"), (HttpMethod.Get, "/api/models", null) })
        {
            using HttpRequestMessage request = new(method, new Uri(address, UriKind.Relative)) { Content = body is null ? null : RunningApi.JsonBody(body) };
            request.Headers.Add(header, value);
            using HttpResponseMessage response = await api.Client.SendAsync(request);
            if (answered) Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            else await Refused.AssertAsync(response, 403, "W004", null);
            Assert.DoesNotContain(response.Headers, one => one.Key.StartsWith("Access-Control", StringComparison.OrdinalIgnoreCase));
        }
    }

    [Theory]
    [InlineData("https://scion.example", null, true)]                            // listed
    [InlineData("https://scion.example:8443", null, false)]
    [InlineData("http://scion.example", null, false)]
    [InlineData("https://inner.example", null, true)]                            // the request's own host
    [InlineData("https://evil.example", "evil.example", false)]                  // a caller can say so
    public async Task Origin_BehindAProxy_IsTheListedOneOrTheRequestsHostWhateverForwardingHeadersSay(string origin, string? forwarded, bool answered)
    {
        await using RunningApi api = await RunningApi.StartWithFilmsAsync(new ScionApiOptions { KeyCheckedByHost = true, LocalOnly = false, Origins = ["https://scion.example"] });
        using HttpRequestMessage request = new(HttpMethod.Get, new Uri("/api/models", UriKind.Relative));
        request.Headers.Host = "inner.example";
        request.Headers.Add("Origin", origin);
        if (forwarded is not null) request.Headers.Add("X-Forwarded-Host", forwarded);

        using HttpResponseMessage response = await api.Anonymous.SendAsync(request);

        if (answered) Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        else await Refused.AssertAsync(response, 403, "W004", null);
    }

    [Fact]
    public async Task Key_CheckedByTheHostInFront_MayHaveComeInTheAddress()
    {
        await using RunningApi api = await RunningApi.StartWithFilmsAsync(new ScionApiOptions { KeyCheckedByHost = true, LocalOnly = false });

        using HttpResponseMessage runs = await api.Anonymous.GetAsync(new Uri("/api/runs?code=of-the-host&model=films", UriKind.Relative));
        using HttpResponseMessage predicted = await api.Anonymous.PostAsync(new Uri("/api/models/films/predict?code=of-the-host", UriKind.Relative), RunningApi.JsonBody("{\"inputs\":[\"great\"]}"));

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (runs.StatusCode, predicted.StatusCode));
    }

    [Theory]
    [InlineData("https://scion.example/")]
    [InlineData("https://Scion.example")]
    [InlineData("https://scion.example:443")]
    [InlineData("scion.example")]
    [InlineData("ftp://scion.example")]
    public void Origins_NotWrittenAsABrowserSendsThem_StopTheStart(string origin)
    {
        ScionApiOptions options = new() { KeyCheckedByHost = true, Origins = [origin] };

        Assert.Equal($"'{origin}' is no origin. Give scheme and lower-case host, and the port where it is not the scheme's own, as in https://scion.example.",
            Assert.Throws<System.ComponentModel.DataAnnotations.ValidationException>(() => new ServiceCollection().AddScionApi(options)).Message);
    }

    [Fact]
    public async Task Page_OpenedByALinkFromElsewhere_IsShown()
    {
        await using RunningApi api = await RunningApi.StartWithFilmsAsync();
        using HttpRequestMessage request = new(HttpMethod.Get, new Uri("/", UriKind.Relative));
        request.Headers.Add("Sec-Fetch-Site", "cross-site");
        request.Headers.Add("Sec-Fetch-Mode", "navigate");
        request.Headers.Add("Sec-Fetch-Dest", "document");

        using HttpResponseMessage response = await api.Anonymous.SendAsync(request);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Theory]
    [InlineData("GET", "/nowhere")]
    [InlineData("POST", "/api/nowhere")]
    [InlineData("GET", "/api/models/films/")]
    [InlineData("DELETE", "/")]
    [InlineData("GET", "/app.js.map")]
    public async Task Address_Unknown_IsAProblemToo(string method, string address)
    {
        await using RunningApi api = await RunningApi.StartWithFilmsAsync();
        using HttpRequestMessage request = new(new HttpMethod(method), new Uri(address, UriKind.Relative));

        using HttpResponseMessage response = await api.Client.SendAsync(request);

        if (address == "/api/models/films/") Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        else if (address == "/") await Refused.AssertAsync(response, 405, "W006", "This address does not take DELETE.");
        else await Refused.AssertAsync(response, 404, "W005", $"There is nothing at '{address}'.");
    }

    [Fact]
    public async Task Method_Wrong_NamesThoseThatAreTaken()
    {
        await using RunningApi api = await RunningApi.StartWithFilmsAsync();

        foreach (IGrouping<string, ScionEndpoint> address in api.Api.Endpoints.GroupBy(endpoint => endpoint.Pattern))
        {
            using HttpRequestMessage request = new(HttpMethod.Options, new Uri(Filled(address.Key), UriKind.Relative));
            using HttpResponseMessage response = await api.Client.SendAsync(request);
            await Refused.AssertAsync(response, 405, "W006", "This address does not take OPTIONS.");
            foreach (ScionEndpoint endpoint in address) Assert.Contains(endpoint.Method, response.Content.Headers.Allow);
        }
    }

    [Fact]
    public async Task Head_OfEveryGet_HasTheHeadersAndNoBody()
    {
        await using RunningApi api = await RunningApi.StartWithFilmsAsync();

        foreach (string address in new[] { "/", "/healthz", "/openapi.json", "/api/models", "/api/models/films", "/api/models/films/report", "/api/runs" })
        {
            using HttpResponseMessage get = await api.Client.GetAsync(new Uri(address, UriKind.Relative));
            using HttpRequestMessage request = new(HttpMethod.Head, new Uri(address, UriKind.Relative));
            using HttpResponseMessage head = await api.Client.SendAsync(request);

            Assert.Equal(get.StatusCode, head.StatusCode);
            Assert.Equal(get.Content.Headers.ContentLength, head.Content.Headers.ContentLength);
            Assert.Equal(get.Content.Headers.ContentType, head.Content.Headers.ContentType);
        }
    }

    [Fact]
    public async Task Failure_Unforeseen_ShowsATraceAndNoStack()
    {
        await using RunningApi api = await RunningApi.StartWithFilmsAsync();
        api.Training.Fault = new InvalidOperationException("secret inner workings");

        using HttpResponseMessage response = await api.Client.PostAsync(new Uri("/api/datasets/reviews/films/train", UriKind.Relative), null);

        await Refused.AssertAsync(response, 500, "W018", "The server failed in a way it did not foresee.");
        string text = await response.Content.ReadAsStringAsync();
        Assert.DoesNotContain("secret", text, StringComparison.Ordinal);
        using System.Text.Json.JsonDocument problem = System.Text.Json.JsonDocument.Parse(text);
        string trace = problem.RootElement.GetProperty("trace").GetString()!;
        Assert.Contains(api.Log.Lines, line => line.Contains(trace, StringComparison.Ordinal) && line.Contains("secret inner workings", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(null, false)]
    [InlineData("short", false)]
    [InlineData(RunningApi.Key, true)]
    [InlineData("ключ-ключ-ключ-ключ-ключ-ключ-ключ-ключ", false)]
    public void Options_ContradictoryOrWeak_StopTheStart(string? key, bool byHost)
    {
        ScionApiOptions options = new() { Key = key, KeyCheckedByHost = byHost };

        Assert.Throws<System.ComponentModel.DataAnnotations.ValidationException>(() => new ServiceCollection().AddScionApi(options));
    }

    [Fact]
    public async Task Bytes_ThatAreNoHttp_AreRefusedAndTheServerGoesOn()
    {
        await using RunningApi api = await RunningApi.StartWithFilmsAsync();
        string head = $"POST /api/models/films/predict HTTP/1.1\r\nHost: localhost\r\nx-functions-key: {RunningApi.Key}\r\nContent-Type: application/json\r\n";

        foreach (string bytes in new[]
        {
            $"{head}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /api/models HTTP/1.1\r\n\r\n",
            $"{head}Content-Length: 5\r\nContent-Length: 6\r\n\r\n{{}}   ",
            $"{head}Content-Length: -1\r\n\r\n",
            $"{head}Transfer-Encoding: chunked\r\n\r\nzz\r\n",
            $"{head}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
            "\0\0\0\0\0\0\r\n\r\n",
            "GET / HTTP/9.9\r\n\r\n",
            "GET /api/\0models HTTP/1.1\r\nHost: localhost\r\n\r\n",
            $"GET /{new string('a', 20_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n",
            $"GET / HTTP/1.1\r\nHost: localhost\r\nX: {new string('a', 40_000)}\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nHost: localhost\r\n\r\n",
        })
        {
            using RawConnection raw = await RawConnection.OpenAsync(api.Address);
            await raw.SendAsync(bytes);
            string answer = await raw.ReadHeadAsync();
            Assert.True(answer.Length == 0 || answer.StartsWith("HTTP/1.1 4", StringComparison.Ordinal) || answer.StartsWith("HTTP/1.1 50", StringComparison.Ordinal), $"{bytes[..Math.Min(60, bytes.Length)]} -> {answer}");
        }
        using HttpResponseMessage after = await api.PredictAsync("{\"inputs\":[\"great\"]}");
        Assert.Equal(HttpStatusCode.OK, after.StatusCode);
    }

    static string Filled(string pattern) => pattern.Replace("{model}", "films", StringComparison.Ordinal).Replace("{version}", "20260101-000000-00000001", StringComparison.Ordinal)
        .Replace("{kind}", "reviews", StringComparison.Ordinal).Replace("{**name}", "a.csv", StringComparison.Ordinal).Replace("{run}", "films-0123456789abcdef", StringComparison.Ordinal)
        .Replace("{word}", "great", StringComparison.Ordinal);
}
