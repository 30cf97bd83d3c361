using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;
using Scion.Serving;

namespace Scion.Web;

/// <summary>Reads <c>{"inputs":["a review", …]}</c> as it comes from the wire: bounded before it is held, strict about everything else.</summary>
static class PredictRequest
{
    const string Form = "Send an object with one field, \"inputs\": an array of strings.";

    static readonly JsonReaderOptions Strict = new() { MaxDepth = 16 };

    /// <exception cref="ProblemException">It is not such a body, or larger than allowed.</exception>
    public static async ValueTask<List<string>> ReadAsync(HttpRequest request, string model, ScionApiOptions limits, CancellationToken cancellation)
    {
        RequireJson(request, model);
        if (request.ContentLength > limits.MaxBody) throw new ProblemException(HttpFaults.BodyTooLarge(limits.MaxBody));
        PipeReader body = request.BodyReader;
        while (true)
        {
            ReadResult read = await body.ReadAsync(cancellation);
            ReadOnlySequence<byte> bytes = read.Buffer;
            if (bytes.Length > limits.MaxBody) throw new ProblemException(HttpFaults.BodyTooLarge(limits.MaxBody));
            if (!read.IsCompleted)
            {
                body.AdvanceTo(bytes.Start, bytes.End);
                continue;
            }
            try
            {
                return Parse(bytes, model, limits);
            }
            finally
            {
                body.AdvanceTo(bytes.End);
            }
        }
    }

    /// <exception cref="ProblemException">The body is not declared to be plain JSON.</exception>
    public static void RequireJson(HttpRequest request, string? model)
    {
        if (request.Headers.ContentEncoding.Count > 0) throw new ProblemException(HttpFaults.Encoded(request.Headers.ContentEncoding.ToString()));
        string? type = request.ContentType;
        if (type is "application/json" or "application/json; charset=utf-8") return;
        if (!MediaTypeHeaderValue.TryParse(type, out MediaTypeHeaderValue? media)) throw new ProblemException(HttpFaults.NotJson(type));
        if (model is not null && (media.Type.StartsWith("image", StringComparison.OrdinalIgnoreCase) || media.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase)))
            throw ServingFaults.ImagesToReviews(model);
        bool utf8 = !media.Charset.HasValue || media.Charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase) || media.Charset.Equals("\"utf-8\"", StringComparison.OrdinalIgnoreCase);
        if (!utf8 || !media.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase)) throw new ProblemException(HttpFaults.NotJson(type));
    }

    /// <param name="json">The whole body; a byte order mark is passed over.</param>
    /// <param name="model">For messages.</param>
    /// <param name="limits">Texts and characters.</param>
    /// <returns>The texts, one or more.</returns>
    /// <exception cref="ProblemException">It is not such a body.</exception>
    public static List<string> Parse(in ReadOnlySequence<byte> json, string model, ScionApiOptions limits)
    {
        Utf8JsonReader reader = new(WithoutMark(json), Strict);
        try
        {
            return Read(ref reader, model, limits);
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

    static List<string> Read(ref Utf8JsonReader reader, string model, ScionApiOptions limits)
    {
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject) throw Unexpected($"The body is {Named(reader.TokenType)}.");
        List<string>? inputs = null;
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
                if (reader.TokenType == JsonTokenType.StartObject && IsImage(ref reader)) throw ServingFaults.ImagesToReviews(model);
                if (reader.TokenType != JsonTokenType.String) throw Unexpected($"inputs[{inputs.Count}] is {Named(reader.TokenType)}.");
                string text = reader.GetString()!;
                if (text.Length > limits.MaxText) throw new ProblemException(HttpFaults.TextTooLong(inputs.Count, text.Length, limits.MaxText));
                inputs.Add(text);
            }
        }
        reader.Read();                                                            // anything after the object is an error
        if (inputs is null) throw Unexpected("The field 'inputs' is missing.");
        return inputs.Count > 0 ? inputs : throw Unexpected("'inputs' is empty.");
    }

    static bool IsImage(ref Utf8JsonReader reader)
    {
        Utf8JsonReader ahead = reader;
        return ahead.Read() && ahead.TokenType == JsonTokenType.PropertyName && ahead.ValueTextEquals("image"u8);
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
