using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using Google.Protobuf;
using Scion.Heads;
using Scion.Onnx;
using Scion.Text;
using Scion.Vision;

namespace Scion.Bench;

/// <summary>Where does the encoder that ships with Scion stand: beside pixels, beside the same network untrained, beside an ImageNet network?</summary>
/// <remarks>Only photos that pretraining did not see: those whose SHA-256, read as a fraction, is at least 1 − hold-out, and all of the labels that were left out of
/// pretraining. A draw takes n of them a label to fit a head on and counts on all others of the task. Every row of the table gets the same draws and the same
/// head: logistic regression, its strength by cross-validation on the n labels.
/// <code>default-encoder ../shared/data/clothing [../shared/data/encoders/squeezenet_fp16.onnx] [encoder=FILE]
///  [hold-out=0.35] [unseen=dress,skirt] [n=4,10,25,50] [draws=10] [resize=squash|pad|crop]</code>
/// A label with too few photos gives at most half of them, and says so.</remarks>
static class DefaultEncoderBench
{
    /// <summary>Features of all photos by one method: one set a layer, [photos, dim].</summary>
    /// <param name="Name">Of the method.</param>
    /// <param name="Layers">Names of the sets.</param>
    /// <param name="Sets">Features.</param>
    /// <param name="Preferred">Index of the set that is preferred when validation cannot tell.</param>
    sealed record Method(string Name, string[] Layers, DenseFeatures[] Sets, int Preferred);

    public static Task<int> Run(string[] arguments)
    {
        string[] plain = [.. arguments.Where(a => !a.Contains('=', StringComparison.Ordinal))];
        Dictionary<string, string> set = arguments.Where(a => a.Contains('=', StringComparison.Ordinal)).Select(a => a.Split('=', 2)).ToDictionary(a => a[0], a => a[1], StringComparer.Ordinal);
        string[] unseen = set.GetValueOrDefault("unseen", "dress,skirt").Split(',');
        double from = 1 - double.Parse(set.GetValueOrDefault("hold-out", "0.35"), CultureInfo.InvariantCulture);
        int[] sizes = [.. set.GetValueOrDefault("n", "4,10,25,50").Split(',').Select(n => int.Parse(n, CultureInfo.InvariantCulture))];
        int draws = int.Parse(set.GetValueOrDefault("draws", "10"), CultureInfo.InvariantCulture);
        (string[] files, string[] labels, bool[] fresh) = Photos(plain[0], from, unseen);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{files.Length} photos that pretraining did not see; {draws} draws; accuracy on the photos not drawn ± standard error over draws"));

        ImageEncoder ours = Default(set);
        List<Method> methods = [new("pixels: colours and HOG", [""], [Pixels(files)], 0)];
        if (plain.Length > 1)
            methods.Add(Features("squeezenet", ImageEncoders.Make(File.ReadAllBytes(plain[1]), new ImageEncoderOrigin(plain[1]) { Preset = PicturePreset.Named("bgr") }).Encoder, files));
        methods.Add(Features("untrained", ours with { Model = EncoderGraph.ShuffledWeights(ours.Model, 1) }, files));
        methods.Add(Features("default", ours, files));

        Table(string.Join(" against ", unseen), methods, [.. Enumerable.Range(0, files.Length).Where(i => unseen.Contains(labels[i]))], labels, sizes, draws);
        Table("all labels", methods, [.. Enumerable.Range(0, files.Length).Where(i => fresh[i])], labels, sizes, draws);
        return Task.FromResult(0);
    }

    /// <summary>Photos not seen; fresh are those that are held out by their digest, whatever their label.</summary>
    static (string[] Files, string[] Labels, bool[] Fresh) Photos(string folder, double from, string[] unseen)
    {
        List<(string File, string Label, bool Fresh)> photos = [];
        foreach (string labelled in Directory.GetDirectories(folder).Order(StringComparer.Ordinal))
            foreach (string file in Directory.GetFiles(labelled).Order(StringComparer.Ordinal))
            {
                string label = Path.GetFileName(labelled);
                bool fresh = BinaryPrimitives.ReadUInt64BigEndian(SHA256.HashData(File.ReadAllBytes(file))) / 18446744073709551616.0 >= from;
                if (fresh || unseen.Contains(label)) photos.Add((file, label, fresh));
            }
        return ([.. photos.Select(p => p.File)], [.. photos.Select(p => p.Label)], [.. photos.Select(p => p.Fresh)]);
    }

