using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Scion;

/// <summary>One JSON dialect for settings, step records, packages and HTTP: camelCase, enums by name, nulls left out, unknown fields refused.</summary>
/// <remarks>A part of a record that has no default and may not be null is required: without it, or with null in its place, the JSON is refused.</remarks>
public static class ScionJson
{
    /// <summary>For files people or programs of other versions write: strict about unknown fields and duplicate keys, at most 16 deep.</summary>
    public static JsonSerializerOptions Strict { get; } = Make(writeIndented: false);

    /// <summary>As <see cref="Strict"/>, indented, for files people read.</summary>
    public static JsonSerializerOptions Indented { get; } = Make(writeIndented: true);

    static JsonSerializerOptions Make(bool writeIndented)
    {
        JsonSerializerOptions options = new(JsonSerializerDefaults.Web)
        {
            WriteIndented = writeIndented,
            IndentSize = 2,
            NewLine = "\n",
            MaxDepth = 16,
            AllowDuplicateProperties = false,
            UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
            DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
            NumberHandling = JsonNumberHandling.Strict,
            RespectNullableAnnotations = true,
            TypeInfoResolver = new DefaultJsonTypeInfoResolver { Modifiers = { RequireParts } },
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
            Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false) },
        };
        options.MakeReadOnly();
        return options;
    }

    static void RequireParts(JsonTypeInfo type)
    {
        foreach (JsonPropertyInfo part in type.Properties)
            if (part.AssociatedParameter is { HasDefaultValue: false, IsNullable: false })
                part.IsRequired = true;
    }
}
