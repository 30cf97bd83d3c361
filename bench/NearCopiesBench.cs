using System.Diagnostics;
using System.Globalization;
using System.Numerics;
using Scion.Vision;
using SkiaSharp;

namespace Scion.Bench;

/// <summary>How many copies of photos are found, how many different photos are taken for copies, and how long 100,000 take.</summary>
static class NearCopiesBench
{
    static readonly (string Name, Func<SKBitmap, byte[]> Copy)[] Copies =
    [
        .. from quality in new[] { 60, 75, 85, 95 } select ($"JPEG {quality}", (Func<SKBitmap, byte[]>)(photo => Encode(photo, SKEncodedImageFormat.Jpeg, quality))),
        ("PNG", photo => Encode(photo, SKEncodedImageFormat.Png, 100)),
        ("WebP 60", photo => Encode(photo, SKEncodedImageFormat.Webp, 60)),
        ("WebP 90", photo => Encode(photo, SKEncodedImageFormat.Webp, 90)),
        .. from factor in new[] { 0.5, 0.75, 1.5 } select ($"size × {factor}", (Func<SKBitmap, byte[]>)(photo => Resized(photo, factor))),
        ("3 % off the left", photo => Cropped(photo, 0.03, 0, 0, 0)),
        ("3 % off the bottom", photo => Cropped(photo, 0, 0, 0, 0.03)),
        ("1.5 % off each side", photo => Cropped(photo, 0.015, 0.015, 0.015, 0.015)),
        ("3 % off left and top", photo => Cropped(photo, 0.03, 0.03, 0, 0)),
        ("3 % off each side", photo => Cropped(photo, 0.03, 0.03, 0.03, 0.03)),
        .. from gain in new[] { 0.9f, 1.1f } select ($"brightness × {gain}", (Func<SKBitmap, byte[]>)(photo => Lit(photo, gain))),
        ("2 % off two sides, × 0.7, JPEG 75", photo =>
        {
            using SKBitmap small = SKBitmap.Decode(Resized(photo, 0.7));
            return Cropped(small, 0.02, 0, 0, 0.02, 75);
        }),
    ];

