using System.Text;
using CsCheck;
using Scion.Datasets;

namespace Scion.Tests.Datasets;

/// <summary>Encodings: detected and reported, or a refusal with the byte's place; never letters that were not written.</summary>
public sealed class IngestEncodingsTests
{
    const string Content = "text,label\n\"café – très “bon” €\",positif\nmauvais, \n\"Ein Überfluß 😀\",négatif\n";

    readonly Uploads uploads = new();

    public static TheoryData<string, byte[]> Encoded => new()
    {
        { "utf-8", Encoding.UTF8.GetBytes(Content) },
        { "utf-8", [0xEF, 0xBB, 0xBF, .. Encoding.UTF8.GetBytes(Content)] },
        { "utf-16le", [0xFF, 0xFE, .. Encoding.Unicode.GetBytes(Content)] },
        { "utf-16be", [0xFE, 0xFF, .. Encoding.BigEndianUnicode.GetBytes(Content)] },
        { "utf-16le", Encoding.Unicode.GetBytes(Content) },
        { "utf-16be", Encoding.BigEndianUnicode.GetBytes(Content) },
    };

    [Theory]
    [MemberData(nameof(Encoded))]
    public async Task Csv_InAnyUnicode_ReadsTheSame(string encoding, byte[] bytes)
    {
        IngestedFile file = await uploads.AddAsync("a.csv", bytes);

        Assert.Equal([new("café – très “bon” €", "positif", GivenSplit.None, 0, 2), new("mauvais", null, GivenSplit.None, 0, 3),
            new("Ein Überfluß 😀", "négatif", GivenSplit.None, 0, 4)], await uploads.RowsAsync(file));
        Assert.Equal(encoding, file.Parts[0].Encoding);
        Assert.Empty(file.Warnings);
    }

    [Fact]
    public async Task Csv_Windows1252_IsReadAndSaidToBeGuessed()
    {
        byte[] bytes = [.. "text,label\ncaf"u8, 0xE9, (byte)' ', 0x96, (byte)' ', 0x93, .. "bon"u8, 0x94, (byte)' ', 0x80, .. ",x\n"u8];

        IngestedFile file = await uploads.AddAsync("a.csv", bytes);

        Assert.Equal("café – “bon” €", Assert.Single(await uploads.RowsAsync(file)).Text);
        Assert.Equal("windows-1252", file.Parts[0].Encoding);
        Assert.Equal(["D201: films/a.csv is not UTF-8 and was read as Windows-1252; set \"encoding\" if its letters look wrong."], file.Warnings);
    }

    [Fact]
    public async Task Csv_ByteThatWindows1252DoesNotDefine_IsRefusedWithItsOffset()
    {
        byte[] bytes = [.. "text,label\ncaf"u8, 0xE9, .. ",x\nab"u8, 0x81, .. "c,y\n"u8];

        IngestedFile file = await uploads.AddAsync("a.csv", bytes);

        Assert.Equal(["films/a.csv,3,D101,\"The byte at offset 20 is not windows-1252. Save the file as UTF-8, or set \"\"encoding\"\".\""], await uploads.RejectsAsync(file));
        Assert.Equal(1, file.Rows);
    }

    [Fact]
    public async Task Csv_MixedEncodings_RefusesTheOddRowsAndKeepsTheOthers()
    {
        byte[] latin = [.. "caf"u8, 0xE9, .. ",x\n"u8], utf8 = [.. "thé"u8, .. ",y\n"u8];

        IngestedFile mostlyUtf8 = await uploads.AddAsync("a.csv", [.. "text,label\n"u8, .. utf8, .. latin, .. utf8]);
        IngestedFile mostlyLatin = await uploads.AddAsync("b.csv", [.. "text,label\n"u8, .. latin, .. Enumerable.Repeat((byte)'a', 1 << 18), .. ",y\n"u8, .. utf8, .. latin]);

        Assert.Equal(["films/a.csv,3,D101,\"The byte at offset 21 is not utf-8. Save the file as UTF-8, or set \"\"encoding\"\".\""], await uploads.RejectsAsync(mostlyUtf8));
        Assert.Equal(["thé", "thé"], (await uploads.RowsAsync(mostlyUtf8)).Select(row => row.Text));
        Assert.Equal(["D116@4"], await uploads.CodesAsync(mostlyLatin));
        Assert.Equal(3, mostlyLatin.Rows);
    }

