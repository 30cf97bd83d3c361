using System.Text.Json;
using Scion.Serving;

namespace Scion.Registry;

/// <summary>How far the package, as serving loads it, is from training on stored rows: what <c>parity.json</c> says and repeats.</summary>
/// <param name="SchemaVersion">1.</param>
/// <param name="Largest">Largest difference (see <see cref="Difference"/>) when it was published.</param>
/// <param name="Limit">Above it nothing is published.</param>
/// <param name="Rows">Rows that can be compared again: all of reviews; of images, those whose pixels are kept.</param>
public sealed record ParityCheck(int SchemaVersion, double Largest, double Limit, IReadOnlyList<ParityRow> Rows)
{
    /// <summary>Largest |Δ logit| of a row, over the row's largest |logit| where that is above 1. A probability moves by at most 0.00025 for a logit below
    /// 1; above, p(1 − p) falls faster than the allowance grows. float32 arithmetic in another order is off by about 1e-6 of the size, and a head of separable
    /// classes has logits in the thousands, whose last bit is 0.0005.</summary>
    public const double MaxError = 1e-3;

    /// <summary>As <see cref="MaxError"/>, of a network that computes in float16, whose steps are 1e-3 of a value: batches of four pictures, as training runs them,
    /// and single ones, as serving does, differed by 3.3e-4 on SqueezeNet.</summary>
    public const double MaxHalfError = 1e-2;

    /// <summary>Largest difference at which a model is published.</summary>
    public static double LimitOf(ModelManifest manifest) => manifest.Network?.Values.Type == "float16" || manifest.Sentence?.Half == true ? MaxHalfError : MaxError;

    /// <summary>Labelled rows compared, evenly spaced over all of them.</summary>
    public const int MaxRows = 200;

    /// <summary>Labelled texts compared where a sentence network reads them: each is run for it.</summary>
    public const int MaxNetworkTexts = 64;

    /// <summary>Labelled pictures compared: each is decoded and run for it.</summary>
    public const int MaxPictures = 64;

    /// <summary>Pictures whose fitted pixels a package keeps, so that they can be compared again without the upload.</summary>
    public const int KeptPictures = 12;

    /// <summary>Compares training's logits with the package's.</summary>
    /// <param name="predictor">The package, loaded as serving loads it.</param>
    /// <param name="rows">Number of the labelled row, its text, and training's logits for it.</param>
    /// <exception cref="Faults.InputRejectedException">They differ by more than <see cref="LimitOf"/> (R012).</exception>
    public static ParityCheck Measure(ReviewPredictor predictor, IEnumerable<(int Row, string Text, float[] Logits)> rows)
    {
        double limit = LimitOf(predictor.Manifest);
        List<ParityRow> compared = [];
        double largest = LargestOf(rows.Select(row =>
        {
            float[] logits = new float[row.Logits.Length];
            compared.Add(new ParityRow(predictor.Logits(row.Text, logits), row.Logits));
            return (row.Row, row.Logits, logits);
        }), limit);
        return new ParityCheck(1, largest, limit, compared);
    }

    /// <summary>As the other, of pictures.</summary>
    /// <param name="predictor">The package, loaded as serving loads it.</param>
    /// <param name="rows">Number of the labelled row, its fitted pixels, and training's logits for it.</param>
    /// <param name="kept">Rows whose logits are kept.</param>
    /// <exception cref="Faults.InputRejectedException">They differ by more than <see cref="LimitOf"/> (R012).</exception>
    public static ParityCheck Measure(ImagePredictor predictor, IEnumerable<(int Row, byte[] Pixels, float[] Logits)> rows, IReadOnlyCollection<int> kept)
    {
        double limit = LimitOf(predictor.Manifest);
        List<ParityRow> compared = [];
        double largest = LargestOf(rows.Select(row =>
        {
            if (kept.Contains(row.Row)) compared.Add(new ParityRow(null, row.Logits));
            return (row.Row, row.Logits, predictor.Logits(row.Pixels));
        }), limit);
        return new ParityCheck(1, largest, limit, compared);
    }

    /// <summary>Runs the stored rows again.</summary>
    /// <param name="predictor">The package, loaded as serving loads it.</param>
    /// <param name="package">With <c>parity.json</c>, and of images <c>parity.zip</c>.</param>
    /// <param name="cancellation">Stops between two pictures.</param>
    /// <returns>Largest |Δ logit| now, on this machine.</returns>
    /// <exception cref="Faults.InputRejectedException">Larger than <see cref="LimitOf"/> (R012), or the rows do not fit the model (R014).</exception>
    public static async Task<double> RepeatAsync(Predictor predictor, ModelPackage package, CancellationToken cancellation)
    {
        ReadOnlyMemory<byte> file = package[ModelPackage.ParityName];
        if (predictor is not ImagePredictor images) return Repeat((ReviewPredictor)predictor, file.Span);
        ParityCheck stored = Parse(file.Span);
        double largest = 0;
        for (int row = 0; row < stored.Rows.Count; row++)
        {
            byte[] pixels = await PixelsAsync(images, package, row, cancellation);
            if (stored.Rows[row].Logits.Count != images.Manifest.Labels.Count) throw NotOfThisModel(row);
            largest = Math.Max(largest, LargestOf([(row, stored.Rows[row].Logits, images.Logits(pixels))], LimitOf(images.Manifest)));
        }
        return largest;
    }

