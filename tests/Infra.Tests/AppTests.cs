using System.Text.Json.Nodes;

namespace Scion.Tests;

/// <summary>The four container apps: what each is given. That the code asks for the same: AppTests.Code.cs.</summary>
public sealed partial class AppTests
{
    public static TheoryData<string> Apps => [.. Templates.Apps];

    [Theory]
    [MemberData(nameof(Apps))]
    public void App_Deployed_IsReachedOnlyAsIntended(string app)
    {
        JsonNode ingress = Templates.Of(app).App["properties"]!["configuration"]!["ingress"]!;

        Assert.Equal(app == "api", (bool)ingress["external"]!);
        Assert.False((bool)ingress["allowInsecure"]!);
        Assert.Equal(80, (int)ingress["targetPort"]!);
    }

    [Theory]
    [MemberData(nameof(Apps))]
    public void App_Deployed_PullsAndConnectsByItsOwnIdentity(string app)
    {
        Snapshot snapshot = Templates.Of(app);
        string identity = Assert.Single(snapshot.App["identity"]!["userAssignedIdentities"]!.AsObject()).Key;

        Assert.Equal("UserAssigned", (string)snapshot.App["identity"]!["type"]!);
        Assert.Contains($"/id-{app}-", identity, StringComparison.Ordinal);
        Assert.Equal(identity, (string)Assert.Single(snapshot.App["properties"]!["configuration"]!["registries"]!.AsArray())!["identity"]!);
        Assert.Null(snapshot.App["properties"]!["configuration"]!["secrets"]);
        foreach (string connection in new[] { "AzureWebJobsStorage", "ScionStorage", "ScionQueues" })
        {
            Assert.DoesNotContain(connection, snapshot.Settings.Keys);
            Assert.Equal("managedidentity", snapshot.Settings[$"{connection}__credential"]);
            Assert.Contains(identity, snapshot.Settings[$"{connection}__clientId"], StringComparison.Ordinal);
        }
        Assert.Contains("/stdata", snapshot.Settings["ScionStorage__blobServiceUri"], StringComparison.Ordinal);
        Assert.Contains("/stdata", snapshot.Settings["ScionStorage__queueServiceUri"], StringComparison.Ordinal);
        Assert.Contains("/sthub", snapshot.Settings["ScionQueues__queueServiceUri"], StringComparison.Ordinal);
        Assert.StartsWith("sthub", snapshot.Settings["AzureWebJobsStorage__accountName"], StringComparison.Ordinal);
        Assert.All(Rules(snapshot).Where(rule => rule.Kind == "azure-queue"), rule => Assert.Equal(identity, rule.Identity));
    }

    [Theory]
    [MemberData(nameof(Apps))]
    public void App_ThatSendsTelemetry_SendsItAsItsOwnIdentity(string app)
    {
        Snapshot snapshot = Templates.Of(app);
        string identity = Assert.Single(snapshot.App["identity"]!["userAssignedIdentities"]!.AsObject()).Key, authentication = snapshot.Settings["APPLICATIONINSIGHTS_AUTHENTICATION_STRING"];

        Assert.Contains("Authorization=AAD;ClientId=", authentication, StringComparison.Ordinal);
        Assert.Contains(identity, authentication, StringComparison.Ordinal);
        Assert.True((bool)Assert.Single(Templates.Of("main").OfType("Microsoft.Insights/components"))["properties"]!["DisableLocalAuth"]!);
    }

    [Theory]
    [MemberData(nameof(Apps))]
    public void App_Deployed_IsFoundByAzd(string app)
    {
        JsonNode tags = Templates.Of(app, Templates.Changed).App["tags"]!;

        Assert.Equal((app, "dev"), ((string)tags["azd-service-name"]!, (string)tags["azd-env-name"]!));
    }

    [Fact]
    public void Image_OfEveryApp_IsTheOneAzdPublished() => Assert.All(Templates.Apps, app =>
        Assert.Equal("registry/image:1", (string)Templates.Of(app, Templates.Changed).Container["image"]!));

    [Theory]
    [InlineData("pretrain")]
    [InlineData("extract")]
    public void GpuApp_ByProfile_HasAllOfIt(string app)
    {
        Assert.Equal(("gpu", 8, "56Gi"), Size(Templates.Of(app)));
        Assert.Equal(("gpu", 24, "220Gi"), Size(Templates.Of(app, Templates.Sparing)));
        Assert.Equal(("Consumption", 4, "8Gi"), Size(Templates.Of(app, Templates.Changed)));

        static (string Profile, int Cpu, string Memory) Size(Snapshot snapshot) =>
            ((string)snapshot.App["properties"]!["workloadProfileName"]!, (int)snapshot.Container["resources"]!["cpu"]!.GetValue<double>(), (string)snapshot.Container["resources"]!["memory"]!);
    }

    [Theory]
    [InlineData("pretrain", "gpu-pretrain")]
    [InlineData("extract", "gpu-extract")]
    public void GpuApp_WithItsQueueEmpty_HasNoReplica(string app, string queue)
    {
        Snapshot snapshot = Templates.Of(app);

        Assert.Equal((0, 1), ((int)snapshot.Scale["minReplicas"]!, (int)snapshot.Scale["maxReplicas"]!));
        Assert.Equal([new Rule("azure-queue", "sthub", queue, "1", "all", "")], Rules(snapshot).Select(rule => rule with { Identity = "" }));
        Assert.Equal("1", snapshot.Settings["AzureFunctionsJobHost__extensions__queues__batchSize"]);
        Assert.Equal("0", snapshot.Settings["AzureFunctionsJobHost__extensions__queues__newBatchThreshold"]);
        Assert.Equal(4, (int)Templates.Of(app, Templates.Changed).Scale["maxReplicas"]!);
    }

