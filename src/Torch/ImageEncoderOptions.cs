namespace Scion.Torch;

/// <summary>How an image encoder is pretrained. Defaults: docs/experiments.md, "The default encoder".</summary>
/// <param name="Architecture">Sizes of the network.</param>
/// <param name="Seed">Of the formulas' parameters, the weights' start, and every draw.</param>
/// <param name="Steps">Steps of the whole training; null when <paramref name="Time"/> says how long it takes.</param>
/// <param name="Time">Time of training, without what a restart takes; the rate falls with the time gone, so the number of steps is what the machine
/// gives. Null when <paramref name="Steps"/> is given.</param>
public sealed record ImageEncoderOptions(EncoderArchitecture Architecture, int Seed, long? Steps, TimeSpan? Time)
{
    /// <summary>Pixels of a picture's side while training. The encoder is used at ImageEncoderGraph.Side: random parts show things larger
    /// than whole pictures do, which a larger input makes up for (Touvron et al. 2019, "Fixing the train-test resolution discrepancy").</summary>
    public int Side { get; init; } = 96;

    /// <summary>Pictures of a step; a multiple of twice the workers.</summary>
    public int Batch { get; init; } = 128;

    /// <summary>Threads, each with a part of the batch, which it normalises alone, on one core: nobody waits within a layer.</summary>
    public int Workers { get; init; } = 2;

    /// <summary>Classes of form of the formula images.</summary>
    public int Shapes { get; init; } = 512;

    /// <summary>Classes of colour of the formula images.</summary>
    public int Palettes { get; init; } = 64;

    /// <summary>Photos in every 8 pictures of a step, when there are photos; the others are formula images.</summary>
    public int PhotosOfEight { get; init; } = 4;

    /// <summary>Largest learning rate, of stochastic gradient descent with Nesterov's momentum 0.9.</summary>
    public double Rate { get; init; } = 0.1;

    /// <summary>L2 of weights, not of scales and shifts.</summary>
    public double WeightDecay { get; init; } = 5e-4;

    /// <summary>Share of the training in which the rate rises; then it falls by a cosine to 0 (Loshchilov and Hutter 2016, arXiv:1608.03983).</summary>
    public double WarmUp { get; init; } = 0.04;

    /// <summary>Probability given to all classes alike instead of the true one (Szegedy et al. 2015, arXiv:1512.00567).</summary>
    public double Smoothing { get; init; } = 0.1;

    /// <summary>Share of photos that get a piece of another.</summary>
    public double Mixing { get; init; } = 0.5;

    /// <summary>Weight of the loss of the formula images' forms beside the photos'.</summary>
    public double ShapeLoss { get; init; } = 0.5;

    /// <summary>Weight of the loss of the formula images' colours.</summary>
    public double PaletteLoss { get; init; } = 0.2;

    /// <summary>True: convolutions compute in bfloat16, from weights kept in float32. About 1.6 times as fast on processors that have it, slower on others.</summary>
    public bool BFloat16 { get; init; }

    /// <summary>True: the first CUDA device, with one worker.</summary>
    public bool Cuda { get; init; }
}

/// <summary>How far a training is.</summary>
/// <param name="Step">Steps done, of all runs.</param>
/// <param name="Part">Of the whole, in [0, 1].</param>
/// <param name="PicturesPerSecond">Of this run.</param>
/// <param name="Left">Time left; null when not yet known.</param>
/// <param name="PhotoLoss">Mean cross-entropy of late steps, nats; NaN without photos.</param>
/// <param name="ShapeLoss">The same of the formula images' forms.</param>
/// <param name="PaletteLoss">The same of their colours.</param>
/// <param name="ShapesRight">Share of forms told right in late steps.</param>
/// <param name="PalettesRight">The same of colours.</param>
public sealed record ImageEncoderProgress(
    long Step, double Part, double PicturesPerSecond, TimeSpan? Left, double PhotoLoss, double ShapeLoss, double PaletteLoss, double ShapesRight, double PalettesRight);
