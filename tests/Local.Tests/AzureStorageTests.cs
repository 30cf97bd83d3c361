namespace Scion.Tests;

/// <summary>The same commands on Blob storage, here the emulator.</summary>
[Collection(nameof(Azurite))]
public sealed class AzureStorageTests(Azurite azurite)
{
    [Fact]
    public async Task Train_OnBlobStorage_IsTheSameModelAsInAFolder()
    {
        using TestFolder folder = new();
        folder.Write("reviews.csv", Reviews.Csv(120));
        string[] storage = ["--storage", azurite.ConnectionString, "--json"];

        Ended local = await ScionProcess.RunAsync(folder.Path, "train", "reviews", "reviews.csv", "--model", "films", "--json");
        Ended remote = await ScionProcess.RunAsync(folder.Path, ["train", "reviews", "reviews.csv", "--model", "films", .. storage]);
        Ended predict = await ScionProcess.RunAsync(folder.Path, ["predict", "films", "--text", "wonderful", .. storage]);

        Assert.True(remote.Code == 0, remote.ToString());
        Assert.Equal(local.Json.GetProperty("digest").GetString(), remote.Json.GetProperty("digest").GetString());
        Assert.Equal(0, predict.Code);
        Assert.DoesNotContain("AccountKey", remote.Output + remote.Error, StringComparison.Ordinal);
    }
}
