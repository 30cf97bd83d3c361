using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using Scion.Pipelines;

namespace Scion.Text;

/// <summary>Skip-gram on the CPU: SIMD, and lock-free across threads (Recht et al. 2011, "Hogwild!").</summary>
/// <remarks>One thread is exactly reproducible on machines whose vectors are as wide; several write the same rows without locks and are not. Memory: two padded vectors a word, and the
/// corpus. Neighbours in the same text only. Negative sampling goes in blocks (<see cref="SkipGramBlockKernel"/>); NCE around one word after the other
/// (<see cref="SkipGramKernel"/>), predicting it from each word around it as word2vec.c does.</remarks>
public sealed unsafe class SkipGramTrainer : IEmbeddingTrainer
{
    /// <summary>Words to each side when the window is the whole text: bounds the work of a long text.</summary>
    public const int LongestSpan = 64;

    const int WordsPerBatch = 4096;

    /// <summary>The loss is measured on about as many words of the last epoch.</summary>
    const int MeasuredWords = 1 << 18;

    /// <inheritdoc/>
    public TrainedVectors Train(
        TokenCorpus corpus, Vocabulary vocabulary, EmbeddingOptions options, IProgress<StepProgress>? progress, CancellationToken cancellation) =>
        Train(null, corpus, vocabulary, options, progress, cancellation);

    /// <inheritdoc/>
    public TrainedVectors Continue(
        EmbeddingStart start, TokenCorpus corpus, Vocabulary vocabulary, EmbeddingOptions options, IProgress<StepProgress>? progress, CancellationToken cancellation) =>
        Train(start, corpus, vocabulary, options, progress, cancellation);

    static TrainedVectors Train(
        EmbeddingStart? start, TokenCorpus corpus, Vocabulary vocabulary, EmbeddingOptions options, IProgress<StepProgress>? progress, CancellationToken cancellation)
    {
        int words = vocabulary.Count;
        bool nce = options.Loss == SkipGramLoss.Nce;
        int width = SkipGramBlockKernel.Padded(options.Dim, nce ? SkipGramKernel.Lane : SkipGramBlockKernel.Lane(options.Dim));
        using PaddedRows input = new(words, options.Dim, width), output = new(words, options.Dim, width), bias = new(nce ? words : 0, 1, 1);
        if (start is null) Start(input.Numbers, output.Numbers, words, width, options);
        else
        {
            input.Fill(start.Input);
            output.Fill(start.Output);
            if (nce) bias.Fill(start.Biases);
        }

        Run run = new(corpus, vocabulary, options, input, output, bias, width, progress, start, cancellation);
        int threads = Math.Min(options.Threads, Math.Max(1, corpus.Texts));
        if (threads == 1) run.Work(0, 1);
        else RunAll(threads, worker => run.Work(worker, threads));
        if (!double.IsFinite(run.Loss) || !input.Finite()) throw TextFaults.Diverged(options);
        float[] trainedOutput = start is null ? [] : output.Packed(start.Output), trainedBias = start is null ? [] : bias.Packed();
        output.Dispose();                                                // before the vectors are copied: peak memory is that of the two tables
        return new TrainedVectors(input.Packed(start?.Input), run.Loss, "cpu", threads == 1) { Output = trainedOutput, Biases = trainedBias };
    }

    /// <summary>Runs all workers at once, each on a thread of its own: a worker that waited for another's end would start at the rate of the end.</summary>
    static void RunAll(int threads, Action<int> work)
    {
        Task[] workers = [.. Enumerable.Range(0, threads).Select(worker =>
            Task.Factory.StartNew(() => work(worker), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default))];
        try
        {
            Task.WaitAll(workers);
        }
        catch (AggregateException e)
        {
            ExceptionDispatchInfo.Throw(e.Flatten().InnerExceptions[0]);
        }
    }

