using System.Collections.Concurrent;
using Microsoft.ML.OnnxRuntime;
using Scion.Onnx;
using Scion.Vision;

namespace Scion.Serving;

/// <summary>The two graphs of an images package in ONNX Runtime: pixels to features to logits and probabilities.</summary>
/// <remarks>Threads: any number may call. A picture runs on one core and at most as many run at once as there are cores: more would only share
/// them, and each needs memory for its activations. Figures: docs/experiments.md, "One picture".</remarks>
sealed class PictureSessions : IDisposable
{
    readonly InferenceSession encoder, head;
    readonly RunOptions options = new();
    readonly ConcurrentBag<Buffers> pool = [];
    readonly SemaphoreSlim cores = new(Environment.ProcessorCount);
    readonly PictureFit fit;
    readonly int dim, classes;

    /// <param name="encoderFile">A graph written by <see cref="ImageEncoderGraph"/>.</param>
    /// <param name="headFile">A graph written by <see cref="HeadGraph"/>.</param>
    /// <param name="fit">Size of its pictures.</param>
    /// <param name="dim">Components of its features.</param>
    /// <param name="temperature">What the head divides its logits by.</param>
    /// <param name="labels">Classes of the head.</param>
    /// <exception cref="Faults.InputRejectedException">A file is not the graph that Scion writes for these sizes (R020).</exception>
    public PictureSessions(ReadOnlyMemory<byte> encoderFile, ReadOnlyMemory<byte> headFile, PictureFit fit, int dim, double temperature, IReadOnlyList<string> labels)
    {
        (this.fit, this.dim, classes) = (fit, dim, labels.Count);
        byte[] scanned = ImageEncoderGraph.Scanned("encoder.onnx", encoderFile, fit, dim);
        OnnxGuard.ReadOwn("head.onnx", headFile, _ => HeadGraph.Layout(dim, temperature, labels));
        encoder = Open("encoder.onnx", scanned);
        try
        {
            head = Open("head.onnx", headFile.ToArray());
        }
        catch
        {
            encoder.Dispose();
            throw;
        }
    }

    /// <summary>Memory for one picture. Give it back with <see cref="Return"/>.</summary>
    public Buffers Take() => pool.TryTake(out Buffers? buffers) ? buffers : new Buffers(this);

    public void Return(Buffers buffers) => pool.Add(buffers);

    /// <summary>Runs the pixels in the buffers when a core is free.</summary>
    /// <exception cref="Faults.InputRejectedException">ONNX Runtime fails on the graph (R020).</exception>
    public async ValueTask RunAsync(Buffers buffers, CancellationToken cancellation)
    {
        await cores.WaitAsync(cancellation);
        try
        {
            Run(buffers);
        }
        finally
        {
            cores.Release();
        }
    }

    /// <inheritdoc cref="RunAsync"/>
    public void Run(Buffers buffers)
    {
        try
        {
            buffers.Encoder.Run(encoder, options);
            buffers.Head.Run(head, options);
        }
        catch (OnnxRuntimeException e)
        {
            throw OnnxFaults.Unexpected("encoder.onnx", $"ONNX Runtime fails on it ({e.Message})");
        }
    }

    static InferenceSession Open(string what, byte[] file)
    {
        using SessionOptions session = new()
        {
            IntraOpNumThreads = 1,
            InterOpNumThreads = 1,
            ExecutionMode = ExecutionMode.ORT_SEQUENTIAL,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL,
        };
        try
        {
            return new InferenceSession(file, session);
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
        cores.Dispose();
    }

    /// <summary>Memory for one picture at a time, bound once.</summary>
    public sealed class Buffers(PictureSessions owner) : IDisposable
    {
        OnnxRun? encode, judge;

        /// <summary>[height, width, 3], RGB.</summary>
        public byte[] Pixels { get; } = GC.AllocateUninitializedArray<byte>(owner.fit.Bytes);

        /// <summary>[dim].</summary>
        public float[] Features { get; } = new float[owner.dim];

        /// <summary>[classes], as fitted.</summary>
        public float[] Logits { get; } = new float[owner.classes];

        /// <summary>[classes], calibrated.</summary>
        public float[] Probabilities { get; } = new float[owner.classes];

        public OnnxRun Encoder => encode ??= new OnnxRun(owner.encoder).Input<byte>(EncoderGraph.Pixels, Pixels, 1, owner.fit.Height, owner.fit.Width, 3)
            .Output<float>(ImageEncoderGraph.Features, Features, 1, owner.dim);

        public OnnxRun Head => judge ??= new OnnxRun(owner.head).Input<float>("features", Features, 1, owner.dim)
            .Output<float>("logits", Logits, 1, owner.classes).Output<float>("probabilities", Probabilities, 1, owner.classes);

        public void Dispose()
        {
            judge?.Dispose();
            encode?.Dispose();
        }
    }
}
