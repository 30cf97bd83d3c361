using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Scion;

/// <summary>One JSON dialect for settings, step records, packages and HTTP: camelCase, enums by name, nulls left out, unknown fields refused.</summary>
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
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
            Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false) },
        };
        options.MakeReadOnly(populateMissingResolver: true);
        return options;
    }
}
