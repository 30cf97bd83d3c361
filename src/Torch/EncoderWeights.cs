using System.Security.Cryptography;
using System.Text.Json;
using Scion.Text;
using TorchSharp;
using static TorchSharp.torch;

namespace Scion.Torch;

/// <summary>All numbers of a training, float32 on one device: weights, momenta, averages, and how far it is.</summary>
sealed class EncoderWeights : IDisposable
{
    readonly string[] names;

    EncoderWeights(Dictionary<string, Tensor> current, Dictionary<string, Tensor> momenta, Dictionary<string, Tensor> average)
    {
        (Current, Momenta, Average) = (current, momenta, average);
        names = [.. current.Keys.Order(StringComparer.Ordinal)];
    }

    /// <summary>Weights of the last step, by name.</summary>
    public Dictionary<string, Tensor> Current { get; }

    /// <summary>Momenta of those that are learned by gradient.</summary>
    public Dictionary<string, Tensor> Momenta { get; }

    /// <summary>Moving average of <see cref="Current"/>: what is exported.</summary>
    public Dictionary<string, Tensor> Average { get; }

    /// <summary>Steps done.</summary>
    public long Step { get; set; }

    /// <summary>Time trained.</summary>
    public TimeSpan Trained { get; set; }

    /// <summary>Learned by gradient: all but the means and variances of normalisation.</summary>
    public static bool Learned(string name) => !name.EndsWith(".mean", StringComparison.Ordinal) && !name.EndsWith(".variance", StringComparison.Ordinal);

    /// <summary>Weights by He et al. 2015 (arXiv:1502.01852), from the seed; the last scale of each block begins at 0 (Goyal et al. 2017, arXiv:1706.02677, §5.1).</summary>
    public static EncoderWeights Start(ImageEncoderOptions options, int photoClasses, Device device)
    {
        Dictionary<string, Tensor> current = [];
        int stream = 0;
        void Normal(string name, long[] shape, double deviation)
        {
            Xoshiro random = new(options.Seed, ++stream);
            float[] values = new float[shape.Aggregate(1L, (a, b) => a * b)];
            for (int i = 0; i < values.Length; i++) values[i] = (float)(deviation * 1.137 * random.TruncatedNormal());
            current[name] = tensor(values, shape, device: device);
        }
        foreach (EncoderConvolution c in options.Architecture.Convolutions())
        {
            Normal($"{c.Name}.weight", [c.Out, c.In, c.Kernel, c.Kernel], Math.Sqrt(2.0 / (c.In * c.Kernel * c.Kernel)));
            current[$"{c.Name}.scale"] = c.Name.EndsWith("conv2", StringComparison.Ordinal) ? zeros(c.Out, device: device) : ones(c.Out, device: device);
            current[$"{c.Name}.shift"] = zeros(c.Out, device: device);
            current[$"{c.Name}.mean"] = zeros(c.Out, device: device);
            current[$"{c.Name}.variance"] = ones(c.Out, device: device);
        }
        int features = options.Architecture.Widths[^1];
        foreach ((string head, int classes) in new[] { ("photos", photoClasses), ("shapes", options.Shapes), ("palettes", options.Palettes) })
        {
            if (classes == 0) continue;
            Normal($"{head}.weight", [classes, features], Math.Sqrt(1.0 / features));
            current[$"{head}.bias"] = zeros(classes, device: device);
        }
        EncoderWeights made = new(current, current.Where(w => Learned(w.Key)).ToDictionary(w => w.Key, w => zeros_like(w.Value)),
            current.ToDictionary(w => w.Key, w => w.Value.clone()));
        foreach (Tensor tensor in made.All()) tensor.DetachFromDisposeScope();
        return made;
    }

    IEnumerable<Tensor> All() => Current.Values.Concat(Momenta.Values).Concat(Average.Values);

    /// <summary>Writes everything: a line of JSON, then the numbers, then their digest.</summary>
    /// <param name="stream">Written from its place on.</param>
    /// <param name="identity">What the training is of; it goes on only under the same.</param>
    public void Save(Stream stream, string identity)
    {
        using BinaryWriter writer = new(stream, System.Text.Encoding.UTF8, leaveOpen: true);
        writer.Write(JsonSerializer.Serialize(new Header(identity, Step, Trained.TotalSeconds)));
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (Tensor tensor in InOrder())
        {
            using Tensor host = tensor.cpu();
            writer.Write(host.bytes);
            hash.AppendData(host.bytes);
        }
        writer.Write(hash.GetHashAndReset());
    }

    /// <summary>Takes up what <see cref="Save"/> wrote.</summary>
    /// <returns>False, with nothing changed that matters, when the file is of another training or damaged.</returns>
    public bool TryLoad(Stream stream, string identity)
    {
        using BinaryReader reader = new(stream, System.Text.Encoding.UTF8, leaveOpen: true);
        try
        {
            if (JsonSerializer.Deserialize<Header>(reader.ReadString()) is not { } header || header.Identity != identity) return false;
            using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            List<byte[]> read = [];
            foreach (Tensor tensor in InOrder())
            {
                byte[] bytes = new byte[tensor.numel() * sizeof(float)];
                stream.ReadExactly(bytes);
                hash.AppendData(bytes);
                read.Add(bytes);
            }
            byte[] digest = new byte[32];
            stream.ReadExactly(digest);
            if (!hash.GetHashAndReset().AsSpan().SequenceEqual(digest)) return false;
            int at = 0;
            foreach (Tensor tensor in InOrder())
            {
                using Tensor host = empty_like(tensor, device: CPU);
                read[at++].CopyTo(host.bytes);
                tensor.copy_(host);
            }
            (Step, Trained) = (header.Step, TimeSpan.FromSeconds(header.Seconds));
            return true;
        }
        catch (Exception error) when (error is IOException or JsonException or FormatException)
        {
            return false;
        }
    }

    IEnumerable<Tensor> InOrder()
    {
        foreach (string name in names) yield return Current[name];
        foreach (string name in names.Where(Learned)) yield return Momenta[name];
        foreach (string name in names) yield return Average[name];
    }

    public void Dispose()
    {
        foreach (Tensor tensor in All()) tensor.Dispose();
    }

    sealed record Header(string Identity, long Step, double Seconds);
}
