using System.ComponentModel.DataAnnotations;
using System.Data.Common;
using Azure.Core;
using Azure.Identity;
using Azure.Monitor.OpenTelemetry.Exporter;
using Azure.Storage.Queues;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Azure.Functions.Worker.Core.FunctionMetadata;
using Microsoft.Azure.Functions.Worker.OpenTelemetry;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;
using Scion.Functions;
using Scion.Functions.Arrivals;
using Scion.Functions.Gpu;
using Scion.Functions.Http;
using Scion.Functions.Predictions;
using Scion.Functions.Training;
using Scion.Pipelines;
using Scion.Registry;
using Scion.Serving;
using Scion.Storage;
using Scion.Text;
using Scion.Vision;

FunctionsApplicationBuilder builder = FunctionsApplication.CreateBuilder(args);
builder.ConfigureFunctionsWebApplication();
builder.Services.AddScionFunctions(builder.Configuration);
builder.Build().Run();

namespace Scion.Functions
{
    /// <summary>What the functions of every role are made of. Nothing of it connects, loads a model or a native library before a function needs it.</summary>
    static class FunctionsServices
    {
        /// <summary>Section or connection string of the account that users upload to.</summary>
        public const string StorageConnection = "ScionStorage";

        const string TelemetryAuthentication = "APPLICATIONINSIGHTS_AUTHENTICATION_STRING";

        /// <exception cref="ValidationException">The settings are wrong; every error is listed.</exception>
        public static IServiceCollection AddScionFunctions(this IServiceCollection services, IConfiguration configuration)
        {
            ScionSettings settings = configuration.GetSection("Scion").Get<ScionSettings>() ?? new ScionSettings();
            string[] errors = [.. settings.Validate(new ValidationContext(settings)).Select(error => error.ErrorMessage!)];
            if (errors.Length > 0) throw new ValidationException(string.Join(" ", errors));

            IFunctionMetadataProvider Filtered(IServiceProvider host, IFunctionMetadataProvider all) => new FunctionRoles(all, settings.Roles);
            services.Decorate<IFunctionMetadataProvider>(Filtered);
            services
                .AddSingleton(Options.Create(settings))
                .AddSingleton(TimeProvider.System)
                .AddSingleton<IBlobStore>(_ => OpenStore(configuration))
                .AddSingleton(_ => OpenQueues(configuration))
                .AddSingleton<ScionQueues>()
                .AddSingleton<StepMemo>()
                .AddSingleton<ModelRegistry>()
                .AddSingleton<RunLedger>()
                .AddSingleton<ArrivalLedger>()
                .AddSingleton<ArrivalEvents>()
                .AddSingleton<ScoreStarter>()
                .AddSingleton(host => new DropScoring(host.GetRequiredService<IBlobStore>(), host.GetRequiredService<PredictorCache>(), host.GetRequiredService<IPictureReader>(), Scratch))
                .AddSingleton<StepRunner>()
                .AddSingleton<RunStarter>()
                .AddSingleton<Snapshots>()
                .AddSingleton<ReviewActivities>()
                .AddSingleton<ImageActivities>()
                .AddSingleton<GpuWorker>()
                .AddSingleton<IPictureReader>(host => new DecoderProcesses(DecoderOptions.Beside(AppContext.BaseDirectory, Environment.ProcessorCount), host.GetRequiredService<TimeProvider>()))
                .AddSingleton(host => new PictureWorkers(host.GetRequiredService<IPictureReader>(), Environment.ProcessorCount))
                .AddSingleton<EncoderSessions>()
                .AddSingleton<SentenceNetworkSessions>()
                .AddSingleton(Trainers())
                .AddSingleton<IEmbeddingTrainer>(host => host.GetRequiredService<EmbeddingTrainers>());
            if (FunctionRoles.Named(settings.Roles).Contains(FunctionRoles.Http)) services.AddHttp(settings, configuration);
            PredictorCacheOptions few = new() { MaxModels = 4, MaxBytes = 512 << 20 };            // beside training; an app that serves HTTP has its own
            services.TryAddSingleton(host => new PredictorCache(host.GetRequiredService<ModelRegistry>(), host.GetRequiredService<IPictureReader>(), few,
                host.GetRequiredService<TimeProvider>(), host.GetRequiredService<ILogger<PredictorCache>>()));
            AddTelemetry(services, configuration);
            return services.AddQuietLog();
        }

