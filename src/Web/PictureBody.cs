using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace Scion.Web;

/// <summary>What a body is declared to be.</summary>
enum BodyKind
{
    Json,
    /// <summary>One picture, its bytes alone.</summary>
    Picture,
    /// <summary>Files in multipart/form-data.</summary>
    Form,
}

/// <summary>Reads pictures as they come from the wire: bounded before they are held. What they are, their bytes decide later.</summary>
static class PictureBody
{
    /// <summary>Headers of one part of a form.</summary>
    const int MaxPartHeaders = 16, MaxPartHeaderBytes = 8 << 10;

    /// <exception cref="ProblemException">It is compressed, or declared to be something that is not judged.</exception>
    public static BodyKind KindOf(HttpRequest request)
    {
        string? type = request.ContentType;
        if (request.Headers.ContentEncoding.Count == 0 && type is "application/json" or "application/json; charset=utf-8") return BodyKind.Json;
        if (request.Headers.ContentEncoding.Count > 0) throw new ProblemException(HttpFaults.Encoded(request.Headers.ContentEncoding.ToString()));
        if (!MediaTypeHeaderValue.TryParse(type, out MediaTypeHeaderValue? media)) throw new ProblemException(HttpFaults.NotJudged(type));
        if (media.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase)) return BodyKind.Form;
        if (media.Type.Equals("image", StringComparison.OrdinalIgnoreCase) || media.MediaType.Equals("application/octet-stream", StringComparison.OrdinalIgnoreCase)) return BodyKind.Picture;
        if (!PredictRequest.IsJson(media)) throw new ProblemException(HttpFaults.NotJudged(type));
        return BodyKind.Json;
    }

    /// <summary>The one picture that the body is.</summary>
    /// <exception cref="ProblemException">It is larger than allowed.</exception>
    public static async ValueTask<byte[]> ReadAsync(HttpRequest request, ScionApiOptions limits, CancellationToken cancellation) =>
        await ReadAsync(request.Body, request.ContentLength, limits.MaxPictureBody, limits, cancellation);

    /// <summary>The files of a form, in their order.</summary>
    /// <exception cref="ProblemException">It is malformed, holds fields that are no files, or is larger than allowed.</exception>
    public static async ValueTask<List<byte[]>> ReadFormAsync(HttpRequest request, ScionApiOptions limits, CancellationToken cancellation)
    {
        string? boundary = MediaTypeHeaderValue.Parse(request.ContentType).Boundary.Value?.Trim('"');
        if (string.IsNullOrEmpty(boundary) || boundary.Length > 70) throw new ProblemException(HttpFaults.FormRefused("it names no boundary, or one of more than 70 characters"));
        MultipartReader reader = new(boundary, request.Body) { HeadersCountLimit = MaxPartHeaders, HeadersLengthLimit = MaxPartHeaderBytes, BodyLengthLimit = null };
        List<byte[]> pictures = [];
        long left = limits.MaxPictureBody;
        try
        {
            while (await reader.ReadNextSectionAsync(cancellation) is { } section)
            {
                if (pictures.Count == limits.MaxPictures) throw new ProblemException(HttpFaults.TooManyInputs(limits.MaxPictures));
                ContentDispositionHeaderValue? disposition = section.GetContentDispositionHeader();
                if (disposition is null || !(disposition.IsFileDisposition() || section.ContentType?.StartsWith("image/", StringComparison.OrdinalIgnoreCase) == true))
                    throw new ProblemException(HttpFaults.FormRefused($"its part {pictures.Count + 1} is no file"));
                byte[] picture = await ReadAsync(section.Body, null, left, limits, cancellation);
                left -= picture.Length;
                pictures.Add(picture);
            }
        }
        catch (InvalidDataException)
        {
            throw new ProblemException(HttpFaults.FormRefused("its parts are malformed, or their headers too long"));
        }
        catch (IOException) when (!cancellation.IsCancellationRequested && request.ContentLength is not null)
        {
            throw new ProblemException(HttpFaults.FormRefused("it ends before its last boundary"));
        }
        return pictures.Count > 0 ? pictures : throw new ProblemException(HttpFaults.FormRefused("it holds no file"));
    }

    static async ValueTask<byte[]> ReadAsync(Stream body, long? length, long most, ScionApiOptions limits, CancellationToken cancellation)
    {
        if (length > most) throw new ProblemException(HttpFaults.PicturesTooLarge(limits.MaxPictureBody));
        byte[] bytes = length is { } whole ? GC.AllocateUninitializedArray<byte>((int)whole) : new byte[1 << 16];
        int filled = 0;
        while (true)
        {
            if (filled == bytes.Length)
            {
                if (length is not null) return bytes;
                if (filled > most) throw new ProblemException(HttpFaults.PicturesTooLarge(limits.MaxPictureBody));
                Array.Resize(ref bytes, (int)Math.Min(2L * filled, most + 1));
            }
            int read = await body.ReadAsync(bytes.AsMemory(filled), cancellation);
            filled += read;
            if (filled > most) throw new ProblemException(HttpFaults.PicturesTooLarge(limits.MaxPictureBody));
            if (read == 0) return bytes[..filled];
        }
    }
}
