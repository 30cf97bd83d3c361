using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Scion.Onnx;
using Scion.Registry;
using Scion.Serving;
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
    /// <exception cref="Faults.InputRejectedException">There is no such version, it is damaged, or a sentence network reads its texts (P007).</exception>
    public static async Task<StoredWords> ReadAsync(ModelRegistry registry, string model, string? version, CancellationToken cancellation)
    {
        (string chosen, ModelPackage package) = await registry.ReadChosenServedAsync(model, version, cancellation);
        ModelManifest manifest = package.Manifest;
        if (manifest.Sentence is { } network) throw ServingFaults.NetworkHasNoWords(model, network.Name);
        int dim = manifest.Encoder.Dim;
        Vocabulary vocabulary = Vocabulary.Parse(package[ModelPackage.VocabularyName].Span);
        ModelProto head = OnnxGuard.ReadOwn(ModelPackage.HeadName, package[ModelPackage.HeadName],
            graph => HeadGraph.Layout(dim, manifest.Head.Temperature, manifest.Labels, HeadGraph.WordsOf(graph, manifest.Encoder.Words)));
        return new StoredWords(model, chosen, manifest, vocabulary,
            TextEncoderGraph.VectorsOf(ModelPackage.EncoderName, package[ModelPackage.EncoderName], vocabulary.Count, dim), dim,
            MemoryMarshal.Cast<byte, float>(head.Graph.Initializer.Single(tensor => tensor.Name == "head_weights").RawData.Span).ToArray());
    }

    /// <summary>Nearest words among those frequent enough to have a vector worth reading; more are asked of a larger corpus.</summary>
    public IReadOnlyList<NearWord> Nearest(string word, int count)
    {
        int known = Frequent(Math.Clamp(Vocabulary.Counts.Sum() / 40_000, 1, 20));
        return NearestWords.Of(new Vocabulary([.. Vocabulary.Words.Take(known)], [.. Vocabulary.Counts.Take(known)]), Vectors.AsSpan(0, known * Dim), Dim, word, count);
    }

    /// <summary>Words that speak most for a class: frequent ones whose vectors point where its weights do.</summary>
    /// <param name="label">Class id.</param>
    /// <param name="count">Most words to return.</param>
    public IReadOnlyList<string> Telling(int label, int count)
    {
        int classes = Manifest.Labels.Count;
        float[] direction = new float[Dim];
        for (int c = 0; c < classes; c++)
            TensorPrimitives.MultiplyAdd(Head.AsSpan(c * Dim, Dim), c == label ? 1f : -1f / (classes - 1), direction, direction);
        int frequent = Frequent(Math.Clamp(Vocabulary.Counts.Sum() / 8_000, 3, 100));
        float[] mean = new float[Dim];
        for (int id = 0; id < frequent; id++) TensorPrimitives.MultiplyAdd(Vectors.AsSpan(id * Dim, Dim), 1f / frequent, mean, mean);
        return [.. Enumerable.Range(0, frequent)
            .Where(id => Vocabulary.Words[id].Length > 3)
            .Select(id => (Word: Vocabulary.Words[id], Score: Cosine(direction, Less(Vectors.AsSpan(id * Dim, Dim), mean))))
            .OrderByDescending(word => word.Score).ThenBy(word => word.Word, StringComparer.Ordinal).Take(count).Select(word => word.Word)];
    }

    static float[] Less(ReadOnlySpan<float> vector, ReadOnlySpan<float> mean)
    {
        float[] rest = new float[vector.Length];
        TensorPrimitives.Subtract(vector, mean, rest);
        return rest;
    }

    /// <summary>Words that stand at least <paramref name="count"/> times: the first so many of the vocabulary.</summary>
    int Frequent(long count) => Math.Max(1, Vocabulary.Counts.TakeWhile(stands => stands >= count).Count());

    static double Cosine(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        double lengths = (double)TensorPrimitives.Norm(a) * TensorPrimitives.Norm(b);
        return lengths > 0 ? TensorPrimitives.Dot(a, b) / lengths : 0;
    }
}
