using System.Globalization;
using System.IO.Compression;
using System.Text.Json;
using Scion.Datasets;

namespace Scion.Tests;

/// <summary>A data folder with one trained model, and what its training printed.</summary>
public sealed class TrainedFolder : IAsyncLifetime
{
    internal TestFolder Folder { get; } = new();

    internal Ended Trained { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Folder.Write("reviews.csv", Reviews.Csv(240) + "one,too,many,fields\n");
        Trained = await ScionProcess.RunAsync(Folder.Path, "train", "reviews", "reviews.csv", "--model", "films", "--json");
    }

    public ValueTask DisposeAsync()
    {
        Folder.Dispose();
        return ValueTask.CompletedTask;
    }
}

/// <summary>Every command on a trained model, as a child process.</summary>
public sealed class TrainTests(TrainedFolder trained) : IClassFixture<TrainedFolder>
{
    readonly string path = trained.Folder.Path;

    string Version => trained.Trained.Json.GetProperty("version").GetString()!;

    string Run => trained.Trained.Json.GetProperty("run").GetString()!;

    Task<Ended> Scion(params string[] arguments) => ScionProcess.RunAsync(path, arguments);

    [Fact]
    public void Train_WithJson_PrintsOneDocumentAndItsProgressOnStderr()
    {
        Ended ended = trained.Trained;

        Assert.True(ended.Code == 0, ended.ToString());
        Assert.True(ended.Json.GetProperty("promoted").GetBoolean());
        Assert.Equal(["majority", "bag-of-words", "scratch", "transfer"], ended.Json.GetProperty("models").EnumerateArray().Select(model => model.GetProperty("name").GetString()));
        Assert.Equal(1, ended.Json.GetProperty("rows").GetProperty("refused").GetInt64());
        JsonElement parameters = ended.Json.GetProperty("parameters");
        Assert.Equal((parameters.GetProperty("dim").GetInt64() + parameters.GetProperty("counted").GetInt64() + 1) * 2, parameters.GetProperty("head").GetInt64());
        Assert.True(File.Exists(Path.Combine(path, ended.Json.GetProperty("report").GetString()!)));
        Assert.Contains(":242,", File.ReadAllText(Path.Combine(path, ended.Json.GetProperty("rejects").GetString()!)).Replace("csv,", "csv:", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Contains("Learning word vectors", ended.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Train_TheSameAgain_IsTheSameVersionAndAReceiptPeopleRead()
    {
        Ended again = await Scion("train", "reviews", "reviews.csv", "--model", "films");

        Assert.True(again.Code == 0, again.ToString());
        Assert.Contains(Version, again.Output, StringComparison.Ordinal);
        foreach (string part in new[] { "serves now", "95 % interval", "from scratch", "bag of words", " words + 1) · 2", "Neighbours", "Gate", "1 row refused", "right on reviews it was not fitted to", "report.html", "scion predict films" })
            Assert.Contains(part, again.Output, StringComparison.Ordinal);
        Assert.Single(Directory.GetDirectories(Path.Combine(trained.Folder.Data, "models", "films", "versions")));
    }

    [Fact]
    public async Task Predict_OneText_SaysLabelAndScore()
    {
        Ended json = await Scion("predict", "films", "--text", "a wonderful and moving story", "--json");
        Ended plain = await Scion("predict", "films", "--text", "xyzzy");

        JsonElement prediction = Assert.Single(json.Json.GetProperty("predictions").EnumerateArray());
        Assert.Equal("positive", prediction.GetProperty("label").GetString());
        Assert.InRange(prediction.GetProperty("score").GetDouble(), 0.5, 1);
        Assert.Contains("abstains: no word of it is known", plain.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Predict_AFile_WritesEveryRowSafelyAndListsWhatItRefused()
    {
        trained.Folder.Write("new.csv", "text,label\nthe film was awful,negative\n\"=cmd|'/c calc'!A0, wonderful\",positive\n,positive\n");

        Ended ended = await Scion("predict", "films", "--input", "new.csv", "--output", "answers.csv", "--json");
        Ended rows = await Scion("predict", "films", "--input", "new.csv");

        Assert.True(ended.Code == 0, ended.ToString());
        string[] lines = await File.ReadAllLinesAsync(Path.Combine(path, "answers.csv"));
        Assert.Equal("input,label,score,abstained", lines[0]);
        Assert.StartsWith("the film was awful,negative,", lines[1], StringComparison.Ordinal);
        Assert.StartsWith("\"'=cmd|'/c calc'!A0, wonderful\",positive,", lines[2], StringComparison.Ordinal);
        Assert.Equal(3, lines.Length);
        Assert.Equal((2, 1, 2), (ended.Json.GetProperty("rows").GetInt32(), ended.Json.GetProperty("refused").GetInt32(), ended.Json.GetProperty("agreed").GetInt32()));
        Assert.Contains("new.csv:4 D108", ended.Error, StringComparison.Ordinal);
        Assert.Equal(lines, rows.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public async Task Words_OfTheModel_AreNearByCosine()
    {
        Ended ended = await Scion("words", "films", "wonderful", "--count", "5", "--json");
        Ended unknown = await Scion("words", "films", "wonderfull", "--json");

        JsonElement[] near = [.. ended.Json.GetProperty("nearest").EnumerateArray()];
        Assert.Equal(5, near.Length);
        Assert.Equal(near.OrderByDescending(word => word.GetProperty("similarity").GetDouble()).Select(word => word.ToString()), near.Select(word => word.ToString()));
        Assert.Equal((4, "T005"), (unknown.Code, unknown.Json.GetProperty("error").GetProperty("code").GetString()));
    }

    [Fact]
    public async Task Models_OfTheFolder_AreListedShownVerifiedAndExported()
    {
        Ended list = await Scion("models", "list", "--json"), show = await Scion("models", "show", "films", "--json"), verify = await Scion("models", "verify", "films", "--json");
        Ended folder = await Scion("models", "export", "films", "--output", "out"), zip = await Scion("models", "export", "films", Version, "--output", "out.zip", "--json");
        Ended vectors = await Scion("models", "export", "films", "--output", "vectors.txt", "--vectors", "word2vec", "--json"), twice = await Scion("models", "export", "films", "--output", "out", "--json");

        Assert.Equal(Version, list.Json.GetProperty("models").EnumerateArray().Single(model => model.GetProperty("model").GetString() == "films").GetProperty("latest").GetString());
        Assert.Equal("reviews", show.Json.GetProperty("manifest").GetProperty("kind").GetString());
        Assert.True(verify.Code == 0 && verify.Json.GetProperty("passed").GetBoolean(), verify.ToString());
        Assert.True(folder.Code == 0 && File.Exists(Path.Combine(path, "out", "model.onnx")), folder.ToString());
        using (ZipArchive archive = ZipFile.OpenRead(Path.Combine(path, "out.zip"))) Assert.Contains(archive.Entries, entry => entry.Name == "head.onnx");
        Assert.True(zip.Code == 0, zip.ToString());
        string header = File.ReadLines(Path.Combine(path, "vectors.txt")).First();
        Assert.Equal(header, string.Create(CultureInfo.InvariantCulture, $"{vectors.Json.GetProperty("words").GetInt32()} {vectors.Json.GetProperty("dim").GetInt32()}"));
        Assert.Equal((3, "L012"), (twice.Code, twice.Json.GetProperty("error").GetProperty("code").GetString()));
    }

    [Fact]
    public async Task Models_DamagedFile_FailsVerificationWithItsCode()
    {
        using TestFolder copy = new();
        await Scion("train", "reviews", "reviews.csv", "--model", "films", "--data", copy.Data);
        string head = Directory.GetFiles(Path.Combine(copy.Data, "models"), "head.onnx", SearchOption.AllDirectories).Single();
        File.WriteAllBytes(head, [.. File.ReadAllBytes(head).Select((b, i) => i == 100 ? (byte)(b ^ 1) : b)]);

        Ended verify = await Scion("models", "verify", "films", "--data", copy.Data), predict = await Scion("predict", "films", "--text", "x", "--data", copy.Data, "--json");

        Assert.Equal(3, verify.Code);
        Assert.Contains("R007", verify.Output, StringComparison.Ordinal);
        Assert.Equal((3, "R007"), (predict.Code, predict.Json.GetProperty("error").GetProperty("code").GetString()));
    }

    [Fact]
    public async Task Runs_OfTheFolder_AreListedAndShown()
    {
        Ended list = await Scion("runs", "list", "--model", "films", "--json"), show = await Scion("runs", "show", Run), other = await Scion("runs", "list", "--model", "others", "--json");

        Assert.Contains(list.Json.GetProperty("runs").EnumerateArray(), run => run.GetProperty("run").GetString() == Run && run.GetProperty("state").GetString() == "succeeded");
        Assert.Contains("films/reviews.csv", show.Output, StringComparison.Ordinal);
        Assert.Equal(0, other.Json.GetProperty("runs").GetArrayLength());
    }

    [Fact]
    public async Task Encoders_ImportedVectors_TrainAModel()
    {
        await Scion("models", "export", "films", "--output", "import.txt", "--vectors", "word2vec");
        Ended import = await Scion("encoders", "import", "import.txt", "--json");
        string name = $"encoders/{import.Json.GetProperty("sha256").GetString()}";

        Ended ended = await Scion("train", "reviews", "reviews.csv", "--model", "imported", "--set", $"encoder={name}", "--json");

        Assert.True(ended.Code == 0, ended.ToString());
        Assert.Contains("imported", (await Scion("models", "show", "imported", "--json")).Json.GetProperty("manifest").GetProperty("encoder").GetProperty("source").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("one-class.csv", "text,label\ngood,positive\nfine,positive\nnice,positive\n")]
    [InlineData("unlabelled.csv", "text\ngood\nfine\n")]
    [InlineData("empty.csv", "")]
    public async Task Train_OnWhatCannotBeLearned_IsExit3WithCodeAndRemedy(string name, string content)
    {
        using TestFolder folder = new();
        string file = folder.Write(name, content);

        Ended ended = await ScionProcess.RunAsync(folder.Path, "train", "reviews", file, "--model", "films", "--json");
        Ended again = await ScionProcess.RunAsync(folder.Path, "train", "reviews", file, "--model", "films", "--json");

        JsonElement error = ended.Json.GetProperty("error");
        Assert.Equal(3, ended.Code);
        Assert.StartsWith("D", error.GetProperty("code").GetString(), StringComparison.Ordinal);
        Assert.NotEqual("", error.GetProperty("remedy").GetString());
        Assert.Equal(ended.Output, again.Output);
        Ended runs = await ScionProcess.RunAsync(folder.Path, "runs", "list", "--json");
        Assert.Equal("failed", Assert.Single(runs.Json.GetProperty("runs").EnumerateArray()).GetProperty("state").GetString());
        Assert.False(Directory.Exists(Path.Combine(folder.Data, "models")));
    }

    [Theory]
    [InlineData("embeding.dim=5", "D402")]
    [InlineData("embedding.dim=many", "D402")]
    public async Task Train_WithAWrongSetting_IsExit3(string setting, string code)
    {
        Ended ended = await Scion("train", "reviews", "reviews.csv", "--model", "settings", "--set", setting, "--json");

        Assert.Equal((3, code), (ended.Code, ended.Json.GetProperty("error").GetProperty("code").GetString()));
    }

    [Fact]
    public async Task Train_OnAFolder_TakesFolderNamesForLabelsAndTellsWhatItLeftOut()
    {
        using TestFolder folder = new();
        string[] rows = [.. Reviews.Csv(60, labelledEvery: 1).Split('\n', StringSplitOptions.RemoveEmptyEntries).Skip(1)];
        foreach (string label in new[] { "positive", "negative" })
            folder.Write($"set/{label}/all.txt", string.Join('\n', rows.Where(row => row.EndsWith(label, StringComparison.Ordinal)).Select(row => row.Split(',')[0])));
        folder.Write("set/notes.docx", "no reviews");

        Ended ended = await ScionProcess.RunAsync(folder.Path, "train", "reviews", "set", "--model", "films", "--json");

        Assert.True(ended.Code == 0, ended.ToString());
        Assert.Contains("notes.docx", ended.Error, StringComparison.Ordinal);
        Assert.Equal(["negative", "positive"], ended.Json.GetProperty("rows").GetProperty("train").EnumerateArray().Select(label => label.GetProperty("label").GetString()));
        Assert.True(File.Exists(Path.Combine(folder.Data, "reviews", "films", "positive", "all.txt")));
    }

    [Fact]
    public async Task Rollback_AfterASecondVersion_ServesTheFirst()
    {
        using TestFolder folder = new();
        string first = folder.Write("a.csv", Reviews.Csv(80)), second = folder.Write("b.csv", Reviews.Csv(80, seed: 2));
        string one = (await ScionProcess.RunAsync(folder.Path, "train", "reviews", first, "--model", "films", "--json")).Json.GetProperty("version").GetString()!;
        Ended both = await ScionProcess.RunAsync(folder.Path, "train", "reviews", second, "--model", "films", "--json");
        string two = both.Json.GetProperty("version").GetString()!;
        await ScionProcess.RunAsync(folder.Path, "models", "promote", "films", two);

        Ended back = await ScionProcess.RunAsync(folder.Path, "models", "rollback", "films", "--from", two, "--json");

        Assert.Contains("a.csv", both.Error, StringComparison.Ordinal);                  // what was there before is part of the data set, and it says so
        Assert.Equal((0, one), (back.Code, back.Json.GetProperty("version").GetString()));
    }
}
