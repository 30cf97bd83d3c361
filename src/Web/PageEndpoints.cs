using System.Reflection;
using Microsoft.AspNetCore.Http;

namespace Scion.Web;

/// <summary>The web page and the API's description: files inside the assembly, the same for everybody, so no key is needed to read them.</summary>
static class PageEndpoints
{
    const string PagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    /// <summary>The page that shows a report: the report's own style is inline, and its frame inherits this policy. It runs one script, ours.</summary>
    const string ReportPolicy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    public static IReadOnlyList<ScionEndpoint> All { get; } =
    [
        Serve("/", "index.html", "text/html; charset=utf-8", PagePolicy),
        Serve("/app.js", "app.js", "text/javascript; charset=utf-8"),
        Serve("/app.css", "app.css", "text/css; charset=utf-8"),
        Serve("/icon.svg", "icon.svg", "image/svg+xml"),
        Serve("/report", "report.html", "text/html; charset=utf-8", ReportPolicy),
        Serve("/report.js", "report.js", "text/javascript; charset=utf-8"),
        Serve("/report.css", "report.css", "text/css; charset=utf-8"),
        Serve("/openapi.json", "openapi.json", "application/json"),
    ];

    static ScionEndpoint Serve(string address, string file, string type, string policy = "default-src 'none'; frame-ancestors 'none'")
    {
        byte[] bytes = Read(file);
        return new ScionEndpoint("GET", address, Open: true, context =>
        {
            HttpResponse response = context.Response;
            response.ContentType = type;
            response.ContentLength = bytes.Length;
            response.Headers.CacheControl = "no-cache";
            response.Headers.ContentSecurityPolicy = policy;
            response.Headers["Referrer-Policy"] = "no-referrer";
            response.Headers["Cross-Origin-Opener-Policy"] = "same-origin";
            return HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask : response.Body.WriteAsync(bytes, context.RequestAborted).AsTask();
        });
    }

    static byte[] Read(string file)
    {
        using Stream resource = Assembly.GetExecutingAssembly().GetManifestResourceStream(file) ?? throw new InvalidOperationException($"{file} is not in the assembly.");
        using MemoryStream bytes = new();
        resource.CopyTo(bytes);
        return bytes.ToArray();
    }
}
