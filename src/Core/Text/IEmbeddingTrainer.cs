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
}

/// <param name="Vectors">Input vectors, [words, dim], row-major.</param>
/// <param name="Loss">Mean loss of a (word, context) pair over the last epoch, nats.</param>
/// <param name="Device">"cpu", "cuda:0" …</param>
/// <param name="Reproducible">True when the same input gives the same bits again.</param>
public sealed record TrainedVectors(float[] Vectors, double Loss, string Device, bool Reproducible);
