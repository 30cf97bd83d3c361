using System.Diagnostics;
using System.Globalization;
using System.Text;
using CsCheck;
using Scion.Datasets;

namespace Scion.Tests.Datasets;

/// <summary>Archives, well-meant and hostile.</summary>
public sealed class IngestZipsTests
{
    readonly Uploads uploads = new();

    [Fact]
    public async Task Zip_LabelFoldersAsImdbHasThem_GiveLabelsAndSplits()
    {
        IngestedFile file = await uploads.AddAsync("a.zip", Zips.Of(
            new ZipPart("aclImdb/", ""), new("aclImdb/train/pos/1_9.txt", "good"), new("aclImdb/train/neg/2_1.txt", "bad"), new("aclImdb/train/unsup/3_0.txt", "so"),
            new("aclImdb/test/pos/4_8.txt", "fine"), new("top.txt", "plain"), new("table.csv", "text,label\nrow one,pos\nrow two,\n")));

        Assert.Equal([("good", "pos", GivenSplit.Train), ("bad", "neg", GivenSplit.Train), ("so", null, GivenSplit.Train), ("fine", "pos", GivenSplit.Test), ("plain", null, GivenSplit.None),
            ("row one", "pos", GivenSplit.None), ("row two", null, GivenSplit.None)], (await uploads.RowsAsync(file)).Select(row => (row.Text, row.Label, row.Split)));
        Assert.Equal((7, 0, 6), (file.Rows, file.Refused, file.Parts.Count));
        Assert.Equal([0, 1, 2, 3, 4, 5, 5], (await uploads.RowsAsync(file)).Select(row => row.File));
        Assert.Equal("aclImdb/train/pos/1_9.txt", file.Parts[0].Name);
        Assert.Empty(file.Warnings);
    }

    [Fact]
    public async Task Zip_OneBadEntryOfEachKind_IsRefusedAloneAndTheOthersAreRead()
    {
        byte[] text = "text,label\na,b\n"u8.ToArray();
        IngestedFile file = await uploads.AddAsync("a.zip", Zips.Of(
            new ZipPart("good.csv", text), new("encrypted.csv", text) { Flags = 0x801 }, new("link.csv", "../../etc/passwd") { Attributes = 0xA1FF0000, Method = 0 },
            new("device.csv", text) { Attributes = 0x21B60000 }, new("lzma.csv", text) { Method = 14, Data = [1, 2, 3] }, new("crc.csv", text) { Crc = 0xDEADBEEF },
            new("short.csv", text) { Length = 10 }, new("long.csv", text) { Length = 5000 }, new("garbage.csv", text) { Data = [0xFF, 0xFF, 0xFF, 0xFF] },
            new("inner.zip", Zips.Of(new ZipPart("x.csv", text))), new("inner.csv.gz", Uploads.Gzip(text)), new("picture.png", "\u0089PNG"), new("renamed.csv", text) { LocalName = "another.csv" },
            new("method.csv", text) { LocalMethod = 0 }, new("empty.csv", ""), new("notext.csv", "id,when\n1,2\n"), new("stored.csv", text) { Method = 0 }, new("exec.csv", text) { Attributes = 0x81ED0000 }));

        Assert.Equal(["films/a.zip/encrypted.csv D021", "films/a.zip/link.csv D022", "films/a.zip/device.csv D022", "films/a.zip/lzma.csv D023", "films/a.zip/crc.csv D024",
            "films/a.zip/short.csv D024", "films/a.zip/long.csv D024", "films/a.zip/garbage.csv D024", "films/a.zip/inner.zip D009", "films/a.zip/inner.csv.gz D009", "films/a.zip/picture.png D001",
            "films/a.zip/renamed.csv D025", "films/a.zip/method.csv D025", "films/a.zip/empty.csv D002", "films/a.zip/notext.csv D004"],
            PlainCsv.Read(string.Join('\n', await uploads.RejectsAsync(file)) + "\n", ',').Select(line => $"{line[0]} {line[2]}"));
        Assert.Equal(["good.csv", "stored.csv", "exec.csv"], file.Parts.Where(part => part.Rows > 0).Select(part => part.Name));
        Assert.Equal(3, file.Rows);
    }

