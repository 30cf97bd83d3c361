using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using Google.Protobuf;
using Scion.Datasets;
using Scion.Evaluation;
using Scion.Heads;
using Scion.Onnx;
using Scion.Pipelines;
using Scion.Serving;
using Scion.Storage;
using Scion.Text;
using Scion.Vision;

namespace Scion.Registry;

/// <summary>What an images package is made of: <see cref="PublishImagesInput"/> without the names of model, version and run, which it must not hold.</summary>
public sealed record BuildImagePackageInput(
    string DataDigest, CuratedRows Data, ImageEncoderReady Encoder, IReadOnlyList<FeatureSet> Sets, HeadsTrained Transfer, Evaluated Evaluated, ImageSettings Settings);

/// <summary>Makes the files of an images package, loads them as serving does, and compares the two.</summary>
/// <remarks>Reads: the cut network, features, head, row table, shards with labelled pictures, held-out predictions. Writes: each file, under the
/// step's key; a step of its own as <see cref="BuildPackageStep"/> is. Randomness and clock: none.</remarks>
/// <param name="memo">Keeps answers.</param>
/// <param name="pictures">Reads pictures.</param>
public sealed class BuildImagePackageStep(StepMemo memo, IPictureReader pictures)
{
    const int Version = 1;

    IBlobStore Store => memo.Store;

    /// <exception cref="Faults.InputRejectedException">The package differs from training (R012), or an input is damaged (S003, S004, S006, S007).</exception>
    public Task<PackageBuilt> RunAsync(BuildImagePackageInput input, CancellationToken cancellation) =>
        memo.RunAsync(nameof(BuildImagePackageStep), Version, input, async writer =>
        {
            (ModelPackage package, double parity) = await BuildAsync(input, cancellation);
            return await PackageBuilt.StoreAsync(writer, package, parity, cancellation);
        }, cancellation);

    async Task<(ModelPackage Package, double Parity)> BuildAsync(BuildImagePackageInput input, CancellationToken cancellation)
    {
        int layer = LayerOf(input);
        PackageRows rows = await PackageRows.ReadAsync(Store, input.Data, input.Sets[layer].Shards, input.Evaluated, ParityCheck.MaxPictures, cancellation);
        ModelProto cut = ModelProto.Parser.ParseFrom(await Store.ReadAsync(input.Encoder.Graph, cancellation));
        PictureFit fit = input.Encoder.Card.Fit;
        LabelledPictures seen = await ReadAsync(input.Data, rows, fit, cancellation);

        int[] kept = PackageRows.Spaced(rows.Compared, ParityCheck.KeptPictures);
        (Examples examples, ExampleFacts facts) = rows.ExamplesWith([.. rows.Stored.Select(row => Examples.Cut(seen.Names[row]))], pictures: true);
        Dictionary<string, ReadOnlyMemory<byte>> files = new()
        {
            [ModelPackage.EncoderName] = ImageEncoderGraph.Write(cut, layer).ToByteArray(),
            [ModelPackage.HeadName] = HeadGraph.Write(rows.Head, input.Evaluated.Temperature, input.Data.Labels).ToByteArray(),
            [ModelPackage.ExamplesName] = examples.ToTensors(),
            [ModelPackage.ExampleTextsName] = examples.ToLines(input.Data.Labels),
            [ModelPackage.ExamplePicturesName] = PictureArchive.Write(rows.Stored.Select(row => seen.Small[row]), "jpg"),
            [ModelPackage.ParityPicturesName] = PictureArchive.Write(kept.Select(row => PictureWriter.Lossless(seen.Pixels[row], fit.Width, fit.Height)), "png"),
        };
        ModelManifest manifest = Describe(input, layer, rows, facts);

        ParityCheck parity;
        using (ImagePredictor predictor = ImagePredictor.Load(ModelPackage.Seal(manifest, files), pictures))
            parity = ParityCheck.Measure(predictor, rows.Compared.Select(row => (row, seen.Pixels[row], rows.Logits(row))), kept);
        manifest = manifest with { Parity = new ParityFacts(rows.Compared.Length, parity.Largest, parity.Limit) };
        files[ModelPackage.ParityName] = parity.ToBytes();
        manifest = ModelPackage.Seal(manifest, files).Manifest;               // with the digests of all files so far, for the report
        files[ModelPackage.ReportName] = Encoding.UTF8.GetBytes(ImageReport.Html(manifest, [.. rows.Shown.Select(example => new HeldOutPicture(
            Examples.Cut(seen.Names[example.Row]), seen.Small[example.Row], input.Data.Labels[rows.LabelOf(example.Row)], input.Data.Labels[example.Predicted], example.Score))]));
        files[ModelPackage.CardName] = Encoding.UTF8.GetBytes(ImageCard.Markdown(manifest));
        return (ModelPackage.Seal(manifest, files), parity.Largest);
    }

