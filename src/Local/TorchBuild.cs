using Scion.Text;

namespace Scion.Local;

/// <summary>What this build has to train with on a GPU.</summary>
static class TorchBuild
{
#if TORCH
    /// <summary>For people.</summary>
    public static string Description => TorchSharp.torch.cuda.is_available()
        ? "built in, and a CUDA device is there: --set embedding.trainer=torch"
        : "built in, but no CUDA device was found: the CPU trainer is faster";

    public static EmbeddingTrainers Trainers { get; } = new(new Torch.TorchSkipGramTrainer());
#else
    /// <summary>For people.</summary>
    public static string Description => "not in this build; word vectors are trained on the CPU";

    public static EmbeddingTrainers Trainers { get; } = new(torch: null);
#endif
}
