using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Scion.Tests;

/// <summary>What Azure is asked for: safe by default, complete, and as the linter wants it.</summary>
public sealed partial class TemplateTests
{
    static readonly string[] Dropped = ["reviews", "images", "predict"];

    public static TheoryData<string> Roots => [.. Templates.Roots];

    public static TheoryData<string> Apps => [.. Templates.Apps];

    [Theory]
    [MemberData(nameof(Roots))]
    public void Template_Compiled_HasNoWarning(string root) => Assert.Equal("", Templates.Of(root).Said);

    [Theory]
    [MemberData(nameof(Roots))]
    public void Template_WhateverItMakes_HoldsNoKeyAndAsksForNone(string root)
    {
        string text = Templates.Of(root, Templates.Changed).Text;

        Assert.DoesNotMatch(KeyOrSecret(), text);
    }

    [Fact]
    public void Template_OfEveryFile_SuppressesNoDiagnostic()
    {
        Assert.Empty(Templates.Sources().Where(file => file.Text.Contains("#disable", StringComparison.Ordinal)).Select(file => file.Path));
    }

    [Fact]
    public void Accounts_BothOfThem_OpenToIdentitiesOverHttpsAlone()
    {
        JsonObject[] accounts = [.. Templates.Of("main").OfType("Microsoft.Storage/storageAccounts")];

        Assert.Equal(2, accounts.Length);
        foreach (JsonNode account in accounts.Select(account => account["properties"]!))
        {
            Assert.False((bool)account["allowSharedKeyAccess"]!);
            Assert.False((bool)account["allowBlobPublicAccess"]!);
            Assert.False((bool)account["allowCrossTenantReplication"]!);
            Assert.True((bool)account["defaultToOAuthAuthentication"]!);
            Assert.True((bool)account["supportsHttpsTrafficOnly"]!);
            Assert.Equal("TLS1_2", (string)account["minimumTlsVersion"]!);
        }
        Assert.All(Templates.Of("main").OfType("Microsoft.Storage/storageAccounts/blobServices/containers"), container => Assert.Equal("None", (string)container["properties"]!["publicAccess"]!));
    }

    [Fact]
    public void DataAccount_WhatIsDeletedOrReplaced_CanBeBroughtBack()
    {
        JsonObject blobs = Templates.Of("main", Templates.Changed).OfType("Microsoft.Storage/storageAccounts/blobServices").Single(service => ((string)service["name"]!).StartsWith("stdata", StringComparison.Ordinal));
        JsonObject policy = Assert.Single(Templates.Of("main", Templates.Changed).OfType("Microsoft.Storage/storageAccounts/managementPolicies"));

        Assert.True((bool)blobs["properties"]!["isVersioningEnabled"]!);
        Assert.Equal(9, (int)blobs["properties"]!["deleteRetentionPolicy"]!["days"]!);
        Assert.Equal(9, (int)blobs["properties"]!["containerDeleteRetentionPolicy"]!["days"]!);
        JsonObject actions = Assert.Single(policy["properties"]!["policy"]!["rules"]!.AsArray())!["definition"]!["actions"]!.AsObject();
        Assert.Equal(["version"], actions.Select(action => action.Key));                  // what is current is never deleted by age
    }

    [Fact]
    public void Events_OfTheWatchedContainersOnly_GoToTheQueueByIdentity()
    {
        JsonNode arrivals = Assert.Single(Templates.Of("main").OfType("Microsoft.EventGrid/systemTopics/eventSubscriptions"))["properties"]!;
        JsonNode filter = Assert.Single(arrivals["filter"]!["advancedFilters"]!.AsArray())!;

        Assert.Equal(["Microsoft.Storage.BlobCreated"], arrivals["filter"]!["includedEventTypes"]!.AsArray().Select(type => (string)type!));
        Assert.Equal(("StringBeginsWith", "subject"), ((string)filter["operatorType"]!, (string)filter["key"]!));
        Assert.Equal(Dropped.Select(name => $"/blobServices/default/containers/{name}/blobs/"), filter["values"]!.AsArray().Select(value => (string)value!));
        Assert.Null(arrivals["destination"]);
        Assert.Equal("SystemAssigned", (string)arrivals["deliveryWithResourceIdentity"]!["identity"]!["type"]!);
        Assert.Equal("blob-events", (string)arrivals["deliveryWithResourceIdentity"]!["destination"]!["properties"]!["queueName"]!);
        Assert.Equal("undelivered-events", (string)arrivals["deadLetterWithResourceIdentity"]!["deadLetterDestination"]!["properties"]!["blobContainerName"]!);
        Assert.DoesNotContain("undelivered-events", Dropped);
    }

    [Fact]
    public void Registry_AndVault_KnowIdentitiesOnly()
    {
        JsonNode registry = Assert.Single(Templates.Of("main").OfType("Microsoft.ContainerRegistry/registries"))["properties"]!;
        JsonNode vault = Assert.Single(Templates.Of("main").OfType("Microsoft.KeyVault/vaults"))["properties"]!;

        Assert.False((bool)registry["adminUserEnabled"]!);
        Assert.False((bool)registry["anonymousPullEnabled"]!);
        Assert.True((bool)vault["enableRbacAuthorization"]!);
        Assert.Null(vault["accessPolicies"]);
    }

    [Fact]
    public void Environment_ByParameter_HasItsGpuProfile()
    {
        Assert.Equal(["Consumption", "Consumption-GPU-NC8as-T4"], Profiles(Templates.Of("main")));
        Assert.Equal(["Consumption", "Consumption-GPU-NC24-A100"], Profiles(Templates.Of("main", Templates.Sparing)));
        Assert.Equal(["Consumption"], Profiles(Templates.Of("main", Templates.Changed)));

        static IEnumerable<string> Profiles(Snapshot snapshot) => Assert.Single(snapshot.OfType("Microsoft.App/managedEnvironments"))["properties"]!["workloadProfiles"]!.AsArray()
            .Select(profile => (string)profile!["workloadProfileType"]!);
    }

