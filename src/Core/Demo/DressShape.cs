using static Scion.Demo.DressArithmetic;

namespace Scion.Demo;

/// <summary>Outlines of a dress and of what carries it. Lengths are in units of a floor-long dress; u runs right from the middle, v down
/// from the shoulders.</summary>
/// <remarks>Distances are above 0 inside. They are along u or v, not the shortest, which at edges a pixel wide makes no
/// difference.</remarks>
sealed class DressShape
{
    const int Samples = 128;
    /// <summary>v below which there is no dress.</summary>
    public const float Last = 1.1f;

    /// <summary>v of the waist.</summary>
    public float Waist => cut.Silhouette == DressSilhouette.BallGown ? 0.35f : 0.34f;

    readonly DressCut cut;
    readonly float[] widths = new float[Samples + 1];

    public DressShape(DressCut cut)
    {
        this.cut = cut;
        float hem = cut.Length;
        (float hip, float last) = (cut.Widths[3], cut.Widths[4]);
        (float V, float Width)[] skirt = cut.Silhouette switch
        {
            DressSilhouette.BallGown => [(0.46f, hip * 0.8f), (0.62f, hip * 1.15f), (hem, last)],
            DressSilhouette.Mermaid => [(0.48f, hip), (0.68f, hip * 0.85f), (hem, last)],
            _ => [(0.48f, hip), (hem, Mix(hip, last, (hem - 0.4f) / 0.6f))],
        };
        (float V, float Width)[] knots = [(0, cut.Widths[0]), (0.16f, cut.Widths[1]), (Waist, cut.Widths[2]), .. skirt, (Last, last)];
        for (int i = 0, k = 0; i <= Samples; i++)
        {
            float v = Last * i / Samples;
            while (k < knots.Length - 2 && v > knots[k + 1].V) k++;
            widths[i] = Mix(knots[k].Width, knots[k + 1].Width, Math.Clamp((v - knots[k].V) / (knots[k + 1].V - knots[k].V), 0, 1));
        }
        for (int pass = 0; pass < 24; pass++)                                          // cloth has no corners
        {
            float before = widths[0];
            for (int i = 1; i < Samples; i++)
            {
                float here = widths[i];
                widths[i] = (before + (2 * here) + widths[i + 1]) / 4;
                before = here;
            }
        }
    }

    /// <summary>Half width at a height.</summary>
    public float Width(float v)
    {
        float at = Math.Clamp(v / Last * Samples, 0, Samples - 0.001f);
        int i = (int)at;
        return Mix(widths[i], widths[i + 1], at - i);
    }

    /// <summary>Upper edge of the cloth.</summary>
    public float Top(float u)
    {
        float side = MathF.Abs(u), shoulder = 0.3f * MathF.Max(0, side - 0.05f);
        float sweetheart = 0.12f - (0.028f * Sine(MathF.Min(side, 0.14f) / 0.28f)) + (0.12f * side);
        if (cut.Support == DressSupport.None) return sweetheart;
        const float open = 0.08f;
        float x = MathF.Min(1, side / open), neck = cut.Neckline switch
        {
            DressNeckline.Boat => 0.03f * (1 - (x * x)),
            DressNeckline.Scoop => cut.NeckDepth * MathF.Sqrt(1 - (x * x)),
            DressNeckline.V => cut.NeckDepth * 1.3f * (1 - x),
            _ => 0,
        };
        if (cut.Support == DressSupport.Sleeves) return shoulder + neck;
        return MathF.Max(cut.Neckline == DressNeckline.Sweetheart ? sweetheart : neck + (0.04f * x), 0.06f + (0.3f * MathF.Max(0, side - 0.08f)));
    }

    /// <summary>Distance into the cloth; straps count as cloth.</summary>
    /// <param name="u">Right.</param>
    /// <param name="v">Down.</param>
    /// <param name="wave">Fold at this place, in [−1, 1]: a hem is not level.</param>
    public float Inside(float u, float v, float wave)
    {
        float width = Width(v), s = u / width;
        float hem = cut.Length + (0.022f * (1 - (s * s))) + (0.007f * wave);
        float inside = MathF.Min(MathF.Min(width - MathF.Abs(u), v - Top(u)), hem - v);
        if (cut.Support != DressSupport.Straps) return inside;
        float strap = MathF.Min(0.009f - MathF.Abs(MathF.Abs(u) - 0.078f), MathF.Min(v - 0.008f, 0.14f - v));
        return MathF.Max(inside, strap);
    }

    /// <summary>Distance into the body that fills neckline and shoulders.</summary>
    public float Torso(float u, float v)
    {
        float side = MathF.Abs(u);
        return MathF.Min(MathF.Min(Width(v) - 0.012f - side, v - 0.004f - (0.3f * MathF.Max(0, side - 0.03f))), 0.3f - v);
    }

    public const float ArmLength = 0.43f;

    /// <summary>Place along an arm, and across it in shares of its radius.</summary>
    /// <param name="u">Right.</param>
    /// <param name="v">Down.</param>
    /// <param name="side">−1 for the left arm in the picture, 1 for the right.</param>
    /// <param name="spread">From hanging down, in turns.</param>
    /// <returns>Along: 0 at the shoulder, in lengths. Across: distance from the middle, outwards above 0.</returns>
    public (float Along, float Across) Arm(float u, float v, int side, float spread)
    {
        float x = (side * u) - (Width(0.03f) - 0.03f), y = v - 0.045f;
        float sine = Sine(spread), cosine = Cosine(spread);
        return ((x * sine) + (y * cosine), (x * cosine) - (y * sine));
    }
}
