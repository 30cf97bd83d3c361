using System.Text;
using Scion.Faults;

namespace Scion.Datasets;

/// <summary>A table of labels beside pictures: <c>labels.csv</c> with columns <c>file</c>, <c>label</c> and, where wanted, <c>split</c>.</summary>
/// <remarks>A file is named by its path from the table's folder on, or by its own name alone, with or without its ending, where only one picture has
/// it. The table speaks for every picture at and below its folder: what it does not name is unlabelled, whatever its folder is called.</remarks>
sealed class PictureLabels
{
    /// <summary>Most bytes of a table.</summary>
    public const int MaxBytes = 32 << 20;

    static readonly string[] FileNames = ["file", "filename", "path", "filepath", "image", "picture", "photo", "imagename", "imagepath", "name", "id", "imageid"];

    readonly Dictionary<string, FolderLabel> byPicture = new(StringComparer.Ordinal);

    /// <summary>Refused lines: line, fault.</summary>
    public List<(long Line, RowFault Fault)> Refused { get; } = [];

    /// <summary>What the table says of a picture; unlabelled when it does not name it.</summary>
    /// <param name="name">Path from the table's folder on.</param>
    public FolderLabel Of(string name) => byPicture.GetValueOrDefault(name);

    /// <summary>True when the table names the picture.</summary>
    public bool Names(string name) => byPicture.ContainsKey(name);

    /// <param name="bytes">The table, whole.</param>
    /// <param name="pictures">Paths from the table's folder on.</param>
    /// <param name="answersFor">True for a line that names no picture when it is to be refused here.</param>
    /// <param name="bareNames">True when <paramref name="pictures"/> are all that the table speaks for, so that a name alone tells one of them.</param>
    /// <exception cref="InputRejectedException">It cannot be read (D002, D003, D006), or it has no such columns (D017).</exception>
    public static PictureLabels Read(ReadOnlyMemory<byte> bytes, IReadOnlyCollection<string> pictures, Func<string, bool> answersFor, bool bareNames)
    {
        if (bytes.IsEmpty) throw DatasetFaults.EmptyLabels();
        string text = Decode(bytes.Span);
        byte[] utf8 = Encoding.UTF8.GetBytes(text);
        byte delimiter = DelimiterOf(text);
        PictureLabels labels = new();
        Dictionary<string, string?> known = new(StringComparer.Ordinal);
        foreach (string picture in pictures) known[picture] = picture;
        if (bareNames)
            foreach (string picture in pictures)
            {
                string bare = Path.GetFileName(picture);
                foreach (string name in new[] { bare, Path.GetFileNameWithoutExtension(bare) }.Distinct(StringComparer.Ordinal))
                    if (!pictures.Contains(name)) known[name] = known.TryGetValue(name, out string? other) && other != picture ? null : picture;
            }
        CsvTokenizer tokens = new(delimiter);
        ReadOnlySpan<byte> window = utf8;
        byte[] scratch = [];
        int file = -1, label = -1, split = -1, columns = 0;
        long line = 1;
        bool header = true;
        while (tokens.Next(window, ended: true) is var read && read != CsvRead.End)
        {
            if (read == CsvRead.BrokenQuote) labels.Refused.Add((line, DatasetFaults.BrokenQuote(line + tokens.QuoteLine)));
            else if (read == CsvRead.TooLong) labels.Refused.Add((line, DatasetFaults.RowTooLong()));
            else if (read == CsvRead.Row)
            {
                string[] row = new string[Math.Min(tokens.FieldCount, CsvTokenizer.MaxColumns)];
                for (int i = 0; i < row.Length; i++) row[i] = TextForm.Normalise(Encoding.UTF8.GetString(tokens.Field(window, i, ref scratch)));
                if (header)
                {
                    file = Find(row, FileNames, -1);
                    label = Find(row, ColumnNames.Label, file);
                    split = Find(row, ColumnNames.Split, -1);
                    columns = row.Length;
                    if (file < 0 || label < 0) throw DatasetFaults.NotLabels(row);
                    header = false;
                }
                else if (row.Length > Math.Max(file, label)) labels.Take(row, line, known, answersFor, (file, label, split));
                else labels.Refused.Add((line, DatasetFaults.Ragged(row.Length, columns, ((char)delimiter).ToString())));
            }
            line += tokens.Lines;
            window = window[tokens.Consumed..];
            if (tokens.Consumed == 0) break;
        }
        return header ? throw DatasetFaults.EmptyLabels() : labels;
    }

    void Take(string[] row, long line, Dictionary<string, string?> known, Func<string, bool> answersFor, (int File, int Label, int Split) at)
    {
        string name = row[at.File].Replace('\\', '/');
        while (name.StartsWith("./", StringComparison.Ordinal)) name = name[2..];
        if (!known.TryGetValue(name, out string? picture))
        {
            if (answersFor(name)) Refused.Add((line, DatasetFaults.NoSuchPicture(name)));
            return;
        }
        if (picture is null)
        {
            Refused.Add((line, DatasetFaults.SeveralPictures(name)));
            return;
        }
        string label = row[at.Label], splitName = at.Split >= 0 && at.Split < row.Length ? row[at.Split] : "";
        GivenSplit split = GivenSplit.None;
        if (splitName.Length > 0 && !FolderLabel.TryParse(splitName, out split)) Refused.Add((line, DatasetFaults.UnknownSplit(splitName)));
        else if (label.Length > ReviewLimits.LabelLength) Refused.Add((line, DatasetFaults.LabelTooLong(label.Length)));
        else if (!byPicture.TryAdd(picture, new FolderLabel(label.Length == 0 ? null : label, split)) && byPicture[picture].Label != (label.Length == 0 ? null : label))
            Refused.Add((line, DatasetFaults.LabelledTwice(name, byPicture[picture].Label)));
    }

    static int Find(string[] header, IReadOnlyList<string> usual, int taken)
    {
        foreach (string name in usual)
            if (Array.FindIndex(header, column => ColumnNames.Same(column, name)) is >= 0 and var found && found != taken) return found;
        return -1;
    }

    /// <summary>The most frequent of the usual delimiters in the first line.</summary>
    static byte DelimiterOf(string text)
    {
        int end = text.IndexOfAny(['\n', '\r']);
        string first = end < 0 ? text : text[..end];
        return (byte)",;\t|".MaxBy(delimiter => first.Count(c => c == delimiter));
    }

    static string Decode(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return bytes is [0xFF, 0xFE, ..] ? Encoding.Unicode.GetString(bytes[2..])
                : new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes.StartsWith("\uFEFF"u8) ? bytes[3..] : bytes);
        }
        catch (DecoderFallbackException)
        {
            return CodePagesEncodingProvider.Instance.GetEncoding(1252)!.GetString(bytes);
        }
    }
}
