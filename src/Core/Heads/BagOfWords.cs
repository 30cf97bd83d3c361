using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Scion.Text;

namespace Scion.Heads;

/// <summary>Texts as bags of words: TF-IDF features whose vocabulary and document frequencies come from training rows only.</summary>
/// <remarks>Weight of a word: (1 + ln count) · (1 + ln((1 + n) / (1 + df))), then unit length: scikit-learn's <c>TfidfVectorizer(sublinear_tf=True)</c>
/// with this product's words. The words of most training rows are kept.</remarks>
/// <param name="mostWords">Words kept.</param>
public sealed class BagOfWords(int mostWords = BagOfWords.MaxWords)
{
    /// <summary>Most columns.</summary>
    public const int MaxWords = 1 << 16;

    /// <summary>Most weights of a head on them: L-BFGS holds about 25 numbers a weight, so a fit stays under 0.5 GB.</summary>
    const int MaxWeights = 1 << 21;

    /// <summary>Words to keep for so many classes: <see cref="MaxWords"/> up to 32 classes, then fewer.</summary>
    public static int MostWords(int classes) => Math.Min(MaxWords, MaxWeights / classes);

    readonly Dictionary<string, int> ids = new(StringComparer.Ordinal);
    readonly List<int> words = [], counts = [], starts = [0];

    public int Rows => starts.Count - 1;

    /// <summary>Adds the next row.</summary>
    public void Add(string text)
    {
        Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> bySpan = ids.GetAlternateLookup<ReadOnlySpan<char>>();
        Tokenizer.WordReader reader = new(Tokenizer.Composed(text), stackalloc char[Tokenizer.MaxWord]);
        int from = words.Count;
        while (reader.MoveNext())
        {
            ref int id = ref CollectionsMarshal.GetValueRefOrAddDefault(bySpan, reader.Current, out bool known);
            if (!known) id = ids.Count - 1;
            words.Add(id);
        }
        Span<int> own = CollectionsMarshal.AsSpan(words)[from..];
        own.Sort();
        int distinct = 0;
        for (int i = 0; i < own.Length; distinct++)
        {
            int end = i + 1;
            while (end < own.Length && own[end] == own[i]) end++;
            own[distinct] = own[i];
            counts.Add(end - i);
            i = end;
        }
        words.RemoveRange(from + distinct, words.Count - from - distinct);
        starts.Add(words.Count);
    }

    /// <summary>Features of all rows, with the vocabulary and the document frequencies of <paramref name="train"/>.</summary>
    /// <param name="train">Rows to learn them from; nothing else of the other rows is used than their own words.</param>
    public SparseFeatures FittedOn(int[] train)
    {
        int[] frequency = new int[ids.Count];
        foreach (int row in train)
            for (int i = starts[row]; i < starts[row + 1]; i++) frequency[words[i]]++;
        int[] kept = [.. Enumerable.Range(0, frequency.Length).Where(id => frequency[id] > 0)];
        if (kept.Length > mostWords)
        {
            string[] names = new string[ids.Count];
            foreach ((string word, int id) in ids) names[id] = word;
            kept = [.. kept.OrderByDescending(id => frequency[id]).ThenBy(id => names[id], StringComparer.Ordinal).Take(mostWords)];
        }
        int[] column = new int[frequency.Length];
        Array.Fill(column, -1);
        double[] rarity = new double[kept.Length];
        for (int c = 0; c < kept.Length; c++)
        {
            column[kept[c]] = c;
            rarity[c] = 1 + Math.Log((1.0 + train.Length) / (1 + frequency[kept[c]]));
        }
        int[] ends = new int[Rows + 1];
        List<int> columns = new(words.Count);
        List<float> values = new(words.Count);
        for (int row = 0; row < Rows; row++)
        {
            int from = values.Count;
            for (int i = starts[row]; i < starts[row + 1]; i++)
            {
                int c = column[words[i]];
                if (c < 0) continue;
                columns.Add(c);
                values.Add((float)((1 + Math.Log(counts[i])) * rarity[c]));
            }
            Span<float> own = CollectionsMarshal.AsSpan(values)[from..];
            if (own.Length > 0) TensorPrimitives.Divide(own, TensorPrimitives.Norm<float>(own), own);
            ends[row + 1] = values.Count;
        }
        return new SparseFeatures(ends, [.. columns], [.. values], Math.Max(1, kept.Length));
    }
}
