using Microsoft.AspNetCore.Http;
using Scion.Datasets;
using Scion.Evaluation;
using Scion.Faults;
using Scion.Registry;
using Scion.Serving;

namespace Scion.Web;

/// <param name="Name">"majority", "bag-of-words", "scratch" or "transfer".</param>
/// <param name="Accuracy">With its 95 % interval.</param>
public sealed record MeasuredModel(string Name, Figure Accuracy);

/// <summary>What people want to know of a version at a glance.</summary>
/// <param name="Version">Name.</param>
/// <param name="Complete">False when its publishing was cut off.</param>
/// <param name="Latest">True when it serves.</param>
/// <param name="Kind">"reviews" or "images"; null when it cannot be read.</param>
/// <param name="Labels">Classes; null when it cannot be read.</param>
/// <param name="Protocol">How it was measured.</param>
/// <param name="Rows">Rows measured on.</param>
/// <param name="Accuracy">Of the model that serves.</param>
/// <param name="Baselines">The others, on the same rows.</param>
/// <param name="Fault">Why it cannot be read; null when it can.</param>
public sealed record VersionSummary(
    string Version, bool Complete, bool Latest, string? Kind, IReadOnlyList<string>? Labels, Protocol? Protocol, int? Rows, Figure? Accuracy,
    IReadOnlyList<MeasuredModel>? Baselines, string? Fault);

/// <param name="Model">Name.</param>
/// <param name="Kind">"reviews" or "images"; null when no version can be read.</param>
/// <param name="Latest">Version that serves; null when none does.</param>
/// <param name="Versions">Complete versions.</param>
/// <param name="Serving">What the latest version measured; null when none serves.</param>
/// <param name="Fault">Why its pointer, or the version it names, cannot be used; null when it can.</param>
public sealed record ModelSummary(string Model, string? Kind, string? Latest, int Versions, VersionSummary? Serving, string? Fault);

sealed record ModelList(IReadOnlyList<ModelSummary> Models);

sealed record VersionList(string Model, IReadOnlyList<VersionSummary> Versions);

sealed record ModelDetail(string Model, string? Kind, string? Latest, string? RollsBackTo, IReadOnlyList<VersionSummary> Versions, IReadOnlyList<PointerMove> Moves, string? Fault);

sealed record VersionDetail(string Model, string Version, string Digest, bool Latest, ModelManifest Manifest);

/// <summary>The pointer after a move.</summary>
sealed record Moved(string Model, string Version, string Digest, PointerMove Move);

sealed record PromoteRequest(string? Version, string? Reason);

sealed record RollbackRequest(string? From, string? Reason);

/// <summary>The registry over HTTP: look, promote, roll back, read the report, inspect the words.</summary>
sealed class ModelEndpoints(ModelRegistry registry, PredictorCache cache)
{
    const int MaxReason = 500, MaxNearest = 100;

    /// <summary>A report carries its own style and pictures and nothing that runs; whatever a label or a review smuggled into it stays text.</summary>
    public const string ReportPolicy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox";

    public async Task ListAsync(HttpContext context)
    {
        ScionApi.RequireQuery(context.Request);
        List<ModelSummary> models = [];
        foreach (ModelEntry entry in await registry.ListAsync(context.RequestAborted))
        {
            VersionSummary? serving = entry.Latest is { } latest ? await SummaryAsync(entry.Model, new VersionEntry(latest, Complete: true, Latest: true), context.RequestAborted) : null;
            string? kind = serving?.Kind;
            if (kind is null && entry.Versions > 0) kind = (await SummariesAsync(entry.Model, context.RequestAborted)).FirstOrDefault(version => version.Kind is not null)?.Kind;
            models.Add(new ModelSummary(entry.Model, kind, entry.Latest, entry.Versions, serving, entry.Fault ?? serving?.Fault));
        }
        await ScionApi.WriteJsonAsync(context, new ModelList(models));
    }

    public async Task ShowAsync(HttpContext context, string model)
    {
        ScionApi.RequireQuery(context.Request);
        IReadOnlyList<VersionSummary> versions = await SummariesAsync(model, context.RequestAborted);
        LatestPointer? pointer = null;
        string? fault = null;
        try
        {
            pointer = (await registry.FindLatestAsync(model, context.RequestAborted))?.Pointer;
        }
        catch (InputRejectedException e)
        {
            fault = e.Message;
        }
        await ScionApi.WriteJsonAsync(context, new ModelDetail(model, versions.FirstOrDefault(version => version.Kind is not null)?.Kind, pointer?.Version, pointer?.Previous?.Version, versions,
            [.. (pointer?.Moves ?? []).Reverse().Take(50)], fault));
    }

    public async Task VersionsAsync(HttpContext context, string model)
    {
        ScionApi.RequireQuery(context.Request);
        await ScionApi.WriteJsonAsync(context, new VersionList(model, await SummariesAsync(model, context.RequestAborted)));
    }

    public async Task VersionAsync(HttpContext context, string model, string version)
    {
        ScionApi.RequireQuery(context.Request);
        ModelPackage package = await registry.ReadAsync(model, version, digest: null, names: [], context.RequestAborted);
        bool latest = (await registry.ListVersionsAsync(model, context.RequestAborted)).Any(entry => entry.Version == version && entry.Latest);
        await ScionApi.WriteJsonAsync(context, new VersionDetail(model, version, package.Digest, latest, package.Manifest));
    }

