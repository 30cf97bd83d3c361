using System.Numerics;
using static Scion.Demo.DressArithmetic;

namespace Scion.Demo;

/// <summary>What lights a scene: a black body's colour, a direction, and how much comes from everywhere.</summary>
/// <param name="Kelvin">Colour temperature, in [2,500, 12,000]: candle-warm lamps to the blue of open shade.</param>
/// <param name="Tint">Off the black bodies: above 0 greener, as tubes and foliage are, below 0 redder.</param>
/// <param name="X">Direction towards the light, right; with y down and z towards the camera a unit vector.</param>
/// <param name="Y">Down.</param>
/// <param name="Z">Towards the camera.</param>
/// <param name="Ambient">Share that comes from everywhere, in [0, 1].</param>
public sealed record DressLight(float Kelvin, float Tint, float X, float Y, float Z, float Ambient)
{
    /// <summary>Colour of the light, linear sRGB, of luminance 1 before the tint.</summary>
    public Vector3 Colour => Tinted(BlackBody(Kelvin), Tint);

    public static Vector3 Tinted(Vector3 colour, float tint) => colour * new Vector3(1 - (tint / 2), 1 + tint, 1 - (tint / 2));

    /// <summary>Colour of a black body, linear sRGB of luminance 1.</summary>
    /// <param name="kelvin">In [1,667, 25,000].</param>
    /// <remarks>Chromaticity: Kim et al. 2002, US patent 7024034, cubic splines to the Planckian locus. Matrix: IEC 61966-2-1.</remarks>
    public static Vector3 BlackBody(float kelvin)
    {
        double t = 1000.0 / kelvin;
        double x = kelvin < 4000
            ? (((-0.2661239 * t) - 0.2343589) * t + 0.8776956) * t + 0.179910
            : (((-3.0258469 * t) + 2.1070379) * t + 0.2226347) * t + 0.240390;
        double y = kelvin < 2222 ? (((-1.1063814 * x) - 1.34811020) * x + 2.18555832) * x - 0.20219683
            : kelvin < 4000 ? (((-0.9549476 * x) - 1.37418593) * x + 2.09137015) * x - 0.16748867
            : (((3.0817580 * x) - 5.87338670) * x + 3.75112997) * x - 0.37001483;
        double u = x / y, w = (1 - x - y) / y;                                         // X and Z where Y is 1
        return new Vector3(
            (float)Math.Max(0.01, (3.2404542 * u) - 1.5371385 - (0.4985314 * w)),
            (float)Math.Max(0.01, (-0.9692660 * u) + 1.8760108 + (0.0415560 * w)),
            (float)Math.Max(0.01, (0.0556434 * u) - 0.2040259 + (1.0572252 * w)));
    }
}
