using System.Text.Json;
using Microsoft.DurableTask;
using Scion.Datasets;
using Scion.Evaluation;
using Scion.Functions.Gpu;
using Scion.Heads;
using Scion.Pipelines;
using Scion.Registry;
using Scion.Text;
using Scion.Vision;

namespace Scion.Functions.Training;

/// <summary>The steps of a run by activities, each named as its step, and by GPU queues. Replayed: it awaits activities, events and timers only.</summary>
/// <param name="context">Of the orchestration.</param>
/// <param name="run">The run.</param>
/// <param name="gpu">Which steps go to a GPU, as it was when the run began.</param>
/// <param name="slice">Calls of one fan-out in one history; more are split over sub-orchestrations of this many.</param>
sealed class DurableSteps(TaskOrchestrationContext context, string run, GpuSettings gpu, int slice = DurableSteps.SliceSize) : IReviewSteps, IImageSteps, IDisposable
{
    /// <summary>A history of so many calls is some thousand rows, which Azure Storage loads in about a second.</summary>
    public const int SliceSize = 500;

    /// <summary>Whatever is thrown is repeated: after 5, 10, 20, 40, 80, 160 and 300 s. Only transient faults are thrown.</summary>
    public static readonly TaskOptions Retry = TaskOptions.FromRetryPolicy(new RetryPolicy(
        maxNumberOfAttempts: 8, firstRetryInterval: TimeSpan.FromSeconds(5), backoffCoefficient: 2, maxRetryInterval: TimeSpan.FromMinutes(5)));

    static readonly TimeSpan SuspendedWait = TimeSpan.FromSeconds(5);

    readonly CancellationTokenSource given = new();

    StageStarted stage = new(new RunStage("", 0, 0), context.CurrentUtcDateTime);
    bool extractOnGpu, waitsWhileSuspended = true;
    int sent;

    public Task<IngestedFile> IngestReviews(IngestReviewsInput input) => CallAsync<IngestedFile>(nameof(IngestReviews), input);

    public Task<IngestedFile> IngestImages(IngestImagesInput input) => CallAsync<IngestedFile>(nameof(IngestImages), input);

    public async Task<CuratedRows> Curate(CurateInput input)
    {
        CuratedRows data = await CallAsync<CuratedRows>(nameof(Curate), input);
        extractOnGpu = gpu.Extract && data.Kind == DataKind.Images && data.Shards.Sum(shard => (long)shard.RowCount) >= gpu.ExtractFromRows;
        return data;
    }

    public Task<VocabularyBuilt> BuildVocabulary(BuildVocabularyInput input) => CallAsync<VocabularyBuilt>(nameof(BuildVocabulary), input);

    public async Task<EmbeddingShardTrained> TrainEmbeddingShard(TrainEmbeddingShardInput input)
    {
        if (IsForGpu(input.Vocabulary) && !await DoneOnGpuAsync(GpuQueues.Pretrain, nameof(TrainEmbeddingShard), Json(input)))
            input = input with { Vocabulary = OnCpu(input.Vocabulary) };
        return await CallAsync<EmbeddingShardTrained>(nameof(TrainEmbeddingShard), input);
    }

    public Task<EmbeddingsAveraged> AverageEmbeddings(AverageEmbeddingsInput input) => CallAsync<EmbeddingsAveraged>(nameof(AverageEmbeddings), input);

    public async Task<EncoderTrained> PretrainEmbeddings(PretrainEmbeddingsInput input)
    {
        bool trains = (input.Source == EncoderSource.Own && input.Learned is null) || input.Source == EncoderSource.Continued;
        if (trains && IsForGpu(input.Vocabulary) && !await DoneOnGpuAsync(GpuQueues.Pretrain, nameof(PretrainEmbeddings), Json(input)))
            input = input with { Vocabulary = OnCpu(input.Vocabulary) };
        return await CallAsync<EncoderTrained>(nameof(PretrainEmbeddings), input);
    }

