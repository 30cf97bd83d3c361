using System.Globalization;
using CsCheck;
using Scion.Datasets;
using Scion.Faults;

namespace Scion.Tests.Datasets;

/// <summary>What rows are used for: labels folded, copies and conflicts dropped, test rows held out and nowhere else.</summary>
public sealed class CurateTests
{
    readonly Uploads uploads = new();

    [Fact]
    public async Task Labels_ThatDifferInCaseSpaceOrForm_AreOneClassNamedByTheMostFrequent()
    {
        await uploads.AddAsync("a.csv", "text,label\na,Positive\nb,Positive\nc,positive \nd,POSITIVE\ne,ne\u0301gatif\nf,n\u00E9gatif\ng,NÉGATIF\n");

        CuratedRows data = await uploads.CurateAsync();

        Assert.Equal(["Positive", "négatif"], data.Labels);
        Assert.Equal([new("Positive", 4), new("négatif", 3)], data.Train);
        Assert.Equal(["D314: 2 spellings of label 'négatif' were taken as one class.", "D314: 3 spellings of label 'Positive' were taken as one class."], data.Warnings.Order(StringComparer.Ordinal).Reverse().Order());
    }

    [Fact]
    public async Task Label_RareAmongThousands_IsListedAndItsTextUsedAsUnlabelled()
    {
        await uploads.AddAsync("a.csv", "text,label\n" + Rows(1000) + "misspelt,postive\n");

        CuratedRows data = await uploads.CurateAsync();

        Assert.Equal(["negative", "positive"], data.Labels);
        Assert.Equal(["films/a.csv,1002,D313,The label 'postive' is too rare to be a class; the text is used as unlabelled. Was 'positive' meant?"], await uploads.FindingsAsync(data));
        Assert.Equal(["D313: Label 'postive' has 1 rows, too few for a class; their texts are used as unlabelled. Was 'positive' meant?"], data.Warnings);
        Assert.Equal((RowUse.Unlabelled, null, "misspelt"), (await uploads.UsesAsync(data))[^1]);
        Assert.Equal(1, data.Unlabelled);
    }

    [Fact]
    public async Task Labels_HundredsTooRare_AreCountedBeyondTwentyAndTheirRowsAllListed()
    {
        await uploads.AddAsync("a.csv", "text,label\n" + Rows(1000) + string.Concat(Enumerable.Range(0, 300).Select(i => $"rare {i},number {i}\n")));

        CuratedRows data = await uploads.CurateAsync();

        Assert.Equal(21, data.Warnings.Count);
        Assert.Equal("D313: 280 further labels are too rare for a class; their rows are listed.", data.Warnings[^1]);
        Assert.Equal(300, (await uploads.FindingsAsync(data)).Length);
    }

    [Fact]
    public async Task Label_MisspeltOften_IsKeptAndPointedOut()
    {
        await uploads.AddAsync("a.csv", "text,label\n" + Rows(200) + string.Concat(Enumerable.Range(0, 8).Select(i => $"misspelt {i},postive\n")));

        CuratedRows data = await uploads.CurateAsync();

        Assert.Equal(["negative", "positive", "postive"], data.Labels);
        Assert.Contains("D315: Class 'postive' has 8 rows. Was 'positive' meant? If so, correct them and train again.", data.Warnings);
    }

    [Theory]
    [InlineData("text,label\na,\nb,\n", "D302: None of the 2 reviews has a label. Label at least 2 reviews of each of two classes in a column 'label' (or put .txt files into folders named by the label).")]
    [InlineData("text,label\na,x\nb,X\n", "D303: All 2 labelled reviews have the label 'X'. Add at least 2 reviews of another class; a classifier needs two.")]
    [InlineData("text,label\na,x\nb,x\nc,y\n", "D304: Fewer than two classes have 2 different reviews: 'x' 2, 'y' 1. Label at least 2 different reviews of each of two classes: one to learn from and one to measure with.")]
    [InlineData("text,label\na,x\nb,x\nsame,y\nsame,y\n", "D304: Fewer than two classes have 2 different reviews: 'x' 2, 'y' 1. Label at least 2 different reviews of each of two classes: one to learn from and one to measure with.")]
    [InlineData("text,label,split\na,x,train\nb,x,train\nc,y,test\nd,y,test\n", "D306: Class 'y' has 2 test rows and no training row. Give it training rows, or take it out of the test rows.")]
    [InlineData("text,label\n,x\n", "D301: No review is left to learn from; 1 row or file was refused. Why: films/a.csv, line 2: D108: The text is empty. Correct it, and start again.")]
    [InlineData("%PDF-1.7\n1 0 obj\n", "D301: No review is left to learn from; 1 row or file was refused. Why: films/a.csv: D015: It is a PDF document, not text, whatever its name says. Save it as CSV, UTF-8 (a spreadsheet's 'Save as' offers it), or as plain text. Correct it, and start again.")]
    [InlineData("text,label\n,x\n,y\n", "D301: No review is left to learn from; 2 rows or files were refused. The first: films/a.csv, line 2: D108: The text is empty. See rejects.csv for why each was.")]
    public async Task Data_ThatCannotBeTrainedOn_IsRefusedWithWhatIsNeeded(string content, string message)
    {
        await uploads.AddAsync("a.csv", content);

        InputRejectedException fault = await Assert.ThrowsAsync<InputRejectedException>(uploads.CurateAsync);

        Assert.Equal(message, fault.Message);
    }

