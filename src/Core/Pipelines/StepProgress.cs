namespace Scion.Pipelines;

/// <summary>How far a step is, for people to watch.</summary>
/// <param name="Step">Name of the step, as in <see cref="IReviewSteps"/>.</param>
/// <param name="Done">Units done, in [0, <paramref name="Total"/>].</param>
/// <param name="Total">Units in all; 0 when not known yet.</param>
/// <param name="Unit">What is counted: "rows", "words", "bytes", "folds".</param>
public readonly record struct StepProgress(string Step, long Done, long Total, string Unit);
