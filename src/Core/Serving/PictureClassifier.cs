using Microsoft.ML.OnnxRuntime;
using Scion.Onnx;
using Scion.Vision;

namespace Scion.Serving;

/// <summary>An exported graph, from pixels to scores, run as another program would run it.</summary>
/// <remarks>Threads: one at a time.</remarks>
sealed class PictureClassifier : IDisposable
{
    readonly InferenceSession session;
    readonly RunOptions options = new();
    readonly PictureFit fit;
    readonly int classes;

    /// <param name="graph">A graph of <see cref="ImageEncoderGraph.Join"/>.</param>
    /// <param name="fit">Size of its pictures.</param>
    /// <param name="classes">Classes it scores.</param>
    /// <exception cref="Faults.InputRejectedException">ONNX Runtime refuses it (R020).</exception>
    public PictureClassifier(byte[] graph, PictureFit fit, int classes)
    {
        (this.fit, this.classes) = (fit, classes);
        using SessionOptions settings = new() { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
        try
        {
            session = new InferenceSession(graph, settings);
        }
        catch (OnnxRuntimeException e)
        {
            throw OnnxFaults.Unexpected("model.onnx", $"ONNX Runtime refuses it ({e.Message})");
        }
    }

    /// <param name="pixels">[height, width, 3], RGB.</param>
    /// <returns>Calibrated probabilities, [classes].</returns>
    public float[] Scores(byte[] pixels)
    {
        float[] scores = new float[classes];
        using OnnxRun run = new OnnxRun(session).Input<byte>(EncoderGraph.Pixels, pixels, 1, fit.Height, fit.Width, 3).Output<float>("scores", scores, 1, classes);
        run.Run(session, options);
        return scores;
    }

    public void Dispose()
    {
        options.Dispose();
        session.Dispose();
    }
}