    [Fact]
    public async Task Classes_AThousandAndOneMore_AreTrainedAndRefused()
    {
        await uploads.AddAsync("a.csv", "text,label\n" + string.Concat(Enumerable.Range(0, 2000).Select(i => $"text {i},label {i % 1000}\n")));
        CuratedRows data = await uploads.CurateAsync();
        await uploads.AddAsync("b.csv", "text,label\none,another\ntwo,another\n");

        InputRejectedException fault = await Assert.ThrowsAsync<InputRejectedException>(uploads.CurateAsync);

        Assert.Equal(1000, data.Labels.Count);
        Assert.Equal("D305: There are 1001 different labels; at most 1000 classes are trained. Set columns.label to the column that holds classes, or merge labels.", fault.Message);
    }

    [Fact]
    public async Task Copies_AnyOrder_AreUsedOnceAndLabelledOnesWin()
    {
        await uploads.AddAsync("a.csv", "text,label\nsame,\na,x\nb,y\n");
        await uploads.AddAsync("b.csv", "text,label\n same ,x\n\"sa\u006De\",x\nc,y\nlone,\nlone,\n");

        CuratedRows data = await uploads.CurateAsync();

        Assert.Equal([(RowUse.Dropped, "same"), (RowUse.Train, "a"), (RowUse.Train, "b"), (RowUse.Train, "same"), (RowUse.Dropped, "same"),
            (RowUse.Train, "c"), (RowUse.Unlabelled, "lone"), (RowUse.Dropped, "lone")],
            (await uploads.UsesAsync(data)).Select(row => (row.Use, row.Text)));
        Assert.Equal((3, 1, 0), (data.Duplicates, data.Unlabelled, data.Conflicts));
        Assert.Equal(["films/b.csv,3,D311,Labelled 'x'; the same text stands elsewhere with this label and is used there."], await uploads.FindingsAsync(data));
        Assert.Equal(["D311: 3 rows are copies of another row and were dropped."], data.Warnings);
    }

    [Fact]
    public async Task Copies_ThatDifferInWhiteSpaceOrUnicodeForm_AreCopies()
    {
        await uploads.AddAsync("a.csv", "text,label\n\"cafe\u0301  two\r\nlines\",x\n\"café two\nlines\",x\n\"café two lines\",x\nb,x\nc,y\nd,y\n");

        Assert.Equal(2, (await uploads.CurateAsync()).Duplicates);
    }

    [Fact]
    public async Task Conflicts_SameTextTwoLabels_AreAllDroppedAndListed()
    {
        await uploads.AddAsync("a.csv", "text,label\nodd,x\na,x\nb,x\nc,y\nd,y\nodd,y\nodd,\n");

        CuratedRows data = await uploads.CurateAsync();

        Assert.Equal((2, 1), (data.Conflicts, data.Duplicates));
        Assert.Equal(["films/a.csv,2,D312,\"Labelled 'x'; the same text stands elsewhere with another label, so neither is used. Correct one.\"",
            "films/a.csv,7,D312,\"Labelled 'y'; the same text stands elsewhere with another label, so neither is used. Correct one.\""], await uploads.FindingsAsync(data));
        Assert.Equal(4, data.Train.Sum(label => label.Rows));
    }

