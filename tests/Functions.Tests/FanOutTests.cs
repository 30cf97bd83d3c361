using System.Text.Json;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Scion.Datasets;
using Scion.Functions;
using Scion.Functions.Training;
using Scion.Heads;
using Scion.Pipelines;
using Scion.Storage;
using Scion.Vision;

namespace Scion.Tests;

public sealed class FanOutTests
{
    const string Probe = "FanOutProbe";

    [Theory, InlineData(40, 40, 1), InlineData(41, 40, 2), InlineData(90, 40, 3)]
    public async Task FanOut_OfManyCalls_KeepsOrderWindowAndHistoriesOfBoundedLength(int calls, int slice, int histories)
    {
        int underWay = 0, most = 0;
        await using DurableHost host = await DurableHost.StartAsync(new InMemoryBlobStore(),
            activities: new Dictionary<string, Func<object?, Task<object?>>>
            {
                [nameof(ReviewActivities.IngestReviews)] = async call =>
                {
                    int now = Interlocked.Increment(ref underWay);
                    InterlockedMax(ref most, now);
                    await Task.Yield();
                    Interlocked.Decrement(ref underWay);
                    IngestReviewsInput input = ((StepCall)call!).Input.Deserialize<IngestReviewsInput>(ScionJson.Strict)!;
                    return new StepAnswer(JsonSerializer.SerializeToElement(new IngestedFile(input.File.Name, [], input.File.Length, 0, 0, [], [], null, []), ScionJson.Strict), null);
                },
            },
            orchestrators: registry => registry.AddOrchestratorFunc<int, string>(Probe, async (context, count) =>
            {
                IReviewSteps steps = new DurableSteps(context, "films-0123456789abcdef", new GpuSettings(), slice);
                IngestedFile[] files = await steps.FanOut(nameof(steps.IngestReviews), [.. Enumerable.Range(0, count).Select(i =>
                    new IngestReviewsInput(new PinnedFile("reviews", $"films/{i}", "e", i, "0"), new ReviewSettings()))], steps.IngestReviews);
                return string.Join(",", files.Select(file => file.Rows));
            }));

        string instance = await host.Client.ScheduleNewOrchestrationInstanceAsync(Probe, calls);
        OrchestrationMetadata ended = await host.EndAsync(instance);

        Assert.Equal(OrchestrationRuntimeStatus.Completed, ended.RuntimeStatus);
        Assert.Equal(string.Join(",", Enumerable.Range(0, calls)), ended.ReadOutputAs<string>());
        Assert.Equal((histories, calls), (host.CallsByInstance.Count, host.CallsByInstance.Values.Sum()));
        Assert.InRange(host.CallsByInstance.Values.Max(), 1, slice);
        Assert.InRange(most, 1, StepWindow.Size);
        Assert.Equal(new RunStage(nameof(IReviewSteps.IngestReviews), calls, calls), ended.ReadCustomStatusAs<RunStage>());
    }

    [Fact]
    public async Task FanOut_InSlicesWhileTheRunIsSuspended_EndsTheSliceAndRepeatsIt()
    {
        int asked = 0;
        await using DurableHost host = await DurableHost.StartAsync(new InMemoryBlobStore(),
            activities: new Dictionary<string, Func<object?, Task<object?>>>
            {
                [nameof(ReviewActivities.IngestReviews)] = call =>
                {
                    if (Interlocked.Increment(ref asked) == 2) return Task.FromResult<object?>(new StepAnswer(null, new StepFault(FaultFamily.Suspended, "F005", "The run was stopped.")));
                    IngestReviewsInput input = ((StepCall)call!).Input.Deserialize<IngestReviewsInput>(ScionJson.Strict)!;
                    return Task.FromResult<object?>(
                        new StepAnswer(JsonSerializer.SerializeToElement(new IngestedFile(input.File.Name, [], input.File.Length, 0, 0, [], [], null, []), ScionJson.Strict), null));
                },
            },
            orchestrators: registry => registry.AddOrchestratorFunc<int, int>(Probe, async (context, count) =>
            {
                IReviewSteps steps = new DurableSteps(context, "films-0123456789abcdef", new GpuSettings(), 2);
                return (await steps.FanOut(nameof(steps.IngestReviews), [.. Enumerable.Range(0, count).Select(i =>
                    new IngestReviewsInput(new PinnedFile("reviews", $"films/{i}", "e", i, "0"), new ReviewSettings()))], steps.IngestReviews)).Length;
            }));

        string instance = await host.Client.ScheduleNewOrchestrationInstanceAsync(Probe, 3);
        OrchestrationMetadata ended = await host.EndAsync(instance);

        Assert.Equal(3, ended.ReadOutputAs<int>());
        Assert.Equal([1, 2, 2], host.CallsByInstance.Values.Order());             // the slice that was stopped, its repetition, the other slice
    }

    /// <summary>A call's input and answer are what it adds to a history: they must not grow with the data set.</summary>
    [Theory, InlineData(1), InlineData(2000)]
    public void Call_OfADataSetOfManyShards_NamesOneShard(int shards)
    {
        ArtifactRef artifact = new($"work/{new string('a', 64)}/0123456789abcdef-pictures.bin", 64 << 20, new string('b', 64));
        ShardRef shard = new(artifact, artifact, 500) { Pictures = artifact };
        CuratedRows data = new(DataKind.Images, ["blue", "gold"], [.. Enumerable.Repeat(shard, shards)], artifact, Protocol.HashSplit, [], [], 0, 0, 0, null, []);
        ImageEncoderReady encoder = new(DefaultEncoder.Card, artifact, [.. Enumerable.Range(0, 6).Select(i =>
            new EncoderLayer($"layer{i}", "Relu", [512, 7, 7], 2048, 23_000_000, Offered: true))], "layer5", Pretrained: true);
        FeaturesExtracted features = new(shards - 1, 500, 2048, artifact);

        int call = JsonSerializer.SerializeToUtf8Bytes(new ExtractImageFeaturesInput(encoder, data.Shard(shards - 1)), ScionJson.Strict).Length;
        int answer = JsonSerializer.SerializeToUtf8Bytes(new ImageFeaturesExtracted(shards - 1, [.. Enumerable.Repeat(features, 6)], 500, "cuda:0"), ScionJson.Strict).Length;

        Assert.InRange(call + answer, 1_000, 10_000);
    }

    static void InterlockedMax(ref int most, int now)
    {
        for (int seen = most; now > seen && Interlocked.CompareExchange(ref most, now, seen) != seen; seen = most)
        {
        }
    }
}
