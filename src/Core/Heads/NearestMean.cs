using System.Numerics.Tensors;

namespace Scion.Heads;

/// <summary>Nearest class mean as a linear head.</summary>
/// <remarks>logit(c) = (μ(c)·x − |μ(c)|²/2) / σ²: the rule of Bayes for classes that are equally likely, spherical normal clouds of equal width
/// (Hastie, Tibshirani, Friedman 2009, §4.3, with Σ = σ²I). σ² is the pooled variance within classes, a component. The class with the
/// nearest mean has the largest logit whatever σ is; σ only sets how sure it is, and temperature scaling corrects that.</remarks>
public static class NearestMean
{
    /// <param name="features">Features, [all rows, dim].</param>
    /// <param name="rows">Rows to fit to; each class has one at least.</param>
    /// <param name="labels">Class of every row of <paramref name="features"/>.</param>
    /// <param name="classes">At least 2.</param>
    public static LinearHead Fit(FeatureMatrix features, int[] rows, int[] labels, int classes)
    {
        int dim = features.Dim;
        double[] means = new double[classes * dim];
        int[] counts = new int[classes];
        double squares = 0;
        foreach (int row in rows)
        {
            features.AddTo(row, 1, means.AsSpan(labels[row] * dim, dim));
            counts[labels[row]]++;
            squares += features.SquaredLength(row);
        }
        double within = squares;
        double[] lengths = new double[classes];
        for (int c = 0; c < classes; c++)
        {
            if (counts[c] == 0) throw new ArgumentException($"Class {c} has no row.");
            Span<double> mean = means.AsSpan(c * dim, dim);
            TensorPrimitives.Multiply(mean, 1.0 / counts[c], mean);
            lengths[c] = TensorPrimitives.SumOfSquares<double>(mean);
            within -= counts[c] * lengths[c];
        }
        // One row a class has no width: half of all squares is the width of rows without any class. Equal rows would have none either.
        double freedom = (double)Math.Max(1, rows.Length - classes) * features.Components;
        double variance = rows.Length > classes ? within / freedom : squares / 2 / (rows.Length * (double)features.Components);
        variance = Math.Max(variance, 1e-6 * Math.Max(1e-12, squares / rows.Length));
        return new LinearHead([.. means.Select(value => (float)(value / variance))], [.. lengths.Select(length => (float)(-length / 2 / variance))]);
    }
}
