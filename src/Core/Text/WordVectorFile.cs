using System.Buffers.Text;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Scion.Text;

/// <summary>Word vectors in a file's order.</summary>
/// <param name="Words">Distinct words.</param>
/// <param name="Dim">Components of a vector.</param>
/// <param name="Vectors">[words, dim], row-major.</param>
/// <param name="Read">Entries in the file, kept or not.</param>
/// <param name="Repeated">Entries left out because their word stood before.</param>
public sealed record WordVectors(IReadOnlyList<string> Words, int Dim, float[] Vectors, long Read, long Repeated);

public enum WordVectorFormat
{
    /// <summary>A header line <c>words dim</c>, then a line a word.</summary>
    Word2VecText,
    /// <summary>The same header, then each word, a space, and dim little-endian float32.</summary>
    Word2VecBinary,
    /// <summary>A line a word, no header.</summary>
    Glove,
}

/// <summary>Reads and writes word2vec text, word2vec binary and GloVe files. The format is told from the first bytes.</summary>
public static class WordVectorFile
{
    public const int MaxDim = 1024;
    const int MaxLine = 32 * (MaxDim + 64);
    const int MaxWordBytes = 1024;

    /// <param name="file">Read to its end.</param>
    /// <param name="keep">Which words to keep, given the word and how many were kept before; null keeps all.</param>
    /// <param name="cancellation">Stops the reading.</param>
    /// <exception cref="Faults.InputRejectedException">The file is in no known format (T006), a line is wrong (T007), it ends early (T008), a value
    /// is not finite (T009), or more is kept than fits (T012).</exception>
    public static WordVectors Read(Stream file, Func<string, int, bool>? keep, CancellationToken cancellation)
    {
        LineReader reader = new(file, MaxLine);
        reader.SkipByteOrderMark();
        if (!reader.TryReadLine(out ReadOnlySpan<byte> first)) throw VectorFileFaults.UnknownFormat("the file is empty");
        Sink sink = new(keep);
        if (TryHeader(first, out long words, out int dim))
        {
            if (dim is < 1 or > MaxDim || words < 1) throw VectorFileFaults.UnknownFormat($"its header claims {words} words of {dim} components");
            bool text = LooksLikeText(reader.Peek(), dim);
            for (long entry = 1; entry <= words; entry++)
            {
                if ((entry & 1023) == 0) cancellation.ThrowIfCancellationRequested();
                if (text) TextEntry(reader, sink, dim, entry + 1, words);
                else BinaryEntry(reader, sink, dim, entry, words);
            }
            if (text && reader.TryReadLine(out ReadOnlySpan<byte> extra) && !extra.IsEmpty) throw VectorFileFaults.WrongLine(words + 2, $"the header claims {words} words and more follow");
            return sink.Result(dim);
        }
        dim = CountFields(first) - 1;
        if (dim is < 1 or > MaxDim) throw VectorFileFaults.UnknownFormat($"its first line has {dim + 1} fields");
        ParseLine(first, sink, dim, 1);
        for (long line = 2; reader.TryReadLine(out ReadOnlySpan<byte> bytes); line++)
        {
            if ((line & 1023) == 0) cancellation.ThrowIfCancellationRequested();
            if (!bytes.IsEmpty) ParseLine(bytes, sink, dim, line);
        }
        return sink.Result(dim);
    }

