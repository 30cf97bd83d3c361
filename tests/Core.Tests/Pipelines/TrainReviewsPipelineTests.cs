using CsCheck;
using Scion.Datasets;
using Scion.Evaluation;
using Scion.Heads;
using Scion.Pipelines;
using Scion.Registry;
using Scion.Storage;
using Scion.Text;

namespace Scion.Tests.Pipelines;

/// <summary>The pipeline as Durable runs it: replayed from the start after each completed step, completions in any order.</summary>
public sealed class TrainReviewsPipelineTests
{
    [Fact]
    public void Pipeline_ReplayedWithShuffledCompletions_AsksTheSameAndAnswersTheSame() =>
        Gen.Select(Gen.Int[1, 70], Gen.Int[1, 6], Gen.Int[0, int.MaxValue]).Sample((files, shards, seed) =>
        {
            TrainReviewsRequest request = Request(files, shards);
            TrainedReviews straight = Replaying.Run(history => TrainReviewsPipeline.RunAsync(new ReplayedSteps(history), request), new Random(0), shuffle: false, out List<string> asked);

            TrainedReviews shuffled = Replaying.Run(history => TrainReviewsPipeline.RunAsync(new ReplayedSteps(history), request), new Random(seed), shuffle: true, out List<string> askedShuffled);

            Assert.Equal(Json(straight), Json(shuffled));
            Assert.Equal(asked.Order(StringComparer.Ordinal), askedShuffled.Order(StringComparer.Ordinal));
        }, iter: 30);

    [Fact]
    public void Pipeline_ManyFiles_NeverHasMoreCallsUnderWayThanTheWindow()
    {
        History history = new(new Random(1), shuffle: true);
        int most = 0;
        Task<TrainedReviews> run = TrainReviewsPipeline.RunAsync(new ReplayedSteps(history), Request(200));
        while (!run.IsCompleted)
        {
            most = Math.Max(most, history.Pending);
            history.CompleteOne();
        }

        Assert.Equal(StepWindow.Size, most);
    }

