using Scion.Datasets;
using Scion.Storage;
using SkiaSharp;

namespace Scion.Tests.Datasets;

/// <summary>From uploaded files to shards of pictures: labels by folders and tables, refusals with their places.</summary>
public sealed class IngestImagesTests
{
    readonly Photos photos = new();

    [Fact]
    public async Task Loose_Folders_GiveLabelsAndSplits()
    {
        photos.Put("blue/a.jpg", Photos.Of(1)).Put("white/b.png", Photos.Of(2, SKEncodedImageFormat.Png)).Put("c.webp", Photos.Of(3, SKEncodedImageFormat.Webp))
            .Put("unlabelled/d.JPG", Photos.Of(4)).Put("test/blue/e.jpeg", Photos.Of(5)).Put("train/white/f.jfif", Photos.Of(6)).Put("val/white/g.jpg", Photos.Of(7));

        IReadOnlyList<IngestedFile> files = await photos.IngestAsync();

        Assert.Equal(["c.webp -", "blue/a.jpg blue", "test/blue/e.jpeg blue Test", "train/white/f.jfif white Train", "unlabelled/d.JPG -", "val/white/g.jpg white Validation",
            "white/b.png white"], await photos.RowsAsync());
        Assert.Equal(["dresses/", "dresses/blue/", "dresses/test/blue/", "dresses/train/white/", "dresses/unlabelled/", "dresses/val/white/", "dresses/white/"], files.Select(file => file.Name));
        Assert.Equal((7, 2, 0), (files.Sum(file => file.Rows), files.Sum(file => file.Unlabelled), files.Sum(file => file.Refused)));
    }

