using System.Text;
using Scion.Datasets;

namespace Scion.Tests.Datasets;

/// <summary>Tables as people export them, well and badly.</summary>
public sealed class IngestTablesTests
{
    readonly Uploads uploads = new();

    [Fact]
    public async Task Csv_QuotedNewlinesAndDoubledQuotes_KeepsTextsAndLineNumbers()
    {
        IngestedFile file = await uploads.AddAsync("a.csv", "text,label\r\n\"two\r\nlines, \"\"quoted\"\"\",positive\r\nplain,negative\r\n\r\n unlabelled one ,\r\n");

        Assert.Equal([new("two\r\nlines, \"quoted\"", "positive", GivenSplit.None, 0, 2), new("plain", "negative", GivenSplit.None, 0, 4),
            new("unlabelled one", null, GivenSplit.None, 0, 6)], await uploads.RowsAsync(file));
        Assert.Equal([new("films/a.csv", "csv", "utf-8", ",", "text", "label", 3, 0)], file.Parts);
        Assert.Equal((3, 1, 0), (file.Rows, file.Unlabelled, file.Refused));
        Assert.Equal([new("negative", 1), new("positive", 1)], file.Labels);
        Assert.Null(file.Rejects);
        Assert.Empty(file.Warnings);
    }
}
