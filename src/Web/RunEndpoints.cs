using Microsoft.AspNetCore.Http;
using Scion.Pipelines;
using Scion.Registry;
using Scion.Storage;

namespace Scion.Web;

sealed record RunList(IReadOnlyList<RunStatus> Runs);

/// <summary>Runs over HTTP: how far they are, what was refused, cancelling, suspending and resuming.</summary>
sealed class RunEndpoints(RunLedger ledger, ITrainingHost training)
{
    public async Task ListAsync(HttpContext context)
    {
        ScionApi.RequireQuery(context.Request, "model");
        string? model = context.Request.Query.TryGetValue("model", out Microsoft.Extensions.Primitives.StringValues given) ? ModelName.Require(given.ToString()) : null;
        await ScionApi.WriteJsonAsync(context, new RunList(await ledger.ListAsync(model, context.RequestAborted)));
    }

    public async Task ShowAsync(HttpContext context, string run)
    {
        ScionApi.RequireQuery(context.Request);
        await ScionApi.WriteJsonAsync(context, await ledger.StatusAsync(run, context.RequestAborted));
    }

    public async Task RejectsAsync(HttpContext context, string run)
    {
        ScionApi.RequireQuery(context.Request);
        await using BlobContent? rejects = await ledger.OpenRejectsAsync(run, context.RequestAborted);
        HttpResponse response = context.Response;
        response.ContentType = "text/csv; charset=utf-8";
        response.Headers.ContentDisposition = $"attachment; filename=\"{run}-rejects.csv\"";
        ReadOnlyMemory<byte> none = "file,line,code,reason\n"u8.ToArray();
        response.ContentLength = rejects?.Item.Length ?? none.Length;
        if (HttpMethods.IsHead(context.Request.Method)) return;
        if (rejects is null) await response.Body.WriteAsync(none, context.RequestAborted);
        else await rejects.Stream.CopyToAsync(response.Body, context.RequestAborted);
    }

    public Task CancelAsync(HttpContext context, string run) => ChangeAsync(context, run, training.CancelAsync);

    public Task SuspendAsync(HttpContext context, string run) => ChangeAsync(context, run, training.SuspendAsync);

    public Task ResumeAsync(HttpContext context, string run) => ChangeAsync(context, run, training.ResumeAsync);

    async Task ChangeAsync(HttpContext context, string run, Func<string, CancellationToken, Task<RunStatus>> change)
    {
        ScionApi.RequireQuery(context.Request);
        await ledger.StatusAsync(run, context.RequestAborted);                    // a name that cannot be a run's never reaches the host
        await ScionApi.WriteJsonAsync(context, await change(run, context.RequestAborted));
    }
}