    static ImageEncoder Default(Dictionary<string, string> set)
    {
        ImageEncoder encoder = set.TryGetValue("encoder", out string? path)
            ? ImageEncoders.Make(File.ReadAllBytes(path), new ImageEncoderOrigin(path)).Encoder
            : DefaultEncoder.Open();
        if (!set.TryGetValue("resize", out string? resize)) return encoder;
        PictureFit fit = encoder.Card.Fit;
        return encoder with
        {
            Card = encoder.Card with
            {
                Fit = resize switch
                {
                    "pad" => fit with { Resize = PictureResize.Pad, ShorterSide = 0 },
                    "crop" => fit with { Resize = PictureResize.CentreCrop, ShorterSide = fit.Height * 8 / 7 },
                    _ => fit with { Resize = PictureResize.Squash, ShorterSide = 0 },
                },
            },
        };
    }

    static DenseFeatures Pixels(string[] files)
    {
        float[] all = new float[files.Length * PixelFeatures.Dim];
        Parallel.For(0, files.Length, i =>
        {
            byte[] pixels = new byte[PixelFeatures.Fit.Bytes];
            PictureDecoder.Decode(File.ReadAllBytes(files[i]), PixelFeatures.Fit, pixels);
            PixelFeatures.Measure(pixels, all.AsSpan(i * PixelFeatures.Dim, PixelFeatures.Dim));
        });
        return new DenseFeatures(all, PixelFeatures.Dim);
    }

    /// <summary>Features by the offered layers of an encoder.</summary>
    static Method Features(string name, ImageEncoder encoder, string[] files)
    {
        EncoderLayer[] layers = [.. encoder.Card.Layers.Where(layer => layer.Offered)];
        int[] dims = [.. layers.Select(layer => layer.Features)];
        float[][] all = [.. dims.Select(dim => new float[files.Length * dim])];
        using (EncoderSession session = new(EncoderGraph.Cut(encoder.Model, [.. layers.Select(layer => layer.Name)]).ToByteArray(), encoder.Card.Fit, dims, encoder.Card.Batches, gpu: false))
            Parallel.For(0, files.Length, i =>
            {
                byte[] pixels = new byte[encoder.Card.Fit.Bytes];
                PictureDecoder.Decode(File.ReadAllBytes(files[i]), encoder.Card.Fit, pixels);
                session.Run(pixels, 1, [.. dims.Select((dim, l) => all[l].AsMemory(i * dim, dim))]);
            });
        DenseFeatures[] sets = [.. dims.Select((dim, l) => new DenseFeatures(all[l], dim))];
        return new Method(name, [.. layers.Select(layer => layer.Name)], sets, Math.Max(0, Array.FindIndex(layers, layer => layer.Name == encoder.Card.DefaultLayer)));
    }

