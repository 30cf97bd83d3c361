using System.Security.Cryptography;
using Scion.Demo;

namespace Scion.Tests.Demo;

public sealed class DressPoolTests
{
    static readonly Lazy<DressPool> Pool = new(() => new DressPool(draws: 3, perClass: 4, testPerClass: 12, seed: 3));

    [Fact]
    public void Pool_DrawsAndTest_ShareNoPictureAndHaveBothClassesAlike()
    {
        DressPool pool = Pool.Value;

        Assert.Equal((48, 3, 24), (pool.Files.Count, pool.Draws.Count, pool.Test.Length));
        Assert.Equal(Enumerable.Range(0, 48), pool.Draws.SelectMany(draw => draw).Concat(pool.Test).Order());
        Assert.All(pool.Draws.Append(pool.Test), set => Assert.Equal(set.Length / 2, set.Count(i => pool.Truth[i])));
        Assert.Equal(48, pool.Files.Select(file => Convert.ToHexString(SHA256.HashData(file))).Distinct().Count());
    }

    [Fact]
    public void Pool_SeedAgainAndAnother_GivesTheSameAndOthers()
    {
        Assert.Equal(Pool.Value.Files[5], new DressPool(3, 4, 1, seed: 3).Files[5]);
        Assert.NotEqual(Pool.Value.Files[5], new DressPool(3, 4, 1, seed: 4).Files[5]);
    }

    [Fact]
    public void Alike_Pairs_AreOfBothClassesAndTheNearestFirst()
    {
        DressPool pool = Pool.Value;

        IReadOnlyList<(int BlueBlack, int WhiteGold)> pairs = pool.Alike(3);

        Assert.Equal(6, pairs.SelectMany(pair => new[] { pair.BlueBlack, pair.WhiteGold }).Distinct().Count());
        Assert.All(pairs, pair => Assert.True(!pool.Truth[pair.BlueBlack] && pool.Truth[pair.WhiteGold]));
        float[] distances = [.. pairs.Select(pair => (pool.LooksOf(pair.BlueBlack).Cloth - pool.LooksOf(pair.WhiteGold).Cloth).Length()
            + (pool.LooksOf(pair.BlueBlack).Lace - pool.LooksOf(pair.WhiteGold).Lace).Length())];
        Assert.Equal(distances.Order(), distances);
    }

    [Fact]
    public void PixelBaseline_OfDraws_IsMeasuredForEveryPicture() =>
        Assert.All(Pool.Value.PixelBaseline(), features => Assert.Equal(1, features.Sum(x => x * x), 1e-4));
}