    /// <summary>Fitted pixels that a package of images keeps, in the order of <see cref="Rows"/>.</summary>
    /// <exception cref="Faults.InputRejectedException">One is missing or damaged (R014, V001 …).</exception>
    public static async Task<IReadOnlyList<byte[]>> PixelsAsync(ImagePredictor predictor, ModelPackage package, CancellationToken cancellation)
    {
        List<byte[]> pixels = [];
        for (int row = 0; row < Parse(package[ModelPackage.ParityName].Span).Rows.Count; row++) pixels.Add(await PixelsAsync(predictor, package, row, cancellation));
        return pixels;
    }

    static async Task<byte[]> PixelsAsync(ImagePredictor predictor, ModelPackage package, int row, CancellationToken cancellation) => await predictor.PixelsOfAsync(
        PictureArchive.Find(ModelPackage.ParityPicturesName, package[ModelPackage.ParityPicturesName], row, "png")
        ?? throw RegistryFaults.Inconsistent($"row {row} of {ModelPackage.ParityName} has no picture in {ModelPackage.ParityPicturesName}."), cancellation);

    /// <inheritdoc cref="RepeatAsync"/>
    public static double Repeat(ReviewPredictor predictor, ReadOnlySpan<byte> parityFile)
    {
        ParityCheck stored = Parse(parityFile);
        (int classes, int words) = (predictor.Manifest.Labels.Count, predictor.Manifest.Encoder.Words);
        double largest = 0;
        for (int row = 0; row < stored.Rows.Count; row++)
        {
            ParityRow expected = stored.Rows[row];
            if (expected.Logits.Count != classes || expected.Ids is null || expected.Ids.Any(id => id < 0 || id >= words)) throw NotOfThisModel(row);
            float[] logits = new float[classes];
            predictor.Logits([.. expected.Ids], logits);
            largest = Math.Max(largest, LargestOf([(row, expected.Logits, logits)], LimitOf(predictor.Manifest)));
        }
        return largest;
    }

    static ParityCheck Parse(ReadOnlySpan<byte> file)
    {
        try
        {
            ParityCheck stored = JsonSerializer.Deserialize<ParityCheck>(file, ScionJson.Strict) ?? throw new JsonException("it is null.");
            return stored.Rows.All(row => row is not null) ? stored : throw new JsonException("a row is null.");
        }
        catch (JsonException e)
        {
            throw RegistryFaults.Malformed(ModelPackage.ParityName, e.Message);
        }
    }

    static Faults.InputRejectedException NotOfThisModel(int row) => RegistryFaults.Inconsistent($"row {row} of {ModelPackage.ParityName} is not of this model.");

    /// <exception cref="Faults.InputRejectedException">It is above <paramref name="limit"/> (R012).</exception>
    static double LargestOf<TLogits>(IEnumerable<(int Row, TLogits Expected, float[] Found)> rows, double limit) where TLogits : IReadOnlyList<float>
    {
        (double largest, int at) = (0, 0);
        foreach ((int row, TLogits expected, float[] found) in rows)
        {
            double error = Difference(expected, found);
            if (error > largest) (largest, at) = (error, row);
        }
        return largest <= limit ? largest : throw RegistryFaults.ParityBroken(largest, at, limit);
    }

    /// <summary>Largest |Δ logit| over max(1, largest |expected logit|); not a number counts as infinite.</summary>
    internal static double Difference(IReadOnlyList<float> expected, ReadOnlySpan<float> found)
    {
        double largest = 0, size = 1;
        foreach (float logit in expected) size = Math.Max(size, Math.Abs((double)logit));
        for (int c = 0; c < found.Length; c++)
        {
            double error = Math.Abs((double)expected[c] - found[c]) / size;
            if (!(error <= largest)) largest = double.IsNaN(error) ? double.PositiveInfinity : error;
        }
        return largest;
    }

    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, ScionJson.Strict);
}

/// <param name="Ids">Known words of the text; the text itself is not kept. Null for a picture.</param>
/// <param name="Logits">Training's, uncalibrated.</param>
public sealed record ParityRow(IReadOnlyList<int>? Ids, IReadOnlyList<float> Logits);
