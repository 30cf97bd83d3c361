using System.Text.Json;

namespace Scion.Datasets;

/// <summary>Which fields of the objects of a JSON Lines file hold what, and how a line is read.</summary>
/// <param name="Text">Field of the text.</param>
/// <param name="Label">Field of the label, or null.</param>
/// <param name="Split">Field of the split, or null.</param>
sealed record JsonFields(string Text, string? Label, string? Split)
{
    const int Sample = 100;

    /// <summary>16 deep, and no key twice: a line that a reader could understand in two ways is not read.</summary>
    static readonly JsonDocumentOptions Options = new() { MaxDepth = 16, AllowDuplicateProperties = false };

    /// <param name="window">The first bytes of the file.</param>
    /// <param name="ended">True when they are all.</param>
    /// <param name="set">Names, when set.</param>
    /// <returns>Null when the window ends before the first line does.</returns>
    /// <exception cref="Faults.InputRejectedException">No field is known to hold the text (D004).</exception>
    public static JsonFields? Detect(ReadOnlyMemory<byte> window, bool ended, ReviewColumns set)
    {
        LineTokenizer tokens = new();
        List<string> names = [];
        int lines = 0;
        while (lines < Sample)
        {
            CsvRead read = tokens.Next(window.Span, ended);
            if (read is CsvRead.More or CsvRead.End) break;
            lines++;
            if (read == CsvRead.Row) Collect(window[..tokens.Length], names);
            window = window[tokens.Consumed..];
        }
        if (lines == 0 && !ended) return null;
        string? text = set.Text ?? Find(names, ColumnNames.Text, null);
        if (text is null && names.Count > 0) throw DatasetFaults.NoTextColumn(names, null);
        return new JsonFields(text ?? "text", set.Label ?? Find(names, ColumnNames.Label, text), set.Split ?? Find(names, ColumnNames.Split, text));
    }

    static void Collect(ReadOnlyMemory<byte> line, List<string> names)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(line, Options);
            if (document.RootElement.ValueKind != JsonValueKind.Object) return;
            foreach (JsonProperty property in document.RootElement.EnumerateObject())
                if (names.Count < CsvTokenizer.MaxColumns && !names.Contains(property.Name)) names.Add(property.Name);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // The line is refused when its turn comes.
        }
    }

    static string? Find(List<string> names, IReadOnlyList<string> usual, string? taken)
    {
        foreach (string name in usual)
            if (names.Find(found => found != taken && ColumnNames.Same(found, name)) is { } same) return same;
        return null;
    }

    /// <summary>Reads one line.</summary>
    /// <param name="line">UTF-8, one JSON text.</param>
    /// <param name="text">Set when the answer is null.</param>
    /// <param name="label">As written: a string's content, a number or a boolean as it stands; null when absent, null or empty.</param>
    /// <param name="split">Likewise.</param>
    public RowFault? Read(ReadOnlyMemory<byte> line, out string? text, out string? label, out string? split)
    {
        (text, label, split) = (null, null, null);
        try
        {
            using JsonDocument document = JsonDocument.Parse(line, Options);
            JsonElement root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object) return DatasetFaults.NotObject(Kind(root.ValueKind));
            if (!root.TryGetProperty(Text, out JsonElement value)) return DatasetFaults.NoField(Text);
            if (value.ValueKind == JsonValueKind.Null) return DatasetFaults.EmptyText();
            if (value.ValueKind != JsonValueKind.String) return DatasetFaults.FieldKind(Text, Kind(value.ValueKind), "a string");
            return Scalar(Text, value, out text) ?? Optional(root, Label, out label) ?? Optional(root, Split, out split);
        }
        catch (JsonException e)
        {
            return DatasetFaults.NotJson(DatasetFaults.Printable(e.Message.Split(" LineNumber:")[0]));
        }
        catch (InvalidOperationException)
        {
            return DatasetFaults.LoneSurrogate(Text);
        }
    }

    static RowFault? Optional(JsonElement root, string? field, out string? value)
    {
        value = null;
        return field is null || !root.TryGetProperty(field, out JsonElement element) || element.ValueKind == JsonValueKind.Null
            ? null : Scalar(field, element, out value);
    }

    static RowFault? Scalar(string field, JsonElement element, out string? value)
    {
        value = null;
        if (element.ValueKind is JsonValueKind.Object or JsonValueKind.Array)
            return DatasetFaults.FieldKind(field, Kind(element.ValueKind), "a string, a number or a boolean");
        try
        {
            value = element.ValueKind == JsonValueKind.String ? element.GetString() : element.GetRawText();
            return null;
        }
        catch (InvalidOperationException)
        {
            return DatasetFaults.LoneSurrogate(field);
        }
    }

    static string Kind(JsonValueKind kind) => kind switch
    {
        JsonValueKind.Array => "an array",
        JsonValueKind.Object => "an object",
        JsonValueKind.String => "a string",
        JsonValueKind.Number => "a number",
        JsonValueKind.Null => "null",
        _ => "a boolean",
    };
}
