namespace Scion.Vision;

/// <summary>Tells whether two thumbnails are of one picture, cropped and lit a little differently.</summary>
/// <remarks>One step of registration (Lucas and Kanade 1981, eq. 8, with an affine map and gain and offset beside the shift): least squares of
/// b = g a + oᵣ,ᵍ,ᵇ + (s + t x) ∂a/∂x + (u + v y) ∂a/∂y, eight unknowns. What it cannot explain is the difference.</remarks>
static class ThumbnailMatch
{
    /// <summary>Most that may stay unexplained, as a share of the contrast. Measured: 99 of 100 copies with 3 % cut off stay below it, and so
    /// does no pair of different photos among 4.7 million.</summary>
    internal const double MaxResidual = 0.08;

    /// <summary>Contrast is taken to be at least this, in values of 0 to 255: else the noise of an empty wall would tell walls apart.</summary>
    const double LeastContrast = 6;

    /// <summary>Cells that an edge may move; 3 % of 16 cells cut off both ends are 1.0 with the error of a single step.</summary>
    const double MaxShift = 1.25;

    /// <summary>Values by which the mean of a channel may differ, and the factor by which contrast may.</summary>
    const double MaxOffset = 32, MaxGain = 1.5;

    const int Cells = PictureFingerprint.Cells, Unknowns = 8, Used = (Cells - 2) * (Cells - 2) * 3;

    public static bool IsSame(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b)
    {
        if (!AreAlike(a, b)) return false;
        // From both sides, so that the answer is the same whichever comes first.
        return Residual(a, b) <= MaxResidual || Residual(b, a) <= MaxResidual;
    }

    /// <summary>A cheap test that near copies always pass.</summary>
    static bool AreAlike(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b)
    {
        Span<int> sums = stackalloc int[3];
        for (int i = 0; i < a.Length; i += 3)
            for (int c = 0; c < 3; c++) sums[c] += a[i + c] - b[i + c];
        foreach (int sum in sums) if (Math.Abs(sum) > MaxOffset * Cells * Cells) return false;
        return true;
    }

    /// <summary>What of b's contrast is not explained by a, as a share of it; infinite when the map is none of a near copy's.</summary>
    internal static double Residual(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b)
    {
        Span<double> m = stackalloc double[Unknowns * (Unknowns + 1)], row = stackalloc double[Unknowns + 1], p = stackalloc double[Unknowns];
        m.Clear();
        double square = 0;
        Span<double> mean = stackalloc double[3];
        mean.Clear();
        for (int y = 1; y < Cells - 1; y++)
            for (int x = 1; x < Cells - 1; x++)
                for (int c = 0; c < 3; c++)
                {
                    Describe(a, b, y, x, c, row);
                    for (int i = 0; i < Unknowns; i++)
                        if (row[i] != 0)
                            for (int j = i; j <= Unknowns; j++) m[i * (Unknowns + 1) + j] += row[i] * row[j];
                    square += row[Unknowns] * row[Unknowns];
                    mean[c] += row[Unknowns] / (Used / 3);
                }
        double variance = square / Used - (mean[0] * mean[0] + mean[1] * mean[1] + mean[2] * mean[2]) / 3;
        Solve(m, p);
        if (Math.Abs(p[4]) + Math.Abs(p[5]) > MaxShift || Math.Abs(p[6]) + Math.Abs(p[7]) > MaxShift || p[0] is > MaxGain or < 1 / MaxGain) return double.PositiveInfinity;
        double error = 0;
        for (int y = 1; y < Cells - 1; y++)
            for (int x = 1; x < Cells - 1; x++)
                for (int c = 0; c < 3; c++)
                {
                    Describe(a, b, y, x, c, row);
                    double left = row[Unknowns];
                    for (int i = 0; i < Unknowns; i++) left -= p[i] * row[i];
                    error += left * left;
                }
        return Math.Sqrt(error / Used) / Math.Max(LeastContrast, Math.Sqrt(Math.Max(0, variance)));
    }

    /// <summary>One equation: gain, three offsets, slopes across with and without x, slopes down with and without y; then b. Slopes are of both pictures' mean.</summary>
    static void Describe(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b, int y, int x, int c, Span<double> row)
    {
        int at = 3 * (Cells * y + x) + c;
        double across = (a[at + 3] - a[at - 3] + b[at + 3] - b[at - 3]) / 4.0, down = (a[at + 3 * Cells] - a[at - 3 * Cells] + b[at + 3 * Cells] - b[at - 3 * Cells]) / 4.0;
        const double Middle = (Cells - 1) / 2.0;
        row[0] = a[at];
        row[1] = row[2] = row[3] = 0;
        row[1 + c] = 1;
        row[4] = across;
        row[5] = (x - Middle) / Middle * across;
        row[6] = down;
        row[7] = (y - Middle) / Middle * down;
        row[8] = b[at];
    }

    /// <summary>Elimination of the symmetric normal equations, with a little on the diagonal so that a flat picture has a solution.</summary>
    static void Solve(Span<double> m, Span<double> p)
    {
        const int Row = Unknowns + 1;
        for (int i = 0; i < Unknowns; i++)
        {
            m[i * Row + i] += i >= 4 ? 4e-3 * Used : 1e-3;
            for (int j = 0; j < i; j++) m[i * Row + j] = m[j * Row + i];
        }
        for (int i = 0; i < Unknowns; i++)
            for (int r = i + 1; r < Unknowns; r++)
            {
                double factor = m[r * Row + i] / m[i * Row + i];
                for (int j = i; j < Row; j++) m[r * Row + j] -= factor * m[i * Row + j];
            }
        for (int i = Unknowns - 1; i >= 0; i--)
        {
            double sum = m[i * Row + Unknowns];
            for (int j = i + 1; j < Unknowns; j++) sum -= m[i * Row + j] * p[j];
            p[i] = sum / m[i * Row + i];
        }
    }
}
