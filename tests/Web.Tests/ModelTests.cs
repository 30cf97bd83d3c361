using System.Net;
using System.Text;
using System.Text.Json;
using Scion.Datasets;
using Scion.Registry;
using Scion.Tests.Registry;
using Scion.Web;

namespace Scion.Tests;

public sealed class ModelTests
{
    const string First = "20260101-000000-00000001", Second = "20260102-000000-00000002";

    [Fact]
    public async Task List_SoundAndBrokenModels_TellsBoth()
    {
        InMemoryBlobStore store = new();
        await TrainedModel.PublishAsync(store, await TrainedModel.MakeAsync(store));
        await TrainedModel.PublishAsync(store, await TrainedModel.MakeAsync(store, model: "pointerless"));
        await TrainedModel.PublishAsync(store, await TrainedModel.MakeAsync(store, model: "damaged"));
        store.Tamper("models/pointerless/latest.json", "{}"u8.ToArray());
        store.Tamper($"models/damaged/versions/{First}/model.json", "{}"u8.ToArray());
        await using RunningApi api = await RunningApi.StartAsync(store);

        using JsonDocument answer = await GetAsync(api, "/api/models");

        JsonElement[] models = [.. answer.RootElement.GetProperty("models").EnumerateArray()];
        Assert.Equal(["damaged", "films", "pointerless"], models.Select(model => model.GetProperty("model").GetString()));
        Assert.StartsWith("R005: ", models[0].GetProperty("fault").GetString(), StringComparison.Ordinal);
        Assert.StartsWith("R009: ", models[2].GetProperty("fault").GetString(), StringComparison.Ordinal);
        JsonElement films = models[1];
        Assert.Equal(First, films.GetProperty("latest").GetString());
        Assert.False(films.TryGetProperty("fault", out _));
        Assert.Equal(0.9, films.GetProperty("serving").GetProperty("accuracy").GetProperty("value").GetDouble());
        Assert.Equal(["majority", "bag-of-words", "scratch"], films.GetProperty("serving").GetProperty("baselines").EnumerateArray().Select(model => model.GetProperty("name").GetString()));
    }

    [Fact]
    public async Task Show_TwoVersions_HasThemNewestFirstWithTheMoves()
    {
        await using RunningApi api = await StartWithTwoAsync();

        using JsonDocument answer = await GetAsync(api, "/api/models/films");

        Assert.Equal([Second, First], answer.RootElement.GetProperty("versions").EnumerateArray().Select(version => version.GetProperty("version").GetString()));
        Assert.Equal(Second, answer.RootElement.GetProperty("latest").GetString());
        Assert.Equal(First, answer.RootElement.GetProperty("rollsBackTo").GetString());
        Assert.Equal([2, 1], answer.RootElement.GetProperty("moves").EnumerateArray().Select(move => move.GetProperty("sequence").GetInt32()));
    }

