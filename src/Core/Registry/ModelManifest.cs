using System.Text.Json;
using System.Text.Json.Serialization;
using Scion.Datasets;
using Scion.Evaluation;
using Scion.Heads;
using Scion.Onnx;
using Scion.Text;
using Scion.Vision;

namespace Scion.Registry;

/// <summary>What <c>model.json</c> says: everything about a version but its name, its model and the time, so that equal training gives equal
/// bytes. Its SHA-256 is the version's identity.</summary>
public sealed record ModelManifest
{
    /// <summary>The latest schema this code knows. It reads this and every earlier one.</summary>
    public const int CurrentSchema = 3;

    /// <summary>1 for reviews; 2 for images, which programs of schema 1 cannot serve; 3 for reviews read by a sentence network, which programs of schema 2 cannot serve.</summary>
    public int SchemaVersion { get; init; } = 1;

    public const string Reviews = "reviews", Images = "images";

    /// <summary><see cref="Reviews"/> or <see cref="Images"/>.</summary>
    public required string Kind { get; init; }

    /// <summary>Version of the training code, <see cref="Pipelines.TrainingRequest.CodeVersion"/>.</summary>
    public required int CodeVersion { get; init; }

    /// <summary>Class names; a class id is an index into it.</summary>
    public required IReadOnlyList<string> Labels { get; init; }

    /// <summary>SHA-256 over the names and digests of the files it learned from.</summary>
    public required string DataDigest { get; init; }

    public required int Seed { get; init; }

    /// <summary>All settings of the run, as they were: for people and for repeating the run. Never read by serving.</summary>
    public required JsonElement Settings { get; init; }

    public required EncoderFacts Encoder { get; init; }

    /// <summary>The image network; null for reviews.</summary>
    public NetworkFacts? Network { get; init; }

    /// <summary>The sentence network that reads texts; null for word vectors and images.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public SentenceFacts? Sentence { get; init; }

    public required HeadFacts Head { get; init; }

    public required DataFacts Data { get; init; }

    public required MeasuredFacts Measured { get; init; }

    public required ExampleFacts Examples { get; init; }

    public required ParityFacts Parity { get; init; }

    /// <summary>What a person should know, each a sentence that begins with its code.</summary>
    public required IReadOnlyList<string> Warnings { get; init; }

    /// <summary>Every other file of the package, by name.</summary>
    public SortedDictionary<string, FileFacts> Files { get; init; } = new(StringComparer.Ordinal);
}

/// <param name="Digest">SHA-256 of the encoder's content; of images, the digest of the stored network it was cut from.</param>
/// <param name="Source">Where it comes from.</param>
/// <param name="Dim">Components of an input's features.</param>
/// <param name="Words">Words with a vector; 0 for images; of a sentence network its tokens.</param>
/// <param name="Parameters">Numbers learned in pretraining.</param>
/// <param name="Loss">Mean loss a pair over the last epoch, nats; null when nothing was trained.</param>
/// <param name="Reproducible">False when several threads trained it.</param>
/// <param name="Device">Where it was trained: "cpu", "cuda:0" …</param>
/// <param name="Options">Options it was trained with, as they were.</param>
public sealed record EncoderFacts(
    string Digest, EncoderSource Source, int Dim, int Words, long Parameters, double? Loss, bool Reproducible, string Device, JsonElement Options);

/// <summary>The image network whose features are used, cut at one layer.</summary>
/// <param name="Name">What people call it.</param>
/// <param name="Source">File name or address it came from, or the command that made it.</param>
/// <param name="SourceSha256">Digest of the file as it came.</param>
/// <param name="Licence">As given by who imported it; null when not given.</param>
/// <param name="TrainedOn">What it learned from, as given; null when not given.</param>
/// <param name="Layer">Where it is cut.</param>
/// <param name="Layers">What each layer that was tried reached in validation; empty when there was no choice.</param>
/// <param name="Parameters">Numbers learned, of the whole network.</param>
/// <param name="Fit">How a picture of any size becomes its input.</param>
/// <param name="Values">What the first nodes of <c>encoder.onnx</c> do to the values of pixels.</param>
public sealed record NetworkFacts(
    string Name, string Source, string SourceSha256, string? Licence, string? TrainedOn, string Layer, IReadOnlyList<SetScore> Layers, long Parameters,
    PictureFit Fit, PictureValues Values);

