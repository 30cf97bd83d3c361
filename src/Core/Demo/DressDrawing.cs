using System.Numerics;
using static Scion.Demo.DressArithmetic;

namespace Scion.Demo;

/// <summary>A picture of a dress.</summary>
/// <param name="Width">Pixels.</param>
/// <param name="Height">Pixels.</param>
/// <param name="Rgb">[height, width, 3], sRGB.</param>
/// <param name="Cloth">Mean colour of the pixels that are cloth for more than three fifths, sRGB in [0, 255].</param>
/// <param name="Lace">Mean colour of those that are lace for more than three fifths.</param>
/// <param name="Kelvin">Colour temperature of the light on it.</param>
public sealed record DrawnDress(int Width, int Height, byte[] Rgb, Vector3 Cloth, Vector3 Lace, float Kelvin);

/// <summary>Draws dresses as photos show them: cut, cloth with lace, folds, what is around, light and camera by chance; only the dyes by
/// the class.</summary>
/// <remarks>Not a renderer: form comes from the normals of cylinders and folds, with Lambert's law, a mirrored light and a soft shadow.
/// What it keeps is the order of things in the physics of the ambiguity: reflectance × light, then mirrored light in the light's own
/// colour, then flare, exposure, white balance, tone curve, noise and JPEG's losses (<see cref="DressScene"/> states the model). Same seed,
/// same bytes, on every machine.</remarks>
public static class DressDrawing
{
    public const int Width = 192, Height = 256;

    /// <summary>Folder and label names of the classes.</summary>
    public static string LabelOf(DressColours colours) => colours == DressColours.BlueBlack ? "blue-black" : "white-gold";

    /// <param name="colours">The class.</param>
    /// <param name="seed">Any number. Two classes with one seed are one scene with two dresses.</param>
    public static DrawnDress Draw(DressColours colours, long seed)
    {
        DressScene scene = DressScene.Of(colours, seed);
        DressCanvas canvas = new(scene);
        canvas.Paint();
        return DressPhotograph.Take(scene, canvas);
    }
}

/// <summary>What arrives at the camera: radiance, linear sRGB, and how much of each pixel is cloth and lace.</summary>
sealed class DressCanvas
{
    static readonly Vector2[] Petals = [.. Enumerable.Range(0, 6).Select(i => new Vector2(Cosine(i / 6f), Sine(i / 6f)) * 0.27f)];

    readonly DressScene scene;
    readonly DressShape shape;
    readonly float edge, sine, cosine;
    readonly Vector3 light, behind, half;

    public DressCanvas(DressScene scene)
    {
        this.scene = scene;
        shape = new DressShape(scene.Cut);
        edge = 0.7f / (scene.Pose.Scale * DressDrawing.Height);
        (sine, cosine) = (Sine(scene.Pose.Turn), Cosine(scene.Pose.Turn));
        (light, behind) = (scene.Light.Colour, scene.Behind.Colour);
        Vector3 middle = new(scene.Light.X, scene.Light.Y, scene.Light.Z + 1);
        half = middle / MathF.Sqrt((middle.X * middle.X) + (middle.Y * middle.Y) + (middle.Z * middle.Z));
    }

    /// <summary>[height · width].</summary>
    public Vector3[] Radiance { get; } = new Vector3[DressDrawing.Width * DressDrawing.Height];

    /// <summary>Share of each pixel that is cloth without lace.</summary>
    public float[] Cloth { get; } = new float[DressDrawing.Width * DressDrawing.Height];

    /// <summary>Share that is lace.</summary>
    public float[] Lace { get; } = new float[DressDrawing.Width * DressDrawing.Height];

    public void Paint()
    {
        for (int row = 0, i = 0; row < DressDrawing.Height; row++)
            for (int column = 0; column < DressDrawing.Width; column++, i++)
            {
                float x = (column + 0.5f - (DressDrawing.Width / 2f)) / DressDrawing.Height, y = ((row + 0.5f) / DressDrawing.Height) - 0.5f;
                (float u, float v) = ToDress(x, y);
                Vector3 seen = BackdropAt(x, y, u, v);
                seen = CarrierAt(seen, u, v);
                seen = SleevesAt(seen, u, v, i);
                Radiance[i] = DressAt(seen, u, v, i);
            }
    }

    (float U, float V) ToDress(float x, float y)
    {
        DressPose pose = scene.Pose;
        float dx = x - pose.X, dy = y - pose.Y, scale = pose.Scale * (1 + (pose.Keystone * y));
        return (((dx * cosine) + (dy * sine)) / scale, ((dy * cosine) - (dx * sine)) / scale);
    }

