using Scion.Onnx;
using DataType = Scion.Onnx.TensorProto.Types.DataType;

namespace Scion.Vision;

/// <summary>What a foreign network's input is: size, layout, element type from its graph; values from its metadata or from the importer.</summary>
static class PictureInput
{
    /// <summary>Size that networks leave open when it may be anything; the usual one.</summary>
    const int UsualSize = 224;

    /// <exception cref="Faults.InputRejectedException">It does not take pictures (V060), its values are not known (V061), or an option is wrong (V062).</exception>
    public static (PictureFit Fit, PictureValues Values) Of(string what, ModelProto network, ImageEncoderOrigin origin)
    {
        TypeProto.Types.Tensor input = network.Graph.Input[0].Type.TensorType;
        long[] sizes = [.. input.Shape.Dim.Select(dim => dim.DimValue)];
        if (sizes.Length != 4) throw EncoderFaults.NoPictureInput(what, $"its input has {sizes.Length} dimensions");
        bool planes = sizes[1] == 3;
        if (!planes && sizes[3] != 3) throw EncoderFaults.NoPictureInput(what, $"its input has the shape [{string.Join(", ", sizes.Select(size => size == 0 ? "open" : $"{size}"))}], in which no size is the 3 of the channels");
        (int height, int width) = (SizeOf(what, planes ? sizes[2] : sizes[1], origin.Size), SizeOf(what, planes ? sizes[3] : sizes[2], origin.Size));
        string type = (DataType)input.ElemType switch
        {
            DataType.Float => "float32",
            DataType.Float16 => "float16",
            _ => throw EncoderFaults.NoPictureInput(what, $"its input has the element type {input.ElemType}"),
        };
        PicturePreset? found = origin.Preset ?? Sniffed(network);
        string? channels = origin.Channels ?? found?.Channels;
        IReadOnlyList<float>? mean = origin.Mean ?? found?.Mean, scale = origin.Scale ?? found?.Scale;
        if (channels is null || mean is null || scale is null) throw EncoderFaults.NoPreprocessing(what);
        if (channels is not ("rgb" or "bgr")) throw EncoderFaults.BadPreprocessing($"The channels are '{EncoderFaults.Shown(channels)}'; rgb or bgr is expected.");
        if (mean.Count != 3 || mean.Any(value => !(Math.Abs(value) <= 1e6f))) throw EncoderFaults.BadPreprocessing("The mean is not three finite numbers.");
        if (scale.Count != 3 || scale.Any(value => !(Math.Abs(value) is > 1e-6f and <= 1e6f))) throw EncoderFaults.BadPreprocessing("The scale is not three finite numbers other than 0.");
        return (Fit(height, width, origin), new PictureValues(channels, mean, scale, planes ? "nchw" : "nhwc", type));
    }

    /// <summary>How pictures are brought to a network's size.</summary>
    /// <exception cref="Faults.InputRejectedException">Sizes contradict each other (V062).</exception>
    static PictureFit Fit(int height, int width, ImageEncoderOrigin origin)
    {
        PictureResize resize = origin.Resize ?? (origin.ShorterSide is null ? PictureResize.Pad : PictureResize.CentreCrop);
        if (resize != PictureResize.CentreCrop)
            return origin.ShorterSide is null ? new PictureFit(PictureFit.CurrentVersion, height, width, resize, 0) : throw EncoderFaults.BadPreprocessing("A shorter side is only cut from with the resize rule 'crop'.");
        int shorter = origin.ShorterSide ?? Math.Min(2048, (Math.Max(height, width) * 8 + 6) / 7);
        return shorter >= Math.Max(height, width) && shorter <= 2048 ? new PictureFit(PictureFit.CurrentVersion, height, width, resize, shorter)
            : throw EncoderFaults.BadPreprocessing($"The shorter side is {shorter}; {Math.Max(height, width)} to 2048 pixels are expected.");
    }

    static int SizeOf(string what, long stated, int? given)
    {
        if (stated != 0 && given is { } other && other != stated) throw EncoderFaults.BadPreprocessing($"The size is given as {other}, and {what} takes {stated}.");
        long size = stated != 0 ? stated : given ?? UsualSize;
        return size is >= 16 and <= 1024 ? (int)size : throw EncoderFaults.NoPictureInput(what, $"it takes {size} pixels; 16 to 1024 are read");
    }

    /// <summary>Reads the metadata that converters for Windows ML write: https://github.com/onnx/onnx/blob/main/docs/MetadataProps.md.</summary>
    static PicturePreset? Sniffed(ModelProto network)
    {
        string? Value(string key) => network.MetadataProps.FirstOrDefault(entry => entry.Key == key)?.Value;
        string? channels = Value("Image.BitmapPixelFormat") switch { "Rgb8" => "rgb", "Bgr8" => "bgr", _ => null };
        float[]? meanAndScale = Value("Image.NominalPixelRange") switch
        {
            "NominalRange_0_255" => [0, 1],
            "Normalized_0_1" => [0, 1 / 255f],
            "Normalized_1_1" => [127.5f, 1 / 127.5f],
            _ => null,
        };
        return channels is null || meanAndScale is not [var mean, var scale] ? null : new PicturePreset("metadata", channels, [mean, mean, mean], [scale, scale, scale], "");
    }
}
