using Scion.Torch;

namespace Scion.Tests;

public sealed class ScratchNetworkTests
{
    const int Side = 16;

    static readonly ScratchOptions Quick = new(Width: 8, Epochs: 15, Shift: 1);

    /// <summary>Grey noise; in pictures of class 1 a bright spot somewhere.</summary>
    static (byte[] Pixels, int[] Labels) Spots(int count, int seed)
    {
        Random random = new(seed);
        int[] labels = [.. Enumerable.Range(0, count).Select(i => i % 2)];
        byte[] pixels = [.. Enumerable.Range(0, count * Side * Side * 3).Select(_ => (byte)random.Next(40, 90))];
        for (int i = 1; i < count; i += 2)
            for (int y = random.Next(2, Side - 5), row = 0; row < 3; row++)
                for (int x = 6; x < 9; x++) pixels.AsSpan((((((i * Side) + y + row) * Side) + x) * 3), 3).Fill(230);
        return (pixels, labels);
    }

    static double Accuracy(float[][] logits, int[] labels) => logits.Zip(labels, (scores, label) => (scores[1] > scores[0] ? 1 : 0) == label ? 1.0 : 0).Average();

    [Fact]
    public void Train_PicturesThatASpotTellsApart_AreToldApart()
    {
        (byte[] pixels, int[] labels) = Spots(60, seed: 1);
        (byte[] others, int[] truth) = Spots(60, seed: 2);

        using ScratchNetwork network = ScratchNetwork.Train(pixels, labels, Side, 2, Quick, default);

        Assert.True(Accuracy(network.Logits(others), truth) >= 0.95, $"{Accuracy(network.Logits(others), truth)}");
    }

    [Fact]
    public void Train_LabelsDealtAtRandom_AreNotLearned()
    {
        (byte[] pixels, int[] labels) = Spots(60, seed: 1);
        (byte[] others, int[] truth) = Spots(200, seed: 2);
        new Random(5).Shuffle(labels);
        new Random(6).Shuffle(truth);

        using ScratchNetwork network = ScratchNetwork.Train(pixels, labels, Side, 2, Quick, default);

        Assert.InRange(Accuracy(network.Logits(others), truth), 0.38, 0.62);
    }

    [Fact]
    public void Train_SameSeed_GivesTheSameNetwork()
    {
        (byte[] pixels, int[] labels) = Spots(20, seed: 1);
        float[][] Logits(int seed)
        {
            using ScratchNetwork network = ScratchNetwork.Train(pixels, labels, Side, 2, Quick with { Epochs = 3, Seed = seed }, default);
            return network.Logits(pixels);
        }

        float[][] first = Logits(1), second = Logits(1);

        Assert.Equal(first, second);
        Assert.NotEqual(first, Logits(2));
    }

    // 3×3 kernels from 3 to 16, 32, 64 and 128 channels, two numbers a channel of normalisation, and a head of (128 + 1) · 2.
    [Fact]
    public void Parameters_TheDefault_AreCounted()
    {
        (byte[] pixels, int[] labels) = Spots(4, seed: 1);

        using ScratchNetwork network = ScratchNetwork.Train(pixels, labels, Side, 2, new ScratchOptions(Epochs: 1), default);

        Assert.Equal((9 * ((3 * 16) + (16 * 32) + (32 * 64) + (64 * 128))) + (2 * (16 + 32 + 64 + 128)) + (129 * 2), network.Parameters);
    }

    [Fact]
    public void Train_SeveralAtOnce_GiveWhatEachGivesAlone()
    {
        (byte[] pixels, int[] labels) = Spots(20, seed: 1);
        float[] Logits(int seed)
        {
            using ScratchNetwork network = ScratchNetwork.Train(pixels, labels, Side, 2, Quick with { Epochs = 5, Seed = seed }, default);
            return [.. network.Logits(pixels).SelectMany(scores => scores)];
        }
        float[][] alone = [.. Enumerable.Range(0, 6).Select(Logits)];

        float[][] together = [.. Enumerable.Range(0, 6).AsParallel().AsOrdered().WithDegreeOfParallelism(3).Select(Logits)];

        Assert.Equal(alone, together);
    }

    [Fact]
    public void Train_Cancelled_Stops()
    {
        (byte[] pixels, int[] labels) = Spots(4, seed: 1);

        Assert.ThrowsAny<OperationCanceledException>(() => ScratchNetwork.Train(pixels, labels, Side, 2, Quick, new CancellationToken(canceled: true)));
    }
}
