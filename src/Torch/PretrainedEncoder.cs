using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using Scion.Text;
using Scion.Vision;
using TorchSharp;
using static TorchSharp.torch;

namespace Scion.Torch;

/// <summary>A trained encoder as it is kept: the file, its card, and how far it is from the network that was trained.</summary>
/// <param name="Model">Bytes of <c>encoder.onnx</c>.</param>
/// <param name="Card"><c>encoder.json</c>.</param>
/// <param name="Parity">Largest |Δ| of a feature between TorchSharp and ONNX Runtime over <see cref="Compared"/> pictures, divided by the largest feature.</param>
/// <param name="Probe">Features that TorchSharp computes of <see cref="EncoderProbe"/>'s pictures, [pictures, features].</param>
public sealed record PretrainedEncoder(byte[] Model, ImageEncoderCard Card, double Parity, float[] Probe)
{
    /// <summary>Pictures compared: formula images that were not trained on.</summary>
    public const int Compared = 32;

    /// <summary>Largest <see cref="Parity"/> allowed.</summary>
    public const double MostParity = 1e-4;

    /// <summary>Exports what a trainer has learned so far.</summary>
    /// <param name="trainer">The training.</param>
    /// <param name="name">What people call the encoder.</param>
    /// <param name="source">The command that made it.</param>
    /// <param name="licence">Null when not given.</param>
    /// <param name="trainedOn">What it learned from.</param>
    /// <exception cref="Faults.InputRejectedException">The name is not one (V062), or ONNX Runtime's features differ from TorchSharp's (V098).</exception>
    public static PretrainedEncoder Of(ImageEncoderTrainer trainer, string name, string source, string? licence, string trainedOn)
    {
        byte[] network = ImageEncoderGraph.Write(trainer.Architecture, trainer.Average, name).ToByteArray();
        (ImageEncoder encoder, byte[] file, _) = ImageEncoders.Make(network, new ImageEncoderOrigin(source)
        {
            Name = name,
            Licence = licence,
            TrainedOn = trainedOn,
            Channels = "rgb",
            Mean = [EncoderNetwork.Mean, EncoderNetwork.Mean, EncoderNetwork.Mean],
            Scale = [EncoderNetwork.Scale, EncoderNetwork.Scale, EncoderNetwork.Scale],
            Resize = PictureResize.Squash,          // nothing is cut off; training changes proportions by more
        });
        double parity = Measure(trainer, file);
        if (!(parity <= MostParity)) throw TorchFaults.NoParity(parity, MostParity);
        float[] probe = trainer.Features(EncoderProbe.Pixels(ImageEncoderGraph.Side), EncoderProbe.Pictures, ImageEncoderGraph.Side);
        // The map's quarters say more than the vector that is its mean: validation chose it in every draw of docs/experiments.md, "The default encoder".
        string map = encoder.Card.Layers.Last(layer => layer.Offered && layer.Shape.Count == 3).Name;
        return new PretrainedEncoder(file, encoder.Card with { DefaultLayer = map }, parity, probe);
    }

    static double Measure(ImageEncoderTrainer trainer, byte[] model)
    {
        const int side = ImageEncoderGraph.Side, bytes = side * side * 3;
        FormulaImages formulas = new(seed: -1, shapes: Compared, palettes: Compared, side);
        byte[] pixels = new byte[Compared * bytes];
        Xoshiro random = new(-1, 0);
        for (int i = 0; i < Compared; i++) formulas.Draw(new FormulaLabel(i, i), ref random, pixels.AsSpan(i * bytes, bytes));
        float[] trained = trainer.Features(pixels, Compared, side);

        using SessionOptions options = new() { IntraOpNumThreads = 1 };
        using InferenceSession session = new(model, options);
        using OrtValue input = OrtValue.CreateTensorValueFromMemory(pixels, [Compared, side, side, 3]);
        using RunOptions run = new();
        using IDisposableReadOnlyCollection<OrtValue> outputs = session.Run(run, ["pixels"], [input], ["features"]);
        ReadOnlySpan<float> exported = outputs[0].GetTensorDataAsSpan<float>();
        double largest = 0, apart = 0;
        for (int i = 0; i < trained.Length; i++)
        {
            double d = Math.Abs(trained[i] - exported[i]);
            if (!double.IsFinite(d)) return double.NaN;
            (largest, apart) = (Math.Max(largest, Math.Abs(trained[i])), Math.Max(apart, d));
        }
        return apart / Math.Max(largest, 1e-30);
    }
}
