using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Scion.Web;

/// <summary>Who may call: the host name, the calling page, and the key are checked before anything of a request is read.</summary>
sealed class RequestGate(ScionApiOptions options)
{
    const int MaxKey = 256;

    readonly byte[]? key = options.Key is null ? null : Encoding.UTF8.GetBytes(options.Key);

    /// <returns>Why the request is refused, or null.</returns>
    public Problem? Check(HttpRequest request, bool open)
    {
        if (options.LocalOnly && !IsLocal(request.Host)) return HttpFaults.HostRefused(request.Host.Value ?? "");
        if (OtherOrigin(request) is { } origin) return HttpFaults.OriginRefused(origin);
        if (open || key is null) return null;
        if (request.Query.Count > 0 && request.Query.ContainsKey("code")) return HttpFaults.KeyInQuery;
        StringValues given = request.Headers["x-functions-key"];
        if (StringValues.IsNullOrEmpty(given)) return HttpFaults.NoKey;
        return given.Count == 1 && IsKey(given[0]!) ? null : HttpFaults.WrongKey;
    }

    static bool IsLocal(HostString host) => host.HasValue && host.Host is { } name
        && (name is "127.0.0.1" or "[::1]" || name.Equals("localhost", StringComparison.OrdinalIgnoreCase));

    /// <summary>The page of another site that makes this request, or null. Programs send neither header.</summary>
    string? OtherOrigin(HttpRequest request)
    {
        if (request.Headers.Origin is [{ Length: > 0 } origin])
            return options.Origins.Contains(origin) || (Uri.TryCreate(origin, UriKind.Absolute, out Uri? page) && SameAuthority(page, request.Host)) ? null : origin;
        if (request.Headers.Origin.Count > 1) return request.Headers.Origin.ToString();
        if (request.Headers.TryGetValue("Sec-Fetch-Site", out StringValues site) && site is ["cross-site" or "same-site"] && !IsNavigation(request)) return "another site";
        return null;
    }

    /// <summary>Following a link from elsewhere to the page is no attack; it shows nothing without the key.</summary>
    static bool IsNavigation(HttpRequest request) => HttpMethods.IsGet(request.Method) && request.Headers["Sec-Fetch-Mode"] == "navigate" && request.Headers["Sec-Fetch-Dest"] == "document";

    static bool SameAuthority(Uri page, HostString host) => page.Host.Equals(host.Host, StringComparison.OrdinalIgnoreCase)
        && (host.Port is { } port ? page.Port == port : page.IsDefaultPort);

    /// <summary>Takes equally long wherever a wrong key differs; its length alone is not hidden.</summary>
    bool IsKey(string given)
    {
        if (given.Length > MaxKey) return false;
        Span<byte> bytes = stackalloc byte[MaxKey];
        return Encoding.UTF8.TryGetBytes(given, bytes, out int length) && CryptographicOperations.FixedTimeEquals(bytes[..length], key);
    }
}
