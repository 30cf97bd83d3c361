using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using Scion.Local.Commands;
using Scion.Local.Running;
using Scion.Pipelines;
using Scion.Registry;
using Scion.Vision;
using Scion.Web;

namespace Scion.Local.Server;

/// <summary>API, page, watcher and training in one process.</summary>
static class ScionServer
{
    public static async Task<int> RunAsync(Invocation call, IReadOnlyList<string> urls, bool allowRemote, WatchOptions watch)
    {
        bool local = true;
        foreach (string url in urls)
        {
            if (IsLoopback(url)) continue;
            if (!allowRemote) throw LocalFaults.NotLoopback(url);
            local = false;
            call.Screen.Note($"[yellow]![/] {url.Escaped()} can be reached from other machines, and the key travels in the clear: put TLS in front.");
        }
        await using WebApplication app = Build(call, urls, local, watch);
        try
        {
            await app.StartAsync(call.Cancellation);
        }
        catch (IOException e) when (LocalFaults.IsPortTaken(e))
        {
            LocalFault fault = LocalFaults.PortTaken(string.Join(", ", urls));
            call.Screen.Fault(fault);
            return fault.Exit;
        }
        Announce(call, app.Services.GetRequiredService<ScionApiOptions>().Key!, [.. app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses]);
        await app.WaitForShutdownAsync(call.Cancellation);
        return Exit.Done;
    }

    static WebApplication Build(Invocation call, IReadOnlyList<string> urls, bool local, WatchOptions watch)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Logging.AddSimpleConsole(console =>
        {
            (console.SingleLine, console.TimestampFormat, console.IncludeScopes) = (true, "HH:mm:ss ", false);
            if (Environment.GetEnvironmentVariable("NO_COLOR") is { Length: > 0 }) console.ColorBehavior = LoggerColorBehavior.Disabled;
        });
        builder.Services.Configure<ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        builder.Logging.AddFilter("Microsoft", LogLevel.Warning).AddFilter("System", LogLevel.Warning);
        builder.WebHost.UseUrls([.. urls]);

        builder.Services
            .AddSingleton(call.Time)
            .AddSingleton(call.Store)
            .AddSingleton<IPictureReader>(call.Pictures)
            .AddSingleton(watch)
            .AddSingleton(call.Location.Locks())
            .AddSingleton<RunLedger>()
            .AddSingleton<ArrivalLedger>()
            .AddSingleton<ModelRegistry>()
            .AddSingleton<LocalRunner>()
            .AddSingleton<TrainingQueue>()
            .AddSingleton<ITrainingHost>(services => services.GetRequiredService<TrainingQueue>())
            .AddHostedService(services => services.GetRequiredService<TrainingQueue>())
            .AddHostedService<DatasetWatcher>()
            .AddHostedService<PredictionWatcher>();
        ScionApiOptions api = new() { Key = ServerKey.ReadOrCreate(call.Location.KeyPath), LocalOnly = local };
        builder.Services.AddScionApi(api);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.LimitForScion(api));
        if (Environment.GetEnvironmentVariable("OTEL_EXPORTER_OTLP_ENDPOINT") is { Length: > 0 })
            builder.Services.AddOpenTelemetry()
                .ConfigureResource(resource => resource.AddService("scion"))
                .WithTracing(traces => traces.AddSource("Scion.*").AddAspNetCoreInstrumentation().AddOtlpExporter())
                .WithMetrics(metrics => metrics.AddMeter("Scion.*").AddAspNetCoreInstrumentation().AddOtlpExporter());

        WebApplication app = builder.Build();
        app.MapScionApi();
        return app;
    }

    /// <remarks>The page's address holds the key in its fragment, which browsers keep to themselves: no server sees it, and no log. It is printed on stdout only.</remarks>
    static void Announce(Invocation call, string key, IReadOnlyList<string> addresses)
    {
        string reviews = call.Location.Show("reviews/{model}/"), images = call.Location.Show("images/{model}/");
        string page = $"{addresses[0].Replace("[::]", "localhost", StringComparison.Ordinal).Replace("0.0.0.0", "localhost", StringComparison.Ordinal)}/#key={key}";
        call.Screen.Document(new { urls = addresses, page, key = call.Location.KeyPath, reviews, images });
        call.Screen.Line($"[bold]Scion[/] serves {string.Join(", ", addresses).Escaped()}");
        Receipt.Field(call.Screen, "Page", $"{page.Escaped()}  (open it; whoever has this address has the key)");
        Receipt.Field(call.Screen, "Key", $"{call.Location.KeyPath.Escaped()}, for API calls: sent as header x-functions-key");
        Receipt.Field(call.Screen, "Drop", $"files of reviews into {reviews.Escaped()}, label folders or zips of photos into {images.Escaped()}: a run starts by itself");
        Receipt.Field(call.Screen, "Stop", "Ctrl-C; unfinished runs go on at the next start");
    }

    static bool IsLoopback(string url) => Uri.TryCreate(url, UriKind.Absolute, out Uri? uri) && uri.Scheme is "http" or "https"
        && (uri!.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(uri.Host.Trim('[', ']'), out IPAddress? address) && IPAddress.IsLoopback(address)));
}
