using System.Security.Cryptography;
using System.Text.Json;
using System.Text.RegularExpressions;
using Scion.Text;

namespace Scion.Registry;

/// <summary>The files of a version in memory: <c>model.json</c> and what it lists.</summary>
public sealed partial class ModelPackage
{
    /// <summary>Most bytes of a <c>model.json</c> that are read: 100 times what one of 1,000 classes needs.</summary>
    public const int MaxManifestBytes = 256 << 20;

    /// <summary>Most bytes of any other file: what one array holds.</summary>
    public const long MaxFileBytes = 0x7FFFFFC7;

    const int MaxDim = 1 << 16, MaxWords = 1 << 24;

    public const string ManifestName = "model.json";
    public const string EncoderName = "encoder.onnx";
    public const string HeadName = "head.onnx";
    public const string VocabularyName = "vocabulary.txt";
    /// <summary>Tokenizer of a sentence network, in the format of Hugging Face's <c>tokenizers</c>.</summary>
    public const string TokenizerName = TokenizerFile.Name;

    public const string ExamplesName = "examples.safetensors";
    public const string ExampleTextsName = "examples.jsonl";
    public const string ParityName = "parity.json";
    public const string ReportName = "report.html";
    public const string CardName = "README.md";

    /// <summary>Small pictures of the stored examples of an images model, as <see cref="PictureArchive"/> names them.</summary>
    public const string ExamplePicturesName = "examples.zip";

    /// <summary>The fitted pictures that <c>parity.json</c> of an images model compares.</summary>
    public const string ParityPicturesName = "parity.zip";

    static readonly IReadOnlyList<string> OfReviews = [EncoderName, HeadName, VocabularyName, ExamplesName, ExampleTextsName],
        OfSentences = [EncoderName, HeadName, TokenizerName, ExamplesName, ExampleTextsName], OfImages = [EncoderName, HeadName, ExamplesName, ExampleTextsName];

    /// <summary>What serving needs of a version; the rest is for people.</summary>
    /// <param name="kind">As <see cref="ModelManifest.Kind"/>.</param>
    /// <param name="sentences">True when a sentence network reads its texts.</param>
    public static IReadOnlyList<string> ServingFiles(string kind, bool sentences = false) => kind == ModelManifest.Images ? OfImages : sentences ? OfSentences : OfReviews;

    readonly IReadOnlyDictionary<string, ReadOnlyMemory<byte>> files;

    ModelPackage(ModelManifest manifest, string digest, IReadOnlyDictionary<string, ReadOnlyMemory<byte>> files) =>
        (Manifest, Digest, this.files) = (manifest, digest, files);

    public ModelManifest Manifest { get; }

    /// <summary>SHA-256 of <c>model.json</c>: the version's identity.</summary>
    public string Digest { get; }

    /// <summary>Names of the files held here, <c>model.json</c> among them.</summary>
    public IEnumerable<string> Names => files.Keys;

    /// <exception cref="Faults.InputRejectedException">There is no such file (R008).</exception>
    public ReadOnlyMemory<byte> this[string name] => files.TryGetValue(name, out ReadOnlyMemory<byte> bytes) ? bytes : throw RegistryFaults.FileMissing(name);

    /// <summary>Completes a manifest with the facts of the files and makes <c>model.json</c> of it.</summary>
    public static ModelPackage Seal(ModelManifest manifest, IReadOnlyDictionary<string, ReadOnlyMemory<byte>> files)
    {
        ModelManifest complete = manifest with { Files = new(StringComparer.Ordinal) };
        foreach ((string name, ReadOnlyMemory<byte> bytes) in files) complete.Files.Add(name, FactsOf(bytes.Span));
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(complete, ScionJson.Indented);
        return new ModelPackage(complete, DigestOf(json), new Dictionary<string, ReadOnlyMemory<byte>>(files) { [ManifestName] = json });
    }

    /// <summary>Checks bytes as read from a store against the manifest among them.</summary>
    /// <param name="folder">Where they lie, for messages.</param>
    /// <param name="manifest">Bytes of <c>model.json</c>.</param>
    /// <param name="files">Some or all files it lists.</param>
    /// <exception cref="Faults.InputRejectedException">The manifest is not valid (R005, R006), or a file is not as it lists (R007, R008).</exception>
    public static ModelPackage Open(string folder, byte[] manifest, IReadOnlyDictionary<string, ReadOnlyMemory<byte>> files)
    {
        ModelManifest read = ReadManifest($"{folder}/{ManifestName}", manifest);
        foreach ((string name, ReadOnlyMemory<byte> bytes) in files)
        {
            if (!read.Files.TryGetValue(name, out FileFacts? expected)) throw RegistryFaults.FileMissing($"{folder}/{name}");
            FileFacts found = FactsOf(bytes.Span);
            if (found != expected) throw RegistryFaults.Damaged($"{folder}/{name}", found.Length, found.Sha256, expected);
        }
        return new ModelPackage(read, DigestOf(manifest), new Dictionary<string, ReadOnlyMemory<byte>>(files) { [ManifestName] = manifest });
    }