    [Fact]
    public async Task Versions_OneCutOff_IsMarked()
    {
        InMemoryBlobStore store = new();
        await TrainedModel.PublishAsync(store, await TrainedModel.MakeAsync(store));
        store.Tamper($"models/films/versions/{Second}/head.onnx", [1]);
        await using RunningApi api = await RunningApi.StartAsync(store);

        using JsonDocument answer = await GetAsync(api, "/api/models/films/versions");

        JsonElement cut = answer.RootElement.GetProperty("versions")[0];
        Assert.Equal((Second, false), (cut.GetProperty("version").GetString(), cut.GetProperty("complete").GetBoolean()));
        Assert.StartsWith("R004: ", cut.GetProperty("fault").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Version_Stored_IsItsManifest()
    {
        await using RunningApi api = await StartWithTwoAsync();

        using JsonDocument answer = await GetAsync(api, $"/api/models/films/versions/{First}");

        ModelPackage package = await api.Registry.ReadAsync("films", First, null, [], default);
        Assert.Equal(package.Digest, answer.RootElement.GetProperty("digest").GetString());
        Assert.False(answer.RootElement.GetProperty("latest").GetBoolean());
        Assert.Equal(JsonSerializer.Serialize(package.Manifest, ScionJson.Strict), answer.RootElement.GetProperty("manifest").GetRawText());
    }

    [Theory]
    [InlineData("/api/models/none", 404, "R002")]
    [InlineData("/api/models/none/versions", 404, "R002")]
    [InlineData("/api/models/none/report", 404, "R002")]
    [InlineData("/api/models/UPPER", 400, "R001")]
    [InlineData("/api/models/films/versions/20990101-000000-00000001", 404, "R003")]
    [InlineData("/api/models/films/versions/..%2fx", 404, "R003")]
    [InlineData("/api/models/films/versions/20990101-000000-00000001/report", 404, "R003")]
    [InlineData("/api/models?model=films", 400, "W007")]
    [InlineData("/api/models/films/words/zzzzzz/nearest", 404, "T005")]
    [InlineData("/api/models/none/words/great/nearest", 404, "R002")]
    [InlineData("/api/models/films/words/great/nearest?count=0", 400, "W007")]
    [InlineData("/api/models/films/words/great/nearest?count=101", 400, "W007")]
    [InlineData("/api/models/films/words/great/nearest?count=ten", 400, "W007")]
    public async Task Get_WhatIsNotThere_IsRefused(string address, int status, string code)
    {
        await using RunningApi api = await StartWithTwoAsync();

        using HttpResponseMessage response = await api.Client.GetAsync(new Uri(address, UriKind.Relative));

        await Refused.AssertAsync(response, status, code, null);
    }

    [Fact]
    public async Task Nearest_KnownWord_ListsWordsByCosine()
    {
        await using RunningApi api = await StartWithTwoAsync();

        using JsonDocument answer = await GetAsync(api, "/api/models/films/words/Great/nearest?count=3");

        JsonElement[] nearest = [.. answer.RootElement.GetProperty("nearest").EnumerateArray()];
        Assert.Equal(3, nearest.Length);
        Assert.Equal(nearest.Select(word => word.GetProperty("similarity").GetSingle()).OrderDescending(), nearest.Select(word => word.GetProperty("similarity").GetSingle()));
        Assert.All(nearest, word => Assert.Contains(word.GetProperty("word").GetString(), new[] { "good", "lovely", "warm", "bright" }));
    }

    [Fact]
    public async Task Promote_AnOlderVersion_AnswersTheNextPrediction()
    {
        await using RunningApi api = await StartWithTwoAsync();
        Assert.Equal(Second, await PredictedByAsync(api));

        using HttpResponseMessage response = await PostAsync(api, "promote", $"{{\"version\":\"{First}\",\"reason\":\"it was better\"}}");

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        using JsonDocument answer = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        Assert.Equal("it was better", answer.RootElement.GetProperty("move").GetProperty("reason").GetString());
        Assert.Equal("promote", answer.RootElement.GetProperty("move").GetProperty("action").GetString());
        Assert.Equal(First, await PredictedByAsync(api));
    }

    [Fact]
    public async Task RollBack_TwiceFromTheSameVersion_GoesBackOnce()
    {
        await using RunningApi api = await StartWithTwoAsync();

        using HttpResponseMessage first = await PostAsync(api, "rollback", $"{{\"from\":\"{Second}\"}}"), again = await PostAsync(api, "rollback", $"{{\"from\":\"{Second}\"}}");

        Assert.Equal(HttpStatusCode.OK, first.StatusCode);
        Assert.Equal(HttpStatusCode.OK, again.StatusCode);
        Assert.Equal(First, await PredictedByAsync(api));
        using HttpResponseMessage further = await PostAsync(api, "rollback", null);
        await Refused.AssertAsync(further, 409, "R013", null);
    }

    [Theory]
    [InlineData("promote", "{}", 400, "W011", "The body does not name a version.")]
    [InlineData("promote", "", 400, "W011", "The body does not name a version.")]
    [InlineData("promote", "{\"version\":\"20990101-000000-00000001\"}", 404, "R003", null)]
    [InlineData("promote", "{\"version\":\"../../x\"}", 404, "R003", null)]
    [InlineData("promote", "{\"version\":1}", 400, "W011", null)]
    [InlineData("promote", "{\"Version\":\"a\",\"version\":\"b\"}", 400, "W011", null)]
    [InlineData("promote", "{\"version\":\"20260101-000000-00000001\",\"force\":true}", 400, "W011", null)]
    [InlineData("promote", "[", 400, "W011", null)]
    [InlineData("rollback", "{\"from\":\"20260101-000000-00000001\"}", 409, "R016", null)]
    [InlineData("rollback", "{\"to\":\"20260101-000000-00000001\"}", 400, "W011", null)]
    public async Task Move_WrongBody_IsRefusedAndMovesNothing(string action, string body, int status, string code, string? detail)
    {
        await using RunningApi api = await StartWithTwoAsync();

        using HttpResponseMessage response = await PostAsync(api, action, body);

        await Refused.AssertAsync(response, status, code, detail);
        Assert.Equal(Second, (await api.Registry.FindLatestAsync("films", default))!.Value.Pointer.Version);
    }

    [Fact]
    public async Task Promote_ReasonOfAMegabyte_IsRefused()
    {
        await using RunningApi api = await StartWithTwoAsync();

        using HttpResponseMessage large = await PostAsync(api, "promote", $"{{\"version\":\"{First}\",\"reason\":\"{new string('x', 1 << 20)}\"}}"),
            longish = await PostAsync(api, "promote", $"{{\"version\":\"{First}\",\"reason\":\"{new string('x', 501)}\"}}");

        await Refused.AssertAsync(large, 413, "W008", null);
        await Refused.AssertAsync(longish, 400, "W011", "The reason has 501 characters.");
    }

    [Fact]
    public async Task Report_OfTheServingAndOfAnyVersion_RunsNothing()
    {
        await using RunningApi api = await StartWithTwoAsync();

        foreach (string address in new[] { "/api/models/films/report", $"/api/models/films/versions/{First}/report" })
        {
            using HttpResponseMessage response = await api.Client.GetAsync(new Uri(address, UriKind.Relative));

            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.Equal("text/html; charset=utf-8", response.Content.Headers.ContentType!.ToString());
            Assert.Equal("default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox",
                response.Headers.GetValues("Content-Security-Policy").Single());
            Assert.DoesNotContain("<script", await response.Content.ReadAsStringAsync(), StringComparison.OrdinalIgnoreCase);
        }
    }

    [Fact]
    public async Task Report_Damaged_IsNotShown()
    {
        InMemoryBlobStore store = new();
        await TrainedModel.PublishAsync(store, await TrainedModel.MakeAsync(store));
        store.Tamper($"models/films/versions/{First}/report.html", Encoding.UTF8.GetBytes("<script>alert(1)</script>"));
        await using RunningApi api = await RunningApi.StartAsync(store);

        using HttpResponseMessage response = await api.Client.GetAsync(new Uri("/api/models/films/report", UriKind.Relative));

        await Refused.AssertAsync(response, 409, "R007", null);
    }

    static async Task<RunningApi> StartWithTwoAsync()
    {
        InMemoryBlobStore store = new();
        await TrainedModel.PublishAsync(store, await TrainedModel.MakeAsync(store));
        await TrainedModel.PublishAsync(store, await TrainedModel.MakeAsync(store, version: Second, seed: 2));
        return await RunningApi.StartAsync(store);
    }

    static async Task<JsonDocument> GetAsync(RunningApi api, string address) => JsonDocument.Parse(await api.Client.GetStringAsync(new Uri(address, UriKind.Relative)));

    static Task<HttpResponseMessage> PostAsync(RunningApi api, string action, string? body) =>
        api.Client.PostAsync(new Uri($"/api/models/films/{action}", UriKind.Relative), body is null ? null : RunningApi.JsonBody(body));

    static async Task<string> PredictedByAsync(RunningApi api)
    {
        using HttpResponseMessage response = await api.PredictAsync("{\"inputs\":[\"great\"]}");
        using JsonDocument answer = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        return answer.RootElement.GetProperty("version").GetString()!;
    }
}
