using System.Buffers;

namespace Scion.Vision;

/// <summary>Weights that make the output pixels along one side out of the stored ones: a triangle, one input pixel wide on either side when
/// enlarging and one output pixel wide when reducing (antialiased linear interpolation, as Pillow's BILINEAR).</summary>
/// <remarks>Weights are whole numbers that sum to <see cref="One"/>, so that pixels are exact sums: the same on every processor, in any order
/// of addition, and whether rows or columns come first. A weight is off by less than 1/4096.</remarks>
readonly struct PictureAxis
{
    /// <summary>Twice this many bits and the eight of a value fill an unsigned 32-bit sum.</summary>
    public const int WeightBits = 12, One = 1 << WeightBits;

    readonly (int First, int Count, int Offset)[] taps;
    readonly ushort[] weights;

    /// <param name="stored">Pixels along this side as decoded.</param>
    /// <param name="extent">How much of them is picture: less than <paramref name="stored"/>, by under 1, where a decode at reduced scale rounded up.</param>
    /// <param name="size">Pixels this side is resized to, before a cut.</param>
    /// <param name="from">First of those that is wanted.</param>
    /// <param name="count">How many are wanted.</param>
    /// <param name="mirrored">True when output runs against the stored order.</param>
    public PictureAxis(int stored, double extent, int size, int from, int count, bool mirrored)
    {
        double ratio = extent / size;                                   // stored pixels for one of the output
        double radius = Math.Max(1, ratio);
        double shift = mirrored ? stored - extent : 0;                  // in mirrored order what is beyond the picture comes first
        taps = new (int, int, int)[count];
        int widest = (int)Math.Ceiling(2 * radius) + 2;
        weights = new ushort[count * widest];
        double[] triangle = ArrayPool<double>.Shared.Rent(widest);
        for (int o = 0; o < count; o++)
        {
            double centre = (o + from + 0.5) * ratio + shift;
            int first = Math.Clamp((int)Math.Floor(centre - radius), 0, stored - 1), end = Math.Clamp((int)Math.Ceiling(centre + radius), first + 1, stored);
            double sum = 0;
            for (int j = first; j < end; j++) sum += triangle[j - first] = Math.Max(0, 1 - Math.Abs(j + 0.5 - centre) / radius);
            Span<ushort> row = weights.AsSpan(o * widest, end - first);
            double before = 0;
            int given = 0;
            for (int j = 0; j < row.Length; j++)                        // rounding the running sum makes the total exact
            {
                before += triangle[j];
                int upTo = (int)Math.Floor(before / sum * One + 0.5);
                row[j] = (ushort)(upTo - given);
                given = upTo;
            }
            if (mirrored) row.Reverse();
            int skip = Math.Max(0, row.IndexOfAnyExcept((ushort)0)), last = row.LastIndexOfAnyExcept((ushort)0);
            taps[o] = ((mirrored ? stored - end : first) + skip, last - skip + 1, o * widest + skip);
        }
        ArrayPool<double>.Shared.Return(triangle);
    }

    /// <summary>Output pixels.</summary>
    public int Count => taps.Length;

    /// <summary>The first stored pixel that an output pixel takes from, and the weights of it and those after it; they sum to <see cref="One"/>.</summary>
    public ReadOnlySpan<ushort> Weights(int output, out int first)
    {
        (first, int count, int offset) = taps[output];
        return weights.AsSpan(offset, count);
    }

    /// <summary>Stored pixels that any output pixel takes from.</summary>
    public (int First, int End) Used()
    {
        (int first, int end) = (int.MaxValue, 0);
        foreach ((int from, int count, _) in taps) (first, end) = (Math.Min(first, from), Math.Max(end, from + count));
        return (first, end);
    }
}