    /// <exception cref="Faults.InputRejectedException">It is not valid (R005) or of a later schema (R006).</exception>
    public static ModelManifest ReadManifest(string path, byte[] json)
    {
        try
        {
            using (JsonDocument document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = ScionJson.Strict.MaxDepth }))
            {
                if (!document.RootElement.TryGetProperty("schemaVersion", out JsonElement schema) || !schema.TryGetInt32(out int version) || version < 1)
                    throw RegistryFaults.Malformed(path, "it has no schemaVersion.");
                if (version > ModelManifest.CurrentSchema) throw RegistryFaults.TooNew(path, version);
            }
            ModelManifest manifest = JsonSerializer.Deserialize<ModelManifest>(json, ScionJson.Strict) ?? throw RegistryFaults.Malformed(path, "it is null.");
            return Checked(path, manifest);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw RegistryFaults.Malformed(path, e.Message);
        }
    }

    [GeneratedRegex("^[A-Za-z0-9][A-Za-z0-9._-]{0,63}\\z")]
    private static partial Regex FileName();

    static ModelManifest Checked(string path, ModelManifest manifest)
    {
        if (manifest.Kind is not (ModelManifest.Reviews or ModelManifest.Images)) throw RegistryFaults.Malformed(path, $"kind '{manifest.Kind}' is not known.");
        if (manifest.Labels is not { Count: >= 2 } || manifest.Labels.Any(string.IsNullOrEmpty)
            || manifest.Labels.Distinct(StringComparer.Ordinal).Count() != manifest.Labels.Count)
            throw RegistryFaults.Malformed(path, "it needs two or more distinct labels.");
        if (manifest.Data.Train.Any(count => count is null) || manifest.Data.Test.Any(count => count is null)
            || manifest.Warnings.Any(warning => warning is null)
            || manifest.Measured.Models.Any(model => model is null) || manifest.Files.Values.Any(file => file is null))
            throw RegistryFaults.Malformed(path, "a part of it is null.");
        if (manifest.Measured.Models.Count == 0) throw RegistryFaults.Malformed(path, "it has no measured model.");
        bool pictures = manifest.Kind == ModelManifest.Images;
        if (pictures != manifest.Network is not null) throw RegistryFaults.Malformed(path, $"a model of {manifest.Kind} has {(pictures ? "no" : "an")} image network.");
        if (manifest.Network is { } network && (network.Fit.Height is < 16 or > 1024 || network.Fit.Width is < 16 or > 1024 || network.Layers.Any(layer => layer is null)))
            throw RegistryFaults.Malformed(path, $"its network takes pictures of {network.Fit.Width} × {network.Fit.Height}, or a part of it is null.");
        if (manifest.Sentence is { } sentence && (pictures || sentence.MaxLength is < 1 or > Onnx.SentenceGraph.MostTokens || manifest.SchemaVersion < 3))
            throw RegistryFaults.Malformed(path, $"a model of {manifest.Kind} and schema {manifest.SchemaVersion} has a sentence network of {sentence.MaxLength} tokens.");
        if (manifest.Encoder.Dim is < 1 or > MaxDim || (pictures ? manifest.Encoder.Words != 0 : manifest.Encoder.Words is < 1 or > MaxWords) || manifest.Examples.Rows < 0)
            throw RegistryFaults.Malformed(path, $"it claims {manifest.Encoder.Words} words of {manifest.Encoder.Dim} components and {manifest.Examples.Rows} examples.");
        if (!double.IsFinite(manifest.Examples.AbstainBelow)) throw RegistryFaults.Malformed(path, "its abstention threshold is not finite.");
        foreach ((string name, FileFacts file) in manifest.Files)
            if (name == ManifestName || !FileName().IsMatch(name) || file.Length is < 0 or > MaxFileBytes || !LatestPointer.IsDigest(file.Sha256))
                throw RegistryFaults.Malformed(path, $"its entry of file {manifest.Files.Keys.ToList().IndexOf(name) + 1} is not a plain name with a length and a SHA-256.");
        if (!(manifest.Head.Temperature > 0) || !double.IsFinite(manifest.Head.Temperature))
            throw RegistryFaults.Malformed(path, $"the temperature {manifest.Head.Temperature} is not above 0.");
        return manifest;
    }

    public static FileFacts FactsOf(ReadOnlySpan<byte> bytes) => new(bytes.Length, DigestOf(bytes));

    public static string DigestOf(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));
}
