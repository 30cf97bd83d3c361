using Microsoft.ML.OnnxRuntime;
using Scion.Faults;
using Scion.Text;
using Scion.Vision;

namespace Scion.Onnx;

/// <summary>A foreign network made ready to be stored.</summary>
/// <param name="Model">The graph of <c>encoder.onnx</c>.</param>
/// <param name="Layers">Where it can be cut.</param>
/// <param name="Alone">Why it takes one picture at a time; null when it takes any number.</param>
public sealed record PictureNetwork(ModelProto Model, EncoderLayers Layers, string? Alone)
{
    /// <summary>Largest difference, as a share of the largest value, between a picture run in a batch and alone.</summary>
    const float Tolerance = 1e-3f, HalfTolerance = 1e-2f;

    /// <summary>Puts preprocessing before a network, opens its batch, and tries it in ONNX Runtime.</summary>
    /// <param name="what">Name of the file, for messages.</param>
    /// <param name="network">As <see cref="ForeignGraph.Read"/> returned it.</param>
    /// <param name="fit">How pictures are brought to its size.</param>
    /// <param name="values">What its input is.</param>
    /// <exception cref="InputRejectedException">Its shapes do not fit (V058), are too costly (V059), or it does not run (V064).</exception>
    public static PictureNetwork Prepare(string what, ModelProto network, PictureFit fit, PictureValues values)
    {
        ModelProto open = EncoderGraph.WithPixels(network, fit, values, batch: true);
        List<string> reasons = [];
        foreach (Func<ModelProto> attempt in new[] { () => open, () => BatchOpening.Of(what, open) })
        {
            try
            {
                ModelProto model = attempt();
                GraphShapes shapes = ShapeInference.Of(what, model);
                if (model.Graph.Output.FirstOrDefault(output => shapes[output.Name].Sizes is not [{ Batched: true }, ..]) is { } fixedOutput)
                    throw EncoderFaults.BadShape(what, fixedOutput.Name, $"the output has the shape {shapes[fixedOutput.Name]}, not one row a picture");
                return new PictureNetwork(model, Tried(what, model, shapes), Alone: null);
            }
            catch (InputRejectedException e) when (e.Code is "V058" or "V060" or "V064")
            {
                reasons.Add(e.Fact.TrimEnd('.'));
            }
        }
        ModelProto single = EncoderGraph.WithPixels(network, fit, values, batch: false);
        return new PictureNetwork(single, Tried(what, single, ShapeInference.Of(what, single)), Alone: reasons[^1]);
    }

    /// <summary>Checks that a graph that is stored already, or was made by Scion, runs.</summary>
    /// <exception cref="InputRejectedException">As <see cref="Prepare"/>.</exception>
    public static PictureNetwork Check(string what, ModelProto stored) =>
        new(stored, Tried(what, stored, ShapeInference.Of(what, stored)), EncoderGraph.Batches(stored) ? null : "its batch is fixed");

    static EncoderLayers Tried(string what, ModelProto model, GraphShapes shapes)
    {
        EncoderLayers layers = LayerSurvey.Of(what, model, shapes);
        string[] names = [.. layers.All.Where(layer => layer.Offered || layer.Name == layers.Default).Select(layer => layer.Name)];
        int pictures = EncoderGraph.Batches(model) ? 3 : 1, bytes = (int)shapes[EncoderGraph.Pixels].Elements;
        byte[] pixels = new byte[pictures * bytes];
        Xoshiro random = new(1, 0);
        for (int i = 0; i < pixels.Length; i++) pixels[i] = (byte)random.Next();
        try
        {
            using SessionOptions options = new() { ExecutionMode = ExecutionMode.ORT_SEQUENTIAL, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
            using InferenceSession session = new(Google.Protobuf.MessageExtensions.ToByteArray(EncoderGraph.Cut(model, names)), options);
            float[][] together = Run(session, pixels, pictures, shapes, names.Length);
            foreach ((float[] values, string name) in together.Zip(names))
                if (values.Any(value => !float.IsFinite(value))) throw EncoderFaults.DoesNotRun(what, $"layer '{EncoderFaults.Shown(name)}' is not finite on a picture of random pixels");
            float tolerance = shapes.Tensors.Values.Any(tensor => tensor.Type == TensorProto.Types.DataType.Float16) ? HalfTolerance : Tolerance;
            for (int p = 0; pictures > 1 && p < pictures; p++)
            {
                float[][] alone = Run(session, pixels.AsMemory(p * bytes, bytes), 1, shapes, names.Length);
                for (int k = 0; k < names.Length; k++)
                {
                    float most = alone[k].Max(MathF.Abs), apart = alone[k].Zip(together[k].Skip(p * alone[k].Length), (a, b) => MathF.Abs(a - b)).Max();
                    if (apart > tolerance * most + 1e-6f) throw EncoderFaults.DoesNotRun(what, $"layer '{EncoderFaults.Shown(names[k])}' of a picture differs by {apart:g3} of {most:g3} when it runs beside others");
                }
            }
        }
        catch (OnnxRuntimeException e)
        {
            throw EncoderFaults.DoesNotRun(what, $"ONNX Runtime says: {EncoderFaults.Shown(e.Message.TrimEnd('.'), 300)}");
        }
        return layers;
    }

    static float[][] Run(InferenceSession session, Memory<byte> pixels, int pictures, GraphShapes shapes, int outputs)
    {
        using RunOptions options = new();
        using OrtValue input = OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, pixels, [pictures, .. shapes[EncoderGraph.Pixels].Sizes.Skip(1).Select(size => size.Value)]);
        using IDisposableReadOnlyCollection<OrtValue> results = session.Run(options, [EncoderGraph.Pixels], [input], [.. Enumerable.Range(0, outputs).Select(EncoderGraph.FeaturesName)]);
        return [.. results.Select(result => result.GetTensorDataAsSpan<float>().ToArray())];
    }
}
