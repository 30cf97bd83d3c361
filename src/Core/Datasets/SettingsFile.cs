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

/// <summary>Settings of one kind of data set.</summary>
public interface IDatasetSettings
{
    /// <summary>The kind.</summary>
    static abstract DataKind Kind { get; }

    /// <summary>What is wrong with values of the right type, each a sentence.</summary>
    IEnumerable<string> Errors();
}

/// <summary>Reads <c>dataset.json</c> and <c>--set</c> into a record of settings. Keys, types and defaults come from the records.</summary>
public static class SettingsFile
{
    /// <summary>Most bytes of a settings file.</summary>
    public const int MaxBytes = 1 << 20;

    static class Known<TSettings>
    {
        public static readonly SortedDictionary<string, PropertyInfo> Keys = Collect(typeof(TSettings), "");
    }

    /// <summary>Every setting, by key.</summary>
    public static IReadOnlyList<SettingDescription> Describe<TSettings>() where TSettings : IDatasetSettings, new()
    {
        TSettings defaults = new();
        return [.. Known<TSettings>.Keys.Select(key => new SettingDescription(key.Key, TypeName(key.Value.PropertyType),
            Value(defaults, key.Key) is { } value ? Convert.ToString(value, CultureInfo.InvariantCulture)!
                : key.Value.GetCustomAttribute<DefaultValueAttribute>()?.Value as string ?? "found",
            key.Value.GetCustomAttribute<DescriptionAttribute>()?.Description ?? ""))];
    }

    /// <param name="datasetJson">The file's bytes; null without one.</param>
    /// <param name="overrides">Keys such as <c>embedding.dim</c> and values as typed; the last of equal keys counts. An empty value restores the default.</param>
    /// <exception cref="InputRejectedException">The file is not JSON (D401), or keys or values are not allowed (D402, all of them named).</exception>
    public static TSettings Read<TSettings>(byte[]? datasetJson, IReadOnlyList<KeyValuePair<string, string>> overrides)
        where TSettings : IDatasetSettings, new()
    {
        List<string> errors = [];
        JsonObject settings = [];
        SortedDictionary<string, PropertyInfo> keys = Known<TSettings>.Keys;
        if (datasetJson is not null) Take(keys, Parse(TSettings.Kind, datasetJson), "", settings, errors);
        foreach ((string key, string value) in overrides) Override(keys, settings, key, value, errors);
        TSettings result = new();
        if (errors.Count == 0)
        {
            result = settings.Deserialize<TSettings>(ScionJson.Strict)!;
            errors.AddRange(result.Errors());
        }
        return errors.Count == 0 ? result : throw DatasetFaults.SettingsRefused(TSettings.Kind, errors);
    }

    static JsonObject Parse(DataKind kind, byte[] json)
    {
        ReadOnlySpan<byte> bytes = json.AsSpan().StartsWith("\uFEFF"u8) ? json.AsSpan(3) : json;
        if (bytes.Length > MaxBytes) throw DatasetFaults.NotSettings(kind, DatasetFaults.Invariant($"it has {bytes.Length} bytes; at most {MaxBytes} are read."));
        try
        {
            return JsonNode.Parse(bytes, null, new JsonDocumentOptions { MaxDepth = 16, AllowDuplicateProperties = false }) as JsonObject
                ?? throw DatasetFaults.NotSettings(kind, "it is not an object.");
        }
        catch (JsonException e)
        {
            throw DatasetFaults.NotSettings(kind, DatasetFaults.Printable(e.Message));
        }
    }

    /// <summary>Copies known keys whose values have their type; says what is wrong with the others.</summary>
    static void Take(SortedDictionary<string, PropertyInfo> keys, JsonObject from, string prefix, JsonObject settings, List<string> errors)
    {
        foreach ((string name, JsonNode? node) in from)
        {
            string key = Named(keys, prefix + name, node is JsonValue);
            if (keys.TryGetValue(key, out PropertyInfo? property))
            {
                if (node is null) continue;
                if (Typed(property.PropertyType, node) is { } value) Set(settings, key, value);
                else errors.Add($"{key} is {Shown(node)}; a {TypeName(property.PropertyType)} is expected.");
            }
            else if (keys.Keys.Any(known => known.StartsWith(key + ".", StringComparison.Ordinal)))
            {
                if (node is JsonObject inner) Take(keys, inner, key + ".", settings, errors);
                else errors.Add($"{key} is {(node is null ? "null" : Shown(node))}; an object with {Within(keys, key)} is expected.");
            }
            else errors.Add(Unknown(keys, key));
        }
    }

    static void Override(SortedDictionary<string, PropertyInfo> keys, JsonObject settings, string key, string value, List<string> errors)
    {
        key = Named(keys, key, isValue: true);
        if (!keys.TryGetValue(key, out PropertyInfo? property))
        {
            errors.Add(Unknown(keys, key));
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

    /// <summary>A value given to an object is its name: <c>encoder</c> means <c>encoder.name</c> where there is one.</summary>
    static string Named(SortedDictionary<string, PropertyInfo> keys, string key, bool isValue) => isValue && keys.ContainsKey(key + ".name") ? key + ".name" : key;

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

    /// <summary>Says that a value is none of those allowed.</summary>
    internal static string OneOf(string key, string value, IReadOnlyList<string> allowed) =>
        $"{key} is '{DatasetFaults.Printable(value)}'; one of {string.Join(", ", allowed.Select(a => $"'{a}'"))} is expected.";

    static string Unknown(SortedDictionary<string, PropertyInfo> keys, string key)
    {
        string start = key.Length > 64 ? key[..64] : key;
        string? nearest = keys.Keys.FirstOrDefault(known => known.EndsWith("." + start, StringComparison.OrdinalIgnoreCase));
        for (int limit = 0; nearest is null; limit++) nearest = keys.Keys.FirstOrDefault(known => EditDistance.AtMost(known, start, limit));
        return $"There is no setting '{DatasetFaults.Printable(key)}'; the nearest is '{nearest}'.";
    }

    static string Within(SortedDictionary<string, PropertyInfo> keys, string key) =>
        string.Join(", ", keys.Keys.Where(known => known.StartsWith(key + ".", StringComparison.Ordinal)).Select(known => known[(key.Length + 1)..]));

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
