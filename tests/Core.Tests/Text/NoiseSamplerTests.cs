using CsCheck;
using Scion.Text;

namespace Scion.Tests.Text;

public sealed class NoiseSamplerTests
{
    /// <summary>Draws, and how far their counts are from the expected ones: χ² less its degrees of freedom, in its standard deviations.</summary>
    static double Deviation(NoiseSampler sampler, double[] probabilities, int draws, long seed)
    {
        Xoshiro random = new(seed, 0);
        long[] counts = new long[probabilities.Length];
        for (int i = 0; i < draws; i++) counts[sampler.Draw(ref random)]++;
        double chi = counts.Select((count, id) => (count - (draws * probabilities[id])) * (count - (draws * probabilities[id])) / (draws * probabilities[id])).Sum();
        int freedom = probabilities.Length - 1;
        return freedom == 0 ? 0 : (chi - freedom) / Math.Sqrt(2.0 * freedom);
    }

    [Fact]
    public void ByCount_AnyCounts_DrawsByTheirPower() => Gen.Select(Gen.Long[1, 1000].Array[1, 60], Gen.Long).Sample((counts, seed) =>
    {
        double[] powers = [.. counts.Select(count => Math.Pow(count, 0.75))];

        double deviation = Deviation(NoiseSampler.ByCount(counts), [.. powers.Select(power => power / powers.Sum())], 100_000, seed);

        Assert.InRange(deviation, double.NegativeInfinity, 9);
    }, iter: 30);

    [Fact]
    public void LogUniform_AnyVocabulary_DrawsByTensorFlowsFormula() => Gen.Select(Gen.Int[1, 60], Gen.Long).Sample((words, seed) =>
    {
        double[] probabilities = [.. Enumerable.Range(0, words).Select(k => (Math.Log(k + 2) - Math.Log(k + 1)) / Math.Log(words + 1))];

        double deviation = Deviation(NoiseSampler.LogUniform(words), probabilities, 100_000, seed);

        Assert.Equal(1, probabilities.Sum(), 1e-12);
        Assert.InRange(deviation, double.NegativeInfinity, 9);
    }, iter: 30);

    // The sampler leaves repeated draws out, so a word's expected count is the chance of being drawn at all; counted here.
    [Fact]
    public void LogExpected_RepeatsLeftOut_IsTheLogOfTheMeanCount()
    {
        NoiseSampler sampler = NoiseSampler.LogUniform(30);
        Xoshiro random = new(5, 0);
        const int Rounds = 200_000, Draws = 16;
        int[] seen = new int[30];
        for (int round = 0; round < Rounds; round++)
        {
            HashSet<int> ids = [];
            for (int i = 0; i < Draws; i++) ids.Add(sampler.Draw(ref random));
            foreach (int id in ids) seen[id]++;
        }

        double[] logs = [.. Enumerable.Range(0, 30).Select(id => sampler.LogExpected(id, Draws))];

        for (int id = 0; id < 30; id++) Assert.Equal((double)seen[id] / Rounds, Math.Exp(logs[id]), 0.01);
    }

    [Fact]
    public void LogExpected_RareWordOfALargeVocabulary_IsDrawsTimesItsChance()
    {
        NoiseSampler sampler = NoiseSampler.LogUniform(10_000_000);

        double expected = Math.Exp(sampler.LogExpected(9_999_999, 5));

        Assert.Equal(1, expected / (5 * Math.Log(10_000_001.0 / 10_000_000) / Math.Log(10_000_001)), 1e-6);
    }

    [Fact]
    public void LogExpected_ByCount_IsADefectOfTheCaller() => Assert.Throws<InvalidOperationException>(() => NoiseSampler.ByCount([1, 2]).LogExpected(0, 5));

    [Fact]
    public void Xoshiro_KnownSeed_GivesTheSameStreamForEver()
    {
        Xoshiro one = new(1, 0), other = new(1, 1);

        ulong[] first = [one.Next(), one.Next(), one.Next()];

        Assert.Equal([.. first], [.. Repeat(new Xoshiro(1, 0))]);
        Assert.NotEqual(first[0], other.Next());

        static ulong[] Repeat(Xoshiro random) => [random.Next(), random.Next(), random.Next()];
    }

    [Fact]
    public void Below_AnyLimit_StaysBelowAndIsEven() => Gen.Select(Gen.Int[1, 50], Gen.Long).Sample((limit, seed) =>
    {
        Xoshiro random = new(seed, 3);
        int[] counts = new int[limit];

        for (int i = 0; i < 20_000; i++) counts[random.Below(limit)]++;

        double expected = 20_000.0 / limit;
        Assert.InRange(counts.Sum(count => (count - expected) * (count - expected) / expected), 0, limit + (9 * Math.Sqrt(2.0 * limit)));
    }, iter: 30);
}