    /// <summary>Index of the layer that the head is fitted to.</summary>
    static int LayerOf(BuildImagePackageInput input)
    {
        if (input.Transfer.Set.Length == 0 && input.Sets.Count == 1) return 0;
        for (int layer = 0; layer < input.Sets.Count; layer++)
            if (input.Sets[layer].Name == input.Transfer.Set) return layer;
        throw RegistryFaults.Inconsistent($"the head is fitted to layer '{input.Transfer.Set}', which is not among the {input.Sets.Count} that were tried.");
    }

    /// <summary>Reads the pictures that the package needs: small ones to show, fitted ones to compare.</summary>
    async Task<LabelledPictures> ReadAsync(CuratedRows data, PackageRows rows, PictureFit fit, CancellationToken cancellation)
    {
        HashSet<int> small = [.. rows.Stored, .. rows.Shown.Select(example => example.Row)], compared = [.. rows.Compared];
        LabelledPictures seen = new();
        await Parallel.ForEachAsync(LabelledPicture.ReadAsync(Store, data, rows.Table, row => small.Contains(row) || compared.Contains(row), cancellation),
            new ParallelOptions { CancellationToken = cancellation, MaxDegreeOfParallelism = Environment.ProcessorCount }, async (row, stop) =>
            {
                seen.Names[row.Row] = row.Name;
                if (small.Contains(row.Row))
                {
                    byte[] pixels = new byte[PictureWriter.SmallFit.Bytes];
                    await pictures.ReadAsync(row.Bytes, PictureWriter.SmallFit, pixels, stop);
                    seen.Small[row.Row] = PictureWriter.Small(pixels);
                }
                if (!compared.Contains(row.Row)) return;
                byte[] fitted = new byte[fit.Bytes];
                await pictures.ReadAsync(row.Bytes, fit, fitted, stop);
                seen.Pixels[row.Row] = fitted;
            });
        return seen;
    }

    static ModelManifest Describe(BuildImagePackageInput input, int layer, PackageRows rows, ExampleFacts examples)
    {
        (CuratedRows data, ImageEncoderCard card, EncoderLayer cut, Evaluated evaluated) = (input.Data, input.Encoder.Card, input.Encoder.Layers[layer], input.Evaluated);
        return new ModelManifest
        {
            SchemaVersion = 2,
            Kind = ModelManifest.Images,
            CodeVersion = TrainingRequest.CodeVersion,
            Labels = data.Labels,
            DataDigest = input.DataDigest,
            Seed = input.Settings.Seed,
            Settings = JsonSerializer.SerializeToElement(input.Settings, ScionJson.Strict),
            Encoder = new EncoderFacts(card.Sha256, EncoderSource.Imported, rows.Dim, Words: 0, cut.Parameters, Loss: null, Reproducible: true, "cpu",
                JsonSerializer.SerializeToElement(input.Settings.Encoder, ScionJson.Strict)),
            Network = new NetworkFacts(card.Name, card.Source, card.SourceSha256, card.Licence, card.TrainedOn, cut.Name, input.Transfer.Scores, card.Parameters, card.Fit, card.Values),
            Head = new HeadFacts(evaluated.Head, evaluated.Strength, evaluated.HeadParameters, evaluated.Temperature),
            Data = new DataFacts(evaluated.Protocol, data.Train, data.Test, data.Unlabelled, data.Duplicates, data.Conflicts),
            Measured = new MeasuredFacts(evaluated.Models, evaluated.Comparisons, evaluated.LearningCurve, rows.Calibration, evaluated.Suspects),
            Examples = examples,
            Parity = new ParityFacts(0, 0, 0),                                  // measured when the rest is there
            Warnings = [.. data.Warnings.Concat(evaluated.Warnings).Distinct(StringComparer.Ordinal)],
        };
    }

    /// <summary>What was read of pictures, by labelled row.</summary>
    sealed class LabelledPictures
    {
        public ConcurrentDictionary<int, string> Names { get; } = new();

        /// <summary>JPEG.</summary>
        public ConcurrentDictionary<int, byte[]> Small { get; } = new();

        /// <summary>[height, width, 3], RGB, fitted.</summary>
        public ConcurrentDictionary<int, byte[]> Pixels { get; } = new();
    }
}
