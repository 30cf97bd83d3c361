using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using Scion.Onnx;

namespace Scion.Vision;

/// <summary>An image network, cut at its layers, in ONNX Runtime.</summary>
/// <remarks>Threads: any number may call. On the CPU each call runs on the thread it comes from, so calls in parallel share the cores and never wait
/// for each other; on a GPU one call runs at a time. When memory does not suffice the batch is halved, once; then a GPU is left for the CPU; then
/// it is V102. Figures: docs/experiments.md.</remarks>
public sealed class EncoderSession : IDisposable
{
    /// <summary>Pictures a run takes at most: on a CPU more only leave the caches, on a GPU fewer leave it idle.</summary>
    public const int CpuBatch = 4, GpuBatch = 32;

    readonly ReadOnlyMemory<byte> graph;
    readonly bool batches;
    readonly RunOptions options = new();
    readonly Lock change = new();
    readonly SemaphoreSlim oneAtATime = new(1);
    readonly List<InferenceSession> opened = [];
    volatile Place place;

    /// <param name="graph">A graph cut from a network that was scanned: input <c>pixels</c>, uint8 [batch, height, width, 3]; outputs float32 [batch, dim].</param>
    /// <param name="fit">Size of its pictures.</param>
    /// <param name="dims">Components of each output, in the graph's order.</param>
    /// <param name="batches">False when the graph takes one picture at a time.</param>
    /// <param name="gpu">True: a GPU is used if this build has CUDA and the machine a GPU.</param>
    /// <exception cref="Faults.InputRejectedException">ONNX Runtime refuses the graph, or it has other outputs (V101).</exception>
    public EncoderSession(ReadOnlyMemory<byte> graph, PictureFit fit, IReadOnlyList<int> dims, bool batches, bool gpu = true)
    {
        (this.graph, this.batches, Fit, Dims) = (graph, batches, fit, dims);
        place = (gpu ? OnGpu() : null) ?? OnCpu();
        IReadOnlyList<string> inputs = place.Session.InputNames, outputs = place.Session.OutputNames;
        if (inputs.Count == 1 && outputs.Count == dims.Count) return;
        Dispose();
        throw ExtractionFaults.Graph($"it has {inputs.Count} inputs and {outputs.Count} outputs; 1 and {dims.Count} are expected");
    }

    public PictureFit Fit { get; }

    /// <summary>Components of each output.</summary>
    public IReadOnlyList<int> Dims { get; }

    /// <summary>Where it runs now: "cpu" or "cuda:0".</summary>
    public string Device => place.Device;

    /// <summary>Pictures in one run at most, now.</summary>
    public int Batch => place.Batch;

    /// <summary>Called with device and batch before each run; tests let it fail.</summary>
    internal Action<string, int>? BeforeRun { get; init; }

    /// <summary>Runs pictures, in as many batches as they need.</summary>
    /// <param name="pixels">[pictures, height, width, 3], RGB.</param>
    /// <param name="pictures">At least 1.</param>
    /// <param name="features">For each output [pictures, dim], written.</param>
    /// <exception cref="Faults.InputRejectedException">Memory does not suffice for one picture (V102), or ONNX Runtime fails (V101).</exception>
    public void Run(ReadOnlyMemory<byte> pixels, int pictures, IReadOnlyList<Memory<float>> features)
    {
        for (int done = 0; done < pictures;)
        {
            Place now = place;
            int some = Math.Min(pictures - done, now.Batch);
            if (TryRun(now, pixels.Slice(done * Fit.Bytes, some * Fit.Bytes), some, done, features)) done += some;
            else Retreat(now);
        }
    }

    /// <returns>False when memory did not suffice.</returns>
    bool TryRun(Place now, ReadOnlyMemory<byte> pixels, int pictures, int at, IReadOnlyList<Memory<float>> features)
    {
        if (now.Device != OnnxDevices.Cpu) oneAtATime.Wait();
        try
        {
            BeforeRun?.Invoke(now.Device, pictures);
            Memory<byte> input = MemoryMarshal.AsMemory(pixels);        // bound as input: only read
            using OnnxRun run = new OnnxRun(now.Session).Input(now.Session.InputNames[0], input, pictures, Fit.Height, Fit.Width, 3);
            for (int i = 0; i < Dims.Count; i++)
                run.Output(now.Session.OutputNames[i], features[i].Slice(at * Dims[i], pictures * Dims[i]), pictures, Dims[i]);
            run.Run(now.Session, options);
            return true;
        }
        catch (Exception e) when (OnnxDevices.IsOutOfMemory(e))
        {
            return false;
        }
        catch (OnnxRuntimeException e)
        {
            throw ExtractionFaults.Graph($"ONNX Runtime fails on it ({e.Message})");
        }
        finally
        {
            if (now.Device != OnnxDevices.Cpu) oneAtATime.Release();
        }
    }

    /// <summary>Goes on with less, unless another call did so meanwhile.</summary>
    void Retreat(Place seen)
    {
        lock (change)
        {
            if (place != seen) return;
            place = seen is { Halved: false, Batch: > 1 } ? seen with { Batch = seen.Batch / 2, Halved = true }
                : seen.Device != OnnxDevices.Cpu ? OnCpu()
                : throw ExtractionFaults.OutOfMemory(seen.Batch);
        }
    }

    Place OnCpu()
    {
        using SessionOptions settings = new() { IntraOpNumThreads = 1, InterOpNumThreads = 1, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
        return new Place(Open(settings), OnnxDevices.Cpu, batches ? CpuBatch : 1, Halved: false);
    }

    /// <summary>Null when this build has no CUDA, or the machine has no GPU that can be used.</summary>
    Place? OnGpu()
    {
        InferenceSession? session = OnnxDevices.OpenOnGpu(new Dictionary<string, string>
        {
            ["cudnn_conv_algo_search"] = "HEURISTIC",                  // an exhaustive search for every shape takes longer than the pictures
        }, Open);
        return session is null ? null : new Place(session, OnnxDevices.Gpu, batches ? GpuBatch : 1, Halved: false);
    }

    InferenceSession Open(SessionOptions settings)
    {
        try
        {
            InferenceSession session = new(graph.ToArray(), settings);
            lock (change) opened.Add(session);
            return session;
        }
        catch (OnnxRuntimeException e) when (settings.IntraOpNumThreads == 1)
        {
            throw ExtractionFaults.Graph($"ONNX Runtime refuses it ({e.Message})");
        }
    }

    public void Dispose()
    {
        foreach (InferenceSession session in opened) session.Dispose();
        options.Dispose();
        oneAtATime.Dispose();
    }

    /// <summary>Where calls run, and how many pictures at once.</summary>
    sealed record Place(InferenceSession Session, string Device, int Batch, bool Halved);
}
