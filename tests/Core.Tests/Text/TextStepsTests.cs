using Scion.Datasets;
using Scion.Heads;
using Scion.Faults;
using Scion.Pipelines;
using Scion.Storage;
using Scion.Text;

namespace Scion.Tests.Text;

public sealed class TextStepsTests
{
    readonly InMemoryBlobStore store = new();

    /// <summary>Two shards; row i's use is i modulo four: unlabelled, train, test, dropped.</summary>
    static async Task<CuratedRows> CurateAsync(IBlobStore store, Func<RowUse, int, string> text)
    {
        StepWriter writer = new(store, "data");
        List<ShardRef> shards = [];
        List<RowUse[]> uses = [];
        for (int shard = 0; shard < 2; shard++)
        {
            using MemoryStream rows = new();
            for (int i = 0; i < 20; i++)
                ReviewShard.Append(rows, new ReviewRow(text((RowUse)(i % 4), (20 * shard) + i), i % 4 == 0 ? null : i % 8 < 4 ? "a" : "b", GivenSplit.None, 0, i + 1));
            ArtifactRef bytes = await writer.AddAsync("rows", rows.ToArray(), default);
            shards.Add(new ShardRef(bytes, bytes, 20));
            uses.Add([.. Enumerable.Range(0, 20).Select(i => (RowUse)(i % 4))]);
        }
        ArtifactRef table = await writer.AddAsync("table", RowTable.Of(uses, [.. Enumerable.Range(0, 20).Select(i => i % 2)]).ToBytes(), default);
        return new CuratedRows(DataKind.Reviews, ["a", "b"], shards, table, Protocol.HashSplit, [new("a", 5), new("b", 5)], [new("a", 5), new("b", 5)], 10, 0, 0, null, []);
    }

    static string Text(RowUse use, int i) => $"{use} film number{i % 3} was {(i % 2 == 0 ? "good" : "bad")} {use}";

    async Task<(VocabularyBuilt Vocabulary, EncoderTrained Encoder)> TrainAsync(IBlobStore at, CuratedRows data, EncoderSource source = EncoderSource.Own)
    {
        StepMemo memo = new(at);
        VocabularyBuilt vocabulary = await new BuildVocabularyStep(memo, 2).RunAsync(new BuildVocabularyInput(data, new ReviewSettings()), null, default);
        return (vocabulary, await new PretrainEmbeddingsStep(memo, new SkipGramTrainer()).RunAsync(new PretrainEmbeddingsInput(source, null, data, vocabulary), null, default));
    }

    [Fact]
    public async Task Steps_Repeated_GiveTheSameAnswerAndWriteNothing()
    {
        CuratedRows data = await CurateAsync(store, Text);
        (VocabularyBuilt vocabulary, EncoderTrained encoder) = await TrainAsync(store, data);
        int blobs = store.Content.Count;

        (VocabularyBuilt vocabularyAgain, EncoderTrained encoderAgain) = await TrainAsync(store, data);

        Assert.Equal((vocabulary, encoder), (vocabularyAgain, encoderAgain));
        Assert.Equal(blobs, store.Content.Count);
    }

    [Fact]
    public async Task Steps_OnAnotherStore_GiveTheSameBits()
    {
        InMemoryBlobStore other = new();

        (_, EncoderTrained one) = await TrainAsync(store, await CurateAsync(store, Text));
        (_, EncoderTrained two) = await TrainAsync(other, await CurateAsync(other, Text));

        Assert.Equal(one, two);
        Assert.True(one.Reproducible);
        Assert.Equal("cpu", one.Device);
        Assert.True(one.Loss > 0);
    }

    [Theory]
    [InlineData(EncoderSource.Own)]
    [InlineData(EncoderSource.Untrained)]
    public async Task Steps_OtherTextsInTestAndDroppedRows_ChangeNothingLearned(EncoderSource source)
    {
        InMemoryBlobStore other = new();
        CuratedRows changed = await CurateAsync(other, (use, i) => use is RowUse.Test or RowUse.Dropped ? $"something else entirely {i}" : Text(use, i));

        (VocabularyBuilt vocabulary, EncoderTrained encoder) = await TrainAsync(store, await CurateAsync(store, Text), source);
        (VocabularyBuilt otherVocabulary, EncoderTrained otherEncoder) = await TrainAsync(other, changed, source);

        Assert.Equal(vocabulary.Vocabulary.Sha256, otherVocabulary.Vocabulary.Sha256);
        Assert.Equal((vocabulary.Tokens, vocabulary.Options), (otherVocabulary.Tokens, otherVocabulary.Options));
        Assert.Equal(encoder.Digest, otherEncoder.Digest);
        Vocabulary words = Vocabulary.Parse(await store.ReadAsync(vocabulary.Vocabulary, default));
        Assert.True(words.IdOf("train") >= 0);
        Assert.Equal((-1, -1), (words.IdOf("test"), words.IdOf("dropped")));
    }

    [Fact]
    public async Task ExtractFeatures_AShard_IsWhatTheEncoderSaysOfItsLabelledRows()
    {
        CuratedRows data = await CurateAsync(store, Text);
        (_, EncoderTrained trained) = await TrainAsync(store, data);

        FeaturesExtracted features = await new ExtractFeaturesStep(new StepMemo(store)).RunAsync(new ExtractFeaturesInput(trained, data.Shard(1)), null, default);

        Assert.Equal((1, 10, trained.Dim), (features.Shard, features.Rows, features.Dim));
        SentenceEncoder encoder = SentenceEncoder.Parse(await store.ReadAsync(trained.Encoder, default));
        float[] expected = new float[10 * trained.Dim];
        int row = 0;
        for (int i = 0; i < 20; i++)
            if ((RowUse)(i % 4) is RowUse.Train or RowUse.Test) encoder.Encode(Text((RowUse)(i % 4), 20 + i), expected.AsSpan(row++ * trained.Dim, trained.Dim));
        Assert.Equal(expected, System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(await store.ReadAsync(features.Features, default)).ToArray());
    }

    [Fact]
    public async Task BuildVocabulary_NoWordIsFrequentEnough_IsRefused()
    {
        CuratedRows data = await CurateAsync(store, Text);
        ReviewSettings settings = new() { Embedding = new EmbeddingOverrides { MinCount = 1000 } };

        InputRejectedException fault = await Assert.ThrowsAsync<InputRejectedException>(() =>
            new BuildVocabularyStep(new StepMemo(store), 2).RunAsync(new BuildVocabularyInput(data, settings), null, default));

        Assert.Equal("T003: No word stands 1000 times or more in the 20 texts. Add texts, or lower embedding.minCount.", fault.Message);
    }

    [Fact]
    public async Task PretrainEmbeddings_UnknownImport_IsRefused()
    {
        CuratedRows data = await CurateAsync(store, Text);
        (VocabularyBuilt vocabulary, _) = await TrainAsync(store, data);

        InputRejectedException fault = await Assert.ThrowsAsync<InputRejectedException>(() => new PretrainEmbeddingsStep(new StepMemo(store), new SkipGramTrainer())
            .RunAsync(new PretrainEmbeddingsInput(EncoderSource.Imported, "encoders/" + new string('0', 64), data, vocabulary), null, default));

        Assert.Equal(("T011", Refusal.NotFound), (fault.Code, fault.Kind));
    }
}
