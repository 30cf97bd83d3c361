using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Scion.Tests;

// What the apps are given is compared with the functions that they serve: left out where the Functions host cannot be built.
public sealed partial class AppTests
{
    [Fact]
    public void CpuApp_WithNoReplicaKept_WakesForEveryQueueItServesAndEveryHour()
    {
        Snapshot snapshot = Templates.Of("cpu", Templates.Sparing);
        string[] queues = [.. Rules(snapshot).Where(rule => rule.Kind == "azure-queue").Select(rule => rule.Queue)];
        JsonNode hub = HostJson()["extensions"]!["durableTask"]!;
        string name = ((string)hub["hubName"]!).ToLowerInvariant();
        int partitions = (int?)hub["storageProvider"]?["partitionCount"] ?? 4;

        Assert.Equal(0, (int)snapshot.Scale["minReplicas"]!);
        Assert.Empty(Code.All.Where(function => function.Role == "cpu" && !function.Polls).Select(function => function.Queue?.Queue).OfType<string>().Except(queues));
        Assert.Equal(Enumerable.Range(0, partitions).Select(partition => $"{name}-control-{partition.ToString("00", CultureInfo.InvariantCulture)}").Append($"{name}-workitems"),
            queues.Where(queue => queue.StartsWith(name, StringComparison.Ordinal)).Order(StringComparer.Ordinal));
        Assert.Single(Rules(snapshot), rule => rule.Kind == "cron");
    }

    [Fact]
    public void Roles_OfTheCode_EachHaveOneApp()
    {
        string[] served = [.. Templates.Apps.SelectMany(app => Templates.Of(app).Settings["Scion__Roles"].Split(','))];

        Assert.Equal(["cpu", "extract", "http", "pretrain"], served.Order(StringComparer.Ordinal));
        Assert.Empty(Code.All.Select(function => function.Role).Distinct().Except(served));
    }

    [Fact]
    public void Queues_OfTheCode_LieInTheAccountOfTheirConnection()
    {
        ILookup<string, string> deployed = Templates.Of("main").OfType("Microsoft.Storage/storageAccounts/queueServices/queues")
            .Select(queue => ((string)queue["name"]!).Split('/')).ToLookup(parts => parts[0][..^13], parts => parts[^1]);
        (string Queue, string Account)[] used = [.. Code.All.Where(function => !function.Polls).Select(function => function.Queue)
            .OfType<(string Queue, string Connection)>().Select(queue => (queue.Queue, queue.Connection == "ScionStorage" ? "stdata" : "sthub"))];

        Assert.NotEmpty(used);
        Assert.All(used, queue => Assert.Contains(queue.Queue, deployed[queue.Account]));
        Assert.All(used, queue => Assert.Contains($"{queue.Queue.Replace("-poison", "", StringComparison.Ordinal)}-poison", deployed[queue.Account]));
        Assert.Equal(used.Select(queue => queue.Queue.Replace("-poison", "", StringComparison.Ordinal)).Distinct().Order(StringComparer.Ordinal),
            deployed.SelectMany(account => account).Select(queue => queue.Replace("-poison", "", StringComparison.Ordinal)).Distinct().Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Apps))]
    public void Settings_OfAnApp_AreKnownToTheCodeOrTheHost(string app)
    {
        Assert.All(Templates.Of(app).Settings.Keys, name => Assert.True(Code.Settings.Contains(name) || OfTheHost().IsMatch(name)
            || (Disabled().Match(name) is { Success: true } disabled && Code.All.Any(function => function.Name == disabled.Groups[1].Value)), name));
    }

    [Fact]
    public void PollingTriggers_WhereEventGridTells_AreSwitchedOff()
    {
        string[] polling = [.. Code.All.Where(function => function.Polls).Select(function => function.Name)];
        string[] off = [.. Templates.Of("cpu").Settings.Where(setting => setting.Value == "true").Select(setting => Disabled().Match(setting.Key)).Where(match => match.Success)
            .Select(match => match.Groups[1].Value)];

        Assert.NotEmpty(polling);
        Assert.Equal(polling.Order(StringComparer.Ordinal), off.Order(StringComparer.Ordinal));
    }

    static JsonNode HostJson() => JsonNode.Parse(Templates.Read("host.json"))!;

    [GeneratedRegex(@"^(FUNCTIONS_WORKER_RUNTIME|FUNCTIONS_REQUEST_BODY_SIZE_LIMIT|AZURE_CLIENT_ID|APPLICATIONINSIGHTS_(CONNECTION|AUTHENTICATION)_STRING|AzureWebJobsDisableHomepage|AzureFunctionsWebHost__hostid|AzureWebJobsStorage__(accountName|credential|clientId)|ScionStorage__(blobServiceUri|queueServiceUri|credential|clientId)|ScionQueues__(queueServiceUri|credential|clientId)|AzureWebJobsSecretStorage(Type|KeyVaultUri|KeyVaultClientId)|AzureFunctionsJobHost__(functionTimeout|extensions__queues__(batchSize|newBatchThreshold|visibilityTimeout|maxPollingInterval)|extensions__durableTask__(maxConcurrentActivityFunctions|storageProvider__maxQueuePollingInterval)))$")]
    private static partial Regex OfTheHost();

    [GeneratedRegex(@"^AzureWebJobs\.(\w+)\.Disabled$")]
    private static partial Regex Disabled();
}