    /// <summary>Negative sampling starts as word2vec.c: inputs U(−½, ½)/dim, outputs 0. NCE as the article: inputs U(−1, 1), outputs
    /// N(0, 1/√dim) within two deviations, biases 0.</summary>
    public static void Start(Span<float> input, Span<float> output, int words, int width, EmbeddingOptions options)
    {
        Xoshiro random = new(options.Seed, stream: -1);
        bool nce = options.Loss == SkipGramLoss.Nce;
        for (int id = 0; id < words; id++)
            for (int j = 0; j < options.Dim; j++)
            {
                double u = random.Unit();
                input[(id * width) + j] = (float)(nce ? (2 * u) - 1 : (u - 0.5) / options.Dim);
                if (nce) output[(id * width) + j] = (float)(random.TruncatedNormal() / Math.Sqrt(options.Dim));
            }
    }

    /// <summary>What the threads share.</summary>
    sealed class Run(
        TokenCorpus corpus, Vocabulary vocabulary, EmbeddingOptions options, PaddedRows input, PaddedRows output, PaddedRows bias, int width,
        IProgress<StepProgress>? progress, EmbeddingStart? start, CancellationToken cancellation)
    {
        readonly double from = start?.From ?? 0, share = (start?.To ?? 1) - (start?.From ?? 0);
        readonly int stream = (start?.Stream ?? 0) * 256;                // more threads there are not
        readonly NoiseSampler noise = options.Loss == SkipGramLoss.Nce ? NoiseSampler.LogUniform(vocabulary.Count) : NoiseSampler.ByCount(vocabulary.Counts);
        readonly uint[]? keep = Keep(vocabulary, options.Subsample);
        readonly long total = (long)corpus.Count * options.Epochs;
        readonly bool nce = options.Loss == SkipGramLoss.Nce;
        readonly float* u = input.Address, v = output.Address, b = bias.Address;
        readonly Lock gate = new();
        long done;
        double lossSum;
        long lossPairs;

        public double Loss => lossPairs == 0 ? 0 : lossSum / lossPairs;

        /// <summary>One thread's share: a contiguous part of the texts with its part of the words, every epoch.</summary>
        public void Work(int worker, int workers)
        {
            int firstText = corpus.TextAt((long)corpus.Count * worker / workers), lastText = corpus.TextAt((long)corpus.Count * (worker + 1) / workers);
            if (!nce)
            {
                WorkInBlocks(worker, firstText, lastText);
                return;
            }
            Xoshiro random = new(options.Seed, stream + worker);
            Scratch scratch = new();
            int[] text = new int[1024];
            long batch = 0;
            float rate = Rate();
            for (int epoch = 0; epoch < options.Epochs; epoch++)
            {
                bool measure = epoch == options.Epochs - 1;
                for (int t = firstText; t < lastText; t++)
                {
                    ReadOnlySpan<int> all = corpus.Text(t);
                    if (text.Length < all.Length) text = new int[all.Length];
                    int length = 0;
                    foreach (int id in all)
                        if (keep is null || (uint)(random.Next() >> 32) <= keep[id]) text[length++] = id;
                    for (int i = 0; i < length; i++) Centre(text.AsSpan(0, length), i, rate, ref random, scratch, measure);
                    batch += all.Length;
                    if (batch < WordsPerBatch && total >= WordsPerBatch * 64L) continue;
                    long now = Interlocked.Add(ref done, batch);
                    batch = 0;
                    rate = Rate();
                    cancellation.ThrowIfCancellationRequested();
                    progress?.Report(new StepProgress(nameof(IReviewSteps.PretrainEmbeddings), now, total, "words"));
                }
                if (worker == 0 && !input.Finite()) throw TextFaults.Diverged(options);
            }
            Sum(scratch.Loss, scratch.Pairs);
        }

        /// <summary>Negative sampling: blocks of words with noise of their own.</summary>
        void WorkInBlocks(int worker, int firstText, int lastText)
        {
            SkipGramReader reader = new(corpus, options, keep, noise, vocabulary.Count, stream + worker);
            using SkipGramBlock block = new(reader.Span, SkipGramReader.NoiseWords(options), width);
            long batch = Math.Clamp(total / 64, 1, WordsPerBatch), blocks = 0, measured = 0, every = 1 + (corpus.Count / MeasuredWords);
            double loss = 0;
            float rate = Rate();
            for (int epoch = 0; epoch < options.Epochs; epoch++)
            {
                for (int text = firstText; text < lastText;)
                {
                    long read = reader.Read(ref text, lastText, batch);
                    for (int pairs; (pairs = reader.Next(block, u, v)) >= 0;)
                    {
                        if (pairs == 0) continue;
                        bool measure = epoch == options.Epochs - 1 && blocks++ % every == 0;
                        loss += SkipGramBlockKernel.Step(block, rate, measure);
                        if (measure) measured += pairs;
                    }
                    long now = Interlocked.Add(ref done, read);
                    rate = Rate();
                    cancellation.ThrowIfCancellationRequested();
                    progress?.Report(new StepProgress(nameof(IReviewSteps.PretrainEmbeddings), now, total, "words"));
                }
                if (worker == 0 && !input.Finite()) throw TextFaults.Diverged(options);
            }
            Sum(loss, measured);
        }

        void Sum(double loss, long pairs)
        {
            lock (gate)
            {
                lossSum += loss;
                lossPairs += pairs;
            }
        }

        float Rate() => !options.LinearDecay ? (float)options.Rate
            : (float)(options.Rate * Math.Max(1e-4, 1 - from - (share * Interlocked.Read(ref done) / Math.Max(1, total))));

        [SkipLocalsInit]
        void Centre(ReadOnlySpan<int> text, int at, float rate, ref Xoshiro random, Scratch scratch, bool measure)
        {
            int span = options.Window == 0 ? LongestSpan : 1 + random.Below(options.Window);
            int from = Math.Max(0, at - span), to = Math.Min(text.Length - 1, at + span);
            if (from == to) return;
            float** inputs = stackalloc float*[(2 * LongestSpan) + 1];
            float** outputs = stackalloc float*[options.Negatives + 1];
            float** biases = stackalloc float*[options.Negatives + 1];
            float* offsets = stackalloc float[options.Negatives + 1];
            int* ids = stackalloc int[options.Negatives + 1];
            int inputCount = 0;
            for (int i = from; i <= to; i++)
                if (i != at) inputs[inputCount++] = u + ((long)text[i] * width);

            int outputCount = 0;
            for (int k = -1; k < options.Negatives; k++)
            {
                int id = k < 0 ? text[at] : noise.Draw(ref random);
                if (new ReadOnlySpan<int>(ids, outputCount).Contains(id)) continue;      // a noise word that is the centre, or drawn before, is left out
                ids[outputCount] = id;
                outputs[outputCount] = v + ((long)id * width);
                if (nce) biases[outputCount] = b + id;
                offsets[outputCount++] = nce ? (float)noise.LogExpected(id, options.Negatives) : 0;
            }
            if (nce) rate /= inputCount;                                              // the article's loss is the mean over the pairs, not their sum
            double loss = SkipGramKernel.Step(inputs, inputCount, outputs, nce ? biases : null, offsets, outputCount, width, rate, scratch.Gradient, measure);
            if (measure) scratch.Add(loss, inputCount);
        }
    }

    /// <summary>Chance of keeping an occurrence of each word, in 1/(2³² − 1), or null when all are kept: (√(f/t) + 1)·t/f, as word2vec.c.</summary>
    public static uint[]? Keep(Vocabulary vocabulary, double threshold)
    {
        if (threshold <= 0) return null;
        double tokens = vocabulary.Counts.Sum();
        uint[] keep = new uint[vocabulary.Count];
        for (int id = 0; id < keep.Length; id++)
        {
            double ratio = threshold * tokens / Math.Max(1, vocabulary.Counts[id]);
            keep[id] = (uint)(Math.Min(1, Math.Sqrt(ratio) + ratio) * uint.MaxValue);
        }
        return keep;
    }

    sealed class Scratch
    {
        public float[] Gradient { get; } = new float[((2 * LongestSpan) + 1) * SkipGramKernel.Group];
        public double Loss { get; private set; }
        public long Pairs { get; private set; }

        public void Add(double loss, int pairs) => (Loss, Pairs) = (Loss + loss, Pairs + pairs);
    }
}
