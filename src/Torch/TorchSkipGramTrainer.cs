using Scion.Pipelines;
using Scion.Text;
using TorchSharp;
using static TorchSharp.torch;

namespace Scion.Torch;

/// <summary>Skip-gram with TorchSharp: on CUDA where there is a device, else on the CPU. The objective is that of <see cref="SkipGramTrainer"/>.</summary>
/// <remarks>Many centre words make one step: all rows are read before any is written, and updates of one row add up. So that they do not
/// overshoot, a step is as long as the most frequent word allows (<see cref="MostInAStep"/>). Words are sub-sampled and windows drawn on the
/// host as the CPU trainer draws them; noise is drawn on the device. On the CPU the same seed gives the same bits again; on CUDA sums
/// of one row have no fixed order, and the answer says so. Memory on the device: two tables [words, dim], and some blocks of a step's rows, 64 MiB each at
/// most.</remarks>
public sealed class TorchSkipGramTrainer : IEmbeddingTrainer
{
    /// <summary>Pairs of one step in which the most frequent word may be expected, as centre or noise. More overshoot on small vocabularies.</summary>
    const double MostInAStep = 32;

    const int MostCentres = 16_384;

    /// <summary>Floats of one gathered block [pairs, outputs, dim].</summary>
    const long MostGathered = 16L << 20;

    const int ReportEvery = 4096;

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

        CentreBatches batches = new(corpus, vocabulary, options, Centres(vocabulary, options), MostPairs(options), start?.Stream ?? 0);
        double from = start?.From ?? 0, share = (start?.To ?? 1) - from;
        long total = (long)corpus.Count * options.Epochs, reported = 0, pairs = 0;
        double loss = 0;
        for (int epoch = 0; epoch < options.Epochs; epoch++)
        {
            bool last = epoch == options.Epochs - 1;
            foreach (CentreBatch batch in batches.Epoch())
            {
                cancellation.ThrowIfCancellationRequested();
                using (NewDisposeScope())
                {
                    Tensor noise = tables.Noise(batch.Centres.Length, options.Negatives, random);
                    double decay = options.LinearDecay ? Math.Max(1e-4, 1 - from - (share * batch.WordsBefore / Math.Max(1, total))) : 1;
                    double sum = tables.Step(batch, noise, options.Rate * decay, last);
                    if (last) (loss, pairs) = (loss + sum, pairs + batch.Contexts.Length);
                }
                if (batch.WordsBefore - reported < ReportEvery) continue;
                progress?.Report(new StepProgress(nameof(IReviewSteps.PretrainEmbeddings), reported = batch.WordsBefore, total, "words"));
            }
            if (!tables.Finite()) throw TextFaults.Diverged(options);
        }
        progress?.Report(new StepProgress(nameof(IReviewSteps.PretrainEmbeddings), total, total, "words"));
        double mean = pairs == 0 ? 0 : loss / pairs;
        if (!double.IsFinite(mean)) throw TextFaults.Diverged(options);
        return new TrainedVectors(SkipGramTables.Host(tables.Input), mean, device.type == DeviceType.CUDA ? "cuda:0" : "cpu", device.type == DeviceType.CPU)
        {
            Output = start is null ? [] : SkipGramTables.Host(tables.Output),
            Biases = start is null || options.Loss != SkipGramLoss.Nce ? [] : SkipGramTables.Host(tables.Bias),
        };
    }

    /// <summary>Centre words of a step: so many that no word is expected in more than <see cref="MostInAStep"/> pairs.</summary>
    static int Centres(Vocabulary vocabulary, EmbeddingOptions options)
    {
        uint[]? keep = SkipGramTrainer.Keep(vocabulary, options.Subsample);
        double[] kept = [.. vocabulary.Counts.Select((count, id) => count * (keep is null ? 1 : keep[id] / (double)uint.MaxValue))];
        double[] noise = SkipGramTables.NoiseChances(vocabulary, options);
        double most = Math.Max(kept.Max() / kept.Sum(), options.Negatives * noise.Max());
        int pairs = options.Loss == SkipGramLoss.Nce ? 1 : options.Window == 0 ? SkipGramTrainer.LongestSpan : options.Window + 1;      // NCE takes their mean
        return (int)Math.Clamp(MostInAStep / (most * pairs), 1, MostCentres);
    }

    static int MostPairs(EmbeddingOptions options) => (int)Math.Max(2 * SkipGramTrainer.LongestSpan, MostGathered / ((options.Negatives + 1L) * options.Dim));
}
