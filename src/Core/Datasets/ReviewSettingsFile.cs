using System.ComponentModel;
using System.Globalization;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using Scion.Faults;
using Scion.Text;

namespace Scion.Datasets;

/// <summary>One setting, for help texts.</summary>
/// <param name="Key">As in <c>--set key=value</c>; in dataset.json each '.' is an object.</param>
/// <param name="Type">"text", "whole number" or "number".</param>
/// <param name="Default">Its default, or what happens without it.</param>
/// <param name="Meaning">What it does and its range.</param>
public sealed record SettingDescription(string Key, string Type, string Default, string Meaning);

/// <summary>Reads <c>dataset.json</c> and <c>--set</c> into <see cref="ReviewSettings"/>. Keys, types and defaults come from the records.</summary>
public static class ReviewSettingsFile
{
    /// <summary>Most bytes of a settings file.</summary>
    public const int MaxBytes = 1 << 20;

    static readonly SortedDictionary<string, PropertyInfo> Keys = Collect(typeof(ReviewSettings), "");

    /// <summary>Every setting, by key.</summary>
    public static IReadOnlyList<SettingDescription> Describe()
    {
        ReviewSettings defaults = new();
        return [.. Keys.Select(key => new SettingDescription(key.Key, TypeName(key.Value.PropertyType),
            Value(defaults, key.Key) is { } value ? Convert.ToString(value, CultureInfo.InvariantCulture)!
                : key.Value.GetCustomAttribute<DefaultValueAttribute>()?.Value as string ?? "found",
            key.Value.GetCustomAttribute<DescriptionAttribute>()?.Description ?? ""))];
    }

    /// <param name="datasetJson">The file's bytes; null without one.</param>
    /// <param name="overrides">Keys such as <c>embedding.dim</c> and values as typed; the last of equal keys counts. An empty value restores the default.</param>
    /// <exception cref="InputRejectedException">The file is not JSON (D401), or keys or values are not allowed (D402, all of them named).</exception>
    public static ReviewSettings Read(byte[]? datasetJson, IReadOnlyList<KeyValuePair<string, string>> overrides)
    {
        List<string> errors = [];
        JsonObject settings = [];
        if (datasetJson is not null) Take(Parse(datasetJson), "", settings, errors);
        foreach ((string key, string value) in overrides) Override(settings, key, value, errors);
        ReviewSettings result = new();
        if (errors.Count == 0)
        {
            result = settings.Deserialize<ReviewSettings>(ScionJson.Strict)!;
            errors.AddRange(Errors(result));
        }
        return errors.Count == 0 ? result : throw DatasetFaults.SettingsRefused(errors);
    }

    static JsonObject Parse(byte[] json)
    {
        ReadOnlySpan<byte> bytes = json.AsSpan().StartsWith("\uFEFF"u8) ? json.AsSpan(3) : json;
        if (bytes.Length > MaxBytes) throw DatasetFaults.NotSettings(DatasetFaults.Invariant($"it has {bytes.Length} bytes; at most {MaxBytes} are read."));
        try
        {
            return JsonNode.Parse(bytes, null, new JsonDocumentOptions { MaxDepth = 16, AllowDuplicateProperties = false }) as JsonObject
                ?? throw DatasetFaults.NotSettings("it is not an object.");
        }
        catch (JsonException e)
        {
            throw DatasetFaults.NotSettings(DatasetFaults.Printable(e.Message));
        }
    }

    /// <summary>Copies known keys whose values have their type; says what is wrong with the others.</summary>
    static void Take(JsonObject from, string prefix, JsonObject settings, List<string> errors)
    {
        foreach ((string name, JsonNode? node) in from)
        {
            string key = prefix + name;
            if (Keys.TryGetValue(key, out PropertyInfo? property))
            {
                if (node is null) continue;
                if (Typed(property.PropertyType, node) is { } value) Set(settings, key, value);
                else errors.Add($"{key} is {Shown(node)}; a {TypeName(property.PropertyType)} is expected.");
            }
            else if (Keys.Keys.Any(known => known.StartsWith(key + ".", StringComparison.Ordinal)))
            {
                if (node is JsonObject inner) Take(inner, key + ".", settings, errors);
                else errors.Add($"{key} is {(node is null ? "null" : Shown(node))}; an object with {Within(key)} is expected.");
            }
            else errors.Add(Unknown(key));
        }
    }

