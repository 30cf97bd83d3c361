using System.Numerics.Tensors;

namespace Scion.Heads;

/// <summary>Features of rows, [rows, dim]: what heads are fitted to.</summary>
public abstract class FeatureMatrix
{
    public abstract int Rows { get; }

    public abstract int Dim { get; }

    /// <summary>Components that the features had before they were written by fewer numbers; <see cref="Dim"/> if they were not.</summary>
    public virtual int Components => Dim;

    /// <summary>Numbers stored a row, on average: what a pass over a row costs.</summary>
    public virtual double Stored => Dim;

    /// <summary>Σ features[row] · vector.</summary>
    /// <param name="row">In [0, <see cref="Rows"/>).</param>
    /// <param name="vector">[dim].</param>
    public abstract double Dot(int row, ReadOnlySpan<double> vector);

    /// <summary>sum += scale · features[row].</summary>
    /// <param name="row">In [0, <see cref="Rows"/>).</param>
    /// <param name="scale">Any finite number.</param>
    /// <param name="sum">[dim], updated.</param>
    public abstract void AddTo(int row, double scale, Span<double> sum);

    /// <summary>Squared Euclidean length of a row.</summary>
    public abstract double SquaredLength(int row);
}

/// <summary>Dense features: sentence features of a text. Held in double, so that a fit is exact to its tolerance.</summary>
public sealed class DenseFeatures : FeatureMatrix
{
    readonly double[] values;

    /// <param name="values">[rows, dim], row-major; copied.</param>
    /// <param name="dim">Components of a row, at least 1.</param>
    public DenseFeatures(ReadOnlySpan<float> values, int dim)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(dim, 1);
        if (values.Length % dim != 0) throw new ArgumentException($"{values.Length} values are not rows of {dim}.");
        this.values = new double[values.Length];
        TensorPrimitives.ConvertTruncating(values, this.values.AsSpan());
        Dim = dim;
    }

    /// <param name="values">[rows, dim], row-major; kept.</param>
    /// <param name="dim">Components of a row, at least 1.</param>
    internal DenseFeatures(double[] values, int dim) => (this.values, Dim) = (values, dim);

    public override int Rows => values.Length / Dim;

    public override int Dim { get; }

    public ReadOnlySpan<double> Row(int row) => values.AsSpan(row * Dim, Dim);

    /// <summary>Some of the rows, in the order given.</summary>
    public DenseFeatures Of(int[] rows)
    {
        double[] some = new double[rows.Length * Dim];
        for (int i = 0; i < rows.Length; i++) Row(rows[i]).CopyTo(some.AsSpan(i * Dim));
        return new DenseFeatures(some, Dim);
    }

    public override double Dot(int row, ReadOnlySpan<double> vector) => TensorPrimitives.Dot(Row(row), vector);

    public override void AddTo(int row, double scale, Span<double> sum) => TensorPrimitives.MultiplyAdd(Row(row), scale, sum, sum);

    public override double SquaredLength(int row) => TensorPrimitives.SumOfSquares(Row(row));
}

/// <summary>Sparse features by compressed rows: bag of words.</summary>
/// <param name="starts">Index of each row's first entry, and last the number of entries: [rows + 1].</param>
/// <param name="columns">Column of each entry, in [0, dim).</param>
/// <param name="values">Value of each entry.</param>
/// <param name="dim">Columns.</param>
public sealed class SparseFeatures(int[] starts, int[] columns, float[] values, int dim) : FeatureMatrix
{
    public override int Rows => starts.Length - 1;

    public override int Dim => dim;

    public override double Stored => Rows == 0 ? 0 : (double)values.Length / Rows;

    /// <summary>Entries of a row.</summary>
    public int Count(int row) => starts[row + 1] - starts[row];

    public override double Dot(int row, ReadOnlySpan<double> vector)
    {
        double sum = 0;
        for (int i = starts[row]; i < starts[row + 1]; i++) sum += values[i] * vector[columns[i]];
        return sum;
    }

    public override void AddTo(int row, double scale, Span<double> sum)
    {
        for (int i = starts[row]; i < starts[row + 1]; i++) sum[columns[i]] += scale * values[i];
    }

    public override double SquaredLength(int row)
    {
        double sum = 0;
        for (int i = starts[row]; i < starts[row + 1]; i++) sum += (double)values[i] * values[i];
        return sum;
    }
}

/// <summary>Dense features and sparse ones of the same rows, side by side.</summary>
/// <param name="dense">The first columns.</param>
/// <param name="sparse">The others.</param>
public sealed class JoinedFeatures(DenseFeatures dense, SparseFeatures sparse) : FeatureMatrix
{
    public override int Rows => dense.Rows;

    public override int Dim => dense.Dim + sparse.Dim;

    public override double Stored => dense.Stored + sparse.Stored;

    public override double Dot(int row, ReadOnlySpan<double> vector) => dense.Dot(row, vector[..dense.Dim]) + sparse.Dot(row, vector[dense.Dim..]);

    public override void AddTo(int row, double scale, Span<double> sum)
    {
        dense.AddTo(row, scale, sum[..dense.Dim]);
        sparse.AddTo(row, scale, sum[dense.Dim..]);
    }

    public override double SquaredLength(int row) => dense.SquaredLength(row) + sparse.SquaredLength(row);

    /// <summary>All of it written out, [rows, dim].</summary>
    public DenseFeatures ToDense()
    {
        double[] values = new double[checked(Rows * Dim)];
        for (int row = 0; row < Rows; row++) AddTo(row, 1, values.AsSpan(row * Dim, Dim));
        return new DenseFeatures(values, Dim);
    }
}
