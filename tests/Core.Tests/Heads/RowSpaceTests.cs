using CsCheck;
using Scion.Heads;

namespace Scion.Tests.Heads;

public sealed class RowSpaceTests
{
    [Fact]
    public void RowSpace_AnyRows_KeepsLengthsAndProducts() => Gen.Select(Gen.Int[1, 12], Gen.Int[1, 30], Gen.Int[1, 100_000]).Sample((rows, dim, seed) =>
    {
        DenseFeatures features = Features(rows, dim, seed);

        RowSpace space = new(features);

        Assert.Equal((rows, dim), (space.Rows, space.Components));
        Assert.True(space.Dim <= Math.Min(rows, dim));
        for (int i = 0; i < rows; i++)
        {
            double[] own = new double[space.Dim];
            space.AddTo(i, 1, own);
            Assert.Equal(features.SquaredLength(i), space.SquaredLength(i), 1e-9);
            for (int j = 0; j < rows; j++) Assert.Equal(features.Dot(j, features.Row(i)), space.Dot(j, own), 1e-9);
        }
    });

    [Fact]
    public void RowSpace_RowsTwiceAndZeros_HasNoAxisForThem()
    {
        double[] row = [1, 2, 3, 4], other = [0, 1, 0, 1];
        float[] values = [.. new[] { row, other, row, new double[4], [.. row.Zip(other, (a, b) => a - (2 * b))] }.SelectMany(r => r).Select(v => (float)v)];

        Assert.Equal(2, new RowSpace(new DenseFeatures(values, 4)).Dim);
        Assert.Equal(0, new RowSpace(new DenseFeatures(new float[8], 4)).SquaredLength(1));
    }

    [Theory]
    [InlineData("logistic")]
    [InlineData("nearest-mean")]
    public void Fit_InTheSpaceOfTheRows_IsTheSameHead(string kind)
    {
        const int rows = 30, dim = 80;
        DenseFeatures features = Features(rows, dim, seed: 4);
        int[] all = [.. Enumerable.Range(0, rows)], labels = [.. all.Select(row => row % 3)];
        RowSpace space = new(features);

        LinearHead expected = kind == "logistic" ? LogisticRegression.Fit(features, all, labels, 3, 0.1) : NearestMean.Fit(features, all, labels, 3);
        LinearHead found = space.Widen(kind == "logistic" ? LogisticRegression.Fit(space, all, labels, 3, 0.1) : NearestMean.Fit(space, all, labels, 3));

        double scale = expected.Weights.Max(Math.Abs);
        for (int i = 0; i < expected.Weights.Length; i++) Assert.Equal(expected.Weights[i], found.Weights[i], 1e-4 * scale);
        for (int c = 0; c < 3; c++) Assert.Equal(expected.Bias[c], found.Bias[c], 1e-4 * scale);
    }

    static DenseFeatures Features(int rows, int dim, int seed)
    {
        Random random = new(seed);
        return new DenseFeatures([.. Enumerable.Range(0, rows * dim).Select(_ => (float)random.NextDouble() - 0.3f)], dim);
    }
}
