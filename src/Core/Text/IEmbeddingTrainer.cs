using Scion.Pipelines;

namespace Scion.Text;

/// <summary>Learns word vectors by skip-gram. Implemented on the CPU here and on CUDA by Scion.Torch; the objective is the same.</summary>
public interface IEmbeddingTrainer
{
    /// <param name="corpus">The texts.</param>
    /// <param name="vocabulary">Words with their counts; ids in the corpus index it.</param>
    /// <param name="options">Complete options.</param>
    /// <param name="progress">Told of words read, in all epochs together.</param>
    /// <param name="cancellation">Stops the training.</param>
    /// <exception cref="Faults.InputRejectedException">A value is no longer finite (T004).</exception>
    TrainedVectors Train(TokenCorpus corpus, Vocabulary vocabulary, EmbeddingOptions options, IProgress<StepProgress>? progress, CancellationToken cancellation);

    /// <summary>Trains further from tables that were learned before: on other texts, or in a round whose shards are averaged.</summary>
    /// <param name="start">Where it begins; changed in place or not, so the caller gives it away.</param>
    /// <param name="corpus">The texts.</param>
    /// <param name="vocabulary">Words with their counts, of all shards where there are several: noise and sub-sampling go by them.</param>
    /// <param name="options">Complete options; the epochs are those of this call.</param>
    /// <param name="progress">Told of words read, in all epochs together.</param>
    /// <param name="cancellation">Stops the training.</param>
    /// <exception cref="Faults.InputRejectedException">A value is no longer finite (T004).</exception>
    TrainedVectors Continue(
        EmbeddingStart start, TokenCorpus corpus, Vocabulary vocabulary, EmbeddingOptions options, IProgress<StepProgress>? progress, CancellationToken cancellation);
}

/// <summary>Tables to train further.</summary>
/// <param name="Input">Input vectors, [words, dim], row-major.</param>
/// <param name="Output">Output vectors, [words, dim], row-major.</param>
/// <param name="Biases">Biases of the outputs under NCE, [words]; empty otherwise.</param>
/// <param name="From">Share of the whole training that is done, in [0, 1): where a falling rate begins.</param>
/// <param name="To">Share that is done afterwards, in (<paramref name="From"/>, 1].</param>
/// <param name="Stream">Tells apart the random numbers of shards and rounds of one seed; at least 0.</param>
public sealed record EmbeddingStart(float[] Input, float[] Output, float[] Biases, double From = 0, double To = 1, int Stream = 0);

/// <param name="Vectors">Input vectors, [words, dim], row-major.</param>
/// <param name="Loss">Mean loss of a (word, context) pair over the last epoch, nats; of a long one, over steps spread over it.</param>
/// <param name="Device">"cpu", "cuda:0" …</param>
/// <param name="Reproducible">True when the same input gives the same bits again.</param>
public sealed record TrainedVectors(float[] Vectors, double Loss, string Device, bool Reproducible)
{
    /// <summary>Output vectors, [words, dim], row-major; empty unless training was continued.</summary>
    public float[] Output { get; init; } = [];

    /// <summary>Biases of the outputs under NCE, [words]; empty otherwise, and unless training was continued.</summary>
    public float[] Biases { get; init; } = [];
}
