using System.Security.Cryptography;
using System.Text.Json;

namespace Scion.Tests;

/// <summary>Sentence networks by the command line, as child processes.</summary>
public sealed class SentenceNetworkTests : IDisposable
{
    static readonly byte[] Network = SentenceFiles.Bert(SentenceFiles.WordPieces.Length);

    readonly TestFolder folder = new();

    public void Dispose() => folder.Dispose();

    void Write(string name, byte[] bytes)
    {
        string path = Path.Combine(folder.Path, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, bytes);
    }

    Task<Ended> Scion(params string[] arguments) => ScionProcess.RunAsync(folder.Path, arguments);

    static string? CodeOf(Ended ended) => ended.Json.GetProperty("error").GetProperty("code").GetString();

    [Fact]
    public async Task SentenceNetwork_ImportedTrainedAndAsked_TellsOneStory()
    {
        Write("mini/onnx/model.onnx", Network);
        Write("mini/vocab.txt", SentenceFiles.VocabTxt);
        Write("mini/1_Pooling/config.json", """{"word_embedding_dimension": 16, "pooling_mode_cls_token": false, "pooling_mode_mean_tokens": true}"""u8.ToArray());
        Write("alone/model.onnx", Network);
        folder.Write("reviews.csv", Reviews.Csv(80));

        Ended bare = await Scion("encoders", "import", "alone/model.onnx", "--pooling", "mean", "--json");
        Ended imported = await Scion("encoders", "import", "mini", "--name", "mini", "--licence", "MIT", "--json");
        Assert.True(imported.Code == 0, imported.ToString());
        JsonElement card = imported.Json.GetProperty("card");
        string name = $"encoders/{card.GetProperty("sha256").GetString()}";
        Ended list = await Scion("encoders", "list", "--json"), inspected = await Scion("encoders", "inspect", name);
        Ended trained = await Scion("train", "reviews", "reviews.csv", "--model", "films", "--set", $"encoder={name}", "--json");
        Assert.True(trained.Code == 0, trained.ToString());
        Ended predicted = await Scion("predict", "films", "--text", "the film was wonderful and moving", "--json"), words = await Scion("words", "films", "film", "--json"), verified = await Scion("models", "verify", "films", "--json");

        Assert.Equal("T023", CodeOf(bare));
        Assert.Equal(("sentence-network", "mean", 64), (card.GetProperty("kind").GetString(), card.GetProperty("pooling").GetString(), card.GetProperty("maxLength").GetInt32()));
        Assert.Contains("mini", list.Json.GetProperty("encoders").EnumerateArray().Select(encoder => encoder.TryGetProperty("name", out JsonElement of) ? of.GetString() : null));
        Assert.Contains("WordPiece", inspected.Output, StringComparison.Ordinal);
        Assert.Equal("positive", predicted.Json.GetProperty("predictions")[0].GetProperty("label").GetString());
        Assert.Equal("P007", CodeOf(words));
        Assert.True(verified.Code == 0, verified.ToString());
    }

    [Fact]
    public async Task SentenceNetwork_ByAddress_NeedsTheDigestOfBothFiles()
    {
        using CannedServer server = new();
        string network = server.Serve("/onnx/model.onnx", Network), vocabulary = server.Serve("/vocab.txt", SentenceFiles.VocabTxt);
        string sha256 = Convert.ToHexString(SHA256.HashData(Network)), tokenizerSha256 = Convert.ToHexString(SHA256.HashData(SentenceFiles.VocabTxt));

        Ended unsure = await Scion("encoders", "import", network, "--sha256", sha256, "--tokenizer", vocabulary, "--pooling", "cls", "--json");
        Ended wrong = await Scion("encoders", "import", network, "--sha256", sha256, "--tokenizer", vocabulary, "--tokenizer-sha256", new string('a', 64), "--pooling", "cls", "--json");
        Ended right = await Scion("encoders", "import", network, "--sha256", sha256, "--tokenizer", vocabulary, "--tokenizer-sha256", tokenizerSha256, "--pooling", "cls", "--json");

        Assert.Equal("V074", CodeOf(unsure));
        Assert.Equal("V073", CodeOf(wrong));
        Assert.True(right.Code == 0, right.ToString());
        Assert.Equal((network, vocabulary), (right.Json.GetProperty("card").GetProperty("source").GetString(), right.Json.GetProperty("card").GetProperty("tokenizer").GetProperty("source").GetString()));
    }
}
