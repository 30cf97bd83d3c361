using System.Numerics;
using static Scion.Demo.DressArithmetic;

namespace Scion.Demo;

enum Backdrop { PaintedWall, Planks, Paper, Foliage, Rail }

/// <param name="X">Middle, in picture heights from the centre.</param>
/// <param name="Y">Middle, down.</param>
/// <param name="Width">Half of it.</param>
/// <param name="Height">Half of it.</param>
/// <param name="Round">An ellipse, not a box.</param>
/// <param name="Dye">Reflectance; above 1 it shines: a window, a lamp.</param>
/// <param name="Frame">Width of a frame around a box; 0 for none.</param>
sealed record Clutter(float X, float Y, float Width, float Height, bool Round, Vector3 Dye, float Frame);

/// <summary>What is around a dress.</summary>
/// <param name="Kind">Of the wall.</param>
/// <param name="Wall">Its reflectance.</param>
/// <param name="Second">Of its pattern.</param>
/// <param name="Horizon">Height of the floor's far edge, in picture heights from the centre; 1 for no floor.</param>
/// <param name="Floor">The floor's reflectance.</param>
/// <param name="Things">Drawn in their order.</param>
/// <param name="Skin">Of who wears it.</param>
/// <param name="Hair">Of who wears it.</param>
/// <param name="Stand">Of the hanger or the mannequin.</param>
sealed record DressSurroundings(
    Backdrop Kind, Vector3 Wall, Vector3 Second, float Horizon, Vector3 Floor, IReadOnlyList<Clutter> Things, Vector3 Skin, Vector3 Hair, Vector3 Stand)
{
    /// <summary>Paints and stuffs of rooms: most are pale and without much colour, as rooms are.</summary>
    static readonly Vector3[] Paints =
    [
        new(0.80f, 0.80f, 0.78f), new(0.70f, 0.66f, 0.58f), new(0.55f, 0.55f, 0.55f), new(0.62f, 0.68f, 0.72f), new(0.30f, 0.30f, 0.31f),
        new(0.58f, 0.45f, 0.33f), new(0.45f, 0.55f, 0.42f), new(0.36f, 0.13f, 0.09f), new(0.72f, 0.58f, 0.55f), new(0.20f, 0.25f, 0.36f),
    ];

    static readonly Vector3[] Woods = [new(0.42f, 0.26f, 0.13f), new(0.22f, 0.11f, 0.05f), new(0.60f, 0.45f, 0.28f), new(0.35f, 0.33f, 0.31f)];

    static readonly Vector3[] Stuffs =
    [
        new(0.75f, 0.75f, 0.74f), new(0.05f, 0.05f, 0.05f), new(0.50f, 0.06f, 0.05f), new(0.10f, 0.28f, 0.08f), new(0.75f, 0.55f, 0.08f), new(0.08f, 0.14f, 0.35f),
        new(0.40f, 0.24f, 0.12f), new(0.60f, 0.35f, 0.40f), new(0.45f, 0.45f, 0.45f), new(0.10f, 0.32f, 0.34f),
    ];

    static readonly Vector3[] Skins = [new(0.62f, 0.42f, 0.32f), new(0.50f, 0.30f, 0.20f), new(0.32f, 0.17f, 0.10f), new(0.12f, 0.06f, 0.04f)];

    static readonly Vector3[] Hairs = [new(0.02f, 0.015f, 0.012f), new(0.10f, 0.05f, 0.025f), new(0.36f, 0.24f, 0.11f), new(0.25f, 0.08f, 0.03f), new(0.45f, 0.44f, 0.43f)];

    public static DressSurroundings Of(ref Chance chance, DressPresentation presentation)
    {
        Backdrop kind = presentation == DressPresentation.Flat ? (Backdrop)chance.Below(3) : (Backdrop)chance.Below(5);
        Vector3 wall = kind == Backdrop.Planks ? Any(Woods, ref chance)
            : kind == Backdrop.Foliage ? new Vector3(0.08f, 0.16f, 0.04f) : Any(Paints, ref chance);
        Vector3 second = kind == Backdrop.Foliage ? new Vector3(0.20f, 0.26f, 0.08f) : Mix(wall, Any(Paints, ref chance), 0.4f);
        float horizon = presentation == DressPresentation.Flat || chance.Is(0.25f) ? 1 : chance.In(0.22f, 0.45f);
        List<Clutter> things = [];
        if (presentation != DressPresentation.Flat && kind != Backdrop.Foliage && chance.Is(0.35f))               // a window that shines brighter than all else
            things.Add(new Clutter(Side(ref chance) * chance.In(0.12f, 0.34f), chance.In(-0.35f, -0.1f), chance.In(0.06f, 0.14f), chance.In(0.1f, 0.25f),
                Round: false, new Vector3(chance.In(1.5f, 5)), Frame: 0.012f));
        for (int n = chance.Below(6); n > 0; n--)
        {
            float width = chance.In(0.02f, 0.11f), height = chance.In(0.02f, 0.14f);
            bool low = horizon < 1 && chance.Is(0.5f);
            things.Add(new Clutter(Side(ref chance) * chance.In(0.05f, 0.4f), low ? horizon + chance.In(-0.1f, 0.08f) : chance.In(-0.48f, 0.4f), width, height,
                chance.Is(0.3f), Any(Stuffs, ref chance), chance.Is(0.3f) ? 0.012f : 0));
        }
        return new DressSurroundings(kind, wall, second, horizon, Any(chance.Is(0.6f) ? Woods : Paints, ref chance), things, Any(Skins, ref chance),
            Any(Hairs, ref chance), Any(chance.Is(0.5f) ? Woods : Stuffs, ref chance));
    }

    static float Side(ref Chance chance) => chance.Is(0.5f) ? 1 : -1;

    static Vector3 Any(Vector3[] dyes, ref Chance chance) =>
        dyes[chance.Below(dyes.Length)] * new Vector3(chance.In(0.85f, 1.15f), chance.In(0.9f, 1.1f), chance.In(0.85f, 1.15f));

    /// <summary>Reflectance of what is seen at a point where no dress is, and how much light reaches it.</summary>
    /// <param name="x">In picture heights from the centre.</param>
    /// <param name="y">Down.</param>
    /// <param name="texture">Seed of the textures.</param>
    public Vector3 At(float x, float y, uint texture)
    {
        bool floor = y > Horizon;
        Vector3 dye = floor ? FloorAt(x, y, texture) : WallAt(x, y, texture);
        foreach (Clutter thing in Things)
        {
            float dx = MathF.Abs(x - thing.X) / thing.Width, dy = MathF.Abs(y - thing.Y) / thing.Height;
            float inside = thing.Round ? 1 - MathF.Sqrt((dx * dx) + (dy * dy)) : 1 - MathF.Max(dx, dy);
            if (inside <= -0.05f) continue;
            float edge = inside * MathF.Min(thing.Width, thing.Height);
            Vector3 seen = thing.Dye * (1 + (0.12f * Noise(x * 25, y * 25, texture + 7)));
            if (thing.Frame > 0 && !thing.Round)
            {
                bool cross = MathF.Abs(x - thing.X) < thing.Frame / 3 || MathF.Abs(y - thing.Y) < thing.Frame / 3;
                if (edge < thing.Frame || (cross && thing.Dye.X > 1)) seen = Second * 0.8f;
            }
            dye = Mix(dye, seen, Step(-0.002f, 0.002f, edge));
        }
        return dye;
    }

    Vector3 FloorAt(float x, float y, uint texture)
    {
        float depth = 0.25f / (y - Horizon + 0.12f), across = x * depth * 6;               // a plane that runs away from the camera
        float board = MathF.Floor(across);
        float gap = across - board < 0.06f ? 0.55f : 1;
        return Floor * (gap * (1 + (0.15f * Lattice((int)board, 0, texture)) + (0.1f * Noise(across * 3, depth * 20, texture + 1))));
    }

    Vector3 WallAt(float x, float y, uint texture)
    {
        float grain = Noise(x * 6, y * 6, texture + 2);
        switch (Kind)
        {
            case Backdrop.Planks:
                float plank = MathF.Floor(x * 9);
                float seam = (x * 9) - plank < 0.05f ? 0.45f : 1;
                return Wall * (seam * (1 + (0.15f * Lattice((int)plank, 1, texture)) + (0.18f * Noise(x * 90, y * 5, texture + 3))));
            case Backdrop.Paper:
                float stripe = Sine(x * 7);
                return Mix(Wall, Second, Step(-0.1f, 0.1f, stripe)) * (1 + (0.05f * grain));
            case Backdrop.Foliage:
                float leaves = Noise(x * 14, y * 14, texture + 4) + (0.6f * Noise(x * 31, y * 31, texture + 5));
                float sky = 0.8f + (0.7f * Step(0.5f, 1.2f, Noise(x * 4, y * 4, texture + 6) + 0.4f));
                return Mix(Wall, Second, Step(-0.5f, 0.7f, leaves)) * (1 + (0.6f * leaves)) * sky;
            case Backdrop.Rail when y is > -0.36f and < 0.3f:
                float hung = (x * 8) + (0.25f * Noise(x * 3, y * 2, texture + 8));
                int garment = (int)MathF.Floor(hung);
                float inside = hung - garment, end = 0.05f + (0.22f * Lattice(garment, 3, texture));
                if (y > end) goto default;
                Vector3 dye = Stuffs[(int)((Lattice(garment, 2, texture) + 1) * 0.499f * Stuffs.Length)];
                return dye * (0.35f + (0.65f * MathF.Sqrt(inside * (1 - inside)) * 2)) * (1 + (0.25f * Sine((inside * 2.5f) + (0.3f * grain))));
            default:
                return Wall * (1 + (0.06f * grain) + (0.03f * Noise(x * 60, y * 60, texture + 9)));
        }
    }
}
