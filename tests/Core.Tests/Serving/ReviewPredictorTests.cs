using CsCheck;
using Scion.Faults;
using Scion.Heads;
using Scion.Registry;
using Scion.Serving;
using Scion.Tests.Registry;
using Scion.Text;

namespace Scion.Tests.Serving;

/// <summary>Predictions by ONNX Runtime from the stored package, against the paper's arithmetic in double precision.</summary>
public sealed class ReviewPredictorTests : IAsyncLifetime
{
    const double Temperature = 1.5;

    readonly InMemoryBlobStore store = new();
    readonly SentenceEncoder encoder = TrainedModel.Encoder(1);
    readonly LinearHead head = TrainedModel.Head(1);
    ModelPackage package = null!;
    ReviewPredictor predictor = null!;

    public async ValueTask InitializeAsync()
    {
        await TrainedModel.PublishAsync(store, await TrainedModel.MakeAsync(store));
        (_, package) = await new ModelRegistry(store, StoppedClock.Instance).ReadChosenAsync("films", null, null, default);
        predictor = ReviewPredictor.Load(package);
    }

    public ValueTask DisposeAsync()
    {
        predictor.Dispose();
        return default;
    }

    /// <summary>Texts of known and unknown words, from none to far above the longest bound length.</summary>
    Gen<string> Texts(int most) => Gen.Int[0, encoder.Vocabulary.Count + 3].Array[0, most]
        .Select(ids => string.Join(' ', ids.Select(id => id < encoder.Vocabulary.Count ? encoder.Vocabulary.Words[id] : "qqq" + id)));

    [Fact]
    public void Predict_AnyText_IsWhatTheArithmeticSaysInDoublePrecision() => Texts(300).Sample(text =>
    {
        double[] expected = Softmax(LogitsOf(Known(text)));

        Prediction prediction = predictor.Predict(text);

        for (int c = 0; c < expected.Length; c++) Assert.Equal(expected[c], prediction.Scores[TrainedModel.Labels[c]], 1e-4);
        Assert.Equal(1, prediction.Scores.Values.Sum(), 1e-5);
        Assert.Equal(prediction.Scores.Values.Max(), prediction.Score);
    }, iter: 300);

    [Fact]
    public void Logits_EveryLengthAroundAPaddedOne_AgreeWithDoublePrecision()
    {
        foreach (int length in new[] { 0, 1, 7, 8, 9, 15, 16, 17, 120, 127, 128, 129, 136, 137, 1000 })
        {
            int[] ids = [.. Enumerable.Range(0, length).Select(i => i * 7 % encoder.Vocabulary.Count)];
            float[] logits = new float[2];

            predictor.Logits(ids, logits);

            double[] expected = LogitsOf(ids);
            for (int c = 0; c < 2; c++) Assert.Equal(expected[c], logits[c], 1e-4);
        }
    }

    [Fact]
    public void Logits_TextOfAnyLength_AreThoseOfItsKnownWords()
    {
        foreach (int length in new[] { 0, 1, 63, 64, 65, 128, 129, 500, 30_000 })
        {
            int[] ids = [.. Enumerable.Range(0, length).Select(i => i * 7 % encoder.Vocabulary.Count)];
            float[] expected = new float[2], logits = new float[2];
            predictor.Logits(ids, expected);

            int[] known = predictor.Logits(string.Join(' ', ids.Select(id => encoder.Vocabulary.Words[id])), logits);

            Assert.Equal(ids, known);
            Assert.Equal(expected, logits);
        }
    }

    [Fact]
    public void Predict_ManyThreadsAtOnce_AnswerAsOneAfterTheOther()
    {
        string[] texts = [.. Enumerable.Range(0, 400).Select(i => TrainedModel.Review(new Random(i), i % 2 == 0))];
        Prediction[] expected = predictor.Predict(texts);
        Prediction[] found = new Prediction[texts.Length];

        Parallel.For(0, texts.Length, new ParallelOptions { MaxDegreeOfParallelism = 8 }, i => found[i] = predictor.Predict(texts[i]));

        for (int i = 0; i < texts.Length; i++)
        {
            Assert.Equal(expected[i].Scores, found[i].Scores);
            Assert.Equal(expected[i].Neighbours, found[i].Neighbours);
        }
    }

    [Fact]
    public void Explain_AnyText_IsTheChangeWhenTheWordIsLeftOut() => Texts(60).Sample(text =>
    {
        int[] known = Known(text);

        Prediction prediction = predictor.Predict(text, explain: true);

        int label = prediction.Label == TrainedModel.Labels[0] ? 0 : 1;
        Assert.Equal(known.Distinct().Count(), prediction.Words!.Count);
        double whole = LogOdds(LogitsOf(known), label);
        foreach (WordContribution word in prediction.Words)
        {
            int id = encoder.Vocabulary.IdOf(word.Word);
            Assert.Equal(whole - LogOdds(LogitsOf([.. known.Where(other => other != id)]), label), word.Contribution, 1e-3);
        }
        Assert.Equal(prediction.Words.OrderByDescending(word => Math.Abs(word.Contribution)).Select(word => word.Contribution), prediction.Words.Select(word => word.Contribution));
    }, iter: 100);

