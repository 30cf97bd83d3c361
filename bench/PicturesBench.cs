using System.Diagnostics;
using System.Globalization;
using Scion.Vision;
using SkiaSharp;

namespace Scion.Bench;

/// <summary>What reading a photo costs: Skia's decode alone, decode and fit in this process, and through the pool of processes. Processor time of both
/// processes is given beside the wall's, since the machine may be busy.</summary>
static class PicturesBench
{
    public static async Task<int> RunAsync(string[] arguments)
    {
        int count = arguments.Length > 1 ? int.Parse(arguments[1], CultureInfo.InvariantCulture) : 300;
        int rounds = arguments.Length > 2 ? int.Parse(arguments[2], CultureInfo.InvariantCulture) : 8;
        byte[][] photos = [.. Directory.EnumerateFiles(arguments[0], "*.jp*g", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Take(count).Select(File.ReadAllBytes)];
        PictureFit fit = new(PictureFit.CurrentVersion, 224, 224, PictureResize.Squash, 0);
        byte[] pixels = new byte[fit.Bytes], again = new byte[fit.Bytes];
        using Process self = Process.GetCurrentProcess();
        await using DecoderProcesses pool = new(DecoderOptions.Beside(AppContext.BaseDirectory, 1), TimeProvider.System);
        long start = Stopwatch.GetTimestamp();
        await pool.ReadAsync(photos[0], fit, again, default);
        Console.WriteLine(FormattableString.Invariant($"first picture of a process, its start included: {Stopwatch.GetElapsedTime(start).TotalMilliseconds:0} ms"));
        PictureDecoder.Decode(photos[0], fit, pixels);
        if (!pixels.AsSpan().SequenceEqual(again)) throw new InvalidOperationException("The pool gives other pixels.");
        Console.WriteLine("round   Skia's decode       decode and fit      through the pool    pool / in process, wall and processor");
        List<(double Wall, double Cpu)> ratios = [];
        for (int round = 0; round < rounds; round++)
        {
            (double Wall, double Cpu) bare = await TimeAsync(photo => Bare(photo)), here = await TimeAsync(photo =>
            {
                PictureDecoder.Decode(photo, fit, pixels);
                return default;
            }), there = await TimeAsync(async photo => await pool.ReadAsync(photo, fit, pixels, default));
            ratios.Add((there.Wall / here.Wall, there.Cpu / here.Cpu));
            Console.WriteLine(FormattableString.Invariant(
                $"{round,-7} {bare.Wall,6:0.000} ({bare.Cpu:0.000}) ms   {here.Wall,6:0.000} ({here.Cpu:0.000}) ms   {there.Wall,6:0.000} ({there.Cpu:0.000}) ms   {ratios[^1].Wall:0.00}  {ratios[^1].Cpu:0.00}"));
        }
        Console.WriteLine(FormattableString.Invariant($"median pool / in process: wall {ratios.Select(r => r.Wall).Order().ElementAt(rounds / 2):0.00}, processor {ratios.Select(r => r.Cpu).Order().ElementAt(rounds / 2):0.00}"));
        return 0;

        async Task<(double Wall, double Cpu)> TimeAsync(Func<byte[], ValueTask> read)
        {
            (long began, TimeSpan cpu) = (Stopwatch.GetTimestamp(), Cpu());
            foreach (byte[] photo in photos) await read(photo);
            return (Stopwatch.GetElapsedTime(began).TotalMilliseconds / photos.Length, (Cpu() - cpu).TotalMilliseconds / photos.Length);
        }

        TimeSpan Cpu()
        {
            self.Refresh();
            TimeSpan sum = self.TotalProcessorTime;
            foreach (int id in pool.Waiting)
            {
                using Process child = Process.GetProcessById(id);
                sum += child.TotalProcessorTime;
            }
            return sum;
        }
    }

    static ValueTask Bare(byte[] photo)
    {
        using SKData data = SKData.CreateCopy(photo);
        using SKCodec codec = SKCodec.Create(data);
        using SKBitmap bitmap = new(new SKImageInfo(codec.Info.Width, codec.Info.Height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        codec.GetPixels(bitmap.Info, bitmap.GetPixels());
        return default;
    }
}