        /// <summary>Keeps requests out of the log: those to storage name uploads, and those of callers may hold a key (<c>?code=</c>). The storage client also warns of
        /// each blob that is not there yet, which is how half of all work here begins.</summary>
        public static IServiceCollection AddQuietLog(this IServiceCollection services) => services.AddLogging(log => log
            .AddFilter("Azure", LogLevel.Warning).AddFilter("Azure.Core", LogLevel.Error).AddFilter("Microsoft.AspNetCore", LogLevel.Warning));

        static AzureBlobStore OpenStore(IConfiguration configuration) => AzureBlobStore.Open(
            configuration[$"{StorageConnection}:blobServiceUri"] ?? configuration[StorageConnection]
            ?? throw new InvalidOperationException($"The setting {StorageConnection}__blobServiceUri, or a connection string {StorageConnection}, is missing."));

        static FileStream Scratch() => new(Path.GetTempFileName(), FileMode.Open, FileAccess.ReadWrite, FileShare.None, 1 << 16, FileOptions.DeleteOnClose);

        /// <remarks>Under the names that the host's own triggers read; its identity is found as the store's is.</remarks>
        static QueueServiceClient OpenQueues(IConfiguration configuration) => configuration[$"{GpuQueues.Connection}:queueServiceUri"] is { } address
            ? new QueueServiceClient(new Uri(address), new DefaultAzureCredential(), ScionQueues.Options)
            : new QueueServiceClient(configuration[GpuQueues.Connection]
                ?? throw new InvalidOperationException($"The setting {GpuQueues.Connection}__queueServiceUri, or a connection string {GpuQueues.Connection}, is missing."), ScionQueues.Options);

        static EmbeddingTrainers Trainers()
        {
#if TORCH
            return new(new Torch.TorchSkipGramTrainer());
#else
            return new(torch: null);
#endif
        }

        /// <summary>Telemetry goes where the settings say. An app that exports its own is not asked for its log by the host, so without an exporter the log
        /// stays the host's: else nobody would see it.</summary>
        static void AddTelemetry(IServiceCollection services, IConfiguration configuration)
        {
            bool azureMonitor = configuration["APPLICATIONINSIGHTS_CONNECTION_STRING"] is { Length: > 0 }, otlp = configuration["OTEL_EXPORTER_OTLP_ENDPOINT"] is { Length: > 0 };
            if (!azureMonitor && !otlp) return;
            IOpenTelemetryBuilder telemetry = services.AddOpenTelemetry().UseFunctionsWorkerDefaults()
                .WithTracing(traces => traces.AddSource("Scion.*"))
                .WithMetrics(metrics => metrics.AddMeter("Scion.*"));
            if (azureMonitor) telemetry.UseAzureMonitorExporter(exporter => exporter.Credential = TelemetryIdentity(configuration[TelemetryAuthentication]));
            if (otlp) telemetry.UseOtlpExporter();
        }

        /// <summary>Who sends telemetry, by the setting that the host reads too (azure-functions-host#10615): the identity of <c>Authorization=AAD;ClientId=…</c>, or the app's own
        /// without <c>ClientId</c>. Null without the setting: the connection string is enough then.</summary>
        /// <exception cref="InvalidOperationException">It asks for something else.</exception>
        internal static TokenCredential? TelemetryIdentity(string? authentication)
        {
            if (string.IsNullOrEmpty(authentication)) return null;
            DbConnectionStringBuilder parts = new() { ConnectionString = authentication };
            if (!parts.TryGetValue("Authorization", out object? scheme) || !"AAD".Equals(scheme as string, StringComparison.OrdinalIgnoreCase))
                throw new InvalidOperationException($"The setting {TelemetryAuthentication} is not Authorization=AAD or Authorization=AAD;ClientId=….");
            return new ManagedIdentityCredential(parts.TryGetValue("ClientId", out object? id) ? ManagedIdentityId.FromUserAssignedClientId((string)id) : ManagedIdentityId.SystemAssigned);
        }

        /// <summary>Wraps the last registration of a service.</summary>
        static void Decorate<T>(this IServiceCollection services, Func<IServiceProvider, T, T> wrap) where T : class
        {
            ServiceDescriptor inner = services.Last(service => service.ServiceType == typeof(T));
            services.AddSingleton(host => wrap(host, (T)(inner.ImplementationInstance
                ?? inner.ImplementationFactory?.Invoke(host) ?? ActivatorUtilities.CreateInstance(host, inner.ImplementationType!))));
        }
    }
}
