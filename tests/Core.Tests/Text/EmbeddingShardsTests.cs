using Scion.Datasets;
using Scion.Evaluation;
using Scion.Faults;
using Scion.Heads;
using Scion.Pipelines;
using Scion.Registry;
using Scion.Storage;
using Scion.Text;

namespace Scion.Tests.Text;

/// <summary>Word vectors of shards that are averaged: the steps, and the rounds of the pipeline on them.</summary>
public sealed class EmbeddingShardsTests
{
    readonly InMemoryBlobStore store = new();

    /// <summary>Texts of two classes, each of some topics; a topic's words stand together, some words stand everywhere.</summary>
    static (string Text, int Class)[] Texts(int count, int seed)
    {
        Random random = new(seed);
        return [.. Enumerable.Range(0, count).Select(_ =>
        {
            int topic = random.Next(12);
            return (string.Join(' ', Enumerable.Range(0, 12).Select(_ => random.Next(10) < 4 ? $"t{topic}w{random.Next(25)}" : $"any{random.Next(60)}")), topic % 2);
        })];
    }

    /// <summary>Stored shards of unlabelled rows; every tenth row is of a test, and has a word of its own.</summary>
    async Task<CuratedRows> CurateAsync(string[] texts, int storedShards)
    {
        StepWriter writer = new(store, "data");
        List<ShardRef> shards = [];
        List<RowUse[]> uses = [];
        foreach (string[] chunk in texts.Chunk((texts.Length + storedShards - 1) / storedShards))
        {
            using MemoryStream rows = new();
            for (int i = 0; i < chunk.Length; i++) ReviewShard.Append(rows, new ReviewRow(chunk[i], null, GivenSplit.None, 0, i + 1));
            ArtifactRef bytes = await writer.AddAsync("rows", rows.ToArray(), default);
            shards.Add(new ShardRef(bytes, bytes, chunk.Length));
            uses.Add([.. chunk.Select(text => text.Contains("secret", StringComparison.Ordinal) ? RowUse.Test : RowUse.Unlabelled)]);
        }
        int tests = uses.Sum(shard => shard.Count(use => use == RowUse.Test));
        ArtifactRef table = await writer.AddAsync("table", RowTable.Of(uses, new int[tests]).ToBytes(), default);
        return new CuratedRows(DataKind.Reviews, ["a", "b"], shards, table, Protocol.HashSplit, [new("a", 0), new("b", 0)], [new("a", tests), new("b", 0)], texts.Length - tests, 0, 0, null, []);
    }

    static ReviewSettings Settings(int shards, int? rounds = null, int epochs = 8) =>
        new() { Embedding = new EmbeddingOverrides { Shards = shards, Rounds = rounds, Epochs = epochs, Dim = 24, MinCount = 1, Subsample = 0 } };

    async Task<(VocabularyBuilt Vocabulary, EmbeddingsAveraged Averaged)> TrainAsync(CuratedRows data, ReviewSettings settings)
    {
        StepMemo memo = new(store);
        VocabularyBuilt vocabulary = await new BuildVocabularyStep(memo, 1).RunAsync(new BuildVocabularyInput(data, settings), null, default);
        return (vocabulary, (await EmbeddingRounds.RunAsync(new ShardSteps(memo), data, vocabulary))!);
    }

    async Task<float[]> VectorsAsync(CuratedRows data, ReviewSettings settings)
    {
        StepMemo memo = new(store);
        VocabularyBuilt vocabulary = await new BuildVocabularyStep(memo, 1).RunAsync(new BuildVocabularyInput(data, settings), null, default);
        EmbeddingsAveraged? learned = await EmbeddingRounds.RunAsync(new ShardSteps(memo), data, vocabulary);
        EncoderTrained encoder = await new PretrainEmbeddingsStep(memo, new SkipGramTrainer())
                .RunAsync(new PretrainEmbeddingsInput(EncoderSource.Own, null, data, vocabulary, learned), null, default);
        Assert.True(encoder.Reproducible);
        return [.. (await EncoderAsync(encoder)).Vectors];
    }

