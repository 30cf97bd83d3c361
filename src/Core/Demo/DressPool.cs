using System.Numerics;
using Scion.Vision;

namespace Scion.Demo;

/// <summary>Pictures for an experiment: several draws of training pictures that share none, and one set of test pictures, all drawn from seeds of their own.</summary>
/// <remarks>Classes alternate, so every even beginning of a draw has as many of both.</remarks>
public sealed class DressPool
{
    readonly byte[][] files;
    readonly (Vector3 Cloth, Vector3 Lace, float Kelvin)[] looks;

    /// <param name="draws">Sets of training pictures.</param>
    /// <param name="perClass">Training pictures of each class in a draw.</param>
    /// <param name="testPerClass">Test pictures of each class.</param>
    /// <param name="seed">Of everything.</param>
    /// <param name="cancellation">Stops drawing.</param>
    public DressPool(int draws, int perClass, int testPerClass, int seed, CancellationToken cancellation = default)
    {
        int count = 2 * ((draws * perClass) + testPerClass);
        files = new byte[count][];
        looks = new (Vector3, Vector3, float)[count];
        Truth = [.. Enumerable.Range(0, count).Select(i => i % 2 == 1)];
        Draws = [.. Enumerable.Range(0, draws).Select(draw => Enumerable.Range(2 * perClass * draw, 2 * perClass).ToArray())];
        Test = [.. Enumerable.Range(2 * perClass * draws, 2 * testPerClass)];
        Parallel.For(0, count, new ParallelOptions { CancellationToken = cancellation }, i =>
        {
            DrawnDress dress = DressDrawing.Draw(ColoursOf(i), ((long)seed << 32) + i);
            files[i] = PngFile.Write(dress.Rgb, dress.Width, dress.Height);
            looks[i] = (dress.Cloth, dress.Lace, dress.Kelvin);
        });
    }

    /// <summary>PNG files.</summary>
    public IReadOnlyList<byte[]> Files => files;

    /// <summary>True for white and gold.</summary>
    public bool[] Truth { get; }

    /// <summary>Training pictures of each draw, by number.</summary>
    public IReadOnlyList<int[]> Draws { get; }

    /// <summary>Test pictures, by number.</summary>
    public int[] Test { get; }

    /// <summary>Class of a picture.</summary>
    public static DressColours ColoursOf(int picture) => (DressColours)(picture % 2);

    /// <summary>Mean colours of a picture's dress, sRGB in [0, 255], and the light that it hangs in.</summary>
    public (Vector3 Cloth, Vector3 Lace, float Kelvin) LooksOf(int picture) => looks[picture];

    /// <summary>Test pictures of different classes whose dresses have the most alike colours: the hardest pair, then the hardest of the rest.</summary>
    /// <param name="count">Pairs.</param>
    /// <returns>Blue and black, white and gold.</returns>
    public IReadOnlyList<(int BlueBlack, int WhiteGold)> Alike(int count)
    {
        List<(int BlueBlack, int WhiteGold)> pairs = [];
        foreach ((int blue, int white, _) in Test.Where(i => !Truth[i]).SelectMany(blue => Test.Where(i => Truth[i]).Select(white => (blue, white, Distance(blue, white))))
            .OrderBy(pair => pair.Item3))
        {
            if (pairs.Count == count) break;
            if (!pairs.Exists(pair => pair.BlueBlack == blue || pair.WhiteGold == white)) pairs.Add((blue, white));
        }
        return pairs;
    }

    /// <summary>How much redder, greener and bluer one dress is than another in the picture; dresses that show no cloth, or no lace, are like none.</summary>
    float Distance(int a, int b)
    {
        if (looks[a].Cloth == default || looks[a].Lace == default || looks[b].Cloth == default || looks[b].Lace == default) return float.PositiveInfinity;
        return Vector3.Distance(looks[a].Cloth, looks[b].Cloth) + Vector3.Distance(looks[a].Lace, looks[b].Lace);
    }

    /// <summary>All pictures read as the product reads them.</summary>
    /// <param name="fit">Size.</param>
    /// <param name="cancellation">Stops reading.</param>
    /// <returns>[pictures][height, width, 3], RGB.</returns>
    public byte[][] Pixels(PictureFit fit, CancellationToken cancellation = default)
    {
        byte[][] pixels = new byte[files.Length][];
        Parallel.For(0, files.Length, new ParallelOptions { CancellationToken = cancellation }, i =>
        {
            pixels[i] = new byte[fit.Bytes];
            PictureDecoder.Decode(files[i], fit, pixels[i]);
        });
        return pixels;
    }

    /// <summary>Colours and edges of all pictures: <see cref="PixelFeatures"/>, the classic baseline.</summary>
    public float[][] PixelBaseline(CancellationToken cancellation = default)
    {
        byte[][] pixels = Pixels(PixelFeatures.Fit, cancellation);
        float[][] features = new float[files.Length][];
        Parallel.For(0, files.Length, i => PixelFeatures.Measure(pixels[i], features[i] = new float[PixelFeatures.Dim]));
        return features;
    }

    /// <summary>Features of all pictures by a network, cut at layers.</summary>
    /// <param name="session">The network.</param>
    /// <param name="cancellation">Stops between batches.</param>
    /// <returns>[layers][pictures][features].</returns>
    public float[][][] Features(EncoderSession session, CancellationToken cancellation = default)
    {
        byte[][] pixels = Pixels(session.Fit, cancellation);
        float[][][] features = [.. session.Dims.Select(_ => new float[files.Length][])];
        Parallel.ForEach(Enumerable.Range(0, files.Length).Chunk(session.Batch), new ParallelOptions { CancellationToken = cancellation }, batch =>
        {
            byte[] input = [.. batch.SelectMany(i => pixels[i])];
            float[][] output = [.. session.Dims.Select(dim => new float[batch.Length * dim])];
            session.Run(input, batch.Length, [.. output.Select(layer => layer.AsMemory())]);
            for (int layer = 0; layer < output.Length; layer++)
                for (int i = 0; i < batch.Length; i++)
                    features[layer][batch[i]] = output[layer][(i * session.Dims[layer])..((i + 1) * session.Dims[layer])];
        });
        return features;
    }
}
