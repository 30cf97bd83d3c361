using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using Scion.Datasets;
using Scion.Faults;
using Scion.Pipelines;
using Scion.Storage;
using Scion.Tests.Registry;
using Scion.Web;

namespace Scion.Tests;

public sealed class DatasetAndRunTests
{
    [Theory]
    [InlineData("a.csv", "films/a.csv")]
    [InlineData("dataset.json", "films/dataset.json")]
    [InlineData("positive/one.txt", "films/positive/one.txt")]
    [InlineData("caf%C3%A9%20100%25.csv", "films/café 100%.csv")]
    [InlineData("a.jsonl.gz", "films/a.jsonl.gz")]
    public async Task Put_NewThenAgain_CreatesThenReplaces(string address, string name)
    {
        InMemoryBlobStore store = new();
        await using RunningApi api = await RunningApi.StartAsync(store);

        using HttpResponseMessage created = await PutAsync(api, address, "text,label\na,b\n"), replaced = await PutAsync(api, address, "other");

        Assert.Equal(HttpStatusCode.Created, created.StatusCode);
        Assert.Equal(HttpStatusCode.OK, replaced.StatusCode);
        Assert.Equal($"{{\"container\":\"reviews\",\"name\":\"{name}\",\"length\":5}}", await replaced.Content.ReadAsStringAsync());
        (string path, byte[] bytes) = Assert.Single(store.Content);
        Assert.Equal(($"reviews/{name}", "other"), (path, Encoding.UTF8.GetString(bytes)));
    }

    [Theory]
    [InlineData("a.exe", 422, "W016")]
    [InlineData("a", 422, "W016")]
    [InlineData("..%2f..%2fother%2fa.csv", 422, "W016")]
    [InlineData("%252e%252e%252fa.csv", 422, "W016")]
    [InlineData("a%5C..%5Cb.csv", 400, "S001")]
    [InlineData("a%0Ab.csv", 400, "S001")]
    [InlineData("a%E2%80%AEvsc.csv", 400, "S001")]
    [InlineData("a./b.csv", 400, "S001")]
    public async Task Put_UnsafeName_IsRefusedAndNothingIsStored(string address, int status, string code)
    {
        InMemoryBlobStore store = new();
        await using RunningApi api = await RunningApi.StartAsync(store);
        using RawConnection raw = await RawConnection.OpenAsync(api.Address);

        await raw.SendAsync($"PUT /api/datasets/reviews/films/files/{address} HTTP/1.1\r\nHost: localhost\r\nx-functions-key: {RunningApi.Key}\r\nContent-Length: 1\r\n\r\na");
        string head = await raw.ReadHeadAsync();

        Assert.StartsWith($"HTTP/1.1 {status} ", head, StringComparison.Ordinal);
        Assert.Contains($"\"code\":\"{code}\"", await raw.ReadBodyAsync(head), StringComparison.Ordinal);
        Assert.Empty(store.Content);
    }

    [Fact]
    public async Task Put_DotSegments_LeaveTheAddressAndStoreNothing()
    {
        InMemoryBlobStore store = new();
        await using RunningApi api = await RunningApi.StartAsync(store);
        using RawConnection raw = await RawConnection.OpenAsync(api.Address);

        await raw.SendAsync($"PUT /api/datasets/reviews/films/files/../../../../models/films/latest.csv HTTP/1.1\r\nHost: localhost\r\nx-functions-key: {RunningApi.Key}\r\nContent-Length: 1\r\n\r\na");

        Assert.StartsWith("HTTP/1.1 404 ", await raw.ReadHeadAsync(), StringComparison.Ordinal);
        Assert.Empty(store.Content);
    }

