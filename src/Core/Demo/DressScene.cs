using System.Numerics;
using Scion.Text;

namespace Scion.Demo;

/// <summary>The two pairs of colours that people saw in one photo.</summary>
public enum DressColours
{
    /// <summary>Blue cloth, black lace.</summary>
    BlueBlack,
    /// <summary>White cloth, gold lace.</summary>
    WhiteGold,
}

enum DressSilhouette { ALine, Sheath, BallGown, Mermaid }

enum DressNeckline { Boat, Scoop, V, Sweetheart }

enum DressSupport { Sleeves, Straps, None }

enum DressPresentation { Hanger, Mannequin, Worn, Flat }

enum LacePattern { Bands, Bodice, Allover, Panels, Stripes }

/// <summary>The cut, in units of the dress's full length: v is 0 at the shoulders and 1 where a floor-long hem would be.</summary>
/// <param name="Silhouette">What the widths follow.</param>
/// <param name="Widths">Half widths at shoulder, bust, waist, hip and hem.</param>
/// <param name="Length">v of the hem, in [0.55, 1].</param>
/// <param name="Neckline">Form of the upper edge.</param>
/// <param name="NeckDepth">How low it reaches.</param>
/// <param name="Support">What holds it up.</param>
/// <param name="SleeveLength">Share of the arm that is covered.</param>
/// <param name="SleeveFlare">Widening of the sleeve to its end.</param>
/// <param name="Folds">Folds of the skirt seen from the front.</param>
/// <param name="FoldDepth">Tilt of the cloth in a fold, in [0, 0.8].</param>
/// <param name="Gloss">Share of light mirrored by the cloth: cotton 0.01, satin 0.25.</param>
sealed record DressCut(
    DressSilhouette Silhouette, float[] Widths, float Length, DressNeckline Neckline, float NeckDepth, DressSupport Support, float SleeveLength,
    float SleeveFlare, float Folds, float FoldDepth, float Gloss);

/// <param name="Pattern">Where the lace lies.</param>
/// <param name="Bands">Bands or stripes over the length.</param>
/// <param name="Share">Share of a band that is lace.</param>
/// <param name="Slope">Of stripes: 0 is across.</param>
/// <param name="Motif">Size of a flower.</param>
/// <param name="Density">How much of the ground the net between the flowers covers.</param>
/// <param name="Trim">Lace along neckline and hem.</param>
/// <param name="Gloss">Share of light mirrored by the lace's thread.</param>
sealed record DressLace(LacePattern Pattern, int Bands, float Share, float Slope, float Motif, float Density, bool Trim, float Gloss);

/// <param name="Presentation">On what it hangs.</param>
/// <param name="X">Of the shoulders' middle, in picture heights from the centre.</param>
/// <param name="Y">Of the shoulders' middle.</param>
/// <param name="Scale">Picture heights a unit of the dress takes.</param>
/// <param name="Turn">Of the dress in the picture, in turns.</param>
/// <param name="Keystone">Change of scale over a picture height: a camera held high or low.</param>
/// <param name="Arm">Spread of the arms or sleeves, in turns from hanging down.</param>
sealed record DressPose(DressPresentation Presentation, float X, float Y, float Scale, float Turn, float Keystone, float Arm);

/// <param name="Adaptation">How much of the light's colour the white balance removes, in [0, 1].</param>
/// <param name="Mired">Error of the white balance, in reciprocal megakelvin.</param>
/// <param name="Tint">Error of it across the black bodies.</param>
/// <param name="Stops">Exposure beside the one that is metered.</param>
/// <param name="Metering">Weight of the dress in metering; the rest is the whole picture.</param>
/// <param name="Flare">Share of the picture's mean light that is scattered over all of it.</param>
/// <param name="Contrast">Strength of the S of the tone curve, in [0, 1].</param>
/// <param name="Saturation">1 leaves colours as they are.</param>
/// <param name="Noise">Standard deviation of the sensor's noise at middle grey.</param>
/// <param name="Blur">Passes of a 1-2-1 filter.</param>
/// <param name="Quantiser">Scale of JPEG's quantisation tables: 0.2 is fine, 2 is coarse.</param>
sealed record DressCamera(
    float Adaptation, float Mired, float Tint, float Stops, float Metering, float Flare, float Contrast, float Saturation, float Noise, int Blur, float Quantiser);