    async Task<SentenceEncoder> EncoderAsync(EncoderTrained encoder) => SentenceEncoder.Parse(await store.ReadAsync(encoder.Encoder, default));

    /// <summary>Accuracy of the product's head on eight labels a class, mean of twenty draws, on texts that nothing learned from.</summary>
    static double Accuracy(SentenceEncoder encoder)
    {
        (string Text, int Class)[] all = Texts(4000, seed: 9);
        int[] labels = [.. all.Select(text => text.Class)];
        float[] features = new float[all.Length * encoder.Dim];
        for (int i = 0; i < all.Length; i++) encoder.Encode(all[i].Text, features.AsSpan(i * encoder.Dim, encoder.Dim));
        DenseFeatures matrix = new(features, encoder.Dim);
        double sum = 0;
        for (int draw = 0; draw < 20; draw++)
        {
            int[] train = [.. Enumerable.Range(0, 2).SelectMany(c => Enumerable.Range(draw * 40, 400).Where(i => labels[i] == c).Take(8)).Order()];
            WideHead head = new(LogisticRegression.Fit(matrix, train, labels, 2, 1));
            float[] logits = new float[2];
            int right = 0;
            for (int row = 1600; row < all.Length; row++)
            {
                head.Logits(matrix, row, logits);
                if (HeldOutPredictions.Largest(logits) == labels[row]) right++;
            }
            sum += right / (all.Length - 1600.0);
        }
        return sum / 20;
    }

    [Fact]
    public async Task Rounds_OfFourShards_ReachTheAccuracyOfOneMachineWithinHalfAPoint()
    {
        CuratedRows data = await CurateAsync([.. Texts(2400, seed: 1).Select(text => text.Text)], storedShards: 3);
        async Task<double> MeasuredAsync(ReviewSettings settings)
        {
            StepMemo memo = new(store);
            VocabularyBuilt vocabulary = await new BuildVocabularyStep(memo, 1).RunAsync(new BuildVocabularyInput(data, settings), null, default);
            EmbeddingsAveraged? learned = await EmbeddingRounds.RunAsync(new ShardSteps(memo), data, vocabulary);
            EncoderTrained encoder = await new PretrainEmbeddingsStep(memo, new SkipGramTrainer())
                .RunAsync(new PretrainEmbeddingsInput(EncoderSource.Own, null, data, vocabulary, learned), null, default);
            return Accuracy(await EncoderAsync(encoder));
        }

        double one = await MeasuredAsync(Settings(shards: 1)), four = await MeasuredAsync(Settings(shards: 4));

        Assert.InRange(one, 0.6, 0.98);                                    // there is something to lose
        Assert.True(four >= one - 0.005, $"one machine {one}, four shards {four}");
    }

    [Fact]
    public async Task Rounds_Repeated_GiveTheSameVectorsAndWriteNothing()
    {
        CuratedRows data = await CurateAsync([.. Texts(100, seed: 1).Select(text => text.Text)], storedShards: 2);
        float[] first = await VectorsAsync(data, Settings(3, rounds: 4, epochs: 2));
        int blobs = store.Content.Count;

        float[] again = await VectorsAsync(data, Settings(3, rounds: 4, epochs: 2));

        Assert.Equal(first, again);
        Assert.Equal(blobs, store.Content.Count);
    }

