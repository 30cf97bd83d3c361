using Scion.Pipelines;

namespace Scion.Local.Running;

/// <summary>How far a run is, at one moment.</summary>
/// <param name="Step">Name of the step, as in <see cref="IReviewSteps"/> and <see cref="IImageSteps"/>.</param>
/// <param name="Done">Units done.</param>
/// <param name="Total">Units in all; 0 when not known.</param>
/// <param name="Unit">What is counted.</param>
/// <param name="Fraction">Of the stage, in [0, 1]; null when not known.</param>
/// <param name="SecondsLeft">In this stage at its present rate; null when not known.</param>
readonly record struct StageView(string Step, long Done, long Total, string Unit, double? Fraction, int? SecondsLeft)
{
    /// <summary>Pictures a second; null where none are counted.</summary>
    public double? PicturesPerSecond { get; init; }
}

/// <summary>Gathers the progress of the calls of a stage; ledger and terminal look at it when they like.</summary>
/// <remarks>Threads: steps report from any thread, any number look.</remarks>
sealed class RunProgress(TimeProvider time)
{
    /// <summary>The rate is taken over this long.</summary>
    static readonly TimeSpan RateWindow = TimeSpan.FromSeconds(15);

    const string Pictures = "pictures";

    readonly Lock gate = new();
    readonly List<Call> calls = [];
    readonly Queue<(long At, double Fraction)> samples = new();
    RunStage? stage;
    RunStatus? followed;
    long pictures, entered;             // pictures of calls that ended in this stage; when it began

    /// <summary>Where the run is now; null before its first stage.</summary>
    public StageView? Now
    {
        get
        {
            lock (gate) return View();
        }
    }

    public void Enter(RunStage next)
    {
        lock (gate)
        {
            if (stage?.Step != next.Step)
            {
                samples.Clear();
                samples.Enqueue((time.GetTimestamp(), 0));
                (pictures, entered) = (0, time.GetTimestamp());
            }
            (stage, followed) = (next, null);
        }
    }

    /// <summary>Shows a run that another process trains.</summary>
    public void Follow(RunStatus status)
    {
        if (status.Stage is null) return;
        lock (gate)
        {
            stage = new RunStage(status.Stage, (int)Math.Min(int.MaxValue, status.Done), (int)Math.Min(int.MaxValue, status.Total));
            followed = status;
        }
    }

    /// <summary>A call of the present stage; disposed when it has ended.</summary>
    public Call Begin()
    {
        Call call = new(this);
        lock (gate) calls.Add(call);
        return call;
    }

    StageView? View()
    {
        if (stage is null) return null;
        if (followed is not null)
            return new StageView(stage.Step, followed.Done, followed.Total, followed.Unit ?? stage.Unit,
                followed.Total > 0 ? Math.Min(1, followed.Done / (double)followed.Total) : null, followed.SecondsLeft);

        double partial = 0;
        Call? only = null;
        int reporting = 0;
        foreach (Call call in calls)
        {
            if (call.Last is not { Total: > 0 } last) continue;
            partial += Math.Clamp(last.Done / (double)last.Total, 0, 1);
            (only, reporting) = (call, reporting + 1);
        }
        double? fraction = stage.Total > 0 ? Math.Clamp((stage.Done + partial) / stage.Total, 0, 1) : null;
        int? left = SecondsLeft(fraction);
        long read = pictures + calls.Sum(call => call.Last is { Unit: Pictures } last ? last.Done : 0);
        double seconds = time.GetElapsedTime(entered).TotalSeconds;
        StageView view = reporting == 1 && stage.Total - stage.Done <= 1 && only!.Last is { } inner
            ? new StageView(stage.Step, inner.Done, inner.Total, inner.Unit, stage.Total == 1 ? inner.Done / (double)inner.Total : fraction, left)
            : new StageView(stage.Step, stage.Done, stage.Total, stage.Unit, fraction, left);
        return read > 0 && seconds >= 1 ? view with { PicturesPerSecond = read / seconds } : view;
    }

    int? SecondsLeft(double? fraction)
    {
        if (fraction is not { } now || samples.Count == 0) return null;
        long at = time.GetTimestamp();
        if (time.GetElapsedTime(samples.Last().At, at) > TimeSpan.FromMilliseconds(500)) samples.Enqueue((at, now));
        while (samples.Count > 2 && time.GetElapsedTime(samples.Peek().At, at) > RateWindow) samples.Dequeue();
        (long since, double before) = samples.Peek();
        double seconds = time.GetElapsedTime(since, at).TotalSeconds;
        if (seconds < 1 || now - before < 0.005) return null;
        return (int)Math.Ceiling((1 - now) * seconds / (now - before));
    }

    /// <summary>Progress of one call.</summary>
    public sealed class Call(RunProgress owner) : IProgress<StepProgress>, IDisposable
    {
        public StepProgress? Last { get; private set; }

        public void Report(StepProgress value)
        {
            lock (owner.gate) Last = value;
        }

        public void Dispose()
        {
            lock (owner.gate)
                if (owner.calls.Remove(this) && Last is { Unit: Pictures } last) owner.pictures += last.Done;
        }
    }
}
