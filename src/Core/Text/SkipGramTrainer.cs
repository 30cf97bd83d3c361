using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using Scion.Pipelines;

namespace Scion.Text;

/// <summary>Skip-gram on the CPU: SIMD, and lock-free across threads (Recht et al. 2011, "Hogwild!").</summary>
/// <remarks>One thread is exactly reproducible; several write the same rows without locks and are not. Memory: two vectors a word, and the
/// corpus. The centre word is predicted from each word around it, as word2vec.c does. Neighbours in the same text only.</remarks>
public sealed unsafe class SkipGramTrainer : IEmbeddingTrainer
{
    /// <summary>Words to each side when the window is the whole text: bounds the work of a long text.</summary>
    public const int LongestSpan = 64;

    const int WordsPerBatch = 4096;

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
        int words = vocabulary.Count, width = (options.Dim + SkipGramKernel.Lane - 1) / SkipGramKernel.Lane * SkipGramKernel.Lane;
        float[] input = GC.AllocateArray<float>(checked(words * width), pinned: true);
        float[] output = GC.AllocateArray<float>(input.Length, pinned: true);
        float[] bias = GC.AllocateArray<float>(options.Loss == SkipGramLoss.Nce ? words : 0, pinned: true);
        if (start is null) Start(input, output, words, width, options);
        else
        {
            for (int id = 0; id < words; id++)
            {
                start.Input.AsSpan(id * options.Dim, options.Dim).CopyTo(input.AsSpan(id * width));
                start.Output.AsSpan(id * options.Dim, options.Dim).CopyTo(output.AsSpan(id * width));
            }
            if (bias.Length > 0) start.Biases.CopyTo(bias, 0);
        }

        Run run = new(corpus, vocabulary, options, input, output, bias, width, progress, start, cancellation);
        int threads = Math.Min(options.Threads, Math.Max(1, corpus.Texts));
        if (threads == 1) run.Work(0, 1);
        else RunAll(threads, worker => run.Work(worker, threads));
        GC.KeepAlive(input);                                            // the run holds addresses only
        GC.KeepAlive(output);
        GC.KeepAlive(bias);

        float[] vectors = Packed(input, words, width, options.Dim);
        if (!double.IsFinite(run.Loss) || !TensorPrimitives.IsFiniteAll<float>(vectors)) throw TextFaults.Diverged(options);
        return new TrainedVectors(vectors, run.Loss, "cpu", threads == 1)
        {
            Output = start is null ? [] : Packed(output, words, width, options.Dim),
            Biases = start is null ? [] : bias,
        };
    }

    static float[] Packed(float[] table, int words, int width, int dim)
    {
        float[] packed = new float[checked(words * dim)];
        for (int id = 0; id < words; id++) table.AsSpan(id * width, dim).CopyTo(packed.AsSpan(id * dim));
        return packed;
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
        TokenCorpus corpus, Vocabulary vocabulary, EmbeddingOptions options, float[] input, float[] output, float[] bias, int width,
        IProgress<StepProgress>? progress, EmbeddingStart? start, CancellationToken cancellation)
    {
        readonly double from = start?.From ?? 0, share = (start?.To ?? 1) - (start?.From ?? 0);
        readonly int stream = (start?.Stream ?? 0) * 256;                // more threads there are not
        readonly NoiseSampler noise = options.Loss == SkipGramLoss.Nce ? NoiseSampler.LogUniform(vocabulary.Count) : NoiseSampler.ByCount(vocabulary.Counts);
        readonly uint[]? keep = Keep(vocabulary, options.Subsample);
        readonly long total = (long)corpus.Count * options.Epochs;
        readonly bool nce = options.Loss == SkipGramLoss.Nce;
        readonly float* u = Address(input), v = Address(output), b = Address(bias);       // the arrays are pinned
        readonly Lock gate = new();
        long done;
        double lossSum;
        long lossPairs;

        public double Loss => lossPairs == 0 ? 0 : lossSum / lossPairs;

        /// <summary>One thread's share: a contiguous part of the texts with its part of the words, every epoch.</summary>
        public void Work(int worker, int workers)
        {
            int firstText = corpus.TextAt((long)corpus.Count * worker / workers), lastText = corpus.TextAt((long)corpus.Count * (worker + 1) / workers);
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
                if (worker == 0 && !TensorPrimitives.IsFiniteAll<float>(new ReadOnlySpan<float>(u, vocabulary.Count * width))) throw TextFaults.Diverged(options);
            }
            lock (gate)
            {
                lossSum += scratch.Loss;
                lossPairs += scratch.Pairs;
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

    static float* Address(float[] pinned) => (float*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(pinned));

    /// <summary>Chance of keeping an occurrence of each word, in 1/(2³² − 1), or null when all are kept: (√(f/t) + 1)·t/f, as word2vec.c.</summary>
    public static uint[]? Keep(Vocabulary vocabulary, double threshold)
    {
        if (threshold <= 0) return null;
        double tokens = vocabulary.Counts.Sum();
        return [.. vocabulary.Counts.Select(count =>
        {
            double ratio = threshold * tokens / Math.Max(1, count);
            return (uint)(Math.Min(1, Math.Sqrt(ratio) + ratio) * uint.MaxValue);
        })];
    }

    sealed class Scratch
    {
        public float[] Gradient { get; } = new float[((2 * LongestSpan) + 1) * SkipGramKernel.Group];
        public double Loss { get; private set; }
        public long Pairs { get; private set; }

        public void Add(double loss, int pairs) => (Loss, Pairs) = (Loss + loss, Pairs + pairs);
    }
}
