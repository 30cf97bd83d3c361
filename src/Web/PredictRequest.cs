using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Scion.Web;

/// <summary>What is to be judged: texts or pictures, never both.</summary>
/// <param name="Texts">One or more; null when pictures were sent.</param>
/// <param name="Pictures">Files, one or more unless refused; null when texts were sent.</param>
/// <param name="Refused">What is wrong with a picture's JSON, told only by a model of images; null when all is well.</param>
readonly record struct PredictInputs(List<string>? Texts, List<byte[]>? Pictures, ProblemException? Refused = null);

/// <summary>Reads <c>{"inputs":["a review", …]}</c> or <c>{"inputs":[{"image":"base64"}, …]}</c> as it comes from the wire: bounded before it is held, strict about everything else.</summary>
static class PredictRequest
{
    const string Form = "Send an object with one field, \"inputs\": an array of strings, or of objects {\"image\":\"<base64>\"}.";

    static readonly JsonReaderOptions Strict = new() { MaxDepth = 16 };

    /// <exception cref="ProblemException">It is not such a body, or larger than allowed.</exception>
    /// <param name="request">Declared to be JSON.</param>
    /// <param name="limits">Texts, pictures and characters.</param>
    /// <param name="most">Bytes of the body.</param>
    /// <param name="cancellation">Stops the reads.</param>
    public static async ValueTask<PredictInputs> ReadAsync(HttpRequest request, ScionApiOptions limits, int most, CancellationToken cancellation)
    {
        if (request.ContentLength > most) throw new ProblemException(TooLarge());
        PipeReader body = request.BodyReader;
        while (true)
        {
            ReadResult read = await body.ReadAsync(cancellation);
            ReadOnlySequence<byte> bytes = read.Buffer;
            if (bytes.Length > most) throw new ProblemException(TooLarge());
            if (!read.IsCompleted)
            {
                body.AdvanceTo(bytes.Start, bytes.End);
                continue;
            }
            try
            {
                return Parse(bytes, limits);
            }
            finally
            {
                body.AdvanceTo(bytes.End);
            }
        }

        Problem TooLarge() => most > limits.MaxBody ? HttpFaults.PicturesTooLarge(most) : HttpFaults.BodyTooLarge(most);
    }

    /// <exception cref="ProblemException">The body is not declared to be plain JSON.</exception>
    public static void RequireJson(HttpRequest request)
    {
        if (request.Headers.ContentEncoding.Count > 0) throw new ProblemException(HttpFaults.Encoded(request.Headers.ContentEncoding.ToString()));
        string? type = request.ContentType;
        if (type is "application/json" or "application/json; charset=utf-8") return;
        if (!MediaTypeHeaderValue.TryParse(type, out MediaTypeHeaderValue? media)) throw new ProblemException(HttpFaults.NotJson(type));
        if (!IsJson(media)) throw new ProblemException(HttpFaults.NotJson(type));
    }

