using CsCheck;
using Scion.Serving;

namespace Scion.Tests.Serving;

public sealed class ExamplesTests
{
    // Agreement is approximate: the sums are taken in another order. 1e-5 is 80 ulps at a sum of products of this size.
    [Fact]
    public void Compare_AnyRows_AreTheDotProductsInDoublePrecision() =>
        (from rows in Gen.Int[0, 13]
         from dim in Gen.Int[1, 70]
         from values in Gen.Float[-1, 1].Array[(rows + 1) * dim]
         select (rows, dim, values)).Sample(sample =>
        {
            (int rows, int dim, float[] values) = sample;
            float[] of = values[(rows * dim)..], cosines = new float[rows + 1];
            cosines[rows] = 7;
            Examples examples = new(values[..(rows * dim)], new int[rows], [.. Enumerable.Repeat("", rows)], dim, pictures: false);

            examples.Compare(of, cosines);

            for (int row = 0; row < rows; row++)
            {
                double dot = 0;
                for (int i = 0; i < dim; i++) dot += (double)values[row * dim + i] * of[i];
                Assert.Equal(dot, cosines[row], 1e-5);
            }
            Assert.Equal(7, cosines[rows]);
        });

    [Fact]
    public void ToTensors_AnyWidth_ParsesToTheSameRows()
    {
        float[] features = [.. Enumerable.Range(0, 5 * 11).Select(i => i / 256f)];            // no row is longer than 1
        Examples examples = new(features, [0, 1, 0, 1, 1], ["a", "b", "c", "d", "e"], 11, pictures: false);

        Examples read = Examples.Parse(examples.ToTensors(), examples.ToLines(["no", "yes"]), ["no", "yes"], 11, pictures: false);

        float[] expected = new float[5], found = new float[5];
        examples.Compare(features.AsSpan(0, 11), expected);
        read.Compare(features.AsSpan(0, 11), found);
        Assert.Equal(expected, found);
        Assert.Equal(examples.ToTensors(), read.ToTensors());
    }

    [Fact]
    public void Parse_ARowLongerThanOne_IsRefused()
    {
        Examples examples = new([0.6f, 0.8f, 1, 1], [0, 1], ["a", "b"], 2, pictures: false);

        Faults.InputRejectedException fault = Assert.Throws<Faults.InputRejectedException>(() =>
            Examples.Parse(examples.ToTensors(), examples.ToLines(["no", "yes"]), ["no", "yes"], 2, pictures: false));

        Assert.Contains("R014: The package's files do not fit together: the features of example 1 are longer than 1.", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_ALineOfAnotherLabel_IsRefused()
    {
        Examples examples = new([0.6f, 0.8f, 1, 0], [0, 1], ["a", "b"], 2, pictures: false);

        Faults.InputRejectedException fault = Assert.Throws<Faults.InputRejectedException>(() =>
            Examples.Parse(examples.ToTensors(), examples.ToLines(["yes", "no"]), ["no", "yes"], 2, pictures: false));

        Assert.Contains("line 1 of examples.jsonl has another label than its row of features.", fault.Message, StringComparison.Ordinal);
    }
}
