using System.ComponentModel.DataAnnotations;
using System.Globalization;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Scion.Web;

namespace Scion.Functions.Http;

/// <summary>The API of <c>src/Web</c> behind the Functions host, which checks keys, limits bodies and forwards every request to this process.</summary>
static class HttpServices
{
    /// <summary>The host's own limit of a body: this setting, or <see cref="DefaultHostLimit"/> (azure-functions-host, HttpRequestBodySizeMiddleware).</summary>
    public const string HostLimit = "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT";

    const long DefaultHostLimit = 104_857_600;

    /// <exception cref="ValidationException">Uploads may be larger than the host lets through, or an origin is none.</exception>
    public static IServiceCollection AddHttp(this IServiceCollection services, ScionSettings settings, IConfiguration configuration)
    {
        ScionApiOptions options = Options(settings, configuration);
        long host = long.TryParse(configuration[HostLimit], NumberStyles.None, CultureInfo.InvariantCulture, out long set) ? set : DefaultHostLimit;
        if (options.MaxUpload >= host)
            throw new ValidationException($"Scion:MaxUpload is {options.MaxUpload} and the host lets {host} bytes through. Lower it, or raise {HostLimit} above it.");
        services.Configure<KestrelServerOptions>(kestrel => kestrel.Limits.MaxRequestBodySize = options.MaxUpload + 1);       // one more, so that the API says what is too large
        return services.AddScionApi(options).AddSingleton<HttpDispatch>().AddSingleton<ITrainingHost, QueuedTrainingHost>();
    }

    /// <remarks>Core Tools check no key and serve this machine, so there the Host header is checked as in <c>scion serve</c>: a page elsewhere whose name was rebound to
    /// this machine must not get at it. A request's Host is the one that the caller used: the host overwrites what a caller puts into X-Forwarded-Host
    /// with it, and the worker's ASP.NET Core integration takes it from there.</remarks>
    public static ScionApiOptions Options(ScionSettings settings, IConfiguration configuration) => new()
    {
        KeyCheckedByHost = true,
        LocalOnly = string.Equals(configuration["AZURE_FUNCTIONS_ENVIRONMENT"], "Development", StringComparison.OrdinalIgnoreCase),
        Origins = settings.Origins.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries),
        MaxUpload = settings.MaxUpload,
    };
}
