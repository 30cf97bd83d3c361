using System.Numerics.Tensors;

namespace Scion.Heads;

/// <summary>Minimises a smooth function of many variables with its gradient: limited-memory BFGS.</summary>
/// <remarks>Source: Nocedal and Wright 2006, "Numerical Optimization", algorithms 7.4 (two-loop recursion), 3.5 and 3.6 (line search by the
/// strong Wolfe conditions). Deterministic.</remarks>
static class Lbfgs
{
    /// <summary>Pairs kept. More save few iterations at our sizes and cost memory of 16 bytes a variable each.</summary>
    const int Memory = 10;

    const int MaxIterations = 1000, MaxSearch = 30;

    const double Decrease = 1e-4, Curvature = 0.9;

    /// <summary>Value at x, and its gradient there.</summary>
    public delegate double Objective(ReadOnlySpan<double> x, Span<double> gradient);

    /// <param name="objective">Convex for the promise below.</param>
    /// <param name="x">Start on entry, minimum on return.</param>
    /// <param name="tolerance">Stops when no component of the gradient is larger, or when rounding allows no further decrease.</param>
    /// <returns>Largest component of the gradient at the end.</returns>
    public static double Minimise(Objective objective, double[] x, double tolerance)
    {
        int n = x.Length;
        double[] gradient = new double[n], next = new double[n], nextGradient = new double[n], direction = new double[n];
        double[][] steps = new double[Memory][], changes = new double[Memory][];
        double[] inverse = new double[Memory], alpha = new double[Memory];
        double value = objective(x, gradient);
        int kept = 0, newest = -1;
        for (int iteration = 0; iteration < MaxIterations; iteration++)
        {
            double largest = Largest(gradient);
            if (largest <= tolerance) return largest;

            gradient.CopyTo(direction, 0);
            for (int i = 0; i < kept; i++)
            {
                int k = (newest - i + Memory) % Memory;
                alpha[k] = inverse[k] * TensorPrimitives.Dot<double>(steps[k], direction);
                TensorPrimitives.MultiplyAdd(changes[k], -alpha[k], direction, direction);
            }
            if (kept > 0)
                TensorPrimitives.Multiply(direction, 1 / (inverse[newest] * TensorPrimitives.SumOfSquares<double>(changes[newest])), direction);
            for (int i = kept - 1; i >= 0; i--)
            {
                int k = (newest - i + Memory) % Memory;
                double beta = inverse[k] * TensorPrimitives.Dot<double>(changes[k], direction);
                TensorPrimitives.MultiplyAdd(steps[k], alpha[k] - beta, direction, direction);
            }
            TensorPrimitives.Negate(direction, direction);

            double slope = TensorPrimitives.Dot<double>(gradient, direction);
            double first = kept == 0 ? Math.Min(1, 1 / TensorPrimitives.Norm<double>(gradient)) : 1;
            double found = slope < 0 ? Search(objective, x, value, slope, direction, first, next, nextGradient) : double.NaN;
            if (double.IsNaN(found))
            {
                if (kept == 0) return largest;                             // not even the steepest direction goes down: rounding
                kept = 0;
                continue;
            }
            int slot = (newest + 1) % Memory;
            double[] step = steps[slot] ??= new double[n], change = changes[slot] ??= new double[n];
            TensorPrimitives.Subtract(next, x, step);
            TensorPrimitives.Subtract(nextGradient, gradient, change);
            double curvature = TensorPrimitives.Dot<double>(step, change);
            if (curvature > 1e-14 * TensorPrimitives.SumOfSquares<double>(change))
            {
                (newest, inverse[slot]) = (slot, 1 / curvature);
                kept = Math.Min(Memory, kept + 1);
            }
            bool stalled = found >= value && Largest(nextGradient) >= largest;
            next.CopyTo(x, 0);
            (gradient, nextGradient) = (nextGradient, gradient);
            value = found;
            if (stalled) break;
        }
        return Largest(gradient);
    }

    /// <summary>A step length by the strong Wolfe conditions; on return <paramref name="next"/> and its gradient are set.</summary>
    /// <returns>Value there; not a number when no lower point was found.</returns>
    static double Search(Objective objective, double[] x, double value, double slope, double[] direction, double first, double[] next, double[] nextGradient)
    {
        (double At, double Value, double Slope) low = (0, value, slope), high = default;
        bool bracketed = false;
        double at = first, slack = 1e-15 * Math.Abs(value);              // equal within rounding counts as a decrease
        for (int i = 0; i < MaxSearch; i++)
        {
            TensorPrimitives.MultiplyAdd(direction, at, x, next);
            double here = objective(next, nextGradient), slopeHere = TensorPrimitives.Dot<double>(nextGradient, direction);
            bool tooHigh = !(here <= value + (Decrease * at * slope) + slack) || (low.At > 0 && here > low.Value + slack);
            if (!tooHigh && Math.Abs(slopeHere) <= -Curvature * slope) return here;
            if (tooHigh) (high, bracketed) = ((at, here, slopeHere), true);
            else
            {
                if (bracketed ? slopeHere * (high.At - low.At) >= 0 : slopeHere >= 0) (high, bracketed) = (low, true);
                low = (at, here, slopeHere);
            }
            if (!bracketed) at *= 2;
            else
            {
                if (Math.Abs(high.At - low.At) <= 1e-12 * Math.Max(low.At, high.At)) break;
                at = Cubic(low, high);
            }
        }
        if (low.At == 0) return double.NaN;
        TensorPrimitives.MultiplyAdd(direction, low.At, x, next);
        return objective(next, nextGradient);
    }

    /// <summary>Minimum of the cubic through both points (equation 3.59), kept a tenth of the interval away from its ends.</summary>
    static double Cubic((double At, double Value, double Slope) a, (double At, double Value, double Slope) b)
    {
        double left = Math.Min(a.At, b.At), width = Math.Abs(b.At - a.At);
        double d1 = a.Slope + b.Slope - (3 * (a.Value - b.Value) / (a.At - b.At)), d2 = Math.Sqrt(Math.Max(0, (d1 * d1) - (a.Slope * b.Slope)));
        if (b.At < a.At) d2 = -d2;
        double at = b.At - ((b.At - a.At) * (b.Slope + d2 - d1) / (b.Slope - a.Slope + (2 * d2)));
        return double.IsFinite(at) ? Math.Clamp(at, left + (0.1 * width), left + (0.9 * width)) : left + (width / 2);
    }

    static double Largest(double[] gradient) => Math.Abs(TensorPrimitives.MaxMagnitude<double>(gradient));
}