    [Fact]
    public void Environment_ThatLogs_NeedsNoKeyOfTheWorkspace() => Assert.Equal("azure-monitor",
        (string)Assert.Single(Templates.Of("main").OfType("Microsoft.App/managedEnvironments"))["properties"]!["appLogsConfiguration"]!["destination"]!);

    [Fact]
    public void Logs_OfEveryStore_GoToTheWorkspace()
    {
        string[] logged = [.. Templates.Of("main").OfType("Microsoft.Insights/diagnosticSettings").SelectMany(setting => setting["properties"]!["logs"]!.AsArray()
            .Select(log => $"{Target(setting)} {(string)log!["category"]!}")).Order(StringComparer.Ordinal)];

        Assert.Equal(
        [
            "acr ContainerRegistryLoginEvents",
            "acr ContainerRegistryRepositoryEvents",
            "cae ContainerAppConsoleLogs",
            "cae ContainerAppSystemLogs",
            "evgt DeliveryFailures",
            "kv AuditEvent",
            "stdata/blobServices StorageDelete",
            "stdata/blobServices StorageWrite",
            "stdata/queueServices StorageWrite",
            "sthub/queueServices StorageWrite",
        ], logged);

        static string Target(JsonObject setting)
        {
            string[] parts = ((string)setting["id"]!).Split("/providers/")[^2].Split('/');
            return Unique().Replace(parts[2], "") + (parts.Length > 3 ? $"/{parts[3]}" : "");
        }
    }

    [Fact]
    public void Alerts_OfLogs_AskForWhatIsLogged()
    {
        Dictionary<string, string> queries = Templates.Of("main").OfType("Microsoft.Insights/scheduledQueryRules")
            .ToDictionary(alert => (string)alert["name"]!, alert => (string)Assert.Single(alert["properties"]!["criteria"]!["allOf"]!.AsArray())!["query"]!);

        Assert.Equal(["durable-poison", "failed-runs", "poison-messages"], queries.Keys.Order(StringComparer.Ordinal));
        Assert.Equal("AppTraces | where Message matches regex @\"^Run \\S+ failed: \"", queries["failed-runs"]);
        Assert.Contains("\"Run {Run} failed: {Code};", Templates.Read("src/Functions/Training/RunActivities.cs"), StringComparison.Ordinal);
        Assert.Equal("AppTraces | where Message contains \"is now considered poison\"", queries["durable-poison"]);   // durabletask, LogEvents.PoisonMessageDetected
        Assert.Contains("-poison/messages", queries["poison-messages"], StringComparison.Ordinal);
    }

    [Fact]
    public void Budget_ByParameter_IsMadeOrLeftOut()
    {
        JsonNode budget = Assert.Single(Templates.Of("main", Templates.Changed).OfType("Microsoft.Consumption/budgets"))["properties"]!;

        Assert.Equal(200, (int)budget["amount"]!);
        Assert.Equal("[utcNow('yyyy-MM-01')]", (string)budget["timePeriod"]!["startDate"]!);
        Assert.All(budget["notifications"]!.AsObject(), notice => Assert.Equal("a@example.org", (string)Assert.Single(notice.Value!["contactEmails"]!.AsArray())!));
        Assert.Empty(Templates.Of("main", Templates.Sparing).OfType("Microsoft.Consumption/budgets"));
    }

    [Fact]
    public void Names_OfResources_KeepTheirLimits()
    {
        Dictionary<string, (int Least, int Most, string Pattern)> limits = new(StringComparer.Ordinal)
        {
            ["Microsoft.Storage/storageAccounts"] = (3, 24, "^[a-z0-9]+$"),
            ["Microsoft.ContainerRegistry/registries"] = (5, 50, "^[a-zA-Z0-9]+$"),
            ["Microsoft.KeyVault/vaults"] = (3, 24, "^[a-zA-Z][a-zA-Z0-9-]*[a-zA-Z0-9]$"),
            ["Microsoft.App/managedEnvironments"] = (2, 32, "^[a-z][a-z0-9-]*[a-z0-9]$"),
            ["Microsoft.App/containerApps"] = (2, 32, "^[a-z][a-z0-9-]*[a-z0-9]$"),
            ["Microsoft.ManagedIdentity/userAssignedIdentities"] = (3, 128, "^[a-zA-Z0-9][a-zA-Z0-9-_]*$"),
            ["Microsoft.EventGrid/systemTopics"] = (3, 128, "^[a-zA-Z0-9-]+$"),
        };
        JsonObject[] resources = [.. Templates.Roots.SelectMany(root => Templates.Of(root).Resources)];

        foreach ((string type, (int least, int most, string pattern)) in limits)
        {
            string[] names = [.. resources.Where(resource => (string)resource["type"]! == type).Select(resource => (string)resource["name"]!)];
            Assert.NotEmpty(names);
            Assert.All(names, name => Assert.InRange(name.Length, least, most));
            Assert.All(names, name => Assert.Matches(pattern, name));
        }
    }

    [GeneratedRegex(@"listKeys|listAccountSas|listServiceSas|listCredentials|listSecrets|AccountKey|SharedAccess|InstrumentationKey=|secretRef|""secrets""|[Pp]assword|DefaultEndpointsProtocol")]
    private static partial Regex KeyOrSecret();

    [GeneratedRegex("-?[a-z0-9]{13}$")]
    private static partial Regex Unique();
}
