using System.Text;
using CsCheck;
using Scion.Datasets;

namespace Scion.Tests.Datasets;

/// <summary>The byte tokenizer beside the plain reader, and the whole of ingestion under arbitrary bytes and arbitrary pieces.</summary>
public sealed class CsvTokenizerTests
{
    static readonly Gen<string> Field = Gen.Int[0, 13].Select(i => ",;\t|\"\r\n aé€😀x0"[i]).Array[0, 10].Select(chars => new string(chars));

    [Fact]
    public void Rows_OfArbitraryFieldsWrittenAsRfc4180_AreReadBack() =>
        Gen.Select(Field.Array[2, 4].Array[1, 6], Any.Of("\n", "\r\n", "\r"), Any.Of(',', ';', '\t', '|')).Sample((rows, end, delimiter) =>
        {
            string text = string.Concat(rows.Select(row => string.Join(delimiter, row.Select(field => Quoted(field, delimiter))) + end));

            List<string[]> read = Read(Encoding.UTF8.GetBytes(text), delimiter, out _);

            Assert.Equal(rows.Select(row => row.Select(Mended)), read);
            Assert.Equal(PlainCsv.Read(text, delimiter).Select(row => row.Select(Mended)), read);
        }, iter: 5000);

    [Fact]
    public void Rows_OfArbitraryCharacters_AreReadAsThePlainReaderDoesOrABrokenQuoteIsReported() =>
        Gen.Int[0, 6].Select(i => ",,\"\n\rab"[i]).Array[0, 30].Select(chars => new string(chars)).Sample(text =>
        {
            List<string[]> read = Read(Encoding.UTF8.GetBytes(text), ',', out bool broken);
            if (broken || HasUnusualQuotes(text)) return;

            Assert.Equal(PlainCsv.Read(text, ','), read);
        }, iter: 20_000);

