namespace Scion.Vision;

/// <summary>Where a picture comes to lie when it is fitted, along its sides as a person sees it.</summary>
/// <param name="SizeX">Pixels the width is resized to, before a cut.</param>
/// <param name="FromX">First column of those that is kept.</param>
/// <param name="Width">Columns kept.</param>
/// <param name="Left">Columns of white before them.</param>
/// <param name="SizeY">As SizeX, of the height.</param>
/// <param name="FromY">First row kept.</param>
/// <param name="Height">Rows kept.</param>
/// <param name="Top">Rows of white above them.</param>
readonly record struct FittedArea(int SizeX, int FromX, int Width, int Left, int SizeY, int FromY, int Height, int Top)
{
    /// <param name="fit">Size wanted.</param>
    /// <param name="width">Pixels, after orientation.</param>
    /// <param name="height">Pixels, after orientation.</param>
    public static FittedArea Of(PictureFit fit, int width, int height)
    {
        switch (fit.Resize)
        {
            case PictureResize.CentreCrop:
                int shorter = Math.Min(width, height);
                (int x, int y) = (Scaled(width, fit.ShorterSide, shorter), Scaled(height, fit.ShorterSide, shorter));
                return new(x, (x - fit.Width) / 2, fit.Width, 0, y, (y - fit.Height) / 2, fit.Height, 0);
            case PictureResize.Pad:
                (int whole, int part) = (long)fit.Width * height <= (long)fit.Height * width ? (fit.Width, width) : (fit.Height, height);
                (x, y) = (Math.Min(fit.Width, Scaled(width, whole, part)), Math.Min(fit.Height, Scaled(height, whole, part)));
                return new(x, 0, x, (fit.Width - x) / 2, y, 0, y, (fit.Height - y) / 2);
            default:
                return new(fit.Width, 0, fit.Width, 0, fit.Height, 0, fit.Height, 0);
        }
    }

    /// <summary>length · whole / part to the nearest pixel, at least 1.</summary>
    static int Scaled(int length, int whole, int part) => (int)Math.Max(1, (2L * length * whole + part) / (2L * part));
}
