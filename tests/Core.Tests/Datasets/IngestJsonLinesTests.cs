using Scion.Datasets;

namespace Scion.Tests.Datasets;

/// <summary>JSON Lines, well and badly formed.</summary>
public sealed class IngestJsonLinesTests
{
    readonly Uploads uploads = new();

    [Fact]
    public async Task Jsonl_StringsNumbersBooleansAndNull_AreLabelsAsWritten()
    {
        IngestedFile file = await uploads.AddAsync("a.jsonl", """
            {"review":"one\nmore \u00e9 \ud83d\ude00","stars":5}
            {"stars":4.50,"review":"two","extra":{"a":[1,2,{"b":1e999}]}}

            {"review":"three","stars":true}
            {"review":"four","stars":null}
            {"review":"five"}
            {"review":"<script>alert('x')</script> '; drop table reviews; --","stars":" five "}
            """);

        Assert.Equal([("one\nmore é 😀", "5", 1), ("two", "4.50", 2), ("three", "true", 4), ("four", null, 5), ("five", null, 6),
            ("<script>alert('x')</script> '; drop table reviews; --", "five", 7)], (await uploads.RowsAsync(file)).Select(row => (row.Text, row.Label, row.Line)));
        Assert.Equal([new("films/a.jsonl", "jsonl", "utf-8", null, "review", "stars", 6, 0)], file.Parts);
    }

    [Theory]
    [InlineData("{\"text\":\"a\",\"text\":\"b\"}", "D111")]
    [InlineData("{\"text\":\"a\",\"x\":[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]}", "D111")]
    [InlineData("{\"text\":\"a\"", "D111")]
    [InlineData("{\"text\":\"a\"} trailing", "D111")]
    [InlineData("{'text':'a'}", "D111")]
    [InlineData("[\"text\",\"a\"]", "D112")]
    [InlineData("\"text\"", "D112")]
    [InlineData("17", "D112")]
    [InlineData("null", "D112")]
    [InlineData("{\"body\":\"a\"}", "D113")]
    [InlineData("{\"text\":17}", "D114")]
    [InlineData("{\"text\":[\"a\"]}", "D114")]
    [InlineData("{\"text\":\"a\",\"label\":{\"is\":\"x\"}}", "D114")]
    [InlineData("{\"text\":\"half \\ud800 pair\"}", "D115")]
    [InlineData("{\"text\":\"a\",\"label\":\"\\udc00\"}", "D115")]
    [InlineData("{\"text\":null}", "D108")]
    [InlineData("{\"text\":\"  \"}", "D108")]
    [InlineData("{\"text\":\"a\\u0000b\"}", "D102")]
    public async Task Jsonl_WrongLine_IsRefusedAloneWithItsReason(string line, string code)
    {
        IngestedFile file = await uploads.AddAsync("a.jsonl", $"{{\"text\":\"good\",\"label\":\"x\"}}\n{line}\n{{\"text\":\"fine\",\"label\":\"y\"}}");

        Assert.Equal([$"{code}@2"], await uploads.CodesAsync(file));
        Assert.Equal(["good", "fine"], (await uploads.RowsAsync(file)).Select(row => row.Text));
    }

    [Fact]
    public async Task Jsonl_DepthBombOfAMillionBrackets_IsRefusedAlone()
    {
        IngestedFile file = await uploads.AddAsync("a.jsonl", $"{{\"text\":\"good\"}}\n{new string('[', 1_000_000)}\n{{\"text\":{new string('{', 1000)}");

        Assert.Equal(["D111@2", "D111@3"], await uploads.CodesAsync(file));
    }

    [Fact]
    public async Task Jsonl_NoKnownField_IsRefusedWithTheFieldsFound()
    {
        IngestedFile file = await uploads.AddAsync("a.jsonl", "{\"id\":1,\"utterance\":\"x\"}\n");

        Assert.Contains("D004,\"No column is known to hold the text; it has 'id', 'utterance'. Name the column", Assert.Single(await uploads.RejectsAsync(file)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Jsonl_LineOfTwentyMebibytes_IsRefusedAlone()
    {
        IngestedFile file = await uploads.AddAsync("a.jsonl", $"{{\"text\":\"good\"}}\n{{\"text\":\"{new string('a', 20 << 20)}\"}}\n{{\"text\":\"{new string('b', 2 << 20)}\"}}\n{{\"text\":\"fine\"}}");

        Assert.Equal(["D106@2", "D104@3"], await uploads.CodesAsync(file));
        Assert.Equal(2, file.Rows);
    }
}