    [Theory]
    [InlineData(1, 4)]
    [InlineData(40, 4)]
    public async Task Deal_StoredShards_GivesEveryTextToOneShardAndTestRowsToNone(int storedShards, int shards)
    {
        CuratedRows data = await CurateAsync([.. Enumerable.Range(0, 400).Select(i => i % 10 == 0 ? $"secret{i} film" : $"word{i} film")], storedShards);
        StepMemo memo = new(store);
        VocabularyBuilt vocabulary = await new BuildVocabularyStep(memo, 1).RunAsync(new BuildVocabularyInput(data, Settings(shards, rounds: 2, epochs: 1)), null, default);
        Vocabulary words = Vocabulary.Parse(await store.ReadAsync(vocabulary.Vocabulary, default));

        List<string> read = [];
        foreach ((EmbeddingShardTexts texts, int shard) in TrainEmbeddingShardStep.Deal(data, shards).Select((texts, shard) => (texts, shard)))
        {
            EmbeddingShardTrained trained = await new TrainEmbeddingShardStep(memo, new SkipGramTrainer())
                .RunAsync(new TrainEmbeddingShardInput(shard, 0, texts, null, null, vocabulary), null, default);
            Assert.Equal(2, trained.Corpus.Count);
            foreach (ShardCorpus part in trained.Corpus)
            {
                TokenCorpus corpus = await CorpusBlobs.ReadAsync(store, part, default);
                Assert.Equal((part.Words, part.Texts), (corpus.Count, corpus.Texts));
                Assert.InRange(corpus.Texts, 35, 55);
                read.AddRange(Enumerable.Range(0, corpus.Texts).Select(text => words.Words[corpus.Text(text).ToArray().Single(id => words.Words[id] != "film")]));
            }
        }

        Assert.Equal(Enumerable.Range(0, 400).Where(i => i % 10 != 0).Select(i => $"word{i}").Order(StringComparer.Ordinal), read.Order(StringComparer.Ordinal));
    }

    // W(t) = mean(t) + N/(N + 1) · (W(t−1) − W(t−2)), where W before the first round is the start of every training.
    [Fact]
    public async Task Average_ThreeRounds_IsTheMeanAndTheMomentumOfTheRoundsBefore()
    {
        CuratedRows data = await CurateAsync([.. Texts(60, seed: 1).Select(text => text.Text)], storedShards: 1);
        StepMemo memo = new(store);
        VocabularyBuilt vocabulary = await new BuildVocabularyStep(memo, 1).RunAsync(new BuildVocabularyInput(data, Settings(2, rounds: 3, epochs: 3)), null, default);
        ShardSteps steps = new(memo);
        await EmbeddingRounds.RunAsync(steps, data, vocabulary);

        float[] start = new float[vocabulary.Words * 24], output = new float[start.Length];
        SkipGramTrainer.Start(start, output, vocabulary.Words, 24, vocabulary.Options);
        List<float[]> averages = [start];
        foreach ((AverageEmbeddingsInput input, EmbeddingsAveraged answer) in steps.Averages)
        {
            float[][] shards = await Task.WhenAll(input.Shards.Select(shard => TrainEmbeddingShardStep.ReadAsync(store, shard.Tables.Input, default)));
            float[] found = await TrainEmbeddingShardStep.ReadAsync(store, answer.Tables.Input, default);
            for (int i = 0; i < found.Length; i++)
                Assert.Equal(((shards[0][i] + shards[1][i]) / 2.0) + (averages.Count == 1 ? 0 : 2.0 / 3 * (averages[^1][i] - averages[^2][i])), found[i], 1e-5);
            averages.Add(found);
        }
        Assert.Equal(4, averages.Count);
    }

    [Fact]
    public async Task Rounds_MoreShardsThanTexts_TrainWithEmptyOnes()
    {
        CuratedRows data = await CurateAsync(["one good film", "one bad film"], storedShards: 1);

        (_, EmbeddingsAveraged averaged) = await TrainAsync(data, Settings(5, rounds: 2, epochs: 1));

        float[] vectors = await TrainEmbeddingShardStep.ReadAsync(store, averaged.Tables.Input, default);
        Assert.All(vectors, value => Assert.True(float.IsFinite(value)));
        Assert.Contains(vectors, value => value != 0);
        Assert.True(double.IsFinite(averaged.Loss));
    }

