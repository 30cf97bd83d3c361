using Microsoft.AspNetCore.Http;
using Scion.Faults;
using Scion.Registry;
using Scion.Serving;
using Scion.Storage;

namespace Scion.Web;

/// <param name="Status">"ok", or "degraded": it answers, but not by the newest of every model, or storage is silent.</param>
/// <param name="Models">Models loaded.</param>
/// <param name="Faults">Codes of what is wrong, without names: this address needs no key.</param>
sealed record Health(string Status, int Models, IReadOnlyList<string> Faults);

/// <summary><c>GET /healthz</c>. Always 200 while the process answers: restarting it would lose the last good models.</summary>
sealed class HealthEndpoint(IBlobStore store, PredictorCache cache, TimeProvider time)
{
    /// <summary>Storage is looked at no more often, however often health is asked for.</summary>
    static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(2);

    readonly Lock guard = new();
    volatile string? storageFault;
    Task? look;
    long lookedAt;

    public async Task ShowAsync(HttpContext context)
    {
        ScionApi.RequireQuery(context.Request);
        await LookAtStorage().WaitAsync(context.RequestAborted);
        IReadOnlyList<ServedModel> models = cache.Models;
        List<string> faults = [.. models.Where(model => model.Version is not null || !IsUnknownName(model.Fault)).Select(model => CodeOf(model.Fault)).OfType<string>()];
        if (storageFault is not null) faults.Add(storageFault);
        await ScionApi.WriteJsonAsync(context, new Health(faults.Count == 0 ? "ok" : "degraded", models.Count(model => model.Version is not null), [.. faults.Distinct().Order(StringComparer.Ordinal)]));
    }

    /// <summary>One look at a time, shared by all who ask meanwhile.</summary>
    Task LookAtStorage()
    {
        lock (guard)
        {
            if (look is { IsCompleted: false } || (look is not null && time.GetElapsedTime(lookedAt) < LookEvery)) return look;
            lookedAt = time.GetTimestamp();
            return look = Task.Run(LookAsync);
        }
    }

    async Task LookAsync()
    {
        try
        {
            await store.FindAsync(BlobPath.Of(ModelRegistry.Container, "health-check"), CancellationToken.None);
            storageFault = null;
        }
        catch (TransientStorageException e)
        {
            storageFault = e.Code;
        }
    }

    static bool IsUnknownName(Exception? fault) => fault is InputRejectedException { Code: "R002" };

    static string? CodeOf(Exception? fault) => fault switch
    {
        null => null,
        InputRejectedException refused => refused.Code,
        TransientStorageException silent => silent.Code,
        _ => "W018",
    };
}
