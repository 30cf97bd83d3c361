using Microsoft.ML.OnnxRuntime;

namespace Scion.Onnx;

/// <summary>Where ONNX Runtime can run graphs.</summary>
static class OnnxDevices
{
    public const string Cpu = "cpu", Gpu = "cuda:0";

    /// <summary>True when this build has CUDA; the machine may lack it still.</summary>
    public static bool BuiltForCuda => OrtEnv.Instance().GetAvailableProviders().Contains("CUDAExecutionProvider");

    /// <summary>Opens a session on the first GPU; null when this build has no CUDA, or the machine has no GPU that can be used.</summary>
    /// <param name="options">Of CUDA's provider, beside the device and how its memory grows.</param>
    /// <param name="open">Opens the session.</param>
    public static InferenceSession? OpenOnGpu(IReadOnlyDictionary<string, string> options, Func<SessionOptions, InferenceSession> open)
    {
        if (!BuiltForCuda) return null;
        try
        {
            using OrtCUDAProviderOptions cuda = new();
            cuda.UpdateOptions(new Dictionary<string, string>(options) { ["device_id"] = "0", ["arena_extend_strategy"] = "kSameAsRequested" });
            using SessionOptions settings = new() { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
            settings.AppendExecutionProvider_CUDA(cuda);
            return open(settings);
        }
        catch (OnnxRuntimeException)
        {
            return null;                                               // no driver, no GPU, or libraries of another version: the CPU does it
        }
    }

    /// <summary>True for what ONNX Runtime throws when memory does not suffice.</summary>
    public static bool IsOutOfMemory(Exception e) => e is OutOfMemoryException || (e is OnnxRuntimeException
        && (e.Message.Contains("allocate", StringComparison.OrdinalIgnoreCase) || e.Message.Contains("out of memory", StringComparison.OrdinalIgnoreCase)
            || e.Message.Contains("ALLOC_FAILED", StringComparison.Ordinal) || e.Message.Contains("bad_alloc", StringComparison.Ordinal)));
}