    public Task<FeaturesExtracted> ExtractFeatures(ExtractFeaturesInput input) => CallAsync<FeaturesExtracted>(nameof(ExtractFeatures), input);

    public Task<ImageEncoderReady> PrepareEncoder(PrepareEncoderInput input) => CallAsync<ImageEncoderReady>(nameof(PrepareEncoder), input);

    public async Task<ImageFeaturesExtracted> ExtractImageFeatures(ExtractImageFeaturesInput input) =>
        Value<ImageFeaturesExtracted>(await CallAsync(nameof(ExtractImageFeatures), Json(input), QueueOf(nameof(ExtractImageFeatures))));

    public Task<FeaturesExtracted> ExtractPixelFeatures(ExtractPixelFeaturesInput input) => CallAsync<FeaturesExtracted>(nameof(ExtractPixelFeatures), input);

    public Task<HeadsTrained> TrainHeads(TrainHeadsInput input) => CallAsync<HeadsTrained>(nameof(TrainHeads), input);

    public Task<Evaluated> Evaluate(EvaluateInput input) => CallAsync<Evaluated>(nameof(Evaluate), input);

    public Task<Published> Publish(PublishInput input) => CallAsync<Published>(nameof(Publish), input);

    public Task<Published> PublishImages(PublishImagesInput input) => CallAsync<Published>(nameof(PublishImages), input);

    public Task RecordFindings(RecordFindingsInput input) => CallAsync(nameof(RecordFindings), Json(input), queue: null);

    /// <summary>Becomes the instance's custom status, and goes with each call, whose activity tells the ledger: reports cost no activity of their own.</summary>
    public Task Report(RunStage next)
    {
        stage = new StageStarted(next, next.Step == stage.Stage.Step ? stage.Since : context.CurrentUtcDateTime);
        context.SetCustomStatus(next);
        return Task.CompletedTask;
    }

    /// <summary>Up to <see cref="SliceSize"/> calls go into this history; more into histories of their own, one after another, so that none grows without bound.</summary>
    public async Task<TOutput[]> FanOut<TInput, TOutput>(string step, IReadOnlyList<TInput> inputs, Func<TInput, Task<TOutput>> call)
    {
        if (inputs.Count <= slice) return await StepWindow.FanOut(this, step, inputs, call);
        List<TOutput> outputs = new(inputs.Count);
        await Report(new RunStage(step, 0, inputs.Count));
        foreach (TInput[] chunk in inputs.Chunk(slice))
        {
            SliceOrder order = new(run, gpu, step, QueueOf(step), stage, [.. chunk.Select(input => Json(input))]);
            SliceAnswer answer;
            while ((answer = await context.CallSubOrchestratorAsync<SliceAnswer>(nameof(SliceOrchestrator.Slice), order)).Fault is { } fault)
            {
                if (fault.Family != FaultFamily.Suspended) throw new StepFaultException(fault);
                await context.CreateTimer(SuspendedWait, CancellationToken.None);
            }
            outputs.AddRange(answer.Outputs!.Select(Value<TOutput>));
            await Report(new RunStage(step, outputs.Count, inputs.Count));
        }
        return [.. outputs];
    }

    /// <summary>The calls of one slice, from an orchestration of its own.</summary>
    /// <remarks>Nobody suspends that one, so it does not wait until the run is resumed: it ends, and the run's orchestration, which is suspended, starts it again; calls
    /// that were done are kept.</remarks>
    public async Task<JsonElement[]> SliceAsync(SliceOrder order)
    {
        stage = order.Stage;
        waitsWhileSuspended = false;
        Task<JsonElement>[] calls = new Task<JsonElement>[order.Inputs.Count];
        List<Task> underWay = new(StepWindow.Size);
        for (int i = 0; i < calls.Length; i++)
        {
            if (underWay.Count == StepWindow.Size)
            {
                Task finished = await Task.WhenAny(underWay);
                await finished;
                underWay.Remove(finished);
                RunStage before = stage.Stage;
                await Report(before with { Done = before.Done + 1 });
            }
            underWay.Add(calls[i] = CallAsync(order.Step, order.Inputs[i], order.Queue));
        }
        return await Task.WhenAll(calls);
    }

