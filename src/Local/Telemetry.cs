using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Scion.Local;

/// <summary>Traces and metrics of runs; exported by OTLP when <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> is set. Never a review, never a file's name.</summary>
static class Telemetry
{
    public const string Name = "Scion.Local";

    static readonly Meter Meter = new(Name);

    public static readonly ActivitySource Source = new(Name);

    /// <summary>Seconds a call of a step took, by step.</summary>
    public static readonly Histogram<double> StepSeconds = Meter.CreateHistogram<double>("scion.step.duration", "s");

    /// <summary>Runs ended, by state.</summary>
    public static readonly Counter<long> Runs = Meter.CreateCounter<long>("scion.runs");
}