    [Fact]
    public async Task GivenSplit_TwinsOfTestRows_AreNeitherTrainedOnNorReadUnlabelled()
    {
        await uploads.AddAsync("a.csv", "text,label,split\ntwin,x,train\ntwin,,\na,x,train\nb,y,\nc,y,train\nonly,,test\n");
        await uploads.AddAsync("b.csv", "text,label,split\ntwin,x,test\ne,y,test\n");

        CuratedRows data = await uploads.CurateAsync();

        Assert.Equal([RowUse.Dropped, RowUse.Dropped, RowUse.Train, RowUse.Train, RowUse.Train, RowUse.Dropped, RowUse.Test, RowUse.Test],
            (await uploads.UsesAsync(data)).Select(row => row.Use));
        Assert.Equal(Protocol.GivenSplit, data.Protocol);
        Assert.Equal([new("x", 1), new("y", 2)], data.Train);
        Assert.Equal([new("x", 1), new("y", 1)], data.Test);
        Assert.Equal(["D311: 2 rows are copies of another row and were dropped.", "D317: 2 rows have the text of a test row and were dropped, so that nothing is measured on what was learned.",
            "D318: 1 test rows have no label and are not used."], data.Warnings);
    }

    [Fact]
    public async Task GivenSplit_ClassWithoutTestRows_SaysSo()
    {
        await uploads.AddAsync("a.csv", "text,label,split\na,x,train\nb,x,test\nc,y,train\nd,y,train\n");

        Assert.Contains("D316: Class 'y' has 2 training rows and no test row, so nothing is measured about it. Add rows of it.", (await uploads.CurateAsync()).Warnings);
    }

    [Fact]
    public async Task Labels_BelowAHundred_AreCrossValidated()
    {
        await uploads.AddAsync("a.csv", "text,label\n" + Rows(99));

        CuratedRows data = await uploads.CurateAsync();

        Assert.Equal((Protocol.CrossValidation, 99L, 0L), (data.Protocol, data.Train.Sum(label => label.Rows), data.Test.Sum(label => label.Rows)));
    }

    [Fact]
    public async Task HashSplit_RowsAreAdded_HoldsOutItsShareAndNeverMoves()
    {
        await uploads.AddAsync("b.csv", "text,label\n" + Rows(2000));
        CuratedRows before = await uploads.CurateAsync();
        Dictionary<string, RowUse> uses = (await uploads.UsesAsync(before)).ToDictionary(row => row.Text, row => row.Use);
        await uploads.AddAsync("a.csv", "text,label\n" + Rows(2000, from: 5000));

        CuratedRows after = await uploads.CurateAsync();

        Assert.Equal(Protocol.HashSplit, before.Protocol);
        Assert.InRange(before.Test.Sum(label => label.Rows), 340, 460);                 // 400 ± 3.3 standard deviations
        Assert.All((await uploads.UsesAsync(after)).Where(row => uses.ContainsKey(row.Text)), row => Assert.Equal(uses[row.Text], row.Use));
    }

    [Fact]
    public async Task HashSplit_KnownTexts_IsFixedForGood()
    {
        await uploads.AddAsync("a.csv", "text,label\n" + Rows(100));

        IEnumerable<string> test = (await uploads.UsesAsync(await uploads.CurateAsync())).Where(row => row.Use == RowUse.Test).Select(row => row.Text);

        // By another program: the first 8 bytes of sha256("review number 0") and so on, below 0.2 · 2⁶⁴. A change here would move rows between training and test.
        Assert.Equal("review number 0 review number 2 review number 6 review number 11 review number 13", string.Join(' ', test.Take(5)));
        Assert.Equal(24, test.Count());
    }

    [Fact]
    public async Task HashSplit_ClassThatWouldHaveNoTrainingRow_TrainsOnAllItsRows()
    {
        string[] held = [.. Enumerable.Range(0, 1000).Select(i => $"rare text {i}").Where(text => System.Security.Cryptography.SHA256.HashData(Uploads.Utf8.GetBytes(text))[0] < 0x30).Take(3)];
        await uploads.AddAsync("a.csv", "text,label\n" + Rows(200) + string.Concat(held.Select(text => $"{text},rare\n")));

        CuratedRows data = await uploads.CurateAsync();

        Assert.Equal((3, 0), (data.Train.Single(label => label.Label == "rare").Rows, data.Test.Single(label => label.Label == "rare").Rows));
        Assert.Contains(data.Warnings, warning => warning.StartsWith("D316: Class 'rare'", StringComparison.Ordinal));
    }

