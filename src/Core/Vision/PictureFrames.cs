using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Scion.Faults;

namespace Scion.Vision;

/// <summary>What a host and the process that reads pictures for it say to each other, in little-endian 32-bit numbers.</summary>
/// <remarks>Request: mark, version, height, width, resize, shorter side, length, then the file. Answer: mark, 0 when read or 1 when refused, length of
/// text, length of pixels, then both. Text is UTF-8, parts separated by NUL. Each length is checked before anything is allocated; whoever breaks
/// the form is not listened to any more.</remarks>
public static class PictureFrames
{
    /// <summary>When the process ends itself over one picture; hosts wait for half as long.</summary>
    public static readonly TimeSpan Overdue = 2 * DecoderOptions.DefaultTimeout;

    /// <summary>Most bytes of fitted pixels.</summary>
    public const int MaxPixelBytes = 1024 * 1024 * 3;

    const int RequestMark = 0x31517053, AnswerMark = 0x31417053, HelloMark = 0x31487053;      // SpQ1, SpA1, SpH1
    const int RequestHead = 28, AnswerHead = 16, MaxText = 16 << 10;

    /// <summary>One black pixel, a PNG.</summary>
    public static ReadOnlySpan<byte> Sample =>
    [
        0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 0x0D, 0x49, 0x48, 0x44, 0x52, 0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0, 0x3A, 0x7E, 0x9B, 0x55,
        0, 0, 0, 0x0A, 0x49, 0x44, 0x41, 0x54, 0x78, 0x9C, 0x63, 0x60, 0, 0, 0, 2, 0, 1, 0x48, 0xAF, 0xA4, 0x71, 0, 0, 0, 0, 0x49, 0x45, 0x4E, 0x44, 0xAE, 0x42, 0x60, 0x82,
    ];

    /// <summary>Says that pictures can be read now.</summary>
    public static void SayHello(Stream output)
    {
        Span<byte> hello = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(hello, HelloMark);
        output.Write(hello);
        output.Flush();
    }

    /// <exception cref="InvalidDataException">Another program answers.</exception>
    /// <exception cref="EndOfStreamException">It ended first.</exception>
    public static async ValueTask HearHelloAsync(Stream input, CancellationToken cancellation)
    {
        byte[] hello = new byte[4];
        await input.ReadExactlyAsync(hello, cancellation);
        if (BinaryPrimitives.ReadInt32LittleEndian(hello) != HelloMark) throw new InvalidDataException("It does not say hello.");
    }

    public static async ValueTask WriteRequestAsync(Stream output, ReadOnlyMemory<byte> file, PictureFit fit, byte[] scratch, CancellationToken cancellation)
    {
        Span<byte> head = scratch.AsSpan(0, RequestHead);
        int at = 0;
        foreach (int value in (ReadOnlySpan<int>)[RequestMark, fit.Version, fit.Height, fit.Width, (int)fit.Resize, fit.ShorterSide, file.Length])
            BinaryPrimitives.WriteInt32LittleEndian(head[(4 * at++)..], value);
        await output.WriteAsync(scratch.AsMemory(0, RequestHead), cancellation);
        await output.WriteAsync(file, cancellation);
        await output.FlushAsync(cancellation);
    }

    /// <summary>The next request.</summary>
    /// <param name="input">From the host.</param>
    /// <param name="file">Holds the file at its start; replaced by a longer one where needed.</param>
    /// <param name="length">Bytes of the file.</param>
    /// <param name="fit">Size wanted; not checked.</param>
    /// <returns>False at the end of the stream between two requests.</returns>
    /// <exception cref="InvalidDataException">It is no request.</exception>
    /// <exception cref="EndOfStreamException">It ends within one.</exception>
    public static bool TryReadRequest(Stream input, ref byte[] file, out int length, out PictureFit? fit)
    {
        Span<byte> head = stackalloc byte[RequestHead];
        (length, fit) = (0, null);
        int got = input.ReadAtLeast(head, RequestHead, throwOnEndOfStream: false);
        if (got == 0) return false;
        if (got < RequestHead) throw new EndOfStreamException();
        Span<int> values = stackalloc int[RequestHead / 4];
        for (int i = 0; i < values.Length; i++) values[i] = BinaryPrimitives.ReadInt32LittleEndian(head[(4 * i)..]);
        if (values[0] != RequestMark || values[6] < 0 || values[6] > PictureDecoder.MaxBytes) throw new InvalidDataException("It is no request.");
        fit = new PictureFit(values[1], values[2], values[3], (PictureResize)values[4], values[5]);
        length = values[6];
        if (file.Length < length) file = new byte[length];
        input.ReadExactly(file, 0, length);
        return true;
    }

