namespace Scion.Storage;

/// <summary>A finished step output, named by where it is and what it holds. Steps pass these, never tensors or review text.</summary>
/// <param name="Path"><c>container/name</c>.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Sha256">Lower-case hex digest of the bytes; checked at each read.</param>
public sealed record ArtifactRef(string Path, long Length, string Sha256);
