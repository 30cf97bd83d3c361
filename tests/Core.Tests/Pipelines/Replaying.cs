using Scion.Datasets;
using Scion.Evaluation;
using Scion.Heads;
using Scion.Storage;

namespace Scion.Tests.Pipelines;

/// <summary>Runs a pipeline as Durable does.</summary>
static class Replaying
{
    /// <summary>Runs it from the start again after every completion, and checks that each replay asks for the same calls in the same order as
    /// the one before.</summary>
    public static T Run<T>(Func<History, Task<T>> pipeline, Random random, bool shuffle, out List<string> asked)
    {
        List<(int Call, object Answer)> completed = [];
        List<string> before = [];
        while (true)
        {
            History history = new(random, shuffle);
            Task<T> run = pipeline(history);
            foreach ((int call, object answer) in completed) history.Complete(call, answer);
            Assert.Equal(before, history.Asked.Take(before.Count));
            before = history.Asked;
            if (run.IsCompleted)
            {
                asked = history.Asked;
                return run.GetAwaiter().GetResult();
            }
            completed.Add(history.CompleteOne());
        }
    }
}

/// <summary>The calls asked for, answered one at a time on the caller's thread.</summary>
sealed class History(Random random, bool shuffle)
{
    readonly List<(TaskCompletionSource<object> Source, Func<object> Answer)> calls = [];
    readonly List<int> pending = [];

    public List<string> Asked { get; } = [];

    public string? Refuse { get; init; }

    public int Pending => pending.Count(i => !Asked[i].StartsWith("Report", StringComparison.Ordinal));

    public async Task<T> Ask<T>(string call, Func<T> answer) where T : notnull
    {
        TaskCompletionSource<object> source = new();
        pending.Add(calls.Count);
        calls.Add((source, () => answer()));
        Asked.Add(call);
        return (T)await source.Task;
    }

    public (int Call, object Answer) CompleteOne()
    {
        int call = pending[shuffle ? random.Next(pending.Count) : 0];
        if (Refuse is not null && Asked[call].StartsWith(Refuse, StringComparison.Ordinal))
        {
            pending.Remove(call);
            calls[call].Source.SetException(new Faults.InputRejectedException("X001", "Refused.", "Nothing."));
            return (call, Refuse);
        }
        object answer = calls[call].Answer();
        Complete(call, answer);
        return (call, answer);
    }

    public void Complete(int call, object answer)
    {
        pending.Remove(call);
        calls[call].Source.SetResult(answer);
    }
}

/// <summary>Step answers for tests of the order of steps; the figures in them are never read.</summary>
static class TestHeads
{
    public static HeadsTrained Trained(CandidateKind kind, ArtifactRef artifact, IReadOnlyList<string> warnings) =>
        new(kind, "logistic", 1, 0.5, 10, artifact, artifact, warnings, artifact, 1);

    public static Evaluated Evaluated(ArtifactRef artifact, IReadOnlyList<string> warnings) =>
        new(Protocol.HashSplit, [], [], [], 1, 0, [], "logistic", 1, 10, artifact, artifact, warnings);
}
