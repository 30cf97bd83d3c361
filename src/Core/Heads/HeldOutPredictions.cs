using Scion.Storage;

namespace Scion.Heads;

/// <summary>What a candidate says of rows it was not fitted on.</summary>
/// <param name="rows">Indexes into <see cref="Datasets.RowTable.Labelled"/>, [n]. Under cross-validation a row stands once per repeat.</param>
/// <param name="repeats">Repeat of each, [n]; 0 for a held-out set.</param>
/// <param name="logits">[n, classes], row-major, uncalibrated.</param>
/// <param name="classes">Number of classes.</param>
public sealed class HeldOutPredictions(int[] rows, int[] repeats, float[] logits, int classes)
{
    public int[] Rows { get; } = rows;

    public int[] Repeats { get; } = repeats;

    public float[] Logits { get; } = logits;

    public int Classes { get; } = classes;

    public ReadOnlySpan<float> LogitsOf(int i) => Logits.AsSpan(i * Classes, Classes);

    /// <summary>Index of the largest logit; the first of equal ones.</summary>
    public static int Largest(ReadOnlySpan<float> logits)
    {
        int best = 0;
        for (int c = 1; c < logits.Length; c++)
            if (logits[c] > logits[best]) best = c;
        return best;
    }

    public byte[] ToBytes()
    {
        SafeTensors file = new();
        file.Add("rows", Rows, Rows.Length);
        file.Add("repeats", Repeats, Rows.Length);
        file.Add("logits", Logits, Rows.Length, Classes);
        return file.ToBytes();
    }

    /// <exception cref="Faults.InputRejectedException">The bytes are not predictions (S006, S007).</exception>
    public static HeldOutPredictions Parse(ReadOnlySpan<byte> bytes)
    {
        SafeTensors file = SafeTensors.Parse(bytes);
        int[] rows = file.Ints("rows", -1);
        float[] logits = file.Floats("logits", rows.Length, -1);
        return new HeldOutPredictions(rows, file.Ints("repeats", rows.Length), logits, file.ShapeOf("logits")[1]);
    }
}
