using System.Text.Json.Serialization;
using Scion.Datasets;
using Scion.Evaluation;
using Scion.Registry;

namespace Scion.Pipelines;

/// <summary>What a run made: <c>runs/{run}/report.json</c>.</summary>
/// <param name="Files">What the files held.</param>
/// <param name="Data">The data set.</param>
/// <param name="Evaluated">What was measured.</param>
/// <param name="Published">The version.</param>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(TrainedReviews), "reviews")]
[JsonDerivedType(typeof(TrainedImages), "images")]
public abstract record TrainingOutcome(IReadOnlyList<IngestedFile> Files, CuratedRows Data, Evaluated Evaluated, Published Published);
