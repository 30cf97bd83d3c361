using System.Reflection;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Extensions.Abstractions;

namespace Scion.Tests;

/// <summary>What the function apps need, read from their code.</summary>
static class Code
{
    static readonly Assembly Functions = Assembly.Load("Scion.Functions");

    /// <summary>Every function: its role and trigger.</summary>
    public static IReadOnlyList<CodeFunction> All { get; } = [.. Functions.GetTypes().SelectMany(type => type.GetMethods().Select(method => (type, method)))
        .Where(found => found.method.GetCustomAttribute<FunctionAttribute>() is not null)
        .Select(found => new CodeFunction(found.method.GetCustomAttribute<FunctionAttribute>()!.Name, RoleOf(found.type), Trigger(found.method)))];

    /// <summary>Settings of section <c>Scion</c> as an app is given them: <c>Scion__Quiet</c>.</summary>
    public static IReadOnlyList<string> Settings { get; } = [.. SettingsOf(Functions.GetType("Scion.Functions.ScionSettings", throwOnError: true)!, "Scion")];

    static string RoleOf(Type type) => (string)type.GetCustomAttributesData().Single(attribute => attribute.AttributeType.Name == "ServedByAttribute").ConstructorArguments[0].Value!;

    static Attribute? Trigger(MethodInfo method) => method.GetParameters().SelectMany(parameter => parameter.GetCustomAttributes()).FirstOrDefault(attribute => attribute is TriggerBindingAttribute);

    static IEnumerable<string> SettingsOf(Type section, string path) => section.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => property.CanWrite)
        .SelectMany(property => property.PropertyType.Assembly == Functions ? SettingsOf(property.PropertyType, $"{path}__{property.Name}") : [$"{path}__{property.Name}"]);
}

/// <param name="Name">As the host knows it.</param>
/// <param name="Role">Role whose apps serve it.</param>
/// <param name="Trigger">What starts it.</param>
sealed record CodeFunction(string Name, string Role, Attribute? Trigger)
{
    /// <summary>Whether it serves machines without Event Grid: it looks at a container itself, or at what such triggers gave up.</summary>
    public bool Polls => Trigger is BlobTriggerAttribute { Source: BlobTriggerSource.LogsAndContainerScan } or QueueTriggerAttribute { QueueName: "webjobs-blobtrigger-poison" };

    public (string Queue, string Connection)? Queue => Trigger is QueueTriggerAttribute queue ? (queue.QueueName, queue.Connection ?? "AzureWebJobsStorage") : null;
}
