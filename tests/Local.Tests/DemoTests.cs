using System.Text.Json;

namespace Scion.Tests;

/// <summary>The first thing a newcomer runs.</summary>
public sealed class DemoTests
{
    [Fact]
    public async Task Demo_WithJson_ProvesTransferAndSaysSo()
    {
        using TestFolder folder = new();

        Ended ended = await ScionProcess.RunAsync(folder.Path, "demo", "--json");

        Assert.True(ended.Code == 0, ended.ToString());
        JsonElement scratch = ended.Json.GetProperty("scratch"), transfer = ended.Json.GetProperty("transfer");
        Assert.True(transfer.GetProperty("low").GetDouble() > scratch.GetProperty("high").GetDouble(), ended.Output);
        Assert.True(transfer.GetProperty("accuracy").GetDouble() >= 0.85, ended.Output);
        Assert.All(new[] { scratch, transfer }, arm => Assert.True(arm.GetProperty("n").GetInt32() > 1000));
        Assert.Equal(2, ended.Json.GetProperty("test").GetArrayLength());
        Assert.All(ended.Json.GetProperty("test").EnumerateArray(), test => Assert.All(new[] { "text", "label", "predicted", "score" }, name => test.GetProperty(name)));
        Assert.Equal("demo", ended.Json.GetProperty("model").GetString());
        Assert.False(Directory.Exists(folder.Data));                                      // nothing stays behind
    }

    [Fact]
    public async Task Demo_OnATerminalOf80Columns_Fits()
    {
        using TestFolder folder = new();

        Ended ended = await ScionProcess.RunAsync(folder.Path, "demo", "--data", folder.Data);

        Assert.True(ended.Code == 0, ended.ToString());
        Assert.All(ended.Output.Split('\n'), line => Assert.True(line.Length <= 80, line));
        Assert.Equal(0, (await ScionProcess.RunAsync(folder.Path, "models", "verify", "demo")).Code);
    }

    [Fact]
    public async Task DemoDresses_WithData_TellsHowSureItIsAndWhatLearnedFromScratch()
    {
        using TestFolder folder = new();

        Ended ended = await ScionProcess.RunAsync(folder.Path, "demo", "dresses", "--json", "--data", folder.Data);

        Assert.True(ended.Code == 0, ended.ToString());
        JsonElement json = ended.Json, transfer = json.GetProperty("transfer"), parameters = json.GetProperty("parameters");
        Assert.True(transfer.GetProperty("low").GetDouble() > 0.5, ended.Output);                   // better than a coin, beyond its interval
        Assert.All(new[] { json.GetProperty("scratch"), transfer, json.GetProperty("fewer").GetProperty("transfer") }, arm =>
        {
            Assert.True(arm.GetProperty("low").GetDouble() < arm.GetProperty("accuracy").GetDouble() && arm.GetProperty("accuracy").GetDouble() < arm.GetProperty("high").GetDouble());
            Assert.Equal(4 * 160, arm.GetProperty("n").GetInt32());
        });
        Assert.Equal("pixels", json.GetProperty("scratchBy").GetString());                          // the tests' build has no TorchSharp
        Assert.Equal(4098, parameters.GetProperty("article").GetInt32());
        Assert.Equal(0, parameters.GetProperty("head").GetInt32() % 2);
        Assert.Equal(4, json.GetProperty("test").GetArrayLength());
        Assert.All(json.GetProperty("test").EnumerateArray(), test => Assert.NotEqual(0, test.GetProperty("neighbours").GetArrayLength()));
        Assert.Equal([120, 120], new[] { "blue-black", "white-gold" }.Select(label => Directory.GetFiles(Path.Combine(folder.Data, "images/demo-dresses", label), "*.png").Length));
        string sheet = File.ReadAllText(json.GetProperty("sheet").GetString()!);
        Assert.Equal(40, sheet.Split("<img ").Length - 1);
        Assert.Equal(0, (await ScionProcess.RunAsync(folder.Path, "models", "verify", "demo-dresses")).Code);
    }

    [Fact]
    public async Task DemoDresses_OnATerminalOf80Columns_FitsAndLeavesNothing()
    {
        using TestFolder folder = new();

        Ended ended = await ScionProcess.RunAsync(folder.Path, "demo", "dresses");

        Assert.True(ended.Code == 0, ended.ToString());
        Assert.All(ended.Output.Split('\n'), line => Assert.True(line.Length <= 80, line));
        Assert.Contains("transferred", ended.Output, StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder.Data));
    }
}
