using Scion.Datasets;
using Scion.Pipelines;
using Scion.Text;

namespace Scion.Local;

/// <summary>Trains word vectors with what <see cref="EmbeddingOptions.Trainer"/> names. TorchSharp is in the build only where
/// <c>-p:Accelerator=cpu</c> or <c>cuda</c> asked for it: its libraries are hundreds of megabytes.</summary>
sealed class EmbeddingTrainers : IEmbeddingTrainer
{
    /// <inheritdoc/>
    /// <exception cref="Faults.InputRejectedException">The trainer is not in this build (T015), or training diverged (T004).</exception>
    public TrainedVectors Train(
        TokenCorpus corpus, Vocabulary vocabulary, EmbeddingOptions options, IProgress<StepProgress>? progress, CancellationToken cancellation)
    {
        IEmbeddingTrainer trainer = options.Trainer == EmbeddingOptions.TorchTrainer ? Torch() : new SkipGramTrainer();
        return trainer.Train(corpus, vocabulary, options, progress, cancellation);
    }

    /// <summary>Refuses settings whose trainer is not in this build, before a run is begun.</summary>
    /// <exception cref="Faults.InputRejectedException">The trainer is not in this build (T015).</exception>
    public static void Require(ReviewSettings settings)
    {
        if (settings.Embedding.Trainer == EmbeddingOptions.TorchTrainer) Torch();
    }

#if TORCH
    /// <summary>What the build has, for people.</summary>
    public static string Built => TorchSharp.torch.cuda.is_available()
        ? "built in, and a CUDA device is there: --set embedding.trainer=torch"
        : "built in, but no CUDA device was found: the CPU trainer is faster";

    static Torch.TorchSkipGramTrainer Torch() => new();
#else
    /// <summary>What the build has, for people.</summary>
    public static string Built => "not in this build; word vectors are trained on the CPU";

    static IEmbeddingTrainer Torch() => throw TextFaults.NoTorch();
#endif
}
