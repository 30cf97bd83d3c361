using System.Text;
using Scion.Pipelines;
using Scion.Storage;

namespace Scion.Tests.Pipelines;

public sealed class StepMemoTests
{
    readonly InMemoryBlobStore store = new();
    int runs;

    public sealed record Input(string Text, int Seed);

    public sealed record Output(string Text, IReadOnlyList<ArtifactRef> Parts, ArtifactRef? Other);

    Task<Output> RunAsync(Input input, int version = 1, IBlobStore? on = null) => new StepMemo(on ?? store).RunAsync("Step", version, input, async writer =>
    {
        runs++;
        return new Output(input.Text.ToUpperInvariant(), [await writer.AddAsync("part.bin", Encoding.UTF8.GetBytes(input.Text), default)],
            new ArtifactRef("work/elsewhere/other.bin", 3, new string('0', 64)));
    }, default);

    [Fact]
    public async Task RunAsync_TheSameInputTwice_DoesTheWorkOnceAndAnswersTheSame()
    {
        Output first = await RunAsync(new("a", 1));

        Output second = await RunAsync(new("a", 1));

        Assert.Equal(1, runs);
        Assert.Equal((first.Text, first.Parts[0], first.Other), (second.Text, second.Parts[0], second.Other));
    }

    [Theory]
    [InlineData("b", 1, 1)]
    [InlineData("a", 2, 1)]
    [InlineData("a", 1, 2)]
    public async Task RunAsync_AnotherInputOrVersion_IsAnotherRun(string text, int seed, int version)
    {
        await RunAsync(new("a", 1));

        await RunAsync(new(text, seed), version);

        Assert.Equal(2, runs);
    }

    [Fact]
    public async Task RunAsync_ItsBlobIsGone_DoesTheWorkAgain()
    {
        Output first = await RunAsync(new("a", 1));
        store.Remove(first.Parts[0].Path);

        Output again = await RunAsync(new("a", 1));

        Assert.Equal(2, runs);
        Assert.Equal(first.Parts[0], again.Parts[0]);
        Assert.Equal("a", Encoding.UTF8.GetString(await store.ReadAsync(again.Parts[0], default)));
    }

    [Fact]
    public async Task RunAsync_ItsBlobWasCutShort_IsNotBelieved()
    {
        Output first = await RunAsync(new("abc", 1));
        store.Tamper(first.Parts[0].Path, [1]);

        await RunAsync(new("abc", 1));

        Assert.Equal(2, runs);
    }

    [Fact]
    public async Task RunAsync_AnyOperationFailsAndItIsRepeated_AnswersAsUndisturbed()
    {
        Output expected = await RunAsync(new("a", 1), on: new InMemoryBlobStore());
        foreach (bool done in new[] { false, true })
            for (int k = 1; ; k++)
            {
                InMemoryBlobStore fresh = new();
                FailingBlobStore failing = new(fresh, k, done);
                try
                {
                    await RunAsync(new("a", 1), on: failing);
                    Assert.True(failing.Count < k);
                    break;
                }
                catch (Faults.TransientStorageException)
                {
                    Output repeated = await RunAsync(new("a", 1), on: fresh);
                    Assert.Equal((expected.Text, expected.Parts[0]), (repeated.Text, repeated.Parts[0]));
                }
            }
    }

    [Fact]
    public async Task RunAsync_TwoHostsAtOnce_AgreeOnTheFirstCompleteAnswer()
    {
        TaskCompletionSource bothIn = new();
        int inside = 0;
        Task<Output> Host(string answer) => new StepMemo(store).RunAsync("Race", 1, new Input("x", 1), async _ =>
        {
            if (Interlocked.Increment(ref inside) == 2) bothIn.SetResult();
            await bothIn.Task;
            return new Output(answer, [], null);
        }, default);

        Output[] answers = await Task.WhenAll(Host("one"), Host("two"));

        Assert.Equal(answers[0].Text, answers[1].Text);
    }

    [Fact]
    public void Key_OfEqualInputs_IsEqualAndHasSixtyFourHexDigits()
    {
        string key = StepMemo.Key("Step", 1, new Input("a", 1));

        Assert.Equal(key, StepMemo.Key("Step", 1, new Input("a", 1)));
        Assert.Matches("^[0-9a-f]{64}$", key);
    }
}
