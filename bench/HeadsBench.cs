using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Scion.Datasets;
using Scion.Evaluation;
using Scion.Heads;
using Scion.Pipelines;
using Scion.Storage;
using Scion.Text;

namespace Scion.Bench;

/// <summary>How long does fitting a head take, and does it reach the optimum that scikit-learn does?</summary>
/// <remarks>Rows are normal noise of unit length, the classes shifted apart. Times are the least of several runs after one to warm up. scikit-learn
/// is compared where <c>/usr/bin/python3</c> has it (<c>apt-get install python3-sklearn</c>), with its own timer, one fit at strength 0.1 at its
/// tolerance 1e-6.</remarks>
static class HeadsBench
{
    public static async Task<int> Run(string[] arguments)
    {
        (DenseFeatures features, float[] values, int[] labels, int[] rows) = Make(1000, 100, 2, seed: 1);
        DenseFeatures large = features;
        (int[] largeRows, int[] largeLabels) = (rows, labels);
        Print("choose by cross-validation and fit, 1,000 x 100",
            () => HeadSelection.Fit(_ => large, largeRows, largeLabels, 2, HeadSelection.Auto, 1, Environment.ProcessorCount, default), "0.3 s");
        (DenseFeatures few, _, int[] fewLabels, int[] fewRows) = Make(160, 100, 2, seed: 2);
        Print("the same for 20 draws of 8 labels, 100 components", () =>
        {
            for (int draw = 0; draw < 20; draw++)
                HeadSelection.Fit(_ => few, fewRows[(8 * draw)..(8 * (draw + 1))], fewLabels, 2, HeadSelection.Auto, draw, Environment.ProcessorCount, default);
        }, "1 s");

        int rounds = arguments.FirstOrDefault(a => a.StartsWith("rounds=", StringComparison.Ordinal)) is { } given ? int.Parse(given.AsSpan(7), CultureInfo.InvariantCulture) : 1;
        arguments = [.. arguments.Where(a => !a.StartsWith("rounds=", StringComparison.Ordinal))];
        foreach (int classes in new[] { 2, 4 })
        {
            (features, values, labels, rows) = Make(1000, 100, classes, seed: 3);
            LinearHead head = new([], [1]);
            List<double> ours = [], sklearn = [];
            double apart = 0, largest = 0;
            for (int round = 0; round < rounds; round++)
            {
                ours.Add(Least(20, () => head = LogisticRegression.Fit(features, rows, labels, classes, 0.1)));
                if (await ScikitLearnAsync(values, labels, 100, 10) is not { } answer) break;
                double[] numbers = [.. answer.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(n => double.Parse(n, CultureInfo.InvariantCulture))];
                double[] theirs = numbers[1..];
                double[] mine = classes == 2
                    ? [.. Enumerable.Range(0, 100).Select(i => (double)head.Weights[100 + i] - head.Weights[i]), head.Bias[1] - head.Bias[0]]
                    : [.. head.Weights.Select(w => (double)w), .. Centred(head.Bias)];
                if (classes > 2) theirs = [.. theirs[..^classes], .. Centred([.. theirs[^classes..].Select(b => (float)b)])];
                sklearn.Add(numbers[0]);
                (apart, largest) = (mine.Zip(theirs, (a, b) => Math.Abs(a - b)).Max(), theirs.Max(Math.Abs));
            }
            double Median(List<double> times) => times.Order().ElementAt(times.Count / 2);
            if (sklearn.Count == 0)
            {
                Console.WriteLine($"scikit-learn: not installed; one fit of ours, {classes} classes, takes {1000 * Median(ours):F1} ms");
                continue;
            }
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"one fit, {classes} classes, 1,000 x 100, median of {rounds}: {1000 * Median(ours):F1} ms; scikit-learn {1000 * Median(sklearn):F1} ms; ratio {Median(sklearn) / Median(ours):F1}; largest |Δ weight| {apart:E1} of {largest:F2} ({apart / largest:E1} of it){(apart < 1e-4 * Math.Max(1, largest) ? "" : "  DIFFERENT")}"));
        }
        if (arguments.Length > 0) await StepsAsync(arguments[0], arguments.Length > 1 ? int.Parse(arguments[1], CultureInfo.InvariantCulture) : 0);
        return 0;
    }

    /// <summary>Both steps on a file of reviews, with untrained vectors twice (their cost is that of trained ones): time and answer.</summary>
    static async Task StepsAsync(string path, int labelled)
    {
        string root = Directory.CreateTempSubdirectory("scion-heads-").FullName;
        try
        {
            StepMemo memo = new(new FileBlobStore(root));
            byte[] bytes = await File.ReadAllBytesAsync(path);
            ReviewSettings settings = new() { Split = new SplitSettings { CrossValidateBelow = 100 } };
            if (labelled > 0)                                            // the first of each class keep their labels
            {
                LabelledTexts texts = LabelledTexts.Read(path, labelled);
                StringBuilder csv = new("text,label\n");
                foreach ((string text, int label) in texts.Pool.Zip(texts.PoolLabels).Concat(texts.Held.Zip(texts.HeldLabels)))
                    csv.Append('"').Append(text.Replace("\"", "\"\"", StringComparison.Ordinal)).Append("\",").Append(label == 0 ? "a" : "b").Append('\n');
                bytes = Encoding.UTF8.GetBytes(csv.ToString());
            }
            BlobPath name = BlobPath.Of("reviews", "bench/" + (path.EndsWith(".gz", StringComparison.Ordinal) && labelled == 0 ? "reviews.csv.gz" : "reviews.csv"));
            BlobItem item = (await memo.Store.CreateAsync(name, new MemoryStream(bytes), default))!;
            IngestedFile file = await new IngestReviewsStep(memo).RunAsync(new IngestReviewsInput(
                new PinnedFile(name.Container, name.Name, item.ETag, bytes.Length, Convert.ToHexStringLower(SHA256.HashData(bytes))), settings), null, default);
            CuratedRows data = await new CurateStep(memo).RunAsync(new CurateInput(DataKind.Reviews, [file], settings.Split), null, default);
            VocabularyBuilt vocabulary = await new BuildVocabularyStep(memo, Environment.ProcessorCount).RunAsync(new BuildVocabularyInput(data, settings), null, default);
            EncoderTrained encoder = await new PretrainEmbeddingsStep(memo, new SkipGramTrainer()).RunAsync(
                new PretrainEmbeddingsInput(EncoderSource.Untrained, null, data, vocabulary), null, default);
            List<FeaturesExtracted> features = [];
            for (int shard = 0; shard < data.Shards.Count; shard++)
                features.Add(await new ExtractFeaturesStep(memo).RunAsync(new ExtractFeaturesInput(encoder, data.Shard(shard)), null, default));
            Console.WriteLine($"{data.Protocol}, {data.Train.Sum(c => c.Rows)} training rows, {data.Test.Sum(c => c.Rows)} test rows, {data.Labels.Count} classes");
            List<HeadsTrained> candidates = [];
            HeadSettings head = new(settings.Head, settings.Seed);
            FeatureSet set = new("", features);
            foreach (CandidateKind kind in new[] { CandidateKind.Transfer, CandidateKind.Scratch, CandidateKind.BagOfWords })
            {
                long started = Stopwatch.GetTimestamp();
                candidates.Add(await new TrainHeadsStep(memo).RunAsync(
                    new TrainHeadsInput(kind, kind == CandidateKind.BagOfWords ? [] : [set], data, head), null, default));
                HeadsTrained trained = candidates[^1];
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"  TrainHeads {kind}: {Stopwatch.GetElapsedTime(started).TotalSeconds:F2} s; {trained.Head}, strength {trained.Strength}, validated {trained.ValidationAccuracy:F3}, temperature {trained.Temperature:F2}"));
            }
            long begun = Stopwatch.GetTimestamp();
            Evaluated evaluated = await new EvaluateStep(memo).RunAsync(new EvaluateInput(data, candidates, [set], head, [file]), null, default);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"  Evaluate: {Stopwatch.GetElapsedTime(begun).TotalSeconds:F2} s; {string.Join(", ", evaluated.Models.Select(m => $"{m.Name} {m.Accuracy.Value:F3} ({m.Accuracy.Low:F3} to {m.Accuracy.High:F3})"))}; abstains below {evaluated.AbstainBelow:F2}; {evaluated.Suspects.Count} suspects"));
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    static void Print(string what, Action work, string goal)
    {
        double seconds = Least(5, work);
        TimeSpan before = Environment.CpuUsage.TotalTime;
        work();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{what}: {1000 * seconds:F0} ms, of processor {(Environment.CpuUsage.TotalTime - before).TotalMilliseconds:F0} ms (goal: under {goal})"));
    }

    static double[] Centred(float[] biases) => [.. biases.Select(b => (double)b - biases.Average())];

    static double Least(int runs, Action work)
    {
        work();
        return Enumerable.Range(0, runs).Min(_ =>
        {
            long started = Stopwatch.GetTimestamp();
            work();
            return Stopwatch.GetElapsedTime(started).TotalSeconds;
        });
    }

    static (DenseFeatures Features, float[] Values, int[] Labels, int[] Rows) Make(int rows, int dim, int classes, int seed)
    {
        Random random = new(seed);
        float[] values = new float[rows * dim];
        int[] labels = [.. Enumerable.Range(0, rows).Select(i => i % classes)];
        for (int i = 0; i < rows; i++)
        {
            Span<float> row = values.AsSpan(i * dim, dim);
            foreach (ref float value in row) value = (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
            row[labels[i]] += 2;
            float norm = System.Numerics.Tensors.TensorPrimitives.Norm<float>(row);
            foreach (ref float value in row) value /= norm;
        }
        return (new DenseFeatures(values, dim), values, labels, [.. Enumerable.Range(0, rows)]);
    }

    /// <summary>Seconds of the fastest fit, then weights and biases; null where scikit-learn is not installed.</summary>
    static async Task<string?> ScikitLearnAsync(float[] values, int[] labels, int dim, double c)
    {
        const string script = """
            import sys, time
            try:
                import numpy as np
                from sklearn.linear_model import LogisticRegression
            except ImportError:
                sys.exit(3)
            dim, c = int(sys.argv[1]), float(sys.argv[2])
            data = np.loadtxt(sys.stdin)
            y, X = data[:, 0].astype(int), data[:, 1:].astype(np.float64)
            best = 1e9
            for _ in range(10):
                head = LogisticRegression(C=c, class_weight="balanced", tol=1e-6, max_iter=10000)
                started = time.perf_counter()
                head.fit(X, y)
                best = min(best, time.perf_counter() - started)
            exact = LogisticRegression(C=c, class_weight="balanced", tol=1e-9, max_iter=1000).fit(X, y)
            print(best, *exact.coef_.ravel(), *exact.intercept_)
            """;
        StringBuilder lines = new();
        for (int i = 0; i < labels.Length; i++)
            lines.Append(labels[i]).Append(' ').AppendJoin(' ', values.AsSpan(i * dim, dim).ToArray().Select(v => v.ToString("R", CultureInfo.InvariantCulture))).Append('\n');
        try
        {
            using Process python = Process.Start(new ProcessStartInfo("/usr/bin/python3", ["-c", script, $"{dim}", c.ToString(CultureInfo.InvariantCulture)])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
            })!;
            Task<string> output = python.StandardOutput.ReadToEndAsync();
            try
            {
                await python.StandardInput.WriteAsync(lines);
                python.StandardInput.Close();
            }
            catch (IOException)                                           // it ended before reading: no scikit-learn
            {
            }
            await python.WaitForExitAsync();
            return python.ExitCode == 0 ? await output : null;
        }
        catch (Win32Exception)
        {
            return null;
        }
    }
}
