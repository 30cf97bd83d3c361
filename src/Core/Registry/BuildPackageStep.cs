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

namespace Scion.Registry;

/// <summary>What a package is made of: <see cref="PublishInput"/> without the names of model, version and run, which it must not hold.</summary>
public sealed record BuildPackageInput(
    string DataDigest, CuratedRows Data, EncoderTrained Encoder, EmbeddingOptions Embedding, IReadOnlyList<FeaturesExtracted> Features,
    Evaluated Evaluated, ReviewSettings Settings);

/// <param name="Digest">SHA-256 of <c>model.json</c>.</param>
/// <param name="ParityError">Largest |Δ logit|.</param>
/// <param name="Files">All files, <c>model.json</c> among them.</param>
public sealed record PackageBuilt(string Digest, double ParityError, IReadOnlyList<PackageFile> Files)
{
    /// <summary>Stores the files of a package as a step's output.</summary>
    internal static async Task<PackageBuilt> StoreAsync(StepWriter writer, ModelPackage package, double parity, CancellationToken cancellation)
    {
        List<PackageFile> files = [];
        foreach (string name in package.Names.Order(StringComparer.Ordinal))
            files.Add(new PackageFile(name, await writer.AddAsync(name, package[name], cancellation)));
        return new PackageBuilt(package.Digest, parity, files);
    }
}

public sealed record PackageFile(string Name, ArtifactRef Content);

/// <summary>Makes the files of a package, loads them as serving does, and compares the two.</summary>
/// <remarks>Reads: encoder, head, features, row table, shards with labelled rows, held-out predictions. Writes: each file, under the step's
/// key. A step of its own so that a publish repeated on another machine uploads the same bytes, whatever that machine rounds to.
/// Randomness and clock: none.</remarks>
public sealed class BuildPackageStep(StepMemo memo)
{
    const int Version = 3;

    IBlobStore Store => memo.Store;

    /// <exception cref="Faults.InputRejectedException">The package differs from training (R012), or an input is damaged (S003, S004, S006, S007).</exception>
    public Task<PackageBuilt> RunAsync(BuildPackageInput input, CancellationToken cancellation) =>
        memo.RunAsync(nameof(BuildPackageStep), Version, input, async writer =>
        {
            (ModelPackage package, double parity) = await BuildAsync(input, cancellation);
            return await PackageBuilt.StoreAsync(writer, package, parity, cancellation);
        }, cancellation);

    async Task<(ModelPackage Package, double Parity)> BuildAsync(BuildPackageInput input, CancellationToken cancellation)
    {
        SentenceNetworkCard? card = input.Encoder.Source == EncoderSource.Network ? await SentenceNetworks.CardAsync(Store, input.Encoder, cancellation) : null;
        IReadOnlyDictionary<string, ReadOnlyMemory<byte>> encoder = await EncoderFilesAsync(input.Encoder, card, cancellation);
        PackageRows rows = await PackageRows.ReadAsync(Store, input.Data, input.Features, input.Evaluated, card is null ? ParityCheck.MaxRows : ParityCheck.MaxNetworkTexts, cancellation);
        if (rows.Dim != input.Encoder.Dim) throw RegistryFaults.Inconsistent($"features have {rows.Dim} components; the encoder gives {input.Encoder.Dim}.");
        Dictionary<int, string> texts = [];
        HashSet<int> wanted = [.. rows.Stored, .. rows.Compared, .. rows.Shown.Select(example => example.Row)];
        await foreach (LabelledText row in LabelledText.ReadAsync(Store, input.Data, rows.Table, wanted.Contains, cancellation)) texts[row.Row] = row.Text;

        (Examples examples, ExampleFacts facts) = rows.ExamplesWith([.. rows.Stored.Select(row => Examples.Cut(texts[row]))], pictures: false);
        WordLexicon? lexicon = input.Evaluated.Lexicon is { } learned ? WordLexicon.Parse(await Store.ReadAsync(learned, cancellation)) : null;
        Vocabulary? vocabulary = lexicon is null ? null : Vocabulary.Parse(encoder[ModelPackage.VocabularyName].Span);
        Dictionary<string, ReadOnlyMemory<byte>> files = new(encoder)
        {
            [ModelPackage.HeadName] = HeadGraph.Write(rows.Head, input.Evaluated.Temperature, input.Data.Labels, lexicon).ToByteArray(),
            [ModelPackage.ExamplesName] = examples.ToTensors(),
            [ModelPackage.ExampleTextsName] = examples.ToLines(input.Data.Labels),
        };
        ModelManifest manifest = Describe(input, card, rows.Calibration, facts);

        ParityCheck parity;
        using (ReviewPredictor predictor = ReviewPredictor.Load(ModelPackage.Seal(manifest, files)))
            parity = ParityCheck.Measure(predictor, rows.Compared.Select(row => (row, texts[row], Logits(row))));
        manifest = manifest with { Parity = new ParityFacts(rows.Compared.Length, parity.Largest, parity.Limit) };
        files[ModelPackage.ParityName] = parity.ToBytes();
        manifest = ModelPackage.Seal(manifest, files).Manifest;               // with the digests of all files so far, for the report
        files[ModelPackage.ReportName] = Encoding.UTF8.GetBytes(ReviewReport.Html(manifest, [.. rows.Shown.Select(example => new HeldOutExample(
            Examples.Cut(texts[example.Row]), input.Data.Labels[rows.LabelOf(example.Row)], input.Data.Labels[example.Predicted], example.Score))]));
        files[ModelPackage.CardName] = Encoding.UTF8.GetBytes(ModelCard.Markdown(manifest));
        return (ModelPackage.Seal(manifest, files), parity.Largest);

        float[] Logits(int row)
        {
            float[] logits = rows.Logits(row);
            if (vocabulary is not null) lexicon!.AddTo([.. Tokenizer.Words(texts[row]).Select(word => vocabulary.IdOf(word)).Where(id => id >= 0)], logits);
            return logits;
        }
    }

