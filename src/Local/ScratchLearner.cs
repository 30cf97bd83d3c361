using Scion.Demo;
#if TORCH
using Scion.Torch;
using Scion.Vision;
#endif

namespace Scion.Local;

/// <summary>A network that learns dresses from scratch, where the build has TorchSharp.</summary>
static class ScratchLearner
{
#if TORCH
    /// <summary>Pixels of a side.</summary>
    const int Side = 48;

    /// <returns>Null in a build without TorchSharp.</returns>
    public static (DressLearner Learn, long Parameters)? Of(DressPool pool, CancellationToken cancellation)
    {
        byte[][] pixels = pool.Pixels(new PictureFit(PictureFit.CurrentVersion, Side, Side, PictureResize.Squash, 0), cancellation);
        byte[] Of(int[] pictures) => [.. pictures.SelectMany(i => pixels[i])];
        ScratchNetwork Train(int[] pictures, ScratchOptions options, CancellationToken stop) =>
            ScratchNetwork.Train(Of(pictures), [.. pictures.Select(i => pool.Truth[i] ? 1 : 0)], Side, 2, options, stop);
        using ScratchNetwork any = Train(pool.Draws[0][..2], new ScratchOptions(Epochs: 0), cancellation);
        return ((train, test, stop) =>
        {
            using ScratchNetwork network = Train(train, new ScratchOptions(Seed: train[0] + 1), stop);
            return [.. network.Logits(Of(test)).Select(scores => (double)scores[1] - scores[0])];
        }, any.Parameters);
    }
#else
    /// <returns>Null in a build without TorchSharp.</returns>
    public static (DressLearner Learn, long Parameters)? Of(DressPool pool, CancellationToken cancellation) => null;
#endif
}
