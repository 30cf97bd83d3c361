using System.Diagnostics;
using System.Globalization;
using System.Numerics;
using Scion.Demo;

namespace Scion.Bench;

/// <summary>How alike do the drawn dresses' two classes look, and how long does drawing take?</summary>
static class DressBench
{
    public static Task<int> Run(string[] arguments)
    {
        Dictionary<string, string> given = arguments.Select(a => a.Split('=', 2)).ToDictionary(a => a[0], a => a[1], StringComparer.Ordinal);
        if (given.TryGetValue("sheet", out string? sheet)) Sheet(sheet, Number("seed", 1), Number("pairs", 32), Number("columns", 8), Number("shrink", 2));
        int count = Number("count", 300);
        long started = Stopwatch.GetTimestamp();
        DrawnDress[] drawn = [.. Enumerable.Range(0, 2 * count).AsParallel().AsOrdered().Select(i => DressDrawing.Draw((DressColours)(i % 2), 1000 + i))];
        Colours("cloth alone", [.. drawn.Select(d => new[] { d.Cloth.X, d.Cloth.Y, d.Cloth.Z })]);
        Colours("cloth and lace", [.. drawn.Select(d => new[] { d.Cloth.X, d.Cloth.Y, d.Cloth.Z, d.Lace.X, d.Lace.Y, d.Lace.Z })]);
        DressScene[] scenes = [.. Enumerable.Range(0, 2 * count).Select(i => DressScene.Of((DressColours)(i % 2), 1000 + i))];
        int[] hard = [.. Enumerable.Range(0, 2 * count).Where(i => i % 2 == 0 ? scenes[i].Light.Kelvin < 3_500 : scenes[i].Light.Kelvin > 7_000)];
        Colours("cloth alone, blue-black below 3,500 K against white-gold above 7,000 K", [.. drawn.Select(d => new[] { d.Cloth.X, d.Cloth.Y, d.Cloth.Z })], hard);
        Colours("cloth and lace, the same pictures", [.. drawn.Select(d => new[] { d.Cloth.X, d.Cloth.Y, d.Cloth.Z, d.Lace.X, d.Lace.Y, d.Lace.Z })], hard);
        foreach (int c in new[] { 0, 1 })
            Console.WriteLine($"{DressDrawing.LabelOf((DressColours)c)}: mean sRGB of the cloth {Mean(c, d => d.Cloth)}, of the lace {Mean(c, d => d.Lace)}");
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{drawn.Length} drawn, {drawn.Length / Stopwatch.GetElapsedTime(started).TotalSeconds:0} a second"));
        return Task.FromResult(0);

        string Mean(int of, Func<DrawnDress, Vector3> part)
        {
            Vector3 mean = drawn.Where((_, i) => i % 2 == of).Aggregate(Vector3.Zero, (sum, d) => sum + part(d)) / count;
            return string.Create(CultureInfo.InvariantCulture, $"({mean.X:0}, {mean.Y:0}, {mean.Z:0})");
        }

        int Number(string name, int otherwise) => given.TryGetValue(name, out string? text) ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;
    }

    /// <summary>How often the class is told right from mean colours alone: by the eleven nearest of the other pictures.</summary>
    static void Colours(string what, float[][] colours, int[]? asked = null)
    {
        int right = 0;
        asked ??= [.. Enumerable.Range(0, colours.Length)];
        foreach (int i in asked)
        {
            int[] near = [.. Enumerable.Range(0, colours.Length).Where(j => j != i).OrderBy(j => colours[i].Zip(colours[j], (a, b) => (a - b) * (a - b)).Sum()).Take(11)];
            if (near.Count(j => j % 2 == i % 2) > 5) right++;
        }
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what}: {100.0 * right / asked.Length:0.0} % of {asked.Length} by eleven nearest"));
    }

    /// <summary>Pairs of one scene with both dresses, side by side, eight pairs a row.</summary>
    static void Sheet(string file, int seed, int pairs, int columns, int shrink)
    {
        int rows = (pairs + columns - 1) / columns, w = DressDrawing.Width / shrink, h = DressDrawing.Height / shrink, width = columns * 2 * w, height = rows * h;
        byte[] sheet = new byte[3 * width * height];
        for (int i = 0; i < 2 * pairs; i++)
        {
            DrawnDress dress = DressDrawing.Draw((DressColours)(i % 2), seed + (i / 2));
            int left = i % (2 * columns) * w, top = i / (2 * columns) * h;
            for (int at = 0; at < 3 * w * h; at++)
            {
                int c = at % 3, x = at / 3 % w, y = at / 3 / w, sum = 0;
                for (int k = 0; k < shrink * shrink; k++) sum += dress.Rgb[((((y * shrink) + (k / shrink)) * DressDrawing.Width) + (x * shrink) + (k % shrink)) * 3 + c];
                sheet[((((top + y) * width) + left + x) * 3) + c] = (byte)(sum / (shrink * shrink));
            }
        }
        File.WriteAllBytes(file, PngFile.Write(sheet, width, height));
    }
}
