using System.Globalization;
using Scion.Heads;
using Scion.Onnx;
using Scion.Vision;

namespace Scion.Bench;

/// <summary>How accurate is the product's head on n labelled pictures per class, by features?</summary>
/// <remarks>Three tenths of the pictures are held back by digest and read by nothing but the last count. A draw takes n pictures a class of the rest;
/// all features see the same draws. Accuracy is the share of all held-back pictures of the task's classes.
/// <code>image-labels ../shared/data/clothing ../shared/data/encoders/squeezenet_fp16.onnx preset=bgr n=4,10,25,50 draws=5 tasks=all;dress,pants;dress,skirt</code>
/// <c>resize=pad|squash|crop</c>; <c>sets=all</c> prints each layer,
/// <c>baselines=no</c> leaves those out.</remarks>
static class ImageLabels
{
    public static async Task<int> Run(string[] arguments)
    {
        Dictionary<string, string> set = arguments[2..].Select(a => a.Split('=', 2)).ToDictionary(a => a[0], a => a[1]);
        int[] sizes = [.. set.GetValueOrDefault("n", "4,10,25,50").Split(',').Select(v => int.Parse(v, CultureInfo.InvariantCulture))];
        int draws = int.Parse(set.GetValueOrDefault("draws", "5"), CultureInfo.InvariantCulture);
        LabelledPictures data = LabelledPictures.Read(arguments[0]);
        ImageEncoder encoder = await EncoderAsync(arguments[1], set);
        EncoderLayer[] layers = [.. encoder.Card.Layers.Where(layer => layer.Offered)];
        int preferred = Array.FindIndex(layers, layer => layer.Name == encoder.Card.DefaultLayer);
        Console.WriteLine($"{data.Files.Length} pictures, {data.Held.Count(held => held)} held back; {encoder.Card.Name}, {encoder.Card.Fit.Resize}; {draws} draws; accuracy ± standard error over draws");
        DenseFeatures[] learned = data.Of(encoder, layers, "pretrained");
        List<(string Name, DenseFeatures[] Sets)> rows = [];
        if (set.GetValueOrDefault("baselines", "yes") == "yes")
        {
            rows.Add(("pixels", [data.Pixels()]));
            rows.Add(("scratch, by validation", data.Of(encoder with { Model = EncoderGraph.ShuffledWeights(encoder.Model, 1) }, layers, "shuffled")));
        }
        if (set.GetValueOrDefault("sets", "default") == "all")
            for (int layer = 0; layer < layers.Length; layer++) rows.Add(($"{layers[layer].Name}, {layers[layer].Features}", [learned[layer]]));
        else rows.Add(($"{layers[preferred].Name}, {layers[preferred].Features}", [learned[preferred]]));
        rows.Add(("layer by validation", learned));

        foreach (string task in set.GetValueOrDefault("tasks", "all;dress,pants;dress,skirt").Split(';'))
        {
            int[] classes = task == "all" ? [.. Enumerable.Range(0, data.Labels.Length)] : [.. task.Split(',').Select(label => Array.IndexOf(data.Labels, label))];
            if (classes.Contains(-1)) throw new ArgumentException($"There is no folder for one of '{task}'.");
            Console.WriteLine($"{task,-32}{string.Concat(sizes.Select(n => $"{$"n={n}",16}"))}");
            foreach ((string name, DenseFeatures[] sets) in rows)
            {
                List<string> chosen = [];
                string[] cells = [.. sizes.Select(n => Cell(data, sets, preferred, classes, n, draws, chosen))];
                string counted = sets.Length == 1 ? "" : "  " + string.Join(", ", chosen.GroupBy(c => c).OrderByDescending(g => g.Count()).Select(g => $"{layers[int.Parse(g.Key, CultureInfo.InvariantCulture)].Name} ×{g.Count()}"));
                Console.WriteLine($"{name,-32}{string.Concat(cells.Select(cell => $"{cell,16}"))}{counted}");
            }
        }
        return 0;
    }

    static async Task<ImageEncoder> EncoderAsync(string path, Dictionary<string, string> set)
    {
        ImageEncoderOrigin origin = new(Path.GetFileName(path))
        {
            Preset = set.TryGetValue("preset", out string? preset) ? PicturePreset.Named(preset) : null,
            Resize = set.TryGetValue("resize", out string? resize) ? resize switch { "pad" => PictureResize.Pad, "squash" => PictureResize.Squash, _ => PictureResize.CentreCrop } : null,
        };
        return ImageEncoders.Make(await File.ReadAllBytesAsync(path), origin).Encoder;
    }

    static string Cell(LabelledPictures data, DenseFeatures[] sets, int preferred, int[] classes, int perClass, int draws, List<string> chosen)
    {
        double[] accuracies = new double[draws];
        for (int draw = 0; draw < draws; draw++)
        {
            Random random = new((1000 * draw) + perClass);
            List<int> rows = [];
            foreach (int c in classes)
            {
                int[] own = [.. Enumerable.Range(0, data.Files.Length).Where(i => !data.Held[i] && data.Classes[i] == c)];
                if (own.Length < perClass) return "–";
                random.Shuffle(own);
                rows.AddRange(own[..perClass]);
            }
            int[] train = [.. rows.Order()], test = [.. Enumerable.Range(0, data.Files.Length).Where(i => data.Held[i] && classes.Contains(data.Classes[i]))], used = [.. train, .. test];
            int[] labels = [.. used.Select(i => Array.IndexOf(classes, data.Classes[i]))];
            // Heads are fitted in the space of the training rows: what lies outside it no head of ours sees.
            FeatureMatrix[] matrices = [.. sets.Select(of => (FeatureMatrix)Rows(of, used))];
            RowSpace[] spaces = [.. sets.Select(of => new RowSpace(Rows(of, train)))];
            int[] places = [.. Enumerable.Range(0, train.Length)];
            (int best, SelectedHead fitted, _) = HeadSelection.FitBest([.. spaces.Select(space => (Func<int[], FeatureMatrix>)(_ => space))],
                sets.Length > 1 ? preferred : 0, [], places, labels, classes.Length, HeadSelection.Auto, 1, Environment.ProcessorCount, default);
            chosen.Add(best.ToString(CultureInfo.InvariantCulture));
            WideHead head = new(spaces[best].Widen(fitted.Head));
            float[] logits = new float[classes.Length];
            int right = 0;
            for (int i = train.Length; i < used.Length; i++)
            {
                head.Logits(matrices[best], i, logits);
                if (HeldOutPredictions.Largest(logits) == labels[i]) right++;
            }
            accuracies[draw] = (double)right / test.Length;
        }
        double mean = accuracies.Average(), error = Math.Sqrt(accuracies.Sum(a => (a - mean) * (a - mean)) / Math.Max(1, draws - 1) / draws);
        return string.Create(CultureInfo.InvariantCulture, $"{mean:f3} ±{error:f3}");
    }

    static DenseFeatures Rows(DenseFeatures features, int[] rows)
    {
        float[] values = new float[rows.Length * features.Dim];
        for (int i = 0; i < rows.Length; i++)
            for (int d = 0; d < features.Dim; d++) values[(i * features.Dim) + d] = (float)features.Row(rows[i])[d];
        return new DenseFeatures(values, features.Dim);
    }
}
