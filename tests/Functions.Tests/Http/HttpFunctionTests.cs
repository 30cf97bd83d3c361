using System.Collections.Concurrent;
using System.ComponentModel.DataAnnotations;
using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Configuration;
using Scion.Functions;
using Scion.Functions.Http;
using Scion.Registry;
using Scion.Tests.Registry;
using Scion.Web;

namespace Scion.Tests.Http;

public sealed class HttpFunctionTests
{
    const string First = "20260101-000000-00000001", Second = "20260101-000000-00000002";

    [Fact]
    public async Task Functions_EveryAddressOfTheApi_HasOneWithItsMethodsAndKeyAndItsOperationsName()
    {
        await using RunningFunctions host = await RunningFunctions.StartAsync(new InMemoryBlobStore());
        using JsonDocument openapi = JsonDocument.Parse(await host.Client.GetStringAsync(new Uri("/openapi.json", UriKind.Relative)));

        string[] functions = [.. HttpFunction.All.Where(function => function.Name != nameof(OpenFunctions.Unknown)).Select(function =>
            Line(function.Trigger.Methods!.Select(method => method.ToUpperInvariant()), function.Trigger.Route == Routes.Page ? "/" : $"/{function.Trigger.Route}",
                function.Trigger.AuthLevel == AuthorizationLevel.Anonymous, function.Name)).Order(StringComparer.Ordinal)];
        string[] endpoints = [.. host.Api.Endpoints.Select(endpoint => Line(endpoint.Methods, endpoint.Pattern, endpoint.Open,
            Capital(openapi.RootElement.GetProperty("paths").GetProperty(endpoint.Pattern.Replace("{**", "{", StringComparison.Ordinal))
                .GetProperty(endpoint.Method.ToLowerInvariant()).GetProperty("operationId").GetString()!)))
            .Order(StringComparer.Ordinal)];

        Assert.Equal(endpoints, functions);
        Assert.All(HttpFunction.All, function => Assert.True(function.Trigger.AuthLevel is AuthorizationLevel.Anonymous or AuthorizationLevel.Function, function.Name));
    }

    [Fact]
    public void Unknown_OfTheNamesOfHttpFunctions_SortsLastAsTheHostTriesThem() =>
        Assert.Equal(nameof(OpenFunctions.Unknown), HttpFunction.All.Select(function => function.Name).Max(StringComparer.OrdinalIgnoreCase));