    Vector3 BackdropAt(float x, float y, float u, float v)
    {
        Vector3 dye = scene.Surroundings.At(x, y, scene.Texture);
        float far = scene.Pose.Presentation == DressPresentation.Flat ? 0.03f : 0.09f;
        float shadow = Step(-0.06f, 0.05f, shape.Inside(u + (scene.Light.X * far), v + (scene.Light.Y * far), 0));
        float reaches = 1 - (shadow * 0.5f * (1 - scene.Light.Ambient)), fall = 1 + (0.35f * ((x * scene.Light.X) + (y * scene.Light.Y)));
        return behind * dye * (reaches * fall * 0.85f);
    }

    /// <summary>Light that a surface sends to the camera.</summary>
    /// <param name="dye">Reflectance.</param>
    /// <param name="gloss">Share that is mirrored.</param>
    /// <param name="nx">The surface's normal, right.</param>
    /// <param name="ny">Down.</param>
    /// <param name="reached">Share of the light from everywhere that gets there.</param>
    Vector3 Lit(Vector3 dye, float gloss, float nx, float ny, float reached)
    {
        float flat = (nx * nx) + (ny * ny);
        if (flat > 0.96f)
        {
            float shrink = MathF.Sqrt(0.96f / flat);
            (nx, ny, flat) = (nx * shrink, ny * shrink, 0.96f);
        }
        float nz = MathF.Sqrt(1 - flat);
        DressLight from = scene.Light;
        float straight = MathF.Max(0, (nx * from.X) + (ny * from.Y) + (nz * from.Z)), mirrored = MathF.Max(0, (nx * half.X) + (ny * half.Y) + (nz * half.Z));
        mirrored *= mirrored;
        mirrored *= mirrored;
        mirrored *= mirrored;
        mirrored *= mirrored;
        float diffuse = (from.Ambient * reached) + ((1 - from.Ambient) * straight * ((1 + reached) / 2));
        return light * ((dye * diffuse) + new Vector3(gloss * (mirrored + (0.25f * from.Ambient)) * reached));
    }

    /// <summary>Hanger, mannequin or person, as far as the dress does not hide it.</summary>
    Vector3 CarrierAt(Vector3 seen, float u, float v)
    {
        DressSurroundings around = scene.Surroundings;
        switch (scene.Pose.Presentation)
        {
            case DressPresentation.Hanger:
                float bar = 0.007f - MathF.Abs(v - 0.012f - (0.22f * MathF.Abs(u)) + 0.02f), wide = shape.Width(0.03f) - 0.015f - MathF.Abs(u);
                seen = Over(seen, around.Stand, 0.1f, MathF.Min(bar, wide), bar / 0.007f, 0);
                float hook = 0.0045f - MathF.Abs(MathF.Sqrt((u * u) + ((v + 0.055f) * (v + 0.055f))) - 0.02f);
                if (v > -0.055f && u < 0) hook = -1;
                float stem = MathF.Min(0.0045f - MathF.Abs(u), MathF.Min(v + 0.036f, 0.005f - v));
                seen = Over(seen, new Vector3(0.5f), 0.3f, MathF.Max(hook, stem), 0, 0);
                return Inner(seen, u, v);
            case DressPresentation.Flat:
                return Inner(seen, u, v);
            case DressPresentation.Mannequin:
                seen = Over(seen, around.Stand * 0.6f, 0.1f, MathF.Min(0.011f - MathF.Abs(u), MathF.Min(v - 0.3f, 1.16f - v)), u / 0.011f, 0);
                float disc = 1 - MathF.Sqrt((u * u / 0.0225f) + ((v - 1.16f) * (v - 1.16f) / 0.0006f));
                seen = Over(seen, around.Stand * 0.5f, 0.1f, 0.02f * disc, 0, -0.5f);
                seen = Over(seen, around.Stand, 0.05f, MathF.Min(0.032f - MathF.Abs(u), MathF.Min(v + 0.06f, 0.05f - v)), u / 0.034f, 0);
                return Over(seen, around.Stand, 0.05f, shape.Torso(u, v), u / shape.Width(v) * 0.8f, 0);
            default:
                for (int side = -1; side <= 1; side += 2)
                {
                    float leg = Mix(0.052f, 0.024f, Math.Clamp((v - 0.5f) / 0.5f, 0, 1));
                    float off = u - (side * Mix(0.06f, 0.045f, Math.Clamp(v - 0.5f, 0, 1) * 2));
                    seen = Over(seen, around.Skin, 0.02f, MathF.Min(leg - MathF.Abs(off), MathF.Min(v - 0.45f, 1.03f - v)), off / leg, 0);
                    float foot = u - (side * 0.055f), shoe = 1 - MathF.Sqrt((foot * foot / 0.0011f) + ((v - 1.045f) * (v - 1.045f) / 0.0006f));
                    seen = Over(seen, around.Stand * 0.5f, 0.1f, 0.03f * shoe, 0, -0.4f);
                    (float along, float across) = shape.Arm(u, v, side, scene.Pose.Arm);
                    float arm = Mix(0.036f, 0.022f, Math.Clamp(along / DressShape.ArmLength, 0, 1));
                    float limb = MathF.Min(arm - MathF.Abs(across), MathF.Min(along, DressShape.ArmLength - along));
                    seen = Over(seen, around.Skin, 0.02f, limb, side * across / arm, 0);
                    float hx = across / 0.024f, hy = (along - DressShape.ArmLength - 0.02f) / 0.045f;
                    seen = Over(seen, around.Skin, 0.02f, 0.024f * (1 - MathF.Sqrt((hx * hx) + (hy * hy))), 0, 0);
                }
                float hair = 1 - MathF.Sqrt((u * u / 0.0038f) + ((v + 0.125f) * (v + 0.125f) / 0.0075f));
                seen = Over(seen, around.Hair, 0.05f, 0.06f * hair, u / 0.06f, 0);
                seen = Over(seen, around.Skin * 0.8f, 0.02f, MathF.Min(0.027f - MathF.Abs(u), MathF.Min(v + 0.09f, 0.05f - v)), u / 0.03f, 0);
                float face = 1 - MathF.Sqrt((u * u / 0.0020f) + ((v + 0.115f) * (v + 0.115f) / 0.0042f));
                seen = Over(seen, Mix(around.Skin, around.Hair, Step(-0.165f, -0.175f, v)), 0.02f, 0.045f * face, u / 0.06f, (v + 0.115f) / 0.09f);
                return Over(seen, around.Skin, 0.02f, shape.Torso(u, v), u / shape.Width(v) * 0.8f, 0);
        }
    }

