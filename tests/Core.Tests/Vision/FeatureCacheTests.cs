using System.Security.Cryptography;
using Scion.Pipelines;
using Scion.Storage;
using Scion.Vision;

namespace Scion.Tests.Vision;

public sealed class FeatureCacheTests
{
    const int Dim = 5;

    static readonly string Source = new('a', 64), Other = new('b', 64);

    readonly InMemoryBlobStore store = new();

    [Fact]
    public async Task Read_AfterWrite_GivesTheSameFeaturesInAnyOrder()
    {
        byte[][] pictures = Keys(0, 40);
        await WriteAsync(pictures);

        byte[][] asked = [pictures[7], .. Keys(100, 3), pictures[39], pictures[0], pictures[7]];
        (float[] features, bool[] known, int covered) = await ReadAsync(asked);

        Assert.Equal([true, false, false, false, true, true, true], known);
        foreach (int i in new[] { 0, 4, 5, 6 }) Assert.Equal(FeaturesOf(asked[i]), features[(i * Dim)..((i + 1) * Dim)]);
        Assert.All(features[Dim..(4 * Dim)], value => Assert.Equal(0, value));
        Assert.Equal(0, covered);
    }

    [Fact]
    public async Task Write_PicturesAddedOneAtATime_LeavesOneBlob()
    {
        for (int pictures = 1; pictures <= 12; pictures++)
        {
            (_, bool[] known, _) = await ReadAsync(Keys(0, pictures));
            Assert.Equal(pictures - 1, known.Count(k => k));

            await WriteAsync(Keys(0, pictures));
        }

        Assert.Single(await BlobsAsync());
    }

    [Fact]
    public async Task Write_OtherPictures_DeletesNothing()
    {
        await WriteAsync(Keys(0, 10));
        await WriteAsync(Keys(5, 10));

        (_, bool[] known, int covered) = await ReadAsync(Keys(0, 15));

        Assert.All(known, Assert.True);
        Assert.Equal(2, covered);
    }

    [Fact]
    public async Task Read_OfAnotherSource_KnowsNothing()
    {
        await WriteAsync(Keys(0, 10));

        (bool[] known, _) = await new FeatureCache(store, Other, Dim).ReadAsync(Keys(0, 10), new float[10 * Dim], default);

        Assert.All(known, Assert.False);
    }

    [Fact]
    public async Task Read_BlobChangedAnywhereOrCutOff_IsNotBelievedAndIsReplaced()
    {
        byte[][] pictures = Keys(0, 3);
        await WriteAsync(pictures);
        BlobItem written = Assert.Single(await BlobsAsync());
        byte[] good = (await store.FindBytesAsync(written.Path, default))!;
        for (int at = 0; at <= good.Length; at++)
        {
            byte[] bad = at < good.Length ? [.. good] : good[..^1];
            if (at < good.Length) bad[at] ^= 0x10;
            BlobItem now = Assert.Single(await BlobsAsync());
            Assert.NotNull(await store.ReplaceAsync(now.Path, new MemoryStream(bad), now.ETag, default));

            (_, bool[] known, _) = await ReadAsync(pictures);
            Assert.All(known, Assert.False);
            Assert.Empty(await BlobsAsync());

            await WriteAsync(pictures);
        }
        (_, bool[] again, _) = await ReadAsync(pictures);
        Assert.All(again, Assert.True);
    }

    [Fact]
    public async Task Write_ANumberThatIsNotFinite_IsADefectAndStoresNothing()
    {
        await Assert.ThrowsAsync<ArgumentException>(() => new FeatureCache(store, Source, 1).WriteAsync(Keys(0, 1), new[] { float.NaN }, [], default));

        Assert.Empty(await BlobsAsync());
    }

    async Task WriteAsync(byte[][] pictures)
    {
        FeatureCache cache = new(store, Source, Dim);
        (_, IReadOnlyList<BlobItem> covered) = await cache.ReadAsync(pictures, new float[pictures.Length * Dim], default);
        await cache.WriteAsync(pictures, pictures.SelectMany(FeaturesOf).ToArray(), covered, default);
    }

    async Task<(float[] Features, bool[] Known, int Covered)> ReadAsync(byte[][] pictures)
    {
        float[] features = new float[pictures.Length * Dim];
        (bool[] known, IReadOnlyList<BlobItem> covered) = await new FeatureCache(store, Source, Dim).ReadAsync(pictures, features, default);
        return (features, known, covered.Count);
    }

    async Task<List<BlobItem>> BlobsAsync()
    {
        List<BlobItem> blobs = [];
        await foreach (BlobItem blob in store.ListAsync(StepMemo.Container, "", default)) blobs.Add(blob);
        return blobs;
    }

    static byte[][] Keys(int from, int count) => [.. Enumerable.Range(from, count).Select(i => SHA256.HashData(BitConverter.GetBytes(i)))];

    static float[] FeaturesOf(byte[] picture) => [.. Enumerable.Range(0, Dim).Select(i => picture[i] / 7f)];
}