    [Fact]
    public async Task Csv_FirstSpecialLetterFarFromTheStart_StillDecidesTheEncoding()
    {
        byte[] ascii = Encoding.ASCII.GetBytes("text,label\n" + string.Concat(Enumerable.Repeat("plain words,x\n", 40_000)));

        IngestedFile latin = await uploads.AddAsync("a.csv", [.. ascii, .. "caf"u8, 0xE9, .. ",y\n"u8]), utf8 = await uploads.AddAsync("b.csv", [.. ascii, .. "café,y\n"u8]);

        Assert.Equal(("windows-1252", "café"), (latin.Parts[0].Encoding, (await uploads.RowsAsync(latin))[^1].Text));
        Assert.Equal(("utf-8", "café"), (utf8.Parts[0].Encoding, (await uploads.RowsAsync(utf8))[^1].Text));
    }

    [Fact]
    public async Task Csv_LoneSurrogateAndOddByteInUtf16_AreRefusedWithTheirOffsets()
    {
        byte[] bytes = [0xFF, 0xFE, .. Encoding.Unicode.GetBytes("text,label\né"), 0x00, 0xD8, .. Encoding.Unicode.GetBytes("b,x\ngood,y\nlast,z"), 0x41];

        IngestedFile file = await uploads.AddAsync("a.csv", bytes);

        Assert.Equal(["films/a.csv,2,D101,\"The byte at offset 26 is not utf-16le. Save the file as UTF-8, or set \"\"encoding\"\".\"",
            "films/a.csv,4,D101,\"The byte at offset 62 is not utf-16le. Save the file as UTF-8, or set \"\"encoding\"\".\""], await uploads.RejectsAsync(file));
        Assert.Equal("good", Assert.Single(await uploads.RowsAsync(file)).Text);
        Assert.Equal(0x41, bytes[62]);
    }

    [Theory]
    [InlineData(new byte[] { 0xFF, 0xFE, 0, 0, 0x74, 0, 0, 0 }, null, "It begins with the mark of UTF-32.")]
    [InlineData(new byte[] { 0xFF, 0xFE, 0x74, 0 }, "utf-8", "It begins with the mark of utf-16le, and the settings say utf-8.")]
    public async Task Csv_MarkThatIsNotReadOrContradictsTheSettings_IsRefused(byte[] bytes, string? set, string fact)
    {
        Uploads configured = new() { Settings = new() { Encoding = set } };

        IngestedFile file = await configured.AddAsync("a.csv", bytes);

        Assert.Contains($"D006,\"{fact} Save it as UTF-8", Assert.Single(await configured.RejectsAsync(file)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Csv_EncodingSet_IsUsed()
    {
        Uploads configured = new() { Settings = new() { Encoding = "windows-1252" } };

        IngestedFile file = await configured.AddAsync("a.csv", "text,label\ncafé,x\n");

        Assert.Equal("cafÃ©", Assert.Single(await configured.RowsAsync(file)).Text);       // as set: what the setting says is not doubted
    }

    [Fact]
    public async Task Csv_ChineseUtf16WithoutMark_IsTold()
    {
        string content = "text,label\n" + string.Concat(Enumerable.Repeat("这部电影非常好看我很喜欢推荐给大家,好\n这部电影不好看,坏\n", 50));

        IngestedFile file = await uploads.AddAsync("a.csv", Encoding.Unicode.GetBytes(content));

        Assert.Equal(("utf-16le", 100), (file.Parts[0].Encoding, file.Rows));
    }

    [Fact]
    public void IsNfc_AnyText_AgreesWithTheFramework() => Gen.OneOf(
        Gen.Char['\0', '\u06FF'], Gen.Char['\u1E00', '\u30FF'], Gen.Char['\uAC00', '\uAC40'], Gen.Char['\uF900', '\uFB50'], Gen.Const('\u0301'))
        .Array[0, 12].Select(chars => new string(chars)).Sample(text => Assert.Equal(text.IsNormalized(NormalizationForm.FormC), TextForm.IsNfc(text)), iter: 20_000);

    [Fact]
    public void Normalise_AnyText_IsTrimmedAndComposedAsTheFrameworkDoes() =>
        Gen.OneOf(Gen.Char['\0', '\u017F'], Gen.Char['\u0300', '\u0310'], Gen.Char['\u2000', '\u20CF'], Gen.Char['\u1100', '\u11FF'], Any.Of('a', ' ', '\t', '\u00A0', '\uFEFF', '\u200B'))
            .Array[0, 10].Select(chars => new string(chars)).Sample(text =>
            {
                char[] trimmed = [.. Enumerable.Range(0, 0x3001).Select(c => (char)c).Where(char.IsWhiteSpace), '\uFEFF', '\u200B', '\u2060'];

                string normalised = Encoding.UTF8.GetString(new TextForm().Normalise(Encoding.UTF8.GetBytes(text)));

                Assert.Equal(text.Trim(trimmed).Normalize(NormalizationForm.FormC).Trim(trimmed), normalised);
            }, iter: 20_000);
}