    [Fact]
    public async Task Zip_NamesOfTensOfThousandsOfMarks_TakeNoQuadraticTime()
    {
        string marks = string.Concat(Enumerable.Repeat("\u0316\u0301", 16_000));
        ZipPart[] parts = [.. Enumerable.Range(0, 40).Select(i => new ZipPart($"{i}{marks}.csv", "text,label\na,b\n"))];
        Stopwatch watch = Stopwatch.StartNew();

        IngestedFile file = await uploads.AddAsync("a.zip", Zips.Of(parts));

        Assert.Equal(40, file.Rows);
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(10), $"It took {watch.Elapsed}.");
    }

    [Fact]
    public async Task Zip_WrongCrcOfALargeEntry_TakesItsRowsBackAndKeepsTheOthers()
    {
        StringBuilder large = new("text,label\n");
        Random random = new(1);
        for (int i = 0; i < 60_000; i++) large.Append(CultureInfo.InvariantCulture, $"{i} {random.NextInt64()} {random.NextInt64()} {random.NextInt64()} {random.NextInt64()} {random.NextInt64()} {random.NextInt64()} {random.NextInt64()} {random.NextInt64()},large\n");
        ZipPart damaged = new("b.csv", large.ToString()) { Crc = 1 };
        Assert.True(damaged.Content.Length > 9 << 20);

        IngestedFile file = await uploads.AddAsync("a.zip", Zips.Of(new ZipPart("a.csv", "text,label\nbefore,x\n"), damaged, new("c.csv", "text,label\nafter,y\n")));
        IngestedFile sound = await uploads.AddAsync("b.zip", Zips.Of(new ZipPart("a.csv", "text,label\nbefore,x\n"), damaged with { Crc = null }, new("c.csv", "text,label\nafter,y\n")));

        Assert.Equal(["before", "after"], (await uploads.RowsAsync(file)).Select(row => row.Text));
        Assert.Equal([new("x", 1), new("y", 1)], file.Labels);
        Assert.Equal(["D024"], await uploads.CodesAsync(file));
        Assert.Equal(60_002, sound.Rows);
    }

    [Theory]
    [InlineData("../../evil.csv")]
    [InlineData("/etc/cron.d/x.csv")]
    [InlineData("C:\\windows\\x.csv")]
    [InlineData("a\\..\\b.csv")]
    [InlineData("%2e%2e/x.csv")]
    [InlineData("a\r\nb\u202Ecsv.csv")]
    [InlineData("\u0000.csv")]
    public async Task Zip_HostileNames_AreDataAndNeverPlaces(string name)
    {
        IngestedFile file = await uploads.AddAsync("a.zip", Zips.Of(new ZipPart(name, "text,label\ngood,x\nbad\n")));

        Assert.Equal((1, 1), (file.Rows, file.Refused));
        Assert.DoesNotContain(uploads.Store.Content, blob => blob.Path.Contains("evil", StringComparison.Ordinal) || blob.Path.Contains("cron", StringComparison.Ordinal));
        Assert.Single(await uploads.RejectsAsync(file));                        // the name cannot break the list's lines
        Assert.Equal(name, file.Parts[0].Name);
    }

    [Fact]
    public async Task Zip_OverlappingEntries_AreRefusedAtOnce()
    {
        byte[] content = Enumerable.Repeat((byte)'a', 1 << 20).ToArray();
        ZipPart kernel = new("0.txt", content);
        byte[] zip = Zips.Write([kernel, .. Enumerable.Range(1, 500).Select(i => new ZipPart($"{i}.txt", content) { Data = [],
            Compressed = (uint)Zips.Deflate(content).Length, Offset = 0 })]);
        Stopwatch clock = Stopwatch.StartNew();

        IngestedFile file = await uploads.AddAsync("a.zip", zip);

        Assert.Equal(["D013"], await uploads.CodesAsync(file));
        Assert.Equal(0, file.Rows);
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(5), $"{clock.Elapsed}");
    }

    [Fact]
    public async Task Zip_OverlapThatTheSumDoesNotTell_IsRefusedToo()
    {
        IngestedFile file = await uploads.AddAsync("a.zip", Zips.Of(new ZipPart("a.txt", "one and more") { Method = 0 }, new("a.txt", "two") { Method = 0, Data = [], Offset = 0, Compressed = 3 }));

        Assert.Equal(["D013"], await uploads.CodesAsync(file));
    }

    [Theory]
    [InlineData(4)]
    [InlineData(300)]
    public async Task Zip_EntryThatExpandsTooFar_StopsEarly(int mebibytes)
    {
        byte[] content = new byte[mebibytes << 20];
        Array.Fill(content, (byte)'a');
        for (int i = 1000; i < content.Length; i += 1000) content[i] = (byte)'\n';
        byte[] zip = Zips.Of(new ZipPart("bomb.txt", content), new("good.txt", "good"));

        IngestedFile file = await uploads.AddAsync("a.zip", zip);

        Assert.Equal(["D008"], await uploads.CodesAsync(file));
        Assert.Equal(["good"], (await uploads.RowsAsync(file)).Select(row => row.Text));
        string reason = Assert.Single(await uploads.RejectsAsync(file));
        Assert.InRange(int.Parse(reason.Split("expand to more than ")[1].Split(';')[0], CultureInfo.InvariantCulture), 1 << 20, 8 << 20);
    }

    [Fact]
    public async Task Zip_DamagedStructure_IsRefusedAsAWhole()
    {
        ZipPart[] parts = [new("a.csv", "text,label\na,b\n"), new("b.csv", "text,label\na,b\n")];
        byte[] sound = Zips.Of(parts);
        Dictionary<string, byte[]> damaged = new()
        {
            ["cut"] = sound[..^10],
            ["after"] = Zips.Write(parts, after: [1, 2, 3]),
            ["before"] = Zips.Write(parts, before: "MZ polyglot"u8.ToArray(), shift: true),
            ["count"] = Zips.Write(parts, count: 1),
            ["none"] = "this is no zip at all"u8.ToArray(),
            ["directory"] = [.. sound[..^22], 0, .. sound[^22..]],
            ["nothing"] = [],
        };
        foreach ((string name, byte[] zip) in damaged)
        {
            IngestedFile file = await uploads.AddAsync($"{name}.zip", zip);

            Assert.Equal((name, 0, "D011"), (name, file.Rows, Assert.Single(await uploads.CodesAsync(file))));
        }
    }

    [Fact]
    public async Task Zip_CommentAndPrependedDataWithRightOffsets_AreRead()
    {
        IngestedFile commented = await uploads.AddAsync("a.zip", Zips.Write([new ZipPart("a.csv", "text,label\na,b\n")], comment: "PK\u0005\u0006 made by hand"u8.ToArray()));
        IngestedFile prepended = await uploads.AddAsync("b.zip", Zips.Write([new ZipPart("a.csv", "text,label\na,b\n")], before: "#!/bin/sh\n"u8.ToArray()));

        Assert.Equal((1, 1), (commented.Rows, prepended.Rows));
    }

    [Fact]
    public async Task Zip_Zip64_IsRead()
    {
        IngestedFile entries = await uploads.AddAsync("a.zip", Zips.Of(new ZipPart("a.csv", "text,label\na,b\n") { Zip64 = true }));
        IngestedFile end = await uploads.AddAsync("b.zip", Zips.WithZip64End(Zips.Of(new ZipPart("a.csv", "text,label\na,b\n"))));

        Assert.Equal((1, 1), (entries.Rows, end.Rows));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(8)]
    [InlineData(16)]
    public async Task Zip_Zip64ValuesBeyondAllMeasure_AreRefused(int field)
    {
        byte[] zip = Zips.Of(new ZipPart("a.csv", "text,label\na,b\n") { Zip64 = true }, new("b.csv", "text,label\na,b\n") { Zip64 = true });
        for (int at = 0; (at = zip.AsSpan(at).IndexOf<byte>([1, 0, 24,
            0]) is >= 0 and var next ? at + next + 4 : -1) > 0;) BitConverter.TryWriteBytes(zip.AsSpan(at + field), long.MaxValue - 9);

        IngestedFile file = await uploads.AddAsync("a.zip", zip);

        Assert.Equal(0, file.Rows);
        Assert.All(await uploads.CodesAsync(file), code => Assert.Contains(code, (string[])["D011", "D024"]));
    }

    [Fact]
    public async Task Zip_OfTheFramework_IsRead()
    {
        using MemoryStream bytes = new();
        using (System.IO.Compression.ZipArchive archive = new(bytes, System.IO.Compression.ZipArchiveMode.Create, leaveOpen: true))
            foreach (string name in new[] { "positive/ünï.txt", "negative/b.txt" })
            {
                using StreamWriter writer = new(archive.CreateEntry(name).Open());
                writer.Write("a review\n");
            }

        IngestedFile file = await uploads.AddAsync("a.zip", bytes.ToArray());

        Assert.Equal([new("negative", 1), new("positive", 1)], file.Labels);
    }

    [Fact]
    public async Task Zip_TwinNamesAndSystemEntries_AreReadOrSaidToBeLeftOut()
    {
        IngestedFile file = await uploads.AddAsync("a.zip", Zips.Of(new ZipPart("Pos/a.txt", "one"), new("pos/a.txt", "two"), new("pos/e\u0301.txt", "three"), new("pos/\u00E9.txt", "four"),
            new("__MACOSX/pos/._a.txt", "junk"), new("pos/.DS_Store", "junk")));

        Assert.Equal((4, 0), (file.Rows, file.Refused));
        Assert.Equal(["D206: 2 entries of films/a.zip have the name of another one but for case or Unicode form; all are read.",
            "D207: 2 entries of films/a.zip are an operating system's own (such as __MACOSX) and hold no reviews."], file.Warnings);
    }

    [Fact]
    public async Task Zip_OneFolder_SaysThatItIsTakenAsTheLabel()
    {
        IngestedFile file = await uploads.AddAsync("a.zip", Zips.Of(new ZipPart("films/a.txt", "one"), new("films/b.txt", "two")));

        Assert.Equal(["D205: all texts of films/a.zip lie in a folder 'films', which is taken as their label."], file.Warnings);
    }

    [Fact]
    public async Task Zip_NamesInTheCodePageOfDos_AreDecoded()
    {
        IngestedFile file = await uploads.AddAsync("a.zip", Zips.Of(new ZipPart("", "one") { Flags = 0, RawName = [(byte)'g', 0x81, (byte)'t', (byte)'/', .. "a.txt"u8] }));

        Assert.Equal([new("güt", 1)], file.Labels);
    }

    [Fact]
    public async Task Zip_ManyEntries_AreReadWithinTheLimitAndRefusedAbove()
    {
        ZipPart[] parts = [.. Enumerable.Range(0, 3000).Select(i => new ZipPart($"{(i % 2 == 0 ? "pos" : "neg")}/{i}.txt", $"review {i}") { Method = 0 })];

        IngestedFile file = await uploads.AddAsync("a.zip", Zips.Write(parts)), above = await uploads.AddAsync("b.zip", Zips.WithZip64End(Zips.Write(parts, count: 3000))[..^22] is var cut
            ? [.. Tampered(cut, ZipContents.MaxEntries + 1), .. Zips.WithZip64End(Zips.Write(parts))[^22..]] : []);

        Assert.Equal((3000, 3000), (file.Rows, file.Parts.Count));
        Assert.Equal(["films/b.zip,,D012,The zip has 250001 entries; at most 250000 are read. Part it into several zips."], await uploads.RejectsAsync(above));

        static byte[] Tampered(byte[] zip, int count)
        {
            BitConverter.TryWriteBytes(zip.AsSpan(zip.Length - 20 - 56 + 32), (long)count);
            return zip;
        }
    }

    [Fact]
    public async Task Gzip_OfATable_IsReadAsTheTable()
    {
        IngestedFile file = await uploads.AddAsync("a.csv.gz", Uploads.Gzip("text,label\ngood,x\n"u8.ToArray())), text = await uploads.AddAsync("a.txt.GZ", Uploads.Gzip("good"u8.ToArray()));

        Assert.Equal([new("films/a.csv.gz", "csv", "utf-8", ",", "text", "label", 1, 0)], file.Parts);
        Assert.Equal(1, text.Rows);
    }

    [Fact]
    public async Task Gzip_DamagedCutOffBombOrZip_IsRefusedAsAWhole()
    {
        byte[] content = Encoding.UTF8.GetBytes("text,label\n" + string.Concat(Enumerable.Range(0, 20_000).Select(i => $"review number {i * 7919 % 20011},x\n"))), sound = Uploads.Gzip(content);
        byte[] crc = [.. sound];
        crc[^8] ^= 1;
        byte[] flipped = [.. sound];
        flipped[sound.Length / 2] ^= 0x10;
        Dictionary<string, (byte[] Bytes, string Code)> damaged = new()
        {
            ["cut.csv.gz"] = (sound[..^20], "D007"),
            ["crc.csv.gz"] = (crc, "D007"),
            ["flipped.csv.gz"] = (flipped, "D007"),
            ["half.csv.gz"] = (sound[..(sound.Length / 2)], "D007"),
            ["none.csv.gz"] = (content, "D007"),
            ["tail.csv.gz"] = ([.. sound, .. "tail"u8], "D007"),
            ["empty.csv.gz"] = ([], "D002"),
            ["bomb.csv.gz"] = (Uploads.Gzip(new byte[100 << 20], System.IO.Compression.CompressionLevel.Optimal), "D008"),
            ["zip.zip.gz"] = (Uploads.Gzip(Zips.Of(new ZipPart("a.txt", "one"))), "D009"),
        };
        foreach ((string name, (byte[] bytes, string code)) in damaged)
        {
            IngestedFile file = await uploads.AddAsync(name, bytes);

            Assert.Equal((name, 0, code), (name, file.Rows, Assert.Single(await uploads.CodesAsync(file))));
        }
        Assert.Equal(20_000, (await uploads.AddAsync("sound.csv.gz", sound)).Rows);
        Assert.Equal(40_001, (await uploads.AddAsync("members.csv.gz", [.. sound, .. sound])).Rows);
    }

    [Fact]
    public void Zip_AnyBytesOrDamage_EndsWithAnAnswer()
    {
        byte[] sound = Zips.Of(new ZipPart("pos/a.txt", "one\ntwo"), new("b.csv", "text,label\na,b\n"), new("c.jsonl", "{\"text\":\"x\"}") { Method = 0 });
        Gen.Select(Gen.Int[0, sound.Length - 1], Gen.Byte, Gen.Int[0, sound.Length - 1], Gen.Byte).Array[1, 4].Sample(changes =>
        {
            byte[] zip = [.. sound];
            foreach ((int at, byte value, int other, byte bits) in changes)
            {
                zip[at] = value;
                zip[other] ^= bits;
            }

            IngestedFile file = new Uploads().AddAsync("a.zip", zip).GetAwaiter().GetResult();

            Assert.True(file.Rows + file.Refused > 0);
        }, iter: 3000);
    }
}
