using System.Text.Json.Nodes;

namespace Scion.Tests;

/// <summary>The host ignores a name that it does not know; here such a name fails.</summary>
public sealed class HostJsonTests
{
    /// <summary>Names by section. Sources: https://json.schemastore.org/host.json as of 2026-11 (its version 2), and for what that schema lacks:
    /// <c>telemetryMode</c> azure-docs articles/azure-functions/opentelemetry-howto.md; <c>durableTask</c> azure-docs includes/functions-host-json-durabletask.md (2025-09-29) and
    /// articles/azure-functions/durable/durable-functions-storage-providers.md (<c>type</c>).</summary>
    static readonly Dictionary<string, string[]> Known = new(StringComparer.Ordinal)
    {
        [""] = ["version", "aggregator", "concurrency", "extensionBundle", "extensions", "functions", "functionTimeout", "healthMonitor", "languageWorker", "logging", "managedDependency",
            "retry", "sendCanceledInvocationsToWorker", "singleton", "telemetryMode", "watchDirectories"],
        ["concurrency"] = ["dynamicConcurrencyEnabled", "snapshotPersistenceEnabled"],
        ["healthMonitor"] = ["enabled", "healthCheckInterval", "healthCheckWindow", "healthCheckThreshold", "counterThreshold"],
        ["singleton"] = ["lockPeriod", "listenerLockPeriod", "listenerLockRecoveryPollingInterval", "lockAcquisitionTimeout", "lockAcquisitionPollingInterval"],
        ["logging"] = ["applicationInsights", "console", "fileLoggingMode", "logLevel"],
        ["logging.console"] = ["isEnabled"],
        ["extensions"] = ["blobs", "cosmosDB", "durableTask", "eventHubs", "http", "queues", "sendGrid", "serviceBus", "signalR"],
        ["extensions.http"] = ["routePrefix", "maxConcurrentRequests", "maxOutstandingRequests", "dynamicThrottlesEnabled", "hsts", "customHeaders"],
        ["extensions.queues"] = ["maxPollingInterval", "visibilityTimeout", "batchSize", "maxDequeueCount", "newBatchThreshold", "messageEncoding"],
        ["extensions.blobs"] = ["maxDegreeOfParallelism", "poisonBlobThreshold"],
        ["extensions.durableTask"] = ["hubName", "defaultVersion", "versionMatchStrategy", "versionFailureStrategy", "storageProvider", "tracing", "httpSettings", "notifications",
            "maxConcurrentActivityFunctions", "maxConcurrentOrchestratorFunctions", "maxConcurrentEntityFunctions", "extendedSessionsEnabled", "extendedSessionIdleTimeoutInSeconds",
            "useAppLease", "useGracefulShutdown", "maxEntityOperationBatchSize", "maxOrchestrationActions", "storeInputsInOrchestrationHistory", "maxGrpcMessageSizeInBytes",
            "grpcHttpClientTimeout"],
        ["extensions.durableTask.storageProvider"] = ["type", "connectionName", "connectionStringName", "controlQueueBatchSize", "controlQueueBufferThreshold",
            "controlQueueVisibilityTimeout", "FetchLargeMessagesAutomatically", "maxQueuePollingInterval", "partitionCount", "trackingStoreConnectionName",
            "trackingStoreConnectionStringName", "trackingStoreNamePrefix", "useLegacyPartitionManagement", "useTablePartitionManagement", "workItemQueueVisibilityTimeout",
            "QueueClientMessageEncoding"],
        ["extensions.durableTask.tracing"] = ["traceInputsAndOutputs", "traceReplayEvents", "distributedTracingEnabled", "version"],
        ["extensions.durableTask.httpSettings"] = ["defaultAsyncRequestSleepTimeMilliseconds", "useForwardedHost"],
    };

    static readonly JsonObject Host = JsonNode.Parse(SourceTree.Read("host.json"))!.AsObject();

    [Fact]
    public void HostJson_EveryName_IsPublished() => Assert.Empty(Unknown(Host, ""));

    [Theory]
    [InlineData("""{"extensions":{"queues":{"batchsize":1}}}""", "extensions.queues.batchsize")]
    [InlineData("""{"extensions":{"durableTask":{"storageProvider":{"partitions":4}}}}""", "extensions.durableTask.storageProvider.partitions")]
    [InlineData("""{"timeout":"00:30:00"}""", "timeout")]
    public void HostJson_NameThatIsNotPublished_IsFound(string json, string name) => Assert.Equal([name], Unknown(JsonNode.Parse(json)!.AsObject(), ""));

    [Fact]
    public void HostJson_AtTheTop_IsTheOnlyOne() => Assert.Equal(["host.json"], Directory.EnumerateFiles(SourceTree.Root, "host.json", SearchOption.AllDirectories)
        .Select(file => Path.GetRelativePath(SourceTree.Root, file).Replace('\\', '/')).Where(file => !file.Split('/').Any(folder => folder is "bin" or "obj" or "node_modules")));

    [Fact]
    public void HostJson_OfDurable_KeepsReviewsOutOfTraces() => Assert.False((bool?)Host["extensions"]!["durableTask"]!["tracing"]?["traceInputsAndOutputs"] ?? false);

    [Fact]
    public void HostJson_TaskHub_IsTheOneThatRulesWatch()
    {
        string names = SourceTree.Read("infra/modules/names.bicep");
        JsonNode hub = Host["extensions"]!["durableTask"]!;

        Assert.Contains($"var taskHub = '{((string)hub["hubName"]!).ToLowerInvariant()}'", names, StringComparison.Ordinal);
        Assert.Contains($"var taskHubPartitions = {(int?)hub["storageProvider"]?["partitionCount"] ?? 4}", names, StringComparison.Ordinal);
    }

    static IEnumerable<string> Unknown(JsonObject section, string path)
    {
        if (!Known.TryGetValue(path, out string[]? known)) yield break;
        foreach ((string name, JsonNode? value) in section)
        {
            string at = path.Length == 0 ? name : $"{path}.{name}";
            if (!known.Contains(name)) yield return at;
            else if (value is JsonObject inner)
                foreach (string unknown in Unknown(inner, at)) yield return unknown;
        }
    }
}
