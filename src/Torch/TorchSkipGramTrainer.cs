using Scion.Pipelines;
using Scion.Text;
using TorchSharp;
using static TorchSharp.torch;

namespace Scion.Torch;

/// <summary>Skip-gram with TorchSharp: on CUDA where there is a device, else on the CPU. The objective is that of <see cref="SkipGramTrainer"/>.</summary>
/// <remarks>Corpus, sub-sampling, windows, noise and tables are on the device (<see cref="CentreBatches"/>, <see cref="SkipGramTables"/>): between two blocks of words
/// the host waits for nothing. Many centre words make one step: all rows are read before any is written, and updates of one row add up, damped by their curvature,
/// so that large steps stay stable; a step is at most so long that the training has <see cref="LeastSteps"/> of them. On the CPU the same seed gives the same bits
/// again; on CUDA sums of one row have no fixed order, and the answer says so. Memory on the device: two tables [words, dim], the corpus, and some blocks of a
/// step's rows, 64 MiB each at most.</remarks>
public sealed class TorchSkipGramTrainer : IEmbeddingTrainer
{
    /// <summary>Steps of a training, at least: rows read in a step are as old as it is long. Measured in docs/experiments.md.</summary>
    const int LeastSteps = 5000;

    const int MostCentres = 65_536;

    const int LeastCentres = 32;

    /// <summary>Floats of one gathered block, [centres, places, dim].</summary>
    const long MostGathered = 16L << 20;

    const int ReportEvery = 65_536;

    readonly Device device;

    /// <param name="useCuda">False keeps to the CPU.</param>
    public TorchSkipGramTrainer(bool useCuda = true) => device = useCuda && cuda.is_available() ? new Device(DeviceType.CUDA, 0) : CPU;

    /// <inheritdoc/>
    public TrainedVectors Train(
        TokenCorpus corpus, Vocabulary vocabulary, EmbeddingOptions options, IProgress<StepProgress>? progress, CancellationToken cancellation) =>
        Train(null, corpus, vocabulary, options, progress, cancellation);

    /// <inheritdoc/>
    public TrainedVectors Continue(
        EmbeddingStart start, TokenCorpus corpus, Vocabulary vocabulary, EmbeddingOptions options, IProgress<StepProgress>? progress, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(start);
        return Train(start, corpus, vocabulary, options, progress, cancellation);
    }

    TrainedVectors Train(
        EmbeddingStart? start, TokenCorpus corpus, Vocabulary vocabulary, EmbeddingOptions options, IProgress<StepProgress>? progress, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(corpus);
        ArgumentNullException.ThrowIfNull(vocabulary);
        ArgumentNullException.ThrowIfNull(options);
        if (device.type == DeviceType.CPU) set_num_threads(options.Threads);
        using IDisposable noGradient = no_grad();
        using DisposeScope scope = NewDisposeScope();
        SkipGramTables tables = SkipGramTables.Start(start, vocabulary, options, device);
        using Generator random = new((uint)options.Seed + ((ulong)(start?.Stream ?? 0) << 32), device);

        int centres = Centres(corpus, options);
        using CentreBatches batches = new(corpus, vocabulary, options, centres, random, device);
        double from = start?.From ?? 0, share = (start?.To ?? 1) - from;
        long total = (long)corpus.Count * options.Epochs, reported = 0;
        Tensor loss = zeros(1, dtype: ScalarType.Float64, device: device), pairs = zeros(1, dtype: ScalarType.Float64, device: device);
        for (int epoch = 0; epoch < options.Epochs; epoch++)
        {
            bool last = epoch == options.Epochs - 1;
            foreach ((CentreBatch batch, long before) in batches.Epoch())
            {
                cancellation.ThrowIfCancellationRequested();
                long read = ((long)epoch * corpus.Count) + before;
                Tensor noise = tables.Noise((int)batch.Centres.size(0), options.Negatives, random);
                double decay = options.LinearDecay ? Math.Max(1e-4, 1 - from - (share * read / Math.Max(1, total))) : 1;
                if (tables.Step(batch, noise, options.Rate * decay, last) is { } sum)
                {
                    loss.add_(sum);
                    pairs.add_(batch.Around.sum(ScalarType.Float64));
                }
                if (read - reported < ReportEvery) continue;
                progress?.Report(new StepProgress(nameof(IReviewSteps.PretrainEmbeddings), reported = read, total, "words"));
            }
            if (!tables.Finite()) throw TextFaults.Diverged(options);
        }
        progress?.Report(new StepProgress(nameof(IReviewSteps.PretrainEmbeddings), total, total, "words"));
        double mean = loss.ToDouble() / Math.Max(1, pairs.ToDouble());
        if (!double.IsFinite(mean)) throw TextFaults.Diverged(options);
        return new TrainedVectors(SkipGramTables.Host(tables.Input), mean, device.type == DeviceType.CUDA ? "cuda:0" : "cpu", device.type == DeviceType.CPU)
        {
            Output = start is null ? [] : SkipGramTables.Host(tables.Output),
            Biases = start is null || options.Loss != SkipGramLoss.Nce ? [] : SkipGramTables.Host(tables.Bias),
        };
    }

    /// <summary>Centre words of a step: as many as leave the training its steps, and a gathered block its size.</summary>
    static int Centres(TokenCorpus corpus, EmbeddingOptions options)
    {
        long most = Math.Max(1, MostGathered / ((long)Math.Max(CentreBatches.Places(corpus, options), options.Negatives + 1) * options.Dim));
        return (int)Math.Min(Math.Clamp((long)corpus.Count * options.Epochs / LeastSteps, LeastCentres, MostCentres), most);
    }
}
