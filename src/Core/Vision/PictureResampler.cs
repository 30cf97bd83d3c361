using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Scion.Vision;

/// <summary>Makes fitted pixels out of decoded ones: out = ⌊Σ wʸ wˣ p / 2²⁴ + ½⌋, exact, so the order of passes and the width of registers
/// change no bit.</summary>
static class PictureResampler
{
    /// <param name="pixels">Stored pixels, RGBA or RGBx, [rows, <paramref name="stride"/>] bytes; the fourth channel is ignored.</param>
    /// <param name="stride">Bytes from one stored row to the next.</param>
    /// <param name="down">Weights of stored rows.</param>
    /// <param name="across">Weights of stored columns.</param>
    /// <param name="turned">False: output rows come from stored rows. True: from stored columns.</param>
    /// <param name="output">RGB, written.</param>
    /// <param name="outputStride">Bytes from one output row to the next.</param>
    public static void Resample(
        ReadOnlySpan<byte> pixels, int stride, in PictureAxis down, in PictureAxis across, bool turned, Span<byte> output, int outputStride)
    {
        (int first, int end) = across.Used();
        int width = 4 * (end - first);
        uint[] sums = ArrayPool<uint>.Shared.Rent(width);
        Span<uint> column = sums.AsSpan(0, width);
        (int perRow, int perPixel) = turned ? (3, outputStride) : (outputStride, 3);
        for (int y = 0; y < down.Count; y++)
        {
            ReadOnlySpan<ushort> weights = down.Weights(y, out int row);
            SumRows(pixels[(row * stride + 4 * first)..], stride, weights, column);
            SumColumns(column, first, across, output[(y * perRow)..], perPixel);
        }
        ArrayPool<uint>.Shared.Return(sums);
    }

    /// <summary>sums[i] = Σ weights[r] · pixels[r, i]; at most 255 · 4096.</summary>
    static void SumRows(ReadOnlySpan<byte> pixels, int stride, ReadOnlySpan<ushort> weights, Span<uint> sums)
    {
        ref byte source = ref MemoryMarshal.GetReference(pixels);
        ref uint target = ref MemoryMarshal.GetReference(sums);
        int i = 0;
        _ = pixels[(weights.Length - 1) * stride + sums.Length - 1];                    // in range for all reads below
        if (Vector256.IsHardwareAccelerated)
        {
            for (; i <= sums.Length - 32; i += 32)
            {
                (Vector256<uint> a, Vector256<uint> b, Vector256<uint> c, Vector256<uint> d) = default((Vector256<uint>, Vector256<uint>, Vector256<uint>, Vector256<uint>));
                for (int r = 0; r < weights.Length; r++)
                {
                    Vector256<uint> weight = Vector256.Create((uint)weights[r]);
                    (Vector256<ushort> low, Vector256<ushort> high) = Vector256.Widen(Vector256.LoadUnsafe(ref source, (nuint)(r * stride + i)));
                    (Vector256<uint> p, Vector256<uint> q) = Vector256.Widen(low);
                    (a, b) = (a + p * weight, b + q * weight);
                    (p, q) = Vector256.Widen(high);
                    (c, d) = (c + p * weight, d + q * weight);
                }
                a.StoreUnsafe(ref target, (nuint)i);
                b.StoreUnsafe(ref target, (nuint)i + 8);
                c.StoreUnsafe(ref target, (nuint)i + 16);
                d.StoreUnsafe(ref target, (nuint)i + 24);
            }
        }
        for (; i < sums.Length; i++)
        {
            uint sum = 0;
            for (int r = 0; r < weights.Length; r++) sum += (uint)weights[r] * Unsafe.Add(ref source, r * stride + i);
            Unsafe.Add(ref target, i) = sum;
        }
    }

    /// <summary>One line of output pixels from the weighted sum of rows.</summary>
    static void SumColumns(ReadOnlySpan<uint> sums, int origin, in PictureAxis across, Span<byte> output, int perPixel)
    {
        ref uint source = ref MemoryMarshal.GetReference(sums);
        for (int x = 0; x < across.Count; x++)
        {
            ReadOnlySpan<ushort> weights = across.Weights(x, out int first);
            _ = sums[4 * (first - origin + weights.Length) - 1];
            Vector128<uint> sum = Vector128.Create(1u << 2 * PictureAxis.WeightBits - 1);
            for (int k = 0; k < weights.Length; k++)
                sum += Vector128.LoadUnsafe(ref source, (nuint)(4 * (first - origin + k))) * Vector128.Create((uint)weights[k]);
            sum >>= 2 * PictureAxis.WeightBits;
            Span<byte> pixel = output.Slice(x * perPixel, 3);
            (pixel[0], pixel[1], pixel[2]) = ((byte)sum[0], (byte)sum[1], (byte)sum[2]);
        }
    }
}
