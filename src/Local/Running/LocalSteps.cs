using System.Diagnostics;
using Scion.Datasets;
using Scion.Evaluation;
using Scion.Heads;
using Scion.Pipelines;
using Scion.Registry;
using Scion.Text;
using Scion.Vision;

namespace Scion.Local.Running;

/// <summary>The steps of a run by direct calls: at most one a core at once, fewer when memory is short. Only a transient fault is repeated, as
/// <see cref="TransientRetry"/> does.</summary>
/// <param name="memo">Keeps the answers.</param>
/// <param name="registry">On the same store.</param>
/// <param name="ledger">On the same store.</param>
/// <param name="trainer">Learns word vectors.</param>
/// <param name="pictures">Reads pictures.</param>
/// <param name="progress">Told of stages and calls.</param>
/// <param name="time">Waits between tries.</param>
/// <param name="cancellation">Stops every step.</param>
sealed class LocalSteps(
    StepMemo memo, ModelRegistry registry, RunLedger ledger, IEmbeddingTrainer trainer, IPictureReader pictures, RunProgress progress,
    TimeProvider time, CancellationToken cancellation) : IReviewSteps, IImageSteps, IDisposable
{
    readonly TransientRetry retry = new(time);
    readonly SemaphoreSlim cores = new(StepWindow.CallsAtOnce);
    readonly SemaphoreSlim training = new(1);
    readonly PictureWorkers workers = new(pictures, Environment.ProcessorCount);
    readonly EncoderSessions sessions = new();
    readonly SentenceNetworkSessions networks = new();
    readonly Lock gate = new();
    readonly HashSet<Task> underWay = [];

    public Task<IngestedFile> IngestReviews(IngestReviewsInput input) =>
        Call(nameof(IngestReviews), call => new IngestReviewsStep(memo).RunAsync(input, call, cancellation));

    public Task<CuratedRows> Curate(CurateInput input) =>
        Call(nameof(Curate), call => new CurateStep(memo).RunAsync(input, call, cancellation));

    public Task<VocabularyBuilt> BuildVocabulary(BuildVocabularyInput input) =>
        Call(nameof(BuildVocabulary), call => new BuildVocabularyStep(memo, Environment.ProcessorCount).RunAsync(input, call, cancellation));

    public Task<EmbeddingShardTrained> TrainEmbeddingShard(TrainEmbeddingShardInput input) => Call(nameof(TrainEmbeddingShard), async call =>
    {
        bool wide = input.Vocabulary.Options.Threads > 1;                // such a shard takes all cores: side by side they would only hold more tables
        if (wide) await training.WaitAsync(cancellation);
        try
        {
            return await new TrainEmbeddingShardStep(memo, trainer).RunAsync(input, call, cancellation);
        }
        finally
        {
            if (wide) training.Release();
        }
    });

    public Task<EmbeddingsAveraged> AverageEmbeddings(AverageEmbeddingsInput input) =>
        Call(nameof(AverageEmbeddings), call => new AverageEmbeddingsStep(memo).RunAsync(input, call, cancellation));

    public Task<EncoderTrained> PretrainEmbeddings(PretrainEmbeddingsInput input) =>
        Call(nameof(PretrainEmbeddings), call => new PretrainEmbeddingsStep(memo, trainer).RunAsync(input, call, cancellation));

    public Task<FeaturesExtracted> ExtractFeatures(ExtractFeaturesInput input) =>
        Call(nameof(ExtractFeatures), call => new ExtractFeaturesStep(memo, networks).RunAsync(input, call, cancellation));

    public Task<HeadsTrained> TrainHeads(TrainHeadsInput input) =>
        Call(nameof(TrainHeads), call => new TrainHeadsStep(memo).RunAsync(input, call, cancellation));

    public Task<Evaluated> Evaluate(EvaluateInput input) =>
        Call(nameof(Evaluate), call => new EvaluateStep(memo).RunAsync(input, call, cancellation));

    public Task<Published> Publish(PublishInput input) =>
        Call(nameof(Publish), call => new PublishStep(memo, registry).RunAsync(input, call, cancellation));

    public Task<IngestedFile> IngestImages(IngestImagesInput input) =>
        Call(nameof(IngestImages), call => new IngestImagesStep(memo, pictures).RunAsync(input, call, cancellation));

    public Task<ImageEncoderReady> PrepareEncoder(PrepareEncoderInput input) =>
        Call(nameof(PrepareEncoder), call => new PrepareEncoderStep(memo).RunAsync(input, call, cancellation));

    public Task<ImageFeaturesExtracted> ExtractImageFeatures(ExtractImageFeaturesInput input) =>
        Call(nameof(ExtractImageFeatures), call => new ExtractImageFeaturesStep(memo, workers, sessions).RunAsync(input, call, cancellation));

    public Task<FeaturesExtracted> ExtractPixelFeatures(ExtractPixelFeaturesInput input) =>
        Call(nameof(ExtractPixelFeatures), call => new ExtractPixelFeaturesStep(memo, workers).RunAsync(input, call, cancellation));

    public Task<Published> PublishImages(PublishImagesInput input) =>
        Call(nameof(PublishImages), call => new PublishImagesStep(memo, registry, pictures).RunAsync(input, call, cancellation));

    public Task RecordFindings(RecordFindingsInput input) => Call(nameof(RecordFindings), async _ =>
    {
        await ledger.RecordFindingsAsync(input.Run, input.Files, input.Data, cancellation);
        return true;
    });

    public Task Report(RunStage stage)
    {
        progress.Enter(stage);
        return Task.CompletedTask;
    }

    /// <summary>Waits until no call is under way, whatever became of each: after it nothing of the run writes any more.</summary>
    public async Task DrainAsync()
    {
        while (true)
        {
            Task[] left;
            lock (gate) left = [.. underWay];
            if (left.Length == 0) return;
            await Task.WhenAll(left).ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        }
    }

    public void Dispose()
    {
        sessions.Dispose();
        networks.Dispose();
        workers.Dispose();
        cores.Dispose();
        training.Dispose();
    }

    Task<T> Call<T>(string step, Func<RunProgress.Call, Task<T>> work)
    {
        Task<T> call = Task.Run(() => retry.DoAsync(() => OnceAsync(step, work), cancellation), CancellationToken.None);
        lock (gate) underWay.Add(call);
        call.ContinueWith(ended =>
        {
            lock (gate) underWay.Remove(ended);
        }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        return call;
    }

    async Task<T> OnceAsync<T>(string step, Func<RunProgress.Call, Task<T>> work)
    {
        await cores.WaitAsync(cancellation);
        long started = time.GetTimestamp();
        using Activity? activity = RunTelemetry.Source.StartActivity(step);
        try
        {
            using RunProgress.Call call = progress.Begin();
            return await work(call);
        }
        catch (Exception e)
        {
            activity?.SetStatus(ActivityStatusCode.Error, e.GetType().Name);
            throw;
        }
        finally
        {
            cores.Release();
            RunTelemetry.StepSeconds.Record(time.GetElapsedTime(started).TotalSeconds, new KeyValuePair<string, object?>("step", step));
        }
    }
}
