using System.Reflection;
using System.Text.Json;
using Microsoft.Azure.Functions.Worker.Core.FunctionMetadata;
using Scion.Functions;
using Scion.Functions.Gpu;

namespace Scion.Tests;

/// <summary>What the host is told of the app's functions, role by role.</summary>
public sealed class RolesTests
{
    static readonly GeneratedFunctionMetadataProvider Every = new GeneratedFunctionMetadataProvider();

    [Fact]
    public async Task Roles_EachAlone_ServeEveryFunctionOnce()
    {
        string[] all = [.. (await Every.GetFunctionMetadataAsync("")).Select(function => function.Name!).Order(StringComparer.Ordinal)];

        List<string> served = [];
        foreach (string role in FunctionRoles.All) served.AddRange((await new FunctionRoles(Every, role).GetFunctionMetadataAsync("")).Select(function => function.Name!));

        Assert.Equal(all, served.Order(StringComparer.Ordinal));
        Assert.Equal(DurableHost.Functions().Count(), all.Length);
    }

    [Fact]
    public async Task Queues_OfTriggers_EachHaveOneFunction()
    {
        (string Role, string Queue)[] triggers = [.. (await Every.GetFunctionMetadataAsync("")).SelectMany(function => function.RawBindings!
            .Select(binding => JsonDocument.Parse(binding).RootElement).Where(binding => binding.GetProperty("type").GetString() == "queueTrigger")
            .Select(binding => (FunctionRoles.RoleOf(function.EntryPoint!), binding.GetProperty("queueName").GetString()!)))];

        Assert.Equal(triggers.Length, triggers.Select(trigger => trigger.Queue).Distinct().Count());
        foreach (string queue in typeof(GpuQueues).GetFields(BindingFlags.Public | BindingFlags.Static).Where(field => field.Name is not (nameof(GpuQueues.Connection) or nameof(GpuQueues.Poison)))
            .Select(field => (string)field.GetRawConstantValue()!))
            Assert.Contains(triggers, trigger => trigger.Queue == queue);
        Assert.Equal([("extract", GpuQueues.Extract), ("pretrain", GpuQueues.Pretrain)], triggers.Where(trigger => trigger.Role is "extract" or "pretrain").Order());
    }

    [Fact]
    public void RolesSetting_Empty_IsAllRoles() => Assert.Equal(FunctionRoles.All, FunctionRoles.Named(" "));

    [Theory, InlineData("cpu", 1), InlineData(" cpu , extract ", 2)]
    public void RolesSetting_WithNames_IsThose(string setting, int roles) => Assert.Equal(roles, FunctionRoles.Named(setting).Count);

    [Fact]
    public void RolesSetting_WithAnUnknownName_IsRefusedWithTheKnown()
    {
        ScionSettings settings = new() { Roles = "cpu,gpu" };

        Assert.Equal(["Scion:Roles names 'gpu'; http, cpu, pretrain, extract are known."], settings.Validate(new(settings)).Select(error => error.ErrorMessage!));
    }

    [Fact]
    public void RoleOf_AFunctionWhoseClassNamesNone_Throws() =>
        Assert.Throws<InvalidOperationException>(() => FunctionRoles.RoleOf($"{typeof(ScionQueues).FullName}.Send"));
}
