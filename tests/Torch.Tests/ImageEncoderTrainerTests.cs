using Scion.Faults;
using Scion.Text;
using Scion.Torch;
using Scion.Vision;
using TorchSharp;
using static TorchSharp.torch;

namespace Scion.Tests;

public sealed class ImageEncoderTrainerTests : IDisposable
{
    static readonly EncoderArchitecture Small = new([8, 16, 24], [1, 1, 2]);

    static readonly ImageEncoderOptions Options = new(Small, Seed: 4, Steps: 6, Time: null) { Side = 32, Batch = 16, Workers = 2, Shapes = 14, Palettes = 5 };

    readonly string folder = Directory.CreateTempSubdirectory("scion-torch-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    /// <summary>Photos of two labels that differ in what is above: light or dark.</summary>
    TrainingPhotos Photos()
    {
        string path = Path.Combine(folder, $"{Guid.NewGuid():n}.rgb");
        int[] labels = [0, 0, 0, 1, 0, 1, 0, 0];
        using (FileStream file = File.Create(path))
            foreach (int label in labels)
            {
                byte[] photo = new byte[TrainingPhotos.Bytes];
                photo.AsSpan(label * photo.Length / 2, photo.Length / 2).Fill(200);
                file.Write(photo);
            }
        return new TrainingPhotos(path, labels, ["above", "below"]);
    }

    static ImageEncoderTrainer Trainer(ImageEncoderOptions options, TrainingPhotos? photos = null, string identity = "a test") =>
        new(options, photos ?? TrainingPhotos.None, identity, TimeProvider.System);

    static Dictionary<string, float[]> Numbers(ImageEncoderTrainer trainer) => trainer.Average.ToDictionary(w => w.Key, w => w.Value.data<float>().ToArray());

    [Fact]
    public void Train_FormulaImages_LearnsFormsAndColoursAboveChance()
    {
        List<ImageEncoderProgress> steps = [];
        using ImageEncoderTrainer trainer = Trainer(Options with { Steps = 260, Batch = 32, Shapes = 7, Palettes = 4 });

        trainer.Train(steps.Add, null, TestContext.Current.CancellationToken);

        Assert.Equal(260, trainer.Step);
        Assert.Equal(1, trainer.Part);
        Assert.True(steps[^1].ShapeLoss < 0.8 * steps[3].ShapeLoss, $"{steps[3].ShapeLoss} to {steps[^1].ShapeLoss}");
        Assert.True(steps[^1].ShapesRight > 2.0 / 7, $"{steps[^1].ShapesRight} of forms told");
        Assert.True(steps[^1].PalettesRight > 2.0 / 4, $"{steps[^1].PalettesRight} of palettes told");
        Assert.True(double.IsNaN(steps[^1].PhotoLoss));
    }

    [Fact]
    public void Train_Photos_LowersTheirLoss()
    {
        List<ImageEncoderProgress> steps = [];
        using TrainingPhotos photos = Photos();
        using ImageEncoderTrainer trainer = Trainer(Options with { Steps = 80, Mixing = 0, Rate = 0.05 }, photos);

        trainer.Train(steps.Add, null, TestContext.Current.CancellationToken);

        Assert.True(steps[^1].PhotoLoss < 0.8 * Math.Log(2), $"{steps[^1].PhotoLoss} nats");
    }

    [Fact]
    public void Train_StoppedAndTakenUp_EndsAsIfItHadNotStopped()
    {
        using TrainingPhotos photos = Photos();
        using ImageEncoderTrainer whole = Trainer(Options, photos), first = Trainer(Options, photos), second = Trainer(Options, photos);
        using MemoryStream checkpoint = new();

        whole.Train(null, null, TestContext.Current.CancellationToken);
        first.Train(null, () => first.Step == 3, TestContext.Current.CancellationToken);
        first.Save(checkpoint);
        checkpoint.Position = 0;
        Assert.True(second.TryResume(checkpoint));
        Assert.Equal(3, second.Step);
        second.Train(null, null, TestContext.Current.CancellationToken);

        Assert.Equal(6, second.Step);
        Dictionary<string, float[]> expected = Numbers(whole), actual = Numbers(second);
        Assert.All(expected, weights => Assert.Equal(weights.Value, actual[weights.Key]));
    }

    [Fact]
    public void TryResume_OtherTrainingOrDamaged_ChangesNothing()
    {
        using ImageEncoderTrainer trained = Trainer(Options), other = Trainer(Options, identity: "another"), fresh = Trainer(Options);
        trained.Train(null, null, TestContext.Current.CancellationToken);
        using MemoryStream checkpoint = new();
        trained.Save(checkpoint);
        byte[] bytes = checkpoint.ToArray(), damaged = [.. bytes];
        damaged[bytes.Length / 2] ^= 1;
        Dictionary<string, float[]> start = Numbers(fresh);

        Assert.False(other.TryResume(new MemoryStream(bytes)));
        Assert.False(fresh.TryResume(new MemoryStream(damaged)));
        Assert.False(fresh.TryResume(new MemoryStream(bytes[..^40])));
        Assert.False(fresh.TryResume(new MemoryStream([])));

        Assert.Equal(0, fresh.Step);
        Assert.All(Numbers(fresh), weights => Assert.Equal(start[weights.Key], weights.Value));
    }

    [Fact]
    public void Train_RateFarTooLarge_IsRefusedWithItsStep()
    {
        using ImageEncoderTrainer trainer = Trainer(Options with { Rate = 1e12 });

        InputRejectedException refusal = Assert.Throws<InputRejectedException>(() => trainer.Train(null, null, TestContext.Current.CancellationToken));

        Assert.Equal("V097", refusal.Code);
    }

    [Fact]
    public void Train_Cancelled_Stops()
    {
        using CancellationTokenSource cancelled = new();
        using ImageEncoderTrainer trainer = Trainer(Options with { Steps = 1_000_000 });

        Assert.ThrowsAny<OperationCanceledException>(() => trainer.Train(_ => cancelled.Cancel(), null, cancelled.Token));

        Assert.True(trainer.Step < 3);
    }

    [Fact]
    public void Train_ByTime_EndsWhenItIsOver()
    {
        using ImageEncoderTrainer trainer = Trainer(Options with { Steps = null, Time = TimeSpan.FromMilliseconds(300) });

        trainer.Train(null, null, TestContext.Current.CancellationToken);

        Assert.Equal(1, trainer.Part);
        Assert.True(trainer.Step > 0);
    }

    [Fact]
    public void Forward_BFloat16_IsNearFloat32()
    {
        using DisposeScope scope = NewDisposeScope();
        using EncoderWeights weights = EncoderWeights.Start(Options, 0, CPU);
        Tensor pixels = randint(0, 256, [4, 32, 32, 3], ScalarType.Byte);
        Dictionary<string, Tensor> halved = weights.Current.ToDictionary(w => w.Key, w => w.Value.Dimensions == 4 ? w.Value.to(ScalarType.BFloat16) : w.Value);

        Tensor exact = EncoderNetwork.Forward(Small, pixels, weights.Current, training: false), rough = EncoderNetwork.Forward(Small, pixels, halved, training: false);

        Assert.Equal([4L, 24], exact.shape);
        Assert.True((exact - rough).abs().max().item<float>() < 0.03 * exact.abs().max().item<float>());
    }

    [Fact]
    public void Of_TrainedNetwork_IsTheSameInOnnxRuntime()
    {
        using TrainingPhotos photos = Photos();
        using ImageEncoderTrainer trainer = Trainer(Options with { Steps = 20 }, photos);
        trainer.Train(null, null, TestContext.Current.CancellationToken);

        PretrainedEncoder encoder = PretrainedEncoder.Of(trainer, "tiny", "a test", "MIT", "stripes");

        Assert.InRange(encoder.Parity, 0, PretrainedEncoder.MostParity);
        Assert.Subset(encoder.Card.Layers.Where(layer => layer.Offered).Select(layer => layer.Name).ToHashSet(), new HashSet<string> { "stage1.block1", "stage2.block1", "stage3.block2", "features" });
        Assert.Equal(("stage3.block2", 24), (encoder.Card.DefaultLayer, encoder.Card.Layers[^1].Features));
        Assert.Equal((128, 128, PictureResize.Squash), (encoder.Card.Fit.Height, encoder.Card.Fit.Width, encoder.Card.Fit.Resize));
        Assert.Equal(Small.Convolutions().Sum(c => ((long)c.In * c.Kernel * c.Kernel + 1) * c.Out), encoder.Card.Parameters);
        Assert.Equal(encoder.Card.Sha256, ImageEncoders.Open(encoder.Card, encoder.Model).Card.Sha256);
    }

    [Fact]
    public void Draw_ClassesOfTwoSizes_ComeByTheRootOfTheirSizes()
    {
        using TrainingPhotos photos = Photos();         // six of one class, two of the other
        Xoshiro random = new(8, 0);

        double small = Enumerable.Range(0, 20_000).Count(_ => photos.Labels[photos.Draw(ref random)] == 1) / 20_000.0;

        Assert.Equal(Math.Sqrt(2) / (Math.Sqrt(2) + Math.Sqrt(6)), small, 0.015);
    }
}
