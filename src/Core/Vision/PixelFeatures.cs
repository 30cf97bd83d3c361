using System.Numerics.Tensors;

namespace Scion.Vision;

/// <summary>Features of a picture without any network: how often each colour stands in it, and where its edges point. The classic baseline.</summary>
/// <remarks>Histograms of oriented gradients by Dalal and Triggs 2005 (CVPR, §6): 64×64 pixels, of each pixel the gradient [−1, 0, 1] of the channel
/// where it is longest, 9 directions over 180°, cells of 8×8 pixels, votes shared between neighbouring directions and cells, blocks of 2×2 cells one
/// cell apart, each of unit length, clipped at 0.2, and of unit length again. Left out of the paper: the Gaussian window over a block. Pixels' square
/// roots are taken before, as the paper found best. Colours: a histogram over hue, saturation and value (Smith 1978) of 12×4×4 boxes, hue and
/// saturation not told apart where the value is low; its square roots, so that cosines are Bhattacharyya coefficients. Both parts have the same
/// length, the whole has unit length.</remarks>
public static class PixelFeatures
{
    /// <summary>Raise it when the numbers change.</summary>
    public const int Version = 1;

    const int Side = 64, CellSide = 8, Cells = Side / CellSide, Directions = 9, Blocks = Cells - 1, BlockDim = 4 * Directions;

    const int Hues = 12, Saturations = 4, Values = 4;

    /// <summary>Components of the histogram of colours; they come first.</summary>
    public const int ColourDim = Hues * Saturations * Values;

    /// <summary>Components of the histograms of directions.</summary>
    public const int EdgeDim = Blocks * Blocks * BlockDim;

    public const int Dim = ColourDim + EdgeDim;

    /// <summary>Largest component of a block.</summary>
    const float Clip = 0.2f;

    /// <summary>What a block without any edge is divided by.</summary>
    const float Tiny = 1e-3f;

    /// <summary>Size of the pictures that are measured.</summary>
    public static PictureFit Fit { get; } = new(PictureFit.CurrentVersion, Side, Side, PictureResize.Squash, 0);

    /// <param name="pixels">[64, 64, 3], RGB.</param>
    /// <param name="features">[<see cref="Dim"/>], written: unit length, no component below 0.</param>
    public static void Measure(ReadOnlySpan<byte> pixels, Span<float> features)
    {
        if (pixels.Length != Fit.Bytes || features.Length != Dim)
            throw new ArgumentException($"{pixels.Length} bytes into {features.Length} components; {Fit.Bytes} into {Dim} are expected.");
        Colours(pixels, features[..ColourDim]);
        Edges(pixels, features[ColourDim..]);
        TensorPrimitives.Divide(features, TensorPrimitives.Norm<float>(features), features);
    }

    /// <summary>Square roots of the shares of the colours: unit length.</summary>
    static void Colours(ReadOnlySpan<byte> pixels, Span<float> shares)
    {
        shares.Clear();
        for (int at = 0; at < pixels.Length; at += 3) shares[Box(pixels[at], pixels[at + 1], pixels[at + 2])]++;
        for (int i = 0; i < shares.Length; i++) shares[i] = MathF.Sqrt(shares[i] * 3 / pixels.Length);
    }

    /// <summary>The box of a colour: (value, saturation, hue).</summary>
    internal static int Box(int red, int green, int blue)
    {
        int value = Math.Max(red, Math.Max(green, blue)), chroma = value - Math.Min(red, Math.Min(green, blue));
        int v = value * Values / 256;
        if (v == 0) return 0;                                            // as good as black: hue and saturation are noise
        int s = Math.Min(Saturations - 1, chroma * Saturations / value);
        if (s == 0) return v * Saturations * Hues;                       // as good as grey
        int sixth = value == red ? (green - blue) + (green < blue ? 6 * chroma : 0) : value == green ? (blue - red) + (2 * chroma) : (red - green) + (4 * chroma);
        return (((v * Saturations) + s) * Hues) + Math.Min(Hues - 1, sixth * Hues / (6 * chroma));
    }

    static void Edges(ReadOnlySpan<byte> pixels, Span<float> blocks)
    {
        Span<float> cells = stackalloc float[Cells * Cells * Directions];
        cells.Clear();
        for (int y = 0; y < Side; y++)
            for (int x = 0; x < Side; x++) Vote(pixels, x, y, cells);
        for (int by = 0; by < Blocks; by++)
            for (int bx = 0; bx < Blocks; bx++)
            {
                Span<float> block = blocks.Slice(((by * Blocks) + bx) * BlockDim, BlockDim);
                for (int cy = 0; cy < 2; cy++)
                    cells.Slice((((by + cy) * Cells) + bx) * Directions, 2 * Directions).CopyTo(block[(cy * 2 * Directions)..]);
                Normalise(block);
                TensorPrimitives.Min(block, Clip, block);
                Normalise(block);
            }
        float length = TensorPrimitives.Norm<float>(blocks);
        if (length > 0) TensorPrimitives.Divide(blocks, length, blocks);
    }

    static void Normalise(Span<float> block) =>
        TensorPrimitives.Divide(block, MathF.Sqrt(TensorPrimitives.SumOfSquares<float>(block) + (Tiny * Tiny)), block);

    /// <summary>Adds the length of a pixel's gradient to the two nearest directions of the four nearest cells.</summary>
    static void Vote(ReadOnlySpan<byte> pixels, int x, int y, Span<float> cells)
    {
        int left = ((y * Side) + Math.Max(0, x - 1)) * 3, right = ((y * Side) + Math.Min(Side - 1, x + 1)) * 3;
        int up = ((Math.Max(0, y - 1) * Side) + x) * 3, down = ((Math.Min(Side - 1, y + 1) * Side) + x) * 3;
        float dx = 0, dy = 0, longest = 0;
        for (int channel = 0; channel < 3; channel++)
        {
            float across = Roots[pixels[right + channel]] - Roots[pixels[left + channel]], along = Roots[pixels[down + channel]] - Roots[pixels[up + channel]];
            float squared = (across * across) + (along * along);
            if (squared > longest) (dx, dy, longest) = (across, along, squared);
        }
        if (longest == 0) return;
        float length = MathF.Sqrt(longest), turn = MathF.Atan2(dy, dx) / MathF.PI;   // a direction and its opposite are one
        float direction = ((turn < 0 ? turn + 1 : turn) * Directions) - 0.5f, cellX = ((x + 0.5f) / CellSide) - 0.5f, cellY = ((y + 0.5f) / CellSide) - 0.5f;
        int d = (int)MathF.Floor(direction), cx = (int)MathF.Floor(cellX), cy = (int)MathF.Floor(cellY);
        float toD = direction - d, toX = cellX - cx, toY = cellY - cy;
        for (int j = 0; j < 2; j++)
        {
            if (cy + j is < 0 or >= Cells) continue;
            for (int i = 0; i < 2; i++)
            {
                if (cx + i is < 0 or >= Cells) continue;
                float vote = length * (i == 0 ? 1 - toX : toX) * (j == 0 ? 1 - toY : toY);
                Span<float> cell = cells.Slice((((cy + j) * Cells) + cx + i) * Directions, Directions);
                cell[(d + Directions) % Directions] += vote * (1 - toD);
                cell[(d + 1) % Directions] += vote * toD;
            }
        }
    }

    static readonly float[] Roots = [.. Enumerable.Range(0, 256).Select(level => MathF.Sqrt(level / 255f))];
}
