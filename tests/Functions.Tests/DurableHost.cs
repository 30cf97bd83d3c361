using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Reflection;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Core.FunctionMetadata;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.DurableTask.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Scion.Functions;
using Scion.Pipelines;
using Scion.Storage;
using Scion.Vision;

namespace Scion.Tests;

/// <summary>All orchestrators and activities of the app, found as the host finds them, on the in-process Durable test host: every orchestration is replayed from its
/// start after each completion, by way of gRPC and JSON.</summary>
sealed class DurableHost : IAsyncDisposable
{
    readonly DurableTaskTestHost host;
    readonly ConcurrentQueue<(string Activity, string Instance)> calls;

    DurableHost(DurableTaskTestHost host, ConcurrentQueue<(string Activity, string Instance)> calls) => (this.host, this.calls) = (host, calls);

    public DurableTaskClient Client => host.Client;

    public IServiceProvider Services => host.Services;

    public RunLedger Ledger => Services.GetRequiredService<RunLedger>();

    /// <summary>Times an activity was called, tries included.</summary>
    public int Calls(string activity) => calls.Count(call => call.Activity == activity);

    /// <summary>Calls of activities by the orchestration that asked.</summary>
    public IReadOnlyDictionary<string, int> CallsByInstance => calls.GroupBy(call => call.Instance).ToDictionary(group => group.Key, group => group.Count());

    /// <param name="store">In the place of the data account.</param>
    /// <param name="settings">As application settings, <c>Scion:Gpu:Extract</c> and so on.</param>
    /// <param name="queues">Connection string of queues; null where none is used.</param>
    /// <param name="before">Called before an activity, with its name; may throw as the activity would.</param>
    /// <param name="activities">In the place of activities of the same names.</param>
    /// <param name="orchestrators">Besides those of the app.</param>
    public static async Task<DurableHost> StartAsync(
        IBlobStore store, IReadOnlyDictionary<string, string?>? settings = null, string? queues = null, Func<string, Task>? before = null,
        IReadOnlyDictionary<string, Func<object?, Task<object?>>>? activities = null, Action<DurableTaskRegistry>? orchestrators = null)
    {
        IConfiguration configuration = new ConfigurationBuilder().AddInMemoryCollection(settings ?? new Dictionary<string, string?>())
            .AddInMemoryCollection([new("ScionQueues", queues ?? "UseDevelopmentStorage=true"), new("ScionStorage", "UseDevelopmentStorage=true")]).Build();
        ConcurrentQueue<(string Activity, string Instance)> calls = new();
        IServiceProvider? services = null;
        DurableTaskTestHost host = await DurableTaskTestHost.StartAsync(registry =>
        {
            foreach (MethodInfo method in Functions())
            {
                string name = method.GetCustomAttribute<FunctionAttribute>()!.Name;
                ParameterInfo? input = method.GetParameters().FirstOrDefault(p => p.GetCustomAttribute<ActivityTriggerAttribute>() is not null);
                if (method.GetParameters().Any(p => p.GetCustomAttribute<OrchestrationTriggerAttribute>() is not null))
                    registry.AddOrchestrator(name, () => new OrchestratorFunction(method));
                else if (input is not null)
                    registry.AddActivity(name, new ActivityFunction(method, input.ParameterType, async (instance, value) =>
                    {
                        calls.Enqueue((name, instance));
                        if (before is not null) await before(name);
                        return activities?.TryGetValue(name, out Func<object?, Task<object?>>? other) == true ? await other(value) : await InvokeAsync(services!, method, value);
                    }));
            }
            orchestrators?.Invoke(registry);
        }, new DurableTaskTestHostOptions
        {
            Port = FreePort(),
            LoggerFactory = NullLoggerFactory.Instance,
            ConfigureServices = collection =>
            {
                collection.AddLogging(logging => logging.ClearProviders());
                collection.AddSingleton<IFunctionMetadataProvider>(new GeneratedFunctionMetadataProvider());
                collection.AddScionFunctions(configuration);
                collection.AddSingleton(store);
                collection.AddSingleton<IPictureReader, InProcessPictures>();
            },
        });
        services = host.Services;
        return new DurableHost(host, calls);
    }

    /// <summary>All methods that are functions.</summary>
    public static IEnumerable<MethodInfo> Functions() => typeof(FunctionRoles).Assembly.GetTypes()
        .SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static)).Where(method => method.GetCustomAttribute<FunctionAttribute>() is not null);

    /// <summary>An instance of a class of functions, as the worker makes it.</summary>
    public T Make<T>() => ActivatorUtilities.GetServiceOrCreateInstance<T>(Services);

    /// <summary>Waits until an instance has ended.</summary>
    public async Task<OrchestrationMetadata> EndAsync(string instance, double seconds = 90)
    {
        using CancellationTokenSource patience = new(TimeSpan.FromSeconds(seconds));
        return await Client.WaitForInstanceCompletionAsync(instance, getInputsAndOutputs: true, patience.Token);
    }

    /// <summary>Waits until something is so.</summary>
    public static async Task UntilAsync(Func<Task<bool>> condition, double seconds = 60)
    {
        using CancellationTokenSource patience = new(TimeSpan.FromSeconds(seconds));
        while (!await condition()) await Task.Delay(20, patience.Token);
    }

    public ValueTask DisposeAsync() => host.DisposeAsync();

    /// <summary>The host's own choice is drawn at random and may be taken.</summary>
    static int FreePort()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    static async Task<object?> InvokeAsync(IServiceProvider services, MethodInfo method, object? input)
    {
        object? instance = method.IsStatic ? null : ActivatorUtilities.GetServiceOrCreateInstance(services, method.DeclaringType!);
        object?[] arguments = [.. method.GetParameters().Select(p =>
            p.GetCustomAttribute<ActivityTriggerAttribute>() is not null ? input
            : p.ParameterType == typeof(CancellationToken) ? CancellationToken.None
            : services.GetRequiredService(p.ParameterType))];
        return await ResultAsync(method.Invoke(instance, BindingFlags.DoNotWrapExceptions, binder: null, arguments, culture: null));
    }

    static async Task<object?> ResultAsync(object? answer)
    {
        if (answer is not Task task) return answer;
        await task;
        Type type = task.GetType();
        return type.GetProperty("Result") is { } result && result.PropertyType.Name != "VoidTaskResult" ? result.GetValue(task) : null;
    }

    sealed class OrchestratorFunction(MethodInfo method) : ITaskOrchestrator
    {
        readonly ParameterInfo? input = method.GetParameters().FirstOrDefault(p => p.ParameterType != typeof(TaskOrchestrationContext));

        public Type InputType => input?.ParameterType ?? typeof(object);

        public Type OutputType => typeof(object);

        public Task<object?> RunAsync(TaskOrchestrationContext context, object? value) => ResultAsync(method.Invoke(null, BindingFlags.DoNotWrapExceptions, binder: null,
            [.. method.GetParameters().Select(p => p.ParameterType == typeof(TaskOrchestrationContext) ? context : value)], culture: null));
    }

    sealed class ActivityFunction(MethodInfo method, Type input, Func<string, object?, Task<object?>> run) : ITaskActivity
    {
        public Type InputType => input;

        public Type OutputType => method.ReturnType;

        public Task<object?> RunAsync(TaskActivityContext context, object? value) => run(context.InstanceId, value);
    }
}
