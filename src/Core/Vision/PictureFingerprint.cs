using System.Buffers.Binary;
using System.Numerics;

namespace Scion.Vision;

/// <summary>A picture in few bytes, by which copies of it are found that were saved again, made smaller or larger, cropped a little or made a little
/// brighter. Figures of how well are in docs/experiments.md (near-copies).</summary>
/// <remarks>Two parts. <see cref="Hash"/>: the signs, against their median, of the 63 lowest frequencies of a cosine transform of the luma (a perceptual hash as
/// pHash's, but in order of frequency instead of an 8 × 8 corner). <see cref="Thumbnail"/>: 16 × 16 colours, smoothed. The hash finds
/// candidates; the thumbnails decide, after the crop between them has been estimated.</remarks>
public sealed class PictureFingerprint
{
    /// <summary>What a picture is fitted to before <see cref="Of"/>.</summary>
    public static readonly PictureFit Fit = new(PictureFit.CurrentVersion, Side, Side, PictureResize.Squash, 0);

    /// <summary>Bytes of <see cref="Write"/>.</summary>
    public const int Length = sizeof(ulong) + ThumbnailBytes;

    /// <summary>Most bits in which the hashes of near copies differ.</summary>
    public const int MaxHashDistance = 12;

    internal const int Cells = 16, ThumbnailBytes = Cells * Cells * 3;

    const int Side = 32, Frequencies = 16, HashBits = 63, CosineBits = 14;

    static readonly int[] Cosines = [.. from u in Enumerable.Range(0, Frequencies)
                                        from x in Enumerable.Range(0, Side)
                                        select (int)Math.Round((1 << CosineBits) * Math.Cos((2 * x + 1) * u * Math.PI / (2 * Side)))];

    /// <summary>Pairs of frequencies, lowest first, without the mean.</summary>
    static readonly (int U, int V)[] Order = [.. (from u in Enumerable.Range(0, Frequencies)
                                                  from v in Enumerable.Range(0, Frequencies)
                                                  where u + v > 0
                                                  orderby u * u + v * v, u
                                                  select (u, v)).Take(HashBits)];

    PictureFingerprint(ulong hash, byte[] thumbnail) => (Hash, Thumbnail) = (hash, thumbnail);

    public ulong Hash { get; }

    /// <summary>[16, 16, 3], RGB.</summary>
    public ReadOnlyMemory<byte> Thumbnail { get; }

    /// <param name="pixels">[32, 32, 3]: the picture as fitted to <see cref="Fit"/>.</param>
    public static PictureFingerprint Of(ReadOnlySpan<byte> pixels)
    {
        if (pixels.Length != Fit.Bytes) throw new ArgumentException($"{pixels.Length} bytes were given for {Fit.Bytes}.", nameof(pixels));
        return new(HashOf(pixels), ThumbnailOf(pixels));
    }

    /// <summary>True for a picture and its copy, saved again (JPEG from quality 60, PNG, WebP), resized by a factor of 0.5 to 1.5, with up to 3 % cut off a
    /// side, or up to 10 % brighter or darker. Symmetric but not transitive.</summary>
    public static bool IsNearCopy(PictureFingerprint a, PictureFingerprint b) =>
        BitOperations.PopCount(a.Hash ^ b.Hash) <= MaxHashDistance && ThumbnailMatch.IsSame(a.Thumbnail.Span, b.Thumbnail.Span);

    /// <param name="bytes"><see cref="Length"/> of them, written.</param>
    public void Write(Span<byte> bytes)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, Hash);
        Thumbnail.Span.CopyTo(bytes[sizeof(ulong)..]);
    }

    /// <param name="bytes">As written by <see cref="Write"/>, <see cref="Length"/> of them.</param>
    public static PictureFingerprint Read(ReadOnlySpan<byte> bytes) =>
        new(BinaryPrimitives.ReadUInt64LittleEndian(bytes), bytes.Slice(sizeof(ulong), ThumbnailBytes).ToArray());

    /// <summary>In whole numbers, so that it is the same on every processor.</summary>
    static ulong HashOf(ReadOnlySpan<byte> pixels)
    {
        Span<long> across = stackalloc long[Side * Frequencies];
        for (int y = 0; y < Side; y++)
            for (int u = 0; u < Frequencies; u++)
            {
                long sum = 0;
                for (int x = 0; x < Side; x++)
                {
                    ReadOnlySpan<byte> p = pixels.Slice(3 * (Side * y + x), 3);
                    sum += (77 * p[0] + 150 * p[1] + 29 * p[2]) * (long)Cosines[u * Side + x];
                }
                across[y * Frequencies + u] = sum;
            }
        Span<long> lowest = stackalloc long[HashBits], sorted = stackalloc long[HashBits];
        for (int i = 0; i < HashBits; i++)
            for (int y = 0; y < Side; y++) lowest[i] += across[y * Frequencies + Order[i].U] * Cosines[Order[i].V * Side + y];
        lowest.CopyTo(sorted);
        sorted.Sort();
        ulong hash = 0;
        for (int i = 0; i < HashBits; i++) if (lowest[i] > sorted[HashBits / 2]) hash |= 1UL << i;
        return hash;
    }

    /// <summary>Each cell the mean of 2 × 2 pixels, then weighed 1 2 1 with its neighbours: what a shift of under a cell changes is then nearly linear in it.</summary>
    static byte[] ThumbnailOf(ReadOnlySpan<byte> pixels)
    {
        Span<int> cells = stackalloc int[ThumbnailBytes];
        for (int y = 0; y < Side; y++)
            for (int x = 0; x < Side; x++)
                for (int c = 0; c < 3; c++) cells[3 * (Cells * (y / 2) + x / 2) + c] += pixels[3 * (Side * y + x) + c];
        byte[] thumbnail = new byte[ThumbnailBytes];
        for (int y = 0; y < Cells; y++)
            for (int x = 0; x < Cells; x++)
                for (int c = 0; c < 3; c++)
                {
                    int sum = 0, weights = 0;
                    for (int dy = y == 0 ? 0 : -1; dy <= (y == Cells - 1 ? 0 : 1); dy++)
                        for (int dx = x == 0 ? 0 : -1; dx <= (x == Cells - 1 ? 0 : 1); dx++)
                        {
                            int weight = (2 - Math.Abs(dy)) * (2 - Math.Abs(dx));
                            sum += weight * cells[3 * (Cells * (y + dy) + x + dx) + c];
                            weights += 4 * weight;
                        }
                    thumbnail[3 * (Cells * y + x) + c] = (byte)((sum + weights / 2) / weights);
                }
        return thumbnail;
    }
}
