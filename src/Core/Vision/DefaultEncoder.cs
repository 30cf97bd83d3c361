using System.Text.Json;

namespace Scion.Vision;

/// <summary>The image encoder that ships with Scion, so that a fresh clone works without a network. What it learned from, and by which command, says its card;
/// what it is worth, docs/experiments.md.</summary>
public static class DefaultEncoder
{
    /// <summary>What settings call it.</summary>
    public const string Name = "default";

    static readonly Lazy<ImageEncoderCard> Known = new(() => JsonSerializer.Deserialize<ImageEncoderCard>(Resource("encoder.json"), ScionJson.Strict)!);

    static readonly Lazy<byte[]> Bytes = new(() => Resource("encoder.onnx"));

    /// <summary>Its card.</summary>
    public static ImageEncoderCard Card => Known.Value;

    /// <summary>Bytes of its <c>encoder.onnx</c>.</summary>
    public static ReadOnlyMemory<byte> File => Bytes.Value;

    /// <summary>Reads it: digest checked, graph scanned, as every stored encoder is.</summary>
    public static ImageEncoder Open() => ImageEncoders.Open(Card, File);

    static byte[] Resource(string name)
    {
        using Stream stream = typeof(DefaultEncoder).Assembly.GetManifestResourceStream($"Scion.Vision.Default.{name}")
            ?? throw new InvalidOperationException($"The default encoder's {name} is not in the build.");
        byte[] bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }
}
