using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Scion.Onnx;
using Scion.Registry;
using Scion.Text;

namespace Scion.Local.Running;

/// <summary>The words of a version, as its package stores them.</summary>
/// <param name="Model">Model name.</param>
/// <param name="Version">The version read.</param>
/// <param name="Manifest">What it says of itself.</param>
/// <param name="Vocabulary">Known words.</param>
/// <param name="Vectors">[words, dim], row-major.</param>
/// <param name="Dim">Components of a vector.</param>
/// <param name="Head">Weights of the head, [classes, dim], row-major.</param>
sealed record StoredWords(string Model, string Version, ModelManifest Manifest, Vocabulary Vocabulary, float[] Vectors, int Dim, float[] Head)
{
    /// <param name="registry">Where the model is.</param>
    /// <param name="model">Its name.</param>
    /// <param name="version">Null for the version that serves.</param>
    /// <param name="cancellation">Stops the reads.</param>
    /// <exception cref="Faults.InputRejectedException">There is no such version, or it is damaged.</exception>
    public static async Task<StoredWords> ReadAsync(ModelRegistry registry, string model, string? version, CancellationToken cancellation)
    {
        (string chosen, ModelPackage package) = await registry.ReadChosenAsync(model, version,
            [ModelPackage.EncoderName, ModelPackage.VocabularyName, ModelPackage.HeadName], cancellation);
        ModelManifest manifest = package.Manifest;
        int dim = manifest.Encoder.Dim;
        Vocabulary vocabulary = Vocabulary.Parse(package[ModelPackage.VocabularyName].Span);
        ModelProto head = OnnxGuard.ReadOwn(ModelPackage.HeadName, package[ModelPackage.HeadName], _ => HeadGraph.Layout(dim, manifest.Head.Temperature, manifest.Labels));
        return new StoredWords(model, chosen, manifest, vocabulary,
            TextEncoderGraph.VectorsOf(ModelPackage.EncoderName, package[ModelPackage.EncoderName], vocabulary.Count, dim), dim,
            MemoryMarshal.Cast<byte, float>(head.Graph.Initializer.Single(tensor => tensor.Name == "head_weights").RawData.Span).ToArray());
    }

    public IReadOnlyList<NearWord> Nearest(string word, int count) => NearestWords.Of(Vocabulary, Vectors, Dim, word, count);

    /// <summary>Words that speak most for a class: frequent ones whose vectors point where its weights do.</summary>
    /// <param name="label">Class id.</param>
    /// <param name="count">Most words to return.</param>
    public IReadOnlyList<string> Telling(int label, int count)
    {
        int classes = Manifest.Labels.Count;
        float[] direction = new float[Dim];
        for (int c = 0; c < classes; c++)
            TensorPrimitives.MultiplyAdd(Head.AsSpan(c * Dim, Dim), c == label ? 1f : -1f / (classes - 1), direction, direction);
        return [.. Enumerable.Range(0, Vocabulary.Count)
            .Where(id => Vocabulary.Counts[id] >= 3 && Vocabulary.Words[id].Length > 2)
            .Select(id => (Word: Vocabulary.Words[id], Score: Cosine(direction, Vectors.AsSpan(id * Dim, Dim)) * Math.Log(Vocabulary.Counts[id])))
            .OrderByDescending(word => word.Score).ThenBy(word => word.Word, StringComparer.Ordinal).Take(count).Select(word => word.Word)];
    }

    static double Cosine(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        double lengths = (double)TensorPrimitives.Norm(a) * TensorPrimitives.Norm(b);
        return lengths > 0 ? TensorPrimitives.Dot(a, b) / lengths : 0;
    }
}
