using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Scion.Pipelines;

/// <summary>Traces and metrics of runs, the same on both hosts, which export them. Never a review, never a file's name.</summary>
public static class RunTelemetry
{
    public const string Name = "Scion.Pipelines";

    static readonly Meter Meter = new(Name);

    public static readonly ActivitySource Source = new(Name);

    /// <summary>Seconds a call of a step took, by step.</summary>
    public static readonly Histogram<double> StepSeconds = Meter.CreateHistogram<double>("scion.step.duration", "s");

    /// <summary>Runs ended, by state.</summary>
    public static readonly Counter<long> Runs = Meter.CreateCounter<long>("scion.runs");

    /// <summary>Seconds a step waited for a GPU before one took it, by step.</summary>
    public static readonly Histogram<double> QueueSeconds = Meter.CreateHistogram<double>("scion.gpu.queue.wait", "s");
}
