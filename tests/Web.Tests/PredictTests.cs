using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using CsCheck;
using Scion.Registry;
using Scion.Serving;
using Scion.Tests.Registry;
using Scion.Web;

namespace Scion.Tests;

public sealed class PredictTests
{
    const string First = "20260101-000000-00000001", Second = "20260102-000000-00000002";

    [Fact]
    public async Task Predict_SeveralTexts_AnswersAsTheStoredVersionScores()
    {
        await using RunningApi api = await RunningApi.StartWithFilmsAsync();
        string[] texts = ["a great and lovely film", "awful, dull plot", "", "zzz", "the film was \"warm\" 🎬 <b>"];

        using HttpResponseMessage response = await api.PredictAsync(JsonSerializer.Serialize(new { inputs = texts }));

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("application/json", response.Content.Headers.ContentType!.ToString());
        using JsonDocument answer = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        Assert.Equal("films", answer.RootElement.GetProperty("model").GetString());
        Assert.Equal(First, answer.RootElement.GetProperty("version").GetString());
        using ReviewPredictor offline = ReviewPredictor.Load(await api.Registry.ReadAsync("films", First, null, null, default));
        Assert.Equal(JsonSerializer.Serialize(offline.Predict(texts), ScionJson.Strict), answer.RootElement.GetProperty("predictions").GetRawText());
    }

    [Theory]
    [InlineData(3)]
    [InlineData(200)]
    public async Task Predict_Explained_AddsWhatEachWordDid(int count)
    {
        await using RunningApi api = await RunningApi.StartWithFilmsAsync();
        string[] texts = [.. Enumerable.Range(0, count).Select(i => TrainedModel.Review(new Random(i), i % 2 == 0))];

        using HttpResponseMessage response = await api.PredictAsync(JsonSerializer.Serialize(new { inputs = texts }), query: "?explain=true");

        using JsonDocument answer = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        using ReviewPredictor offline = ReviewPredictor.Load(await api.Registry.ReadAsync("films", First, null, null, default));
        Assert.Equal(JsonSerializer.Serialize(offline.Predict(texts, explain: true), ScionJson.Strict), answer.RootElement.GetProperty("predictions").GetRawText());
    }

    [Theory]
    [InlineData("", 400, "W010", "The body is not valid JSON: it is empty.")]
    [InlineData("{", 400, "W010", "The body is not valid JSON: it is wrong in line 1, byte 2.")]
    [InlineData("nonsense", 400, "W010", "The body is not valid JSON: it is wrong in line 1, byte 2.")]
    [InlineData("{\"inputs\":[\"a\"]} x", 400, "W010", "The body is not valid JSON: it is wrong in line 1, byte 18.")]
    [InlineData("{\"inputs\":[\"a\"]}{}", 400, "W010", "The body is not valid JSON: it is wrong in line 1, byte 17.")]
    [InlineData("{\"inputs\":[\"a\",]}", 400, "W010", "The body is not valid JSON: it is wrong in line 1, byte 16.")]
    [InlineData("{\"inputs\":[NaN]}", 400, "W010", "The body is not valid JSON: it is wrong in line 1, byte 12.")]
    [InlineData("{\"inputs\":[\"\\ud800\"]}", 400, "W010", "The body is not valid JSON: the string at byte 11 is not valid UTF-8, or escapes half a surrogate pair.")]
    [InlineData("{\"inputs\":[\"a\nb\"]}", 400, "W010", "The body is not valid JSON: it is wrong in line 1, byte 14.")]
    [InlineData("[]", 400, "W011", "The body is an array.")]
    [InlineData("null", 400, "W011", "The body is null.")]
    [InlineData("{}", 400, "W011", "The field 'inputs' is missing.")]
    [InlineData("{\"inputs\":[]}", 400, "W011", "'inputs' is empty.")]
    [InlineData("{\"inputs\":\"a\"}", 400, "W011", "'inputs' is a string.")]
    [InlineData("{\"inputs\":[\"a\",1e999]}", 400, "W011", "inputs[1] is a number.")]
    [InlineData("{\"inputs\":[null]}", 400, "W011", "inputs[0] is null.")]
    [InlineData("{\"inputs\":[{\"text\":\"a\"}]}", 400, "W011", "inputs[0] is an object.")]
    [InlineData("{\"inputs\":[\"a\"],\"inputs\":[\"b\"]}", 400, "W011", "The field 'inputs' stands twice.")]
    [InlineData("{\"input\":[\"a\"]}", 400, "W011", "The field 'input' is not known.")]
    [InlineData("{\"inputs\":[\"a\"],\"explain\":true}", 400, "W011", "The field 'explain' is not known.")]
    [InlineData("{\"Inputs\":[\"a\"]}", 400, "W011", "The field 'Inputs' is not known.")]
    [InlineData("{\"inputs\":[{\"image\":\"AAAA\"}]}", 415, "P002", "Model 'films' is of reviews; an image was sent.")]
    [InlineData("{\"inputs\":[{\"image\":\"http://169.254.169.254/latest\"}]}", 415, "P002", "Model 'films' is of reviews; an image was sent.")]
    public async Task Predict_WrongBody_IsRefusedWithWhereAndWhy(string body, int status, string code, string detail)
    {
        await using RunningApi api = await RunningApi.StartWithFilmsAsync();

        using HttpResponseMessage response = await api.PredictAsync(body);

        await Refused.AssertAsync(response, status, code, detail);
    }

