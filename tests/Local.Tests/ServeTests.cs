using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace Scion.Tests;

/// <summary>The one-process server as people run it: files dropped into a folder, kills, restarts.</summary>
public sealed class ServeTests : IDisposable
{
    readonly TestFolder folder = new();
    readonly HttpClient http = new();

    public void Dispose()
    {
        http.Dispose();
        folder.Dispose();
    }

    string Drop => Path.Combine(folder.Data, "reviews", "films");

    async Task<ScionProcess> ServeAsync()
    {
        ScionProcess server = ScionProcess.Start(folder.Path, "serve", "--urls", "http://127.0.0.1:0", "--json");
        string text = await server.UntilAsync(() => Task.FromResult(server.Output.Contains('}', StringComparison.Ordinal) ? server.Output : null), "the server's address");
        http.DefaultRequestHeaders.Clear();
        http.DefaultRequestHeaders.Add("x-functions-key", File.ReadAllText(Path.Combine(folder.Data, ".scion", "key")).Trim());
        address = JsonDocument.Parse(text).RootElement.GetProperty("urls")[0].GetString()!;
        return server;
    }

    string address = "";

    async Task<JsonElement[]> RunsAsync() => [.. (await http.GetFromJsonAsync<JsonElement>($"{address}/api/runs")).GetProperty("runs").EnumerateArray()];

    Task<JsonElement[]> EndedAsync(ScionProcess server, int runs) => server.UntilAsync(async () =>
        await RunsAsync() is { } all && all.Length >= runs && all.All(run => run.GetProperty("state").GetString() is "succeeded" or "failed" or "cancelled") ? all : null, $"{runs} ended runs");

    void Write(string name, string content)
    {
        Directory.CreateDirectory(Drop);
        File.WriteAllText(Path.Combine(Drop, name), content);
    }

    [Fact]
    public async Task Serve_Starts_PrintsThePageWithItsKeyInTheFragmentAndLogsNoKey()
    {
        await using ScionProcess server = await ServeAsync();
        string key = File.ReadAllText(Path.Combine(folder.Data, ".scion", "key")).Trim();

        await http.GetAsync(new Uri($"{address}/"));
        await RunsAsync();

        Assert.Equal($"{address}/#key={key}", JsonDocument.Parse(server.Output).RootElement.GetProperty("page").GetString());
        Assert.DoesNotContain(key, server.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Drop_OfAFile_TrainsAModelThatAnswersAndTheSameDropAgainIsTheSameRun()
    {
        await using ScionProcess server = await ServeAsync();
        Write("reviews.csv", Reviews.Csv(120));
        JsonElement run = Assert.Single(await EndedAsync(server, 1));
        HttpResponseMessage answer = await http.PostAsJsonAsync($"{address}/api/models/films/predict", new { inputs = new[] { "a wonderful and moving film" } });
        HttpResponseMessage stranger = await new HttpClient().GetAsync(new Uri($"{address}/api/models"));

        Write("reviews.csv", Reviews.Csv(120));                                            // the same bytes at a later time
        await server.UntilAsync(() => Task.FromResult(server.Error.Contains("was trained on before", StringComparison.Ordinal) ? server : null), "the second drop");

        Assert.Equal("succeeded", run.GetProperty("state").GetString());
        Assert.Contains("positive", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Unauthorized, stranger.StatusCode);
        Assert.Single(await RunsAsync());
        Assert.Single(Directory.GetDirectories(Path.Combine(folder.Data, "models", "films", "versions")));
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(folder.Data, ".scion", "key")));
    }

    [Fact]
    public async Task Drop_OfAFileThatIsStillBeingCopied_WaitsForItsEnd()
    {
        await using ScionProcess server = await ServeAsync();
        string whole = Reviews.Csv(120);
        Directory.CreateDirectory(Drop);
        await using (FileStream slow = new(Path.Combine(Drop, "reviews.csv"), FileMode.CreateNew, FileAccess.Write, FileShare.ReadWrite))
            foreach (char[] part in whole.Chunk(whole.Length / 8))
            {
                slow.Write(System.Text.Encoding.UTF8.GetBytes(part));
                await slow.FlushAsync();
                await Task.Delay(300);                                                     // a slow copy: 2.4 s in all, more than the settling time
            }

        JsonElement run = Assert.Single(await EndedAsync(server, 1));

        Assert.Equal(120, run.GetProperty("files")[0].GetProperty("rows").GetInt32());
    }

