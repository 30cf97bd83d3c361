using System.Collections.Immutable;
using System.Reflection;
using Microsoft.Azure.Functions.Worker.Core.FunctionMetadata;

namespace Scion.Functions;

/// <summary>Says which role serves the functions of a class; each class that holds functions has one.</summary>
/// <param name="role">One of <see cref="FunctionRoles.All"/>.</param>
[AttributeUsage(AttributeTargets.Class)]
sealed class ServedByAttribute(string role) : Attribute
{
    public string Role { get; } = role;
}

/// <summary>Tells the host of this app's functions: those whose role the app has. One code base and one hub; every function is served by one role.</summary>
/// <param name="all">All functions of the build.</param>
/// <param name="roles">As in <see cref="ScionSettings.Roles"/>; empty for all.</param>
sealed class FunctionRoles(IFunctionMetadataProvider all, string roles) : IFunctionMetadataProvider
{
    /// <summary>HTTP API and page. Works on storage alone.</summary>
    public const string Http = "http";

    /// <summary>Triggers, orchestrations, and the activities of every step.</summary>
    public const string Cpu = "cpu";

    /// <summary>Queue <see cref="Gpu.GpuQueues.Pretrain"/>.</summary>
    public const string Pretrain = "pretrain";

    /// <summary>Queue <see cref="Gpu.GpuQueues.Extract"/>.</summary>
    public const string Extract = "extract";

    public static readonly string[] All = [Http, Cpu, Pretrain, Extract];

    /// <summary>Roles named in a setting; all when it is empty.</summary>
    public static IReadOnlyList<string> Named(string setting) =>
        setting.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) is { Length: > 0 } named ? named : All;

    /// <summary>The role of the function with this entry point, <c>Namespace.Class.Method</c>.</summary>
    /// <exception cref="InvalidOperationException">Its class names none.</exception>
    public static string RoleOf(string entryPoint) =>
        typeof(FunctionRoles).Assembly.GetType(entryPoint[..entryPoint.LastIndexOf('.')])?.GetCustomAttribute<ServedByAttribute>()?.Role
        ?? throw new InvalidOperationException($"The class of {entryPoint} does not say which role serves it.");

    public async Task<ImmutableArray<IFunctionMetadata>> GetFunctionMetadataAsync(string directory)
    {
        IReadOnlyList<string> served = Named(roles);
        return [.. (await all.GetFunctionMetadataAsync(directory)).Where(function => served.Contains(RoleOf(function.EntryPoint!)))];
    }
}