    /// <summary><c>encoder.onnx</c>, and what makes its ids.</summary>
    async Task<IReadOnlyDictionary<string, ReadOnlyMemory<byte>>> EncoderFilesAsync(EncoderTrained trained, SentenceNetworkCard? card, CancellationToken cancellation)
    {
        if (card is not null)
        {
            (_, byte[] graph, byte[] tokenizer) = await SentenceNetworks.ReadAsync(Store, card, cancellation);
            return new Dictionary<string, ReadOnlyMemory<byte>> { [ModelPackage.EncoderName] = graph, [ModelPackage.TokenizerName] = tokenizer };
        }
        SentenceEncoder encoder = SentenceEncoder.Parse(await Store.ReadAsync(trained.Encoder, cancellation));
        return new Dictionary<string, ReadOnlyMemory<byte>>
        {
            [ModelPackage.EncoderName] = TextEncoderGraph.Write(encoder).ToByteArray(),
            [ModelPackage.VocabularyName] = encoder.Vocabulary.ToBytes(),
        };
    }

    static ModelManifest Describe(BuildPackageInput input, SentenceNetworkCard? card, IReadOnlyList<CalibrationBin> calibration, ExampleFacts examples)
    {
        (CuratedRows data, EncoderTrained encoder, Evaluated evaluated) = (input.Data, input.Encoder, input.Evaluated);
        return new ModelManifest
        {
            SchemaVersion = card is null ? 1 : 3,
            Sentence = card is null ? null : new SentenceFacts(card.Name, card.Source, card.SourceSha256, card.Licence, card.TrainedOn, card.Tokenizer, card.Inputs, card.Output,
                card.Pooling, card.MaxLength, card.Half, input.Features.Sum(shard => (long)shard.Cut)),
            Kind = ModelManifest.Reviews,
            CodeVersion = TrainReviewsRequest.CodeVersion,
            Labels = data.Labels,
            DataDigest = input.DataDigest,
            Seed = input.Settings.Seed,
            Settings = JsonSerializer.SerializeToElement(input.Settings, ScionJson.Strict),
            Encoder = new EncoderFacts(encoder.Digest, encoder.Source, encoder.Dim, encoder.Words, encoder.Parameters, encoder.Loss, encoder.Reproducible,
                encoder.Device, JsonSerializer.SerializeToElement(input.Embedding, ScionJson.Strict)),
            Head = new HeadFacts(evaluated.Head, evaluated.Strength, evaluated.HeadParameters, evaluated.Temperature)
            {
                Words = evaluated.Lexicon is null ? 0 : (evaluated.HeadParameters / data.Labels.Count) - encoder.Dim - 1, Set = evaluated.Set, Choice = evaluated.Scores,
            },
            Data = new DataFacts(evaluated.Protocol, data.Train, data.Test, data.Unlabelled, data.Duplicates, data.Conflicts),
            Measured = new MeasuredFacts(evaluated.Models, evaluated.Comparisons, evaluated.LearningCurve, calibration,
                [.. evaluated.Suspects.Select(suspect => suspect with { File = suspect.File[(suspect.File.IndexOf('/', StringComparison.Ordinal) + 1)..] })]),
            Examples = examples,
            Parity = new ParityFacts(0, 0, ParityCheck.MaxError),
            Warnings = [.. data.Warnings.Concat(evaluated.Warnings).Distinct(StringComparer.Ordinal)],
        };
    }
}