    /// <summary>True for JSON in UTF-8.</summary>
    public static bool IsJson(MediaTypeHeaderValue media) => media.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase)
        && (!media.Charset.HasValue || media.Charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase) || media.Charset.Equals("\"utf-8\"", StringComparison.OrdinalIgnoreCase));

    /// <param name="json">The whole body; a byte order mark is passed over.</param>
    /// <param name="limits">Texts, pictures and characters.</param>
    /// <returns>Texts or pictures, one or more.</returns>
    /// <exception cref="ProblemException">It is not such a body.</exception>
    public static PredictInputs Parse(in ReadOnlySequence<byte> json, ScionApiOptions limits)
    {
        Utf8JsonReader reader = new(WithoutMark(json), Strict);
        try
        {
            return Read(ref reader, limits);
        }
        catch (JsonException e)
        {
            throw new ProblemException(HttpFaults.MalformedJson(json.IsEmpty ? "it is empty." : Place(e)));
        }
        catch (InvalidOperationException)                                         // of GetString: the bytes between the quotes are no text
        {
            throw new ProblemException(HttpFaults.MalformedJson($"the string at byte {reader.TokenStartIndex} is not valid UTF-8, or escapes half a surrogate pair."));
        }
    }

    static PredictInputs Read(ref Utf8JsonReader reader, ScionApiOptions limits)
    {
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject) throw Unexpected($"The body is {Named(reader.TokenType)}.");
        List<string>? inputs = null;
        List<byte[]>? pictures = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (!reader.ValueTextEquals("inputs"u8)) throw Unexpected($"The field '{HttpFaults.Shown(reader.GetString()!)}' is not known.");
            if (inputs is not null) throw Unexpected("The field 'inputs' stands twice.");
            reader.Read();
            if (reader.TokenType != JsonTokenType.StartArray) throw Unexpected($"'inputs' is {Named(reader.TokenType)}.");
            inputs = [];
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            {
                if (inputs.Count == limits.MaxInputs) throw new ProblemException(HttpFaults.TooManyInputs(limits.MaxInputs));
                if (reader.TokenType == JsonTokenType.StartObject && inputs.Count == 0 && IsImage(ref reader))
                {
                    if (ReadPicture(ref reader, pictures ??= [], limits) is { } refused) return new PredictInputs(null, [], refused);
                    continue;
                }
                if (pictures is not null) throw Unexpected($"inputs[{pictures.Count}] is {Named(reader.TokenType)}{(reader.TokenType == JsonTokenType.StartObject ? " without 'image'" : " among pictures")}.");
                if (reader.TokenType != JsonTokenType.String) throw Unexpected($"inputs[{inputs.Count}] is {Named(reader.TokenType)}.");
                string text = reader.GetString()!;
                if (text.Length > limits.MaxText) throw new ProblemException(HttpFaults.TextTooLong(inputs.Count, text.Length, limits.MaxText));
                inputs.Add(text);
            }
        }
        reader.Read();                                                            // anything after the object is an error
        if (inputs is null) throw Unexpected("The field 'inputs' is missing.");
        if (pictures is not null) return new PredictInputs(null, pictures);
        return inputs.Count > 0 ? new PredictInputs(inputs, null) : throw Unexpected("'inputs' is empty.");
    }

    static bool IsImage(ref Utf8JsonReader reader)
    {
        Utf8JsonReader ahead = reader;
        return ahead.Read() && ahead.TokenType == JsonTokenType.PropertyName && ahead.ValueTextEquals("image"u8);
    }

    /// <summary>Reads <c>{"image":"base64"}</c>, from its opening brace to its closing one.</summary>
    /// <returns>What is wrong with it, or null.</returns>
    static ProblemException? ReadPicture(ref Utf8JsonReader reader, List<byte[]> pictures, ScionApiOptions limits)
    {
        if (pictures.Count == limits.MaxPictures) return new ProblemException(HttpFaults.TooManyInputs(limits.MaxPictures));
        reader.Read();                                                            // its name: image
        reader.Read();
        if (reader.TokenType != JsonTokenType.String) return Unexpected($"inputs[{pictures.Count}].image is {Named(reader.TokenType)}.");
        if (!reader.TryGetBytesFromBase64(out byte[]? picture)) return Unexpected($"inputs[{pictures.Count}].image is not base64.");
        reader.Read();
        if (reader.TokenType != JsonTokenType.EndObject) return Unexpected($"inputs[{pictures.Count}] has more than one field.");
        pictures.Add(picture);
        return null;
    }

    static ProblemException Unexpected(string fact) => new(HttpFaults.UnexpectedJson(fact, Form));

    static string Named(JsonTokenType token) => token switch
    {
        JsonTokenType.StartObject or JsonTokenType.EndObject => "an object",
        JsonTokenType.StartArray or JsonTokenType.EndArray => "an array",
        JsonTokenType.String => "a string",
        JsonTokenType.Number => "a number",
        JsonTokenType.True or JsonTokenType.False => "true or false",
        _ => "null",
    };

    static ReadOnlySequence<byte> WithoutMark(in ReadOnlySequence<byte> json)
    {
        SequenceReader<byte> reader = new(json);
        return reader.IsNext([0xEF, 0xBB, 0xBF]) ? json.Slice(3) : json;
    }

    /// <summary>Where and why, without the text the reader quotes.</summary>
    public static string Place(JsonException e) => $"it is wrong in line {(e.LineNumber ?? 0) + 1}, byte {(e.BytePositionInLine ?? 0) + 1}.";
}
