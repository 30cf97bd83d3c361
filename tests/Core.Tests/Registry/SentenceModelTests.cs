using System.Text;
using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using Scion.Datasets;
using Scion.Evaluation;
using Scion.Faults;
using Scion.Heads;
using Scion.Onnx;
using Scion.Pipelines;
using Scion.Registry;
using Scion.Serving;
using Scion.Storage;
using Scion.Text;

namespace Scion.Tests.Registry;

/// <summary>A model whose texts a sentence network reads, from features to serving.</summary>
public sealed class SentenceModelTests
{
    const string Version = "20260101-000000-00000009";

    readonly InMemoryBlobStore store = new();

    readonly ModelRegistry registry;

    public SentenceModelTests() => registry = new ModelRegistry(store, StoppedClock.Instance);

    static string Text(int i) => string.Create(System.Globalization.CultureInfo.InvariantCulture,
        $"the {(i % 3 == 0 ? "film" : "story")} was {(i % 2 == 1 ? "wonderful and funny" : "awful and dull")} number {i}{(i == 7 ? string.Concat(Enumerable.Repeat(" the plot", 20)) : "")}");

    /// <summary>Imports a small network, extracts features, fits a head, publishes.</summary>
    async Task<(PublishInput Input, SentenceNetworkCard Card, HeadsTrained Head)> PublishAsync()
    {
        ImportedSentenceNetwork imported = await SentenceNetworks.ImportAsync(store, SentenceFiles.Bert(SentenceFiles.WordPieces.Length), TokenizerFile.OfWordPiece("vocab.txt", SentenceFiles.VocabTxt, null),
            new SentenceOrigin("model.onnx") { Pooling = SentencePooling.Mean, MaxLength = 32, Licence = "MIT" }, default);
        PublishInput made = await TrainedModel.MakeAsync(store, version: Version);
        StepWriter writer = new(store, "sentences");
        using MemoryStream shard = new();
        for (int i = 0; i < 60; i++) ReviewShard.Append(shard, new ReviewRow(Text(i), TrainedModel.Labels[i % 2], GivenSplit.None, 0, i + 1));
        ArtifactRef rows = await writer.AddAsync("rows.bin", shard.ToArray(), default);
        CuratedRows data = made.Data with { Shards = [new ShardRef(rows, rows, 60)] };
        StepMemo memo = new(store);
        VocabularyBuilt vocabulary = await new BuildVocabularyStep(memo, 1).RunAsync(new BuildVocabularyInput(data, new ReviewSettings()), null, default);

        EncoderTrained encoder = await new PretrainEmbeddingsStep(memo, new SkipGramTrainer()).RunAsync(
            new PretrainEmbeddingsInput(EncoderSource.Imported, $"encoders/{imported.Card.Sha256}", data, vocabulary), null, default);
        FeaturesExtracted features = await new ExtractFeaturesStep(memo).RunAsync(new ExtractFeaturesInput(encoder, data.Shard(0)), null, default);
        HeadsTrained head = await new TrainHeadsStep(memo).RunAsync(new TrainHeadsInput(CandidateKind.Transfer, [new FeatureSet("", [features])], data, new HeadSettings("auto", 1)), null, default);
        Evaluated evaluated = made.Evaluated with
        {
            Fitted = head.Fitted!, TestPredictions = head.Predictions, Head = head.Head, Strength = head.Strength, Temperature = head.Temperature, HeadParameters = head.HeadParameters,
            Warnings = [.. made.Evaluated.Warnings, .. head.Warnings],
        };
        PublishInput input = made with { Data = data, Encoder = encoder, Features = [features], Evaluated = evaluated };
        await TrainedModel.PublishAsync(store, input);
        return (input, imported.Card, head);
    }

