using Scion.Text;
using TorchSharp;
using static TorchSharp.torch;

namespace Scion.Torch;

/// <summary>How a network is trained on nothing but the labelled pictures.</summary>
/// <param name="Width">Channels of the first layer; each further layer has twice as many as the one before.</param>
/// <param name="Epochs">Passes over the pictures.</param>
/// <param name="Batch">Pictures of a step.</param>
/// <param name="Rate">Largest learning rate; it rises over a tenth of the steps and falls as a cosine.</param>
/// <param name="Decay">L2 penalty of kernels and the linear layer.</param>
/// <param name="Shift">Pixels a picture is moved at most, each way, anew in each pass.</param>
/// <param name="Seed">Of weights, order and augmentation.</param>
public sealed record ScratchOptions(
    int Width = 16, int Epochs = 40, int Batch = 16, double Rate = 0.05, double Decay = 5e-4, int Shift = 4, int Seed = 1);

/// <summary>A small convolutional network that starts from chance and sees the labelled pictures alone: what transfer is compared
/// with.</summary>
/// <remarks>Four times: 3×3 convolution, batch normalisation, rectifier, the largest of 2×2, the last time the mean over space; then a
/// linear layer. Trained by stochastic gradients with Nesterov's momentum (Sutskever et al. 2013) on mirrored and shifted pictures. What
/// was tried is in docs/experiments.md. On the CPU with one thread the same seed gives the same network. Numbers that multiply tensors are
/// held until the call has ended: TorchSharp's temporary ones may be collected while the library reads them. Threads: an instance is used
/// by one at a time; several may be trained at once.</remarks>
public sealed class ScratchNetwork : IDisposable
{
    const int Depth = 4;

    const double Momentum = 0.9;

    static readonly long[] Places = [2, 3], Two = [2, 2], One = [1, 1];

    readonly int side;
    readonly (Tensor Kernel, Tensor Scale, Tensor Shift, Tensor Mean, Tensor Variance)[] layers = new (Tensor, Tensor, Tensor, Tensor, Tensor)[Depth];
    readonly Tensor head, bias;

    ScratchNetwork(int side, int classes, ScratchOptions options)
    {
        this.side = side;
        using IDisposable noGradient = no_grad();
        using Generator random = new((ulong)(uint)options.Seed, CPU);
        int channels = 3;
        for (int layer = 0, next = options.Width; layer < Depth; layer++, channels = next, next *= 2)
            layers[layer] = (Normal(random, Math.Sqrt(2.0 / (9 * channels)), next, channels, 3, 3), ones(next), zeros(next), zeros(next), ones(next));     // He et al. 2015
        channels = options.Width << (Depth - 1);
        (head, bias) = (Normal(random, Math.Sqrt(1.0 / channels), classes, channels), zeros(classes));
        foreach (Tensor weight in Weights) weight.requires_grad_();
    }

    static Tensor Normal(Generator random, double deviation, params long[] shape) => empty(shape).normal_(0, deviation, random);

    /// <summary>What is learned, in the order of <see cref="Fit"/>'s momenta.</summary>
    IEnumerable<Tensor> Weights => [.. layers.SelectMany(layer => new[] { layer.Kernel, layer.Scale, layer.Shift }), head, bias];

    /// <summary>Numbers learned.</summary>
    public long Parameters => Weights.Sum(weight => weight.numel());