    [Fact]
    public async Task Loose_WhatCannotBeRead_IsRefusedWithItsPlaceAndTheOthersGoOn()
    {
        byte[] whole = Photos.Of(1);
        photos.Put("blue/half.jpg", whole[..(whole.Length / 2)]).Put("blue/good.jpg", whole).Put("blue/notes.txt", "no picture"u8.ToArray()).Put("blue/empty.png", [])
            .Put("blue/text.jpg", "no picture either"u8.ToArray()).Put("blue/more.tar", [1, 2, 3]);

        await photos.IngestAsync();

        string[] rejects = await photos.RejectsAsync();
        Assert.Equal(["blue/good.jpg blue"], await photos.RowsAsync());
        Assert.Equal(["dresses/blue/empty.png V002", "dresses/blue/half.jpg V006", "dresses/blue/more.tar D009", "dresses/blue/notes.txt D016", "dresses/blue/text.jpg V001"],
            rejects.Select(line => line.Split(',')).Select(cells => $"{cells[0]} {cells[2]}").Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Zip_LabelFoldersInAWrapper_AreRead()
    {
        photos.Put("photos.zip", Zips.Of(new ZipPart("shoot/blue/a.jpg", Photos.Of(1)), new("shoot/white/b.jpg", Photos.Of(2)) { Method = 0 }, new("shoot/c.jpg", Photos.Of(3)),
            new("__MACOSX/shoot/._c.jpg", "junk"), new("shoot/.DS_Store", "junk"), new("shoot/readme.txt", "text"), new("shoot/more.zip", "PK")));

        IReadOnlyList<IngestedFile> files = await photos.IngestAsync();

        Assert.Equal(["photos.zip/shoot/blue/a.jpg blue", "photos.zip/shoot/white/b.jpg white", "photos.zip/shoot/c.jpg -"], await photos.RowsAsync());
        Assert.Equal(["dresses/photos.zip/shoot/readme.txt", "dresses/photos.zip/shoot/more.zip"], (await photos.RejectsAsync()).Select(line => line.Split(',')[0]));
        Assert.Equal([], files[0].Warnings);
    }

    [Fact]
    public async Task Zip_PicturesInOneFolder_AreLabelledByItAndItIsSaid()
    {
        photos.Put("blue.zip", Zips.Of(new ZipPart("blue/a.jpg", Photos.Of(1)), new("blue/b.jpg", Photos.Of(2))));

        IReadOnlyList<IngestedFile> files = await photos.IngestAsync();

        Assert.Equal(["blue.zip/blue/a.jpg blue", "blue.zip/blue/b.jpg blue"], await photos.RowsAsync());
        Assert.Equal(["D205: all pictures of dresses/blue.zip lie in a folder 'blue', which is taken as their label."], files[0].Warnings);
    }

    [Fact]
    public async Task Zip_HostileEntries_AreRefusedEachWithItsReason()
    {
        byte[] picture = Photos.Of(1);
        photos.Put("a.zip", Zips.Of(new ZipPart("x/good.jpg", picture) { Method = 0 }, new("x/encrypted.jpg", picture) { Flags = 0x801 }, new("x/link.jpg", "good.jpg") { Attributes = 0xA1FF0000 },
            new("x/crc.jpg", picture) { Method = 0, Crc = 1 }, new("x/method.jpg", picture) { Method = 12 }, new("../../etc/out.jpg", Photos.Of(2)) { Method = 0 },
            new("x/huge.jpg", picture) { Method = 0, Length = 40_000_000 }, new("x/names.jpg", picture) { Method = 0, LocalName = "x/other.jpg" }));

        await photos.IngestAsync();

        Assert.Equal(["a.zip/x/good.jpg x", "a.zip/../../etc/out.jpg etc"], await photos.RowsAsync());
        Assert.Equal(["encrypted.jpg D021", "link.jpg D022", "crc.jpg D024", "method.jpg D023", "huge.jpg V003", "names.jpg D025"],
            (await photos.RejectsAsync()).Select(line => line.Split(',')).Select(cells => $"{cells[0].Split('/')[^1]} {cells[2]}"));
    }

    [Theory]
    [InlineData("cut", "D011")]
    [InlineData("empty", "D018")]
    [InlineData("overlap", "D013")]
    public async Task Zip_ThatCannotBeReadAtAll_IsRefusedAsAWhole(string how, string code)
    {
        byte[] zip = Zips.Of(new ZipPart("x/a.jpg", Photos.Of(1)), new("y/b.jpg", Photos.Of(2)));
        photos.Put("a.zip", how switch
        {
            "cut" => zip[..^10],
            "empty" => Zips.Of(new ZipPart("x/", "")),
            _ => Zips.Of(new ZipPart("x/a.jpg", Photos.Of(1)) { Method = 0 }, new("x/a.jpg", "1") { Method = 0, Data = [], Offset = 0, Compressed = 3 }),
        }).Put("x/c.jpg", Photos.Of(3));

        IReadOnlyList<IngestedFile> files = await photos.IngestAsync();

        Assert.Equal(["x/c.jpg x"], await photos.RowsAsync());
        Assert.Equal((0, 1, "dresses/a.zip", code), (files[0].Rows, files[0].Refused, (await photos.RejectsAsync())[0].Split(',')[0], (await photos.RejectsAsync())[0].Split(',')[2]));
    }

    [Fact]
    public async Task LabelsCsv_BesideLoosePictures_TakesThePlaceOfFolders()
    {
        photos.Put("labels.csv", "file,label,split\nphotos/a.jpg,blue,train\nb.jpg,white,test\nc,,\nnone.jpg,blue,\nphotos/a.jpg,white,\n"u8.ToArray())
            .Put("photos/a.jpg", Photos.Of(1)).Put("photos/b.jpg", Photos.Of(2)).Put("photos/c.jpg", Photos.Of(3)).Put("photos/d.jpg", Photos.Of(4));

        IReadOnlyList<IngestedFile> files = await photos.IngestAsync();

        Assert.Equal(["photos/a.jpg blue Train", "photos/b.jpg white Test", "photos/c.jpg -", "photos/d.jpg -"], await photos.RowsAsync());
        Assert.Equal(["dresses/labels.csv,5,D121,There is no picture 'none.jpg' at or below the folder of labels.csv. Write its path from there on.",
            "dresses/labels.csv,6,D123,\"'photos/a.jpg' is labelled 'blue' in an earlier line, which is used. Keep one line.\""], await photos.RejectsAsync());
        Assert.Equal(["D208: 1 picture is not named in dresses/labels.csv and taken as unlabelled: 'photos/d.jpg'."], Assert.Single(files).Warnings);
    }

    [Fact]
    public async Task LabelsCsv_InAZip_IsReadBeforeThePicturesWhereverItLies()
    {
        photos.Put("a.zip", Zips.Of(new ZipPart("set/images/1.jpg", Photos.Of(1)), new("set/images/2.jpg", Photos.Of(2)), new("set/other/2.jpg", Photos.Of(3)),
            new("set/labels.csv", "image;class\n1;blue\nimages/2.jpg;white\n2.jpg;red\n")));

        await photos.IngestAsync();

        Assert.Equal(["a.zip/set/images/1.jpg blue", "a.zip/set/images/2.jpg white", "a.zip/set/other/2.jpg -"], await photos.RowsAsync());
        Assert.Equal("dresses/a.zip/set/labels.csv,4,D122,Several pictures are called '2.jpg'. Write the path from the folder of labels.csv on.", Assert.Single(await photos.RejectsAsync()));
    }

    [Theory]
    [InlineData("", "D017")]
    [InlineData("picture,colour\na.jpg,blue\n", "D017")]
    [InlineData("file,label\na.jpg,\"blue\n", "D103")]
    public async Task LabelsCsv_ThatCannotBeRead_IsRefusedAndFoldersLabel(string table, string code)
    {
        photos.Put("x/labels.csv", Uploads.Utf8.GetBytes(table)).Put("x/a.jpg", Photos.Of(1));

        await photos.IngestAsync();

        Assert.Equal("x/a.jpg", (await photos.RowsAsync())[0].Split(' ')[0]);
        Assert.Equal(code, Assert.Single(await photos.RejectsAsync()).Split(',')[2]);
    }

    [Fact]
    public async Task LabelsCsv_OfSeveralBatches_EachLineIsAnsweredForOnce()
    {
        byte[] picture = Photos.Of(1);
        List<string> lines = ["file,label"];
        for (int i = 0; i < 1100; i++)
        {
            photos.Put($"{i:d4}.jpg", picture);
            lines.Add($"{i:d4}.jpg,{(i % 2 == 0 ? "blue" : "white")}");
            if (i % 100 == 0) lines.Add($"{i:d4}-lost.jpg,blue");
        }
        photos.Put("labels.csv", Uploads.Utf8.GetBytes(string.Join('\n', lines)));

        IReadOnlyList<IngestedFile> files = await photos.IngestAsync();

        Assert.Equal([500, 500, 100], files.Select(file => file.Rows));
        Assert.Equal([550, 550], new[] { "blue", "white" }.Select(label => files.SelectMany(file => file.Labels).Where(count => count.Label == label).Sum(count => count.Rows)));
        Assert.Equal(Enumerable.Range(0, 11).Select(i => $"'{100 * i:d4}-lost.jpg'"), (await photos.RejectsAsync()).Select(line => line.Split(' ')[4]).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Ingest_AgainAndByAnyWayOfReading_GivesTheSameShards()
    {
        photos.Put("blue/a.jpg", Photos.Of(1)).Put("a.zip", Zips.Of(new ZipPart("x/a.jpg", Photos.Of(2)), new("x/labels.csv", "file,label\na.jpg,blue\n"), new("x/b.png", Photos.Of(3, SKEncodedImageFormat.Png))));
        IReadOnlyList<IngestedFile> first = await photos.IngestAsync();
        int blobs = photos.Store.Content.Count;

        IReadOnlyList<IngestedFile> again = await photos.IngestAsync();

        Assert.Equal(first.SelectMany(file => file.Shards), again.SelectMany(file => file.Shards));
        Assert.Equal(blobs, photos.Store.Content.Count);
    }

    [Fact]
    public async Task Ingest_AFileReplacedAfterItWasPinned_EndsTheRun()
    {
        photos.Put("blue/a.jpg", Photos.Of(1));
        photos.Store.Tamper("images/dresses/blue/a.jpg", Photos.Of(2));

        Faults.InputRejectedException fault = await Assert.ThrowsAsync<Faults.InputRejectedException>(() => photos.IngestAsync());

        Assert.Equal("D014", fault.Code);
    }

    [Fact]
    public async Task Shard_DamagedInTheStore_IsSaidToBe()
    {
        photos.Put("blue/a.jpg", Photos.Of(1)).Put("blue/b.jpg", Photos.Of(2));
        ShardRef shard = (await photos.IngestAsync())[0].Shards[0];
        byte[] bytes = await photos.Store.ReadAsync(shard.Rows, default);
        bytes[^1] ^= 1;
        photos.Store.Tamper(shard.Rows.Path, bytes);

        Faults.InputRejectedException fault = await Assert.ThrowsAsync<Faults.InputRejectedException>(async () =>
        {
            await foreach (ImageRow _ in ImageShard.ReadAsync(photos.Store, shard, default)) { }
        });

        Assert.Equal("S004", fault.Code);
    }
}