    [Fact]
    public async Task Predict_ThousandsDeep_IsRefused()
    {
        await using RunningApi api = await RunningApi.StartWithFilmsAsync();

        foreach (string deep in new[] { new string('[', 10_000), $"{{\"inputs\":{new string('[', 10_000)}", string.Concat(Enumerable.Repeat("{\"inputs\":", 10_000)) })
        {
            using HttpResponseMessage response = await api.PredictAsync(deep);
            await Refused.AssertAsync(response, 400, "W011", null);
        }
    }

    [Fact]
    public async Task Predict_ByteOrderMark_IsPassedOver()
    {
        await using RunningApi api = await RunningApi.StartWithFilmsAsync();

        using HttpResponseMessage response = await api.PredictAsync("\uFEFF{\"inputs\":[\"great\"]}");

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Fact]
    public async Task Predict_InvalidUtf8_IsRefused()
    {
        await using RunningApi api = await RunningApi.StartWithFilmsAsync();
        using ByteArrayContent content = new([.. "{\"inputs\":[\"a"u8, 0xFF, .. "\"]}"u8]);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");

        using HttpResponseMessage response = await api.Client.PostAsync(new Uri("/api/models/films/predict", UriKind.Relative), content);

        await Refused.AssertAsync(response, 400, "W010", null);
    }