    [Fact]
    public void Predict_NoKnownWord_AbstainsWithoutNeighbours()
    {
        foreach (string text in new[] { "", "   ", "zzz qqq", "…", "\ud800", "<p>" })
        {
            Prediction prediction = predictor.Predict(text, explain: true);

            Assert.Equal((true, AbstainReason.NoKnownWords), (prediction.Abstained, prediction.Reason));
            Assert.Empty(prediction.Neighbours);
            Assert.Empty(prediction.Words!);
        }
    }

    [Theory]
    [InlineData(-1.0, false)]
    [InlineData(1.1, true)]
    public void Predict_NearestExampleBelowTheThreshold_Abstains(double threshold, bool abstains)
    {
        ModelManifest manifest = package.Manifest with { Examples = package.Manifest.Examples with { AbstainBelow = threshold } };
        using ReviewPredictor other = ReviewPredictor.Load(ModelPackage.Seal(manifest, Files()));

        Prediction prediction = other.Predict("a great and lovely film");

        Assert.Equal((abstains, abstains ? AbstainReason.UnlikeTraining : null), (prediction.Abstained, prediction.Reason));
        Assert.Equal("positive", prediction.Label);
    }

    [Fact]
    public void Predict_AnyText_ShowsTheNearestExamplesInOrder() => Texts(20).Sample(text =>
    {
        float[] features = new float[encoder.Dim], cosines = new float[package.Manifest.Examples.Rows];
        if (encoder.Encode(text, features) == 0) return;
        Examples examples = Examples.Parse(package[ModelPackage.ExamplesName].Span, package[ModelPackage.ExampleTextsName].Span, TrainedModel.Labels, encoder.Dim, pictures: false);
        examples.Compare(features, cosines);

        IReadOnlyList<Neighbour> neighbours = predictor.Predict(text).Neighbours;

        float[] nearest = [.. cosines.OrderDescending().Take(ReviewPredictor.Nearest)];
        for (int k = 0; k < nearest.Length; k++) Assert.Equal(nearest[k], neighbours[k].Similarity, 1e-4f);
    }, iter: 100);

    [Fact]
    public void Predict_MoreKnownWordsThanTheLimit_IsRefusedNotCut()
    {
        string text = string.Concat(Enumerable.Repeat("good ", ReviewPredictor.MaxWords + 1));

        InputRejectedException fault = Assert.Throws<InputRejectedException>(() => predictor.Predict(text));

        Assert.Equal(("P001", Refusal.TooLarge), (fault.Code, fault.Kind));
        Assert.Equal("positive", predictor.Predict(text[5..]).Label);
    }

    [Fact]
    public void Predict_WarmAndShort_AllocatesLittleMoreThanItsAnswer()
    {
        const string text = "the film was great and the music was lovely but the plot a bit dull in its very last quite cold scene";
        for (int i = 0; i < 50; i++) predictor.Predict(text);

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++) predictor.Predict(text);
        long each = (GC.GetAllocatedBytesForCurrentThread() - before) / 100;

        Assert.InRange(each, 0, 1000);
    }

    Dictionary<string, ReadOnlyMemory<byte>> Files() => package.Names.Where(name => name != ModelPackage.ManifestName).ToDictionary(name => name, name => package[name]);

    int[] Known(string text) => [.. Tokenizer.Words(text).Select(word => encoder.Vocabulary.IdOf(word)).Where(id => id >= 0)];

    /// <summary>Weighted mean, components removed, unit length, weights · features + bias: all in double.</summary>
    double[] LogitsOf(int[] ids)
    {
        int dim = encoder.Dim;
        double[] features = new double[dim];
        foreach (int id in ids)
            for (int j = 0; j < dim; j++) features[j] += (double)encoder.Weights[id] * encoder.Vectors[id * dim + j];
        double mean = Math.Sqrt(features.Sum(x => x * x));
        for (int k = 0; k < encoder.Components.Length; k += dim)
        {
            double along = Enumerable.Range(0, dim).Sum(j => features[j] * encoder.Components[k + j]);
            for (int j = 0; j < dim; j++) features[j] -= along * encoder.Components[k + j];
        }
        double norm = Math.Sqrt(features.Sum(x => x * x));
        for (int j = 0; j < dim; j++) features[j] = norm > SentenceEncoder.Noise * mean ? features[j] / norm : 0;
        return [.. Enumerable.Range(0, head.Classes).Select(c => head.Bias[c] + Enumerable.Range(0, dim).Sum(j => head.Weights[c * dim + j] * features[j]))];
    }

    static double[] Softmax(double[] logits)
    {
        double[] e = [.. logits.Select(logit => Math.Exp((logit - logits.Max()) / Temperature))];
        return [.. e.Select(x => x / e.Sum())];
    }

    static double LogOdds(double[] logits, int label) => (logits[label] - logits[1 - label]) / Temperature;
}
