using Microsoft.Win32.SafeHandles;

namespace Scion.Torch;

/// <summary>Labelled photos of one size, to train an encoder on.</summary>
/// <remarks>Pixels lie in a file, so that memory does not grow with their number; what is read often stays in the system's cache.</remarks>
public sealed class TrainingPhotos : IDisposable
{
    /// <summary>Pixels of a photo's side as kept: a little above what the network sees, so that crops have something to be cut from.</summary>
    public const int Side = 144;

    /// <summary>Bytes of a photo as kept.</summary>
    public const int Bytes = Side * Side * 3;

    readonly SafeFileHandle? file;

    /// <param name="path">Pixels, uint8 [photos, side, side, 3], RGB; null when there are none.</param>
    /// <param name="labels">Class of each photo, in [0, classes).</param>
    /// <param name="classes">Names of the classes.</param>
    public TrainingPhotos(string? path, IReadOnlyList<int> labels, IReadOnlyList<string> classes)
    {
        (Labels, Classes) = (labels, classes);
        file = path is null ? null : File.OpenHandle(path);
        long length = file is null ? 0 : RandomAccess.GetLength(file);
        if (length != (long)labels.Count * Bytes) throw new ArgumentException($"{path} has {length} bytes; {labels.Count} photos have {(long)labels.Count * Bytes}.");
        if (labels.Count == 0) return;
        double[] counts = new double[classes.Count];
        foreach (int label in labels) counts[label]++;
        chances = new double[labels.Count];
        double sum = 0;
        for (int i = 0; i < labels.Count; i++) chances[i] = sum += 1 / Math.Sqrt(counts[labels[i]]);
    }

    readonly double[] chances = [];

    /// <summary>None: formula images alone.</summary>
    public static TrainingPhotos None { get; } = new(null, [], []);

    public IReadOnlyList<int> Labels { get; }

    public IReadOnlyList<string> Classes { get; }

    /// <summary>Draws a photo; a class as often as the root of its size, so that small classes are seen more than their share.</summary>
    public int Draw(ref Text.Xoshiro random)
    {
        int found = Array.BinarySearch(chances, random.Unit() * chances[^1]);
        return Math.Min(found < 0 ? ~found : found, chances.Length - 1);
    }

    /// <param name="photo">In [0, photos).</param>
    /// <param name="pixels">[side, side, 3], written.</param>
    public void Read(int photo, Span<byte> pixels)
    {
        long at = (long)photo * Bytes;
        while (pixels.Length > 0)
        {
            int read = RandomAccess.Read(file!, pixels, at);
            if (read == 0) throw new EndOfStreamException($"Photo {photo} of the training photos is cut off.");
            pixels = pixels[read..];
            at += read;
        }
    }

    public void Dispose() => file?.Dispose();
}
