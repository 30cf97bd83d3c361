using Scion.Datasets;
using Scion.Pipelines;

namespace Scion.Text;

/// <summary>Trains word vectors with what <see cref="EmbeddingOptions.Trainer"/> names. TorchSharp is in a host's build only where
/// <c>-p:Accelerator=cpu</c> or <c>cuda</c> asked for it: its libraries are hundreds of megabytes.</summary>
/// <param name="torch">Trains with TorchSharp; null where it is not in the build.</param>
public sealed class EmbeddingTrainers(IEmbeddingTrainer? torch) : IEmbeddingTrainer
{
    readonly SkipGramTrainer cpu = new();

    /// <inheritdoc/>
    /// <exception cref="Faults.InputRejectedException">The trainer is not in this build (T015), or training diverged (T004).</exception>
    public TrainedVectors Train(
        TokenCorpus corpus, Vocabulary vocabulary, EmbeddingOptions options, IProgress<StepProgress>? progress, CancellationToken cancellation) =>
        For(options.Trainer).Train(corpus, vocabulary, options, progress, cancellation);

    /// <inheritdoc/>
    /// <exception cref="Faults.InputRejectedException">The trainer is not in this build (T015), or training diverged (T004).</exception>
    public TrainedVectors Continue(
        EmbeddingStart start, TokenCorpus corpus, Vocabulary vocabulary, EmbeddingOptions options, IProgress<StepProgress>? progress, CancellationToken cancellation) =>
        For(options.Trainer).Continue(start, corpus, vocabulary, options, progress, cancellation);

    /// <summary>Refuses settings whose trainer is not in this build, before a run is begun.</summary>
    /// <exception cref="Faults.InputRejectedException">The trainer is not in this build (T015).</exception>
    public void Require(ReviewSettings settings) => For(settings.Embedding.Trainer);

    IEmbeddingTrainer For(string? trainer) => trainer == EmbeddingOptions.TorchTrainer ? torch ?? throw TextFaults.NoTorch() : cpu;
}