/// <summary>The sentence network whose features are used.</summary>
/// <param name="Name">What people call it.</param>
/// <param name="Source">File name or address it came from.</param>
/// <param name="SourceSha256">Digest of the file as it came.</param>
/// <param name="Licence">As given by who imported it; null when not given.</param>
/// <param name="TrainedOn">What it learned from, as given; null when not given.</param>
/// <param name="Tokenizer">What gives texts their ids.</param>
/// <param name="Inputs">Inputs of <c>encoder.onnx</c>.</param>
/// <param name="Output">Output of the network as it came.</param>
/// <param name="Pooling">How vectors of tokens become one.</param>
/// <param name="MaxLength">Tokens of a text at most; what is behind them is not read.</param>
/// <param name="Half">True when it computes in float16.</param>
/// <param name="Cut">Labelled texts of which only the beginning was read.</param>
public sealed record SentenceFacts(
    string Name, string Source, string SourceSha256, string? Licence, string? TrainedOn, TokenizerFacts Tokenizer, IReadOnlyList<string> Inputs, string Output,
    SentencePooling Pooling, int MaxLength, bool Half, long Cut);

/// <param name="Kind">"logistic" or "nearest-mean".</param>
/// <param name="Strength">L2 strength; null for nearest-mean.</param>
/// <param name="Parameters">(dim + words + 1) · classes: the article's formula, with the words that are counted beside the features.</param>
/// <param name="Temperature">Logits are divided by it.</param>
public sealed record HeadFacts(string Kind, double? Strength, long Parameters, double Temperature)
{
    /// <summary>Words counted beside the features; 0 for none.</summary>
    public long Words { get; init; }

    /// <summary>The encoder chosen, as <c>encoder=</c> calls it.</summary>
    public string Set { get; init; } = "";

    /// <summary>What each encoder reached in validation; empty when there was no choice.</summary>
    public IReadOnlyList<SetScore> Choice { get; init; } = [];
}

/// <param name="Protocol">How it was measured.</param>
/// <param name="Train">Training rows by class.</param>
/// <param name="Test">Test rows by class; zeros under cross-validation.</param>
/// <param name="Unlabelled">Unlabelled rows.</param>
/// <param name="Duplicates">Rows dropped as copies.</param>
/// <param name="Conflicts">Rows dropped because the same text has two labels.</param>
public sealed record DataFacts(
    Protocol Protocol, IReadOnlyList<LabelCount> Train, IReadOnlyList<LabelCount> Test, long Unlabelled, long Duplicates, long Conflicts);

/// <param name="Models">All models on the same rows, majority first, transfer last.</param>
/// <param name="Comparisons">Transfer against each other model.</param>
/// <param name="LearningCurve">Of transfer.</param>
/// <param name="Calibration">Of transfer, after the temperature, by confidence.</param>
/// <param name="Suspects">Labels to look at, most suspect first.</param>
public sealed record MeasuredFacts(
    IReadOnlyList<ModelMetrics> Models, IReadOnlyList<PairedTest> Comparisons, IReadOnlyList<LearningPoint> LearningCurve,
    IReadOnlyList<CalibrationBin> Calibration, IReadOnlyList<LabelSuspect> Suspects);

/// <param name="Rows">Labelled training rows stored with the model, for nearest examples.</param>
/// <param name="Of">Labelled training rows there were.</param>
/// <param name="AbstainBelow">A prediction abstains when its largest cosine to a stored example is lower.</param>
/// <param name="TrainingShareBelow">Share of training rows that would abstain, each judged without itself; null when not measured.</param>
public sealed record ExampleFacts(int Rows, long Of, double AbstainBelow, double? TrainingShareBelow);

/// <param name="Rows">Labelled rows compared.</param>
/// <param name="Largest">Largest |Δ logit| between training and the package as serving loads it.</param>
/// <param name="Limit">Above it nothing is published.</param>
public sealed record ParityFacts(int Rows, double Largest, double Limit);

/// <param name="Length">Bytes.</param>
/// <param name="Sha256">Lower-case hex.</param>
public sealed record FileFacts(long Length, string Sha256);
