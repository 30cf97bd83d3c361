using System.Collections.Concurrent;
using Microsoft.ML.OnnxRuntime;
using Scion.Onnx;

namespace Scion.Serving;

/// <summary>The two graphs of a reviews package in ONNX Runtime: word ids to features to logits and probabilities.</summary>
/// <remarks>Threads: any number may call; each call takes a set of buffers from a pool. One text runs on one core: at this size a second
/// thread costs more than it brings, and requests fill the other cores.</remarks>
sealed class TextSessions : IDisposable
{
    readonly InferenceSession encoder, head;
    readonly RunOptions options = new();
    readonly ConcurrentBag<Buffers> pool = [];
    readonly int dim, classes;
    readonly long padding;
    readonly bool lexicon;

    /// <param name="encoderFile">A graph written by <see cref="TextEncoderGraph"/>.</param>
    /// <param name="headFile">A graph written by <see cref="HeadGraph"/>.</param>
    /// <param name="words">Words the encoder must know.</param>
    /// <param name="dim">Components of its features.</param>
    /// <param name="temperature">What the head divides its logits by.</param>
    /// <param name="labels">Classes of the head.</param>
    /// <exception cref="Faults.InputRejectedException">A file is not the graph that Scion writes for these sizes (R020).</exception>
    public TextSessions(ReadOnlyMemory<byte> encoderFile, ReadOnlyMemory<byte> headFile, int words, int dim, double temperature, IReadOnlyList<string> labels)
    {
        (this.dim, classes, padding) = (dim, labels.Count, TextEncoderGraph.PaddingOf(words));
        OnnxGuard.ReadOwn("encoder.onnx", encoderFile, graph => TextEncoderGraph.Layout(words, dim, TextEncoderGraph.RemovedBy(graph, dim)));
        ModelProto checkedHead = OnnxGuard.ReadOwn("head.onnx", headFile, graph => HeadGraph.Layout(dim, temperature, labels, HeadGraph.WordsOf(graph, words)));
        lexicon = HeadGraph.WordsOf(checkedHead.Graph, words) is not null;
        encoder = Open("encoder.onnx", encoderFile);
        try
        {
            head = Open("head.onnx", headFile);
        }
        catch
        {
            encoder.Dispose();
            throw;
        }
    }

    /// <summary>Runs one text.</summary>
    /// <param name="ids">Known words, in [0, words).</param>
    /// <param name="features">[dim], written.</param>
    /// <param name="logits">[classes], written: as fitted.</param>
    /// <param name="probabilities">[classes], written: calibrated.</param>
    public void Run(ReadOnlySpan<int> ids, Span<float> features, Span<float> logits, Span<float> probabilities)
    {
        if (!pool.TryTake(out Buffers? buffers)) buffers = new Buffers(this);
        try
        {
            int length = Buffers.Padded(ids.Length);
            if (length <= Buffers.Longest) buffers.Encode(ids, length);
            else EncodeLong(buffers, ids, length);
            buffers.Features.CopyTo(features);
            if (length <= Buffers.Longest) buffers.Judge(length);
            else JudgeLong(buffers, ids, length);
            buffers.Logits.CopyTo(logits);
            buffers.Probabilities.CopyTo(probabilities);
        }
        finally
        {
            pool.Add(buffers);
        }
    }

    /// <summary>Logits of one text, again without each of some words.</summary>
    /// <param name="ids">Known words of the text.</param>
    /// <param name="without">Ids left out, one at a time.</param>
    /// <returns>[without, classes], row-major.</returns>
    public float[] LogitsWithout(ReadOnlySpan<int> ids, ReadOnlySpan<int> without)
    {
        const int MaxIds = 1 << 16;                                       // of a batch: 25 MB of gathered vectors at 100 components
        int length = Buffers.Padded(ids.Length), most = Math.Max(1, MaxIds / length);
        float[] logits = new float[without.Length * classes];
        for (int from = 0; from < without.Length; from += most)
        {
            int rows = Math.Min(most, without.Length - from);
            RunBatch(ids, without.Slice(from, rows), length, logits.AsMemory(from * classes, rows * classes));
        }
        return logits;
    }