    [Fact]
    public void GpuApp_ThatRunsForHours_IsTold() => Assert.All(["pretrain", "extract"], app =>
    {
        JsonNode alert = Assert.Single(Templates.Of(app).OfType("Microsoft.Insights/metricAlerts"))["properties"]!;

        Assert.Contains($"/ca-{app}-", (string)Assert.Single(alert["scopes"]!.AsArray())!, StringComparison.Ordinal);
        Assert.Equal("Replicas", (string)Assert.Single(alert["criteria"]!["allOf"]!.AsArray())!["metricName"]!);
    });

    [Fact]
    public void CpuApp_ByDefault_HasOneReplicaAlways()
    {
        Snapshot snapshot = Templates.Of("cpu");

        Assert.Equal((1, 1), ((int)snapshot.Scale["minReplicas"]!, (int)snapshot.Scale["maxReplicas"]!));
        Assert.DoesNotContain(Rules(snapshot), rule => rule.Kind == "cron");
    }

    [Fact]
    public void ApiApp_ByDefault_HasAReplicaForEveryTwentyRequests()
    {
        Snapshot snapshot = Templates.Of("api");

        Assert.Equal((0, 5), ((int)snapshot.Scale["minReplicas"]!, (int)snapshot.Scale["maxReplicas"]!));
        Assert.Equal("20", (string)Assert.Single(snapshot.Scale["rules"]!.AsArray())!["http"]!["metadata"]!["concurrentRequests"]!);
    }

    [Theory]
    [MemberData(nameof(Apps))]
    public void App_AsFunctionApp_LeavesRulesToThePlatform(string app)
    {
        Snapshot ours = Templates.Of(app), platform = Templates.Of(app, Templates.Changed);

        Assert.Null(ours.App["kind"]);
        Assert.NotEmpty(ours.Scale["rules"]!.AsArray());
        Assert.Equal("functionapp", (string)platform.App["kind"]!);
        Assert.Empty(platform.Scale["rules"]!.AsArray());
    }

    [Theory]
    [MemberData(nameof(Apps))]
    public void App_ThatIsStopped_HasTimeToEnd(string app)
    {
        JsonNode template = Templates.Of(app).App["properties"]!["template"]!;

        Assert.Equal(app == "api" ? 60 : 600, (int)template["terminationGracePeriodSeconds"]!);
        Assert.Equal(["Startup", "Liveness", "Readiness"], Templates.Of(app).Container["probes"]!.AsArray().Select(probe => (string)probe!["type"]!));
    }

    [Fact]
    public void GpuSettings_OfTheCpuApp_FollowTheProfile()
    {
        Assert.Equal(("true", "true"), (Templates.Of("cpu").Settings["Scion__Gpu__Pretrain"], Templates.Of("cpu").Settings["Scion__Gpu__Extract"]));
        Assert.Equal(("false", "false"), (Templates.Of("cpu", Templates.Changed).Settings["Scion__Gpu__Pretrain"], Templates.Of("cpu", Templates.Changed).Settings["Scion__Gpu__Extract"]));
    }

    [Fact]
    public void PretrainOnTheGpu_OfTheApiApp_IsThatOfTheCpuAppSinceARunIsKnownByItsTrainer()
    {
        foreach (IReadOnlyList<string>? settings in new[] { null, Templates.Changed })
            Assert.Equal(Templates.Of("cpu", settings).Settings["Scion__Gpu__Pretrain"], Templates.Of("api", settings).Settings["Scion__Gpu__Pretrain"]);
    }

    [Fact]
    public void Containers_OfTheCode_AreDeployed()
    {
        string[] deployed = [.. Templates.Of("main").OfType("Microsoft.Storage/storageAccounts/blobServices/containers").Select(container => ((string)container["name"]!).Split('/'))
            .Where(parts => parts[0].StartsWith("stdata", StringComparison.Ordinal)).Select(parts => parts[^1])];

        Assert.Equal(new[]
        {
            "reviews", "images", Serving.DropScoring.Inbox, Serving.DropScoring.Outbox, Registry.ModelRegistry.Container, Storage.EncoderCards.Container, Pipelines.RunLedger.Container,
            Pipelines.StepMemo.Container, "undelivered-events",
        }.Order(StringComparer.Ordinal), deployed.Order(StringComparer.Ordinal));
    }

    static IEnumerable<Rule> Rules(Snapshot snapshot) => snapshot.Scale["rules"]!.AsArray().Select(rule => rule!["custom"]).OfType<JsonNode>().Select(rule => new Rule(
        (string)rule["type"]!, ((string?)rule["metadata"]!["accountName"])?[..^13] ?? "", (string?)rule["metadata"]!["queueName"] ?? "", (string?)rule["metadata"]!["queueLength"] ?? "",
        (string?)rule["metadata"]!["queueLengthStrategy"] ?? "", (string?)rule["identity"] ?? ""));

    sealed record Rule(string Kind, string Account, string Queue, string Length, string Strategy, string Identity);
}