    [Fact]
    public async Task Drop_ThatIsRefused_IsNotTriedAgainUntilItChanges()
    {
        await using ScionProcess server = await ServeAsync();
        Write("reviews.csv", "text,label\ngood,positive\nfine,positive\n");
        JsonElement refused = Assert.Single(await EndedAsync(server, 1));

        Write("reviews.csv", Reviews.Csv(120));
        JsonElement[] both = await EndedAsync(server, 2);

        Assert.Equal("failed", refused.GetProperty("state").GetString());
        Assert.StartsWith("D", refused.GetProperty("error").GetProperty("code").GetString(), StringComparison.Ordinal);
        Assert.Equal(["failed", "succeeded"], both.Select(run => run.GetProperty("state").GetString()!).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Drop_WhileNoServerRuns_IsFoundAtTheNextStart()
    {
        Write("reviews.csv", Reviews.Csv(120));

        await using ScionProcess server = await ServeAsync();

        Assert.Equal("succeeded", Assert.Single(await EndedAsync(server, 1)).GetProperty("state").GetString());
    }

    [Fact]
    public async Task Drop_ToBeScored_IsAnsweredByAFileBesideARecord()
    {
        Write("reviews.csv", Reviews.Csv(120));
        await using ScionProcess server = await ServeAsync();
        await EndedAsync(server, 1);
        string answers = Path.Combine(folder.Data, "predictions", "films", "new.csv.csv"), record = Path.Combine(folder.Data, "predictions", "films", "new.csv.json");

        folder.Write("scion-data/predict/films/new.csv", "text\nan awful and boring film\n");
        await server.UntilAsync(() => Task.FromResult(File.Exists(record) ? record : null), "the record of the predictions");

        Assert.StartsWith("an awful and boring film,negative,", (await File.ReadAllLinesAsync(answers))[1], StringComparison.Ordinal);
        Assert.Equal(1, JsonDocument.Parse(await File.ReadAllTextAsync(record)).RootElement.GetProperty("rows").GetInt32());
    }

    [Fact]
    public async Task Kill_WhileItTrains_IsMadeGoodByTheNextStartWithTheSameDigest()
    {
        using TestFolder undisturbed = new();
        undisturbed.Write("reviews.csv", Reviews.Csv(600, labelledEvery: 3));
        string digest = (await ScionProcess.RunAsync(undisturbed.Path, "train", "reviews", "reviews.csv", "--model", "films", "--json")).Json.GetProperty("digest").GetString()!;
        Write("reviews.csv", Reviews.Csv(600, labelledEvery: 3));
        string work = Path.Combine(folder.Data, "work");
        int Done() => Directory.Exists(work) ? Directory.GetFiles(work, "result.json", SearchOption.AllDirectories).Length : 0;
        int finished = 0;
        for (int kill = 0; kill < 3; kill++)                                               // each time when it has got a little further
        {
            await using ScionProcess killed = await ServeAsync();
            await killed.UntilAsync(() => Task.FromResult(Done() > finished ? work : null), "another finished step");
            killed.Kill();
            await killed.EndAsync();
            finished = Done();
        }
        Dictionary<string, DateTime> before = Directory.GetFiles(work, "result.json", SearchOption.AllDirectories).ToDictionary(file => file, File.GetLastWriteTimeUtc);

        await using ScionProcess server = await ServeAsync();
        JsonElement run = Assert.Single(await EndedAsync(server, 1));

        Assert.Equal("succeeded", run.GetProperty("state").GetString());
        Assert.Equal(digest, JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(folder.Data, "models", "films", "latest.json"))).RootElement.GetProperty("digest").GetString());
        Assert.All(before, result => Assert.Equal(result.Value, File.GetLastWriteTimeUtc(result.Key)));
    }

    [Fact]
    public async Task Cancel_OfARunOfAnotherProcess_EndsItThereAndTheSameCommandGoesOn()
    {
        string file = folder.Write("reviews.csv", Reviews.Csv(2000));
        string[] train = ["train", "reviews", file, "--model", "films", "--json", "--set", "embedding.epochs=2000"];
        await using ScionProcess training = ScionProcess.Start(folder.Path, train);
        string run = await training.UntilAsync(async () =>
        {
            Ended list = await ScionProcess.RunAsync(folder.Path, "runs", "list", "--json");
            return list.Json.GetProperty("runs").EnumerateArray().FirstOrDefault() is { ValueKind: JsonValueKind.Object } first
                && first.GetProperty("state").GetString() == "running" ? first.GetProperty("run").GetString() : null;
        }, "a running run");

        Ended cancel = await ScionProcess.RunAsync(folder.Path, "runs", "cancel", run, "--json");
        Ended ended = await training.EndAsync();

        Assert.Equal("cancelled", cancel.Json.GetProperty("state").GetString());
        Assert.Equal((3, "L011"), (ended.Code, ended.Json.GetProperty("error").GetProperty("code").GetString()));
    }

