using System.Text.Json;
using Scion.Onnx;
using Scion.Vision;

namespace Scion.Local.Running;

/// <summary>A network as exporters leave it in a folder: one .onnx file, and perhaps <c>preprocessor_config.json</c> of Hugging Face beside it.</summary>
static class EncoderFolder
{
    const string ConfigName = "preprocessor_config.json";

    /// <summary>The only .onnx file of a folder, or of its sub-folder <c>onnx</c>.</summary>
    /// <exception cref="Faults.InputRejectedException">There is none, or several (V075).</exception>
    public static string FileIn(string folder)
    {
        string[] found = [.. new[] { folder, Path.Combine(folder, "onnx") }.Where(Directory.Exists).SelectMany(Directory.EnumerateFiles)
            .Where(path => path.EndsWith(".onnx", StringComparison.OrdinalIgnoreCase)).Order(StringComparer.Ordinal)];
        return found is [var only] ? only : throw EncoderFaults.NotOneFile(folder, [.. found.Select(path => Path.GetRelativePath(folder, path))]);
    }

    /// <summary>What a configuration beside a file says of pictures; <paramref name="origin"/> when there is none. What the caller gave outranks it.</summary>
    /// <exception cref="Faults.InputRejectedException">The configuration cannot be read (V076).</exception>
    public static ImageEncoderOrigin WithConfig(string file, ImageEncoderOrigin origin)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(file))!;
        string? path = new[] { folder, Path.GetFileName(folder) == "onnx" ? Path.GetDirectoryName(folder)! : folder }.Select(at => Path.Combine(at, ConfigName)).FirstOrDefault(File.Exists);
        if (path is null) return origin;
        if (new FileInfo(path).Length > 1 << 20) throw EncoderFaults.BadConfig(path, "it is longer than 1 MiB");
        try
        {
            using JsonDocument config = JsonDocument.Parse(File.ReadAllBytes(path), new JsonDocumentOptions { MaxDepth = 16 });
            return Read(path, config.RootElement, origin);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            throw EncoderFaults.BadConfig(path, e.Message.TrimEnd('.'));
        }
    }

    static ImageEncoderOrigin Read(string path, JsonElement config, ImageEncoderOrigin origin)
    {
        if (config.ValueKind != JsonValueKind.Object) throw EncoderFaults.BadConfig(path, "it is not an object");
        double rescale = Flag(config, "do_rescale", true) ? Number(config, "rescale_factor") ?? 1 / 255.0 : 1;
        bool normalise = Flag(config, "do_normalize", true);
        double[] mean = normalise ? Three(path, config, "image_mean") : [0, 0, 0], deviation = normalise ? Three(path, config, "image_std") : [1, 1, 1];
        if (rescale == 0 || deviation.Contains(0)) throw EncoderFaults.BadConfig(path, "it divides by 0");
        string channels = Flag(config, "do_flip_channel_order", false) ? "bgr" : "rgb";
        // (x · rescale − mean) / deviation, as one subtraction and one multiplication
        PicturePreset preset = new(ConfigName, channels, [.. mean.Select(value => (float)(value / rescale))], [.. deviation.Select(value => (float)(rescale / value))], "");
        (int? edge, int? size) = Sizes(config, "size");
        (_, int? crop) = Flag(config, "do_center_crop", false) ? Sizes(config, "crop_size") : (null, null);
        if (Number(config, "crop_pct") is { } share and > 0 && crop is null && edge is { } whole and < 384)              // ConvNeXt: the edge is what is cut out
            (crop, edge) = (whole, (int)(whole / share));
        bool cropped = crop is not null || origin.Resize == PictureResize.CentreCrop;
        return origin with
        {
            Preset = origin.Preset ?? preset,
            Resize = origin.Resize ?? (crop is null ? PictureResize.Squash : PictureResize.CentreCrop),
            Size = origin.Size ?? crop ?? size ?? edge,
            ShorterSide = origin.ShorterSide ?? (cropped && (origin.Size ?? crop) is { } cut && (edge ?? size) is { } shorter && shorter >= cut && origin.Resize is null or PictureResize.CentreCrop
                ? shorter : null),
        };
    }

    static bool Flag(JsonElement config, string name, bool otherwise) => config.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value.GetBoolean() : otherwise;

    static double? Number(JsonElement config, string name) => config.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value.GetDouble() : null;

    static double[] Three(string path, JsonElement config, string name) =>
        config.TryGetProperty(name, out JsonElement values) && values.ValueKind == JsonValueKind.Array && values.GetArrayLength() == 3
        ? [.. values.EnumerateArray().Select(value => value.GetDouble())] : throw EncoderFaults.BadConfig(path, $"{name} is not three numbers");

    /// <summary>Shorter side, and height: <c>224</c>, <c>{"shortest_edge": 256}</c> or <c>{"height": 224, "width": 224}</c>.</summary>
    static (int? Edge, int? Size) Sizes(JsonElement config, string name)
    {
        if (!config.TryGetProperty(name, out JsonElement size) || size.ValueKind == JsonValueKind.Null) return (null, null);
        if (size.ValueKind == JsonValueKind.Number) return (null, size.GetInt32());
        return (Number(size, "shortest_edge") is { } edge ? (int)edge : null, Number(size, "height") is { } height ? (int)height : null);
    }
}
