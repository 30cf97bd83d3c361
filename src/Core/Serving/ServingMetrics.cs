using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Scion.Serving;

/// <summary>What serving measures. A host exports the meter and the activity source by their name; without a listener they cost nothing.</summary>
/// <remarks>Tags hold model names and counts, never review text.</remarks>
public static class ServingMetrics
{
    /// <summary>Name of the meter and of the activity source.</summary>
    public const string Name = "Scion.Serving";

    static readonly Meter Meter = new(Name);
    static readonly Counter<long> Predictions = Meter.CreateCounter<long>("scion.predictions", "{text}", "Texts judged, by model and whether the model abstained.");
    static readonly Histogram<double> Duration = Meter.CreateHistogram<double>("scion.predict.duration", "s", "Time to judge the texts of one request.",
        advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5] });
    static readonly Counter<long> Swaps = Meter.CreateCounter<long>("scion.model.swaps", "{swap}", "Versions loaded, swapped in, or refused, by model.");

    /// <summary>Source of the activity around each prediction request.</summary>
    public static ActivitySource Activities { get; } = new(Name);

    /// <param name="model">Model name.</param>
    /// <param name="texts">Texts judged.</param>
    /// <param name="abstained">Of them, without ground to judge.</param>
    /// <param name="duration">Of the whole batch.</param>
    public static void Predicted(string model, int texts, int abstained, TimeSpan duration)
    {
        if (Predictions.Enabled)
        {
            if (texts > abstained) Predictions.Add(texts - abstained, new("model", model), new("abstained", false));
            if (abstained > 0) Predictions.Add(abstained, new("model", model), new("abstained", true));
        }
        if (Duration.Enabled) Duration.Record(duration.TotalSeconds, new KeyValuePair<string, object?>("model", model));
    }

    internal static void Swapped(string model, string outcome) => Swaps.Add(1, new("model", model), new("outcome", outcome));
}