    /// <summary>Writes vectors so that other tools read them.</summary>
    /// <exception cref="Faults.InputRejectedException">A word holds a space or a line feed, which none of the formats can say (T014); nothing is written.</exception>
    public static void Write(Stream file, IReadOnlyList<string> words, ReadOnlySpan<float> vectors, int dim, WordVectorFormat format)
    {
        foreach (string word in words)
            if (word.Length == 0 || word.AsSpan().ContainsAny(" \n\r")) throw VectorFileFaults.CannotWrite(word);
        if (format != WordVectorFormat.Glove) file.Write(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{words.Count} {dim}\n")));
        for (int id = 0; id < words.Count; id++)
        {
            ReadOnlySpan<float> vector = vectors.Slice(id * dim, dim);
            file.Write(Encoding.UTF8.GetBytes(words[id]));
            if (format == WordVectorFormat.Word2VecBinary)
            {
                file.WriteByte((byte)' ');
                foreach (float value in vector)
                {
                    float little = value;
                    file.Write(MemoryMarshal.AsBytes(new ReadOnlySpan<float>(in little)));
                }
            }
            else
            {
                foreach (float value in vector) file.Write(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $" {value:R}")));
            }
            file.WriteByte((byte)'\n');
        }
    }

    static bool TryHeader(ReadOnlySpan<byte> line, out long words, out int dim)
    {
        dim = 0;
        return Utf8Parser.TryParse(line, out words, out int at) && at < line.Length && line[at] == ' '
            && Utf8Parser.TryParse(line[(at + 1)..], out dim, out int rest) && line[(at + 1 + rest)..].Trim(" \r"u8).IsEmpty;
    }

    static bool LooksLikeText(ReadOnlySpan<byte> ahead, int dim)
    {
        int end = ahead.IndexOf((byte)'\n');
        ReadOnlySpan<byte> line = end < 0 ? ahead : ahead[..end];
        line = line.TrimEnd(" \r"u8);
        return CountFields(line) >= dim + 1 && Utf8Parser.TryParse(line[(line.LastIndexOf((byte)' ') + 1)..], out float _, out int used)
            && used == line.Length - line.LastIndexOf((byte)' ') - 1;
    }

    static int CountFields(ReadOnlySpan<byte> line)
    {
        line = line.Trim(" \r"u8);
        return line.IsEmpty ? 0 : line.Count((byte)' ') + 1;
    }

    static void TextEntry(LineReader reader, Sink sink, int dim, long line, long words)
    {
        if (!reader.TryReadLine(out ReadOnlySpan<byte> bytes)) throw VectorFileFaults.EndsEarly(sink.Entries, words);
        ParseLine(bytes, sink, dim, line);
    }

    static void ParseLine(ReadOnlySpan<byte> line, Sink sink, int dim, long number)
    {
        line = line.Trim(" \r"u8);
        int fields = CountFields(line), space = -1;
        if (fields < dim + 1) throw VectorFileFaults.WrongLine(number, $"it has {fields - 1} values, the first has {dim}");
        int part = 0;
        for (int skip = fields - dim; skip > 0; skip--)                                  // GloVe has words that hold spaces
        {
            part = space + 1;
            space = part + line[part..].IndexOf((byte)' ');
        }
        if (part > 0 && Utf8Parser.TryParse(line[part..space], out float _, out int all) && all == space - part)
            throw VectorFileFaults.WrongLine(number, $"it has {fields - 1} values, the first has {dim}");
        Span<float> vector = sink.Begin(Encoding.UTF8.GetString(line[..space]), dim);
        ReadOnlySpan<byte> rest = line[(space + 1)..];
        for (int j = 0; j < dim; j++)
        {
            if (!Utf8Parser.TryParse(rest, out float value, out int used) || (used < rest.Length && rest[used] != (byte)' '))
                throw VectorFileFaults.WrongLine(number, $"its value {j + 1} is not a number");
            if (!float.IsFinite(value)) throw VectorFileFaults.NotFinite(number);
            if (!vector.IsEmpty) vector[j] = value;
            rest = used < rest.Length ? rest[(used + 1)..] : [];
        }
    }

    static void BinaryEntry(LineReader reader, Sink sink, int dim, long entry, long words)
    {
        string word = reader.ReadWord(MaxWordBytes) ?? throw VectorFileFaults.EndsEarly(entry - 1, words);
        ReadOnlySpan<byte> bytes = reader.ReadBytes(dim * 4);
        if (bytes.Length < dim * 4) throw VectorFileFaults.EndsEarly(entry - 1, words);
        ReadOnlySpan<float> values = MemoryMarshal.Cast<byte, float>(bytes);
        foreach (float value in values)
            if (!float.IsFinite(value)) throw VectorFileFaults.NotFinite(entry);
        Span<float> vector = sink.Begin(word, dim);
        if (!vector.IsEmpty) values.CopyTo(vector);
    }

    /// <summary>Collects the kept words.</summary>
    sealed class Sink(Func<string, int, bool>? keep)
    {
        readonly List<string> words = [];
        readonly HashSet<string> seen = new(StringComparer.Ordinal);
        float[] vectors = [];
        long repeated;

        public long Entries { get; private set; }

        /// <returns>Where the values go; empty when the word is not kept.</returns>
        public Span<float> Begin(string word, int dim)
        {
            Entries++;
            if (keep is not null && !keep(word, words.Count)) return [];
            if (!seen.Add(word))
            {
                repeated++;
                return [];
            }
            if ((words.Count + 1L) * dim > SentenceEncoder.MaxNumbers) throw TextFaults.TooLarge(words.Count + 1L, dim);
            int at = words.Count * dim;
            if (vectors.Length < at + dim) Array.Resize(ref vectors, checked((int)Math.Min(Array.MaxLength, Math.Max(1024L * dim, vectors.Length * 2L))));
            words.Add(word);
            return vectors.AsSpan(at, dim);
        }

        public WordVectors Result(int dim)
        {
            Array.Resize(ref vectors, words.Count * dim);
            return new WordVectors(words, dim, vectors, Entries, repeated);
        }
    }
}
