using CsCheck;
using Scion.Datasets;

namespace Scion.Tests.Datasets;

/// <summary>What pictures are used for: near copies are copies, whatever the order of files.</summary>
public sealed class CurateImagesTests
{
    static byte[] Saved(int seed, int quality) => Photos.Of(seed, quality: quality, width: 240, height: 180);

    [Fact]
    public async Task NearCopies_WithOneLabel_AreUsedOnceAndListedWithTheOneThatIsUsed()
    {
        Photos photos = Pictures().Put("blue/0-again.jpg", Saved(0, 70)).Put("blue/same.jpg", Saved(2, 95));

        CuratedRows data = await photos.CurateAsync();

        string[] findings = await photos.LinesAsync(data.Findings);
        Assert.Equal(2, data.Duplicates);
        Assert.Contains(findings, line => line.StartsWith("dresses/blue/0.jpg,,D321,", StringComparison.Ordinal) && line.Contains("'blue/0-again.jpg', which is used", StringComparison.Ordinal));
        Assert.Contains(findings, line => line.StartsWith("dresses/blue/same.jpg,,D311,", StringComparison.Ordinal) && line.Contains("'blue/2.jpg', which is used", StringComparison.Ordinal));
        Assert.Contains("D311: 1 picture is the same as another and was dropped.", data.Warnings);
        Assert.Contains("D321: 1 picture is a near copy of another (saved again, resized, cropped a little) and was dropped.", data.Warnings);
    }

    [Fact]
    public async Task NearCopies_WithTwoLabels_AreBothDroppedAndListed()
    {
        Photos photos = Pictures().Put("white/0-again.jpg", Saved(0, 70));

        CuratedRows data = await photos.CurateAsync();

        Assert.Equal(2, data.Conflicts);
        Assert.Equal(["dresses/blue/0.jpg,,D322,\"Labelled 'blue'; a near copy is 'white/0-again.jpg' with another label, so neither is used. Correct one.\"",
            "dresses/white/0-again.jpg,,D322,\"Labelled 'white'; a near copy is 'blue/0.jpg' with another label, so neither is used. Correct one.\""], await photos.LinesAsync(data.Findings));
    }

    [Fact]
    public async Task NearCopies_OfATestPicture_AreNotTrainedOn()
    {
        Photos photos = Pictures().Put("test/blue/t.jpg", Saved(0, 70)).Put("test/white/u.jpg", Saved(50, 95)).Put("test/v.jpg", Saved(51, 95));

        CuratedRows data = await photos.CurateAsync();

        Assert.Equal((Protocol.GivenSplit, 2L), (data.Protocol, data.Test.Sum(count => count.Rows)));
        Assert.Equal(7, data.Train.Sum(count => count.Rows));
        Assert.Contains("D317: 1 pictures are copies of a test picture and were dropped, so that nothing is measured on what was learned.", data.Warnings);
        Assert.Contains("D318: 1 test pictures have no label and are not used.", data.Warnings);
    }

    [Theory]
    [InlineData(false, 2)]
    [InlineData(true, 1)]
    public async Task ValidationFolder_WithAndWithoutATestFolder_TestsOnlyWhereNothingElseDoes(bool testToo, int tests)
    {
        Photos photos = Pictures().Put("val/blue/v.jpg", Saved(60, 95)).Put("val/white/w.jpg", Saved(61, 95));
        if (testToo) photos.Put("test/blue/t.jpg", Saved(62, 95));

        CuratedRows data = await photos.CurateAsync();

        Assert.Equal((Protocol.GivenSplit, (long)tests), (data.Protocol, data.Test.Sum(count => count.Rows)));
    }

    [Fact]
    public void Curate_FilesInAnyOrder_GivesEachPictureTheSameUse() => Gen.Int[0, 1_000_000].Sample(seed =>
    {
        Random random = new(seed);
        List<(string Name, byte[] Bytes)> files = [.. Enumerable.Range(0, 12).SelectMany(i => new[]
        {
            ($"{(i % 2 == 0 ? "blue" : "white")}/{i}.jpg", Saved(i, 95)), ($"{(i % 2 == 0 || i == 3 ? "blue" : "white")}/{i}-again.jpg", Saved(i, 60 + i)),
        })];
        string[] inOrder = Uses([.. files]), shuffled = Uses([.. files.OrderBy(_ => random.Next()).Select((file, i) => ($"{file.Name.Split('/')[0]}/{i}.jpg", file.Bytes))]);

        Assert.Equal(inOrder, shuffled);
    }, iter: 10);

    /// <summary>How many pictures are used for what, by label: two of a group that are alike are one.</summary>
    static string[] Uses((string Name, byte[] Bytes)[] files)
    {
        Photos photos = new() { Split = new SplitSettings { CrossValidateBelow = 0, TestShare = 0.5 } };
        foreach ((string name, byte[] bytes) in files) photos.Put(name, bytes);
        CuratedRows data = photos.CurateAsync().GetAwaiter().GetResult();
        return [.. data.Train.Select(count => $"{count.Label} train {count.Rows}"), .. data.Test.Select(count => $"{count.Label} test {count.Rows}"), $"{data.Duplicates} {data.Conflicts}"];
    }

    /// <summary>Four pictures of each of two labels.</summary>
    static Photos Pictures()
    {
        Photos photos = new();
        for (int i = 0; i < 8; i++) photos.Put($"{(i % 2 == 0 ? "blue" : "white")}/{i}.jpg", Saved(i, 95));
        return photos;
    }
}
