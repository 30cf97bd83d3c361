using System.Numerics.Tensors;
using MathNet.Numerics.LinearAlgebra;
using MathNet.Numerics.LinearAlgebra.Double;
using MathNet.Numerics.LinearAlgebra.Factorization;
using Scion.Heads;
using Scion.Storage;

namespace Scion.Text;

/// <summary>The principal axes of a text's features over all texts, labelled or not, and how much texts differ along each.</summary>
/// <remarks>Heads are fitted to features whose coordinate along each axis is multiplied by (λ/λ₁)^<see cref="Power"/>, λ being the variance along it: a
/// head of few labels then prefers directions in which texts do differ. It is the kernel K² of Chapelle, Weston, Schölkopf 2002, "Cluster kernels for
/// semi-supervised learning", in its linear form, learned without labels. The map is linear, so a fitted head is folded back (<see cref="Fold"/>) and
/// serving knows nothing of it. What it brings is in docs/experiments.md.</remarks>
/// <param name="mean">Mean of the features, [dim].</param>
/// <param name="axes">Orthonormal axes, largest variance first, [dim, dim], row-major.</param>
/// <param name="variances">Variance along each, [dim], not below 0.</param>
public sealed class FeatureSpectrum(double[] mean, double[] axes, double[] variances)
{
    /// <summary>Exponent of the variances. 0 would leave the features as they are; between ½ and 1 nothing can be told apart.</summary>
    public const double Power = 0.5;

    /// <summary>Variances below this share of the largest count as this share.</summary>
    const double Least = 1e-6;

    readonly double[] scales = Scales(variances);

    public int Dim => mean.Length;

    /// <summary>Factor of each axis: (λ/λ₁)^<see cref="Power"/>, times what brings the mean squared length to 1.</summary>
    static double[] Scales(double[] variances)
    {
        double largest = variances.Length == 0 ? 0 : variances.Max();
        if (largest <= 0) return [.. variances.Select(_ => 1.0)];
        double[] scales = [.. variances.Select(variance => Math.Pow(Math.Max(variance / largest, Least), Power))];
        double squared = scales.Zip(variances, (scale, variance) => scale * scale * variance).Sum();
        return [.. scales.Select(scale => scale / Math.Sqrt(squared))];
    }

    /// <param name="features">Features of texts, [texts, dim] row-major; all-zero rows are left out.</param>
    /// <param name="dim">Components.</param>
    public static FeatureSpectrum Fit(ReadOnlySpan<float> features, int dim)
    {
        double[] mean = new double[dim], covariance = new double[dim * dim], wide = new double[dim];
        int texts = 0;
        for (int at = 0; at < features.Length; at += dim)
        {
            ReadOnlySpan<float> row = features.Slice(at, dim);
            if (!row.ContainsAnyExcept(0f)) continue;
            texts++;
            TensorPrimitives.ConvertTruncating(row, wide.AsSpan());
            TensorPrimitives.Add(mean, wide, mean);
            for (int i = 0; i < dim; i++) TensorPrimitives.MultiplyAdd(wide.AsSpan(0, i + 1), wide[i], covariance.AsSpan(i * dim, i + 1), covariance.AsSpan(i * dim, i + 1));
        }
        if (texts == 0) return new FeatureSpectrum(mean, Identity(dim), new double[dim]);
        TensorPrimitives.Divide(mean, texts, mean);
        for (int i = 0; i < dim; i++)
            for (int j = 0; j <= i; j++) covariance[(i * dim) + j] = covariance[(j * dim) + i] = (covariance[(i * dim) + j] / texts) - (mean[i] * mean[j]);
        Evd<double> evd = new DenseMatrix(dim, dim, covariance).Evd(Symmetricity.Symmetric);         // values in rising order, vectors as columns
        int[] falling = [.. Enumerable.Range(0, dim).Reverse()];
        return new FeatureSpectrum(mean, [.. falling.SelectMany(i => evd.EigenVectors.Column(i).AsArray() ?? evd.EigenVectors.Column(i).ToArray())],
            [.. falling.Select(i => Math.Max(0, evd.EigenValues[i].Real))]);
    }

    static double[] Identity(int dim)
    {
        double[] identity = new double[dim * dim];
        for (int i = 0; i < dim; i++) identity[(i * dim) + i] = 1;
        return identity;
    }

    /// <summary>Features as heads are fitted to them: centred, turned to the axes, scaled. [rows, dim].</summary>
    public DenseFeatures Apply(DenseFeatures features)
    {
        int dim = Dim;
        double[] turned = new double[features.Rows * dim], centred = new double[dim];
        for (int row = 0; row < features.Rows; row++)
        {
            TensorPrimitives.Subtract(features.Row(row), mean, centred);
            for (int axis = 0; axis < dim; axis++)
                turned[(row * dim) + axis] = scales[axis] * TensorPrimitives.Dot<double>(axes.AsSpan(axis * dim, dim), centred);
        }
        return new DenseFeatures(turned, dim);
    }

    /// <summary>A head on <see cref="Apply"/>'s features as the same head on the features themselves.</summary>
    public LinearHead Fold(LinearHead head)
    {
        int dim = Dim;
        float[] weights = new float[head.Weights.Length], bias = new float[head.Classes];
        double[] sum = new double[dim];
        for (int c = 0; c < head.Classes; c++)
        {
            Array.Clear(sum);
            for (int axis = 0; axis < dim; axis++)
                TensorPrimitives.MultiplyAdd(axes.AsSpan(axis * dim, dim), scales[axis] * head.Weights[(c * dim) + axis], sum, sum);
            for (int i = 0; i < dim; i++) weights[(c * dim) + i] = (float)sum[i];
            bias[c] = (float)(head.Bias[c] - TensorPrimitives.Dot<double>(sum, mean));
        }
        return new LinearHead(weights, bias);
    }

    public byte[] ToBytes()
    {
        SafeTensors file = new();
        file.Add("mean", Narrow(mean), Dim);
        file.Add("axes", Narrow(axes), Dim, Dim);
        file.Add("variances", Narrow(variances), Dim);
        return file.ToBytes();
    }

    /// <exception cref="Faults.InputRejectedException">The bytes are not a spectrum (S006, S007).</exception>
    public static FeatureSpectrum Parse(ReadOnlySpan<byte> bytes)
    {
        SafeTensors file = SafeTensors.Parse(bytes);
        double[] mean = Wide(file.Floats("mean", -1));
        return new FeatureSpectrum(mean, Wide(file.Floats("axes", mean.Length, mean.Length)), Wide(file.Floats("variances", mean.Length)));
    }

    static float[] Narrow(double[] values) => [.. values.Select(value => (float)value)];

    static double[] Wide(float[] values) => [.. values.Select(value => (double)value)];
}
