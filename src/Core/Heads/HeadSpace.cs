using Scion.Datasets;
using Scion.Registry;
using Scion.Storage;
using Scion.Text;

namespace Scion.Heads;

/// <summary>The features of a set as heads are fitted to them, and the way back to what serving applies: a head on the stored features, and a lexicon.</summary>
public sealed class HeadSpace
{
    /// <summary>Numbers above which rows are not written out dense to find the space they span.</summary>
    const long MostDense = 4_000_000;

    readonly FeatureSpectrum? spectrum;
    readonly WordCounts? words;
    readonly int[] columns = [];
    readonly double share;

    /// <param name="stored">As the encoder gives them, [labelled rows, dim].</param>
    /// <param name="spectrum">How texts differ by them; null leaves them as they are.</param>
    /// <param name="words">Words of the same rows; null for none.</param>
    /// <param name="share">As in <see cref="FeatureSet.WordShare"/>.</param>
    internal HeadSpace(DenseFeatures stored, FeatureSpectrum? spectrum, WordCounts? words, double share)
    {
        (Stored, this.spectrum, this.words, this.share) = (stored, spectrum, words, share);
        DenseFeatures turned = spectrum is null ? stored : spectrum.Apply(stored);
        if (words is null)
        {
            Matrix = RowSpace.For(turned);
            return;
        }
        JoinedFeatures joined = new(turned, words.ToFeatures(share, out columns));
        Matrix = joined.Rows > 0 && joined.Dim >= RowSpace.LeastComponents && joined.Dim > joined.Rows && (long)joined.Rows * joined.Dim <= MostDense ? new RowSpace(joined.ToDense()) : joined;
    }

    /// <summary>As the encoder gives them, [labelled rows, dim].</summary>
    public DenseFeatures Stored { get; }

    /// <summary>As heads are fitted to them.</summary>
    public FeatureMatrix Matrix { get; }

    /// <exception cref="Faults.InputRejectedException">Features are not of this data set (H003, H006), or an input is damaged (S003, S004, S006, S007, T001).</exception>
    public static async Task<HeadSpace> ReadAsync(IBlobStore store, CuratedRows data, RowTable table, FeatureSet set, CancellationToken cancellation)
    {
        DenseFeatures stored = await LabelledFeatures.ReadAsync(store, table, set.Shards, cancellation);
        FeatureSpectrum? spectrum = set.Spectrum is { } fitted ? FeatureSpectrum.Parse(await store.ReadAsync(fitted, cancellation)) : null;
        if (spectrum is not null && spectrum.Dim != stored.Dim) throw HeadFaults.FeaturesDiffer($"they have {stored.Dim} components and their spectrum has {spectrum.Dim}.");
        WordCounts? words = null;
        if (set.Vocabulary is { } counted && set.WordShare > 0)
        {
            Vocabulary vocabulary = Vocabulary.Parse(await store.ReadAsync(counted, cancellation));
            long texts = data.Unlabelled + data.Train.Sum(label => (long)label.Rows);
            words = new WordCounts(vocabulary, texts, Math.Min(BagOfWords.MostWords(data.Labels.Count), vocabulary.Counts.Count(count => count > 0)));
            await foreach (LabelledText row in LabelledText.ReadAsync(store, data, table, _ => true, cancellation)) words.Add(row.Text);
        }
        return new HeadSpace(stored, spectrum, words, set.WordShare);
    }

    /// <summary>A head fitted to <see cref="Matrix"/> as serving applies it.</summary>
    /// <returns>The head on the stored features, and what words add to it; null where none were beside them.</returns>
    public (LinearHead Head, WordLexicon? Lexicon) Unfold(LinearHead fitted)
    {
        LinearHead head = Matrix is RowSpace space ? space.Widen(fitted) : fitted;
        WordLexicon? lexicon = null;
        if (words is not null)
        {
            int dim = Stored.Dim, beside = head.Dim - dim, classes = head.Classes;
            float[] features = new float[classes * dim], single = new float[classes * beside];
            for (int c = 0; c < classes; c++)
            {
                head.Weights.AsSpan(c * head.Dim, dim).CopyTo(features.AsSpan(c * dim));
                head.Weights.AsSpan((c * head.Dim) + dim, beside).CopyTo(single.AsSpan(c * beside));
            }
            lexicon = words.Learned(single, classes, columns, share);
            head = new LinearHead(features, head.Bias);
        }
        return (spectrum is null ? head : spectrum.Fold(head), lexicon);
    }
}
