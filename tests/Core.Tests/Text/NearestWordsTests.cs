using CsCheck;
using Scion.Faults;
using Scion.Text;

namespace Scion.Tests.Text;

public sealed class NearestWordsTests
{
    [Fact]
    public void Of_AnyVectors_EqualsTheSlowSearch() => Gen.Select(Gen.Int[2, 30], Gen.Int[1, 12], Gen.Int).Sample((words, dim, seed) =>
    {
        Random random = new(seed);
        Vocabulary vocabulary = new([.. Enumerable.Range(0, words).Select(i => $"w{i}")], [.. Enumerable.Range(0, words).Select(i => 100L - i)]);
        float[] vectors = [.. Enumerable.Range(0, words * dim).Select(_ => (float)(random.NextDouble() - 0.5))];
        double Cosine(int a, int b)
        {
            double dot = 0, aa = 0, bb = 0;
            for (int j = 0; j < dim; j++)
            {
                double x = vectors[(a * dim) + j], y = vectors[(b * dim) + j];
                (dot, aa, bb) = (dot + (x * y), aa + (x * x), bb + (y * y));
            }
            return dot / Math.Sqrt(aa * bb);
        }

        IReadOnlyList<NearWord> near = NearestWords.Of(vocabulary, vectors, dim, "W0", 5);

        double[] expected = [.. Enumerable.Range(1, words - 1).Select(i => Cosine(0, i)).OrderDescending().Take(5)];
        Assert.Equal(expected.Length, near.Count);
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.Equal(expected[i], near[i].Similarity, 1e-5);
            Assert.Equal(expected[i], Cosine(0, vocabulary.IdOf(near[i].Word)), 1e-5);
        }
    });

    [Fact]
    public void Of_UnknownWord_IsRefusedWithCloseSpellings()
    {
        InputRejectedException fault = Assert.Throws<InputRejectedException>(() =>
            NearestWords.Of(new Vocabulary(["wonderful", "film", "wonder"], [3, 2, 1]), new float[3], 1, "wonderfull", 5));
        InputRejectedException many = Assert.Throws<InputRejectedException>(() => NearestWords.Of(new Vocabulary(["film"], [1]), new float[1], 1, new string('y', 1 << 20), 5));

        Assert.Equal(("T005: The model does not know the word 'wonderfull'. It knows: wonderful. Try another spelling, or a more common word.", Refusal.NotFound), (fault.Message, fault.Kind));
        Assert.InRange(many.Message.Length, 0, 300);
    }

    [Fact]
    public void AtMost_AnyTwoTexts_EqualsTheRecursion() =>
        Gen.Select(Gen.String[Gen.Char["abc"], 0, 7], Gen.String[Gen.Char["abc"], 0, 7], Gen.Int[0, 7]).Sample((a, b, limit) =>
            Assert.Equal(Slow(a, b) <= limit, EditDistance.AtMost(a, b, limit)));

    /// <summary>Levenshtein's distance as defined.</summary>
    static int Slow(string a, string b) => a.Length == 0 ? b.Length : b.Length == 0 ? a.Length : a[0] == b[0] ? Slow(a[1..], b[1..])
        : 1 + Math.Min(Slow(a[1..], b[1..]), Math.Min(Slow(a[1..], b), Slow(a, b[1..])));
}
