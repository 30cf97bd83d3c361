using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Scion.Pipelines;
using Scion.Registry;
using Scion.Serving;
using Scion.Storage;
using Scion.Vision;

namespace Scion.Web;

/// <summary>Mounts the API and the page in an ASP.NET Core host.</summary>
public static class ScionApiMounting
{
    /// <summary>Registers the API. The host registers its <see cref="IBlobStore"/>, <see cref="ITrainingHost"/> and <see cref="IPictureReader"/>.</summary>
    /// <exception cref="ValidationException">The options contradict each other.</exception>
    public static IServiceCollection AddScionApi(this IServiceCollection services, ScionApiOptions options)
    {
        string[] errors = [.. options.Validate(new ValidationContext(options)).Select(error => error.ErrorMessage!)];
        if (errors.Length > 0) throw new ValidationException(string.Join(" ", errors));
        services.AddRouting();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<ModelRegistry>();
        services.TryAddSingleton<RunLedger>();
        services.TryAddSingleton<ArrivalLedger>();
        services.AddSingleton(options);
        services.AddSingleton(host => new PredictorCache(host.GetRequiredService<ModelRegistry>(), host.GetRequiredService<IPictureReader>(), options.Models,
            host.GetRequiredService<TimeProvider>(), host.GetRequiredService<ILogger<PredictorCache>>()));
        return services.AddSingleton<ScionApi>();
    }

    /// <summary>Maps every address of the API and the page; whatever else is asked for is answered with a problem too.</summary>
    public static IEndpointRouteBuilder MapScionApi(this IEndpointRouteBuilder routes)
    {
        ScionApi api = routes.ServiceProvider.GetRequiredService<ScionApi>();
        foreach (ScionEndpoint endpoint in api.Endpoints) routes.MapMethods(endpoint.Pattern, endpoint.Methods, context => api.RunAsync(context, endpoint));
        routes.MapFallback("/{**path}", context => api.RunAsync(context, api.Other));
        return routes;
    }

    /// <summary>Limits for a server that faces callers itself: uploads as large as the API takes, headers of 16 KiB, and slow callers dropped
    /// (Kestrel's own 240 bytes/s after 5 s).</summary>
    public static void LimitForScion(this KestrelServerOptions kestrel, ScionApiOptions options)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = options.MaxUpload + 1;            // one more, so that the API says what is too large
        kestrel.Limits.MaxRequestHeadersTotalSize = 16 << 10;
        kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
        kestrel.Limits.MaxConcurrentConnections = 10_000;
    }
}
