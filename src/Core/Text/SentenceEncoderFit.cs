using System.Numerics.Tensors;

namespace Scion.Text;

/// <summary>Makes a <see cref="SentenceEncoder"/> of word vectors: weights from word counts, common components from sample texts.</summary>
/// <remarks>Source: Arora, Liang, Ma 2017. Weight a/(a + p(word)); the components are the first right singular vectors of the matrix of
/// sample texts. What was tried is in docs/experiments.md.</remarks>
public static class SentenceEncoderFit
{
    /// <summary>Smoothing of the weights, a. The source has 1e-3, for vectors of billions of words; small corpora are better served by flatter weights.</summary>
    public const double Smoothing = 1e-2;

    /// <summary>Vectors with fewer components lose none: one of the article's four is a quarter of all they say.</summary>
    const int LeastDim = 8;

    /// <summary>Common components removed.</summary>
    public const int Components = 1;

    /// <summary>Texts the components are taken from: more change nothing that can be measured.</summary>
    public const int MaxSamples = 20_000;

    /// <param name="vocabulary">Words and counts.</param>
    /// <param name="dim">Components of a vector.</param>
    /// <param name="vectors">[words, dim].</param>
    /// <param name="samples">Texts; the first <see cref="MaxSamples"/> are read.</param>
    public static SentenceEncoder Fit(Vocabulary vocabulary, int dim, float[] vectors, IEnumerable<string> samples) =>
        Fit(vocabulary, dim, vectors, Weights(vocabulary.Counts, Smoothing), samples, Components);

    /// <summary>a/(a + p(word)), [words].</summary>
    /// <param name="counts">Occurrences of each word.</param>
    /// <param name="smoothing">a, above 0.</param>
    public static float[] Weights(IReadOnlyList<long> counts, double smoothing)
    {
        double total = Math.Max(1, counts.Sum());
        return [.. counts.Select(count => (float)(smoothing / (smoothing + (count / total))))];
    }

    /// <param name="vocabulary">Words and counts.</param>
    /// <param name="dim">Components of a vector.</param>
    /// <param name="vectors">[words, dim].</param>
    /// <param name="weights">Weight of each word in the mean, [words].</param>
    /// <param name="samples">Texts; the first <see cref="MaxSamples"/> are read.</param>
    /// <param name="components">Common components to remove, at least 0; none where the vectors have fewer than eight components.</param>
    public static SentenceEncoder Fit(Vocabulary vocabulary, int dim, float[] vectors, float[] weights, IEnumerable<string> samples, int components)
    {
        SentenceEncoder plain = new(vocabulary, dim, vectors, weights, []);
        if (components == 0 || dim < LeastDim) return plain;

        double[] gram = new double[dim * dim];
        float[] features = new float[dim];
        double[] wide = new double[dim];
        foreach (string text in samples.Take(MaxSamples))
        {
            if (plain.Encode(text, features) == 0) continue;
            TensorPrimitives.ConvertTruncating<float, double>(features, wide);
            for (int i = 0; i < dim; i++) TensorPrimitives.MultiplyAdd(wide, wide[i], gram.AsSpan(i * dim, dim), gram.AsSpan(i * dim, dim));
        }
        List<float> removed = [];
        for (int k = 0; k < components; k++)
        {
            double[] direction = LeadingEigenvector(gram, dim);
            if (direction.All(value => value == 0)) break;
            double eigenvalue = 0;
            for (int i = 0; i < dim; i++) eigenvalue += direction[i] * TensorPrimitives.Dot(gram.AsSpan(i * dim, dim), direction);
            for (int i = 0; i < dim; i++)
                TensorPrimitives.MultiplyAdd(direction, -eigenvalue * direction[i], gram.AsSpan(i * dim, dim), gram.AsSpan(i * dim, dim));
            removed.AddRange(direction.Select(value => (float)value));
        }
        return new SentenceEncoder(vocabulary, dim, vectors, weights, [.. removed]);
    }

    /// <summary>Power iteration from a random start, until it stands still; all zero for a zero matrix.</summary>
    static double[] LeadingEigenvector(double[] matrix, int dim)
    {
        Xoshiro random = new(seed: 1, stream: 0);
        double[] x = new double[dim], next = new double[dim];
        for (int i = 0; i < dim; i++) x[i] = random.Unit() - 0.5;
        TensorPrimitives.Divide(x, TensorPrimitives.Norm(x), x);
        for (int iteration = 0; iteration < 1000; iteration++)
        {
            for (int i = 0; i < dim; i++) next[i] = TensorPrimitives.Dot(matrix.AsSpan(i * dim, dim), x);
            double norm = TensorPrimitives.Norm(next);
            if (norm < 1e-12) return new double[dim];
            TensorPrimitives.Divide(next, norm, next);
            bool still = TensorPrimitives.Dot(x, next) > 1 - 1e-15;
            (x, next) = (next, x);
            if (still) break;
        }
        return x;
    }
}
