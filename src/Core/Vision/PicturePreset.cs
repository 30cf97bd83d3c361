namespace Scion.Vision;

/// <summary>How networks of one family are fed. Which family a network belongs to is said where it is published.</summary>
/// <param name="Name">What <c>--preset</c> takes.</param>
/// <param name="Channels">"rgb" or "bgr".</param>
/// <param name="Mean">Subtracted, in units of 0 to 255, in the order of the channels.</param>
/// <param name="Scale">Multiplied after that.</param>
/// <param name="For">Networks that it is known from.</param>
public sealed record PicturePreset(string Name, string Channels, IReadOnlyList<float> Mean, IReadOnlyList<float> Scale, string For)
{
    /// <summary>All presets.</summary>
    public static IReadOnlyList<PicturePreset> All { get; } =
    [
        new("imagenet", "rgb", [123.675f, 116.28f, 103.53f], [1 / 58.395f, 1 / 57.12f, 1 / 57.375f], "torchvision, timm and most of the ONNX model zoo: (x / 255 − mean) / deviation"),
        new("imagenet-caffe", "bgr", [103.939f, 116.779f, 123.68f], [1, 1, 1], "Caffe and Keras 'caffe' mode: BGR, mean subtracted, not scaled"),
        new("bgr", "bgr", [0, 0, 0], [1, 1, 1], "BGR 0 to 255 as it is, as SqueezeNet 1.0 of Core ML"),
        new("rgb", "rgb", [0, 0, 0], [1, 1, 1], "RGB 0 to 255 as it is; preprocessing is in the network, as in Keras EfficientNet"),
        new("unit", "rgb", [0, 0, 0], [1 / 255f, 1 / 255f, 1 / 255f], "RGB, 0 to 1"),
        new("tf", "rgb", [127.5f, 127.5f, 127.5f], [1 / 127.5f, 1 / 127.5f, 1 / 127.5f], "TensorFlow MobileNet, Inception and ViT of Google: RGB, −1 to 1"),
    ];

    /// <exception cref="Faults.InputRejectedException">There is no such preset (V062).</exception>
    public static PicturePreset Named(string name) => All.FirstOrDefault(preset => preset.Name == name)
        ?? throw Onnx.EncoderFaults.BadPreprocessing($"There is no preset '{Onnx.EncoderFaults.Shown(name)}'; there are {string.Join(", ", All.Select(preset => preset.Name))}.");
}
