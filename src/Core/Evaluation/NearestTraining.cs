using System.Numerics.Tensors;
using Scion.Heads;

namespace Scion.Evaluation;

/// <summary>The cosine below which a text is unlike all training rows.</summary>
/// <remarks>Training rows are judged by their nearest other one. The threshold is the ⌊0.05 (n + 1)⌋-th smallest of those cosines: a new row from
/// where the training rows come from lies below it with probability 0.05 at most (conformal prediction: Vovk et al. 2005; Papadopoulos 2008).
/// Under 39 rows, where 5 % is less than the two smallest, a normal prediction bound (mean − t · s · √(1 + 1/n)) goes lower than the smallest.</remarks>
static class NearestTraining
{
    public const double Share = 0.05;

    /// <summary>Rows judged at most, evenly spaced: ±1 % at 5 %.</summary>
    const int Sample = 2000;

    /// <param name="features">Features of unit length or zero.</param>
    /// <param name="train">Training rows.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <returns>In [−1, 1]; −1 never abstains.</returns>
    public static double Threshold(DenseFeatures features, int[] train, CancellationToken cancellation)
    {
        if (train.Length < 3) return -1;
        int[] judged = train.Length <= Sample ? train : [.. Enumerable.Range(0, Sample).Select(i => train[(int)((long)i * train.Length / Sample)])];
        double[] nearest = new double[judged.Length];
        Parallel.For(0, judged.Length, new ParallelOptions { CancellationToken = cancellation }, i =>
        {
            double most = -1;
            foreach (int other in train)
                if (other != judged[i]) most = Math.Max(most, TensorPrimitives.Dot(features.Row(judged[i]), features.Row(other)));
            nearest[i] = most;
        });
        Array.Sort(nearest);
        int n = nearest.Length, rank = (int)(Share * (n + 1));
        if (rank >= 2) return Math.Clamp(nearest[rank - 1], -1, 1);
        double mean = nearest.Average(), deviation = Math.Sqrt(nearest.Sum(value => (value - mean) * (value - mean)) / (n - 1));
        double z = 1.6448536269514722, t = z + (((z * z * z) + z) / (4 * (n - 1)));     // Student's t by its first Cornish–Fisher term
        return Math.Clamp(Math.Min(nearest[0], mean - (t * deviation * Math.Sqrt(1 + (1.0 / n)))), -1, 1);
    }
}