    /// <summary>Ends what still waits for a GPU when the run has failed: Durable calls no orchestration completed that has timers under way.</summary>
    public void Dispose()
    {
        given.Cancel();
        given.Dispose();
    }

    bool IsForGpu(VocabularyBuilt vocabulary) => gpu.Pretrain && vocabulary.Options.Trainer == EmbeddingOptions.TorchTrainer;

    static VocabularyBuilt OnCpu(VocabularyBuilt vocabulary) => vocabulary with { Options = vocabulary.Options with { Trainer = EmbeddingOptions.CpuTrainer } };

    string? QueueOf(string step) => extractOnGpu && step == nameof(ExtractImageFeatures) ? GpuQueues.Extract : null;

    async Task<TOutput> CallAsync<TOutput>(string step, object input) => Value<TOutput>(await CallAsync(step, Json(input), queue: null));

    /// <summary>Calls a step. Where a GPU did it, the activity finds its answer kept, and only passes it on.</summary>
    async Task<JsonElement> CallAsync(string step, JsonElement input, string? queue)
    {
        if (queue is not null) await DoneOnGpuAsync(queue, step, input);
        StepAnswer answer = await context.CallActivityAsync<StepAnswer>(step, new StepCall(run, stage, input), Retry);
        if (answer.Fault is null) return answer.Output!.Value;
        if (answer.Fault.Family != FaultFamily.Suspended || !waitsWhileSuspended) throw new StepFaultException(answer.Fault);
        await context.CreateTimer(SuspendedWait, CancellationToken.None);                // a suspended instance gets here when it is resumed
        return await CallAsync(step, input, queue);
    }

    /// <summary>Has a GPU do a step, if one takes it in time.</summary>
    /// <remarks>A message that is still there after <see cref="GpuSettings.Pickup"/> is withdrawn: then no GPU can take it any more. One that cannot be
    /// withdrawn has been taken.</remarks>
    /// <returns>True when its answer is kept; false when the CPU should do it.</returns>
    async Task<bool> DoneOnGpuAsync(string queue, string step, JsonElement input)
    {
        string name = $"{step}-{++sent}";
        Task<GpuDone> done = context.WaitForExternalEvent<GpuDone>(name);
        GpuTicket ticket = await context.CallActivityAsync<GpuTicket>(nameof(GpuActivities.SendToGpu),
            new GpuOrder(queue, context.InstanceId, name, step, new StepCall(run, stage, input)), Retry);
        if (!await EndsWithinAsync(done, gpu.Pickup))
        {
            if (await context.CallActivityAsync<bool>(nameof(GpuActivities.WithdrawFromGpu), ticket, Retry)) return false;
            if (!await EndsWithinAsync(done, gpu.Limit)) return false;
        }
        StepFault? fault = (await done).Fault;
        if (fault is null) return true;
        if (fault.Family != FaultFamily.Suspended || !waitsWhileSuspended) throw new StepFaultException(fault);
        await context.CreateTimer(SuspendedWait, CancellationToken.None);
        return await DoneOnGpuAsync(queue, step, input);
    }

    async Task<bool> EndsWithinAsync(Task task, TimeSpan limit)
    {
        using CancellationTokenSource timer = CancellationTokenSource.CreateLinkedTokenSource(given.Token);
        Task first = await Task.WhenAny(task, context.CreateTimer(limit, timer.Token));
        given.Token.ThrowIfCancellationRequested();
        timer.Cancel();                                                   // CancelAsync would leave the orchestration's own thread
        return first == task;
    }

    static JsonElement Json<T>(T input) => JsonSerializer.SerializeToElement(input, input!.GetType(), ScionJson.Strict);

    static TOutput Value<TOutput>(JsonElement output) => output.Deserialize<TOutput>(ScionJson.Strict)!;
}