    static void Table(string task, List<Method> methods, int[] photos, string[] labels, int[] sizes, int draws)
    {
        string[] names = [.. photos.Select(i => labels[i]).Distinct().Order(StringComparer.Ordinal)];
        Console.WriteLine();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{task}, {photos.Length} photos: {string.Join(", ", names.Select(name => $"{name} {photos.Count(i => labels[i] == name)}"))}"));
        Console.WriteLine($"{"",-40}{string.Concat(sizes.Select(n => $"{$"n={n}",16}"))}");
        foreach (Method method in methods)
        {
            double[][][] cells = [.. sizes.Select(n => Draws(method, photos, labels, names, n, draws))];       // [size][draw][choice, then each layer]
            for (int row = 0; row < (method.Sets.Length == 1 ? 1 : method.Sets.Length + 1); row++)
            {
                string what = method.Sets.Length == 1 ? "" : row == 0 ? ": layer by validation" : $": {method.Layers[row - 1]}, {method.Sets[row - 1].Dim}";
                Console.WriteLine($"{method.Name + what,-40}{string.Concat(cells.Select(of => $"{MeanAndError([.. of.Select(draw => draw[row])]),16}"))}");
            }
        }
        foreach (int n in sizes)
            foreach (string name in names.Where(name => photos.Count(i => labels[i] == name) / 2 < n))
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"n={n}: {name} gives {photos.Count(i => labels[i] == name) / 2}"));
    }

    static string MeanAndError(double[] draws)
    {
        double mean = draws.Average(), error = Math.Sqrt(draws.Sum(a => (a - mean) * (a - mean)) / Math.Max(1, draws.Length - 1) / draws.Length);
        return string.Create(CultureInfo.InvariantCulture, $"{mean:0.000} ± {error:0.000}");
    }

    /// <summary>Accuracy of each draw: by the layer that validation chose, then by each layer.</summary>
    static double[][] Draws(Method method, int[] photos, string[] labels, string[] names, int n, int draws)
    {
        double[][] accuracies = new double[draws][];
        Parallel.For(0, draws, draw =>
        {
            List<int> train = [], test = [];
            for (int c = 0; c < names.Length; c++)
            {
                int[] own = [.. photos.Where(i => labels[i] == names[c])];
                Xoshiro random = new(draw, c);
                for (int i = own.Length - 1; i > 0; i--)
                {
                    int j = random.Below(i + 1);
                    (own[i], own[j]) = (own[j], own[i]);
                }
                int taken = Math.Min(n, own.Length / 2);
                train.AddRange(own[..taken]);
                test.AddRange(own[taken..]);
            }
            accuracies[draw] = Accuracies(method, [.. train], [.. test], labels, names);
        });
        return accuracies;
    }

    /// <summary>Shares of test photos told right by heads fitted on the training photos.</summary>
    static double[] Accuracies(Method method, int[] train, int[] test, string[] labels, string[] names)
    {
        int[] classes = [.. train.Concat(test).Select(i => Array.IndexOf(names, labels[i]))];
        // Heads are fitted in the space of the training rows alone: the same heads, and much faster.
        List<Func<int[], FeatureMatrix>> sets = [];
        foreach (DenseFeatures features in method.Sets)
        {
            float[] fitted = [.. train.SelectMany(i => features.Row(i).ToArray()).Select(x => (float)x)];
            FeatureMatrix matrix = RowSpace.For(new DenseFeatures(fitted, features.Dim));
            sets.Add(_ => matrix);
        }
        int[] rows = [.. Enumerable.Range(0, train.Length)];
        (int chosen, SelectedHead best, _) = HeadSelection.FitBest(sets, method.Preferred, [], rows, classes, names.Length, HeadSelection.Logistic, seed: 1, threads: 1, CancellationToken.None);
        List<double> right = [Right(best, method.Sets[chosen], test, classes.AsSpan(train.Length), names.Length)];
        if (sets.Count == 1) return [.. right];
        for (int set = 0; set < sets.Count; set++)
        {
            SelectedHead head = set == chosen ? best : HeadSelection.Fit(sets[set], rows, classes, names.Length, HeadSelection.Logistic, seed: 1, threads: 1, CancellationToken.None);
            right.Add(Right(head, method.Sets[set], test, classes.AsSpan(train.Length), names.Length));
        }
        return [.. right];
    }

    static double Right(SelectedHead selected, DenseFeatures features, int[] test, ReadOnlySpan<int> truth, int classes)
    {
        WideHead wide = new(selected.Features is RowSpace space ? space.Widen(selected.Head) : selected.Head);
        float[] logits = new float[classes];
        int right = 0;
        for (int i = 0; i < test.Length; i++)
        {
            wide.Logits(features, test[i], logits);
            if (HeldOutPredictions.Largest(logits) == truth[i]) right++;
        }
        return right / (double)test.Length;
    }
}