    /// <summary>The inner side of the back, which shows where nobody fills the neckline.</summary>
    Vector3 Inner(Vector3 seen, float u, float v)
    {
        float inside = MathF.Min(shape.Torso(u, v), v - 0.012f - (0.2f * (0.1f - MathF.Abs(u))));
        return scene.Cut.Support == DressSupport.Sleeves ? Over(seen, scene.Dyes.Cloth * 0.55f, 0, inside, 0, 0.3f) : seen;
    }

    Vector3 Over(Vector3 below, Vector3 dye, float gloss, float inside, float nx, float ny)
    {
        float share = Step(-edge, edge, inside);
        return share <= 0 ? below : Mix(below, Lit(dye, gloss, Math.Clamp(nx, -0.95f, 0.95f), ny, 1), share);
    }

    Vector3 SleevesAt(Vector3 seen, float u, float v, int pixel)
    {
        if (scene.Cut.Support != DressSupport.Sleeves) return seen;
        bool empty = scene.Pose.Presentation is DressPresentation.Hanger or DressPresentation.Flat;
        for (int side = -1; side <= 1; side += 2)
        {
            float spread = scene.Pose.Arm + (scene.Pose.Presentation == DressPresentation.Flat ? 0.06f : 0);
            (float along, float across) = shape.Arm(u, v, side, spread);
            float length = scene.Cut.SleeveLength * DressShape.ArmLength, share = Math.Clamp(along / length, 0, 1);
            float radius = Mix(0.05f, 0.034f + scene.Cut.SleeveFlare, share) * (empty ? 0.9f : 1);
            float round = along >= 0 ? MathF.Abs(across) : MathF.Sqrt((across * across) + (along * along));
            float inside = MathF.Min(radius - round, length + (0.004f * Sine(across * 30)) - along);
            float cover = Step(-edge, edge, inside);
            if (cover <= 0) continue;
            float s = across / radius, crease = Noise(across * 40, along * 12, scene.Texture + 11);
            float nx = (side * s * 0.85f) + (0.25f * crease), reached = 1 - (0.3f * MathF.Max(0, -crease));
            seen = Mix(seen, ClothAt(across * 1.2f, along + 0.05f, s, nx, 0.1f * crease, reached, cover, pixel), cover);
        }
        return seen;
    }

