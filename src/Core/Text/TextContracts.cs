using System.ComponentModel;
using Scion.Datasets;
using Scion.Storage;

namespace Scion.Text;

/// <summary>Overrides of a preset; null keeps the preset's value. Ranges as in <see cref="EmbeddingOptions"/>.</summary>
public sealed record EmbeddingOverrides
{
    [Description("Components of a word vector: 1 to 1024."), DefaultValue("the preset's")]
    public int? Dim { get; init; }

    [Description("Words to each side of the centre word; 0 means the whole text: 0 to 64."), DefaultValue("the preset's")]
    public int? Window { get; init; }

    [Description("Noise words a pair: 1 to 64."), DefaultValue("the preset's")]
    public int? Negatives { get; init; }

    [Description("Passes over the texts: 1 to 10000."), DefaultValue("the preset's")]
    public int? Epochs { get; init; }

    [Description("Rarer words are left out: 1 to 1000000."), DefaultValue("the preset's")]
    public int? MinCount { get; init; }

    [Description("Frequent words are thinned above this frequency; 0 means never: 0 to 1."), DefaultValue("the preset's")]
    public double? Subsample { get; init; }

    [Description("Learning rate at the start: above 0, to 10."), DefaultValue("the preset's")]
    public double? Rate { get; init; }

    [Description("Worker threads; 1 is exactly reproducible: 1 to 256."), DefaultValue("the preset's")]
    public int? Threads { get; init; }

    [Description("What trains the vectors: cpu, or torch, which takes a GPU where there is one and needs a build with libtorch."), DefaultValue("cpu")]
    public string? Trainer { get; init; }

    [Description("Machines the texts are dealt to, whose vectors are averaged after every round; 1 trains on one: 1 to 64."), DefaultValue("1, or as many as leave each 200 million words")]
    public int? Shards { get; init; }

    [Description("Rounds after which the vectors of several shards are averaged: 1 to 1024 divided by the shards; above the epochs, a multiple of them."), DefaultValue("about 128, where so many are allowed")]
    public int? Rounds { get; init; }
}

/// <summary>Objective a skip-gram model is trained with.</summary>
public enum SkipGramLoss
{
    /// <summary>Negative sampling, Mikolov et al. 2013, arXiv:1310.4546, eq. 4.</summary>
    NegativeSampling,
    /// <summary>Noise-contrastive estimation, Gutmann and Hyvärinen 2010; log-uniform noise as in the source article.</summary>
    Nce,
}

/// <summary>Every setting of skip-gram training, complete; stored with the vectors it made.</summary>
/// <param name="Loss">Objective.</param>
/// <param name="Dim">Components of a vector, in [1, 1024].</param>
/// <param name="Window">Words to each side of the centre word; 0 means the whole text, at most 64 words to each side (preset "article").</param>
/// <param name="Negatives">Noise words a pair, in [1, 64].</param>
/// <param name="Epochs">Passes over the corpus, in [1, 10000].</param>
/// <param name="MinCount">Rarer words are left out, in [1, 1000000].</param>
/// <param name="Subsample">Frequent words are thinned above this frequency; 0 means never. In [0, 1].</param>
/// <param name="Rate">Learning rate at the start, in (0, 10].</param>
/// <param name="LinearDecay">True: the rate falls linearly to Rate/10000; false: constant.</param>
/// <param name="Threads">Worker threads, in [1, 256]. 1 is exactly reproducible; more are lock-free and are not.</param>
/// <param name="Seed">Of the start, the sub-sampling, the windows and the noise.</param>
/// <param name="Trainer"><see cref="CpuTrainer"/> or <see cref="TorchTrainer"/>.</param>
/// <param name="Shards">Machines the texts are dealt to, in [1, 64].</param>
/// <param name="Rounds">Rounds after which the shards' vectors are averaged, in [1, 1024 / Shards]; above the epochs a multiple of them; 1 with one shard.</param>
public sealed record EmbeddingOptions(
    SkipGramLoss Loss, int Dim, int Window, int Negatives, int Epochs, int MinCount, double Subsample, double Rate, bool LinearDecay,
    int Threads, int Seed, string Trainer = EmbeddingOptions.CpuTrainer, int Shards = 1, int Rounds = 1)
{
    /// <summary><see cref="SkipGramTrainer"/>.</summary>
    public const string CpuTrainer = "cpu";

    /// <summary>TorchSharp, on CUDA where there is a device.</summary>
    public const string TorchTrainer = "torch";
}