    [Fact]
    public async Task Suspend_OfARunOfTheServer_StopsItUntilItIsResumedAndNoFinishedStepIsRepeated()
    {
        await using ScionProcess server = await ServeAsync();
        Write("dataset.json", "{\"embedding\":{\"epochs\":1000}}");
        Write("reviews.csv", Reviews.Csv(8000));
        string run = await server.UntilAsync(async () => (await RunsAsync()).FirstOrDefault() is { ValueKind: JsonValueKind.Object } first
            && first.TryGetProperty("stage", out JsonElement stage) && stage.GetString() == "PretrainEmbeddings" ? first.GetProperty("run").GetString() : null, "word vectors being learned");

        Ended suspend = await ScionProcess.RunAsync(folder.Path, "runs", "suspend", run, "--json");
        await server.UntilAsync(() => Task.FromResult(server.Error.Contains($"Run {run}: suspended", StringComparison.Ordinal) ? server : null), "the steps' end");
        Dictionary<string, DateTime> before = Directory.GetFiles(Path.Combine(folder.Data, "work"), "result.json", SearchOption.AllDirectories).ToDictionary(file => file, File.GetLastWriteTimeUtc);
        string? held = Assert.Single(await RunsAsync()).GetProperty("state").GetString();
        HttpResponseMessage resume = await http.PostAsync(new Uri($"{address}/api/runs/{run}/resume"), null);
        JsonElement ended = Assert.Single(await EndedAsync(server, 1));

        Assert.Equal(("suspended", "suspended", HttpStatusCode.OK), (suspend.Json.GetProperty("state").GetString(), held, resume.StatusCode));
        Assert.Equal("succeeded", ended.GetProperty("state").GetString());
        Assert.All(before, result => Assert.Equal(result.Value, File.GetLastWriteTimeUtc(result.Key)));
    }

    [Fact]
    public async Task Suspend_OfARunOfACommand_EndsTheCommandAndTheSameCommandGoesOn()
    {
        string file = folder.Write("reviews.csv", Reviews.Csv(600));
        string[] train = ["train", "reviews", file, "--model", "films", "--json", "--set", "embedding.epochs=300"];
        await using ScionProcess training = ScionProcess.Start(folder.Path, train);
        string run = await training.UntilAsync(async () => (await ScionProcess.RunAsync(folder.Path, "runs", "list", "--json")).Json.GetProperty("runs").EnumerateArray()
            .FirstOrDefault() is { ValueKind: JsonValueKind.Object } first && first.GetProperty("state").GetString() == "running" ? first.GetProperty("run").GetString() : null, "a running run");

        await ScionProcess.RunAsync(folder.Path, "runs", "suspend", run, "--json");
        Ended ended = await training.EndAsync(), again = await ScionProcess.RunAsync(folder.Path, train);

        Assert.Equal((3, "L013"), (ended.Code, ended.Json.GetProperty("error").GetProperty("code").GetString()));
        Assert.Equal(0, again.Code);
    }

    [Fact]
    public async Task Interrupt_OfATraining_LeavesARunThatTheServerFinishes()
    {
        if (OperatingSystem.IsWindows()) return;
        string file = folder.Write("reviews.csv", Reviews.Csv(600));
        await using (ScionProcess training = ScionProcess.Start(folder.Path, "train", "reviews", file, "--model", "films", "--json"))
        {
            await training.UntilAsync(() => Task.FromResult(Directory.Exists(Path.Combine(folder.Data, "work")) ? file : null), "a first step");
            training.Interrupt();
            Ended ended = await training.EndAsync();
            Assert.Equal((130, "L004"), (ended.Code, ended.Json.GetProperty("error").GetProperty("code").GetString()));
        }

        await using ScionProcess server = await ServeAsync();

        Assert.Equal("succeeded", Assert.Single(await EndedAsync(server, 1)).GetProperty("state").GetString());
    }

    [Fact]
    public async Task Serve_OnAnAddressInUse_IsExit5AndInterruptedServersEndWell()
    {
        await using ScionProcess server = await ServeAsync();

        Ended second = await ScionProcess.RunAsync(folder.Path, "serve", "--urls", address, "--json");
        server.Interrupt();
        Ended first = OperatingSystem.IsWindows() ? new Ended(0, "", "") : await server.EndAsync();

        Assert.Equal((5, "L010"), (second.Code, second.Json.GetProperty("error").GetProperty("code").GetString()));
        Assert.Equal(0, first.Code);
    }
}
