using System.Globalization;
using System.Text;
using Scion.Datasets;
using Scion.Pipelines;
using Scion.Storage;

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

    [Theory]
    [InlineData("text,label\na b,x\nc d,y\n", ",")]
    [InlineData("text;label\na, b;x\nc, d;y\n", ";")]
    [InlineData("text\tlabel\na, b\tx\nc; d\ty\n", "\t")]
    [InlineData("text|label\na, b|x\nc; d|y\n", "|")]
    [InlineData("review;note;sentiment\na, b;;x\nc, d;;y\n", ";")]
    public async Task Csv_AnyDelimiter_IsDetectedAndReported(string content, string delimiter)
    {
        IngestedFile file = await uploads.AddAsync("a.csv", content);

        Assert.Equal((2, 0, delimiter), (file.Rows, file.Refused, file.Parts[0].Delimiter));
        Assert.Equal([new("x", 1), new("y", 1)], file.Labels);
    }

    [Theory]
    [InlineData("\n")]
    [InlineData("\r\n")]
    [InlineData("\r")]
    public async Task Csv_AnyLineEnd_IsReadWithLineNumbers(string end)
    {
        IngestedFile file = await uploads.AddAsync("a.csv", string.Join(end, "text,label", "\"one" + end + "more\",x", "two,y", "only one field", "three,x"));

        Assert.Equal([2, 4, 6], (await uploads.RowsAsync(file)).Select(row => row.Line));
        Assert.Equal(["D107@5"], await uploads.CodesAsync(file));
    }

    [Fact]
    public async Task Csv_ColumnsSet_AreUsedBeforeUsualNames()
    {
        Uploads set = new() { Settings = new() { Columns = new(Text: "Verdict Text", Label: "stars given") } };

        IngestedFile file = await set.AddAsync("a.csv", "text,verdict text,stars given\nwrong,right,5\n");

        Assert.Equal([new("right", "5", GivenSplit.None, 0, 2)], await set.RowsAsync(file));
    }

    [Fact]
    public async Task Csv_ColumnSetThatIsAbsent_IsRefusedWithTheColumnsFound()
    {
        Uploads set = new() { Settings = new() { Columns = new(Label: "mood") } };

        IngestedFile file = await set.AddAsync("a.csv", "text,label\na,b\n");

        Assert.Equal(["films/a.csv,,D005,\"It has no column 'mood', which columns.label names; it has 'text', 'label'. Correct columns.label, or leave it out to find the column by its usual names.\""],
            await set.RejectsAsync(file));
        Assert.Equal((0, 1), (file.Rows, file.Refused));
    }

    [Fact]
    public async Task Csv_NoTextColumn_IsRefusedWithTheColumnsFoundAndTheSetting()
    {
        IngestedFile file = await uploads.AddAsync("a.csv", "id,mood,when\n1,x,y\n");

        Assert.Equal("films/a.csv,,D004,\"No column is known to hold the text; it has 'id', 'mood', 'when', parted by ','. " +
            "Name the column: \"\"columns\"\": {\"\"text\"\": \"\"…\"\", \"\"label\"\": \"\"…\"\"} in dataset.json, or --set columns.text=…; " +
            "'#1' is the first column of a file without a header.\"", Assert.Single(await uploads.RejectsAsync(file)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n\n\r\n")]
    public async Task Csv_Empty_IsRefused(string content) =>
        Assert.Equal(["D002"], await uploads.CodesAsync(await uploads.AddAsync("a.csv", content)));

    [Theory]
    [InlineData("text,label")]
    [InlineData("text,label\r\n")]
    public async Task Csv_HeaderOnly_IsRefused(string content) =>
        Assert.Equal(["films/a.csv,,D003,\"It has a header ('text', 'label') and no row. Add a row for each review.\""],
            await uploads.RejectsAsync(await uploads.AddAsync("a.csv", content)));

    [Fact]
    public async Task Csv_NoLabelColumn_IsUnlabelledAndSaysSo()
    {
        IngestedFile file = await uploads.AddAsync("a.csv", "id,text\n1,one\n2,two\n");

        Assert.Equal((2, 2), (file.Rows, file.Unlabelled));
        Assert.Equal(["D204: films/a.csv has no label column among 'id', 'text'; its rows are unlabelled. Set columns.label if one of them is the label."], file.Warnings);
    }

    [Theory]
    [InlineData("a fine film indeed,positive\na bad film indeed,negative\nquite good I think,positive\n")]
    [InlineData("positive,a fine film indeed\nnegative,a bad film indeed\npositive,quite good I think\n")]
    public async Task Csv_TwoColumnsWithoutHeader_AreToldApartAndReported(string content)
    {
        IngestedFile file = await uploads.AddAsync("a.csv", content);

        Assert.Equal((3, 0), (file.Rows, file.Refused));
        Assert.Equal([new("negative", 1), new("positive", 2)], file.Labels);
        Assert.StartsWith("D202: films/a.csv has no header that is known; the text is taken from column ", Assert.Single(file.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Csv_ColumnsByPosition_ReadAFileWithoutHeader()
    {
        Uploads set = new() { Settings = new() { Columns = new(Text: "#3", Label: "#1") } };

        IngestedFile file = await set.AddAsync("a.csv", "4,2009,so good\n0,2010,so bad\n");

        Assert.Equal([new("so good", "4", GivenSplit.None, 0, 1), new("so bad", "0", GivenSplit.None, 0, 2)], await set.RowsAsync(file));
    }

    [Fact]
    public async Task Csv_OneColumnWithoutKnownName_IsTheText()
    {
        IngestedFile named = await uploads.AddAsync("a.csv", "opinions\ngood, very good\nbad\n"), bare = await uploads.AddAsync("b.csv", "it was good\nit was bad\n");

        Assert.Equal((2, 0, 2, 0), (named.Rows, named.Refused, bare.Rows, bare.Refused));
        Assert.StartsWith("D203", named.Warnings[0], StringComparison.Ordinal);
        Assert.StartsWith("D202", bare.Warnings[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Csv_UnterminatedQuoteInLineTwo_NamesItsLineAndKeepsTheOtherRows()
    {
        StringBuilder content = new("text,label\n\"opened here and never closed,positive\n");
        for (int i = 0; i < 40_000; i++) content.Append(CultureInfo.InvariantCulture, $"row number {i} of a long file whose rows are sound,{(i % 2 == 0 ? "positive" : "negative")}\n");

        IngestedFile file = await uploads.AddAsync("a.csv", content.ToString());

        Assert.Equal(40_000, file.Rows);
        Assert.Equal(["films/a.csv,2,D103,\"A quoted field that opens in line 2 is not closed before a delimiter or line end. Close it, and double the quotes inside it.\""],
            await uploads.RejectsAsync(file));
        Assert.Equal(3, (await uploads.RowsAsync(file))[0].Line);
    }

    [Fact]
    public async Task Csv_QuoteInsideAQuotedField_LosesThatRowAndNotTheNext()
    {
        IngestedFile file = await uploads.AddAsync("a.csv", "text,label\n\"he said \"well\" twice\",x\n\"sound, this one\",y\n\"first line\nsecond \"odd\" line\nthird line\",x\nsound,y\n");

        Assert.Equal(["sound, this one", "sound"], (await uploads.RowsAsync(file)).Select(row => row.Text));
        Assert.Equal(["D103@2", "D103@4", "D103@5", "D103@6"], await uploads.CodesAsync(file));
    }

    [Fact]
    public async Task Csv_RaggedRows_AreRefusedWithCountsAndDelimiter()
    {
        IngestedFile file = await uploads.AddAsync("a.csv", "text,label\na,b,c\nalone\ngood,x\ntrailing,y,,\n");

        Assert.Equal(["good", "trailing"], (await uploads.RowsAsync(file)).Select(row => row.Text));
        Assert.Equal(["films/a.csv,2,D107,\"The row has 3 fields and the header 2, parted by ','. Put text that holds the delimiter between quotes.\"",
            "films/a.csv,3,D107,\"The row has 1 fields and the header 2, parted by ','. Put text that holds the delimiter between quotes.\""], await uploads.RejectsAsync(file));
    }

    [Fact]
    public async Task Csv_OversizeFieldsColumnsAndLines_AreRefusedAndTheOthersRead()
    {
        StringBuilder content = new("text,label,note\n");
        content.Append('a', (1 << 20) + 1).Append(",x,\n");                           // field
        content.Append('b', 1 << 20).Append(",x,\n");                                 // just allowed
        content.Append("c,x,").Append(',', 1030).Append('\n');                        // columns
        content.Append("d,x,").Append('z', 9 << 20).Append('\n');                     // row
        content.Append("e,x,\"").Append('q', 3 << 20).Append("\"\n");                 // quoted field
        content.Append("sound,y,\n");

        IngestedFile file = await uploads.AddAsync("a.csv", content.ToString());

        Assert.Equal([1 << 20, 5], (await uploads.RowsAsync(file)).Select(row => row.Text.Length));
        Assert.Equal(["D104@2", "D105@4", "D106@5", "D103@6"], await uploads.CodesAsync(file));
    }

    [Fact]
    public async Task Csv_NulEmptyTextLongLabelAndWrongSplit_AreRefusedRowByRow()
    {
        IngestedFile file = await uploads.AddAsync("a.csv",
            "text,label,split\na\0b,x,train\n  \u200B ,x,train\ngood," + new string('l', 129) + ",train\ngood,x,valid\nfine,x,TRAIN\nfine too,y,test\nno split,y,\n");

        Assert.Equal(["D102@2", "D108@3", "D109@4", "D110@5"], await uploads.CodesAsync(file));
        Assert.Equal([GivenSplit.Train, GivenSplit.Test, GivenSplit.None], (await uploads.RowsAsync(file)).Select(row => row.Split));
        Assert.Contains("A NUL at offset 18.", (await uploads.RejectsAsync(file))[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Csv_TextAndLabels_AreComposedAndTrimmed()
    {
        IngestedFile file = await uploads.AddAsync("a.csv", "text,label\n\u00A0cafe\u0301 \u2014 tre\u0300s bon\u3000,bie\u0301n \n");

        Assert.Equal([new("caf\u00E9 \u2014 tr\u00E8s bon", "bi\u00E9n", GivenSplit.None, 0, 2)], await uploads.RowsAsync(file));
    }

    [Fact]
    public async Task Csv_FormulasInColumnNames_AreHarmlessInTheListOfRefusals()
    {
        IngestedFile file = await uploads.AddAsync("=cmd.csv", "id,when,what\n1,2,3\n");

        Assert.StartsWith("films/=cmd.csv,,D004,", Assert.Single(await uploads.RejectsAsync(file)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Csv_TenThousandLabels_AreNoLabels()
    {
        string rows = string.Concat(Enumerable.Range(0, 10_001).Select(i => $"text {i},label {i}\n"));

        IngestedFile file = await uploads.AddAsync("a.csv", "text,label\n" + rows);

        Assert.Equal((0, 0, 1), (file.Rows, file.Shards.Count, file.Refused));
        Assert.Equal(["D010"], await uploads.CodesAsync(file));
    }

    [Fact]
    public async Task Csv_MoreRefusalsThanAreListed_AreCountedInALastLine()
    {
        IngestedFile file = await uploads.AddAsync("a.csv", "text,label\ngood,x\n" + string.Concat(Enumerable.Repeat("a,b,c\n", RejectLog.MaxLines + 7)));

        string[] lines = await uploads.RejectsAsync(file);
        Assert.Equal(RejectLog.MaxLines + 1, lines.Length);
        Assert.Equal("films/a.csv,,D199,7 more refusals are counted and not listed. By code: D107 7.", lines[^1]);
        Assert.Equal(RejectLog.MaxLines + 7, file.Refused);
    }

    [Fact]
    public async Task Csv_LargerThanAShard_IsPartedAndKeepsItsOrder()
    {
        string filler = new('x', 1000);
        IngestedFile file = await uploads.AddAsync("a.csv", "text,label\n" + string.Concat(Enumerable.Range(0, 40_000).Select(i => $"{i} {filler},{i % 3}\n")));

        IReadOnlyList<ReviewRow> rows = await uploads.RowsAsync(file);

        Assert.Equal(3, file.Shards.Count);
        Assert.All(file.Shards, shard => Assert.InRange(shard.Rows.Length, 1, ReviewShard.MaxBytes));
        Assert.Equal(Enumerable.Range(0, 40_000), rows.Select(row => int.Parse(row.Text.Split(' ')[0], CultureInfo.InvariantCulture)));
        Assert.Equal(file.Shards.Sum(shard => shard.RowCount), rows.Count);
    }

    [Fact]
    public async Task Tsv_TabsAndCommas_AreReadByTab()
    {
        IngestedFile file = await uploads.AddAsync("a.TSV", "text\tlabel\na, b; c\tx\n");

        Assert.Equal([new("films/a.TSV", "tsv", "utf-8", "\t", "text", "label", 1, 0)], file.Parts);
    }

    [Theory]
    [InlineData("a.pdf")]
    [InlineData("readme")]
    [InlineData("a.xlsx.gz")]
    public async Task File_OfAnotherType_IsRefusedAndNotSkipped(string name)
    {
        IngestedFile file = await uploads.AddAsync(name, "%PDF");

        Assert.Equal(["D001"], await uploads.CodesAsync(file));
        Assert.Equal((0, 1), (file.Rows, file.Refused));
    }

    [Fact]
    public async Task Txt_OneReviewALine_IsUnlabelledUnlessItsFolderSaysOtherwise()
    {
        IngestedFile loose = await uploads.AddAsync("a.txt", "one\r\n\r\ntwo\n"), labelled = await uploads.AddAsync("positive/b.txt", "three\n"),
            split = await uploads.AddAsync("test/negative/c.txt", "four"), unlabelled = await uploads.AddAsync("Unlabelled/d.txt", "five");

        Assert.Equal([new("one", null, GivenSplit.None, 0, 1), new("two", null, GivenSplit.None, 0, 3)], await uploads.RowsAsync(loose));
        Assert.Equal([new("three", "positive", GivenSplit.None, 0, 1)], await uploads.RowsAsync(labelled));
        Assert.Equal([new("four", "negative", GivenSplit.Test, 0, 1)], await uploads.RowsAsync(split));
        Assert.Equal([new("five", null, GivenSplit.None, 0, 1)], await uploads.RowsAsync(unlabelled));
        Assert.Equal([new("films/a.txt", "txt", "utf-8", null, null, null, 2, 0)], loose.Parts);
    }

    [Fact]
    public async Task File_ReplacedByOtherBytes_FailsTheRunAndBySameBytesDoesNot()
    {
        PinnedFile pinned = new("reviews", "films/a.csv", "an older version", 19, Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData("text,label\ngood,x\n..."u8[..19])));
        uploads.Store.Tamper("reviews/films/a.csv", "text,label\ngood,x\n..."u8[..19].ToArray());
        IngestReviewsStep step = new(new StepMemo(uploads.Store));

        IngestedFile same = await step.RunAsync(new(pinned, new()), null, default);
        Faults.InputRejectedException other = await Assert.ThrowsAsync<Faults.InputRejectedException>(
            () => step.RunAsync(new(pinned with { Sha256 = new string('0', 64) }, new()), null, default));

        Assert.Equal(1, same.Rows);
        Assert.Equal("D014: 'films/a.csv' was deleted or replaced after the run began. Start training again, which reads what is there now.", other.Message);
    }

    [Fact]
    public async Task Ingest_OtherSettingsOfTraining_DoNotReadTheFileAgain()
    {
        IngestedFile first = await uploads.AddAsync("a.csv", "text,label\ngood,x\n");
        int blobs = uploads.Store.Content.Count;
        Uploads other = new() { Settings = new() { Seed = 2 } };
        PinnedFile pinned = new("reviews", "films/a.csv", "any", 18, Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData("text,label\ngood,x\n"u8)));

        IngestedFile again = await new IngestReviewsStep(new StepMemo(uploads.Store)).RunAsync(new(pinned, other.Settings), null, default);

        Assert.Equal(first.Shards, again.Shards);
        Assert.Equal(blobs, uploads.Store.Content.Count);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Ingest_AnyStorageOperationFails_IsRepeatedToTheSameAnswer(bool done)
    {
        byte[] zip = Zips.Of(new ZipPart("pos/a.txt", "one\ntwo"), new("b.csv", "text,label\nthree,pos\nragged\n"));
        IngestedFile sound = await uploads.AddAsync("a.zip", zip);
        PinnedFile pinned = new("reviews", "films/a.zip", "", zip.Length, Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(zip)));
        for (int failing = 1; ; failing++)
        {
            InMemoryBlobStore store = new();
            store.Tamper("reviews/films/a.zip", zip);
            FailingBlobStore faulty = new(store, failing, done);
            IngestReviewsInput input = new(pinned with { ETag = (await store.FindAsync(BlobPath.Of("reviews", "films/a.zip"), default))!.ETag }, new());
            try
            {
                await new IngestReviewsStep(new StepMemo(faulty)).RunAsync(input, null, default);
            }
            catch (Faults.TransientStorageException)
            {
            }

            IngestedFile repeated = await new IngestReviewsStep(new StepMemo(store)).RunAsync(input, null, default);

            Assert.Equal(sound.Shards, repeated.Shards);
            Assert.Equal(sound.Rejects, repeated.Rejects);
            if (faulty.Count < failing) break;
        }
    }

    [Fact]
    public async Task Ingest_LargeFile_ReportsBytesUpToItsLength()
    {
        byte[] content = Encoding.UTF8.GetBytes("text,label\n" + string.Concat(Enumerable.Repeat("a review of some words,x\n", 200_000)));
        uploads.Store.Tamper("reviews/films/a.csv", content);
        PinnedFile pinned = new("reviews", "films/a.csv", "?", content.Length, Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(content)));
        List<StepProgress> told = [];

        await new IngestReviewsStep(new StepMemo(uploads.Store)).RunAsync(new(pinned, new()), new Reports(told), default);

        Assert.Equal(told.Select(report => report.Done).Order(), told.Select(report => report.Done));
        Assert.InRange(told.Count, 4, 20);
        Assert.Equal(new StepProgress("IngestReviews", content.Length, content.Length, "bytes"), told[^1]);
    }

    sealed class Reports(List<StepProgress> told) : IProgress<StepProgress>
    {
        public void Report(StepProgress value) => told.Add(value);
    }
}