    [Fact]
    public async Task Get_TheOpenAddresses_AreThere()
    {
        await using RunningFunctions host = await RunningFunctions.StartAsync(new InMemoryBlobStore());

        foreach (ScionEndpoint endpoint in host.Api.Endpoints.Where(endpoint => endpoint.Open))
        {
            using HttpResponseMessage answer = await host.Client.GetAsync(new Uri(endpoint.Pattern, UriKind.Relative));
            using HttpRequestMessage head = new(HttpMethod.Head, new Uri(endpoint.Pattern, UriKind.Relative));
            using HttpResponseMessage headed = await host.Client.SendAsync(head);

            Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (answer.StatusCode, headed.StatusCode));
            Assert.NotEmpty(await answer.Content.ReadAsByteArrayAsync());
        }
    }

    [Theory]
    [InlineData("GET", "/nowhere", 404, "W005", null)]
    [InlineData("GET", "/api/models/films/nothing/at/all", 404, "W005", null)]
    [InlineData("POST", "/", 405, "W006", "GET, HEAD")]
    [InlineData("PATCH", "/api/runs/films-0123456789abcdef", 405, "W006", "GET, HEAD, DELETE")]
    [InlineData("GET", "/api/datasets/reviews/films/train", 405, "W006", "POST")]
    [InlineData("GET", "/api/models/none", 404, "R002", null)]
    [InlineData("GET", "/api/models/films%2F..%2Fother", 400, "R001", null)]
    public async Task Request_ThatHasNoAnswer_IsAProblem(string method, string address, int status, string code, string? allow)
    {
        await using RunningFunctions host = await RunningFunctions.StartAsync(new InMemoryBlobStore());
        using HttpRequestMessage request = new(new HttpMethod(method), new Uri(address, UriKind.Relative));

        using HttpResponseMessage answer = await host.Client.SendAsync(request);

        string text = await answer.Content.ReadAsStringAsync();
        Assert.Equal((status, "application/problem+json"), ((int)answer.StatusCode, answer.Content.Headers.ContentType?.MediaType));
        Assert.Equal(code, JsonDocument.Parse(text).RootElement.GetProperty("code").GetString());
        if (allow is not null) Assert.Equal(allow, string.Join(", ", answer.Content.Headers.Allow));
    }

    [Fact]
    public async Task Put_OfAFile_IsStoredWithItsWholeNameAndATooLargeOneIsRefused()
    {
        InMemoryBlobStore store = new();
        await using RunningFunctions host = await RunningFunctions.StartAsync(store, null, ("Scion:MaxUpload", "1000"));
        Task<HttpResponseMessage> PutAsync(string name, int length) =>
            host.Client.PutAsync(new Uri($"/api/datasets/images/dresses/files/{name}", UriKind.Relative), new ByteArrayContent(new byte[length]));

        using HttpResponseMessage fits = await PutAsync("blau%20und%20schwarz/%C3%A4.jpg", 1000), large = await PutAsync("b.jpg", 1001);

        Assert.Equal((HttpStatusCode.Created, HttpStatusCode.RequestEntityTooLarge), (fits.StatusCode, large.StatusCode));
        Assert.Equal("images/dresses/blau und schwarz/ä.jpg", Assert.Single(store.Content).Path);
        Assert.Contains("The file is larger than 1,000 bytes.\",\"code\":\"W008\",\"remedy\":\"Cut it into several files, compress it, or copy it into images/dresses/ of the storage itself",
            await large.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Predict_WhileVersionsArePromotedAndRolledBack_NeverFailsAndNamesTheVersion()
    {
        InMemoryBlobStore store = new();
        await TrainedModel.PublishAsync(store, await TrainedModel.MakeAsync(store));
        await TrainedModel.PublishAsync(store, await TrainedModel.MakeAsync(store, version: Second, seed: 2));
        await using RunningFunctions host = await RunningFunctions.StartAsync(store);
        ConcurrentDictionary<string, int> seen = new();
        using CancellationTokenSource end = new(TimeSpan.FromSeconds(5));

        Task[] callers = [.. Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            while (!end.IsCancellationRequested)
            {
                using HttpResponseMessage answer = await host.Client.PostAsync(new Uri("/api/models/films/predict", UriKind.Relative), Json("{\"inputs\":[\"a great and lovely film\"]}"));
                string text = await answer.Content.ReadAsStringAsync();
                Assert.True(answer.IsSuccessStatusCode, text);
                seen.AddOrUpdate(JsonDocument.Parse(text).RootElement.GetProperty("version").GetString()!, 1, (_, n) => n + 1);
            }
        }))];
        for (int move = 0; !end.IsCancellationRequested && !(seen.Count == 2 && move > 3); move++)
        {
            using HttpResponseMessage moved = await host.Client.PostAsync(new Uri($"/api/models/films/{(move % 2 == 0 ? "rollback" : "promote")}", UriKind.Relative),
                Json(move % 2 == 0 ? "{\"reason\":\"test\"}" : $"{{\"version\":\"{Second}\",\"reason\":\"test\"}}"));
            Assert.True(moved.IsSuccessStatusCode, await moved.Content.ReadAsStringAsync());
            await Task.Delay(300, CancellationToken.None);                       // a pointer is looked at once a second at most
        }
        await end.CancelAsync();
        await Task.WhenAll(callers);

        Assert.Equal([First, Second], seen.Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Options_OfTheApi_LeaveKeysToTheHostAndCheckTheHostNameOnADevelopersMachineOnly()
    {
        ScionApiOptions azure = HttpServices.Options(new ScionSettings { Origins = "https://a.example, https://b.example" }, Configuration()),
            local = HttpServices.Options(new ScionSettings(), Configuration(("AZURE_FUNCTIONS_ENVIRONMENT", "Development")));

        Assert.Equal((true, null, false, true), (azure.KeyCheckedByHost, azure.Key, azure.LocalOnly, local.LocalOnly));
        Assert.Equal(["https://a.example", "https://b.example"], azure.Origins);
    }

    [Fact]
    public async Task MaxUpload_ThatTheHostLetsThroughNot_StopsTheStart()
    {
        ValidationException fault = await Assert.ThrowsAsync<ValidationException>(() => RunningFunctions.StartAsync(new InMemoryBlobStore(), null, ("Scion:MaxUpload", "104857600")));
        await using RunningFunctions raised = await RunningFunctions.StartAsync(new InMemoryBlobStore(), null, ("Scion:MaxUpload", "104857600"), (HttpServices.HostLimit, "104857601"));

        Assert.Equal("Scion:MaxUpload is 104857600 and the host lets 104857600 bytes through. Lower it, or raise FUNCTIONS_REQUEST_BODY_SIZE_LIMIT above it.", fault.Message);
    }

    static IConfiguration Configuration(params (string Name, string Value)[] settings) =>
        new ConfigurationBuilder().AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Name, (string?)setting.Value))).Build();

    static StringContent Json(string json) => new(json, Encoding.UTF8, "application/json");

    static string Capital(string name) => char.ToUpperInvariant(name[0]) + name[1..];

    static string Line(IEnumerable<string> methods, string pattern, bool open, string name) => $"{string.Join('|', methods)} {pattern} {(open ? "open" : "key")} {name}";
}
