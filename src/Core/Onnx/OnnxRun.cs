using Microsoft.ML.OnnxRuntime;

namespace Scion.Onnx;

/// <summary>One input shape of a session, bound to memory that stays: a run allocates nothing here.</summary>
sealed class OnnxRun : IDisposable
{
    readonly List<OrtValue> values = [];
    readonly OrtIoBinding binding;

    public OnnxRun(InferenceSession session) => binding = session.CreateIoBinding();

    /// <param name="name">Name in the graph.</param>
    /// <param name="memory">Pinned while this lives.</param>
    /// <param name="shape">Its sizes; their product is the length of the memory.</param>
    public OnnxRun Input<T>(string name, Memory<T> memory, params long[] shape) where T : unmanaged
    {
        binding.BindInput(name, Keep(memory, shape));
        return this;
    }

    /// <inheritdoc cref="Input"/>
    public OnnxRun Output<T>(string name, Memory<T> memory, params long[] shape) where T : unmanaged
    {
        binding.BindOutput(name, Keep(memory, shape));
        return this;
    }

    public void Run(InferenceSession session, RunOptions options) => session.RunWithBinding(options, binding);

    OrtValue Keep<T>(Memory<T> memory, long[] shape) where T : unmanaged
    {
        OrtValue value = OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, memory, shape);
        values.Add(value);
        return value;
    }

    public void Dispose()
    {
        binding.Dispose();
        foreach (OrtValue value in values) value.Dispose();
    }
}
