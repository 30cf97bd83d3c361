using System.Diagnostics;
using Scion.Text;

namespace Scion.Tests.Text;

public sealed class DefaultVectorsTests
{
    [Fact]
    public void Table_AsItShips_IsWhatItsCardSays()
    {
        WordTable table = DefaultVectors.Table;

        Assert.Equal((DefaultVectors.Card.Words, DefaultVectors.Card.Dim), (table.Vocabulary.Count, table.Dim));
        Assert.Equal(table.Vocabulary.Count * table.Dim, table.Vectors.Length);
        Assert.Contains(NearestWords.Of(table.Vocabulary, table.Vectors, table.Dim, "terrible", 5), near => near.Word is "horrible" or "awful");
        using Stream stored = typeof(DefaultVectors).Assembly.GetManifestResourceStream("Scion.Text.Default.vectors.safetensors")!;
        Assert.InRange(stored.Length, 1_000_000, 8_000_000);
    }

    // 50 ms is asked for; the bound is wide because the machine may be busy.
    [Fact]
    public void Read_TheTableThatShips_TakesMilliseconds()
    {
        using Stream stored = typeof(DefaultVectors).Assembly.GetManifestResourceStream("Scion.Text.Default.vectors.safetensors")!;
        byte[] bytes = new byte[stored.Length];
        stored.ReadExactly(bytes);
        DefaultVectors.Read(bytes);
        TimeSpan least = TimeSpan.MaxValue;
        for (int round = 0; round < 5; round++)
        {
            long started = Stopwatch.GetTimestamp();
            DefaultVectors.Read(bytes);
            least = TimeSpan.FromTicks(Math.Min(least.Ticks, Stopwatch.GetElapsedTime(started).Ticks));
        }

        Assert.InRange(least.TotalMilliseconds, 0, 250);
    }

    [Fact]
    public void Write_AnyVectors_AreReadWithinHalfAStep()
    {
        WordTable table = new(new Vocabulary(["a", "b", "c"], [3, 2, 1]), 2, [0.5f, -0.25f, 0, 0, 100, -3]);

        WordTable read = DefaultVectors.Read(DefaultVectors.Write(table));

        Assert.Equal(table.Vocabulary.Words, read.Vocabulary.Words);
        for (int id = 0; id < 3; id++)
        {
            float step = Math.Max(Math.Abs(table.Vectors[2 * id]), Math.Abs(table.Vectors[(2 * id) + 1])) / 127;
            for (int i = 0; i < 2; i++) Assert.Equal(table.Vectors[(2 * id) + i], read.Vectors[(2 * id) + i], (step / 2) + 1e-6);
        }
    }

    [Fact]
    public void Join_UsersWords_ComeFirstWithTheirCounts()
    {
        WordTable known = new(new Vocabulary(["film", "good"], [50, 30]), 2, [1, 2, 3, 4]);
        Vocabulary own = new(["good", "qux"], [5, 2]);

        float[] start = EmbeddingExtension.Start(own, known, training: null);
        Vocabulary joined = EmbeddingExtension.Joined(own, known);

        Assert.Equal(["good", "qux", "film"], joined.Words);
        Assert.Equal([5, 2, 0], joined.Counts);
        Assert.Equal([3, 4, 0, 0, 1, 2], EmbeddingExtension.Join(own, start, known));
        long[] frequencies = [.. EmbeddingExtension.Frequencies(own, known)];
        Assert.Equal(2_000_000, frequencies[1]);
        Assert.True(frequencies[2] > frequencies[0] && frequencies[0] > frequencies[1]);
    }
}
