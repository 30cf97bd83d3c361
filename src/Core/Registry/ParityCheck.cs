using System.Text.Json;
using Scion.Serving;

namespace Scion.Registry;

/// <summary>How far the package, as serving loads it, is from training on stored rows: what <c>parity.json</c> says and repeats.</summary>
/// <param name="SchemaVersion">1.</param>
/// <param name="Largest">Largest difference (see <see cref="Difference"/>) when it was published.</param>
/// <param name="Limit">Above it nothing is published.</param>
/// <param name="Rows">The rows compared.</param>
public sealed record ParityCheck(int SchemaVersion, double Largest, double Limit, IReadOnlyList<ParityRow> Rows)
{
    /// <summary>Largest |Δ logit| of a row, over the row's largest |logit| where that is above 1. A probability moves by at most 0.00025 for a logit below
    /// 1; above, p(1 − p) falls faster than the allowance grows. float32 arithmetic in another order is off by about 1e-6 of the size, and a head of separable
    /// classes has logits in the thousands, whose last bit is 0.0005.</summary>
    public const double MaxError = 1e-3;

    /// <summary>Labelled rows compared, evenly spaced over all of them.</summary>
    public const int MaxRows = 200;

    /// <summary>Compares training's logits with the package's.</summary>
    /// <param name="predictor">The package, loaded as serving loads it.</param>
    /// <param name="rows">Number of the labelled row, its text, and training's logits for it.</param>
    /// <exception cref="Faults.InputRejectedException">They differ by more than <see cref="MaxError"/> (R012).</exception>
    public static ParityCheck Measure(ReviewPredictor predictor, IEnumerable<(int Row, string Text, float[] Logits)> rows)
    {
        List<ParityRow> compared = [];
        (double largest, int at) = (0, 0);
        foreach ((int row, string text, float[] expected) in rows)
        {
            float[] logits = new float[expected.Length];
            compared.Add(new ParityRow(predictor.Logits(text, logits), expected));
            double error = Difference(expected, logits);
            if (error > largest) (largest, at) = (error, row);
        }
        return largest <= MaxError ? new ParityCheck(1, largest, MaxError, compared) : throw RegistryFaults.ParityBroken(largest, at, MaxError);
    }

    /// <summary>Runs the stored rows again.</summary>
    /// <returns>Largest |Δ logit| now, on this machine.</returns>
    /// <exception cref="Faults.InputRejectedException">Larger than <see cref="MaxError"/> (R012), or the rows do not fit the model (R014).</exception>
    public static double Repeat(ReviewPredictor predictor, ReadOnlySpan<byte> parityFile)
    {
        ParityCheck stored;
        try
        {
            stored = JsonSerializer.Deserialize<ParityCheck>(parityFile, ScionJson.Strict) ?? throw new JsonException("it is null.");
        }
        catch (JsonException e)
        {
            throw RegistryFaults.Malformed(ModelPackage.ParityName, e.Message);
        }
        (int classes, int words) = (predictor.Manifest.Labels.Count, predictor.Manifest.Encoder.Words);
        double largest = 0;
        for (int row = 0; row < stored.Rows.Count; row++)
        {
            ParityRow expected = stored.Rows[row];
            if (expected.Logits.Count != classes || expected.Ids.Any(id => id < 0 || id >= words))
                throw RegistryFaults.Inconsistent($"row {row} of {ModelPackage.ParityName} is not of this model.");
            float[] logits = new float[classes];
            predictor.Logits([.. expected.Ids], logits);
            double error = Difference(expected.Logits, logits);
            if (error > MaxError) throw RegistryFaults.ParityBroken(error, row, MaxError);
            largest = Math.Max(largest, error);
        }
        return largest;
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

/// <param name="Ids">Known words of the text; the text itself is not kept.</param>
/// <param name="Logits">Training's, uncalibrated.</param>
public sealed record ParityRow(IReadOnlyList<int> Ids, IReadOnlyList<float> Logits);
