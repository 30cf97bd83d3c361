using System.Globalization;
using System.Text;

namespace Scion.Text;

/// <summary>Known words with their counts; a word's id is its rank by count, ties by ordinal word.</summary>
public sealed class Vocabulary
{
    readonly Dictionary<string, int> ids;

    /// <param name="words">Distinct words, most frequent first.</param>
    /// <param name="counts">Occurrences of each, [words].</param>
    public Vocabulary(IReadOnlyList<string> words, IReadOnlyList<long> counts)
    {
        (Words, Counts) = (words, counts);
        ids = new Dictionary<string, int>(words.Count, StringComparer.Ordinal);
        for (int id = 0; id < words.Count; id++) ids.Add(words[id], id);
    }

    Vocabulary(IReadOnlyList<string> words, IReadOnlyList<long> counts, Dictionary<string, int> ids) => (Words, Counts, this.ids) = (words, counts, ids);

    /// <summary>The words that stand often enough, by count, ties by ordinal word.</summary>
    public static Vocabulary Of(IReadOnlyDictionary<string, long> counts, int minCount)
    {
        KeyValuePair<string, long>[] kept = [.. counts.Where(word => word.Value >= minCount)
            .OrderByDescending(word => word.Value).ThenBy(word => word.Key, StringComparer.Ordinal)];
        return new Vocabulary([.. kept.Select(word => word.Key)], [.. kept.Select(word => word.Value)]);
    }

    public IReadOnlyList<string> Words { get; }

    public IReadOnlyList<long> Counts { get; }

    public int Count => Words.Count;

    /// <summary>Id of a word, or −1.</summary>
    public int IdOf(ReadOnlySpan<char> word) => ids.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(word, out int id) ? id : -1;

    /// <summary>UTF-8 text, one line a word: the word, a tab, its count.</summary>
    public byte[] ToBytes()
    {
        StringBuilder text = new();
        for (int id = 0; id < Count; id++) text.Append(Words[id]).Append('\t').Append(Counts[id].ToString(CultureInfo.InvariantCulture)).Append('\n');
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    /// <exception cref="Faults.InputRejectedException">A line is not a new word, a tab and a count (T001).</exception>
    public static Vocabulary Parse(ReadOnlySpan<byte> bytes)
    {
        List<string> words = [];
        List<long> counts = [];
        for (ReadOnlySpan<byte> rest = bytes; rest.Length > 0;)
        {
            int end = rest.IndexOf((byte)'\n');
            ReadOnlySpan<byte> line = end < 0 ? rest : rest[..end];
            rest = end < 0 ? [] : rest[(end + 1)..];
            if (line.IsEmpty) continue;
            int tab = line.IndexOf((byte)'\t');
            if (tab < 1 || !long.TryParse(line[(tab + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out long count))
                throw TextFaults.Vocabulary(words.Count + 1);
            words.Add(Encoding.UTF8.GetString(line[..tab]));
            counts.Add(count);
        }
        Dictionary<string, int> ids = new(words.Count, StringComparer.Ordinal);
        for (int id = 0; id < words.Count; id++)
            if (!ids.TryAdd(words[id], id)) throw TextFaults.Vocabulary(id + 1);
        return new Vocabulary(words, counts, ids);
    }
}
