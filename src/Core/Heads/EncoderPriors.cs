using Scion.Datasets;
using Scion.Text;

namespace Scion.Heads;

/// <summary>What other tasks say of encoders and of words beside them, before a label is seen: nats by which a rival's validation loss must be less.</summary>
/// <remarks>With n labels the validation loss of n rows, summed, grows with n and a handicap does not: few labels follow what was measured on many tasks, many labels
/// follow themselves. The figures, and the tasks they are from, are in docs/experiments.md.</remarks>
public static class EncoderPriors
{
    /// <summary>Lengths of word counts beside the features that are tried: beside them, and before them.</summary>
    public static readonly IReadOnlyList<double> WordShares = [1, 3];

    /// <summary>Handicap of the second share.</summary>
    const double MoreWords = 2;

    /// <summary>Share of a text's words that vectors learned elsewhere usually know; less makes them worth less.</summary>
    const double UsualCoverage = 0.9;

    /// <summary>Nats for each word in a hundred that they know less.</summary>
    const double Unknown = 0.1;

    /// <param name="encoder">The encoder.</param>
    /// <returns>Nats, at least 0.</returns>
    public static double Handicap(EncoderTrained encoder) => Handicap(encoder.Source, encoder.Coverage);

    /// <param name="source">Where its vectors come from.</param>
    /// <param name="coverage">Share of the texts' words that have one.</param>
    public static double Handicap(EncoderSource source, double coverage) => source switch
    {
        EncoderSource.Default or EncoderSource.Imported => Missing(coverage),
        EncoderSource.Continued => 1 + (Missing(coverage) / 2),
        EncoderSource.Own => 3,
        _ => 0,
    };

    /// <summary>The feature sets of the encoders that compete: each with each share of words beside it.</summary>
    /// <param name="encoders">The encoders, and the features by each of all shards.</param>
    /// <param name="plain">True for features as they are, without spectrum and words: the article's recipe.</param>
    /// <param name="words">False leaves out the words.</param>
    public static IReadOnlyList<FeatureSet> Sets(IReadOnlyList<(EncoderTrained Encoder, FeaturesExtracted[] Shards)> encoders, bool plain, bool words) =>
        [.. encoders.SelectMany(of => plain
            ? [new FeatureSet(of.Encoder.Name, of.Shards) { Handicap = Handicap(of.Encoder) }]
            : !words || of.Encoder.Vocabulary is null
                ? [new FeatureSet(of.Encoder.Name, of.Shards) { Spectrum = of.Encoder.Spectrum, Handicap = Handicap(of.Encoder) }]
                : WordShares.Select((share, i) => new FeatureSet(NameOf(of.Encoder, i), of.Shards)
                {
                    Spectrum = of.Encoder.Spectrum, Vocabulary = of.Encoder.Vocabulary, WordShare = share, Handicap = Handicap(of.Encoder) + HandicapOf(i),
                }))];

    /// <summary>Handicap of a share of words, by its place in <see cref="WordShares"/>.</summary>
    public static double HandicapOf(int share) => share * MoreWords;

    static string NameOf(EncoderTrained encoder, int share) => share == 0 ? encoder.Name : $"{encoder.Name}, words first";

    static double Missing(double coverage) => 100 * Unknown * Math.Max(0, UsualCoverage - coverage);
}