    [Fact]
    public async Task Put_TooLarge_IsRefusedDeclaredOrNotAndNothingIsStored()
    {
        InMemoryBlobStore store = new();
        await using RunningApi api = await RunningApi.StartAsync(store, new ScionApiOptions { Key = RunningApi.Key, MaxUpload = 100_000 });
        using HttpResponseMessage fits = await PutAsync(api, "fits.csv", new string('a', 100_000));

        using HttpResponseMessage declared = await PutAsync(api, "large.csv", new string('a', 100_001));
        using RawConnection raw = await RawConnection.OpenAsync(api.Address);
        await raw.SendAsync($"PUT /api/datasets/reviews/films/files/large.csv HTTP/1.1\r\nHost: localhost\r\nx-functions-key: {RunningApi.Key}\r\nTransfer-Encoding: chunked\r\n\r\n");
        for (int i = 0; i < 101; i++) await raw.SendAsync($"3e8\r\n{new string('a', 1000)}\r\n");

        Assert.Equal(HttpStatusCode.Created, fits.StatusCode);
        await Refused.AssertAsync(declared, 413, "W008", "The file is larger than 100,000 bytes.");
        Assert.StartsWith("HTTP/1.1 413 ", await raw.ReadHeadAsync(), StringComparison.Ordinal);
        Assert.Single(store.Content);
    }

    [Fact]
    public async Task Put_CutOff_StoresNothingAndLeavesNothingBehind()
    {
        string folder = Directory.CreateTempSubdirectory("scion-web-").FullName;
        InMemoryBlobStore store = new();
        await using (RunningApi api = await RunningApi.StartAsync(store, new ScionApiOptions { Key = RunningApi.Key, UploadFolder = folder }))
        {
            using (RawConnection raw = await RawConnection.OpenAsync(api.Address))
                await raw.SendAsync($"PUT /api/datasets/reviews/films/files/a.csv HTTP/1.1\r\nHost: localhost\r\nx-functions-key: {RunningApi.Key}\r\nContent-Length: 100000\r\n\r\n{new string('a', 50_000)}");
            using HttpResponseMessage other = await PutAsync(api, "b.csv", "b");
            Assert.Equal(HttpStatusCode.Created, other.StatusCode);
        }

        Assert.Equal("reviews/films/b.csv", Assert.Single(store.Content).Path);
        Assert.Empty(Directory.GetFiles(folder));
        Directory.Delete(folder);
    }

    [Fact]
    public async Task Put_NoPlaceForTheUpload_IsToldApartFromADefect()
    {
        await using RunningApi api = await RunningApi.StartAsync(new InMemoryBlobStore(), new ScionApiOptions { Key = RunningApi.Key, UploadFolder = "/nowhere/at/all" });

        using HttpResponseMessage response = await PutAsync(api, "a.csv", "a");

        await Refused.AssertAsync(response, 507, "W020", null);
    }

    [Fact]
    public async Task Put_StorageSilent_AsksToRepeat()
    {
        await using RunningApi api = await RunningApi.StartAsync(new GatedBlobStore(new InMemoryBlobStore()) { Silent = true });

        using HttpResponseMessage response = await PutAsync(api, "a.csv", "a");

        await Refused.AssertAsync(response, 503, "X000", null);
    }

