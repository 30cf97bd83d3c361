using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Google.Protobuf;
using Scion.Heads;
using Scion.Onnx;
using Scion.Vision;

namespace Scion.Bench;

/// <summary>Pictures in a folder of label folders, and their features by a network or by pixels.</summary>
/// <remarks>Three tenths are held back by the digest of the file, none of which the network that ships has seen, and are only ever
/// measured on. Features are kept in the folder for temporary files.</remarks>
sealed class LabelledPictures
{
    public required string[] Files { get; init; }

    public required string[] Labels { get; init; }

    /// <summary>Class of each file.</summary>
    public required int[] Classes { get; init; }

    public required bool[] Held { get; init; }

    public required byte[][] Digests { get; init; }

    public static LabelledPictures Read(string folder)
    {
        string[] labels = [.. Directory.GetDirectories(folder).Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal)];
        (string File, int Class)[] rows = [.. labels.SelectMany((label, c) => Directory.GetFiles(Path.Combine(folder, label)).Order(StringComparer.Ordinal).Select(file => (file, c)))];
        byte[][] digests = [.. rows.Select(row => SHA256.HashData(File.ReadAllBytes(row.File)))];
        return new LabelledPictures
        {
            Files = [.. rows.Select(row => row.File)], Labels = labels, Classes = [.. rows.Select(row => row.Class)], Digests = digests,
            Held = [.. digests.Select(digest => digest[0] >= 179)],
        };
    }

    /// <summary>Features of every layer offered, [layer]; the default layer's name stands in the card.</summary>
    public DenseFeatures[] Of(ImageEncoder encoder, IReadOnlyList<EncoderLayer> layers, string key)
    {
        int[] dims = [.. layers.Select(layer => layer.Features)];
        byte[] graph = EncoderGraph.Cut(encoder.Model, [.. layers.Select(layer => layer.Name)]).ToByteArray();
        float[] all = Cached($"{key}\n{Convert.ToHexStringLower(SHA256.HashData(graph))}\n{encoder.Card.Fit}", dims.Sum(), values =>
        {
            using EncoderSession session = new(graph, encoder.Card.Fit, dims, encoder.Card.Batches);
            Parallel.For(0, Files.Length, i =>
            {
                byte[] pixels = new byte[encoder.Card.Fit.Bytes];
                PictureDecoder.Decode(File.ReadAllBytes(Files[i]), encoder.Card.Fit, pixels);
                Memory<float>[] rows = [.. dims.Select((dim, layer) => values.AsMemory((i * dims.Sum()) + dims[..layer].Sum(), dim))];
                session.Run(pixels, 1, rows);
            });
        });
        return [.. dims.Select((dim, layer) => new DenseFeatures(Columns(all, dims.Sum(), dims[..layer].Sum(), dim), dim))];
    }

    public DenseFeatures Pixels() => new(Cached($"pixels {PixelFeatures.Version}", PixelFeatures.Dim, values => Parallel.For(0, Files.Length, i =>
    {
        byte[] pixels = new byte[PixelFeatures.Fit.Bytes];
        PictureDecoder.Decode(File.ReadAllBytes(Files[i]), PixelFeatures.Fit, pixels);
        PixelFeatures.Measure(pixels, values.AsSpan(i * PixelFeatures.Dim, PixelFeatures.Dim));
    })), PixelFeatures.Dim);

    float[] Cached(string key, int dim, Action<float[]> compute)
    {
        byte[] name = SHA256.HashData(Encoding.UTF8.GetBytes($"{key}\n{string.Concat(Digests.Select(Convert.ToHexStringLower))}"));
        string path = Path.Combine(Path.GetTempPath(), $"scion-bench-{Convert.ToHexStringLower(name)[..24]}.f32");
        float[] values = new float[(long)Files.Length * dim];
        if (File.Exists(path) && new FileInfo(path).Length == (long)values.Length * sizeof(float))
        {
            using FileStream cached = File.OpenRead(path);
            cached.ReadExactly(MemoryMarshal.AsBytes(values.AsSpan()));
            return values;
        }
        compute(values);
        using FileStream file = File.Create(path);
        file.Write(MemoryMarshal.AsBytes(values.AsSpan()));
        return values;
    }

    float[] Columns(float[] values, int all, int from, int dim)
    {
        float[] columns = new float[Files.Length * dim];
        for (int i = 0; i < Files.Length; i++) values.AsSpan((i * all) + from, dim).CopyTo(columns.AsSpan(i * dim));
        return columns;
    }
}
