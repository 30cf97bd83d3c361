using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Google.Protobuf;
using Scion.Onnx;
using Scion.Serving;
using Scion.Text;
using Scion.Vision;

namespace Scion.Registry;

/// <summary>A version for other programs, its digests checked: what <c>scion models export</c> writes.</summary>
/// <param name="Version">The version.</param>
/// <param name="Digest">SHA-256 of its <c>model.json</c>.</param>
/// <param name="Files">Every file of the package as stored, and those made for other programs: <see cref="ModelExport.WholeName"/> and
/// <see cref="ModelExport.LabelsName"/>. By name.</param>
public sealed record ExportedModel(string Version, string Digest, IReadOnlyList<ExportedFile> Files);

/// <param name="Name">A plain file name.</param>
/// <param name="Content">Its bytes.</param>
public sealed record ExportedFile(string Name, ReadOnlyMemory<byte> Content);

/// <summary>Hands out stored versions to programs that are not Scion.</summary>
/// <remarks>Reads: a version. Writes: to the stream it is given. Equal versions give equal bytes.</remarks>
public static class ModelExport
{
    /// <summary>Encoder and head in one graph: ids to probabilities.</summary>
    public const string WholeName = "model.onnx";

    /// <summary>Class names as a JSON array, in the order of the outputs.</summary>
    public const string LabelsName = "labels.json";

    /// <summary>Largest |Δ probability| between the exported graph and the served model on stored pictures.</summary>
    public const double MaxDifference = 1e-4;

    /// <param name="registry">Where the model lives.</param>
    /// <param name="pictures">Reads stored pictures, for a model of images.</param>
    /// <param name="model">Model name.</param>
    /// <param name="version">A version; null for the one that serves.</param>
    /// <param name="cancellation">Stops the reads.</param>
    /// <exception cref="Faults.InputRejectedException">Nothing serves (R002), the version cannot be read (R003 to R010) or loaded (R020), or the graph of pictures does
    /// not agree with the served model (R018).</exception>
    public static async Task<ExportedModel> ReadAsync(ModelRegistry registry, IPictureReader pictures, string model, string? version, CancellationToken cancellation)
    {
        (string name, ModelPackage package) = await registry.ReadChosenAsync(model, version, names: null, cancellation);
        List<ExportedFile> files = [.. package.Names.Select(file => new ExportedFile(file, package[file]))];
        byte[] whole;
        if (package.Manifest.Network is { } network) whole = await OfPicturesAsync(package, network, pictures, cancellation);
        else if (package.Manifest.Sentence is not null)
        {
            whole = SentenceGraph.Join(SentenceGraph.Read(ModelPackage.EncoderName, package[ModelPackage.EncoderName]).Model, HeadOf(package)).ToByteArray();
        }
        else
        {
            (ModelProto encoder, ModelProto head) = GraphsOf(package);
            whole = TextClassifierGraph.Join(encoder, head).ToByteArray();
        }
        files.Add(new ExportedFile(WholeName, whole));
        files.Add(new ExportedFile(LabelsName, JsonSerializer.SerializeToUtf8Bytes(package.Manifest.Labels, ScionJson.Indented)));
        return new ExportedModel(name, package.Digest, [.. files.OrderBy(file => file.Name, StringComparer.Ordinal)]);
    }

    /// <summary>Writes everything as one zip file.</summary>
    /// <param name="registry">Where the model lives.</param>
    /// <param name="pictures">Reads stored pictures, for a model of images.</param>
    /// <param name="model">Model name.</param>
    /// <param name="version">A version; null for the one that serves.</param>
    /// <param name="zip">Written from its position; need not be seekable.</param>
    /// <param name="cancellation">Stops the call.</param>
    /// <returns>What was written.</returns>
    /// <exception cref="Faults.InputRejectedException">As <see cref="ReadAsync"/>; nothing is written then.</exception>
    public static async Task<ExportedModel> WriteZipAsync(
        ModelRegistry registry, IPictureReader pictures, string model, string? version, Stream zip, CancellationToken cancellation)
    {
        ExportedModel exported = await ReadAsync(registry, pictures, model, version, cancellation);
        await using ZipArchive archive = await ZipArchive.CreateAsync(zip, ZipArchiveMode.Create, leaveOpen: true, Encoding.UTF8, cancellation);
        foreach (ExportedFile file in exported.Files)
        {
            ZipArchiveEntry entry = archive.CreateEntry(file.Name, CompressionLevel.Optimal);
            entry.LastWriteTime = PictureArchive.NoTime;
            await using Stream content = await entry.OpenAsync(cancellation);
            await content.WriteAsync(file.Content, cancellation);
        }
        return exported;
    }