    static void Override(JsonObject settings, string key, string value, List<string> errors)
    {
        if (!Keys.TryGetValue(key, out PropertyInfo? property))
        {
            errors.Add(Unknown(key));
            return;
        }
        Type type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
        JsonNode? node = type == typeof(int) ? int.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int whole) ? whole : null
            : type == typeof(double) ? double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && double.IsFinite(number) ? number : null
            : JsonValue.Create(value);
        if (value.Length == 0) Set(settings, key, null);
        else if (node is null) errors.Add($"{key} is '{DatasetFaults.Printable(value)}'; a {TypeName(type)} is expected.");
        else Set(settings, key, node);
    }

    static void Set(JsonObject settings, string key, JsonNode? value)
    {
        string[] path = key.Split('.');
        foreach (string name in path[..^1])
        {
            if (settings[name] is not JsonObject inner) settings[name] = inner = [];
            settings = inner;
        }
        if (value is null) settings.Remove(path[^1]);
        else settings[path[^1]] = value;
    }

    /// <summary>The value as a node of its own, or null when it has another type.</summary>
    static JsonNode? Typed(Type type, JsonNode node)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (node is not JsonValue value) return null;
        if (type == typeof(string)) return value.TryGetValue(out string? text) ? text : null;
        if (value.GetValueKind() != JsonValueKind.Number) return null;
        if (type == typeof(int)) return value.TryGetValue(out int whole) ? whole : null;
        return value.TryGetValue(out double number) && double.IsFinite(number) ? number : null;
    }

    /// <summary>Values that have the right type and the wrong content.</summary>
    static IEnumerable<string> Errors(ReviewSettings s)
    {
        if (s.Delimiter is not null && (s.Delimiter.Length != 1 || s.Delimiter[0] > 126 || s.Delimiter[0] is '"' or '\r' or '\n' or '\0'))
            yield return $"delimiter is '{DatasetFaults.Printable(s.Delimiter)}'; one ASCII character other than a quote or line end is expected (a tab is \"\\t\").";
        if (s.Encoding is not null && !TextSource.Encodings.Contains(s.Encoding)) yield return OneOf("encoding", s.Encoding, TextSource.Encodings);
        if (s.Preset is not ("default" or "article")) yield return OneOf("preset", s.Preset, ["default", "article"]);
        if (s.Head is not ("auto" or "logistic" or "nearest-mean")) yield return OneOf("head", s.Head, ["auto", "logistic", "nearest-mean"]);
        if (s.Encoder != ReviewSettings.OwnEncoder && !(s.Encoder.StartsWith("encoders/", StringComparison.Ordinal) && s.Encoder.Length == 73
            && s.Encoder[9..].All(char.IsAsciiHexDigitLower)))
            yield return $"encoder is '{DatasetFaults.Printable(s.Encoder)}'; 'own', or 'encoders/' and 64 hex digits as 'scion encoders import' prints them, is expected.";
        if (!(s.Split.TestShare is >= 0.05 and <= 0.5)) yield return DatasetFaults.Invariant($"split.testShare is {s.Split.TestShare}; it must be 0.05 to 0.5.");
        if (s.Split.CrossValidateBelow is < 0 or > 1_000_000) yield return DatasetFaults.Invariant($"split.crossValidateBelow is {s.Split.CrossValidateBelow}; it must be 0 to 1000000.");
        foreach ((string key, string? name) in new[] { ("text", s.Columns.Text), ("label", s.Columns.Label), ("split", s.Columns.Split) })
            if (name is not null && string.IsNullOrWhiteSpace(name)) yield return $"columns.{key} is empty; a column's name is expected.";
        string? embedding = null;
        try
        {
            if (s.Preset is "default" or "article") EmbeddingPresets.Resolve(s, tokens: 1, cores: 1);
        }
        catch (InputRejectedException e)
        {
            embedding = e.Fact;
        }
        if (embedding is not null) yield return embedding;
    }

    static string OneOf(string key, string value, IReadOnlyList<string> allowed) =>
        $"{key} is '{DatasetFaults.Printable(value)}'; one of {string.Join(", ", allowed.Select(a => $"'{a}'"))} is expected.";

    static string Unknown(string key)
    {
        string start = key.Length > 64 ? key[..64] : key;
        string? nearest = Keys.Keys.FirstOrDefault(known => known.EndsWith("." + start, StringComparison.OrdinalIgnoreCase));
        for (int limit = 0; nearest is null; limit++) nearest = Keys.Keys.FirstOrDefault(known => EditDistance.AtMost(known, start, limit));
        return $"There is no setting '{DatasetFaults.Printable(key)}'; the nearest is '{nearest}'.";
    }

    static string Within(string key) => string.Join(", ", Keys.Keys.Where(known => known.StartsWith(key + ".", StringComparison.Ordinal)).Select(known => known[(key.Length + 1)..]));

    static string Shown(JsonNode node) => node.GetValueKind() switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "a list",
        _ => DatasetFaults.Printable(node.ToJsonString()),
    };

    static string TypeName(Type type) => (Nullable.GetUnderlyingType(type) ?? type) switch
    {
        var t when t == typeof(int) => "whole number",
        var t when t == typeof(double) => "number",
        _ => "text",
    };

    static object? Value(object settings, string key)
    {
        object? value = settings;
        foreach (string name in key.Split('.')) value = value?.GetType().GetProperty(name, BindingFlags.Public | BindingFlags.Instance | BindingFlags.IgnoreCase)?.GetValue(value);
        return value;
    }

    static SortedDictionary<string, PropertyInfo> Collect(Type type, string prefix)
    {
        SortedDictionary<string, PropertyInfo> keys = new(StringComparer.Ordinal);
        foreach (PropertyInfo property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            string key = prefix + JsonNamingPolicy.CamelCase.ConvertName(property.Name);
            Type inner = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
            if (inner == typeof(string) || inner == typeof(int) || inner == typeof(double)) keys.Add(key, property);
            else if (inner.Namespace?.StartsWith(nameof(Scion), StringComparison.Ordinal) == true)
                foreach ((string name, PropertyInfo leaf) in Collect(inner, key + ".")) keys.Add(name, leaf);
            else throw new NotSupportedException($"Setting '{key}' is of type {inner}; text, whole numbers and numbers are read.");
        }
        return keys;
    }
}