    public static void WriteFacts(Stream output, PictureFacts facts, ReadOnlySpan<byte> pixels) => Write(output, 0, pixels,
        [facts.Format, facts.Width.ToString(CultureInfo.InvariantCulture), facts.Height.ToString(CultureInfo.InvariantCulture), .. facts.Warnings]);

    public static void WriteRefusal(Stream output, InputRejectedException refused) =>
        Write(output, 1, [], [refused.Code, refused.Kind.ToString(), refused.Fact, refused.Remedy]);

    static void Write(Stream output, int status, ReadOnlySpan<byte> pixels, string[] parts)
    {
        byte[] text = Encoding.UTF8.GetBytes(string.Join('\0', parts));
        byte[] head = new byte[AnswerHead + text.Length];
        int at = 0;
        foreach (int value in (ReadOnlySpan<int>)[AnswerMark, status, text.Length, pixels.Length])
            BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(4 * at++), value);
        text.CopyTo(head, AnswerHead);
        output.Write(head);
        output.Write(pixels);
        output.Flush();
    }

    /// <summary>The answer to a request.</summary>
    /// <param name="input">From the process.</param>
    /// <param name="pixels">Written when the picture was read.</param>
    /// <param name="scratch">At least 16 KiB.</param>
    /// <param name="cancellation">Stops waiting.</param>
    /// <exception cref="InputRejectedException">As the process refused it.</exception>
    /// <exception cref="InvalidDataException">It is no answer to this request.</exception>
    /// <exception cref="EndOfStreamException">The process ended.</exception>
    public static async ValueTask<PictureFacts> ReadAnswerAsync(Stream input, Memory<byte> pixels, byte[] scratch, CancellationToken cancellation)
    {
        await input.ReadExactlyAsync(scratch.AsMemory(0, AnswerHead), cancellation);
        (int mark, int status) = (Value(0), Value(1));
        (int text, int length) = (Value(2), Value(3));
        if (mark != AnswerMark || status is not (0 or 1) || text is < 0 or > MaxText || length != (status == 0 ? pixels.Length : 0))
            throw new InvalidDataException("It is no answer.");
        await input.ReadExactlyAsync(scratch.AsMemory(0, text), cancellation);
        string[] parts = Encoding.UTF8.GetString(scratch, 0, text).Split('\0');
        if (status == 1)
        {
            throw parts is [var code, var kind, var fact, var remedy] && Enum.TryParse(kind, out Refusal refusal)
                ? new InputRejectedException(code, fact, remedy, refusal) : new InvalidDataException("It is no answer.");
        }
        if (parts is not [var format, var width, var height, .. var warnings] || !int.TryParse(width, NumberStyles.None, CultureInfo.InvariantCulture, out int w)
            || !int.TryParse(height, NumberStyles.None, CultureInfo.InvariantCulture, out int h)) throw new InvalidDataException("It is no answer.");
        await input.ReadExactlyAsync(pixels, cancellation);
        return new PictureFacts(format, w, h, warnings);

        int Value(int index) => BinaryPrimitives.ReadInt32LittleEndian(scratch.AsSpan(4 * index));
    }

    /// <summary>Bytes that a caller lends for the heads and texts of one exchange.</summary>
    public static byte[] NewScratch() => new byte[MaxText];
}
