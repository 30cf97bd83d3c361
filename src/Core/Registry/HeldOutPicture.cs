namespace Scion.Registry;

/// <summary>What the model said of a labelled picture that it was not fitted on: shown to people in the report.</summary>
/// <param name="Name">Name below the model's folder.</param>
/// <param name="Small">JPEG, at most 112 pixels a side.</param>
/// <param name="Label">As given.</param>
/// <param name="Predicted">The most probable class.</param>
/// <param name="Score">Its calibrated probability.</param>
public sealed record HeldOutPicture(string Name, ReadOnlyMemory<byte> Small, string Label, string Predicted, double Score);
