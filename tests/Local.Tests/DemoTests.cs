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
}
