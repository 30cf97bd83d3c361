using System.Numerics.Tensors;
using Scion.Serving;

namespace Scion.Registry;

/// <summary>Fits "unlike the training data" to the examples a package stores.</summary>
/// <remarks>Evaluation's threshold is for the nearest of all training rows. A package stores at most <see cref="Examples.MaxRows"/> of them, and
/// the nearest of fewer rows is farther away; with the old threshold the model would abstain more often than was measured. So the threshold is
/// moved to keep the share of training rows below it, each judged without itself.</remarks>
static class AbstainThreshold
{
    /// <summary>Training rows the shares are estimated on, evenly spaced: ±2 % at a share of 5 %.</summary>
    const int Sample = 500;

    /// <param name="examples">The stored rows.</param>
    /// <param name="stored">Their row numbers.</param>
    /// <param name="train">Row numbers of all training rows; a superset.</param>
    /// <param name="features">Features of a row, [dim].</param>
    /// <param name="evaluated">Threshold for the nearest of all training rows.</param>
    /// <returns>The threshold for the nearest stored example, and the share of training rows below it.</returns>
    public static (double AbstainBelow, double? Share) For(Examples examples, int[] stored, int[] train, Func<int, float[]> features, double evaluated)
    {
        if (stored.Length < 2) return (evaluated, null);
        int count = Math.Min(Sample, train.Length);
        float[] ofStored = new float[count], cosines = new float[stored.Length];
        int below = 0;
        for (int i = 0; i < count; i++)
        {
            int row = train[(int)((long)i * train.Length / count)];
            examples.Compare(features(row), cosines);
            int itself = Array.BinarySearch(stored, row);
            if (itself >= 0) cosines[itself] = -1;
            ofStored[i] = TensorPrimitives.Max<float>(cosines);
            if (train.Length > stored.Length && NearestOfAll(features(row), row, train, features) < evaluated) below++;
        }
        if (train.Length > stored.Length)
        {
            Array.Sort(ofStored);
            evaluated = below < count ? ofStored[below] : Math.BitIncrement((double)ofStored[^1]);      // as many lie below it as lay below the old one
        }
        return (evaluated, ofStored.Count(cosine => cosine < evaluated) / (double)count);
    }

    static float NearestOfAll(float[] of, int row, int[] train, Func<int, float[]> features)
    {
        float nearest = -1;
        foreach (int other in train)
            if (other != row) nearest = Math.Max(nearest, TensorPrimitives.Dot(features(other), of));
        return nearest;
    }
}
