using System.Numerics.Tensors;
using Scion.Storage;

namespace Scion.Heads;

/// <summary>A linear classifier: logits = weights · features + bias. Logistic regression and nearest class mean both are one.</summary>
/// <param name="weights">[classes, dim], row-major.</param>
/// <param name="bias">[classes].</param>
public sealed class LinearHead(float[] weights, float[] bias)
{
    public float[] Weights { get; } = weights;

    public float[] Bias { get; } = bias;

    public int Classes => Bias.Length;

    public int Dim => Weights.Length / Bias.Length;

    /// <summary>(dim + 1) · classes, the article's formula.</summary>
    public long Parameters => (Dim + 1L) * Classes;

    /// <param name="features">[dim].</param>
    /// <param name="logits">[classes], written.</param>
    public void Logits(ReadOnlySpan<float> features, Span<float> logits)
    {
        for (int c = 0; c < Classes; c++) logits[c] = Bias[c] + TensorPrimitives.Dot(Weights.AsSpan(c * Dim, Dim), features);
    }

    public byte[] ToBytes()
    {
        SafeTensors file = new();
        file.Add("weights", Weights, Classes, Dim);
        file.Add("bias", Bias, Classes);
        return file.ToBytes();
    }

    /// <exception cref="Faults.InputRejectedException">The bytes are not a head (S006, S007).</exception>
    public static LinearHead Parse(ReadOnlySpan<byte> bytes)
    {
        SafeTensors file = SafeTensors.Parse(bytes);
        float[] bias = file.Floats("bias", -1);
        return new LinearHead(file.Floats("weights", bias.Length, -1), bias);
    }
}
