using System.Numerics.Tensors;

namespace Scion.Heads;

/// <summary>L2-regularised logistic regression with balanced classes.</summary>
/// <remarks>Minimises Σᵢ w(yᵢ) · −log p(yᵢ | xᵢ) + strength/2 · ‖W‖², the bias free. Class weights are balanced: w(c) = n / (classes · n(c)), so
/// rare classes count as much as common ones and the weights sum to n. Two classes have one weight vector v, p(second) = σ(v·x + b), and the
/// head holds −v/2 and v/2; more have a softmax and a vector each. Both are scikit-learn's <c>LogisticRegression(C=1/strength,
/// class_weight="balanced")</c>. Strictly convex, so the answer does not depend on the start or the order of rows beyond the tolerance.</remarks>
public sealed class LogisticRegression
{
    /// <summary>Largest component of the gradient of the mean objective at which a fit is done.</summary>
    public const double Tolerance = 1e-7;

    readonly FeatureMatrix features;
    readonly int[] rows, labels;
    readonly int classes, vectors, dim;
    readonly double[] weights;
    readonly double[] x;

    /// <param name="features">Features, [all rows, dim].</param>
    /// <param name="rows">Rows to fit to; each class has one at least.</param>
    /// <param name="labels">Class of every row of <paramref name="features"/>, in [0, classes).</param>
    /// <param name="classes">At least 2.</param>
    public LogisticRegression(FeatureMatrix features, int[] rows, int[] labels, int classes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(classes, 2);
        (this.features, this.rows, this.labels, this.classes, dim) = (features, rows, labels, classes, features.Dim);
        weights = new double[classes];
        foreach (int row in rows) weights[labels[row]]++;
        for (int c = 0; c < classes; c++)
            weights[c] = weights[c] > 0 ? rows.Length / (classes * weights[c]) : throw new ArgumentException($"Class {c} has no row.");
        vectors = classes == 2 ? 1 : classes;
        x = new double[vectors * (dim + 1)];
    }

    /// <summary>Fits from nothing.</summary>
    public static LinearHead Fit(FeatureMatrix features, int[] rows, int[] labels, int classes, double strength) =>
        new LogisticRegression(features, rows, labels, classes).Fit(strength);

    /// <summary>Fits, starting from the last fit of this object: along a path of strengths each fit is a few steps.</summary>
    /// <param name="strength">Above 0.</param>
    /// <param name="tolerance">As <see cref="Tolerance"/>.</param>
    public LinearHead Fit(double strength, double tolerance = Tolerance)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(strength);
        Lbfgs.Minimise((at, gradient) => Objective(at, strength, gradient), x, tolerance);
        float[] head = new float[classes * dim], bias = new float[classes];
        for (int c = 0; c < classes; c++)
        {
            double scale = vectors > 1 ? 1 : c == 0 ? -0.5 : 0.5;
            int vector = vectors > 1 ? c : 0;
            for (int i = 0; i < dim; i++) head[(c * dim) + i] = (float)(scale * x[(vector * dim) + i]);
            bias[c] = (float)(scale * x[(vectors * dim) + vector]);
        }
        return new LinearHead(head, bias);
    }

    /// <summary>The objective divided by the number of rows, so that one tolerance suits all sizes.</summary>
    /// <param name="at">Vectors [vectors, dim], then biases [vectors].</param>
    /// <param name="strength">Above 0.</param>
    /// <param name="gradient">Written, as <paramref name="at"/>.</param>
    internal double Objective(ReadOnlySpan<double> at, double strength, Span<double> gradient)
    {
        gradient.Clear();
        int biases = vectors * dim;
        double loss = 0;
        Span<double> logits = vectors <= 64 ? stackalloc double[vectors] : new double[vectors];
        foreach (int row in rows)
        {
            int label = labels[row];
            double weight = weights[label];
            for (int v = 0; v < vectors; v++) logits[v] = at[biases + v] + features.Dot(row, at.Slice(v * dim, dim));
            if (vectors == 1)
            {
                double margin = label == 1 ? logits[0] : -logits[0], e = Math.Exp(-Math.Abs(margin));
                loss += weight * (Math.Log(1 + e) + Math.Max(0, -margin));
                double wrong = margin >= 0 ? e / (1 + e) : 1 / (1 + e);
                double pull = label == 1 ? -weight * wrong : weight * wrong;
                features.AddTo(row, pull, gradient[..dim]);
                gradient[dim] += pull;
                continue;
            }
            double largest = TensorPrimitives.Max<double>(logits), own = logits[label], total = 0;
            for (int v = 0; v < vectors; v++) total += logits[v] = Math.Exp(logits[v] - largest);
            loss += weight * (Math.Log(total) + largest - own);
            for (int v = 0; v < vectors; v++)
            {
                double pull = weight * ((logits[v] / total) - (v == label ? 1 : 0));
                features.AddTo(row, pull, gradient.Slice(v * dim, dim));
                gradient[biases + v] += pull;
            }
        }
        double scale = 1.0 / rows.Length;
        TensorPrimitives.MultiplyAdd(at[..biases], strength, gradient[..biases], gradient[..biases]);
        TensorPrimitives.Multiply(gradient, scale, gradient);
        return scale * (loss + (strength / 2 * TensorPrimitives.SumOfSquares(at[..biases])));
    }
}
