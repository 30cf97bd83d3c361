using System.Numerics;

namespace Scion.Vision;

/// <summary>Finds all near copies among many pictures without comparing each with each.</summary>
/// <remarks>A hash is cut into five bands. Two hashes that differ in at most 12 bits differ in at most 2 of some band (were it 3 in each, it were
/// 15), so each picture is only compared with those in whose bucket it falls when up to two bits of a band are changed.</remarks>
public static class NearCopies
{
    const int Bands = 5, Changed = 2;

    static readonly (int From, int Bits)[] Cuts = [(0, 13), (13, 13), (26, 13), (39, 12), (51, 12)];

    /// <summary>For each picture the place of the first one that it is a near copy of, or its own place when there is none before it.</summary>
    /// <param name="pictures">Their order says which is the original. A copy is compared with originals alone, so that a row of pictures, each like the
    /// next, does not become one, and a hundred thousand blank pages cost no more than as many photos.</param>
    /// <param name="cancellation">Stops it.</param>
    public static int[] Originals(IReadOnlyList<PictureFingerprint> pictures, CancellationToken cancellation)
    {
        int[][] heads = new int[Bands][], next = new int[Bands][], masks = [.. Cuts.Select(cut => Masks(cut.Bits))];
        for (int band = 0; band < Bands; band++)
        {
            heads[band] = new int[1 << Cuts[band].Bits];
            heads[band].AsSpan().Fill(-1);
            next[band] = new int[pictures.Count];
        }
        ulong[] hashes = [.. pictures.Select(picture => picture.Hash)];
        int[] originals = new int[pictures.Count];
        for (int at = 0; at < originals.Length; at++)
        {
            if ((at & 0xFF) == 0) cancellation.ThrowIfCancellationRequested();
            int original = at;
            for (int band = 0; band < Bands; band++)
            {
                int key = Key(hashes[at], band);
                foreach (int mask in masks[band])
                    for (int earlier = heads[band][key ^ mask]; earlier >= 0; earlier = next[band][earlier])
                        if (earlier < original && BitOperations.PopCount(hashes[earlier] ^ hashes[at]) <= PictureFingerprint.MaxHashDistance
                            && !IsFoundBefore(hashes[earlier] ^ hashes[at], band) && PictureFingerprint.IsNearCopy(pictures[earlier], pictures[at])) original = earlier;
            }
            originals[at] = original;
            if (original != at) continue;
            for (int band = 0; band < Bands; band++)
            {
                int key = Key(hashes[at], band);
                (next[band][at], heads[band][key]) = (heads[band][key], at);
            }
        }
        return originals;
    }

    static int Key(ulong hash, int band) => (int)(hash >> Cuts[band].From) & ((1 << Cuts[band].Bits) - 1);

    /// <summary>True when an earlier band brought the two together already.</summary>
    static bool IsFoundBefore(ulong different, int band)
    {
        for (int earlier = 0; earlier < band; earlier++) if (BitOperations.PopCount((uint)Key(different, earlier)) <= Changed) return true;
        return false;
    }

    /// <summary>All ways to change at most two bits.</summary>
    static int[] Masks(int bits) =>
        [0, .. from a in Enumerable.Range(0, bits) select 1 << a, .. from a in Enumerable.Range(0, bits) from b in Enumerable.Range(0, a) select 1 << a | 1 << b];
}