    /// <summary>Trains a network.</summary>
    /// <param name="pixels">[pictures, side, side, 3], RGB.</param>
    /// <param name="labels">Class of each picture, in [0, classes).</param>
    /// <param name="side">Pixels; a multiple of 8.</param>
    /// <param name="classes">At least 2.</param>
    /// <param name="options">How.</param>
    /// <param name="cancellation">Stops between steps.</param>
    public static ScratchNetwork Train(byte[] pixels, int[] labels, int side, int classes, ScratchOptions options, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfNotEqual(pixels.Length, labels.Length * side * side * 3);
        ArgumentOutOfRangeException.ThrowIfNotEqual(side % 8, 0);
        set_num_threads(1);
        ScratchNetwork network = new(side, classes, options);
        try
        {
            network.Fit(pixels, labels, options, cancellation);
            return network;
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    void Fit(byte[] pixels, int[] labels, ScratchOptions options, CancellationToken cancellation)
    {
        using DisposeScope all = NewDisposeScope();
        Tensor[] weights = [.. Weights], momenta = [.. weights.Select(weight => zeros_like(weight))];
        Xoshiro random = new(options.Seed, stream: 1);
        int[] order = [.. Enumerable.Range(0, labels.Length)];
        int perPass = Math.Max(1, labels.Length / options.Batch), steps = options.Epochs * perPass;
        for (int step = 0; step < steps; step++)
        {
            cancellation.ThrowIfCancellationRequested();
            if (step % perPass == 0)
                for (int i = order.Length - 1; i > 0; i--)
                {
                    int j = random.Below(i + 1);
                    (order[i], order[j]) = (order[j], order[i]);
                }
            int[] batch = order[(step % perPass * labels.Length / perPass)..((step % perPass + 1) * labels.Length / perPass)];
            using DisposeScope scope = NewDisposeScope();
            Tensor truth = tensor(batch.Select(i => (long)labels[i]).ToArray());
            nn.functional.cross_entropy(Forward(Input(pixels, batch, options.Shift, ref random), training: true), truth).backward();

            using IDisposable noGradient = no_grad();
            double warm = Math.Min(1, 10.0 * (step + 1) / steps), fall = 0.5 * (1 + Math.Cos(Math.PI * step / steps));
            using Scalar rate = -options.Rate * warm * fall, keep = Momentum, decay = options.Decay;
            for (int w = 0; w < weights.Length; w++)
            {
                Tensor gradient = weights[w].grad!;
                if (weights[w].dim() > 1) gradient.add_(weights[w], alpha: decay);
                momenta[w].mul_(keep).add_(gradient);
                weights[w].add_(gradient.add_(momenta[w], alpha: keep), alpha: rate);
                gradient.zero_();
            }
        }
    }

    /// <summary>[batch, 3, side, side] to logits [batch, classes].</summary>
    Tensor Forward(Tensor x, bool training)
    {
        foreach ((int i, (Tensor kernel, Tensor scale, Tensor shift, Tensor mean, Tensor variance)) in layers.Index())
        {
            x = nn.functional.conv2d(x, kernel, strides: One, padding: One);
            x = nn.functional.relu(nn.functional.batch_norm(x, mean, variance, scale, shift, training, 0.1, 1e-5));
            x = i < Depth - 1 ? nn.functional.max_pool2d(x, Two) : x.mean(Places);
        }
        return nn.functional.linear(x, head, bias);
    }

    /// <param name="pixels">[pictures, side, side, 3], RGB.</param>
    /// <returns>[pictures][classes].</returns>
    public float[][] Logits(byte[] pixels)
    {
        using IDisposable noGradient = no_grad();
        Xoshiro none = default;
        List<float[]> logits = [];
        foreach (int[] batch in Enumerable.Range(0, pixels.Length / (side * side * 3)).Chunk(32))
        {
            using DisposeScope scope = NewDisposeScope();
            Tensor scores = Forward(Input(pixels, batch, shift: -1, ref none), training: false);
            logits.AddRange(scores.data<float>().ToArray().Chunk((int)scores.size(1)));
        }
        return [.. logits];
    }

    /// <summary>[batch, 3, side, side] in [−1, 1]; shifted and mirrored by chance unless <paramref name="shift"/> is below 0. Edges repeat
    /// outwards.</summary>
    Tensor Input(byte[] pixels, int[] batch, int shift, ref Xoshiro random)
    {
        float[] input = new float[batch.Length * 3 * side * side];
        for (int b = 0; b < batch.Length; b++)
        {
            bool mirrored = shift >= 0 && random.Below(2) == 1;
            int right = shift > 0 ? random.Below((2 * shift) + 1) - shift : 0, down = shift > 0 ? random.Below((2 * shift) + 1) - shift : 0;
            for (int y = 0; y < side; y++)
                for (int x = 0; x < side; x++)
                {
                    int fromX = Math.Clamp((mirrored ? side - 1 - x : x) + right, 0, side - 1), fromY = Math.Clamp(y + down, 0, side - 1);
                    int from = ((((batch[b] * side) + fromY) * side) + fromX) * 3;
                    for (int c = 0; c < 3; c++) input[(((((b * 3) + c) * side) + y) * side) + x] = (pixels[from + c] / 127.5f) - 1;
                }
        }
        return tensor(input, [batch.Length, 3, side, side]);
    }

    public void Dispose()
    {
        foreach ((Tensor kernel, Tensor scale, Tensor shift, Tensor mean, Tensor variance) in layers)
            foreach (Tensor tensor in new[] { kernel, scale, shift, mean, variance }) tensor.Dispose();
        head.Dispose();
        bias.Dispose();
    }
}
