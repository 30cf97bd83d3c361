using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Google.Protobuf;
using Scion.Demo;
using Scion.Onnx;
using Scion.Vision;

namespace Scion.Bench;

/// <summary>How well are drawn dresses told apart from n labelled pictures of a class: by colours and edges, by a network from scratch, by features of pretrained networks?</summary>
static class DressTransfer
{
    public static Task<int> Run(string[] arguments)
    {
        Dictionary<string, string> given = arguments.Select(a => a.Split('=', 2)).ToDictionary(a => a[0], a => a[1], StringComparer.Ordinal);
        int[] sizes = [.. given.GetValueOrDefault("n", "10,20,40").Split(',').Select(n => int.Parse(n, CultureInfo.InvariantCulture))];
        DressPool pool = new(Number("draws", 5), sizes.Max(), Number("test", 120), Number("seed", 1));
        List<(string Name, DressLearner Learn)> arms = [("pixels", DressExperiment.Head(pool.PixelBaseline(), pool.Truth))];
        AddScratch(pool, given, arms);
        foreach (string file in given.GetValueOrDefault("encoder", "").Split(',', StringSplitOptions.RemoveEmptyEntries)) AddEncoder(pool, file, arms);
        foreach (int n in sizes)
        {
            long started = Stopwatch.GetTimestamp();
            DressOutcome outcome = DressExperiment.Run([.. pool.Draws.Select(draw => draw[..(2 * n)])], pool.Test, pool.Truth, arms);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"n={n}, {Stopwatch.GetElapsedTime(started).TotalSeconds:0} s"));
            for (int a = 0; a < outcome.Arms.Count; a++)
                Console.WriteLine($"  {outcome.Arms[a].Name,-40} {Text(outcome.Arms[a].Accuracy)}{(a < outcome.Gains.Count ? $"   last less this {Text(outcome.Gains[a].Accuracy)}" : "")}");
        }
        return Task.FromResult(0);

        int Number(string name, int otherwise) => given.TryGetValue(name, out string? text) ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;
    }

    static string Text(TransferArm arm) => string.Create(CultureInfo.InvariantCulture, $"{arm.Accuracy:F3} [{arm.Low:F3}, {arm.High:F3}]");

    /// <summary>A network file, as <c>scion encoders import</c> takes it, cut at each layer that <c>auto</c> offers.</summary>
    static void AddEncoder(DressPool pool, string file, List<(string Name, DressLearner Learn)> arms)
    {
        ImageEncoder encoder = Open(file);
        string[] layers = [.. encoder.Card.Layers.Where(layer => layer.Offered).Select(layer => layer.Name)];
        byte[] graph = EncoderGraph.Cut(encoder.Model, layers).ToByteArray();
        using EncoderSession session = new(graph, encoder.Card.Fit, [.. encoder.Card.Layers.Where(layer => layer.Offered).Select(layer => layer.Features)], encoder.Card.Batches);
        long started = Stopwatch.GetTimestamp();
        float[][][] features = pool.Features(session);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{encoder.Card.Name}: {pool.Files.Count / Stopwatch.GetElapsedTime(started).TotalSeconds:0} pictures/s"));
        foreach ((string name, float[][] of) in layers.Zip(features)) arms.Add(($"{encoder.Card.Name} {name}", DressExperiment.Head(Centred(of), pool.Truth)));
    }

    /// <summary>An encoder as it is stored, with its card beside it; else a network as SqueezeNet's file wants its pixels.</summary>
    static ImageEncoder Open(string file)
    {
        string card = Path.Combine(Path.GetDirectoryName(file)!, "encoder.json");
        return File.Exists(card)
            ? ImageEncoders.Open(JsonSerializer.Deserialize<ImageEncoderCard>(File.ReadAllBytes(card), ScionJson.Strict)!, File.ReadAllBytes(file))
            : ImageEncoders.Make(File.ReadAllBytes(file), new ImageEncoderOrigin(Path.GetFileName(file)) { Preset = PicturePreset.Named("bgr") }).Encoder;
    }

    /// <summary>Unit length about the mean of all pictures, no label seen.</summary>
    static float[][] Centred(float[][] features)
    {
        float[] mean = [.. Enumerable.Range(0, features[0].Length).Select(j => features.Average(row => row[j]))];
        return [.. features.Select(row =>
        {
            float[] centred = [.. row.Zip(mean, (x, m) => x - m)];
            float length = MathF.Sqrt(centred.Sum(x => x * x)) + 1e-9f;
            return (float[])[.. centred.Select(x => x / length)];
        })];
    }

#if TORCH
    static void AddScratch(DressPool pool, Dictionary<string, string> given, List<(string Name, DressLearner Learn)> arms)
    {
        foreach (string choice in given.GetValueOrDefault("scratch", "48x40").Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] parts = choice.Split('x');
            (int side, int epochs) = (int.Parse(parts[0], CultureInfo.InvariantCulture), int.Parse(parts[1], CultureInfo.InvariantCulture));
            byte[][] pixels = pool.Pixels(new PictureFit(PictureFit.CurrentVersion, side, side, PictureResize.Squash, 0));
            arms.Add(($"from scratch {choice}", (train, test, cancellation) =>
            {
                long started = Stopwatch.GetTimestamp();
                using Torch.ScratchNetwork network = Torch.ScratchNetwork.Train([.. train.SelectMany(i => pixels[i])], [.. train.Select(i => pool.Truth[i] ? 1 : 0)], side, 2,
                    new Torch.ScratchOptions(Epochs: epochs), cancellation);
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {network.Parameters:N0} parameters trained in {Stopwatch.GetElapsedTime(started).TotalSeconds:0.0} s"));
                return [.. network.Logits([.. test.SelectMany(i => pixels[i])]).Select(scores => (double)scores[1] - scores[0])];
            }));
        }
    }
#else
    static void AddScratch(DressPool pool, Dictionary<string, string> given, List<(string Name, DressLearner Learn)> arms) =>
        Console.WriteLine("no network from scratch in this build: -p:Accelerator=cpu");
#endif
}
