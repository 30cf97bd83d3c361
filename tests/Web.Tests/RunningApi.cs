using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Scion.Pipelines;
using Scion.Registry;
using Scion.Serving;
using Scion.Storage;
using Scion.Tests.Registry;
using Scion.Vision;
using Scion.Web;

namespace Scion.Tests;

/// <summary>The API on a real server at a free port of this machine, over a store in memory.</summary>
public sealed class RunningApi : IAsyncDisposable
{
    public const string Key = "0123456789abcdef0123456789abcdef";

    readonly WebApplication server;

    RunningApi(WebApplication server, IBlobStore store, FakeTraining training, LinesLog log)
    {
        (this.server, Store, Training, Log) = (server, store, training, log);
        Address = new Uri(server.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        Anonymous = new HttpClient { BaseAddress = Address };
        Client = new HttpClient { BaseAddress = Address };
        Client.DefaultRequestHeaders.Add("x-functions-key", Key);
    }

    public Uri Address { get; }

    /// <summary>Sends the key.</summary>
    public HttpClient Client { get; }

    public HttpClient Anonymous { get; }

    public IBlobStore Store { get; }

    public FakeTraining Training { get; }

    public LinesLog Log { get; }

    public ModelRegistry Registry => server.Services.GetRequiredService<ModelRegistry>();

    public RunLedger Ledger => server.Services.GetRequiredService<RunLedger>();

    public PredictorCache Cache => server.Services.GetRequiredService<PredictorCache>();

    public ScionApi Api => server.Services.GetRequiredService<ScionApi>();

    public static async Task<RunningApi> StartAsync(IBlobStore store, ScionApiOptions? options = null, Action<KestrelServerOptions>? kestrel = null, TimeProvider? time = null)
    {
        options ??= new ScionApiOptions { Key = Key };
        LinesLog log = new();
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(server =>
        {
            server.LimitForScion(options);
            server.Listen(IPAddress.Loopback, 0);
            kestrel?.Invoke(server);
        });
        builder.Logging.AddProvider(log);
        builder.Services.AddSingleton(store);
        builder.Services.AddSingleton(time ?? TimeProvider.System);
        builder.Services.AddSingleton<FakeTraining>();
        builder.Services.AddSingleton<ITrainingHost>(services => services.GetRequiredService<FakeTraining>());
        builder.Services.AddSingleton<IPictureReader, InProcessPictures>();
        builder.Services.AddScionApi(options);
        WebApplication server = builder.Build();
        server.UseRouting();
        server.MapScionApi();
        await server.StartAsync();
        return new RunningApi(server, store, server.Services.GetRequiredService<FakeTraining>(), log);
    }

    /// <summary>With the model "films" published.</summary>
    public static async Task<RunningApi> StartWithFilmsAsync(ScionApiOptions? options = null, Action<KestrelServerOptions>? kestrel = null)
    {
        InMemoryBlobStore store = new();
        await TrainedModel.PublishAsync(store, await TrainedModel.MakeAsync(store));
        return await StartAsync(store, options, kestrel);
    }

    public Task<HttpResponseMessage> PredictAsync(string json, string model = "films", string query = "") =>
        Client.PostAsync(new Uri($"/api/models/{model}/predict{query}", UriKind.Relative), JsonBody(json));

    public static StringContent JsonBody(string json) => new(json, Encoding.UTF8, "application/json");

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        Anonymous.Dispose();
        await server.DisposeAsync();
    }
}

/// <summary>Records runs and starts none.</summary>
public sealed class FakeTraining(RunLedger ledger) : ITrainingHost
{
    /// <summary>What the next start does instead, when set.</summary>
    public Exception? Fault { get; set; }

    public async Task<RunStatus> StartAsync(Datasets.DataKind kind, string model, CancellationToken cancellation)
    {
        if (Fault is not null) throw Fault;
        TrainingRequest request = kind == Datasets.DataKind.Images
            ? TrainImagesRequest.Of(model, [new("images", $"{model}/a.jpg", "1", 10, new string('a', 64))], new(), DateTimeOffset.UnixEpoch)
            : TrainReviewsRequest.Of(model, [new("reviews", $"{model}/a.csv", "1", 10, new string('a', 64))], new(), DateTimeOffset.UnixEpoch);
        return (await ledger.RecordAsync(request, cancellation)).Status;
    }

    public Task<RunStatus> CancelAsync(string run, CancellationToken cancellation) => ledger.CancelAsync(run, cancellation);

    public Task<RunStatus> SuspendAsync(string run, CancellationToken cancellation) => ledger.SuspendAsync(run, cancellation);

    public Task<RunStatus> ResumeAsync(string run, CancellationToken cancellation) => ledger.ResumeAsync(run, cancellation);
}

/// <summary>Keeps every log line, to show what a log must not hold.</summary>
public sealed class LinesLog : ILoggerProvider, ILogger
{
    readonly System.Collections.Concurrent.ConcurrentQueue<string> lines = new();

    public IReadOnlyCollection<string> Lines => lines;

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        lines.Enqueue($"{logLevel} {formatter(state, exception)} {exception}");

    public void Dispose()
    {
    }
}
