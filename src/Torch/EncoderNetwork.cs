using TorchSharp;
using static TorchSharp.torch;

namespace Scion.Torch;

/// <summary>Sizes of the network of an encoder.</summary>
/// <param name="Widths">Channels of each stage; each stage after the first halves height and width.</param>
/// <param name="Blocks">Residual blocks of each stage.</param>
public sealed record EncoderArchitecture(IReadOnlyList<int> Widths, IReadOnlyList<int> Blocks)
{
    /// <summary>About 2 million parameters.</summary>
    public static EncoderArchitecture Default { get; } = new([32, 64, 128, 320], [1, 2, 2, 1]);

    /// <summary>All convolutions, in the order they are computed; a block's shortcut after its two.</summary>
    internal IEnumerable<EncoderConvolution> Convolutions()
    {
        yield return new("stem", 3, Widths[0], 7, 4);
        int from = Widths[0];
        for (int s = 0; s < Widths.Count; s++)
            for (int b = 0; b < Blocks[s]; b++)
            {
                string block = $"stage{s + 1}.block{b + 1}";
                int stride = s > 0 && b == 0 ? 2 : 1;
                yield return new($"{block}.conv1", from, Widths[s], 3, stride);
                yield return new($"{block}.conv2", Widths[s], Widths[s], 3, 1);
                if (from != Widths[s]) yield return new($"{block}.shortcut", from, Widths[s], 1, stride);
                from = Widths[s];
            }
    }
}

/// <summary>A convolution without bias, and the normalisation after it.</summary>
/// <param name="Name">As in the file: "stage1.block1.conv1".</param>
/// <param name="In">Channels read.</param>
/// <param name="Out">Channels written.</param>
/// <param name="Kernel">Pixels of its side; padded by half of it.</param>
/// <param name="Stride">Pixels between places.</param>
sealed record EncoderConvolution(string Name, int In, int Out, int Kernel, int Stride);

/// <summary>The network: a residual network (He et al. 2015, arXiv:1512.03385, basic blocks) with batch normalisation.</summary>
static class EncoderNetwork
{
    /// <summary>Added to variances.</summary>
    public const double Epsilon = 1e-5;

    /// <summary>Values in 0 to 255 become (value − <see cref="Mean"/>) · <see cref="Scale"/>.</summary>
    public const float Mean = 127.5f, Scale = 1 / 64f;

    /// <summary>Averages over all places.</summary>
    static readonly long[] Places = [2, 3];

    /// <param name="architecture">Sizes.</param>
    /// <param name="pixels">uint8 [batch, side, side, 3].</param>
    /// <param name="weights">By name: <c>X.weight</c>, <c>X.scale</c>, <c>X.shift</c>, <c>X.mean</c>, <c>X.variance</c> of each convolution X. The weights'
    /// type is the type computed in.</param>
    /// <param name="training">True: normalise by the batch, and move means and variances towards it.</param>
    /// <param name="stages">Gets the output of each stage, when given.</param>
    /// <returns>Features, float32 [batch, width of the last stage]: its channels, averaged over space.</returns>
    public static Tensor Forward(
        EncoderArchitecture architecture, Tensor pixels, IReadOnlyDictionary<string, Tensor> weights, bool training, List<Tensor>? stages = null)
    {
        ScalarType type = weights["stem.weight"].dtype;
        Tensor x = pixels.permute(0, 3, 1, 2).to(type).sub_(Mean).mul_(Scale);
        using IEnumerator<EncoderConvolution> convolutions = architecture.Convolutions().GetEnumerator();
        Tensor Next(Tensor of)
        {
            convolutions.MoveNext();
            EncoderConvolution c = convolutions.Current;
            Tensor y = nn.functional.conv2d(of, weights[$"{c.Name}.weight"], strides: [c.Stride, c.Stride], padding: [c.Kernel / 2, c.Kernel / 2]);
            return nn.functional.batch_norm(y, weights[$"{c.Name}.mean"], weights[$"{c.Name}.variance"], weights[$"{c.Name}.scale"], weights[$"{c.Name}.shift"],
                training, 0.1, Epsilon);
        }
        x = Next(x).relu_();
        int width = architecture.Widths[0];
        for (int s = 0; s < architecture.Widths.Count; s++)
        {
            for (int b = 0; b < architecture.Blocks[s]; b++)
            {
                Tensor y = Next(Next(x).relu_());
                Tensor shortcut = width == architecture.Widths[s] ? x : Next(x);
                width = architecture.Widths[s];
                x = y.add_(shortcut).relu_();
            }
            stages?.Add(x);
        }
        return x.to(ScalarType.Float32).mean(Places);
    }
}
