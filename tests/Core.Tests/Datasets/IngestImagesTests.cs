using Scion.Datasets;
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
}
