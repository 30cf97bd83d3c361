using Scion.Onnx;
using Scion.Registry;
using Scion.Text;

namespace Scion.Serving;

/// <summary>The word vectors of a stored version, inspected.</summary>
/// <param name="Model">Model name.</param>
/// <param name="Version">The version looked at.</param>
/// <param name="Word">As asked for.</param>
/// <param name="Nearest">Nearest words, nearest first.</param>
public sealed record ModelWords(string Model, string Version, string Word, IReadOnlyList<NearWord> Nearest)
{
    /// <summary>Reads what a version stores, its digests checked, and compares.</summary>
    /// <param name="registry">Where the versions are.</param>
    /// <param name="model">Model name.</param>
    /// <param name="version">A version; null for the one that serves.</param>
    /// <param name="word">A word as people write it.</param>
    /// <param name="count">Most neighbours to return.</param>
    /// <param name="cancellation">Stops the reads.</param>
    /// <exception cref="Faults.InputRejectedException">The word is not known (T005), the model is of images (P004) or of a sentence network (P007), nothing
    /// serves (R002), or the version cannot be read (R003 to R010, R020).</exception>
    public static async Task<ModelWords> NearestAsync(
        ModelRegistry registry, string model, string? version, string word, int count, CancellationToken cancellation)
    {
        (string chosen, ModelPackage package) = await ReadAsync(registry, model, version, cancellation);
        Vocabulary vocabulary = Vocabulary.Parse(package[ModelPackage.VocabularyName].Span);
        int dim = package.Manifest.Encoder.Dim;
        float[] vectors = TextEncoderGraph.VectorsOf(ModelPackage.EncoderName, package[ModelPackage.EncoderName], vocabulary.Count, dim);
        return new ModelWords(model, chosen, word, NearestWords.Of(vocabulary, vectors, dim, word, count));
    }

    /// <summary>The files with the words of a version.</summary>
    /// <exception cref="Faults.InputRejectedException">It is of images (P004) or of a sentence network (P007), nothing
    /// serves (R002), or the version cannot be read (R003 to R010).</exception>
    internal static async Task<(string Version, ModelPackage Package)> ReadAsync(ModelRegistry registry, string model, string? version, CancellationToken cancellation)
    {
        (string chosen, ModelPackage package) = await registry.ReadChosenServedAsync(model, version, cancellation);
        if (package.Manifest.Sentence is { } network) throw ServingFaults.NetworkHasNoWords(model, network.Name);
        return package.Manifest.Kind == ModelManifest.Reviews ? (chosen, package) : throw ServingFaults.NoWords(model);
    }
}
