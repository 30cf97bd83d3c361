using System.Diagnostics;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing.Template;
using Microsoft.Extensions.Logging;
using Scion.Faults;
using Scion.Pipelines;
using Scion.Registry;
using Scion.Serving;
using Scion.Storage;

namespace Scion.Web;

/// <summary>One address of the API.</summary>
/// <param name="Method">HTTP method. GET also answers HEAD.</param>
/// <param name="Pattern">Route, with its parameters in braces.</param>
/// <param name="Open">True when no key is needed: it shows nothing of models, data or runs.</param>
/// <param name="Handler">Does it.</param>
public sealed record ScionEndpoint(string Method, string Pattern, bool Open, RequestDelegate Handler)
{
    /// <summary>The methods it answers.</summary>
    public IReadOnlyList<string> Methods { get; } = Method == "GET" ? ["GET", "HEAD"] : [Method];
}

/// <summary>The HTTP API, written once: any host mounts <see cref="Endpoints"/>. Handlers use HttpContext alone, nothing of one server.</summary>
public sealed partial class ScionApi
{
    readonly RequestGate gate;
    readonly ILogger<ScionApi> logger;

    public ScionApi(
        ScionApiOptions options, IBlobStore store, ModelRegistry registry, RunLedger ledger, ArrivalLedger arrivals, PredictorCache cache, ITrainingHost training, TimeProvider time,
        ILogger<ScionApi> logger)
    {
        (gate, this.logger) = (new RequestGate(options), logger);
        PredictEndpoint predict = new(options, cache, time);
        ModelEndpoints models = new(registry, cache);
        DatasetEndpoints datasets = new(options, store, arrivals, training);
        RunEndpoints runs = new(ledger, training);
        HealthEndpoint health = new(store, cache, time);
        Endpoints =
        [
            new("POST", "/api/models/{model}/predict", false, context => predict.PredictAsync(context, Route(context, "model"))),
            new("GET", "/api/models", false, models.ListAsync),
            new("GET", "/api/models/{model}", false, context => models.ShowAsync(context, Route(context, "model"))),
            new("GET", "/api/models/{model}/versions", false, context => models.VersionsAsync(context, Route(context, "model"))),
            new("GET", "/api/models/{model}/versions/{version}", false, context => models.VersionAsync(context, Route(context, "model"), Route(context, "version"))),
            new("GET", "/api/models/{model}/versions/{version}/report", false, context => models.ReportAsync(context, Route(context, "model"), Route(context, "version"))),
            new("GET", "/api/models/{model}/versions/{version}/examples/{number}", false,
                context => models.ExampleAsync(context, Route(context, "model"), Route(context, "version"), Route(context, "number"))),
            new("GET", "/api/models/{model}/report", false, context => models.ReportAsync(context, Route(context, "model"), version: null)),
            new("GET", "/api/models/{model}/words/{word}/nearest", false, context => models.NearestAsync(context, Route(context, "model"), Route(context, "word"))),
            new("POST", "/api/models/{model}/promote", false, context => models.PromoteAsync(context, Route(context, "model"))),
            new("POST", "/api/models/{model}/rollback", false, context => models.RollbackAsync(context, Route(context, "model"))),
            new("GET", "/api/datasets", false, datasets.ListAsync),
            new("GET", "/api/datasets/{kind}/{model}", false, context => datasets.ShowAsync(context, Route(context, "kind"), Route(context, "model"))),
            new("PUT", "/api/datasets/{kind}/{model}/files/{**name}", false, context => datasets.PutAsync(context, Route(context, "kind"), Route(context, "model"), Route(context, "name"))),
            new("POST", "/api/datasets/{kind}/{model}/train", false, context => datasets.TrainAsync(context, Route(context, "kind"), Route(context, "model"))),
            new("GET", "/api/runs", false, runs.ListAsync),
            new("GET", "/api/runs/{run}", false, context => runs.ShowAsync(context, Route(context, "run"))),
            new("GET", "/api/runs/{run}/rejects.csv", false, context => runs.RejectsAsync(context, Route(context, "run"))),
            new("DELETE", "/api/runs/{run}", false, context => runs.CancelAsync(context, Route(context, "run"))),
            new("POST", "/api/runs/{run}/suspend", false, context => runs.SuspendAsync(context, Route(context, "run"))),
            new("POST", "/api/runs/{run}/resume", false, context => runs.ResumeAsync(context, Route(context, "run"))),
            new("GET", "/healthz", true, health.ShowAsync),
            .. PageEndpoints.All,
        ];
        (TemplateMatcher Address, string Allow)[] taken = [.. Endpoints.GroupBy(endpoint => endpoint.Pattern).Select(address =>
            (new TemplateMatcher(TemplateParser.Parse(address.Key), []), string.Join(", ", address.SelectMany(endpoint => endpoint.Methods))))];
        Other = new("*", "/{**path}", Open: true, context =>
        {
            (_, string? allow) = taken.FirstOrDefault(known => known.Address.TryMatch(context.Request.Path, []));
            throw new ProblemException(allow is null ? HttpFaults.NoSuchAddress(context.Request.Path) : HttpFaults.MethodRefused(context.Request.Method, allow));
        });
    }