    [Fact]
    public void Rows_OfAnyKind_AreUsedAsThePlainRulesSay() =>
        Gen.Select(Gen.Int[0, 7], Gen.Int[0, 3], Gen.Int[0, 2]).Array[8, 40].Sample(rows =>
        {
            Uploads any = new() { Settings = new() { Split = new() { CrossValidateBelow = 0 } } };
            int cut = rows.Length / 2;
            string Csv(IEnumerable<(int Text, int Label, int Split)> part) => "text,label,split\n" + string.Concat(part.Select(row =>
                $"text {row.Text},{(row.Label == 0 ? "" : row.Label == 1 ? "x" : row.Label == 2 ? "Y " : "y")},{(row.Split == 0 ? "" : row.Split == 1 ? "train" : "test")}\n"));
            any.AddAsync("a.csv", Csv(rows[..cut])).GetAwaiter().GetResult();
            any.AddAsync("b.csv", Csv(rows[cut..])).GetAwaiter().GetResult();
            CuratedRows data;
            try
            {
                data = any.CurateAsync().GetAwaiter().GetResult();
            }
            catch (InputRejectedException e)
            {
                Assert.Contains(e.Code, (string[])["D302", "D303", "D304", "D306"]);
                return;
            }

            IReadOnlyList<(RowUse Use, string? Class, string Text)> uses = any.UsesAsync(data).GetAwaiter().GetResult();

            for (int text = 0; text < 8; text++)
            {
                int[] copies = [.. Enumerable.Range(0, rows.Length).Where(i => rows[i].Item1 == text)];
                int[] labelled = [.. copies.Where(i => rows[i].Item2 > 0)];
                int classes = labelled.Select(i => rows[i].Item2 == 1 ? 0 : 1).Distinct().Count();
                int[] used = [.. copies.Where(i => uses[i].Use != RowUse.Dropped)];
                if (classes == 2) Assert.Empty(used);
                else if (classes == 1)
                {
                    int[] tests = [.. labelled.Where(i => rows[i].Item3 == 2)];
                    Assert.Equal([(tests.Length > 0 ? tests : labelled)[0]], used);
                    Assert.Equal(rows[used[0]].Item2 == 1 ? "X" : "Y", uses[used[0]].Class?.ToUpperInvariant() ?? "none");
                    if (tests.Length > 0) Assert.Equal(RowUse.Test, uses[used[0]].Use);
                }
                else
                {
                    Assert.Equal(copies.Where(i => rows[i].Item3 != 2).Take(1), used);
                    Assert.All(used, i => Assert.Equal(RowUse.Unlabelled, uses[i].Use));
                }
            }
            Assert.Equal(uses.Count(row => row.Use == RowUse.Dropped), data.Duplicates + data.Conflicts + data.Warnings.Where(w => w.StartsWith("D318", StringComparison.Ordinal))
                .Select(w => long.Parse(w.Split(' ')[1], CultureInfo.InvariantCulture)).Sum());
        }, iter: 500);

    [Fact]
    public void Files_InOtherOrder_HaveTheSameSplitLabelsAndCounts() => Gen.Select(Gen.Int[0, 30], Gen.Int[0, 2]).Array[120, 200].Sample(rows =>
    {
        Uploads one = new() { Settings = new() { Split = new() { CrossValidateBelow = 5 } } }, other = new() { Settings = one.Settings };
        string[] files = [.. rows.Chunk(50).Select((chunk, c) => "text,label\n" + string.Concat(chunk.Select((row, i) => $"text {row.Item1} {(row.Item1 < 5 ? i : c)},{(row.Item2 == 0 ? "" : $"class {(row.Item1 + c) % 2}")}\n")))];
        for (int i = 0; i < files.Length; i++) one.AddAsync($"{i}.csv", files[i]).GetAwaiter().GetResult();
        for (int i = files.Length - 1; i >= 0; i--) other.AddAsync($"{i}.csv", files[i]).GetAwaiter().GetResult();

        CuratedRows a = one.CurateAsync().GetAwaiter().GetResult(), b = other.CurateAsync().GetAwaiter().GetResult();

        Assert.Equal(a.Labels, b.Labels);
        Assert.Equal([.. a.Train, .. a.Test], (LabelCount[])[.. b.Train, .. b.Test]);
        Assert.Equal(a.Protocol, b.Protocol);
        Assert.Equal((a.Duplicates, a.Conflicts, a.Unlabelled), (b.Duplicates, b.Conflicts, b.Unlabelled));
        Assert.Equal(Used(one, a), Used(other, b));

        static IEnumerable<(RowUse, string?, string)> Used(Uploads uploads, CuratedRows data) =>
            uploads.UsesAsync(data).GetAwaiter().GetResult().Where(row => row.Use != RowUse.Dropped).OrderBy(row => row.Text, StringComparer.Ordinal);
    }, iter: 50);

    static string Rows(int count, int from = 0) =>
        string.Concat(Enumerable.Range(from, count).Select(i => $"review number {i},{(i % 2 == 0 ? "positive" : "negative")}\n"));
}
