using System.Globalization;
using Scion.Datasets;

namespace Scion.Text;

/// <summary>Complete skip-gram options from a preset, the size of the corpus, and the user's overrides.</summary>
public static class EmbeddingPresets
{
    /// <summary>Trainings predicted to visit fewer words than this use one thread, and so are exactly reproducible: under about a minute.</summary>
    const long OneThreadWords = 25_000_000;

    /// <summary>Words of a shard above which a corpus is dealt to more: as ids they are 800 MB, and a pass over them takes minutes.</summary>
    public const long ShardWords = 200_000_000;

    public const int MaxShards = 64;

    /// <summary>Most shards times rounds: calls of one run, and rows of a history that is loaded whole.</summary>
    public const int MaxShardRounds = 1024;

    /// <summary>Rounds of a training on several shards, about: fewer cost accuracy. Measured in docs/experiments.md.</summary>
    const int UsualRounds = 128;

    /// <param name="settings">Preset, overrides, seed.</param>
    /// <param name="tokens">Words in the corpus, at least 0.</param>
    /// <param name="cores">Threads a large corpus may use.</param>
    /// <exception cref="Faults.InputRejectedException">A value is out of range (T002); all such values are named.</exception>
    public static EmbeddingOptions Resolve(ReviewSettings settings, long tokens, int cores)
    {
        EmbeddingOptions preset = settings.Preset switch
        {
            "article" => Article(settings.Seed),
            "default" => Default(settings.Seed, tokens),
            _ => throw TextFaults.OptionsRefused([$"preset is '{settings.Preset}'; 'default' and 'article' are known."]),
        };
        EmbeddingOverrides set = settings.Embedding;
        EmbeddingOptions options = preset with
        {
            Dim = set.Dim ?? preset.Dim,
            Window = set.Window ?? preset.Window,
            Negatives = set.Negatives ?? preset.Negatives,
            Epochs = set.Epochs ?? preset.Epochs,
            MinCount = set.MinCount ?? preset.MinCount,
            Subsample = set.Subsample ?? preset.Subsample,
            Rate = set.Rate ?? preset.Rate,
            Trainer = set.Trainer ?? preset.Trainer,
        };
        int shards = set.Shards ?? (int)Math.Clamp((tokens + ShardWords - 1) / ShardWords, 1, MaxShards);
        options = options with
        {
            Threads = set.Threads ?? (tokens * options.Epochs / Math.Max(1, shards) < OneThreadWords ? 1 : Math.Max(1, cores)),
            Shards = shards,
            Rounds = set.Rounds ?? (shards is <= 1 or > MaxShards ? 1 : DefaultRounds(options.Epochs, Math.Min(UsualRounds, MaxShardRounds / shards))),
        };
        string[] errors = [.. Errors(options)];
        return errors.Length == 0 ? options : throw TextFaults.OptionsRefused(errors);
    }

    /// <summary>As many rounds an epoch as stay within the limit, or the limit where that is below one.</summary>
    static int DefaultRounds(int epochs, int limit) => epochs is < 1 || epochs > limit ? limit : epochs * (limit / epochs);

    /// <summary>The source article's recipe: pairs from the same sentence, size 4, NCE, SGD at rate 1.0.</summary>
    static EmbeddingOptions Article(int seed) => new(SkipGramLoss.Nce, Dim: 4, Window: 0, Negatives: 5, Epochs: 50, MinCount: 1,
        Subsample: 0, Rate: 1.0, LinearDecay: false, Threads: 1, seed);

    /// <summary>Negative sampling. Small corpora get more passes, but no more than serve: on small ones a longer training only learns them by heart. Rarer words are kept
    /// where there are few, and a word that stands once is never thinned.
    /// Measured in docs/experiments.md.</summary>
    static EmbeddingOptions Default(int seed, long tokens) => new(SkipGramLoss.NegativeSampling, Dim: 100, Window: 5, Negatives: 5,
        Epochs: (int)Math.Clamp(3_000_000 / Math.Max(1, tokens), tokens < 10_000_000 ? 10 : 5, 50), MinCount: tokens < 20_000 ? 1 : tokens < 2_000_000 ? 2 : 5,
        Subsample: Math.Max(1e-4, 1.0 / Math.Max(1, tokens)), Rate: 0.05, LinearDecay: true, Threads: 1, seed);

    static IEnumerable<string> Errors(EmbeddingOptions o)
    {
        if (o.Dim is < 1 or > 1024) yield return Range("dim", o.Dim, "1 to 1024");
        if (o.Window is < 0 or > 64) yield return Range("window", o.Window, "0 (the whole text) to 64");
        if (o.Negatives is < 1 or > 64) yield return Range("negatives", o.Negatives, "1 to 64");
        if (o.Epochs is < 1 or > 10_000) yield return Range("epochs", o.Epochs, "1 to 10000");
        if (o.MinCount is < 1 or > 1_000_000) yield return Range("minCount", o.MinCount, "1 to 1000000");
        if (!(o.Subsample is >= 0 and <= 1)) yield return Range("subsample", o.Subsample, "0 (never) to 1");
        if (!(o.Rate is > 0 and <= 10)) yield return Range("rate", o.Rate, "above 0, to 10");
        if (o.Trainer is not (EmbeddingOptions.CpuTrainer or EmbeddingOptions.TorchTrainer)) yield return $"embedding.trainer is '{o.Trainer}'; it must be 'cpu' or 'torch'.";
        if (o.Shards is < 1 or > MaxShards) yield return Range("shards", o.Shards, "1 to 64");
        else if (o.Rounds < 1 || o.Rounds > (o.Shards == 1 ? 1 : MaxShardRounds / o.Shards))
            yield return Range("rounds", o.Rounds, o.Shards == 1 ? "1 with one shard" : string.Create(CultureInfo.InvariantCulture, $"1 to {MaxShardRounds / o.Shards} with {o.Shards} shards"));
        else if (o.Epochs >= 1 && o.Rounds > o.Epochs && o.Rounds % o.Epochs != 0) yield return Range("rounds", o.Rounds, $"at most the epochs, {o.Epochs}, or a multiple of them");
        if (o.Threads is < 1 or > 256) yield return Range("threads", o.Threads, "1 to 256");
    }

    static string Range(string name, double value, string range) =>
        string.Create(CultureInfo.InvariantCulture, $"embedding.{name} is {value}; it must be {range}.");
}