    /// <summary>Every address but the answer for all others.</summary>
    public IReadOnlyList<ScionEndpoint> Endpoints { get; }

    /// <summary>Answers every other request, with the problem that there is no such address, or that it does not take the method.</summary>
    public ScionEndpoint Other { get; }

    /// <summary>Runs an endpoint behind the gate; every fault becomes a problem.</summary>
    public async Task RunAsync(HttpContext context, ScionEndpoint endpoint)
    {
        IHeaderDictionary headers = context.Response.Headers;
        headers.XContentTypeOptions = "nosniff";
        headers.CacheControl = "no-store";
        Problem problem;
        try
        {
            if (gate.Check(context.Request, endpoint.Open) is not { } refused)
            {
                await endpoint.Handler(context);
                return;
            }
            problem = refused;
        }
        catch (ProblemException e)
        {
            problem = e.Problem;
        }
        catch (InputRejectedException e)
        {
            problem = Problem.Of(e);
        }
        catch (TransientStorageException e)
        {
            StorageSilent(logger, endpoint.Method, endpoint.Pattern, e);
            problem = Problem.Of(e);
        }
        catch (BadHttpRequestException e)
        {
            problem = e.StatusCode switch
            {
                StatusCodes.Status408RequestTimeout => HttpFaults.TooSlow,
                StatusCodes.Status413PayloadTooLarge => new Problem(413, "W008", "The body is larger than this server takes.", "Send less at a time."),
                StatusCodes.Status400BadRequest => HttpFaults.Incomplete,
                _ => HttpFaults.Protocol(e.StatusCode),
            };
        }
        catch (Exception e) when (context.RequestAborted.IsCancellationRequested && e is OperationCanceledException or IOException)
        {
            return;                                                               // the caller has gone
        }
        catch (Exception e)
        {
            string trace = Activity.Current?.TraceId.ToString() ?? context.TraceIdentifier;
            Unforeseen(logger, endpoint.Method, endpoint.Pattern, trace, e);
            problem = HttpFaults.Unexpected(trace);
        }
        if (context.Response.HasStarted)
        {
            context.Abort();                                                      // half an answer must not look whole
            return;
        }
        context.Response.Clear();
        headers.XContentTypeOptions = "nosniff";
        headers.CacheControl = "no-store";
        await problem.WriteAsync(context);
    }

    static string Route(HttpContext context, string name) => context.Request.RouteValues[name] as string ?? "";

    /// <exception cref="ProblemException">The query has a field that is not among the allowed, or one twice.</exception>
    internal static void RequireQuery(HttpRequest request, params ReadOnlySpan<string> allowed)
    {
        if (!request.QueryString.HasValue) return;
        foreach ((string name, Microsoft.Extensions.Primitives.StringValues values) in request.Query)
            if (!(name == "code" || allowed.Contains(name)) || values.Count > 1)
                throw new ProblemException(HttpFaults.QueryRefused(name, allowed.IsEmpty ? "This address takes no query." : $"It may have, once: {string.Join(", ", allowed!)}."));
    }

    internal static Task WriteJsonAsync<T>(HttpContext context, T value, int status = StatusCodes.Status200OK)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(value, ScionJson.Strict);
        context.Response.ContentLength = json.Length;
        return HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask : context.Response.Body.WriteAsync(json, context.RequestAborted).AsTask();
    }

    /// <summary>A small JSON body of a known form, or null when there is none.</summary>
    /// <exception cref="ProblemException">It is too large or not of that form.</exception>
    internal static async Task<T?> ReadJsonAsync<T>(HttpContext context) where T : class
    {
        const int MaxBytes = 1 << 16;
        HttpRequest request = context.Request;
        if (request.ContentLength > MaxBytes) throw new ProblemException(HttpFaults.BodyTooLarge(MaxBytes));
        using MemoryStream body = new();
        byte[] part = new byte[4096];
        for (int read; (read = await request.Body.ReadAsync(part, context.RequestAborted)) > 0;)
        {
            body.Write(part, 0, read);
            if (body.Length > MaxBytes) throw new ProblemException(HttpFaults.BodyTooLarge(MaxBytes));
        }
        if (body.Length == 0) return null;
        PredictRequest.RequireJson(request);
        try
        {
            return JsonSerializer.Deserialize<T>(body.GetBuffer().AsSpan(0, (int)body.Length), ScionJson.Strict);
        }
        catch (JsonException e)
        {
            string fields = string.Join(", ", typeof(T).GetProperties().Select(property => $"\"{JsonNamingPolicy.CamelCase.ConvertName(property.Name)}\""));
            throw new ProblemException(HttpFaults.UnexpectedJson($"The body is not what this address takes: {PredictRequest.Place(e)}", $"Send an object; it may have {fields}, each once."));
        }
    }

    [LoggerMessage(EventId = 1, Level = LogLevel.Error, Message = "{Method} {Pattern} failed unforeseen, trace {Trace}")]
    static partial void Unforeseen(ILogger logger, string method, string pattern, string trace, Exception fault);

    [LoggerMessage(EventId = 2, Level = LogLevel.Warning, Message = "{Method} {Pattern}: storage did not answer")]
    static partial void StorageSilent(ILogger logger, string method, string pattern, Exception fault);
}
