using Scion.Text;

namespace Scion.Tests.Text;

/// <summary>What runs once a word or once a text allocates nothing, whatever its length.</summary>
public sealed class TextAllocationTests
{
    static readonly string Text = string.Join(' ', Enumerable.Range(0, 500).Select(i => i % 7 == 0 ? "Don't!" : $"<br />w{i % 40}"));

    static long Allocated(Action work)
    {
        work();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++) work();
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    [Fact]
    public void WordReader_OfAnAsciiText_AllocatesNothing()
    {
        int words = 0;

        long allocated = Allocated(() =>
        {
            Tokenizer.WordReader reader = new(Tokenizer.Composed(Text), stackalloc char[Tokenizer.MaxWord]);
            for (words = 0; reader.MoveNext();) words++;
        });

        Assert.Equal(0, allocated);
        Assert.Equal(Tokenizer.Words(Text).Count, words);
    }

    // Asking whether a text beyond ASCII is in normal form C costs one small object, however long it is.
    [Theory]
    [InlineData(1)]
    [InlineData(100)]
    public void WordReader_OfATextBeyondAscii_AllocatesTheSameForAnyLength(int times)
    {
        string text = string.Concat(Enumerable.Repeat("un café très agréable ", times));

        Assert.InRange(Allocated(() =>
        {
            Tokenizer.WordReader reader = new(Tokenizer.Composed(text), stackalloc char[Tokenizer.MaxWord]);
            while (reader.MoveNext())
            {
            }
        }) / 100, 0, 128);
    }

    [Fact]
    public void Encode_AnAsciiText_AllocatesNothing()
    {
        Vocabulary vocabulary = new([.. Enumerable.Range(0, 40).Select(i => $"w{i}")], [.. Enumerable.Range(0, 40).Select(i => 100L - i)]);
        float[] vectors = [.. Enumerable.Range(0, 40 * 24).Select(i => MathF.Sin(i))], features = new float[24];
        SentenceEncoder encoder = SentenceEncoderFit.Fit(vocabulary, 24, vectors, [Text, "w1 w2 w3", "w4 w5"]);

        Assert.Equal(0, Allocated(() => encoder.Encode(Text, features)));
    }
}
