using Scion.Text;
using Scion.Vision;
using TorchSharp;
using static TorchSharp.torch;

namespace Scion.Torch;

/// <summary>One worker's pictures of a step: photos first, then formula images.</summary>
sealed class PretrainingBatch
{
    readonly ImageEncoderOptions options;
    readonly TrainingPhotos photos;
    readonly FormulaImages formulas;
    readonly byte[] pixels, photo = new byte[TrainingPhotos.Bytes], other;
    readonly float[] targets;
    readonly long[] shapes, palettes;

    /// <param name="options">Of the training.</param>
    /// <param name="photos">Photos to learn from, or none.</param>
    /// <param name="formulas">Formula images, of the training's side.</param>
    public PretrainingBatch(ImageEncoderOptions options, TrainingPhotos photos, FormulaImages formulas)
    {
        (this.options, this.photos, this.formulas) = (options, photos, formulas);
        Pictures = options.Batch / options.Workers;
        Photos = photos.Labels.Count == 0 ? 0 : Pictures * options.PhotosOfEight / 8;
        (pixels, other) = (new byte[Pictures * PictureBytes], new byte[PictureBytes]);
        targets = new float[Photos * photos.Classes.Count];
        (shapes, palettes) = (new long[Pictures - Photos], new long[Pictures - Photos]);
    }

    public int Pictures { get; }

    /// <summary>The first so many pictures are photos.</summary>
    public int Photos { get; }

    int PictureBytes => options.Side * options.Side * 3;

    /// <summary>Draws the pictures; each from its own random stream, so a step is the same whichever run it falls into.</summary>
    /// <param name="step">Number of the step.</param>
    /// <param name="worker">In [0, workers).</param>
    public void Draw(long step, int worker)
    {
        for (int i = 0; i < Pictures; i++)
        {
            Xoshiro random = new(options.Seed + (step * 1_000_003) + 17, (worker * Pictures) + i);
            Span<byte> own = pixels.AsSpan(i * PictureBytes, PictureBytes);
            if (i < Photos) Photo(i, own, ref random);
            else
            {
                FormulaLabel label = formulas.Draw(ref random, own);
                (shapes[i - Photos], palettes[i - Photos]) = (label.Shape, label.Palette);
            }
        }
    }

    void Photo(int i, Span<byte> own, ref Xoshiro random)
    {
        int classes = photos.Classes.Count;
        Span<float> target = targets.AsSpan(i * classes, classes);
        target.Fill((float)(options.Smoothing / classes));
        int first = photos.Draw(ref random);
        photos.Read(first, photo);
        PhotoAugmentation.Apply(photo, TrainingPhotos.Side, own, options.Side, ref random);
        float share = 1;
        if (random.Unit() < options.Mixing)
        {
            int second = photos.Draw(ref random);
            photos.Read(second, photo);
            PhotoAugmentation.Apply(photo, TrainingPhotos.Side, other, options.Side, ref random);
            share = PhotoAugmentation.Mix(own, other, options.Side, ref random);
            target[photos.Labels[second]] += (float)(1 - options.Smoothing) * (1 - share);
        }
        target[photos.Labels[first]] += (float)(1 - options.Smoothing) * share;
    }

    /// <summary>Pixels, uint8 [pictures, side, side, 3].</summary>
    public Tensor Pixels(Device device) => tensor(pixels, [Pictures, options.Side, options.Side, 3], ScalarType.Byte, device);

    /// <summary>Probabilities of the photos' classes, [photos, classes].</summary>
    public Tensor Targets(Device device) => tensor(targets, [Photos, photos.Classes.Count], device: device);

    /// <summary>Classes of form, [formula images].</summary>
    public Tensor Shapes(Device device) => tensor(shapes, device: device);

    /// <summary>Classes of colour, [formula images].</summary>
    public Tensor Palettes(Device device) => tensor(palettes, device: device);

}
