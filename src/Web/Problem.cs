using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Scion.Faults;

namespace Scion.Web;

/// <summary>Why a request was refused, as RFC 9457 says it.</summary>
/// <param name="Status">HTTP status.</param>
/// <param name="Code">Stable, listed in docs/errors.md. Callers match on it, never on the text.</param>
/// <param name="Detail">What was found, with numbers.</param>
/// <param name="Remedy">What the caller can do about it.</param>
public sealed record Problem(int Status, string Code, string Detail, string Remedy)
{
    public const string ContentType = "application/problem+json";

    /// <summary>Seconds after which to try again; sent as Retry-After.</summary>
    public int? RetryAfter { get; init; }

    /// <summary>Methods that the address has; sent as Allow.</summary>
    public string? Allow { get; init; }

    /// <summary>What the log names this failure by; only where the log says more than the answer.</summary>
    public string? Trace { get; init; }

    public static Problem Of(InputRejectedException fault) => new(StatusOf(fault), fault.Code, fault.Fact, fault.Remedy);

    public static Problem Of(TransientStorageException fault) =>
        new(StatusCodes.Status503ServiceUnavailable, fault.Code, fault.Message[(fault.Code.Length + 2)..], "Repeat the request.") { RetryAfter = 1 };

    static int StatusOf(InputRejectedException fault) => fault.Kind switch
    {
        Refusal.NotFound => StatusCodes.Status404NotFound,
        Refusal.Conflict => StatusCodes.Status409Conflict,
        Refusal.TooLarge => StatusCodes.Status413PayloadTooLarge,
        Refusal.Unsupported => StatusCodes.Status415UnsupportedMediaType,
        _ => fault.Code is "R001" or "S001" ? StatusCodes.Status400BadRequest : StatusCodes.Status422UnprocessableEntity,
    };

    public Task WriteAsync(HttpContext context)
    {
        HttpResponse response = context.Response;
        response.StatusCode = Status;
        response.ContentType = ContentType;
        if (RetryAfter is { } seconds) response.Headers.RetryAfter = seconds.ToString(System.Globalization.CultureInfo.InvariantCulture);
        if (Allow is not null) response.Headers.Allow = Allow;
        if (Status == StatusCodes.Status401Unauthorized) response.Headers.WWWAuthenticate = "ApiKey header=\"x-functions-key\"";
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(
            new Body($"urn:scion:{Code}", Microsoft.AspNetCore.WebUtilities.ReasonPhrases.GetReasonPhrase(Status), Status, Detail, Code, Remedy, Trace), ScionJson.Strict);
        response.ContentLength = json.Length;
        return HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask : response.Body.WriteAsync(json, context.RequestAborted).AsTask();
    }

    sealed record Body(string Type, string Title, int Status, string Detail, string Code, string Remedy, string? Trace);
}

/// <summary>Ends a request with a problem.</summary>
sealed class ProblemException(Problem problem) : Exception(problem.Detail)
{
    public Problem Problem { get; } = problem;
}
