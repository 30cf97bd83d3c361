using System.Numerics.Tensors;
using Scion.Registry;
using Scion.Vision;

namespace Scion.Serving;

/// <summary>A model as it serves: loaded from the bytes of a package, run by ONNX Runtime, never from training objects.</summary>
/// <remarks>Threads: any number may predict at once. Dispose after the last prediction has returned.</remarks>
public abstract class Predictor : IDisposable
{
    /// <summary>Examples returned with a prediction.</summary>
    public const int Nearest = 3;

    readonly Examples examples;
    readonly float abstainBelow;

    private protected Predictor(ModelPackage package, string kind)
    {
        ModelManifest manifest = package.Manifest;
        if (manifest.Kind != kind) throw RegistryFaults.Inconsistent($"the package is of {manifest.Kind}; {kind} are expected.");
        (Manifest, Labels, Dim, abstainBelow) = (manifest, [.. manifest.Labels], manifest.Encoder.Dim, (float)manifest.Examples.AbstainBelow);
        examples = Examples.Parse(package[ModelPackage.ExamplesName].Span, package[ModelPackage.ExampleTextsName].Span, Labels, Dim, kind == ModelManifest.Images);
        if (examples.Count != manifest.Examples.Rows) throw RegistryFaults.Inconsistent($"there are {examples.Count} examples; model.json says {manifest.Examples.Rows}.");
    }

    public ModelManifest Manifest { get; }

    private protected string[] Labels { get; }

    /// <summary>Components of an input's features.</summary>
    private protected int Dim { get; }

    private protected int ExampleCount => examples.Count;

    /// <param name="package">Its digests were checked when it was opened.</param>
    /// <param name="pictures">Reads pictures, for a model of images.</param>
    /// <exception cref="Faults.InputRejectedException">A file is damaged or they do not fit together (R008, R014, R020, S006, S007, T001).</exception>
    public static Predictor Load(ModelPackage package, IPictureReader pictures) =>
        package.Manifest.Kind == ModelManifest.Images ? ImagePredictor.Load(package, pictures) : ReviewPredictor.Load(package);

    /// <summary>Predicts once, so that a graph that cannot run never replaces one that can.</summary>
    /// <exception cref="Faults.InputRejectedException">It cannot run (R020).</exception>
    public abstract void WarmUp();

    /// <summary>What features and probabilities amount to.</summary>
    /// <param name="features">[dim], unit length or zero.</param>
    /// <param name="probabilities">[classes], calibrated.</param>
    /// <param name="cosines">Scratch, [examples].</param>
    /// <param name="without">Why there is no ground to judge, whatever the examples say; null when there may be one.</param>
    /// <param name="words">What each word did; null when not asked for.</param>
    private protected Prediction Judged(
        ReadOnlySpan<float> features, ReadOnlySpan<float> probabilities, Span<float> cosines, AbstainReason? without, WordContribution[]? words)
    {
        int best = TensorPrimitives.IndexOfMax(probabilities);
        Dictionary<string, float> scores = new(Labels.Length, StringComparer.Ordinal);
        for (int c = 0; c < Labels.Length; c++) scores.Add(Labels[c], probabilities[c]);
        examples.Compare(features, cosines);
        Neighbour[] neighbours = without is null ? NearestOf(cosines) : [];
        AbstainReason? reason = without ?? (neighbours.Length > 0 && neighbours[0].Similarity < abstainBelow ? AbstainReason.UnlikeTraining : null);
        return new Prediction(Labels[best], probabilities[best], scores, reason is not null, reason, neighbours, words);
    }

    Neighbour[] NearestOf(ReadOnlySpan<float> cosines)
    {
        Span<int> nearest = stackalloc int[Nearest];
        int found = 0;
        for (int row = 0; row < cosines.Length; row++)
        {
            if (found == Nearest && !(cosines[row] > cosines[nearest[Nearest - 1]])) continue;
            int at = found < Nearest ? found++ : Nearest - 1;
            while (at > 0 && cosines[row] > cosines[nearest[at - 1]]) nearest[at] = nearest[--at];
            nearest[at] = row;
        }
        Neighbour[] neighbours = new Neighbour[found];
        for (int k = 0; k < found; k++) neighbours[k] = examples.NeighbourOf(nearest[k], Labels, cosines[nearest[k]]);
        return neighbours;
    }

    public abstract void Dispose();
}