    [Fact]
    public async Task Put_ManyWritersOfOneName_EndsWithOneOfTheirFilesWhole()
    {
        InMemoryBlobStore store = new();
        await using RunningApi api = await RunningApi.StartAsync(store, new ScionApiOptions { Key = RunningApi.Key, MaxConcurrentUploads = 100 });

        HttpResponseMessage[] answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => PutAsync(api, "a.csv", new string((char)('a' + i), 5000))));

        Assert.All(answers, answer => Assert.True(answer.IsSuccessStatusCode));
        Assert.Single(answers, answer => answer.StatusCode == HttpStatusCode.Created);
        Assert.Single(store.Content.Single().Bytes.Distinct());
        foreach (HttpResponseMessage answer in answers) answer.Dispose();
    }

    [Theory]
    [InlineData("PUT", "/api/datasets/videos/films/files/a.csv", 404, "W017")]
    [InlineData("POST", "/api/datasets/videos/films/train", 404, "W017")]
    [InlineData("PUT", "/api/datasets/reviews/F/files/a.csv", 400, "R001")]
    [InlineData("POST", "/api/datasets/reviews/F/train", 400, "R001")]
    [InlineData("POST", "/api/datasets/reviews/films/train?set=1", 400, "W007")]
    [InlineData("GET", "/api/runs/none", 404, "L101")]
    [InlineData("GET", "/api/datasets/videos/films", 404, "W017")]
    [InlineData("GET", "/api/datasets/reviews/F", 400, "R001")]
    [InlineData("GET", "/api/datasets/reviews/films", 404, "W022")]
    [InlineData("GET", "/api/datasets?kind=reviews", 400, "W007")]
    [InlineData("GET", "/api/runs/films-0123456789abcdef/rejects.csv", 404, "L101")]
    [InlineData("DELETE", "/api/runs/films-0123456789abcdef", 404, "L101")]
    [InlineData("POST", "/api/runs/films-0123456789abcdef/suspend", 404, "L101")]
    [InlineData("POST", "/api/runs/films-0123456789abcdef/resume", 404, "L101")]
    [InlineData("POST", "/api/runs/films-0123456789abcdef/suspend?now=1", 400, "W007")]
    [InlineData("GET", "/api/runs/..%2f..%2fx", 404, "L101")]
    [InlineData("GET", "/api/runs?model=..", 400, "R001")]
    [InlineData("GET", "/api/runs?modle=films", 400, "W007")]
    public async Task Request_WrongNames_AreRefused(string method, string address, int status, string code)
    {
        await using RunningApi api = await RunningApi.StartAsync(new InMemoryBlobStore());
        using HttpRequestMessage request = new(new HttpMethod(method), new Uri(address, UriKind.Relative));

        using HttpResponseMessage response = await api.Client.SendAsync(request);

        await Refused.AssertAsync(response, status, code, null);
    }

    [Fact]
    public async Task Train_Started_IsAcceptedAndItsRunCanBeFollowedAndCancelled()
    {
        await using RunningApi api = await RunningApi.StartAsync(new InMemoryBlobStore());

        using HttpResponseMessage accepted = await TrainAsync(api);

        Assert.Equal(HttpStatusCode.Accepted, accepted.StatusCode);
        Uri run = accepted.Headers.Location!;
        using JsonDocument status = JsonDocument.Parse(await api.Client.GetStringAsync(run));
        Assert.Equal("queued", status.RootElement.GetProperty("state").GetString());
        using JsonDocument ofModel = JsonDocument.Parse(await api.Client.GetStringAsync(new Uri("/api/runs?model=films", UriKind.Relative)));
        using JsonDocument ofOther = JsonDocument.Parse(await api.Client.GetStringAsync(new Uri("/api/runs?model=other", UriKind.Relative)));
        Assert.Equal(1, ofModel.RootElement.GetProperty("runs").GetArrayLength());
        Assert.Equal(0, ofOther.RootElement.GetProperty("runs").GetArrayLength());
        using HttpResponseMessage cancelled = await api.Client.DeleteAsync(run);
        using JsonDocument after = JsonDocument.Parse(await cancelled.Content.ReadAsStringAsync());
        Assert.Equal("cancelled", after.RootElement.GetProperty("state").GetString());
        using HttpResponseMessage again = await TrainAsync(api);
        Assert.Equal(HttpStatusCode.OK, again.StatusCode);
    }

    [Fact]
    public async Task Train_NothingToTrainOn_IsRefusedWithTheHostsReason()
    {
        await using RunningApi api = await RunningApi.StartAsync(new InMemoryBlobStore());
        api.Training.Fault = new InputRejectedException("D099", "There are no files.", "Upload one.");

        using HttpResponseMessage response = await TrainAsync(api);

        await Refused.AssertAsync(response, 422, "D099", "There are no files.");
    }

    [Fact]
    public async Task Train_WithABody_IsRefusedRatherThanIgnored()
    {
        await using RunningApi api = await RunningApi.StartAsync(new InMemoryBlobStore());

        using HttpResponseMessage response = await api.Client.PostAsync(new Uri("/api/datasets/reviews/films/train", UriKind.Relative), RunningApi.JsonBody("{\"seed\":2}"));

        await Refused.AssertAsync(response, 400, "W011", "The request has a body; training takes none.");
    }

    [Fact]
    public async Task Run_SuspendedResumedAndCancelled_SaysSoEachTime()
    {
        await using RunningApi api = await RunningApi.StartAsync(new InMemoryBlobStore());
        using HttpResponseMessage accepted = await TrainAsync(api);
        async Task<string?> StateAsync(HttpMethod method, string below)
        {
            using HttpRequestMessage request = new(method, new Uri($"{accepted.Headers.Location}{below}", UriKind.Relative));
            using HttpResponseMessage answer = await api.Client.SendAsync(request);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            return JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement.GetProperty("state").GetString();
        }

        Assert.Equal("suspended", await StateAsync(HttpMethod.Post, "/suspend"));
        Assert.Equal("suspended", await StateAsync(HttpMethod.Get, ""));
        Assert.Equal("queued", await StateAsync(HttpMethod.Post, "/resume"));
        Assert.Equal("suspended", await StateAsync(HttpMethod.Post, "/suspend"));
        Assert.Equal("cancelled", await StateAsync(HttpMethod.Delete, ""));
        Assert.Equal("cancelled", await StateAsync(HttpMethod.Post, "/resume"));
    }

    [Fact]
    public async Task Dataset_RefusedThenChanged_TellsWhyAndThatItIsNotTakenInYet()
    {
        InMemoryBlobStore store = new();
        await using RunningApi api = await RunningApi.StartAsync(store);
        using HttpResponseMessage put = await PutAsync(api, "a.csv", "12345");
        using JsonDocument dropped = JsonDocument.Parse(await api.Client.GetStringAsync(new Uri("/api/datasets/reviews/films", UriKind.Relative)));
        DroppedFolder folder = await DroppedFolder.FindAsync(store, DataKind.Reviews, "films", default);
        ArrivalLedger arrivals = new(store, StoppedClock.Instance);
        await arrivals.PutAsync(new ArrivalRecord
        {
            Kind = "reviews", Model = "films", Print = folder.Print, CodeVersion = TrainingRequest.CodeVersion, Files = 1, Newest = folder.Newest, Outcome = ArrivalOutcome.Refused,
            Refusal = new ArrivalRefusal("D501", "Fact.", "Remedy."), Warnings = ["D504: A warning."], At = DateTimeOffset.UnixEpoch,
        }, default);
        await arrivals.PutStraysAsync("images", ["D502: A stray."], default);

        string taken = await api.Client.GetStringAsync(new Uri("/api/datasets/reviews/films", UriKind.Relative));
        string all = await api.Client.GetStringAsync(new Uri("/api/datasets", UriKind.Relative));
        using HttpResponseMessage more = await PutAsync(api, "b.csv", "1");
        using JsonDocument changed = JsonDocument.Parse(await api.Client.GetStringAsync(new Uri("/api/datasets/reviews/films", UriKind.Relative)));

        const string Arrival = "{\"outcome\":\"refused\",\"refusal\":{\"code\":\"D501\",\"fact\":\"Fact.\",\"remedy\":\"Remedy.\"},\"files\":1,\"pinned\":0,\"warnings\":[\"D504: A warning.\"],\"at\":\"1970-01-01T00:00:00+00:00\"}";
        Assert.Equal((1, 5, false, false), (dropped.RootElement.GetProperty("files").GetInt32(), dropped.RootElement.GetProperty("bytes").GetInt32(),
            dropped.RootElement.GetProperty("takenIn").GetBoolean(), dropped.RootElement.TryGetProperty("lastArrival", out _)));
        Assert.Contains($"\"takenIn\":true,\"lastArrival\":{Arrival}", taken, StringComparison.Ordinal);
        Assert.Contains($"{{\"datasets\":[{{\"kind\":\"reviews\",\"model\":\"films\",\"lastArrival\":{Arrival}}}],\"strays\":[{{\"container\":\"images\",\"uploads\":[\"D502: A stray.\"],\"total\":1,", all, StringComparison.Ordinal);
        Assert.Equal((2, false), (changed.RootElement.GetProperty("files").GetInt32(), changed.RootElement.GetProperty("takenIn").GetBoolean()));
    }

    [Fact]
    public async Task Datasets_ADamagedRecord_HidesNoOther()
    {
        InMemoryBlobStore store = new();
        await using RunningApi api = await RunningApi.StartAsync(store);
        store.Tamper("runs/arrivals/reviews/films.json", "{"u8.ToArray());
        store.Tamper("runs/arrivals/reviews.json", "{"u8.ToArray());
        await new ArrivalLedger(store, StoppedClock.Instance).PutAsync(new ArrivalRecord
        {
            Kind = "reviews", Model = "other", Print = "", CodeVersion = 1, Files = 1, Newest = DateTimeOffset.UnixEpoch, Outcome = ArrivalOutcome.Recorded, Run = "other-0123456789abcdef", At = DateTimeOffset.UnixEpoch,
        }, default);

        using JsonDocument all = JsonDocument.Parse(await api.Client.GetStringAsync(new Uri("/api/datasets", UriKind.Relative)));

        Assert.Equal("other", Assert.Single(all.RootElement.GetProperty("datasets").EnumerateArray()).GetProperty("model").GetString());
        Assert.Equal(0, all.RootElement.GetProperty("strays").GetArrayLength());
    }

    [Fact]
    public async Task Rejects_NoneYetAndSome_AreCsv()
    {
        InMemoryBlobStore store = new();
        await using RunningApi api = await RunningApi.StartAsync(store);
        using HttpResponseMessage accepted = await TrainAsync(api);
        Uri rejects = new($"{accepted.Headers.Location}/rejects.csv", UriKind.Relative);

        string none = await api.Client.GetStringAsync(rejects);
        store.Tamper($"{rejects.ToString()["/api/".Length..]}", Encoding.UTF8.GetBytes("file,line,code,reason\na.csv,3,D001,\"no, text\"\n"));
        using HttpResponseMessage some = await api.Client.GetAsync(rejects);

        Assert.Equal("file,line,code,reason\n", none);
        Assert.Equal("file,line,code,reason\na.csv,3,D001,\"no, text\"\n", await some.Content.ReadAsStringAsync());
        Assert.Equal("text/csv; charset=utf-8", some.Content.Headers.ContentType!.ToString());
        Assert.Equal("attachment", some.Content.Headers.ContentDisposition!.DispositionType);
    }

    [Fact]
    public async Task Health_DamagedPointerAndSilentStore_IsDegradedNotDead()
    {
        InMemoryBlobStore blobs = new();
        await TrainedModel.PublishAsync(blobs, await TrainedModel.MakeAsync(blobs));
        GatedBlobStore store = new(blobs);
        StoppedClock clock = new();
        await using RunningApi api = await RunningApi.StartAsync(store, time: clock);
        async Task<string> HealthAsync() => await api.Anonymous.GetStringAsync(new Uri("/healthz", UriKind.Relative));
        Assert.Equal("{\"status\":\"ok\",\"models\":0,\"faults\":[]}", await HealthAsync());
        using (HttpResponseMessage predicted = await api.PredictAsync("{\"inputs\":[\"great\"]}")) Assert.Equal(HttpStatusCode.OK, predicted.StatusCode);
        using (HttpResponseMessage unknown = await api.PredictAsync("{\"inputs\":[\"great\"]}", model: "none")) Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
        Assert.Equal("{\"status\":\"ok\",\"models\":1,\"faults\":[]}", await HealthAsync());

        blobs.Tamper("models/films/latest.json", "{}"u8.ToArray());
        await api.Cache.RefreshAsync("films", default);
        Assert.Equal("{\"status\":\"degraded\",\"models\":1,\"faults\":[\"R009\"]}", await HealthAsync());
        store.Silent = true;
        clock.Advance(TimeSpan.FromSeconds(3));
        Assert.Equal("{\"status\":\"degraded\",\"models\":1,\"faults\":[\"R009\",\"X000\"]}", await HealthAsync());
        int asked = store.Asked.Count;
        for (int i = 0; i < 50; i++) await HealthAsync();
        Assert.Equal(asked, store.Asked.Count);
        using HttpResponseMessage still = await api.PredictAsync("{\"inputs\":[\"great\"]}");
        Assert.Equal(HttpStatusCode.OK, still.StatusCode);
    }

    static Task<HttpResponseMessage> PutAsync(RunningApi api, string name, string text) =>
        api.Client.PutAsync(new Uri($"/api/datasets/reviews/films/files/{name}", UriKind.Relative), new ByteArrayContent(Encoding.UTF8.GetBytes(text)));

    static Task<HttpResponseMessage> TrainAsync(RunningApi api) => api.Client.PostAsync(new Uri("/api/datasets/reviews/films/train", UriKind.Relative), null);
}
