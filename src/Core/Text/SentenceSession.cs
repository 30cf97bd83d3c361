using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using Scion.Onnx;

namespace Scion.Text;

/// <summary>A sentence network in ONNX Runtime: token ids to features.</summary>
/// <remarks>Threads: any number may call; on a GPU one call runs at a time. A batch for which memory does not suffice is run in halves.</remarks>
public sealed class SentenceSession : IDisposable
{
    /// <summary>Tokens of a batch, padding among them: on a CPU more only leave the caches, on a GPU fewer leave it idle.</summary>
    public const int CpuTokens = 2048, GpuTokens = 32_768;

    readonly InferenceSession session;
    readonly RunOptions options = new();
    readonly SemaphoreSlim oneAtATime = new(1);
    readonly int[] lengths;
    readonly bool types;
    readonly int padding;

    /// <param name="name">Name of the network, for messages.</param>
    /// <param name="graph">As <see cref="SentenceGraph.Read"/> returned it, or <see cref="SentenceGraph.Write"/> made it.</param>
    /// <param name="maxLength">Tokens of a text at most.</param>
    /// <param name="dim">Components of its features.</param>
    /// <param name="padding">Id that pads.</param>
    /// <param name="threads">Threads a run uses on the CPU.</param>
    /// <param name="gpu">True: a GPU is used if this build has CUDA and the machine a GPU.</param>
    /// <exception cref="Faults.InputRejectedException">ONNX Runtime refuses the graph (T026).</exception>
    public SentenceSession(string name, ModelProto graph, int maxLength, int dim, int padding, int threads, bool gpu)
    {
        (this.padding, Name, Dim, lengths) = (padding, name, dim, SentenceGraph.Lengths(maxLength));
        types = graph.Graph.Input.Any(input => input.Name == SentenceGraph.Types);
        byte[] bytes = graph.ToByteArray();
        InferenceSession? onGpu = gpu ? OnnxDevices.OpenOnGpu(new Dictionary<string, string> { ["use_tf32"] = "0" }, settings => new InferenceSession(bytes, settings)) : null;
        Device = onGpu is null ? OnnxDevices.Cpu : OnnxDevices.Gpu;
        session = onGpu ?? OnCpu(bytes, threads);
    }

    public string Name { get; }

    public int Dim { get; }

    /// <summary>"cpu" or "cuda:0".</summary>
    public string Device { get; }

    /// <summary>Tokens of a batch at most, padding among them.</summary>
    public int Tokens => Device == OnnxDevices.Cpu ? CpuTokens : GpuTokens;

    /// <summary>Length that texts of a batch are padded to.</summary>
    public int PaddedLength(int longest) => lengths.First(length => length >= longest);

    /// <summary>Runs texts in batches of about one length, whatever their order.</summary>
    /// <param name="texts">Ids of each, at most the network's length; a text without ids has no features.</param>
    /// <param name="features">[texts, dim], written: unit length, or zero.</param>
    /// <param name="done">Told of texts done so far; may be null.</param>
    /// <param name="cancellation">Stops between batches.</param>
    /// <exception cref="Faults.InputRejectedException">Memory does not suffice for one text (T030), or ONNX Runtime fails (T026).</exception>
    public void Run(IReadOnlyList<int[]> texts, Memory<float> features, Action<int>? done, CancellationToken cancellation)
    {
        features.Span.Clear();
        int[] order = [.. Enumerable.Range(0, texts.Count).Where(text => texts[text].Length > 0).OrderBy(text => texts[text].Length)];
        for (int from = 0; from < order.Length;)
        {
            cancellation.ThrowIfCancellationRequested();
            int count = 1;
            while (from + count < order.Length && PaddedLength(texts[order[from + count]].Length) * (count + 1) <= Tokens) count++;
            RunBatch(texts, order.AsMemory(from, count), features);
            from += count;
            done?.Invoke(from);
        }
    }

    void RunBatch(IReadOnlyList<int[]> texts, ReadOnlyMemory<int> batch, Memory<float> features)
    {
        int rows = batch.Length, length = PaddedLength(texts[batch.Span[^1]].Length);
        float[] made = new float[rows * Dim];
        if (!TryRun(texts, batch.Span, length, made))
        {
            if (rows == 1) throw SentenceNetworkFaults.OutOfMemory(Device);
            RunBatch(texts, batch[..(rows / 2)], features);
            RunBatch(texts, batch[(rows / 2)..], features);
            return;
        }
        for (int row = 0; row < rows; row++) made.AsSpan(row * Dim, Dim).CopyTo(features.Span[(batch.Span[row] * Dim)..]);
    }

    /// <returns>False when memory did not suffice.</returns>
    bool TryRun(IReadOnlyList<int[]> texts, ReadOnlySpan<int> batch, int length, float[] made)
    {
        int rows = batch.Length;
        long[] ids = new long[rows * length], mask = new long[rows * length];
        Array.Fill(ids, padding);
        for (int row = 0; row < rows; row++)
        {
            int[] text = texts[batch[row]];
            for (int i = 0; i < text.Length; i++) ids[(row * length) + i] = text[i];
            mask.AsSpan(row * length, text.Length).Fill(1);
        }
        if (Device != OnnxDevices.Cpu) oneAtATime.Wait();
        try
        {
            using OnnxRun run = new OnnxRun(session).Input<long>(SentenceGraph.Ids, ids, rows, length).Input<long>(SentenceGraph.Mask, mask, rows, length)
                .Output<float>(SentenceGraph.Features, made, rows, Dim);
            if (types) run.Input<long>(SentenceGraph.Types, new long[rows * length], rows, length);
            run.Run(session, options);
            return true;
        }
        catch (Exception e) when (OnnxDevices.IsOutOfMemory(e))
        {
            return false;
        }
        catch (OnnxRuntimeException e)
        {
            throw SentenceNetworkFaults.DoesNotRun(Name, $"ONNX Runtime says: {EncoderFaults.Shown(e.Message.TrimEnd('.'), 300)}");
        }
        finally
        {
            if (Device != OnnxDevices.Cpu) oneAtATime.Release();
        }
    }

    InferenceSession OnCpu(byte[] bytes, int threads)
    {
        using SessionOptions settings = new()
        {
            IntraOpNumThreads = threads,
            InterOpNumThreads = 1,
            ExecutionMode = ExecutionMode.ORT_SEQUENTIAL,
            EnableMemoryPattern = false,                                   // made for one shape; texts have many lengths
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL,
        };
        try
        {
            return new InferenceSession(bytes, settings);
        }
        catch (OnnxRuntimeException e)
        {
            throw SentenceNetworkFaults.DoesNotRun(Name, $"ONNX Runtime says: {EncoderFaults.Shown(e.Message.TrimEnd('.'), 300)}");
        }
    }

    public void Dispose()
    {
        session.Dispose();
        options.Dispose();
        oneAtATime.Dispose();
    }
}
