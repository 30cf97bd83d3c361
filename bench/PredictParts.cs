using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Scion.Registry;
using Scion.Serving;
using Scion.Storage;
using Scion.Web;

namespace Scion.Bench;

/// <summary>Where does the time of one prediction of a 20-word review go? One thread, no HTTP; the least of many rounds, as others use the machine.</summary>
static class PredictParts
{
    public static async Task<int> RunAsync(string[] arguments)
    {
        string folder = Path.Combine(Path.GetTempPath(), $"scion-predict-{Path.GetRandomFileName()}");
        Directory.CreateDirectory(folder);
        try
        {
            await ServeLoad.PublishAsync(folder);
            ModelPackage package = await new ModelRegistry(new FileBlobStore(folder), TimeProvider.System).ReadServedAsync(ServeLoad.Model, ServeLoad.Version, null, default);
            using ReviewPredictor predictor = ReviewPredictor.Load(package);
            string[] texts = ServeLoad.Texts(20, 512);
            ReadOnlySequence<byte>[] bodies = [.. texts.Select(text => new ReadOnlySequence<byte>(JsonSerializer.SerializeToUtf8Bytes(new { inputs = new[] { text } })))];
            Prediction[] answers = predictor.Predict(texts);
            float[] logits = new float[2];
            ScionApiOptions limits = new() { Key = new string('k', 32) };
            Report("reading the body", i => PredictRequest.Parse(bodies[i], limits));
            float[] features = [.. Enumerable.Range(0, 1000 * 100).Select(i => MathF.Sin(i))], cosines = new float[1000];
            Examples examples = new(features, new int[1000], texts, 100, pictures: false);
            Report("1,000 examples", _ => examples.Compare(features.AsSpan(0, 100), cosines));
            Report("words, both graphs", i => predictor.Logits(texts[i], logits));
            Report("whole prediction", i => predictor.Predict(texts[i]));
            Report("writing the answer", i =>
            {
                using PredictionWriter writer = PredictionWriter.Take();
                writer.Begin("m", "v");
                writer.Add(answers[i]);
                writer.End();
            });
            Report("explained", i => predictor.Predict(texts[i], explain: true));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
        return 0;
    }

    /// <summary>Batches of about a millisecond: short enough that some are not interrupted by what else runs here.</summary>
    static void Report(string what, Action<int> run)
    {
        const int Batch = 16, Texts = 512;
        for (int i = 0; i < 8 * Texts; i++) run(i % Texts);
        double best = double.MaxValue;
        long allocated = 0;
        int at = 0;
        for (Stopwatch all = Stopwatch.StartNew(); all.ElapsedMilliseconds < 1500; at = (at + Batch) % Texts)
        {
            long before = GC.GetAllocatedBytesForCurrentThread(), start = Stopwatch.GetTimestamp();
            for (int i = 0; i < Batch; i++) run(at + i);
            double each = Stopwatch.GetElapsedTime(start).TotalMicroseconds / Batch;
            if (each < best) (best, allocated) = (each, (GC.GetAllocatedBytesForCurrentThread() - before) / Batch);
        }
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what,-28} {best,7:0.0} µs  {allocated,6} bytes"));
    }
}
