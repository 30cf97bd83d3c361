using System.Numerics.Tensors;

namespace Scion.Heads;

/// <summary>Features by their coordinates in the space that their own rows span: as many components as rows, instead of as many as there were.</summary>
/// <remarks>Lengths, cosines and so every head of ours are the same in it: a head's weights are sums of rows, and a penalty on their length does not
/// notice a rotation (Hastie, Tibshirani 2004, "Efficient quadratic regularization for expression arrays"). 90 pictures of 2,048 components fit 20 times as
/// fast. The basis is that of Gram and Schmidt, each row made orthogonal twice (Giraud, Langou, Rozložník 2005: twice is enough).</remarks>
public sealed class RowSpace : FeatureMatrix
{
    /// <summary>What is left of a row, as a share of its length, that is only rounding.</summary>
    const double Rounding = 1e-7;

    readonly DenseFeatures coordinates;
    readonly List<double[]> basis = [];

    /// <param name="features">More components than rows, or little is gained.</param>
    public RowSpace(DenseFeatures features)
    {
        int rows = features.Rows;
        double[] values = new double[rows * rows], left = new double[features.Dim];
        for (int row = 0; row < rows; row++)
        {
            features.Row(row).CopyTo(left);
            Span<double> own = values.AsSpan(row * rows, rows);
            double length = TensorPrimitives.Norm<double>(left);
            for (int pass = 0; pass < 2; pass++)
                for (int axis = 0; axis < basis.Count; axis++)
                {
                    double along = TensorPrimitives.Dot<double>(basis[axis], left);
                    TensorPrimitives.MultiplyAdd(basis[axis], -along, left, left);
                    own[axis] += along;
                }
            double rest = TensorPrimitives.Norm<double>(left);
            if (rest <= Rounding * length) continue;
            own[basis.Count] = rest;
            double[] axisOfItsOwn = new double[features.Dim];
            TensorPrimitives.Divide(left, rest, axisOfItsOwn);
            basis.Add(axisOfItsOwn);
        }
        Components = features.Dim;
        int dim = Math.Max(1, basis.Count);
        double[] packed = new double[rows * dim];
        for (int row = 0; row < rows; row++) values.AsSpan(row * rows, Math.Min(dim, rows)).CopyTo(packed.AsSpan(row * dim));
        coordinates = new DenseFeatures(packed, dim);
    }

    /// <summary>Components below which there is nothing to gain.</summary>
    public const int LeastComponents = 256;

    /// <summary>The features themselves, or their row space where that makes heads much faster to fit.</summary>
    public static FeatureMatrix For(DenseFeatures features) =>
        features.Rows > 0 && features.Dim >= LeastComponents && features.Dim > features.Rows ? new RowSpace(features) : features;

    public override int Rows => coordinates.Rows;

    public override int Dim => coordinates.Dim;

    public override int Components { get; }

    public override double Dot(int row, ReadOnlySpan<double> vector) => coordinates.Dot(row, vector);

    public override void AddTo(int row, double scale, Span<double> sum) => coordinates.AddTo(row, scale, sum);

    public override double SquaredLength(int row) => coordinates.SquaredLength(row);

    /// <summary>A head on these coordinates as the same head on the features.</summary>
    public LinearHead Widen(LinearHead head)
    {
        float[] weights = new float[head.Classes * Components];
        double[] sum = new double[Components];
        for (int c = 0; c < head.Classes; c++)
        {
            Array.Clear(sum);
            for (int axis = 0; axis < basis.Count; axis++) TensorPrimitives.MultiplyAdd(basis[axis], (double)head.Weights[(c * head.Dim) + axis], sum, sum);
            for (int i = 0; i < sum.Length; i++) weights[(c * Components) + i] = (float)sum[i];
        }
        return new LinearHead(weights, head.Bias);
    }
}