    [Theory]
    [InlineData("text/plain", 415, "W009")]
    [InlineData("application/json; charset=utf-16", 415, "W009")]
    [InlineData("application/x-www-form-urlencoded", 415, "W009")]
    [InlineData("image/jpeg", 415, "P002")]
    [InlineData("multipart/form-data; boundary=x", 415, "P002")]
    [InlineData("application/json; charset=\"UTF-8\"", 200, null)]
    [InlineData("Application/JSON", 200, null)]
    [InlineData(null, 415, "W009")]
    public async Task Predict_ContentType_MustBeJsonInUtf8(string? type, int status, string? code)
    {
        await using RunningApi api = await RunningApi.StartWithFilmsAsync();
        using ByteArrayContent content = new("{\"inputs\":[\"great\"]}"u8.ToArray());
        if (type is not null) content.Headers.TryAddWithoutValidation("Content-Type", type);

        using HttpResponseMessage response = await api.Client.PostAsync(new Uri("/api/models/films/predict", UriKind.Relative), content);

        if (code is null) Assert.Equal(status, (int)response.StatusCode);
        else await Refused.AssertAsync(response, status, code, null);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    [InlineData("identity, gzip")]
    public async Task Predict_CompressedBody_IsRefusedUnread(string encoding)
    {
        await using RunningApi api = await RunningApi.StartWithFilmsAsync();
        using StringContent content = RunningApi.JsonBody("{\"inputs\":[\"great\"]}");
        content.Headers.TryAddWithoutValidation("Content-Encoding", encoding);

        using HttpResponseMessage response = await api.Client.PostAsync(new Uri("/api/models/films/predict", UriKind.Relative), content);

        await Refused.AssertAsync(response, 415, "W009", $"The body is encoded as '{encoding}'.");
    }

    [Theory]
    [InlineData("?explain=yes", "W007")]
    [InlineData("?explain=true&explain=false", "W007")]
    [InlineData("?explian=true", "W007")]
    [InlineData("?code=0123456789abcdef0123456789abcdef", "W007")]
    public async Task Predict_UnknownQuery_IsRefused(string query, string code)
    {
        await using RunningApi api = await RunningApi.StartWithFilmsAsync();

        using HttpResponseMessage response = await api.PredictAsync("{\"inputs\":[\"great\"]}", query: query);

        await Refused.AssertAsync(response, 400, code, null);
    }

    [Fact]
    public async Task Predict_LimitsOfTheBody_AreExact()
    {
        await using RunningApi api = await RunningApi.StartWithFilmsAsync(new ScionApiOptions { Key = RunningApi.Key, MaxBody = 4096, MaxInputs = 3, MaxText = 1000 });
        string Sized(int bytes) => $"{{\"inputs\":[\"{new string('a', 900)}\"]}}".PadRight(bytes);

        foreach ((string body, int status, string? code) in new[]
        {
            (Sized(4096), 200, null), (Sized(4097), 413, "W008"), ("{\"inputs\":[\"a\",\"b\",\"c\"]}", 200, null), ("{\"inputs\":[\"a\",\"b\",\"c\",\"d\"]}", 413, "W012"),
            ($"{{\"inputs\":[\"{new string('a', 1000)}\"]}}", 200, null), ($"{{\"inputs\":[\"{new string('a', 1001)}\"]}}", 413, (string?)"W013"),
        })
        {
            using HttpResponseMessage response = await api.PredictAsync(body);
            if (code is null) Assert.Equal(status, (int)response.StatusCode);
            else await Refused.AssertAsync(response, status, code, null);
        }
    }

    [Fact]
    public async Task Predict_LargestBodyByDefault_IsAnswered()
    {
        await using RunningApi api = await RunningApi.StartWithFilmsAsync();
        string inputs = string.Join(',', Enumerable.Repeat($"\"{string.Concat(Enumerable.Repeat("great film ", 16_000))}\"", 5));

        using HttpResponseMessage response = await api.PredictAsync($"{{\"inputs\":[{inputs}]}}".PadRight(1 << 20));

        await Refused.AssertAsync(response, 413, "P001", "A text has 32000 known words; at most 20000 are scored.");
        using HttpResponseMessage whole = await api.PredictAsync("{\"inputs\":[\"great\"]}".PadRight(1 << 20));
        Assert.Equal(HttpStatusCode.OK, whole.StatusCode);
    }

    [Fact]
    public async Task Predict_ChunkedWithoutEnd_IsRefusedAtTheLimit()
    {
        await using RunningApi api = await RunningApi.StartWithFilmsAsync(new ScionApiOptions { Key = RunningApi.Key, MaxBody = 10_000 });
        using RawConnection raw = await RawConnection.OpenAsync(api.Address);
        await raw.SendAsync($"POST /api/models/films/predict HTTP/1.1\r\nHost: localhost\r\nx-functions-key: {RunningApi.Key}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n");

        for (int i = 0; i < 11; i++) await raw.SendAsync($"3e8\r\n{new string(' ', 1000)}\r\n");

        Assert.StartsWith("HTTP/1.1 413 ", await raw.ReadHeadAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Predict_DeclaredTooLong_IsRefusedBeforeTheBodyIsSent()
    {
        await using RunningApi api = await RunningApi.StartWithFilmsAsync();
        using RawConnection raw = await RawConnection.OpenAsync(api.Address);

        await raw.SendAsync($"POST /api/models/films/predict HTTP/1.1\r\nHost: localhost\r\nx-functions-key: {RunningApi.Key}\r\nContent-Type: application/json\r\nContent-Length: 1048577\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 413 ", await raw.ReadHeadAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Predict_BodyTricklesIn_IsDroppedWhileOthersAreAnswered()
    {
        await using RunningApi api = await RunningApi.StartWithFilmsAsync(kestrel: server =>
            server.Limits.MinRequestBodyDataRate = new(bytesPerSecond: 240, gracePeriod: TimeSpan.FromSeconds(1.5)));
        using RawConnection slow = await RawConnection.OpenAsync(api.Address);
        await slow.SendAsync($"POST /api/models/films/predict HTTP/1.1\r\nHost: localhost\r\nx-functions-key: {RunningApi.Key}\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{{");

        using HttpResponseMessage other = await api.PredictAsync("{\"inputs\":[\"great\"]}");
        string head = await slow.ReadHeadAsync();

        Assert.Equal(HttpStatusCode.OK, other.StatusCode);
        Assert.True(head.Length == 0 || head.StartsWith("HTTP/1.1 408 ", StringComparison.Ordinal), head);
    }

    [Fact]
    public async Task Predict_BodyCutOff_HarmsNobody()
    {
        await using RunningApi api = await RunningApi.StartWithFilmsAsync();
        for (int i = 0; i < 20; i++)
        {
            using RawConnection raw = await RawConnection.OpenAsync(api.Address);
            await raw.SendAsync($"POST /api/models/films/predict HTTP/1.1\r\nHost: localhost\r\nx-functions-key: {RunningApi.Key}\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{{\"inp");
        }

        using HttpResponseMessage other = await api.PredictAsync("{\"inputs\":[\"great\"]}");

        Assert.Equal(HttpStatusCode.OK, other.StatusCode);
        Assert.DoesNotContain(api.Log.Lines, line => line.StartsWith("Error", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("../films", 404, "W005")]
    [InlineData("%2e%2e", 404, "W005")]
    [InlineData("..%2f..%2fx", 400, "R001")]
    [InlineData("..%252f", 400, "R001")]
    [InlineData("a%5Cb", 400, "R001")]
    [InlineData("FILMS", 400, "R001")]
    [InlineData("x", 400, "R001")]
    [InlineData("nope", 404, "R002")]
    public async Task Predict_ModelNameOfAnyKind_IsRefusedAndReachesNoOtherBlob(string name, int status, string code)
    {
        InMemoryBlobStore blobs = new();
        await TrainedModel.PublishAsync(blobs, await TrainedModel.MakeAsync(blobs));
        GatedBlobStore store = new(blobs);
        await using RunningApi api = await RunningApi.StartAsync(store);
        using RawConnection raw = await RawConnection.OpenAsync(api.Address);

        await raw.SendAsync($"POST /api/models/{name}/predict HTTP/1.1\r\nHost: localhost\r\nx-functions-key: {RunningApi.Key}\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n{{\"inputs\":[\"a\"]}}");
        string head = await raw.ReadHeadAsync();

        Assert.StartsWith($"HTTP/1.1 {status} ", head, StringComparison.Ordinal);
        Assert.Contains($"\"code\":\"{code}\"", await raw.ReadBodyAsync(head), StringComparison.Ordinal);
        Assert.All(store.Asked, asked => Assert.Equal("find models/nope/latest.json", asked));
    }

    [Fact]
    public async Task Predict_NameOfTenThousandCharacters_IsRefused()
    {
        await using RunningApi api = await RunningApi.StartWithFilmsAsync();

        using HttpResponseMessage response = await api.PredictAsync("{\"inputs\":[\"a\"]}", model: new string('a', 5000));

        await Refused.AssertAsync(response, 400, "R001", null);
    }

    [Fact]
    public async Task Predict_StoredVersionDamaged_IsTheServersFault()
    {
        InMemoryBlobStore store = new();
        await TrainedModel.PublishAsync(store, await TrainedModel.MakeAsync(store));
        store.Tamper($"models/films/versions/{First}/head.onnx", [1, 2, 3]);
        await using RunningApi api = await RunningApi.StartAsync(store);

        using HttpResponseMessage response = await api.PredictAsync("{\"inputs\":[\"a\"]}");

        await Refused.AssertAsync(response, 503, "R007", null);
    }

    [Fact]
    public async Task Predict_StorageSilent_AsksToRepeat()
    {
        GatedBlobStore store = new(new InMemoryBlobStore()) { Silent = true };
        await using RunningApi api = await RunningApi.StartAsync(store);

        using HttpResponseMessage response = await api.PredictAsync("{\"inputs\":[\"a\"]}");

        await Refused.AssertAsync(response, 503, "X000", "Storage is silent. Repeat the call.");
        Assert.Equal("1", response.Headers.GetValues("Retry-After").Single());
    }

    [Fact]
    public async Task Predict_TooManyWaitForAColdModel_OthersAreTurnedAwayAndAllRecover()
    {
        InMemoryBlobStore blobs = new();
        await TrainedModel.PublishAsync(blobs, await TrainedModel.MakeAsync(blobs));
        TaskCompletionSource gate = new();
        GatedBlobStore store = new(blobs) { Gate = gate.Task };
        await using RunningApi api = await RunningApi.StartAsync(store, new ScionApiOptions { Key = RunningApi.Key, MaxConcurrentPredictions = 4 });

        Task<HttpResponseMessage>[] all = [.. Enumerable.Range(0, 12).Select(_ => api.PredictAsync("{\"inputs\":[\"great\"]}"))];
        while (all.Count(request => request.IsCompleted) < 8) await Task.WhenAny(all.Where(request => !request.IsCompleted));
        gate.SetResult();
        HttpResponseMessage[] answers = await Task.WhenAll(all);

        Assert.Equal(4, answers.Count(answer => answer.StatusCode == HttpStatusCode.OK));
        HttpResponseMessage[] away = [.. answers.Where(answer => answer.StatusCode != HttpStatusCode.OK)];
        foreach (HttpResponseMessage answer in away)
        {
            await Refused.AssertAsync(answer, 503, "W014", "4 predictions are under way already.");
            Assert.Equal("1", answer.Headers.GetValues("Retry-After").Single());
        }
        using HttpResponseMessage after = await api.PredictAsync("{\"inputs\":[\"great\"]}");
        Assert.Equal(HttpStatusCode.OK, after.StatusCode);
        foreach (HttpResponseMessage answer in answers) answer.Dispose();
    }

    [Fact]
    public async Task Predict_CallerGoesWhileTheModelLoads_LeavesNoTrace()
    {
        InMemoryBlobStore blobs = new();
        await TrainedModel.PublishAsync(blobs, await TrainedModel.MakeAsync(blobs));
        TaskCompletionSource gate = new();
        GatedBlobStore store = new(blobs) { Gate = gate.Task };
        await using RunningApi api = await RunningApi.StartAsync(store, new ScionApiOptions { Key = RunningApi.Key, MaxConcurrentPredictions = 1 });
        using CancellationTokenSource goes = new(200);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => api.Client.PostAsync(new Uri("/api/models/films/predict", UriKind.Relative), RunningApi.JsonBody("{\"inputs\":[\"great\"]}"), goes.Token));
        gate.SetResult();

        HttpStatusCode status;
        int tries = 0;
        do
        {
            using HttpResponseMessage next = await api.PredictAsync("{\"inputs\":[\"great\"]}");
            status = next.StatusCode;
        }
        while (status == HttpStatusCode.ServiceUnavailable && ++tries < 200);
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.DoesNotContain(api.Log.Lines, line => line.StartsWith("Error", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Predict_WhileVersionsArePromotedRolledBackAndDamaged_NeverFailsAndNamesWhatItUsed()
    {
        InMemoryBlobStore store = new();
        await TrainedModel.PublishAsync(store, await TrainedModel.MakeAsync(store));
        await TrainedModel.PublishAsync(store, await TrainedModel.MakeAsync(store, version: Second, seed: 2));
        PredictorCacheOptions often = new() { PollInterval = TimeSpan.FromMilliseconds(20) };
        await using RunningApi api = await RunningApi.StartAsync(store, new ScionApiOptions { Key = RunningApi.Key, Models = often });
        string[] texts = ["a great and lovely film", "awful, dull plot", "the quite warm scene"];
        Dictionary<string, string> expected = [];
        foreach (string version in new[] { First, Second })
        {
            using ReviewPredictor offline = ReviewPredictor.Load(await api.Registry.ReadAsync("films", version, null, null, default));
            expected[version] = JsonSerializer.Serialize(offline.Predict(texts), ScionJson.Strict);
        }
        string body = JsonSerializer.Serialize(new { inputs = texts });
        ConcurrentDictionary<string, int> seen = new();
        using CancellationTokenSource end = new(TimeSpan.FromSeconds(3));

        Task[] clients = [.. Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            while (!end.IsCancellationRequested)
            {
                using HttpResponseMessage response = await api.PredictAsync(body);
                string text = await response.Content.ReadAsStringAsync();
                Assert.True(response.IsSuccessStatusCode, text);
                using JsonDocument answer = JsonDocument.Parse(text);
                string version = answer.RootElement.GetProperty("version").GetString()!;
                Assert.Equal(expected[version], answer.RootElement.GetProperty("predictions").GetRawText());
                seen.AddOrUpdate(version, 1, (_, n) => n + 1);
            }
        }))];
        int moves = 0;
        while (!end.IsCancellationRequested)
        {
            using HttpResponseMessage moved = await api.Client.PostAsync(new Uri($"/api/models/films/{(moves % 2 == 0 ? "rollback" : "promote")}", UriKind.Relative),
                RunningApi.JsonBody(moves % 2 == 0 ? "{}" : $"{{\"version\":\"{Second}\"}}"));
            Assert.True(moved.IsSuccessStatusCode, await moved.Content.ReadAsStringAsync());
            moves++;
            if (moves % 5 == 0)
            {
                byte[] good = store.Content.Single(blob => blob.Path == "models/films/latest.json").Bytes;
                store.Tamper("models/films/latest.json", "{\"half\":"u8.ToArray());
                await api.Cache.RefreshAsync("films", default);
                store.Tamper("models/films/latest.json", good);
            }
        }
        await Task.WhenAll(clients);

        Assert.True(moves > 10, moves.ToString(CultureInfo.InvariantCulture));
        Assert.Equal([First, Second], seen.Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Predict_AnyText_IsNeverInTheLog()
    {
        await using RunningApi api = await RunningApi.StartWithFilmsAsync();
        const string secret = "zebrafish";

        foreach (string body in new[] { $"{{\"inputs\":[\"{secret}\"]}}", $"{{\"inputs\":[\"{secret}\"", $"{{\"{secret}\":1}}", $"{{\"inputs\":[\"{secret}\\ud800\"]}}" })
        {
            using HttpResponseMessage response = await api.PredictAsync(body);
        }

        Assert.NotEmpty(api.Log.Lines);
        Assert.DoesNotContain(api.Log.Lines, line => line.Contains(secret, StringComparison.Ordinal) || line.Contains(RunningApi.Key, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Predict_RandomBytes_AnswersOrRefusesWithACode()
    {
        await using RunningApi api = await RunningApi.StartWithFilmsAsync();
        Gen<byte[]> mutated = from seed in Gen.Int[0, 3].Select(i => new[] { "{\"inputs\":[\"a great film\",\"b\\u00e9\"]}", "{\"inputs\":[{\"image\":\"x\"}]}", "{\"inputs\":[\"\\ud83d\\ude00\"]}", "" }[i])
                              from at in Gen.Int[0, 40].Array[0, 4]
                              from with in Gen.Byte.Array[4]
                              from tail in Gen.Byte.Array[0, 20]
                              select (byte[])[.. Mutated(Encoding.UTF8.GetBytes(seed), at, with), .. tail.Length > 10 ? tail : []];

        await mutated.SampleAsync(async bytes =>
        {
            using ByteArrayContent content = new(bytes);
            content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
            using HttpResponseMessage response = await api.Client.PostAsync(new Uri("/api/models/films/predict", UriKind.Relative), content);
            if (response.IsSuccessStatusCode) return true;
            string text = await response.Content.ReadAsStringAsync();
            using JsonDocument problem = JsonDocument.Parse(text);
            return (int)response.StatusCode is >= 400 and < 500 && response.Content.Headers.ContentType!.MediaType == "application/problem+json"
                && problem.RootElement.GetProperty("code").GetString()!.Length == 4 && !text.Contains("   at ", StringComparison.Ordinal);
        }, iter: 3000, threads: 2);
        Assert.DoesNotContain(api.Log.Lines, line => line.StartsWith("Error", StringComparison.Ordinal));
    }

    static byte[] Mutated(byte[] bytes, int[] at, byte[] with)
    {
        for (int i = 0; i < at.Length; i++)
            if (bytes.Length > 0) bytes[at[i] % bytes.Length] = with[i];
        return bytes;
    }
}

/// <summary>What every refusal looks like.</summary>
static class Refused
{
    public static async Task AssertAsync(HttpResponseMessage response, int status, string code, string? detail)
    {
        string text = await response.Content.ReadAsStringAsync();
        Assert.True(status == (int)response.StatusCode, $"{(int)response.StatusCode} instead of {status}: {text}");
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.ToString());
        using JsonDocument problem = JsonDocument.Parse(text);
        Assert.Equal(code, problem.RootElement.GetProperty("code").GetString());
        Assert.Equal($"urn:scion:{code}", problem.RootElement.GetProperty("type").GetString());
        Assert.Equal(status, problem.RootElement.GetProperty("status").GetInt32());
        Assert.NotEmpty(problem.RootElement.GetProperty("title").GetString()!);
        Assert.NotEmpty(problem.RootElement.GetProperty("remedy").GetString()!);
        if (detail is not null) Assert.Equal(detail, problem.RootElement.GetProperty("detail").GetString());
        Assert.DoesNotContain("   at ", text, StringComparison.Ordinal);
    }
}

/// <summary>Bytes on a socket, for what an HTTP client would not send.</summary>
sealed class RawConnection(Socket socket) : IDisposable
{
    byte[] rest = [];

    public static async Task<RawConnection> OpenAsync(Uri address)
    {
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, address.Port);
        return new RawConnection(socket);
    }

    public async Task SendAsync(string text)
    {
        try
        {
            await socket.SendAsync(Encoding.Latin1.GetBytes(text));
        }
        catch (SocketException)
        {
            // The server has answered and closed already.
        }
    }

    /// <summary>Status line and headers; empty when the server closed without a word.</summary>
    public async Task<string> ReadHeadAsync()
    {
        List<byte> head = [];
        byte[] part = new byte[4096];
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(20));
        while (true)
        {
            int read;
            try
            {
                read = await socket.ReceiveAsync(part, limit.Token);
            }
            catch (SocketException)
            {
                read = 0;
            }
            if (read == 0) return Encoding.Latin1.GetString([.. head]);
            head.AddRange(part.AsSpan(0, read));
            string text = Encoding.Latin1.GetString([.. head]);
            int end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
            if (end < 0) continue;
            rest = [.. head.Skip(end + 4)];
            return text[..end];
        }
    }

    public async Task<string> ReadBodyAsync(string head)
    {
        int length = int.Parse(head.Split("Content-Length: ")[1].Split('\r')[0], CultureInfo.InvariantCulture);
        List<byte> body = [.. rest];
        byte[] part = new byte[4096];
        while (body.Count < length)
        {
            int read = await socket.ReceiveAsync(part);
            if (read == 0) break;
            body.AddRange(part.AsSpan(0, read));
        }
        return Encoding.UTF8.GetString([.. body]);
    }

    public void Dispose() => socket.Dispose();
}
