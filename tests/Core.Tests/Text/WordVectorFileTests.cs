using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using CsCheck;
using Scion.Faults;
using Scion.Text;

namespace Scion.Tests.Text;

public sealed class WordVectorFileTests
{
    static WordVectors Read(byte[] bytes, Func<string, int, bool>? keep = null) => WordVectorFile.Read(new MemoryStream(bytes), keep, default);

    static WordVectors Read(string text) => Read(Encoding.UTF8.GetBytes(text));

    static byte[] Binary(string header, params (string Word, float[] Values)[] entries)
    {
        using MemoryStream file = new();
        file.Write(Encoding.UTF8.GetBytes(header));
        foreach ((string word, float[] values) in entries)
        {
            file.Write(Encoding.UTF8.GetBytes(word + " "));
            file.Write(MemoryMarshal.AsBytes<float>(values));
            if (header.StartsWith('L')) file.WriteByte((byte)'\n');
        }
        return file.ToArray();
    }

    static Gen<T> OneOf<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);

    static readonly Gen<float> AnyFloat = Gen.Int.Select(BitConverter.Int32BitsToSingle).Where(float.IsFinite);

    [Fact]
    public void Write_AnyVectorsInAnyFormat_AreReadTheSame() =>
        Gen.Select(OneOf(WordVectorFormat.Word2VecText, WordVectorFormat.Word2VecBinary, WordVectorFormat.Glove), Gen.Int[2, 40], Gen.Int[1, 20])
            .SelectMany((format, dim, words) => Gen.Select(Gen.Const(format), Gen.Const(dim), Gen.String[Gen.Char["abcdéß好'"], 1, 8].HashSet[words], AnyFloat.Array[dim * words]))
            .Sample((format, dim, words, vectors) =>
            {
                using MemoryStream file = new();

                WordVectorFile.Write(file, [.. words], vectors, dim, format);

                WordVectors read = Read(file.ToArray());
                Assert.Equal([.. words], read.Words);
                Assert.Equal(dim, read.Dim);
                Assert.Equal(vectors, read.Vectors);
                Assert.Equal(words.Count, read.Read);
            });

    [Theory]
    [InlineData("2 3\nking 0.5 -1 2e-3\nqueen 1 2 3\n")]                 // word2vec.c and gensim
    [InlineData("2 3\nking 0.5 -1 2e-3 \nqueen 1 2 3 \n")]               // word2vec.c leaves a space at the end
    [InlineData("2 3\r\nking 0.5 -1 2e-3\r\nqueen 1 2 3")]               // Windows, no last line end
    [InlineData("\uFEFF2 3\nking 0.5 -1 2e-3\nqueen 1 2 3\n")]
    [InlineData("king 0.5 -1 2e-3\nqueen 1 2 3\n")]                      // GloVe
    [InlineData("king 0.5 -1 2e-3\n\nqueen 1 2 3\n\n")]
    public void Read_TextAsToolsWriteIt_IsRead(string text)
    {
        WordVectors vectors = Read(text);

        Assert.Equal(["king", "queen"], vectors.Words);
        Assert.Equal([0.5f, -1, 2e-3f, 1, 2, 3], vectors.Vectors);
    }

    [Fact]
    public void Read_BinaryAsToolsWriteIt_IsRead()
    {
        (string, float[])[] entries = [("king", [0.5f, -1, 2e-3f]), ("naïve", [1, 2, 3])];
        byte[] gensim = Binary("2 3\n", entries);
        byte[] word2vec = [.. Binary("2 3\n", entries[0]), (byte)'\n', .. Binary("", entries[1]), (byte)'\n'];

        foreach (byte[] file in new[] { gensim, word2vec })
        {
            WordVectors vectors = Read(file);

            Assert.Equal(["king", "naïve"], vectors.Words);
            Assert.Equal([0.5f, -1, 2e-3f, 1, 2, 3], vectors.Vectors);
        }
    }

    [Fact]
    public void Read_WordsWithSpacesAndTwice_AreKeptAndCounted()
    {
        WordVectors vectors = Read("the 1 2\n. . . 3 4\nat name@domain.com 5 6\nthe 7 8\n");

        Assert.Equal(["the", ". . .", "at name@domain.com"], vectors.Words);
        Assert.Equal([1, 2, 3, 4, 5, 6], vectors.Vectors);
        Assert.Equal((4, 1), (vectors.Read, vectors.Repeated));
    }

    [Theory]
    [InlineData("", "T006")]
    [InlineData("hello\n", "T006")]
    [InlineData("0 3\n", "T006")]
    [InlineData("2 0\na\nb\n", "T006")]
    [InlineData("2 99999\na 1\n", "T006")]
    [InlineData("3 2\na 1 2\nb 1 2\n", "T008")]
    [InlineData("1 2\na 1 2\nb 1 2\n", "T007")]
    [InlineData("2 2\na 1 2\nb 1\n", "T007")]
    [InlineData("2 2\na 1 2\nb 1 x\n", "T007")]
    [InlineData("a 1 2\nb 1 2 3\n", "T007")]
    [InlineData("2 2\na 1 2\nb 1 NaN\n", "T009")]
    [InlineData("2 2\na 1 2\nb 1 1e39\n", "T009")]
    public void Read_WrongText_IsRefusedWithItsCode(string text, string code) => Assert.Equal(code, Assert.Throws<InputRejectedException>(() => Read(text)).Code);

    [Fact]
    public void Read_BinaryThatIsCutOffOrNotFinite_IsRefusedWithItsCode()
    {
        byte[] whole = Binary("2 3\n", ("king", [0.5f, -1, 2]), ("queen", [1, 2, 3]));

        for (int cut = 5; cut < whole.Length; cut++)
            Assert.Equal("T008", Assert.Throws<InputRejectedException>(() => Read(whole[..cut])).Code);
        InputRejectedException fault = Assert.Throws<InputRejectedException>(() => Read(Binary("2 3\n", ("king", [0.5f, -1, 2]), ("queen", [1, float.PositiveInfinity, 3]))));
        Assert.Equal("T009: Entry 2 of the word vector file holds a value that is not finite. Export it again as word2vec text, word2vec binary or GloVe.", fault.Message);
    }

    [Fact]
    public void Read_HugeClaims_AllocatesByTheFileNotByTheClaim()
    {
        byte[] binary = Binary("999999999999 1024\n", ("king", new float[1024])), text = Encoding.UTF8.GetBytes("2000000000 300\nking" + string.Concat(Enumerable.Repeat(" 1", 300)) + "\n");
        foreach (byte[] file in new[] { binary, text })
        {
            long before = GC.GetAllocatedBytesForCurrentThread();

            InputRejectedException fault = Assert.Throws<InputRejectedException>(() => Read(file));

            Assert.Equal("T008", fault.Code);
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 16 << 20);
        }
    }

    [Fact]
    public void Read_ALineWithoutEnd_IsRefusedInBoundedMemory()
    {
        byte[] file = [.. Encoding.UTF8.GetBytes("word 1 2\n"), .. Enumerable.Repeat((byte)'x', 4 << 20)];
        long before = GC.GetAllocatedBytesForCurrentThread();

        InputRejectedException fault = Assert.Throws<InputRejectedException>(() => Read(file));

        Assert.Equal("T007: The word vector file is wrong: a line is longer than 34816 bytes. Export it again as word2vec text, word2vec binary or GloVe.", fault.Message);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Fact]
    public void Read_AnyBytes_IsRefusedOrRead() => Gen.Byte.Array[0, 300].Sample(bytes =>
    {
        foreach (byte[] file in new[] { bytes, [.. "3 2\n"u8, .. bytes], [.. "a 1 2\n"u8, .. bytes] })
        {
            try
            {
                WordVectors vectors = Read(file);
                Assert.Equal(vectors.Words.Count * vectors.Dim, vectors.Vectors.Length);
            }
            catch (InputRejectedException e)
            {
                Assert.StartsWith("T00", e.Code, StringComparison.Ordinal);
            }
        }
    });

    [Theory]
    [InlineData("two words")]
    [InlineData("two\nlines")]
    [InlineData("")]
    public void Write_WordThatNoFormatCanSay_IsRefusedAndWritesNothing(string word)
    {
        using MemoryStream file = new();

        InputRejectedException fault = Assert.Throws<InputRejectedException>(() => WordVectorFile.Write(file, ["good", word], [1, 2], 1, WordVectorFormat.Glove));

        Assert.Equal("T014", fault.Code);
        Assert.Equal(0, file.Length);
    }

    [Fact]
    public void Write_OtherCulture_ChangesNothing()
    {
        CultureInfo before = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo("de-DE");
            using MemoryStream file = new();

            WordVectorFile.Write(file, ["a"], [1.5f, -1000f], 2, WordVectorFormat.Word2VecText);

            Assert.Equal("1 2\na 1.5 -1000\n", Encoding.UTF8.GetString(file.ToArray()));
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [Fact]
    public async Task Import_AFile_IsKeptByDigestAndReadForTheReviews()
    {
        InMemoryBlobStore store = new();
        byte[] file = Encoding.UTF8.GetBytes("4 2\nthe 1 0\nfilm 0 1\nzebra 1 1\nNot A Word 2 2\n");

        EncoderCard card = await WordVectorImport.AddAsync(store, new MemoryStream(file), "vectors.txt", default);
        EncoderCard again = await WordVectorImport.AddAsync(store, new MemoryStream(file), "vectors.txt", default);
        ImportedVectors vectors = await WordVectorImport.ReadAsync(store, card.Name, new Vocabulary(["film", "unknown", "the"], [5, 4, 3]), default);

        Assert.Equal(card, again);
        Assert.Equal((4L, 2), (card.Words, card.Dim));
        Assert.Equal(card, Assert.Single(await WordVectorImport.ListAsync(store, default)));
        Assert.Equal(["film", "the", "zebra"], vectors.Vocabulary.Words);
        Assert.Equal([5, 3, 0], vectors.Vocabulary.Counts);
        Assert.Equal([0, 1, 1, 0, 1, 1], vectors.Vectors);
    }

    [Fact]
    public async Task Import_NothingOfTheReviews_IsRefused()
    {
        InMemoryBlobStore store = new();
        EncoderCard card = await WordVectorImport.AddAsync(store, new MemoryStream("le 1 0\nfilme 0 1\n"u8.ToArray()), "v", default);

        InputRejectedException none = await Assert.ThrowsAsync<InputRejectedException>(() => WordVectorImport.ReadAsync(store, card.Name, new Vocabulary(["the"], [1]), default));
        InputRejectedException absent = await Assert.ThrowsAsync<InputRejectedException>(() => WordVectorImport.ReadAsync(store, "encoders/../x", new Vocabulary(["the"], [1]), default));

        Assert.Equal(("T010", "T011"), (none.Code, absent.Code));
    }
}