    void RunBatch(ReadOnlySpan<int> ids, ReadOnlySpan<int> without, int length, Memory<float> logits)
    {
        int rows = without.Length;
        long[] batch = new long[rows * length];
        Array.Fill(batch, padding);
        for (int row = 0; row < rows; row++)
            for (int i = 0; i < ids.Length; i++)
                if (ids[i] != without[row]) batch[row * length + i] = ids[i];
        float[] features = new float[rows * dim];
        using OnnxRun encode = new OnnxRun(encoder).Input<long>("ids", batch, rows, length).Output<float>("features", features, rows, dim);
        encode.Run(encoder, options);
        using OnnxRun judge = new OnnxRun(head).Input<float>("features", features, rows, dim)
            .Output("logits", logits, rows, classes).Output<float>("probabilities", new float[rows * classes], rows, classes);
        if (lexicon) judge.Input<long>("ids", batch, rows, length);
        judge.Run(head, options);
    }

    void JudgeLong(Buffers buffers, ReadOnlySpan<int> ids, int length)
    {
        using OnnxRun run = buffers.Judging();
        if (lexicon) run.Input<long>("ids", Padded(ids, length), 1, length);
        run.Run(head, options);
    }

    long[] Padded(ReadOnlySpan<int> ids, int length)
    {
        long[] padded = new long[length];
        Array.Fill(padded, padding);
        for (int i = 0; i < ids.Length; i++) padded[i] = ids[i];
        return padded;
    }

    void EncodeLong(Buffers buffers, ReadOnlySpan<int> ids, int length)
    {
        using OnnxRun run = new OnnxRun(encoder).Input<long>("ids", Padded(ids, length), 1, length).Output<float>("features", buffers.Features, 1, dim);
        run.Run(encoder, options);
    }

    static InferenceSession Open(string what, ReadOnlyMemory<byte> file)
    {
        using SessionOptions session = new()
        {
            IntraOpNumThreads = 1,
            InterOpNumThreads = 1,
            ExecutionMode = ExecutionMode.ORT_SEQUENTIAL,
            EnableMemoryPattern = false,                                  // made for one shape; texts have many lengths
        };
        try
        {
            return new InferenceSession(file.ToArray(), session);
        }
        catch (OnnxRuntimeException e)
        {
            throw OnnxFaults.Unexpected(what, $"ONNX Runtime refuses it ({e.Message})");
        }
    }

    public void Dispose()
    {
        while (pool.TryTake(out Buffers? buffers)) buffers.Dispose();
        options.Dispose();
        encoder.Dispose();
        head.Dispose();
    }

    /// <summary>Memory for one text at a time; inputs of up to <see cref="Longest"/> words are bound once per padded length.</summary>
    sealed class Buffers(TextSessions owner) : IDisposable
    {
        /// <summary>Longest text with memory of its own; longer ones pay an allocation, small beside their run.</summary>
        public const int Longest = 128;

        const int Step = 8;

        readonly long[] ids = new long[Longest];
        readonly OnnxRun?[] encode = new OnnxRun?[Longest / Step + 1];
        readonly OnnxRun?[] judge = new OnnxRun?[Longest / Step + 1];

        public float[] Features { get; } = new float[owner.dim];

        public float[] Logits { get; } = new float[owner.classes];

        public float[] Probabilities { get; } = new float[owner.classes];

        /// <summary>The head bound to this memory, without the ids that one with a lexicon takes.</summary>
        public OnnxRun Judging() => new OnnxRun(owner.head).Input<float>("features", Features, 1, owner.dim)
            .Output<float>("logits", Logits, 1, owner.classes).Output<float>("probabilities", Probabilities, 1, owner.classes);

        /// <summary>Runs the head on what <see cref="Encode"/> was given last.</summary>
        /// <param name="length">As it was; a head without a lexicon takes no notice.</param>
        public void Judge(int length)
        {
            ref OnnxRun? run = ref judge[owner.lexicon ? length / Step : 0];
            if (run is null)
            {
                run = Judging();
                if (owner.lexicon) run.Input("ids", ids.AsMemory(0, length), 1, length);
            }
            run.Run(owner.head, owner.options);
        }

        /// <summary>Length rounded up, so that few shapes are bound: a multiple of 8, at least 8.</summary>
        public static int Padded(int words) => Math.Max(Step, (words + Step - 1) / Step * Step);

        public void Encode(ReadOnlySpan<int> known, int length)
        {
            for (int i = 0; i < known.Length; i++) ids[i] = known[i];
            Array.Fill(ids, owner.padding, known.Length, length - known.Length);
            OnnxRun run = encode[length / Step] ??= new OnnxRun(owner.encoder).Input("ids", ids.AsMemory(0, length), 1, length)
                .Output<float>("features", Features, 1, owner.dim);
            run.Run(owner.encoder, owner.options);
        }

        public void Dispose()
        {
            foreach (OnnxRun? run in judge) run?.Dispose();
            foreach (OnnxRun? run in encode) run?.Dispose();
        }
    }
}
