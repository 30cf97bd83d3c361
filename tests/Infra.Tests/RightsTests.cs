using System.Text.Json.Nodes;

namespace Scion.Tests;

/// <summary>Who may do what: every role assignment there is.</summary>
public sealed class RightsTests
{
    static readonly Dictionary<string, string> Roles = new(StringComparer.Ordinal)
    {
        ["7f951dda-4ed3-4680-a7ca-43fe172d538d"] = "AcrPull",
        ["ba92f5b4-2d11-453d-a403-e96b0029c9fe"] = "Storage Blob Data Contributor",
        ["2a2b9908-6ea1-4ae2-8e65-a410df84e7d1"] = "Storage Blob Data Reader",
        ["b7e6dc6d-f1e8-4753-8033-0f276bb0955b"] = "Storage Blob Data Owner",
        ["974c5e8b-45b9-4653-ba55-5f855dd0fb88"] = "Storage Queue Data Contributor",
        ["c6a89b2d-59bc-44d0-9896-0f6e12d7b80a"] = "Storage Queue Data Message Sender",
        ["0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3"] = "Storage Table Data Contributor",
        ["3913510d-42f4-4e42-8a64-420c390055eb"] = "Monitoring Metrics Publisher",
        ["b86a8fe4-44ce-4948-aee5-eccb2c155cd7"] = "Key Vault Secrets Officer",
        ["4633458b-17de-408a-b874-0445c86b69e6"] = "Key Vault Secrets User",
    };

    static readonly string[] OfTheApps =
    [
        "api · AcrPull · acr",
        "api · Key Vault Secrets Officer · kv-",
        "api · Monitoring Metrics Publisher · appi-",
        "api · Storage Blob Data Contributor · stdata/images",
        "api · Storage Blob Data Contributor · stdata/models",
        "api · Storage Blob Data Contributor · stdata/reviews",
        "api · Storage Blob Data Contributor · stdata/runs",
        "api · Storage Blob Data Contributor · sthub/azure-webjobs-hosts",
        "api · Storage Blob Data Reader · stdata/encoders",
        "api · Storage Queue Data Message Sender · sthub/run-commands",
        "cpu · AcrPull · acr",
        "cpu · Monitoring Metrics Publisher · appi-",
        "cpu · Storage Blob Data Contributor · stdata/encoders",
        "cpu · Storage Blob Data Contributor · stdata/models",
        "cpu · Storage Blob Data Contributor · stdata/predictions",
        "cpu · Storage Blob Data Contributor · stdata/runs",
        "cpu · Storage Blob Data Contributor · stdata/work",
        "cpu · Storage Blob Data Owner · sthub",
        "cpu · Storage Blob Data Reader · stdata/images",
        "cpu · Storage Blob Data Reader · stdata/predict",
        "cpu · Storage Blob Data Reader · stdata/reviews",
        "cpu · Storage Queue Data Contributor · stdata/blob-events",
        "cpu · Storage Queue Data Contributor · stdata/blob-events-poison",
        "cpu · Storage Queue Data Contributor · sthub",
        "cpu · Storage Table Data Contributor · sthub",
        "event grid · Storage Blob Data Contributor · stdata/undelivered-events",
        "event grid · Storage Queue Data Message Sender · stdata/blob-events",
        "extract · AcrPull · acr",
        "extract · Monitoring Metrics Publisher · appi-",
        "extract · Storage Blob Data Contributor · stdata/runs",
        "extract · Storage Blob Data Contributor · stdata/work",
        "extract · Storage Blob Data Contributor · sthub/azure-webjobs-hosts",
        "extract · Storage Blob Data Reader · stdata/encoders",
        "extract · Storage Queue Data Contributor · sthub/gpu-extract",
        "extract · Storage Queue Data Message Sender · sthub/gpu-extract-poison",
        "extract · Storage Queue Data Message Sender · sthub/step-results",
        "pretrain · AcrPull · acr",
        "pretrain · Monitoring Metrics Publisher · appi-",
        "pretrain · Storage Blob Data Contributor · stdata/runs",
        "pretrain · Storage Blob Data Contributor · stdata/work",
        "pretrain · Storage Blob Data Contributor · sthub/azure-webjobs-hosts",
        "pretrain · Storage Queue Data Contributor · sthub/gpu-pretrain",
        "pretrain · Storage Queue Data Message Sender · sthub/gpu-pretrain-poison",
        "pretrain · Storage Queue Data Message Sender · sthub/step-results",
    ];

    [Fact]
    public void Rights_OfAnInstallation_AreTheseAndNoOthers() => Assert.Equal(OfTheApps, Rights());

    [Fact]
    public void Rights_OfWhoUploads_ReachNoQueueAndNotTheHub() => Assert.Equal(
    [
        "uploader · Key Vault Secrets User · kv-",
        "uploader · Storage Blob Data Contributor · stdata/images",
        "uploader · Storage Blob Data Contributor · stdata/predict",
        "uploader · Storage Blob Data Contributor · stdata/reviews",
        "uploader · Storage Blob Data Reader · stdata/models",
        "uploader · Storage Blob Data Reader · stdata/predictions",
        "uploader · Storage Blob Data Reader · stdata/runs",
    ], Rights(Templates.Changed).Except(OfTheApps));

    [Fact]
    public void Rights_OfTheApps_ComeFromTheInstallationAlone() =>
        Assert.All(Templates.Apps, app => Assert.Empty(Templates.Of(app).OfType("Microsoft.Authorization/roleAssignments")));

    [Fact]
    public void Assignments_OfOneInstallation_HaveNamesOfTheirOwn()
    {
        string[] names = [.. Templates.Of("main", Templates.Changed).OfType("Microsoft.Authorization/roleAssignments").Select(right => (string)right["name"]!)];

        Assert.Equal(names.Length, names.Distinct(StringComparer.Ordinal).Count());
    }

    static string[] Rights(IReadOnlyList<string>? settings = null) => [.. Templates.Of("main", settings).OfType("Microsoft.Authorization/roleAssignments")
        .Select(right => $"{Principal(right)} · {Roles[((string)right["properties"]!["roleDefinitionId"]!).Split('/')[^1]]} · {Scope(right)}").Order(StringComparer.Ordinal)];

    /// <summary>Apps are named by their place in the list of identities, the order of <see cref="Templates.Apps"/>.</summary>
    static string Principal(JsonObject right)
    {
        string id = (string)right["properties"]!["principalId"]!;
        if (id.Contains("systemTopics", StringComparison.Ordinal)) return "event grid";
        if (!id.StartsWith('[')) return "uploader";
        int at = id.LastIndexOf("principals.value[", StringComparison.Ordinal);
        Assert.True(at >= 0, id);
        return Templates.Apps[id[at + "principals.value[".Length] - '0'];
    }

    /// <summary>Account and container or queue, without the letters that make names unique.</summary>
    static string Scope(JsonObject right)
    {
        string[] parts = ((string)right["id"]!).Split("/providers/")[^2].Split('/');
        string resource = parts[2][..^13];
        return parts.Length > 3 ? $"{resource}/{parts[^1]}" : resource;
    }
}
