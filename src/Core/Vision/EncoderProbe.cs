namespace Scion.Vision;

/// <summary>Pictures by whole-number arithmetic, the same bytes on every machine: an encoder's features of them, kept when it was trained, show that the file
/// still computes what was trained.</summary>
public static class EncoderProbe
{
    /// <summary>Number of pictures.</summary>
    public const int Pictures = 4;

    /// <param name="side">Pixels of their sides.</param>
    /// <returns>uint8 [pictures, side, side, 3].</returns>
    public static byte[] Pixels(int side)
    {
        byte[] pixels = new byte[Pictures * side * side * 3];
        int at = 0;
        for (int k = 0; k < Pictures; k++)
            for (int y = 0; y < side; y++)
                for (int x = 0; x < side; x++)
                    for (int c = 0; c < 3; c++)
                        pixels[at++] = (byte)((x * (k + 1)) + (y * (4 - k)) + (c * 40) + ((x >> (3 + k)) * (y >> 4) * (37 + c)));
        return pixels;
    }
}
