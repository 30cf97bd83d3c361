using CsCheck;
using Scion.Datasets;
using Scion.Evaluation;
using Scion.Heads;
using Scion.Pipelines;
using Scion.Registry;
using Scion.Storage;
using Scion.Vision;

namespace Scion.Tests.Pipelines;

/// <summary>The pipeline of images as Durable runs it: replayed from the start after each completed step, completions in any order.</summary>
public sealed class TrainImagesPipelineTests
{
    [Fact]
    public void Pipeline_ReplayedWithShuffledCompletions_AsksTheSameAndAnswersTheSame() =>
        Gen.Select(Gen.Int[1, 40], Gen.Int[0, int.MaxValue]).Sample((folders, seed) =>
        {
            TrainImagesRequest request = Request(folders);
            TrainedImages straight = Replaying.Run(history => TrainImagesPipeline.RunAsync(new ReplayedSteps(history), request), new Random(0), shuffle: false, out List<string> asked);

            TrainedImages shuffled = Replaying.Run(history => TrainImagesPipeline.RunAsync(new ReplayedSteps(history), request), new Random(seed), shuffle: true, out List<string> askedShuffled);

            Assert.Equal(Json(straight), Json(shuffled));
            Assert.Equal(asked.Order(StringComparer.Ordinal), askedShuffled.Order(StringComparer.Ordinal));
        }, iter: 30);

    [Fact]
    public void Pipeline_Features_GoToTheCandidateTheyBelongTo()
    {
        History history = new(new Random(3), shuffle: true);
        Task<TrainedImages> run = TrainImagesPipeline.RunAsync(new ReplayedSteps(history), Request(5));
        while (!run.IsCompleted) history.CompleteOne();

        Assert.Contains("TrainHeads Transfer edges:True0edges,True1edges,True2edges,True3edges,True4edges shapes:True0shapes,True1shapes,True2shapes,True3shapes,True4shapes", history.Asked);
        Assert.Contains("TrainHeads Scratch edges:False0edges,False1edges,False2edges,False3edges,False4edges shapes:False0shapes,False1shapes,False2shapes,False3shapes,False4shapes", history.Asked);
        Assert.Contains("TrainHeads Pixels :pixels0,pixels1,pixels2,pixels3,pixels4", history.Asked);
        Assert.Contains("PublishImages True edges shapes", history.Asked);
    }

    static string Json(TrainedImages trained) => System.Text.Json.JsonSerializer.Serialize(trained, ScionJson.Strict);

    static TrainImagesRequest Request(int folders) => TrainImagesRequest.Of("dresses",
        [.. Enumerable.Range(0, folders).Select(i => new PinnedFile("images", $"dresses/{i:d2}/a.jpg", $"e{i}", i, new string((char)('a' + (i % 26)), 64)))],
        new ImageSettings(), DateTimeOffset.UnixEpoch);

    sealed class ReplayedSteps(History history) : IImageSteps
    {
        static readonly EncoderLayer[] Layers = [new("edges", "Relu", [4, 8, 8], 4, 10, true), new("shapes", "Relu", [8, 4, 4], 8, 20, true)];

        static ArtifactRef Ref(string name) => new($"work/{name}", name.Length, new string('0', 64));

        public Task<IngestedFile> IngestImages(IngestImagesInput input) => history.Ask($"IngestImages {input.Batch.Name}", () =>
            new IngestedFile(input.Batch.Name, [], 1, 0, 0, [], [new ShardRef(Ref(input.Batch.Name), Ref("i" + input.Batch.Name), 1)], null, []));

        public Task<CuratedRows> Curate(CurateInput input) => history.Ask("Curate", () =>
            new CuratedRows(input.Kind, ["a", "b"], [.. input.Files.SelectMany(f => f.Shards)], Ref("rows"), Protocol.HashSplit, [], [], 0, 0, 0, null, []));

        public Task<ImageEncoderReady> PrepareEncoder(PrepareEncoderInput input) => history.Ask($"PrepareEncoder {input.Pretrained}", () => new ImageEncoderReady(
            new ImageEncoderCard("image", new string('e', 64), 1, "small", "here", new string('e', 64), null, null, new PictureFit(1, 16, 16, PictureResize.Pad, 0),
                new PictureValues("rgb", [0], [1], "nchw", "float32"), 30, Layers, "shapes", true), Ref($"{input.Pretrained}"), Layers, "shapes", input.Pretrained));

        public Task<ImageFeaturesExtracted> ExtractImageFeatures(ExtractImageFeaturesInput input) => history.Ask($"ExtractImageFeatures {input.Encoder.Pretrained} {input.Shard.Index}", () =>
            new ImageFeaturesExtracted(input.Shard.Index, [.. input.Encoder.Layers.Select(layer =>
                new FeaturesExtracted(input.Shard.Index, 1, layer.Features, Ref($"{input.Encoder.Pretrained}{input.Shard.Index}{layer.Name}")))], 1, "cpu"));

        public Task<FeaturesExtracted> ExtractPixelFeatures(ExtractPixelFeaturesInput input) => history.Ask($"ExtractPixelFeatures {input.Shard.Index}", () =>
            new FeaturesExtracted(input.Shard.Index, 1, 3, Ref($"pixels{input.Shard.Index}")));

        public Task<HeadsTrained> TrainHeads(TrainHeadsInput input) =>
            history.Ask($"TrainHeads {input.Kind} {string.Join(' ', input.Sets.Select(set => $"{set.Name}:{string.Join(',', set.Shards.Select(shard => shard.Features.Path["work/".Length..]))}"))}",
                () => TestHeads.Trained(input.Kind, Ref($"{input.Kind}"), []));

        public Task<Evaluated> Evaluate(EvaluateInput input) => history.Ask("Evaluate", () => TestHeads.Evaluated(Ref("fitted"), [.. input.Candidates.Select(c => $"{c.Kind}")]));

        public Task<Published> PublishImages(PublishImagesInput input) =>
            history.Ask($"PublishImages {input.Encoder.Pretrained} {string.Join(' ', input.Sets.Select(set => set.Name))}", () => new Published(input.Model, input.Version, "digest", true, "First version.", 0));

        public async Task RecordFindings(RecordFindingsInput input) => await history.Ask($"RecordFindings {input.Data is not null}", () => true);

        public async Task Report(RunStage stage) => await history.Ask($"Report {stage}", () => true);
    }
}
