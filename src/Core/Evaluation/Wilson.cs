namespace Scion.Evaluation;

/// <summary>95 % intervals of a share.</summary>
/// <remarks>Source: Wilson 1927; Brown, Cai, DasGupta 2001 recommend it for small samples, where the normal interval is far too narrow.</remarks>
public static class Wilson
{
    /// <summary>97.5 % point of the standard normal.</summary>
    public const double Z = 1.959963984540054;

    /// <param name="right">Successes, in [0, <paramref name="of"/>]; need not be whole, when each row counts by a share.</param>
    /// <param name="of">Rows. None: the share is 0 and the interval [0, 1].</param>
    public static Figure Interval(double right, double of)
    {
        if (of <= 0) return new Figure(0, 0, 1);
        double share = right / of, spread = Z * Z / of;
        double middle = (share + (spread / 2)) / (1 + spread);
        double half = Z * Math.Sqrt((share * (1 - share) / of) + (spread / 4 / of)) / (1 + spread);
        return new Figure(share, Math.Clamp(middle - half, 0, share), Math.Clamp(middle + half, share, 1));
    }
}
