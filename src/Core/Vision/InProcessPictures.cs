namespace Scion.Vision;

/// <summary>Reads pictures in this process: for tests, measurements and the process that is made to read pictures.</summary>
public sealed class InProcessPictures : IPictureReader
{
    /// <inheritdoc/>
    public ValueTask<PictureFacts> ReadAsync(ReadOnlyMemory<byte> bytes, PictureFit fit, Memory<byte> pixels, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        return ValueTask.FromResult(PictureDecoder.Decode(bytes.Span, fit, pixels.Span));
    }
}