    Vector3 DressAt(Vector3 seen, float u, float v, int pixel)
    {
        if (v < -0.05f || v > DressShape.Last) return seen;
        DressCut cut = scene.Cut;
        float width = shape.Width(v), s = Math.Clamp(u / width, -1, 1);
        float ramp = Step(0.32f, 0.62f, v), warp = 0.35f * Noise(s * 2.5f, v * 2.2f, scene.Texture + 12);
        float phase = (s * cut.Folds / 2) + warp, wave = Sine(phase) * ramp;
        float cover = Step(-edge, edge, shape.Inside(u, v, wave));
        if (cover <= 0) return seen;
        float tilt = cut.FoldDepth * ramp * Cosine(phase);
        float crease = Noise((u * 22) + (v * 6), v * 16, scene.Texture + 13), waist = 1 - Step(0, 0.1f, MathF.Abs(v - shape.Waist));
        float nx = (s * 0.75f) + (tilt * MathF.Sqrt(MathF.Max(0, 1 - (s * s)) + 0.1f)) + ((0.12f + (0.2f * waist)) * crease);
        float spread = (shape.Width(v + 0.02f) - shape.Width(v - 0.02f)) / 0.04f;
        float bust = Sine(MathF.Abs(u) / 0.13f * 0.5f) * (1 - Step(0.04f, 0.1f, MathF.Abs(v - 0.17f)));
        float ny = (-0.5f * spread) - (0.3f * bust * Math.Clamp((0.17f - v) * 12, -1, 1)) + (0.15f * waist * crease);
        float reached = 1 - (0.35f * cut.FoldDepth * ramp * (1 - Sine(phase))) - (0.2f * s * s * s * s);
        return Mix(seen, ClothAt(u, v, s, nx, ny, MathF.Max(0.2f, reached), cover, pixel), cover);
    }

    /// <summary>Light from cloth and the lace on it, and a note of how much of the pixel each is.</summary>
    Vector3 ClothAt(float u, float v, float s, float nx, float ny, float reached, float cover, int pixel)
    {
        DressDyes dyes = scene.Dyes;
        float lace = LaceAt(u, v, s);
        float weave = 1 + (0.05f * Noise(u * 160, v * 160, scene.Texture + 14));
        Vector3 cloth = Lit(dyes.Cloth * weave, scene.Cut.Gloss, nx, ny, reached);
        Cloth[pixel] = (Cloth[pixel] * (1 - cover)) + (cover * (1 - lace));
        Lace[pixel] = (Lace[pixel] * (1 - cover)) + (cover * lace);
        if (lace <= 0) return cloth;
        float thread = Noise(u * 120, v * 120, scene.Texture + 15);                    // raised, so that it catches light and shades what is beneath
        Vector3 threads = Lit(dyes.Lace * (1 + (0.15f * thread)), scene.Lace.Gloss, nx + (0.15f * thread), ny - 0.08f, reached);
        return Mix(cloth * (1 - (0.25f * lace)), threads, lace);
    }

    /// <summary>Share of a point that lace covers.</summary>
    float LaceAt(float u, float v, float s)
    {
        DressLace lace = scene.Lace;
        float scallop = 0.006f * MathF.Abs(Sine(u / lace.Motif / 2)), around = v - (0.03f * (1 - (s * s)));        // a level band seen on something round
        float band = (around * lace.Bands) + (lace.Slope * u * lace.Bands), into = (band - MathF.Floor(band)) / lace.Bands;
        float inside = lace.Pattern switch
        {
            LacePattern.Bands => MathF.Min(into, (lace.Share / lace.Bands) - into) + scallop - 0.003f,
            LacePattern.Stripes => MathF.Min(into, (lace.Share / lace.Bands) - into),
            LacePattern.Bodice => shape.Waist + 0.03f - v + scallop,
            LacePattern.Panels => MathF.Max(MathF.Abs(s) - 0.6f, 0.025f - MathF.Abs(v - shape.Waist)) + scallop,
            _ => 1,
        };
        if (lace.Trim) inside = MathF.Max(inside, MathF.Max(v - scene.Cut.Length + 0.045f, shape.Top(u) + 0.022f - v) + scallop);
        float share = Step(-edge, edge, inside);
        if (share <= 0 || lace.Pattern == LacePattern.Stripes) return share;
        return share * Flowers(u, v, inside);
    }

    /// <summary>Flowers of six petals in a net; edges are closed by a cord.</summary>
    float Flowers(float u, float v, float inside)
    {
        DressLace lace = scene.Lace;
        float row = MathF.Floor(v / lace.Motif), x = (u / lace.Motif) + (0.5f * (row - (2 * MathF.Floor(row / 2)))), y = (v / lace.Motif) - row - 0.5f;
        x = x - MathF.Floor(x) - 0.5f;
        float soft = edge / lace.Motif, flower = 0.13f - MathF.Sqrt((x * x) + (y * y));
        foreach (Vector2 petal in Petals)
        {
            float dx = x - petal.X, dy = y - petal.Y;
            flower = MathF.Max(flower, 0.15f - MathF.Sqrt((dx * dx) + (dy * dy)));
        }
        float net = Sine((u + v) * 55) * Sine((u - v) * 55);
        float filled = Math.Clamp(lace.Density + (0.35f * net), 0, 1);
        float cord = lace.Pattern == LacePattern.Allover ? 0 : 1 - Step(0.004f, 0.01f, MathF.Abs(inside - 0.003f));
        return MathF.Max(MathF.Max(filled, Step(-soft, soft, flower)), cord);
    }
}