    // Each call of a later round names what the averages of the round before are and where its own texts lie, and no more: it does not grow with the data.
    [Fact]
    public void Pipeline_SeveralShards_TrainsRoundsFromTheAveragesBefore()
    {
        Replaying.Run(history => TrainReviewsPipeline.RunAsync(new ReplayedSteps(history), Request(100, shards: 2)), new Random(0), shuffle: false, out List<string> asked);

        string[] rounds = [.. asked.Where(call => call.StartsWith("TrainEmbeddingShard", StringComparison.Ordinal)).Distinct()];
        Assert.Equal(6, rounds.Length);
        Assert.Equal(3, asked.Where(call => call.StartsWith("AverageEmbeddings", StringComparison.Ordinal)).Distinct().Count());
        Assert.All(rounds[..2], call => Assert.Contains("\"texts\"", call, StringComparison.Ordinal));
        Assert.All(rounds[2..], call => Assert.InRange(call.Length, 1, 2500));
        Assert.Contains("work/in work/in 0 2+work/in 1 2", asked.Single(call => call.StartsWith("PretrainEmbeddings Own", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Contains("work/in work/in 0 0+work/in 1 0", rounds[2], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pipeline_AStepRefuses_EndsWithThatFault()
    {
        History history = new(new Random(1), shuffle: false) { Refuse = "Curate" };
        Task<TrainedReviews> run = TrainReviewsPipeline.RunAsync(new ReplayedSteps(history), Request(3));
        while (!run.IsCompleted) history.CompleteOne();

        Faults.InputRejectedException fault = await Assert.ThrowsAsync<Faults.InputRejectedException>(() => run);
        Assert.Equal("X001", fault.Code);
        Assert.Contains(history.Asked, call => call.StartsWith("RecordFindings", StringComparison.Ordinal));
    }

    static string Json<T>(T trained) => System.Text.Json.JsonSerializer.Serialize(trained, ScionJson.Strict);

    static TrainReviewsRequest Request(int files, int shards = 1) => TrainReviewsRequest.Of("films",
        [.. Enumerable.Range(0, files).Select(i => new PinnedFile("reviews", $"films/{i}.csv", $"e{i}", i, new string((char)('a' + (i % 26)), 64)))],
        new ReviewSettings { Embedding = new EmbeddingOverrides { Shards = shards } }, DateTimeOffset.UnixEpoch);

    sealed class ReplayedSteps(History history) : IReviewSteps
    {
        static ArtifactRef Ref(string name) => new($"work/{name}", name.Length, new string('0', 64));

        public Task<IngestedFile> IngestReviews(IngestReviewsInput input) => history.Ask($"IngestReviews {input.File.Name}", () =>
            new IngestedFile(input.File.Name, [], input.File.Length, 0, 0, [], [new ShardRef(Ref(input.File.Name), Ref("i" + input.File.Name), 1)], null, []));

        public Task<CuratedRows> Curate(CurateInput input) => history.Ask("Curate", () =>
            new CuratedRows(DataKind.Reviews, ["a", "b"], [.. input.Files.SelectMany(f => f.Shards)], Ref("rows"), Protocol.HashSplit, [], [], 0, 0, 0, null, []));

        public Task<VocabularyBuilt> BuildVocabulary(BuildVocabularyInput input) => history.Ask("BuildVocabulary", () =>
            new VocabularyBuilt(Ref("vocabulary"), 3, 9, 
                EmbeddingPresets.Resolve(input.Settings, 9, 1) with { Dim = 4, Epochs = 3, Rounds = input.Settings.Embedding.Shards == 1 ? 1 : 3 }));

        public Task<EmbeddingShardTrained> TrainEmbeddingShard(TrainEmbeddingShardInput input) => history.Ask($"TrainEmbeddingShard {Json(input)}", () =>
            new EmbeddingShardTrained(input.Shard, input.Round > 0 ? [] : [new ShardCorpus([Ref($"ids {input.Shard}")], 3, 1)],
                Tables($"{input.Shard} {input.Round}"), 3, input.Round, true, "cpu"));

        public Task<EmbeddingsAveraged> AverageEmbeddings(AverageEmbeddingsInput input) => history.Ask($"AverageEmbeddings {Json(input)}", () =>
            new EmbeddingsAveraged(Tables(string.Join('+', input.Shards.Select(shard => shard.Tables.Input.Path))), 1, true, "cpu"));

        static EmbeddingTables Tables(string name) => new(Ref($"in {name}"), Ref($"out {name}"), null);

        public Task<EncoderTrained> PretrainEmbeddings(PretrainEmbeddingsInput input) => history.Ask($"PretrainEmbeddings {input.Source} {Json(input)}", () =>
            new EncoderTrained(input.Source, Ref($"{input.Source}{input.Learned?.Tables.Input.Path}"), 4, 3, 12, null, true, $"{input.Source}"));

        public Task<FeaturesExtracted> ExtractFeatures(ExtractFeaturesInput input) => history.Ask($"ExtractFeatures {input.Encoder.Source} {input.Shard.Index}", () =>
            new FeaturesExtracted(input.Shard.Index, 1, 4, Ref($"{input.Encoder.Source}{input.Shard.Index}")));

        public Task<HeadsTrained> TrainHeads(TrainHeadsInput input)
        {
            FeaturesExtracted[] shards = [.. input.Sets.SelectMany(set => set.Shards)];
            foreach (FeatureSet set in input.Sets) Assert.Equal(set.Shards.Select((_, i) => i), set.Shards.Select(f => f.Shard));
            return history.Ask($"TrainHeads {input.Kind}", () => TestHeads.Trained(input.Kind, Ref($"{input.Kind}"),
                [.. shards.Select(f => f.Features.Path)]));
        }

        public Task<Evaluated> Evaluate(EvaluateInput input) => history.Ask("Evaluate", () => TestHeads.Evaluated(Ref("fitted"),
            [.. input.Candidates.Select(c => $"{c.Kind}"), .. input.Candidates.SelectMany(c => c.Warnings)]));

        public Task<Published> Publish(PublishInput input) => history.Ask("Publish", () =>
            new Published(input.Model, input.Version, "digest", true, "First version.", 0));

        public async Task RecordFindings(RecordFindingsInput input) => await history.Ask($"RecordFindings {input.Data is not null}", () => true);

        public async Task Report(RunStage stage) => await history.Ask($"Report {stage}", () => true);
    }
}
