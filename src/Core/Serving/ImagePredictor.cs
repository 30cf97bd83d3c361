using System.Buffers;
using System.Numerics.Tensors;
using Scion.Registry;
using Scion.Vision;

namespace Scion.Serving;

/// <summary>An images model as it serves: decode and fit by an <see cref="IPictureReader"/>, then the package's graphs.</summary>
/// <remarks>Threads: any number may predict at once. Dispose after the last prediction has returned.</remarks>
public sealed class ImagePredictor : Predictor
{
    readonly PictureSessions sessions;
    readonly IPictureReader pictures;

    ImagePredictor(ModelPackage package, IPictureReader pictures) : base(package, ModelManifest.Images)
    {
        ModelManifest manifest = package.Manifest;
        this.pictures = pictures;
        Fit = manifest.Network!.Fit;                                           // an images manifest has one, as it was checked when it was read
        sessions = new PictureSessions(package[ModelPackage.EncoderName], package[ModelPackage.HeadName], Fit, Dim, manifest.Head.Temperature, Labels);
    }

    /// <summary>How a picture becomes the network's input.</summary>
    public PictureFit Fit { get; }

    /// <param name="package">Its digests were checked when it was opened.</param>
    /// <param name="pictures">Reads pictures.</param>
    /// <exception cref="Faults.InputRejectedException">A file is damaged or they do not fit together (R008, R014, R020, S006, S007).</exception>
    public static new ImagePredictor Load(ModelPackage package, IPictureReader pictures) => new(package, pictures);

    /// <summary>Judges a picture.</summary>
    /// <param name="picture">The file: JPEG, PNG or WebP.</param>
    /// <param name="cancellation">Stops waiting.</param>
    /// <exception cref="Faults.InputRejectedException">It is not a whole, allowed picture (V001 …).</exception>
    public async ValueTask<Prediction> PredictAsync(ReadOnlyMemory<byte> picture, CancellationToken cancellation)
    {
        PictureSessions.Buffers buffers = sessions.Take();
        try
        {
            await pictures.ReadAsync(picture, Fit, buffers.Pixels, cancellation);
            await sessions.RunAsync(buffers, cancellation);
            return Judged(buffers);
        }
        finally
        {
            sessions.Return(buffers);
        }
    }

    /// <summary>Judges a fitted picture, on the caller's thread.</summary>
    /// <param name="pixels">[height, width, 3], RGB; <see cref="PictureFit.Bytes"/> of <see cref="Fit"/> long.</param>
    public Prediction Predict(ReadOnlySpan<byte> pixels) => OnPixels(pixels, Judged);

    /// <summary>Uncalibrated logits of a fitted picture, for parity with training.</summary>
    /// <param name="pixels">As <see cref="Predict"/>.</param>
    public float[] Logits(ReadOnlySpan<byte> pixels) => OnPixels(pixels, buffers => (float[])buffers.Logits.Clone());

    /// <summary>Calibrated probabilities of a fitted picture, [classes].</summary>
    /// <param name="pixels">As <see cref="Predict"/>.</param>
    public float[] Probabilities(ReadOnlySpan<byte> pixels) => OnPixels(pixels, buffers => (float[])buffers.Probabilities.Clone());

    /// <summary>The most probable class of a picture, without examples: what measuring needs.</summary>
    /// <param name="picture">The file.</param>
    /// <param name="cancellation">Stops waiting.</param>
    /// <exception cref="Faults.InputRejectedException">As <see cref="PredictAsync"/>.</exception>
    public async ValueTask<string> LabelOfAsync(ReadOnlyMemory<byte> picture, CancellationToken cancellation)
    {
        PictureSessions.Buffers buffers = sessions.Take();
        try
        {
            await pictures.ReadAsync(picture, Fit, buffers.Pixels, cancellation);
            await sessions.RunAsync(buffers, cancellation);
            return Labels[TensorPrimitives.IndexOfMax<float>(buffers.Logits)];
        }
        finally
        {
            sessions.Return(buffers);
        }
    }

    /// <summary>Pixels of a picture that was stored fitted.</summary>
    /// <param name="picture">A lossless file of exactly the fitted size.</param>
    /// <param name="cancellation">Stops waiting.</param>
    /// <exception cref="Faults.InputRejectedException">It cannot be read (V001 …), or has another size (R014).</exception>
    public async ValueTask<byte[]> PixelsOfAsync(ReadOnlyMemory<byte> picture, CancellationToken cancellation)
    {
        byte[] pixels = new byte[Fit.Bytes];
        PictureFacts facts = await pictures.ReadAsync(picture, Fit with { Resize = PictureResize.Squash, ShorterSide = 0 }, pixels, cancellation);
        return facts.Width == Fit.Width && facts.Height == Fit.Height ? pixels
            : throw RegistryFaults.Inconsistent($"a stored picture is {facts.Width} × {facts.Height}; {Fit.Width} × {Fit.Height} are expected.");
    }

    /// <summary>A grey picture.</summary>
    public override void WarmUp()
    {
        byte[] grey = new byte[Fit.Bytes];
        Array.Fill(grey, (byte)128);
        Predict(grey);
    }

    T OnPixels<T>(ReadOnlySpan<byte> pixels, Func<PictureSessions.Buffers, T> answer)
    {
        PictureSessions.Buffers buffers = sessions.Take();
        try
        {
            pixels.CopyTo(buffers.Pixels);
            sessions.Run(buffers);
            return answer(buffers);
        }
        finally
        {
            sessions.Return(buffers);
        }
    }

    Prediction Judged(PictureSessions.Buffers buffers)
    {
        float[] cosines = ArrayPool<float>.Shared.Rent(ExampleCount);
        try
        {
            return Judged(buffers.Features, buffers.Probabilities, cosines.AsSpan(0, ExampleCount), without: null, words: null);
        }
        finally
        {
            ArrayPool<float>.Shared.Return(cosines);
        }
    }

    public override void Dispose() => sessions.Dispose();
}
