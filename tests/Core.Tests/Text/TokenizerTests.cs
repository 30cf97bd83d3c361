using System.Diagnostics;
using System.Globalization;
using CsCheck;
using Scion.Text;

namespace Scion.Tests.Text;

public sealed class TokenizerTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("Hello, World", "hello|world")]
    [InlineData("Don't stop, it’s Rock 'n' roll", "don't|stop|it's|rock|n|roll")]
    [InlineData("the '90s and dogs' tails", "the|90s|and|dogs|tails")]
    [InlineData("a well-known state–of—the art", "a|well|known|state|of|the|art")]
    [InlineData("Great!! Really?", "great|!|!|really|?")]
    [InlineData("one<br /><br />two</p>three", "one|two|three")]
    [InlineData("i <3 this, 2 < 3 > 1", "i|3|this|2|3|1")]
    [InlineData("9.5/10 in 1080p", "9|5|10|in|1080p")]
    [InlineData("👩‍👩‍👧 ok 👍🏽 ❤️", "👩‍👩‍👧|ok|👍🏽|❤️")]
    [InlineData("好きな映画。とても", "好|き|な|映|画|と|て|も")]
    [InlineData("재미있는 영화", "재미있는|영화")]
    [InlineData("فيلم رائع!", "فيلم|رائع|!")]
    [InlineData("סרט נפלא", "סרט|נפלא")]
    [InlineData("Äpfel naïve", "äpfel|naïve")]
    [InlineData("cafe\u0301 café", "café|café")]
    [InlineData("\u0301lead", "lead")]
    [InlineData("ＦＵＬＬ", "ｆｕｌｌ")]
    [InlineData("a\u0000b\tc\u200Bd", "a|b|c|d")]
    public void Words_Golden_AreCutSo(string text, string words) => Assert.Equal(words.Split('|', StringSplitOptions.RemoveEmptyEntries), Tokenizer.Words(text));

    [Fact]
    public void Words_LoneSurrogates_PartWords()
    {
        List<string> words = Tokenizer.Words("good\uD83Dfilm \uDE00 end\uD800");

        Assert.Equal(["good", "film", "end"], words);
    }

    [Fact]
    public void Words_LongWord_KeepsItsFirstPartOnce()
    {
        List<string> words = Tokenizer.Words(new string('x', 1000) + " " + string.Concat(Enumerable.Repeat("𝒳", 100)) + " end");

        Assert.Equal([new string('x', Tokenizer.MaxWord), string.Concat(Enumerable.Repeat("𝒳", Tokenizer.MaxWord / 2)), "end"], words);
    }

    static Gen<T> OneOf<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);

    static readonly Gen<string> AnyText = Gen.OneOf(
        Gen.Char.Select(c => c.ToString()),
        OneOf("don't", " ", "'", "’", "<b>", "</b", "é", "e\u0301", "\u0301", "👩‍👧", "\uD83D", "\u200D", "好", "ß", "İ", "ı", "Σ", "ﬁ", "\uFE0F", "🏽", "!", "-", "0"))
        .Array[0, 30].Select(string.Concat);

    [Fact]
    public void Words_AnyText_AreWordsAgain() => AnyText.Sample(text =>
    {
        List<string> words = Tokenizer.Words(text);

        Assert.Equal(words, Tokenizer.Words(string.Join(' ', words)));
        Assert.All(words, word => Assert.InRange(word.Length, 1, Tokenizer.MaxWord));
        Assert.DoesNotContain(words, word => word.Any(char.IsWhiteSpace));
    }, iter: 2000);

    [Fact]
    public void Words_AnyText_AreEqualInEveryNormalForm() =>
        OneOf("é", "ö", "Å", "ñ", "ệ", "가", "ガ", "a", "b", " ", "!", "ά").Array[0, 30].Select(string.Concat).Sample(text =>
            Assert.Equal(Tokenizer.Words(text.Normalize(System.Text.NormalizationForm.FormC)), Tokenizer.Words(text.Normalize(System.Text.NormalizationForm.FormD))));

    [Fact]
    public void Words_TurkishCulture_ChangesNothing()
    {
        const string Text = "TITLE Iğdır İstanbul QUIZ";
        CultureInfo before = CultureInfo.CurrentCulture;
        List<string> expected = Tokenizer.Words(Text);
        try
        {
            CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo("tr-TR");

            Assert.Equal(expected, Tokenizer.Words(Text));
            Assert.Equal("title", expected[0]);
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    // A megabyte each. In quadratic time the marks alone would take minutes.
    [Theory]
    [InlineData("x")]
    [InlineData("<a")]
    [InlineData("好")]
    [InlineData("'a")]
    [InlineData("👍")]
    [InlineData("👩‍")]
    [InlineData("\u0301\u0316")]
    [InlineData("a\u0301\u0316")]
    [InlineData("\uD800")]
    public void Words_AMegabyteWithoutSpaces_TakesLinearTime(string part)
    {
        string text = string.Concat(Enumerable.Repeat(part, (1 << 20) / part.Length));
        Stopwatch watch = Stopwatch.StartNew();

        Tokenizer.Words(text);

        Assert.InRange(watch.Elapsed.TotalSeconds, 0, 8);
    }

    [Fact]
    public void Composed_LongRunOfMarks_KeepsThirty()
    {
        string text = Tokenizer.Composed("a" + new string('\u0316', 100) + "b");

        Assert.Equal("a" + new string('\u0316', 30) + "b", text);
        Assert.False(Tokenizer.HasLongMarkRun(text));
        Assert.True(Tokenizer.HasLongMarkRun(new string('\u0316', 31)));
    }

    [Fact]
    public void WordReader_AnyLengthOfText_AllocatesNothing()
    {
        string text = string.Join(' ', Enumerable.Repeat("It's a naïve, well-made film! 好 👍🏽", 200));
        Count(text);
        long before = GC.GetAllocatedBytesForCurrentThread();

        int words = Count(text);

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(200 * 9, words);

        static int Count(string text)
        {
            Tokenizer.WordReader reader = new(text, stackalloc char[Tokenizer.MaxWord]);
            int words = 0;
            while (reader.MoveNext()) words++;
            return words;
        }
    }
}
