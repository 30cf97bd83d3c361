namespace Scion.Tests;

/// <summary>What does not need a model: usage, help, exit codes, one JSON document.</summary>
public sealed class CommandLineTests : IDisposable
{
    readonly TestFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("train reviews x.csv", "L001", "--model")]
    [InlineData("train reviews x.csv --model films --set rate", "L001", "'rate' is not KEY=VALUE.")]
    [InlineData("predict films", "L001", "Give either --text or --input.")]
    [InlineData("predict films --text a --input b.csv", "L001", "Give either --text or --input.")]
    [InlineData("modles list", "L001", "Was 'models' meant?")]
    [InlineData("train films.csv --model films", "L001", "Here follows one of: reviews, images.")]
    [InlineData("demo photos", "L001", "Must be one of: 'reviews'")]
    [InlineData("words films good --count 0", "L001", "--count takes 1 to 1000.")]
    public async Task Usage_Wrong_IsExit2WithCodeAndWhereToLook(string command, string code, string fact)
    {
        Ended plain = await ScionProcess.RunAsync(folder.Path, command.Split(' '));
        Ended json = await ScionProcess.RunAsync(folder.Path, [.. command.Split(' '), "--json"]);

        Assert.Equal(2, plain.Code);
        Assert.Equal("", plain.Output);
        Assert.StartsWith(code, plain.Error, StringComparison.Ordinal);
        Assert.Contains(fact, plain.Error, StringComparison.Ordinal);
        Assert.Equal(2, json.Code);
        Assert.Equal(code, json.Json.GetProperty("error").GetProperty("code").GetString());
        Assert.Contains("--help", json.Json.GetProperty("error").GetProperty("remedy").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("models show films", "R002")]
    [InlineData("predict films --text good", "R002")]
    [InlineData("words films good", "R002")]
    [InlineData("models rollback films", "R002")]
    [InlineData("runs show films-0123456789abcdef", "L101")]
    [InlineData("runs cancel films-0123456789abcdef", "L101")]
    [InlineData("train reviews nowhere.csv --model films", "L005")]
    [InlineData("encoders import nowhere.bin", "L005")]
    public async Task Named_IsNotThere_IsExit4(string command, string code)
    {
        Ended ended = await ScionProcess.RunAsync(folder.Path, [.. command.Split(' '), "--json"]);

        Assert.Equal(4, ended.Code);
        Assert.Equal(code, ended.Json.GetProperty("error").GetProperty("code").GetString());
        Assert.NotEqual("", ended.Json.GetProperty("error").GetProperty("remedy").GetString());
    }

    [Theory]
    [InlineData("models list", "models")]
    [InlineData("runs list", "runs")]
    public async Task List_OfNothing_IsAnEmptyListAndAHint(string command, string name)
    {
        Ended json = await ScionProcess.RunAsync(folder.Path, [.. command.Split(' '), "--json"]);
        Ended plain = await ScionProcess.RunAsync(folder.Path, command.Split(' '));

        Assert.Equal((0, 0), (json.Code, json.Json.GetProperty(name).GetArrayLength()));
        Assert.Contains("scion ", plain.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task EncodersList_OfNothing_IsTheNetworkThatShips()
    {
        Ended json = await ScionProcess.RunAsync(folder.Path, "encoders", "list", "--json");

        Assert.Equal(0, json.Code);
        Assert.Equal("default", Assert.Single(json.Json.GetProperty("encoders").EnumerateArray()).GetProperty("name").GetString());
    }

    [Fact]
    public async Task Help_OfTrainReviews_ListsEverySetting()
    {
        Ended ended = await ScionProcess.RunAsync(folder.Path, "train", "reviews", "--help");

        Assert.Equal(0, ended.Code);
        foreach (Datasets.SettingDescription setting in Datasets.SettingsFile.Describe<Datasets.ReviewSettings>())
            Assert.Contains(setting.Key, ended.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Scion_WithoutACommand_PrintsHelpOnStderrAndIsExit2()
    {
        Ended ended = await ScionProcess.RunAsync(folder.Path);

        Assert.Equal((2, ""), (ended.Code, ended.Output));
        foreach (string command in new[] { "demo", "train", "predict", "serve", "models", "words", "runs", "encoders", "doctor" })
            Assert.Contains($"  {command}", ended.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Doctor_OnThisMachine_FindsNothingThatFails()
    {
        Ended ended = await ScionProcess.RunAsync(folder.Path, "doctor", "--json");

        Assert.Equal(0, ended.Code);
        Assert.All(ended.Json.GetProperty("checks").EnumerateArray(), check => Assert.NotEqual("fail", check.GetProperty("state").GetString()));
        Assert.False(Directory.Exists(folder.Data));
    }

    [Fact]
    public async Task Doctor_DataFolderIsAFile_FailsWithExit5AndRemedy()
    {
        string file = folder.Write("file", "");

        Ended ended = await ScionProcess.RunAsync(folder.Path, "doctor", "--json", "--data", Path.Combine(file, "data"));

        Assert.Equal(5, ended.Code);
        Assert.Contains(ended.Json.GetProperty("checks").EnumerateArray(), check =>
            check.GetProperty("name").GetString() == "data folder" && check.GetProperty("state").GetString() == "fail" && check.TryGetProperty("remedy", out _));
    }

    [Fact]
    public async Task Storage_ThatDoesNotAnswer_IsExit5Soon()
    {
        const string Nobody = "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;BlobEndpoint=http://127.0.0.1:1/devstoreaccount1;";

        Ended ended = await ScionProcess.RunAsync(folder.Path, "models", "list", "--json", "--storage", Nobody);

        Assert.Equal(5, ended.Code);
        Assert.NotEqual("", ended.Json.GetProperty("error").GetProperty("remedy").GetString());
        Assert.DoesNotContain("Eby8vdM02", ended.Output + ended.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://0.0.0.0:7099")]
    [InlineData("http://*:7099")]
    [InlineData("http://example.org:7099")]
    public async Task Serve_OnAnAddressOthersReach_IsRefused(string url)
    {
        Ended ended = await ScionProcess.RunAsync(folder.Path, "serve", "--urls", url, "--json");

        Assert.Equal((3, "L009"), (ended.Code, ended.Json.GetProperty("error").GetProperty("code").GetString()));
    }
}
