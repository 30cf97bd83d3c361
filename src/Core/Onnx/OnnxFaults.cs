using Scion.Faults;

namespace Scion.Onnx;

static class OnnxFaults
{
    public static InputRejectedException Unexpected(string what, string fact) => new("R020",
        $"{what} is not a graph that Scion wrote: {fact}.", "The file was damaged or replaced; train the model again, or roll back to an earlier version.");
}
