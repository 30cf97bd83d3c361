using Scion.Datasets;
using Scion.Heads;
using Scion.Storage;

namespace Scion.Evaluation;

/// <param name="Data">The data set.</param>
/// <param name="Candidates">All fitted candidates.</param>
/// <param name="Sets">Feature sets of the transfer candidate.</param>
/// <param name="Settings">Head kind, seed.</param>
/// <param name="Files">What the files held, in their order: names of label suspects' files.</param>
public sealed record EvaluateInput(
    CuratedRows Data, IReadOnlyList<HeadsTrained> Candidates, IReadOnlyList<FeatureSet> Sets,
    HeadSettings Settings, IReadOnlyList<IngestedFile> Files);

/// <summary>A figure with its 95 % interval.</summary>
/// <param name="Value">The estimate, in [0, 1].</param>
/// <param name="Low">Lower end.</param>
/// <param name="High">Upper end.</param>
public readonly record struct Figure(double Value, double Low, double High);

/// <param name="Label">Class.</param>
/// <param name="Support">Test rows of it.</param>
/// <param name="Precision">Share right of the rows predicted so; Wilson interval.</param>
/// <param name="Recall">Share found of the rows that are so; Wilson interval.</param>
/// <param name="F1">Harmonic mean of both; bootstrap interval.</param>
public sealed record ClassMetrics(string Label, int Support, Figure Precision, Figure Recall, Figure F1);

/// <summary>One model measured on rows it was not fitted on. Under cross-validation a row counts once, by the share of its repeats.</summary>
/// <param name="Name">"majority", "bag-of-words", "scratch" or "transfer".</param>
/// <param name="Rows">Rows measured on.</param>
/// <param name="Accuracy">Share right; Wilson interval.</param>
/// <param name="MacroF1">Mean F1 over classes that have test rows; bootstrap interval.</param>
/// <param name="LogLoss">Mean −log p(true class) of calibrated probabilities, nats; null for majority.</param>
/// <param name="CalibrationError">Expected calibration error over 10 bins of equal mass, in [0, 1]; null for majority.</param>
/// <param name="Classes">Per class.</param>
/// <param name="Confusion">[true, predicted] row counts, in the order of the labels; a row stands where most of its repeats put it.</param>
public sealed record ModelMetrics(
    string Name, int Rows, Figure Accuracy, Figure MacroF1, double? LogLoss, double? CalibrationError,
    IReadOnlyList<ClassMetrics> Classes, IReadOnlyList<IReadOnlyList<int>> Confusion);

/// <summary>Two models on the same rows.</summary>
/// <param name="Better">Name of the first model.</param>
/// <param name="Than">Name of the second.</param>
/// <param name="OnlyFirstRight">Rows only the first has right.</param>
/// <param name="OnlySecondRight">Rows only the second has right.</param>
/// <param name="PValue">Two-sided exact McNemar (binomial) test.</param>
/// <param name="Verdict">"better", "worse" or "cannot tell" at 5 %.</param>
public sealed record PairedTest(string Better, string Than, int OnlyFirstRight, int OnlySecondRight, double PValue, string Verdict);

/// <summary>Accuracy with fewer labels, same test rows or folds.</summary>
/// <param name="LabelsPerClass">Training labels kept per class; in the last point all rows, divided by classes.</param>
/// <param name="Accuracy">Mean over draws; the interval holds both the choice of labels and of test rows.</param>
public sealed record LearningPoint(int LabelsPerClass, Figure Accuracy);

/// <summary>A labelled row whose label the other rows contradict.</summary>
/// <param name="File">Name of its file or entry.</param>
/// <param name="Line">Its line.</param>
/// <param name="Label">As given.</param>
/// <param name="Predicted">What a model not fitted on it says.</param>
/// <param name="Score">Probability of the predicted class.</param>
public sealed record LabelSuspect(string File, long Line, string Label, string Predicted, double Score);

/// <summary>The measured outcome of a run.</summary>
/// <param name="Protocol">How it was measured.</param>
/// <param name="Models">All models, majority first, transfer last.</param>
/// <param name="Comparisons">Transfer against each other model.</param>
/// <param name="LearningCurve">Of transfer.</param>
/// <param name="Temperature">Logits are divided by it; fitted on cross-validated training predictions.</param>
/// <param name="AbstainBelow">A prediction abstains when its features' largest cosine to a training row is lower.</param>
/// <param name="Suspects">At most 50, most suspect first.</param>
/// <param name="Head">Kind of the published head.</param>
/// <param name="Strength">Its L2 strength; null for nearest-mean.</param>
/// <param name="HeadParameters">(dim + 1) · classes.</param>
/// <param name="Fitted">The head to publish.</param>
/// <param name="TestPredictions">Predictions of transfer on the held-out rows; for the gate.</param>
/// <param name="Warnings">Of all steps of evaluation.</param>
public sealed record Evaluated(
    Protocol Protocol, IReadOnlyList<ModelMetrics> Models, IReadOnlyList<PairedTest> Comparisons, IReadOnlyList<LearningPoint> LearningCurve,
    double Temperature, double AbstainBelow, IReadOnlyList<LabelSuspect> Suspects, string Head, double? Strength, long HeadParameters,
    ArtifactRef Fitted, ArtifactRef TestPredictions, IReadOnlyList<string> Warnings)
{
    /// <summary>What words add to the head's logits, read with <see cref="WordLexicon"/>; null where there are none beside the features.</summary>
    public ArtifactRef? Lexicon { get; init; }

    /// <summary>Feature set the head is fitted to.</summary>
    public string Set { get; init; } = "";

    /// <summary>What each feature set reached in validation; empty when there was no choice.</summary>
    public IReadOnlyList<SetScore> Scores { get; init; } = [];
}