    /// <param name="context">The request.</param>
    /// <param name="model">Model name.</param>
    /// <param name="version">Null for the one that serves.</param>
    public async Task ReportAsync(HttpContext context, string model, string? version)
    {
        ScionApi.RequireQuery(context.Request);
        string? digest = null;
        if (version is null)
        {
            (LatestPointer pointer, _) = await registry.FindLatestAsync(model, context.RequestAborted) ?? throw RegistryFaults.ModelNotFound(model);
            (version, digest) = (pointer.Version, pointer.Digest);
        }
        ModelPackage package = await registry.ReadAsync(model, version, digest, [ModelPackage.ReportName], context.RequestAborted);
        ReadOnlyMemory<byte> report = package[ModelPackage.ReportName];
        context.Response.ContentType = "text/html; charset=utf-8";
        context.Response.Headers.ContentSecurityPolicy = ReportPolicy;
        context.Response.ContentLength = report.Length;
        if (!HttpMethods.IsHead(context.Request.Method)) await context.Response.Body.WriteAsync(report, context.RequestAborted);
    }

    /// <summary>The small picture of a stored example, by the number that a prediction's neighbour has.</summary>
    public async Task ExampleAsync(HttpContext context, string model, string version, string number)
    {
        ScionApi.RequireQuery(context.Request);
        byte[] picture = await ExamplePicture.ReadAsync(registry, model, version, number, context.RequestAborted);
        context.Response.ContentType = "image/jpeg";
        context.Response.Headers.ContentSecurityPolicy = ReportPolicy;
        context.Response.ContentLength = picture.Length;
        if (!HttpMethods.IsHead(context.Request.Method)) await context.Response.Body.WriteAsync(picture, context.RequestAborted);
    }

    public async Task PromoteAsync(HttpContext context, string model)
    {
        ScionApi.RequireQuery(context.Request);
        ModelName.Require(model);
        PromoteRequest? request = await ScionApi.ReadJsonAsync<PromoteRequest>(context);
        if (request?.Version is not { } version)
            throw new ProblemException(HttpFaults.UnexpectedJson("The body does not name a version.", "Send {\"version\":\"…\"}, and \"reason\" if you like."));
        LatestPointer pointer = await registry.PromoteAsync(model, version, Reason(request.Reason), context.RequestAborted);
        await AnswerAsync(context, model, pointer);
    }

    public async Task RollbackAsync(HttpContext context, string model)
    {
        ScionApi.RequireQuery(context.Request);
        ModelName.Require(model);
        RollbackRequest? request = await ScionApi.ReadJsonAsync<RollbackRequest>(context);
        LatestPointer pointer = await registry.RollbackAsync(model, request?.From, Reason(request?.Reason), context.RequestAborted);
        await AnswerAsync(context, model, pointer);
    }

    public async Task NearestAsync(HttpContext context, string model, string word)
    {
        ScionApi.RequireQuery(context.Request, "count");
        string count = context.Request.Query["count"].ToString();
        int nearest = 10;
        if (count.Length > 0 && (!int.TryParse(count, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out nearest) || nearest is < 1 or > MaxNearest))
            throw new ProblemException(HttpFaults.QueryRefused("count", $"count is a whole number from 1 to {MaxNearest}."));
        await ScionApi.WriteJsonAsync(context, await ModelWords.NearestAsync(registry, model, version: null, word, nearest, context.RequestAborted));
    }

    /// <summary>The caller's next prediction is answered by what it just chose.</summary>
    async Task AnswerAsync(HttpContext context, string model, LatestPointer pointer)
    {
        await cache.RefreshAsync(model, context.RequestAborted);
        await ScionApi.WriteJsonAsync(context, new Moved(model, pointer.Version, pointer.Digest, pointer.Moves[^1]));
    }

    async Task<IReadOnlyList<VersionSummary>> SummariesAsync(string model, CancellationToken cancellation)
    {
        List<VersionSummary> summaries = [];
        foreach (VersionEntry entry in await registry.ListVersionsAsync(model, cancellation)) summaries.Add(await SummaryAsync(model, entry, cancellation));
        return summaries;
    }

    async Task<VersionSummary> SummaryAsync(string model, VersionEntry entry, CancellationToken cancellation)
    {
        if (!entry.Complete) return new VersionSummary(entry.Version, false, entry.Latest, null, null, null, null, null, null, RegistryFaults.VersionIncomplete(model, entry.Version).Message);
        try
        {
            ModelManifest manifest = await registry.ReadManifestAsync(model, entry.Version, cancellation);
            IReadOnlyList<ModelMetrics> measured = manifest.Measured.Models ?? [];
            return new VersionSummary(entry.Version, true, entry.Latest, manifest.Kind, manifest.Labels, manifest.Data.Protocol, measured.Count == 0 ? null : measured[^1].Rows,
                measured.Count == 0 ? null : measured[^1].Accuracy, [.. measured.SkipLast(1).Select(model => new MeasuredModel(model.Name, model.Accuracy))], Fault: null);
        }
        catch (InputRejectedException e)
        {
            return new VersionSummary(entry.Version, true, entry.Latest, null, null, null, null, null, null, e.Message);
        }
    }

    static string Reason(string? given) => given switch
    {
        null => "By HTTP.",
        { Length: > MaxReason } => throw new ProblemException(HttpFaults.UnexpectedJson($"The reason has {given.Length} characters.", $"At most {MaxReason} are kept.")),
        _ => given,
    };
}