    [Fact]
    public void Window_CutAnywhere_GivesTheSameRows() => Gen.Select(
        Gen.Int[0, 7].Select(i => ",,\"\n\rab;"[i]).Array[0, 60].Select(chars => new string(chars)), Gen.Int[0, 60], Gen.Int[0, 60]).Sample((text, one, other) =>
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        List<string> whole = Trace(bytes, [bytes.Length]), parted = Trace(bytes, [Math.Min(one, other), Math.Max(one, other), bytes.Length]);

        Assert.Equal(whole, parted);
    }, iter: 20_000);

    [Fact]
    public void File_OfArbitraryBytes_EndsWithAnAnswerWhateverItsPieces()
    {
        Gen<byte[]> structured = Gen.Int[0, 15].Select(i => "text,label\n\"\r;\t\0{}"u8[i]).Array[0, 200];
        Gen<byte[]> content = Gen.OneOf(Gen.Byte.Array[0, 200], structured, structured.Select(bytes => (byte[])[.. "text,label\n"u8, .. bytes]),
            Gen.Select(Gen.Byte.Array[0, 100], structured, (a, b) => (byte[])[.. "text,label\na b c,x\n"u8, .. a, .. b]));
        Gen.Select(content, Any.Of("a.csv", "a.tsv", "a.jsonl", "a.txt", "a.zip", "a.csv.gz"), Gen.Int[0, 1_000_000], Any.Of<string?>(null, "utf-8", "utf-16le", "utf-16be", "windows-1252"))
            .Sample((bytes, name, seed, encoding) =>
            {
                Uploads whole = new() { Settings = new() { Encoding = encoding } }, pieces = new() { Settings = new() { Encoding = encoding } };

                IngestedFile one = whole.AddAsync(name, bytes).GetAwaiter().GetResult();
                IngestedFile other = pieces.AddAsync(name, bytes, new ChunkedBlobStore(pieces.Store, seed)).GetAwaiter().GetResult();

                Assert.True(one.Rows + one.Refused > 0);
                Assert.Equal(System.Text.Json.JsonSerializer.Serialize(one, ScionJson.Strict), System.Text.Json.JsonSerializer.Serialize(other, ScionJson.Strict));
                Assert.Equal(one.Rows, whole.RowsAsync(one).GetAwaiter().GetResult().Count(row => row.Text.Length > 0 && row.Text == row.Text.Trim() && row.Text.IsNormalized()));
                Assert.Equal(one.Refused, whole.RejectsAsync(one).GetAwaiter().GetResult().Length);
            }, iter: 4000);
    }

    [Fact]
    public void File_OfManyRowsInPieces_IsReadTheSame() => Gen.Int[0, 1000].Sample(seed =>
    {
        Random random = new(seed);
        StringBuilder text = new("text,label\r\n");
        for (int i = 0; i < 4000; i++) text.Append(random.Next(3) == 0 ? "\"quoted,\r\n – \"\"line\"\"\"" : new string('w', random.Next(400))).Append(random.Next(50) == 0 ? "\r" : ",x\r\n");
        byte[] bytes = random.Next(2) == 0 ? Encoding.UTF8.GetBytes(text.ToString()) : Encoding.BigEndianUnicode.GetBytes(text.ToString());
        Uploads whole = new(), pieces = new();

        IngestedFile one = whole.AddAsync("a.csv", bytes).GetAwaiter().GetResult();
        IngestedFile other = pieces.AddAsync("a.csv", bytes, new ChunkedBlobStore(pieces.Store, seed)).GetAwaiter().GetResult();

        Assert.Equal(System.Text.Json.JsonSerializer.Serialize(one, ScionJson.Strict), System.Text.Json.JsonSerializer.Serialize(other, ScionJson.Strict));
    }, iter: 8, threads: 1);

    /// <summary>The plain reader knows no text after a closing quote; and what is broken it does not report.</summary>
    static bool HasUnusualQuotes(string text) => System.Text.RegularExpressions.Regex.IsMatch(text, "(^|[,\r\n])\"(?:[^\"]|\"\")*(\"[^,\r\n]|$)");

    static string Quoted(string field, char delimiter) => field.AsSpan().IndexOfAny([delimiter, '"', '\r', '\n']) >= 0 || field.Length == 0
        ? $"\"{field.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : field;

    /// <summary>Half of a surrogate pair cannot be written as UTF-8.</summary>
    static string Mended(string field) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(field));

    static List<string[]> Read(byte[] bytes, char delimiter, out bool broken)
    {
        CsvTokenizer tokens = new((byte)delimiter);
        List<string[]> rows = [];
        byte[] scratch = [];
        broken = false;
        ReadOnlySpan<byte> window = bytes;
        while (tokens.Next(window, ended: true) is var read && read != CsvRead.End)
        {
            broken |= read == CsvRead.BrokenQuote;
            if (read == CsvRead.Row)
            {
                string[] row = new string[tokens.FieldCount];
                for (int i = 0; i < row.Length; i++) row[i] = Encoding.UTF8.GetString(tokens.Field(window, i, ref scratch));
                rows.Add(row);
            }
            window = window[tokens.Consumed..];
        }
        return rows;
    }

    /// <summary>Every answer, when the window grows to each of these ends in turn.</summary>
    static List<string> Trace(byte[] bytes, int[] ends)
    {
        CsvTokenizer tokens = new((byte)',');
        List<string> trace = [];
        byte[] scratch = [];
        int at = 0, end = 0;
        while (true)
        {
            ReadOnlySpan<byte> window = bytes.AsSpan(at, Math.Max(0, Math.Min(ends[end], bytes.Length) - at));
            CsvRead read = tokens.Next(window, end == ends.Length - 1);
            if (read == CsvRead.End) return trace;
            if (read == CsvRead.More)
            {
                end++;
                continue;
            }
            string fields = "";
            for (int i = 0; read == CsvRead.Row && i < tokens.FieldCount; i++) fields += $"[{Encoding.UTF8.GetString(tokens.Field(window, i, ref scratch))}]";
            if (read != CsvRead.Skipped) trace.Add($"{read} {fields} {tokens.QuoteLine}");
            at += tokens.Consumed;
        }
    }
}