/// <summary>Reflectances, linear sRGB in [0, 1].</summary>
sealed record DressDyes(Vector3 Cloth, Vector3 Lace);

/// <summary>All that is drawn. Everything but <see cref="Dyes"/> is drawn by chance without regard to the colours.</summary>
/// <remarks>The model of the ambiguity. A pixel is reflectance times light, and the camera that divides by its guess of the light guesses
/// wrong: blue cloth (reflectance about 0.03, 0.06, 0.3) in the yellow of a lamp and white cloth (0.8) in the blue of a shade send the same
/// pale blue grey, their lace the same brown, once exposure has made the dark one bright: that is metered on the dress. It is the account
/// that Lafer-Sousa, Hermann and Conway 2015 (Current Biology 25, R545), Gegenfurtner, Bloj and Toscani 2015 (R543) and Winkler, Spillmann,
/// Werner and Webster 2015 (R547) give of the photo: its pixels lie along the black bodies' colours, so the light may explain them. What
/// tells the two apart is what tells people: things of known colour (walls, skin, wood, paper) in the same light; mirrored light, which has
/// the light's own colour; and that black lace is much darker than its cloth while gold is not. None is always there: in some pictures what
/// is behind the dress is in another light, as it was in that photo, so that no one can be right always.
/// <para>Light, exposure, cut, lace and surroundings are independent of the colours: nothing but the dyes differs between the
/// classes.</para></remarks>
sealed record DressScene(
    DressCut Cut, DressLace Lace, DressPose Pose, DressLight Light, DressLight Behind, DressCamera Camera, DressDyes Dyes, DressSurroundings Surroundings, uint Texture)
{
    /// <summary>A scene that belongs to a seed.</summary>
    /// <param name="colours">Chooses the dyes and nothing else.</param>
    /// <param name="seed">Same seed, same scene, on every machine.</param>
    public static DressScene Of(DressColours colours, long seed)
    {
        Chance chance = new(seed, stream: 1), dyeing = new(seed, stream: 2);
        DressCut cut = CutOf(ref chance);
        DressLace lace = new((LacePattern)chance.Below(5), 4 + chance.Below(8), chance.In(0.35f, 0.6f),
            chance.Is(0.3f) ? chance.In(-0.8f, 0.8f) : 0, chance.In(0.045f, 0.09f), chance.In(0.3f, 0.6f), chance.Is(0.6f), chance.In(0.01f, 0.07f));
        DressPose pose = PoseOf(ref chance, cut);
        DressLight light = LightOf(ref chance), behind = chance.Is(0.3f) ? LightOf(ref chance) : light;
        DressCamera camera = new(chance.In(0, 0.7f), 30 * chance.Normal(), 0.03f * chance.Normal(), 0.7f * chance.Normal(), chance.In(0.3f, 1),
            chance.Log(0.01f, 0.25f), chance.In(0, 0.5f), chance.In(0.8f, 1.25f), chance.Log(0.004f, 0.03f), chance.Below(4), chance.Log(0.2f, 1.6f));
        return new DressScene(cut, lace, pose, light, behind, camera, DyesOf(colours, ref dyeing), DressSurroundings.Of(ref chance, pose.Presentation),
            (uint)chance.Below(int.MaxValue));
    }

    static DressCut CutOf(ref Chance chance)
    {
        DressSilhouette silhouette = (DressSilhouette)chance.Below(4);
        float[] widths = silhouette switch
        {
            DressSilhouette.ALine => [0.15f, 0.145f, 0.11f, 0.175f, 0.30f],
            DressSilhouette.Sheath => [0.15f, 0.145f, 0.115f, 0.15f, 0.14f],
            DressSilhouette.BallGown => [0.145f, 0.14f, 0.10f, 0.27f, 0.42f],
            _ => [0.145f, 0.14f, 0.105f, 0.145f, 0.26f],
        };
        for (int i = 0; i < widths.Length; i++) widths[i] *= chance.In(0.9f, 1.12f);
        DressSupport support = (DressSupport)chance.Below(3);
        DressNeckline neckline = support == DressSupport.None ? DressNeckline.Sweetheart
            : (DressNeckline)chance.Below(support == DressSupport.Sleeves ? 3 : 4);
        float length = silhouette is DressSilhouette.BallGown or DressSilhouette.Mermaid ? chance.In(0.85f, 1) : chance.In(0.55f, 1);
        return new DressCut(silhouette, widths, length, neckline, chance.In(0.06f, 0.13f), support, chance.In(0.15f, 1), chance.In(-0.01f, 0.035f),
            chance.In(2, 7), chance.In(0.15f, 0.6f), chance.Is(0.4f) ? chance.In(0.08f, 0.25f) : chance.In(0.005f, 0.04f));
    }

    static DressPose PoseOf(ref Chance chance, DressCut cut)
    {
        DressPresentation presentation = (DressPresentation)chance.Below(4);
        float scale = chance.In(0.62f, 0.95f) / (presentation == DressPresentation.Worn ? 1.12f : MathF.Max(0.75f, cut.Length));
        float length = scale * (presentation == DressPresentation.Worn ? 1 : cut.Length);
        float turn = presentation == DressPresentation.Flat ? 0.06f * chance.Normal() : 0.012f * chance.Normal();
        return new DressPose(presentation, 0.05f * chance.Normal(), (-length / 2) + chance.In(-0.03f, 0.08f), scale, turn, 0.18f * chance.Normal(), chance.In(0.01f, 0.09f));
    }

    static DressLight LightOf(ref Chance chance)
    {
        float kelvin = 1e6f / chance.In(1e6f / 12_000, 1e6f / 2_500);                    // even in mireds, the scale on which differences look alike
        float x = chance.In(-0.7f, 0.7f), y = chance.In(-0.7f, 0.2f);
        return new DressLight(kelvin, 0.03f * chance.Normal(), x, y, MathF.Sqrt(1 - (x * x * 0.9f) - (y * y * 0.9f)) * 0.95f, chance.In(0.3f, 0.75f));
    }

    /// <summary>Dyes vary from dress to dress: navy to cornflower, pure black to faded; snow to ivory, pale to antique gold.</summary>
    static DressDyes DyesOf(DressColours colours, ref Chance chance)
    {
        if (colours == DressColours.BlueBlack)
        {
            float deep = chance.In(0, 1);
            Vector3 blue = DressArithmetic.Mix(new Vector3(0.018f, 0.035f, 0.20f), new Vector3(0.08f, 0.15f, 0.52f), deep);
            blue *= new Vector3(chance.In(0.7f, 1.3f), chance.In(0.8f, 1.25f), 1);
            return new DressDyes(blue, new Vector3(chance.In(0.85f, 1.25f), 1, chance.In(0.8f, 1.15f)) * chance.In(0.012f, 0.04f));
        }
        Vector3 white = DressArithmetic.Mix(new Vector3(0.84f, 0.84f, 0.86f), new Vector3(0.80f, 0.75f, 0.64f), chance.In(0, 1)) * chance.In(0.85f, 1);
        Vector3 gold = DressArithmetic.Mix(new Vector3(0.62f, 0.44f, 0.15f), new Vector3(0.36f, 0.24f, 0.07f), chance.In(0, 1));
        return new DressDyes(white, gold * new Vector3(1, chance.In(0.9f, 1.1f), chance.In(0.8f, 1.4f)));
    }
}

/// <summary>Chance by a seed, with what scenes are made of.</summary>
struct Chance(long seed, int stream)
{
    Xoshiro random = new(seed, stream);

    public int Below(int limit) => random.Below(limit);

    public bool Is(float probability) => random.Unit() < probability;

    public float In(float from, float to) => from + ((to - from) * (float)random.Unit());

    /// <summary>Even in the logarithm.</summary>
    public float Log(float from, float to) =>
        (float)DressArithmetic.Exp2(DressArithmetic.Mix((float)DressArithmetic.Log2(from), (float)DressArithmetic.Log2(to), (float)random.Unit()));

    /// <summary>Nearly normal, of mean 0 and variance 1, within ±3.46: the sum of four even numbers of 16 bits.</summary>
    public float Normal()
    {
        ulong bits = random.Next();
        uint sum = (uint)(ushort)bits + (ushort)(bits >> 16) + (ushort)(bits >> 32) + (ushort)(bits >> 48);
        return (sum - 131_070f) * (1.7320508f / 65_536);
    }
}