public sealed record BuildVocabularyInput(CuratedRows Data, ReviewSettings Settings);

/// <param name="Vocabulary">Read with <see cref="Text.Vocabulary"/>.</param>
/// <param name="Words">Distinct words kept.</param>
/// <param name="Tokens">Words in the corpus, kept or not.</param>
/// <param name="Options">The preset, resolved for a corpus of this size, with the overrides.</param>
public sealed record VocabularyBuilt(ArtifactRef Vocabulary, int Words, long Tokens, EmbeddingOptions Options);

/// <summary>How a candidate's word vectors come about.</summary>
public enum EncoderSource
{
    /// <summary>Skip-gram on the user's own text.</summary>
    Own,
    /// <summary>Random vectors of the same shape, never trained: the "from scratch" baseline of the article.</summary>
    Untrained,
    /// <summary>Word vectors imported by the user.</summary>
    Imported,
    /// <summary>A sentence network imported by the user, with its tokenizer.</summary>
    Network,
    /// <summary>The word vectors that ship with Scion.</summary>
    Default,
    /// <summary>Those, trained further on the user's own text, with the words they lack.</summary>
    Continued,
}

/// <param name="Source">Where the vectors come from.</param>
/// <param name="Imported"><c>encoders/{sha256}</c> of an import; null otherwise.</param>
/// <param name="Data">The data set.</param>
/// <param name="Vocabulary">Its vocabulary.</param>
/// <param name="Learned">Vectors that shards have learned, which then are its own; null where it trains them.</param>
public sealed record PretrainEmbeddingsInput(
    EncoderSource Source, string? Imported, CuratedRows Data, VocabularyBuilt Vocabulary, EmbeddingsAveraged? Learned = null);

/// <param name="Source">Where the vectors come from.</param>
/// <param name="Encoder">A sentence encoder, read with <see cref="SentenceEncoder"/>; of a sentence network its card, read with <see cref="SentenceNetworks.CardAsync"/>.</param>
/// <param name="Dim">Components of a sentence's features.</param>
/// <param name="Words">Words with a vector; of a sentence network the tokens of its tokenizer.</param>
/// <param name="Parameters">Numbers learned in pretraining: words × dim of the input vectors.</param>
/// <param name="Loss">Mean loss a pair over the last epoch, in nats; null when nothing was trained.</param>
/// <param name="Reproducible">False when several threads trained it.</param>
/// <param name="Digest">SHA-256 of the encoder's content, its identity in a package.</param>
/// <param name="Device">Where it was trained: "cpu", "cuda:0" …</param>
public sealed record EncoderTrained(
    EncoderSource Source, ArtifactRef Encoder, int Dim, int Words, long Parameters, double? Loss, bool Reproducible, string Digest,
    string Device = "cpu")
{
    /// <summary>What <c>encoder=</c> calls it: the name of its feature set.</summary>
    public string Name { get; init; } = "";

    /// <summary>Its words with their counts in the user's own text, read with <see cref="Text.Vocabulary"/>: ids of a lexicon beside it.</summary>
    public ArtifactRef? Vocabulary { get; init; }

    /// <summary>Share of the texts' words that have a vector, in [0, 1].</summary>
    public double Coverage { get; init; } = 1;

    /// <summary>How texts differ by its features, read with <see cref="FeatureSpectrum"/>.</summary>
    public ArtifactRef? Spectrum { get; init; }
}

/// <param name="Encoder">The sentence encoder to apply.</param>
/// <param name="Shard">The shard to read.</param>
public sealed record ExtractFeaturesInput(EncoderTrained Encoder, CuratedShard Shard);
