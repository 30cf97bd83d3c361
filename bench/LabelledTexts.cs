using System.IO.Compression;
using nietras.SeparatedValues;

namespace Scion.Bench;

/// <summary>Texts with labels from a CSV file, cut into a pool and rows held back by the hash of their text.</summary>
sealed class LabelledTexts
{
    public required string[] Pool { get; init; }
    public required int[] PoolLabels { get; init; }
    public required string[] Held { get; init; }
    public required int[] HeldLabels { get; init; }

    /// <param name="path">CSV with columns text and label, also gzipped.</param>
    /// <param name="rows">Rows taken, spread evenly over the file; 0 for all.</param>
    public static LabelledTexts Read(string path, int rows) => Split(Rows(path, rows), taken => [.. taken.Select(row => Hash(row.Text) % 5 == 0)]);

    /// <summary>As <see cref="Read"/>, with so many rows held back: those of the smallest hashes.</summary>
    public static LabelledTexts ReadHolding(string path, int rows, int held) => Split(Rows(path, rows), taken =>
    {
        uint[] hashes = [.. taken.Select(row => Hash(row.Text))];
        uint least = hashes.Order().ElementAt(Math.Min(held, taken.Length - 1));
        return [.. hashes.Select(hash => hash < least)];
    });

    static (string Text, string Label)[] Rows(string path, int rows)
    {
        using Stream file = File.OpenRead(path);
        using Stream stream = path.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(file, CompressionMode.Decompress) : file;
        using SepReader reader = Sep.New(',').Reader(o => o with { Unescape = true }).From(stream);
        List<(string Text, string Label)> all = [];
        foreach (SepReader.Row row in reader) all.Add((row["text"].ToString(), row["label"].ToString()));
        (string Text, string Label)[] taken = rows == 0 || rows >= all.Count ? [.. all] : [.. Enumerable.Range(0, rows).Select(i => all[(int)((long)i * all.Count / rows)])];
        return [.. taken.DistinctBy(row => row.Text)];
    }

    static LabelledTexts Split((string Text, string Label)[] taken, Func<(string Text, string Label)[], bool[]> choose)
    {
        string[] labels = [.. taken.Select(row => row.Label).Distinct().Order(StringComparer.Ordinal)];
        bool[] held = choose(taken);
        return new LabelledTexts
        {
            Pool = [.. taken.Where((_, i) => !held[i]).Select(row => row.Text)],
            PoolLabels = [.. taken.Where((_, i) => !held[i]).Select(row => Array.IndexOf(labels, row.Label))],
            Held = [.. taken.Where((_, i) => held[i]).Select(row => row.Text)],
            HeldLabels = [.. taken.Where((_, i) => held[i]).Select(row => Array.IndexOf(labels, row.Label))],
        };
    }

    /// <summary>The texts of CSV files with a column text, also gzipped, one file after the other.</summary>
    public static IEnumerable<string> Texts(IEnumerable<string> paths)
    {
        foreach (string path in paths)
        {
            using Stream file = File.OpenRead(path);
            using Stream stream = path.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(file, CompressionMode.Decompress) : file;
            using SepReader reader = Sep.New(',').Reader(o => o with { Unescape = true }).From(stream);
            while (reader.MoveNext()) yield return reader.Current["text"].ToString();
        }
    }

    static uint Hash(string text)
    {
        uint hash = 2166136261;
        foreach (char c in text) hash = (hash ^ c) * 16777619;
        return hash ^ (hash >> 15);
    }
}