    public static Task<int> Run(string[] arguments)
    {
        string folder = arguments[0];
        int step = arguments.Length > 1 ? int.Parse(arguments[1], CultureInfo.InvariantCulture) : 5;
        string[] files = [.. Directory.EnumerateFiles(folder, "*.jp*g", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];
        PictureFingerprint[] photos = [.. files.Select(file => Fingerprint(File.ReadAllBytes(file)))];
        Console.WriteLine($"{files.Length} photos; copies of every {step}th:");
        foreach ((string name, Func<SKBitmap, byte[]> copy) in Copies)
        {
            int found = 0, made = 0, far = 0;
            for (int i = 0; i < files.Length; i += step, made++)
            {
                using SKBitmap photo = SKBitmap.Decode(files[i]);
                PictureFingerprint of = Fingerprint(copy(photo));
                if (PictureFingerprint.IsNearCopy(of, photos[i])) found++;
                else if (BitOperations.PopCount(of.Hash ^ photos[i].Hash) > PictureFingerprint.MaxHashDistance) far++;
            }
            Console.WriteLine($"  {name,-34} {found}/{made} = {(double)found / made:0.0000}   (of the missed, {far} by the hash)");
        }

        int[] originals = NearCopies.Originals(photos, default);
        (int At, int Original)[] taken = [.. originals.Select((original, at) => (at, original)).Where(pair => pair.at != pair.original)];
        Console.WriteLine($"taken for copies of another: {taken.Length} of {files.Length}");
        foreach ((int at, int original) in taken) Console.WriteLine($"  {Name(files[at])} of {Name(files[original])}");
        if (arguments.Length > 2) Sheet([.. taken.Concat(Closest(photos, 30)).SelectMany(pair => new[] { files[pair.At], files[pair.Original] })], arguments[2]);

        Random random = new(1);
        PictureFingerprint[] many = [.. Enumerable.Range(0, 100_000).Select(_ => Disturbed(photos[random.Next(photos.Length)], random))];
        using Process self = Process.GetCurrentProcess();
        TimeSpan began = self.TotalProcessorTime;
        int copies = NearCopies.Originals(many, default).Where((original, at) => original != at).Count();
        self.Refresh();
        Console.WriteLine($"100,000 fingerprints, photos with up to 24 bits changed: {(self.TotalProcessorTime - began).TotalSeconds:0.0} s of processor, {copies} copies");
        return Task.FromResult(0);
    }

    static string Name(string file) => $"{Path.GetFileName(Path.GetDirectoryName(file))}/{Path.GetFileName(file)}";

    static PictureFingerprint Fingerprint(byte[] file)
    {
        byte[] pixels = new byte[PictureFingerprint.Fit.Bytes];
        PictureDecoder.Decode(file, PictureFingerprint.Fit, pixels);
        return PictureFingerprint.Of(pixels);
    }

    /// <summary>Fingerprints as spread out as those of real photos: a hash with some bits changed, a thumbnail with its rows moved round.</summary>
    static PictureFingerprint Disturbed(PictureFingerprint photo, Random random)
    {
        byte[] bytes = new byte[PictureFingerprint.Length];
        photo.Write(bytes);
        int changed = random.Next(25);
        for (int i = 0; i < changed; i++)
        {
            int bit = random.Next(63);
            bytes[bit / 8] ^= (byte)(1 << bit % 8);
        }
        int turn = 48 * random.Next(16);
        Span<byte> thumbnail = bytes.AsSpan(8);
        byte[] turned = [.. thumbnail[turn..], .. thumbnail[..turn]];
        turned.CopyTo(thumbnail);
        return PictureFingerprint.Read(bytes);
    }

    /// <summary>The pairs of different photos that come nearest to being taken for copies.</summary>
    static IEnumerable<(int At, int Original)> Closest(PictureFingerprint[] photos, int count)
    {
        List<(double Residual, int At, int Original)> pairs = [];
        for (int at = 0; at < photos.Length; at++)
            for (int original = 0; original < at; original++)
                if (BitOperations.PopCount(photos[at].Hash ^ photos[original].Hash) <= PictureFingerprint.MaxHashDistance)
                    pairs.Add((Math.Min(ThumbnailMatch.Residual(photos[at].Thumbnail.Span, photos[original].Thumbnail.Span),
                        ThumbnailMatch.Residual(photos[original].Thumbnail.Span, photos[at].Thumbnail.Span)), at, original));
        (double Residual, int At, int Original)[] nearest = [.. pairs.OrderBy(pair => pair.Residual).Take(count)];
        Console.WriteLine($"{pairs.Count} pairs are within {PictureFingerprint.MaxHashDistance} bits; smallest residuals {string.Join(' ', nearest.Take(12).Select(pair => pair.Residual.ToString("0.000", CultureInfo.InvariantCulture)))}");
        return nearest.Select(pair => (pair.At, pair.Original));
    }

    /// <summary>Pairs side by side, four a row.</summary>
    static void Sheet(string[] files, string path)
    {
        const int Size = 128, Across = 8;
        using SKBitmap sheet = new(Across * Size, (files.Length + Across - 1) / Across * Size);
        using SKCanvas canvas = new(sheet);
        for (int i = 0; i < files.Length; i++)
        {
            using SKImage photo = SKImage.FromEncodedData(files[i]);
            canvas.DrawImage(photo, SKRect.Create(i % Across * Size, i / Across * Size, Size - (i % 2 == 1 ? 8 : 1), Size - 4), new SKSamplingOptions(SKFilterMode.Linear, SKMipmapMode.Linear));
        }
        File.WriteAllBytes(path, Encode(sheet, SKEncodedImageFormat.Png, 100));
    }

    static byte[] Encode(SKBitmap photo, SKEncodedImageFormat format, int quality)
    {
        using SKData data = photo.Encode(format, quality);
        return data.ToArray();
    }

    static byte[] Resized(SKBitmap photo, double factor)
    {
        using SKBitmap resized = photo.Resize(new SKSizeI((int)(photo.Width * factor), (int)(photo.Height * factor)), new SKSamplingOptions(SKFilterMode.Linear, SKMipmapMode.Linear));
        return Encode(resized, SKEncodedImageFormat.Jpeg, 85);
    }

    static byte[] Cropped(SKBitmap photo, double left, double top, double right, double bottom, int quality = 85)
    {
        using SKBitmap part = new();
        photo.ExtractSubset(part, new SKRectI((int)(photo.Width * left), (int)(photo.Height * top), (int)(photo.Width * (1 - right)), (int)(photo.Height * (1 - bottom))));
        return Encode(part, SKEncodedImageFormat.Jpeg, quality);
    }

    static byte[] Lit(SKBitmap photo, float gain)
    {
        using SKBitmap lit = new(photo.Info);
        using (SKCanvas canvas = new(lit))
        using (SKPaint paint = new() { ColorFilter = SKColorFilter.CreateColorMatrix([gain, 0, 0, 0, 0, 0, gain, 0, 0, 0, 0, 0, gain, 0, 0, 0, 0, 0, 1, 0]) })
        using (SKImage image = SKImage.FromBitmap(photo))
            canvas.DrawImage(image, 0, 0, SKSamplingOptions.Default, paint);
        return Encode(lit, SKEncodedImageFormat.Jpeg, 85);
    }
}