    [Fact]
    public async Task Steps_OnASentenceNetwork_PublishWhatTrainingComputedAndServeIt()
    {
        (PublishInput input, SentenceNetworkCard card, HeadsTrained head) = await PublishAsync();
        ModelPackage package = await registry.ReadServedAsync("films", Version, null, default);
        LinearHead fitted = LinearHead.Parse(await store.ReadAsync(head.Fitted!, default));
        byte[] stored = await store.ReadAsync(input.Features[0].Features, default);
        float[] features = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(stored).ToArray();

        using ReviewPredictor predictor = ReviewPredictor.Load(package);
        predictor.WarmUp();

        Assert.Equal((EncoderSource.Network, SentenceFiles.Dim, SentenceFiles.WordPieces.Length), (input.Encoder.Source, input.Encoder.Dim, input.Encoder.Words));
        for (int i = 0; i < 60; i++)
        {
            float[] expected = new float[2], found = new float[2];
            fitted.Logits(features.AsSpan(i * SentenceFiles.Dim, SentenceFiles.Dim), expected);
            predictor.Logits(Text(i), found);
            Assert.Equal(expected[0], found[0], 1e-4);
            Assert.Equal(expected[1], found[1], 1e-4);
            Assert.Equal(TrainedModel.Labels[i % 2], predictor.Predict(Text(i)).Label);
        }
        Assert.True(package.Manifest.Parity.Largest < 1e-4);
        Assert.Equal((3, card.Name, 32, 1L), (package.Manifest.SchemaVersion, package.Manifest.Sentence!.Name, package.Manifest.Sentence.MaxLength, package.Manifest.Sentence.Cut));
        Assert.Contains("T101: 1 of 60 labelled texts has more tokens than the sentence network reads; only the beginning of it counts.", package.Manifest.Warnings);
        Assert.Equal(["encoder.onnx", "examples.jsonl", "examples.safetensors", "head.onnx", "model.json", "tokenizer.json"], package.Names.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Predict_UnknownLongAndExplainedTexts_SayWhatHappened()
    {
        await PublishAsync();
        using ReviewPredictor predictor = ReviewPredictor.Load(await registry.ReadServedAsync("films", Version, null, default));

        Prediction unknown = predictor.Predict("qqq zzz"), empty = predictor.Predict(""), whole = predictor.Predict(Text(1), explain: true), cut = predictor.Predict(Text(7));

        Assert.Equal((true, AbstainReason.NoKnownWords), (unknown.Abstained, unknown.Reason));
        Assert.Equal((true, AbstainReason.NoKnownWords), (empty.Abstained, empty.Reason));
        Assert.Equal((false, true), (whole.Cut, cut.Cut));
        Assert.Contains(whole.Words![0].Word, (string[])["wonderful", "funny"]);
        Assert.True(whole.Words[0].Contribution > 0);
        Assert.Equal(["and", "funny", "number", "story", "the", "was", "wonderful"], whole.Words.Select(word => word.Word).Where(word => word != "1").Order(StringComparer.Ordinal));
        float[] logits = new float[2], without = new float[2];
        predictor.Logits(Text(1), logits);
        predictor.Logits(Text(1).Replace("wonderful", "", StringComparison.Ordinal), without);
        double temperature = predictor.Manifest.Head.Temperature;
        Assert.Equal((logits[1] - logits[0] - without[1] + without[0]) / temperature, whole.Words.Single(word => word.Word == "wonderful").Contribution, 1e-4);
    }

    [Fact]
    public async Task VerifyExportAndWords_OfASentenceModel_GiveASensibleAnswerEach()
    {
        (PublishInput input, _, _) = await PublishAsync();
        global::Scion.Vision.InProcessPictures pictures = new();

        ModelVerified verified = await ModelVerification.VerifyAsync(registry, pictures, "films", null, null, default);
        ExportedModel exported = await ModelExport.ReadAsync(registry, pictures, "films", Version, default);
        InputRejectedException words = await Assert.ThrowsAsync<InputRejectedException>(() => ModelWords.NearestAsync(registry, "films", Version, "film", 3, default));
        InputRejectedException vectors = await Assert.ThrowsAsync<InputRejectedException>(() =>
            ModelExport.WriteVectorsAsync(registry, "films", Version, WordVectorFormat.Word2VecText, new MemoryStream(), default));

        Assert.All(verified.Checks, check => Assert.True(check.Passed, check.Detail));
        Assert.Equal("P007: Model 'films' reads texts with the sentence network 'model', which has no word vectors. Train with own or imported word vectors to look at words; what a word does to a text, a prediction with explain=true says.", words.Message);
        Assert.Equal("P007", vectors.Code);
        byte[] whole = exported.Files.Single(file => file.Name == ModelExport.WholeName).Content.ToArray();
        using ReviewPredictor predictor = ReviewPredictor.Load(await registry.ReadServedAsync("films", Version, null, default));
        float[] logits = new float[2];
        int[] ids = predictor.Logits(Text(4), logits);
        using InferenceSession session = new(whole);
        NamedOnnxValue Of(string name, Func<int, long> value) => NamedOnnxValue.CreateFromTensor(name, new DenseTensor<long>(ids.Select(value).ToArray(), [1, ids.Length]));
        using IDisposableReadOnlyCollection<DisposableNamedOnnxValue> outputs = session.Run([Of("input_ids", id => id), Of("attention_mask", _ => 1), Of("token_type_ids", _ => 0)], ["probabilities"]);
        Assert.Equal(predictor.Predict(Text(4)).Scores["negative"], outputs[0].AsEnumerable<float>().First(), 1e-5);
        string card = Encoding.UTF8.GetString(exported.Files.Single(file => file.Name == "README.md").Content.Span);
        Assert.Contains("tokenizer.enable_truncation(32)", card, StringComparison.Ordinal);
        Assert.Contains("Licence: MIT", card, StringComparison.Ordinal);
        Assert.DoesNotContain("vocabulary.txt", card, StringComparison.Ordinal);
        Assert.Equal(60, input.Features[0].Rows);
    }

    [Theory]
    [InlineData("encoder.onnx", "R020")]
    [InlineData("tokenizer.json", "R014")]
    public async Task Load_APackageWithAnotherFile_IsRefused(string name, string code)
    {
        await PublishAsync();
        ModelPackage package = await registry.ReadServedAsync("films", Version, null, default);
        Dictionary<string, ReadOnlyMemory<byte>> files = package.Names.Where(file => file != "model.json").ToDictionary(file => file, file => package[file]);
        files[name] = name == "encoder.onnx" ? SentenceFiles.Bert(SentenceFiles.WordPieces.Length) : TokenizerFile.OfWordPiece("vocab.txt", SentenceFiles.VocabTxt, lowerCase: false);

        Assert.Equal(code, Assert.Throws<InputRejectedException>(() => ReviewPredictor.Load(ModelPackage.Seal(package.Manifest, files))).Code);
    }
}
