using System.Net;
using System.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Scion.Functions;
using Scion.Functions.Http;
using Scion.Pipelines;
using Scion.Serving;
using Scion.Storage;
using Scion.Vision;
using Scion.Web;

namespace Scion.Tests.Http;

/// <summary>A function that answers HTTP, as its attributes say.</summary>
sealed record HttpFunction(MethodInfo Method, string Name, HttpTriggerAttribute Trigger)
{
    public static IReadOnlyList<HttpFunction> All { get; } = [.. typeof(ApiFunctions).Assembly.GetTypes().SelectMany(type => type.GetMethods())
        .Select(method => (method, function: method.GetCustomAttribute<FunctionAttribute>(),
            trigger: method.GetParameters().Select(parameter => parameter.GetCustomAttribute<HttpTriggerAttribute>()).FirstOrDefault(found => found is not null)))
        .Where(found => found is { function: not null, trigger: not null }).Select(found => new HttpFunction(found.method, found.function!.Name, found.trigger!))];
}

/// <summary>The HTTP functions on a real server, each called by the route and methods of its trigger, as the worker's ASP.NET Core integration calls them
/// for the host. What the host does before (keys, its limits, the order of routes) is not here.</summary>
sealed class RunningFunctions : IAsyncDisposable
{
    readonly WebApplication server;

    RunningFunctions(WebApplication server)
    {
        this.server = server;
        Client = new HttpClient { BaseAddress = new Uri(server.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First()) };
    }

    public HttpClient Client { get; }

    public ScionApi Api => server.Services.GetRequiredService<ScionApi>();

    public RunLedger Ledger => server.Services.GetRequiredService<RunLedger>();

    public static async Task<RunningFunctions> StartAsync(IBlobStore store, ITrainingHost? training = null, params (string Name, string Value)[] settings)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(server => server.Listen(IPAddress.Loopback, 0));
        builder.Configuration.AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Name, (string?)setting.Value)));
        builder.Services.AddHttp(builder.Configuration.GetSection("Scion").Get<ScionSettings>() ?? new(), builder.Configuration);
        builder.Services.AddSingleton(store).AddSingleton(TimeProvider.System).AddSingleton<IPictureReader, InProcessPictures>().AddSingleton(training ?? new NoTraining())
            .AddSingleton<ApiFunctions>().AddSingleton<OpenFunctions>().AddLogging();
        WebApplication server = builder.Build();
        server.UseRouting();
        foreach (HttpFunction function in HttpFunction.All)
            server.MapMethods($"/{function.Trigger.Route}", function.Trigger.Methods!.Select(method => method.ToUpperInvariant()),
                context => (Task)function.Method.Invoke(context.RequestServices.GetRequiredService(function.Method.DeclaringType!), [context.Request])!);
        await server.StartAsync();
        return new RunningFunctions(server);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await server.DisposeAsync();
    }

    sealed class NoTraining : ITrainingHost
    {
        public Task<RunStatus> StartAsync(Datasets.DataKind kind, string model, CancellationToken cancellation) => throw new NotSupportedException();

        public Task<RunStatus> CancelAsync(string run, CancellationToken cancellation) => throw new NotSupportedException();

        public Task<RunStatus> SuspendAsync(string run, CancellationToken cancellation) => throw new NotSupportedException();

        public Task<RunStatus> ResumeAsync(string run, CancellationToken cancellation) => throw new NotSupportedException();
    }
}
