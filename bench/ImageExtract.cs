using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Google.Protobuf;
using Scion.Datasets;
using Scion.Heads;
using Scion.Onnx;
using Scion.Pipelines;
using Scion.Storage;
using Scion.Vision;

namespace Scion.Bench;

/// <summary>Does extraction keep up with what decoding and ONNX Runtime allow, each alone on the same cores? What does a second run cost? How much memory?</summary>
/// <remarks>Pictures are those of the folder, again and again until there are enough, each with a comment of its own in the JPEG: other digests,
/// the same work. Decoding alone: every picture, on all cores. ONNX Runtime alone: the same cut graph on the same number of pictures held in memory, by the fastest of three
/// ways. Then the step, shard by shard as a run calls it, on a file store in the folder for temporary files; then twice more: the same input (kept
/// answers), and an input that differs in nothing that features depend on (cached features).
/// <code>image-extract ../shared/data/clothing ../shared/data/encoders/squeezenet_fp16.onnx preset=bgr pictures=2000 rounds=3 [decoder=PROGRAM]</code>
/// <c>alone=no</c> leaves the first two out: for memory over many pictures.</remarks>
static class ImageExtract
{
    const int PerShard = 500;

    public static async Task<int> Run(string[] arguments)
    {
        Dictionary<string, string> set = arguments[2..].Select(a => a.Split('=', 2)).ToDictionary(a => a[0], a => a[1]);
        int count = int.Parse(set.GetValueOrDefault("pictures", "2000"), CultureInfo.InvariantCulture), rounds = int.Parse(set.GetValueOrDefault("rounds", "1"), CultureInfo.InvariantCulture);
        int cores = Environment.ProcessorCount;
        string[] files = [.. Directory.EnumerateFiles(arguments[0], "*.jpg", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];
        ImageEncoder encoder = ImageEncoders.Make(await File.ReadAllBytesAsync(arguments[1]), new ImageEncoderOrigin(Path.GetFileName(arguments[1]))
        {
            Preset = set.TryGetValue("preset", out string? preset) ? PicturePreset.Named(preset) : null,
        }).Encoder;
        EncoderLayer[] layers = [.. encoder.Card.Layers.Where(layer => layer.Offered)];
        byte[] graph = EncoderGraph.Cut(encoder.Model, [.. layers.Select(layer => layer.Name)]).ToByteArray();
        await using DecoderProcesses? processes = set.TryGetValue("decoder", out string? program) ? new DecoderProcesses(new DecoderOptions(program, cores), TimeProvider.System) : null;
        IPictureReader reader = (IPictureReader?)processes ?? new InProcessPictures();

        for (int round = 0; round < rounds; round++)
        {
            string folder = Path.Combine(Path.GetTempPath(), $"scion-image-extract-{Environment.ProcessId}");
            try
            {
                FileBlobStore store = new(folder);
                StepMemo memo = new(store);
                CuratedRows data = await StoreAsync(store, files, count);
                bool alone = set.GetValueOrDefault("alone", "yes") == "yes";
                TimeSpan decode = alone ? await DecodeAsync(reader, files, encoder.Card.Fit, count, cores) : TimeSpan.Zero;
                (TimeSpan run, string way) = alone ? Bare(graph, encoder.Card.Fit, layers, count, cores) : (TimeSpan.Zero, "");
                ArtifactRef stored = await new StepWriter(store, "encoder").AddAsync("cut.onnx", graph, default);
                ImageEncoderReady ready = new(encoder.Card, stored, layers, encoder.Card.DefaultLayer, true);

                using EncoderSessions sessions = new();
                using PictureWorkers workers = new(reader, cores);
                (TimeSpan step, int computed, string device) = await ExtractAsync(memo, workers, sessions, ready, data, cores);
                (TimeSpan kept, int again, _) = await ExtractAsync(memo, workers, sessions, ready, data, cores);
                (TimeSpan cached, int third, _) = await ExtractAsync(memo, workers, sessions, ready, data with { Warnings = ["another input, the same pictures"] }, cores);
                using Process self = Process.GetCurrentProcess();
                self.Refresh();
                if (alone) Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"{count} pictures, {cores} cores, {layers.Length} layers, {device}{(processes is null ? "" : ", pictures read in other processes")}: decoding alone {count / decode.TotalSeconds:f1}/s, ONNX Runtime alone {count / run.TotalSeconds:f1}/s ({way}), both in turn {count / (decode + run).TotalSeconds:f1}/s"));
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"  step {count / step.TotalSeconds:f1}/s ({step.TotalSeconds:f1} s, {computed} computed){(alone ? $", {(decode + run) / step:f3} of what both allow" : "")}; kept answers {kept.TotalSeconds:f3} s ({step / kept:f0}×, {again} computed first); cached features {cached.TotalSeconds:f3} s ({step / cached:f0}×, {third} computed); peak memory {self.PeakWorkingSet64 >> 20} MiB"));
            }
            finally
            {
                if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
            }
        }
        return 0;
    }

    static async Task<(TimeSpan Time, int Computed, string Device)> ExtractAsync(
        StepMemo memo, PictureWorkers workers, EncoderSessions sessions, ImageEncoderReady encoder, CuratedRows data, int atOnce)
    {
        long began = Stopwatch.GetTimestamp();
        ImageFeaturesExtracted[] shards = new ImageFeaturesExtracted[data.Shards.Count];
        await Parallel.ForAsync(0, shards.Length, new ParallelOptions { MaxDegreeOfParallelism = atOnce }, async (shard, cancellation) =>
            shards[shard] = await new ExtractImageFeaturesStep(memo, workers, sessions).RunAsync(new ExtractImageFeaturesInput(encoder, data.Shard(shard)), null, cancellation));
        return (Stopwatch.GetElapsedTime(began), shards.Sum(shard => shard.Computed), shards[0].Device);
    }

    static async Task<TimeSpan> DecodeAsync(IPictureReader reader, string[] files, PictureFit fit, int count, int cores)
    {
        byte[][] some = [.. files.Take(1000).Select(File.ReadAllBytes)];
        long began = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, cores).Select(core => Task.Run(async () =>
        {
            byte[] pixels = new byte[fit.Bytes];
            for (int i = core; i < count; i += cores) await reader.ReadAsync(some[i % some.Length], fit, pixels, default);
        })));
        return Stopwatch.GetElapsedTime(began);
    }

    /// <summary>The fastest of: a call a core on one thread, of one picture and of four; one call at a time on all cores, of four.</summary>
    static (TimeSpan Time, string Way) Bare(byte[] graph, PictureFit fit, EncoderLayer[] layers, int count, int cores)
    {
        int sample = Math.Min(count, 400);
        (int Batch, int Calls, int Threads)[] ways = [(1, cores, 1), (EncoderSession.CpuBatch, cores, 1), (EncoderSession.CpuBatch, 1, cores)];
        (TimeSpan Time, int Batch, int Calls, int Threads) best = ways.Select(way =>
            (Time: Measure(way.Batch, way.Calls, way.Threads, sample), way.Batch, way.Calls, way.Threads)).MinBy(way => way.Time);
        return (Measure(best.Batch, best.Calls, best.Threads, count), $"batches of {best.Batch}, {best.Calls} calls at once on {best.Threads} threads each");

        TimeSpan Measure(int batch, int calls, int threads, int pictures)
        {
            using Microsoft.ML.OnnxRuntime.SessionOptions settings = new() { IntraOpNumThreads = threads };
            using Microsoft.ML.OnnxRuntime.InferenceSession session = new(graph, settings);
            using Microsoft.ML.OnnxRuntime.RunOptions options = new();
            byte[] pixels = new byte[batch * fit.Bytes];
            new Random(1).NextBytes(pixels);
            Parallel.For(0, calls, _ => Call(pictures: batch));
            long began = Stopwatch.GetTimestamp();
            Task.WaitAll([.. Enumerable.Range(0, calls).Select(_ => Task.Run(() => Call(pictures / calls)))]);
            return Stopwatch.GetElapsedTime(began);

            void Call(int pictures)
            {
                float[][] outputs = [.. layers.Select(layer => new float[batch * layer.Features])];
                using OnnxRun run = new OnnxRun(session).Input<byte>(EncoderGraph.Pixels, pixels, batch, fit.Height, fit.Width, 3);
                for (int i = 0; i < outputs.Length; i++) run.Output<float>(EncoderGraph.FeaturesName(i), outputs[i], batch, layers[i].Features);
                for (int done = 0; done < pictures; done += batch) run.Run(session, options);
            }
        }
    }

    /// <summary>A data set of labelled pictures in shards, as ingestion and curation leave it.</summary>
    static async Task<CuratedRows> StoreAsync(FileBlobStore store, string[] files, int count)
    {
        StepWriter writer = new(store, "pictures");
        List<ShardRef> shards = [];
        List<RowUse[]> uses = [];
        PictureFingerprint none = PictureFingerprint.Read(new byte[PictureFingerprint.Length]);
        for (int from = 0; from < count; from += PerShard)
        {
            using MemoryStream rows = new();
            List<IndexedPicture> index = [];
            for (int i = from; i < Math.Min(count, from + PerShard); i++)
            {
                byte[] picture = WithComment(await File.ReadAllBytesAsync(files[i % files.Length]), i);
                ImageShard.Append(rows, new ImageRow($"p{i}.jpg", picture));
                index.Add(new IndexedPicture($"p{i}.jpg", SHA256.HashData(picture), none));
            }
            ArtifactRef stored = await writer.AddAsync("rows.bin", rows.ToArray(), default);
            shards.Add(new ShardRef(stored, stored, index.Count) { Pictures = await writer.AddAsync("pictures.bin", PictureIndex.ToBytes(index), default) });
            uses.Add([.. index.Select(_ => RowUse.Train)]);
        }
        ArtifactRef table = await writer.AddAsync("table.bin", RowTable.Of(uses, [.. Enumerable.Range(0, count).Select(i => i % 2)]).ToBytes(), default);
        return new CuratedRows(DataKind.Images, ["a", "b"], shards, table, Protocol.HashSplit, [], [], 0, 0, 0, null, []);
    }

    /// <summary>The JPEG with a comment after its first marker.</summary>
    static byte[] WithComment(byte[] jpeg, int number) => [jpeg[0], jpeg[1], 0xFF, 0xFE, 0, 6, .. BitConverter.GetBytes(number), .. jpeg[2..]];
}