    [Fact]
    public async Task Rounds_OfNce_AverageBiasesToo()
    {
        CuratedRows data = await CurateAsync([.. Texts(40, seed: 1).Select(text => text.Text)], storedShards: 1);

        (VocabularyBuilt vocabulary, EmbeddingsAveraged averaged) = await TrainAsync(data, Settings(2, rounds: 3, epochs: 3) with { Preset = "article" });

        Assert.Equal(4L * vocabulary.Words, averaged.Tables.Biases!.Length);
    }

    [Theory]
    [InlineData(1_000_000, 1, 1)]
    [InlineData(200_000_000, 1, 1)]
    [InlineData(200_000_001, 2, 125)]
    [InlineData(3_000_000_000, 15, 65)]
    [InlineData(100_000_000_000, 64, 15)]
    public void Resolve_WordsOfTheCorpus_GiveShardsAndRounds(long tokens, int shards, int rounds)
    {
        EmbeddingOptions options = EmbeddingPresets.Resolve(new ReviewSettings(), tokens, 2);

        Assert.Equal((shards, rounds), (options.Shards, options.Rounds));
    }

    [Theory]
    [InlineData(0, null, "embedding.shards is 0; it must be 1 to 64.")]
    [InlineData(65, null, "embedding.shards is 65; it must be 1 to 64.")]
    [InlineData(1, 2, "embedding.rounds is 2; it must be 1 with one shard.")]
    [InlineData(4, 257, "embedding.rounds is 257; it must be 1 to 256 with 4 shards.")]
    [InlineData(4, 15, "embedding.rounds is 15; it must be at most the epochs, 8, or a multiple of them.")]
    public void Resolve_ShardsOrRoundsOutOfRange_AreRefused(int shards, int? rounds, string fact)
    {
        InputRejectedException fault = Assert.Throws<InputRejectedException>(() => EmbeddingPresets.Resolve(Settings(shards, rounds), 1000, 1));

        Assert.Equal(("T002", fact), (fault.Code, fault.Fact));
    }

    /// <summary>The two steps by direct calls.</summary>
    sealed class ShardSteps(StepMemo memo) : IReviewSteps
    {
        public List<(AverageEmbeddingsInput Input, EmbeddingsAveraged Answer)> Averages { get; } = [];

        public Task<EmbeddingShardTrained> TrainEmbeddingShard(TrainEmbeddingShardInput input) => new TrainEmbeddingShardStep(memo, new SkipGramTrainer()).RunAsync(input, null, default);

        public async Task<EmbeddingsAveraged> AverageEmbeddings(AverageEmbeddingsInput input)
        {
            EmbeddingsAveraged answer = await new AverageEmbeddingsStep(memo).RunAsync(input, null, default);
            Averages.Add((input, answer));
            return answer;
        }

        public Task Report(RunStage stage) => Task.CompletedTask;

        public Task<IngestedFile> IngestReviews(IngestReviewsInput input) => throw new NotSupportedException();

        public Task<CuratedRows> Curate(CurateInput input) => throw new NotSupportedException();

        public Task<VocabularyBuilt> BuildVocabulary(BuildVocabularyInput input) => throw new NotSupportedException();

        public Task<EncoderTrained> PretrainEmbeddings(PretrainEmbeddingsInput input) => throw new NotSupportedException();

        public Task<FeaturesExtracted> ExtractFeatures(ExtractFeaturesInput input) => throw new NotSupportedException();

        public Task<HeadsTrained> TrainHeads(TrainHeadsInput input) => throw new NotSupportedException();

        public Task<Evaluated> Evaluate(EvaluateInput input) => throw new NotSupportedException();

        public Task<Published> Publish(PublishInput input) => throw new NotSupportedException();

        public Task RecordFindings(RecordFindingsInput input) => throw new NotSupportedException();
    }
}
