using System.Diagnostics;
using System.Globalization;
using System.Text;
using Microsoft.ML.OnnxRuntime;
using Scion.Onnx;
using Scion.Registry;
using Scion.Storage;
using Scion.Vision;

namespace Scion.Bench;

/// <summary>How long does one photo take over HTTP, beside the decoder and ONNX Runtime alone? How many photos a second, and how late are the slowest, under load?</summary>
/// <remarks>Arguments: a data folder, a model of images in it, a folder of photos; <c>--decoder PATH</c> of Scion.Decoder, as hosts use it (else pictures are
/// decoded in the server's process). Server in a process of its own. Photo by photo the parts and the whole are timed one after the other, so that a
/// busy machine slows all of them.</remarks>
static class ServePictures
{
    public static async Task<int> RunAsync(string[] arguments)
    {
        if (arguments.Length < 3)
        {
            Console.Error.WriteLine("Name the data folder, a model of images, and a folder of photos.");
            return 2;
        }
        (string data, string model, string folder) = (arguments[0], arguments[1], arguments[2]);
        int connections = ServeLoad.Argument(arguments, "--connections", 16), seconds = ServeLoad.Argument(arguments, "--seconds", 10), count = ServeLoad.Argument(arguments, "--photos", 100);
        int decoder = Array.IndexOf(arguments, "--decoder");
        byte[][] photos = [.. await Task.WhenAll(Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
            .Where(path => Path.GetExtension(path).ToLowerInvariant() is ".jpg" or ".jpeg" or ".png" or ".webp").Take(count).Select(path => File.ReadAllBytesAsync(path)))];
        (string version, ModelPackage package) = await new ModelRegistry(new FileBlobStore(data), TimeProvider.System).ReadChosenServedAsync(model, null, default);
        PictureFit fit = package.Manifest.Network!.Fit;
        byte[] graph = ImageEncoderGraph.Scanned("encoder.onnx", package[ModelPackage.EncoderName], fit, package.Manifest.Encoder.Dim);

        using Process server = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, ["serve-load", "--server", data, .. decoder < 0 ? (string[])[] : [arguments[decoder + 1]]])
        {
            RedirectStandardOutput = true,
            RedirectStandardInput = true,
        })!;
        try
        {
            int port = int.Parse((await server.StandardOutput.ReadLineAsync())!, CultureInfo.InvariantCulture);
            byte[][] requests = [.. photos.Select(photo => (byte[])[.. Encoding.ASCII.GetBytes(
                $"POST /api/models/{model}/predict HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nx-functions-key: {ServeLoad.Key}\r\nContent-Type: image/jpeg\r\nContent-Length: {photo.Length}\r\n\r\n"), .. photo])];
            Console.WriteLine(Line($"{model} {version}: {package.Manifest.Network.Name}, {fit.Width} × {fit.Height}, {package.Manifest.Encoder.Dim} features, {package.Manifest.Examples.Rows} examples; {photos.Length} photos of {photos.Average(photo => photo.Length) / 1024:0} KB; {Environment.ProcessorCount} cores; decoded in {(decoder < 0 ? "the server" : "processes")}"));
            await OneByOneAsync(port, requests, photos, graph, fit, package.Manifest.Encoder.Dim);
            await ServeLoad.LoadAsync(port, requests, connections, 2);
            ServeLoad.Print(Line($"{connections} connections"), await ServeLoad.LoadAsync(port, requests, connections, seconds));
        }
        finally
        {
            server.StandardInput.Close();
            if (!server.WaitForExit(5000)) server.Kill();
        }
        return 0;
    }

    static async Task OneByOneAsync(int port, byte[][] requests, byte[][] photos, byte[] graph, PictureFit fit, int dim)
    {
        byte[] pixels = new byte[fit.Bytes];
        float[] features = new float[dim];
        using Bare one = new(graph, 1, pixels, features, fit), two = new(graph, 2, pixels, features, fit);
        using ServeLoad.Connection connection = await ServeLoad.Connection.OpenAsync(port);
        List<double> decode = [], run = [], threads = [], whole = [];
        for (int round = 0; round < 3; round++)                           // the first warms up
        {
            if (round == 1) foreach (List<double> times in new[] { decode, run, threads, whole }) times.Clear();
            for (int i = 0; i < photos.Length; i++)
            {
                decode.Add(Timed(() => PictureDecoder.Decode(photos[i], fit, pixels)));
                run.Add(Timed(one.Run));
                threads.Add(Timed(two.Run));
                long started = Stopwatch.GetTimestamp();
                if ((await connection.AskAsync(requests[i])).Status != 200) throw new InvalidOperationException("A photo is refused.");
                whole.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
            }
        }
        (double d, double r, double t, double w) = (Median(decode), Median(run), Median(threads), Median(whole));
        Console.WriteLine(Line($"one at a time, median of {decode.Count}: decode {d:0.00} ms, ONNX Runtime {r:0.00} ms (2 threads {t:0.00}), HTTP {w:0.00} ms: {w / (d + r):0.00} of decode + run; in sums {whole.Sum() / (decode.Sum() + run.Sum()):0.00}"));
    }

    static double Timed(Action action)
    {
        long started = Stopwatch.GetTimestamp();
        action();
        return Stopwatch.GetElapsedTime(started).TotalMilliseconds;
    }

    static double Median(List<double> times) => times.Order().ElementAt(times.Count / 2);

    static string Line(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    /// <summary>The network alone, memory bound once.</summary>
    sealed class Bare : IDisposable
    {
        readonly InferenceSession session;
        readonly OnnxRun run;
        readonly RunOptions options = new();

        public Bare(byte[] graph, int threads, byte[] pixels, float[] features, PictureFit fit)
        {
            using SessionOptions settings = new() { IntraOpNumThreads = threads, InterOpNumThreads = 1 };
            settings.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");         // a thread that spins would take the server's core
            session = new InferenceSession(graph, settings);
            run = new OnnxRun(session).Input<byte>(EncoderGraph.Pixels, pixels, 1, fit.Height, fit.Width, 3).Output<float>(ImageEncoderGraph.Features, features, 1, features.Length);
        }

        public void Run() => run.Run(session, options);

        public void Dispose()
        {
            run.Dispose();
            options.Dispose();
            session.Dispose();
        }
    }
}
