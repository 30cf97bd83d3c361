using Scion.Text;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Scion.Torch;

/// <summary>How a network is trained on nothing but the labelled pictures.</summary>
/// <param name="Width">Channels of the first layer; each further layer has twice as many as the one before.</param>
/// <param name="Epochs">Passes over the pictures.</param>
/// <param name="Batch">Pictures of a step.</param>
/// <param name="Rate">Largest learning rate; it rises over a tenth of the steps and falls as a cosine.</param>
/// <param name="Decay">AdamW's weight decay.</param>
/// <param name="Shift">Pixels a picture is moved at most, each way, anew in each pass.</param>
/// <param name="Seed">Of weights, order and augmentation.</param>
public sealed record ScratchOptions(
    int Width = 16, int Epochs = 40, int Batch = 16, double Rate = 3e-3, double Decay = 0.05, int Shift = 4, int Seed = 1);

/// <summary>A small convolutional network that starts from chance and sees the labelled pictures alone: what transfer is compared
/// with.</summary>
/// <remarks>Four times: 3×3 convolution, batch normalisation, rectifier, the largest of 2×2; then the mean over space and a linear layer.
/// Trained with AdamW (Loshchilov and Hutter 2019, arXiv:1711.05101) on mirrored and shifted pictures. A larger network would memorise as
/// well and generalise no better from 80 pictures; what was tried is in docs/experiments.md. On the CPU with one thread the same seed gives
/// the same network. Threads: an instance is used by one at a time.</remarks>
public sealed class ScratchNetwork : IDisposable
{
    const int Depth = 4;

    readonly int side;
    readonly nn.Module<Tensor, Tensor> layers;

    ScratchNetwork(int side, int classes, ScratchOptions options)
    {
        this.side = side;
        List<nn.Module<Tensor, Tensor>> made = [];
        int channels = 3;
        for (int layer = 0, next = options.Width; layer < Depth; layer++, next *= 2)
        {
            made.Add(nn.Conv2d(channels, next, kernel_size: 3, padding: 1, bias: false));
            made.Add(nn.BatchNorm2d(next));
            made.Add(nn.ReLU());
            made.Add(layer < Depth - 1 ? nn.MaxPool2d(2) : nn.AdaptiveAvgPool2d(1));
            channels = next;
        }
        made.Add(nn.Flatten());
        made.Add(nn.Linear(channels, classes));
        layers = nn.Sequential(made);
        using Generator random = new((ulong)(uint)options.Seed, CPU);
        using IDisposable noGradient = no_grad();
        foreach ((string name, Parameter weight) in layers.named_parameters())
        {
            if (weight.dim() > 1) weight.normal_(0, Math.Sqrt(2.0 / (weight.numel() / weight.size(0))), random);          // He et al. 2015
            else if (name.EndsWith("bias", StringComparison.Ordinal)) weight.zero_();
        }
    }

    /// <summary>Numbers learned.</summary>
    public long Parameters => layers.parameters().Sum(weight => weight.numel());

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
        layers.train();
        using optim.Optimizer optimizer = optim.AdamW(layers.parameters(), lr: options.Rate, weight_decay: options.Decay);
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
            double warm = Math.Min(1, 10.0 * (step + 1) / steps), fall = 0.5 * (1 + Math.Cos(Math.PI * step / steps));
            foreach (var group in optimizer.ParamGroups) group.LearningRate = options.Rate * warm * fall;
            using DisposeScope scope = NewDisposeScope();
            Tensor loss = nn.functional.cross_entropy(layers.forward(Input(pixels, batch, options.Shift, ref random)), tensor(batch.Select(i => (long)labels[i]).ToArray()));
            optimizer.zero_grad();
            loss.backward();
            optimizer.step();
        }
        layers.eval();
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
            Tensor scores = layers.forward(Input(pixels, batch, shift: -1, ref none));
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

    public void Dispose() => layers.Dispose();
}