    /// <summary>Writes the word vectors as word2vec or GloVe, for gensim and other tools.</summary>
    /// <param name="registry">Where the model lives.</param>
    /// <param name="model">Model name.</param>
    /// <param name="version">A version; null for the one that serves.</param>
    /// <param name="format">Format of the file.</param>
    /// <param name="file">Written from its position.</param>
    /// <param name="cancellation">Stops the reads.</param>
    /// <returns>Words written and components of each.</returns>
    /// <exception cref="Faults.InputRejectedException">As <see cref="ReadAsync"/>; nothing is written then.</exception>
    public static async Task<(int Words, int Dim)> WriteVectorsAsync(
        ModelRegistry registry, string model, string? version, WordVectorFormat format, Stream file, CancellationToken cancellation)
    {
        (_, ModelPackage package) = await ModelWords.ReadAsync(registry, model, version, cancellation);
        Vocabulary vocabulary = Vocabulary.Parse(package[ModelPackage.VocabularyName].Span);
        int dim = package.Manifest.Encoder.Dim;
        float[] vectors = TextEncoderGraph.VectorsOf(ModelPackage.EncoderName, package[ModelPackage.EncoderName], vocabulary.Count, dim);
        WordVectorFile.Write(file, vocabulary.Words, vectors, dim, format);
        return (vocabulary.Count, dim);
    }

    /// <summary>One graph from pixels to scores, checked against the served model on the stored pictures.</summary>
    static async Task<byte[]> OfPicturesAsync(ModelPackage package, NetworkFacts network, IPictureReader pictures, CancellationToken cancellation)
    {
        int dim = package.Manifest.Encoder.Dim;
        ModelProto encoder = ImageEncoderGraph.Read(ModelPackage.EncoderName, package[ModelPackage.EncoderName], network.Fit, dim);
        ModelProto head = HeadOf(package);
        byte[] whole = ImageEncoderGraph.Join(encoder, head, network.Fit).ToByteArray();
        using ImagePredictor served = ImagePredictor.Load(package, pictures);
        IReadOnlyList<byte[]> stored = await ParityCheck.PixelsAsync(served, package, cancellation);
        using PictureClassifier exported = new(whole, network.Fit, package.Manifest.Labels.Count);
        for (int row = 0; row < stored.Count; row++)
        {
            float[] expected = served.Probabilities(stored[row]), found = exported.Scores(stored[row]);
            double largest = expected.Zip(found, (e, f) => double.IsFinite(f) ? Math.Abs((double)e - f) : double.PositiveInfinity).Max();
            if (largest > MaxDifference) throw RegistryFaults.ExportDiffers(largest, row, MaxDifference);
        }
        return whole;
    }

    static (ModelProto Encoder, ModelProto Head) GraphsOf(ModelPackage package)
    {
        (int words, int dim) = (package.Manifest.Encoder.Words, package.Manifest.Encoder.Dim);
        return (
            OnnxGuard.ReadOwn(ModelPackage.EncoderName, package[ModelPackage.EncoderName],
                graph => TextEncoderGraph.Layout(words, dim, TextEncoderGraph.RemovedBy(graph, dim))),
            HeadOf(package));
    }

    static ModelProto HeadOf(ModelPackage package) => OnnxGuard.ReadOwn(ModelPackage.HeadName, package[ModelPackage.HeadName],
        graph => HeadGraph.Layout(package.Manifest.Encoder.Dim, package.Manifest.Head.Temperature, package.Manifest.Labels, HeadGraph.WordsOf(graph, package.Manifest.Encoder.Words)));
}
