using Scion.Storage;

namespace Scion.Datasets;

/// <summary>An uploaded file at one version.</summary>
/// <param name="Container">Container it lies in.</param>
/// <param name="Name">Name in the container, with the model's folder.</param>
/// <param name="ETag">Version to read.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Sha256">Lower-case hex digest of the bytes.</param>
public sealed record PinnedFile(string Container, string Name, string ETag, long Length, string Sha256);

/// <summary>Which set a row's file said it belongs to.</summary>
public enum GivenSplit : byte
{
    None,
    Train,
    Test,
    /// <summary>From a folder <c>val</c>: pictures that test where no others do, and train where others do.</summary>
    Validation,
}

/// <summary>One accepted review.</summary>
/// <param name="Text">The review, NFC, trimmed; never empty.</param>
/// <param name="Label">As written, NFC and trimmed; null when unlabelled.</param>
/// <param name="Split">The file's own split column.</param>
/// <param name="File">Index of the file's entry in the shard's source list (an archive has several).</param>
/// <param name="Line">First line of the row in that entry, from 1.</param>
public sealed record ReviewRow(string Text, string? Label, GivenSplit Split, int File, long Line);

/// <summary>Rows stored together, and their index (hash, label, split of each row). At most 16 MiB of reviews, or 64 MiB of pictures.</summary>
public sealed record ShardRef(ArtifactRef Rows, ArtifactRef Index, int RowCount)
{
    /// <summary>Of pictures: name, digest and fingerprint of each, read with <see cref="PictureIndex"/>; null for reviews.</summary>
    public ArtifactRef? Pictures { get; init; }
}

/// <summary>Rows with one label, as written.</summary>
public sealed record LabelCount(string Label, long Rows);

public sealed record IngestReviewsInput(PinnedFile File, ReviewSettings Settings);

/// <summary>What one uploaded file held. One per file; archives list their entries in <see cref="Parts"/>.</summary>
/// <param name="Name">The file's name.</param>
/// <param name="Parts">Each table or text in it, with what was detected.</param>
/// <param name="Rows">Accepted rows.</param>
/// <param name="Unlabelled">Accepted rows without a label.</param>
/// <param name="Refused">Refused rows and entries; each is a line of <see cref="Rejects"/>.</param>
/// <param name="Labels">Accepted labelled rows by label as written, by ordinal label.</param>
/// <param name="Shards">The accepted rows.</param>
/// <param name="Rejects">CSV with columns file,line,code,reason; null when nothing was refused.</param>
/// <param name="Warnings">What a person should know, each a sentence that begins with its code.</param>
public sealed record IngestedFile(
    string Name, IReadOnlyList<IngestedPart> Parts, long Rows, long Unlabelled, long Refused, IReadOnlyList<LabelCount> Labels,
    IReadOnlyList<ShardRef> Shards, ArtifactRef? Rejects, IReadOnlyList<string> Warnings)
{
    /// <summary>File, line, code and reason of the first refusal in one sentence or two; null when nothing was refused.</summary>
    public string? FirstRefusal { get; init; }
}

/// <param name="Name">Entry name, or the file's own name.</param>
/// <param name="Format">"csv", "tsv", "jsonl" or "txt".</param>
/// <param name="Encoding">Detected or set.</param>
/// <param name="Delimiter">Detected or set; null where there is none.</param>
/// <param name="TextColumn">Column used for the text; null for txt.</param>
/// <param name="LabelColumn">Column used for the label; null where there is none.</param>
/// <param name="Rows">Accepted rows.</param>
/// <param name="Refused">Refused rows.</param>
public sealed record IngestedPart(
    string Name, string Format, string Encoding, string? Delimiter, string? TextColumn, string? LabelColumn, long Rows, long Refused);

/// <param name="Kind">What the rows are.</param>
/// <param name="Files">What the files held, in the order of the run.</param>
/// <param name="Split">How rows are held out.</param>
public sealed record CurateInput(DataKind Kind, IReadOnlyList<IngestedFile> Files, SplitSettings Split);

/// <summary>How a run measures its model.</summary>
public enum Protocol
{
    /// <summary>The files' split column says which rows test.</summary>
    GivenSplit,
    /// <summary>A row tests when the hash of its text says so; it never moves as rows are added.</summary>
    HashSplit,
    /// <summary>Too few labels to hold any out: repeated stratified cross-validation.</summary>
    CrossValidation,
}

/// <summary>What one row is used for.</summary>
public enum RowUse : byte
{
    /// <summary>No label; word vectors learn from it.</summary>
    Unlabelled = 0,
    /// <summary>Labelled; heads and word vectors learn from it.</summary>
    Train = 1,
    /// <summary>Labelled and held out; nothing learns from it.</summary>
    Test = 2,
    /// <summary>A copy of another row, in conflict with one, or an unlabelled copy of a test row; nothing reads it.</summary>
    Dropped = 3,
}

/// <summary>The data set a run learns from.</summary>
/// <param name="Kind">What the rows are.</param>
/// <param name="Labels">Classes by ordinal name; a class id is an index into it.</param>
/// <param name="Shards">All shards, in the order of the run's files; <see cref="LabelledRow.Shard"/> is an index into it.</param>
/// <param name="Rows">The row table, read with <see cref="RowTable"/>.</param>
/// <param name="Protocol">How the model will be measured.</param>
/// <param name="Train">Labelled training rows by class.</param>
/// <param name="Test">Labelled test rows by class; zeros under cross-validation.</param>
/// <param name="Unlabelled">Unlabelled rows.</param>
/// <param name="Duplicates">Rows dropped because the same text stands elsewhere.</param>
/// <param name="Conflicts">Rows dropped because the same text has two labels; listed in <see cref="Findings"/>.</param>
/// <param name="Findings">CSV with columns file,line,code,reason of every dropped labelled row; null when there is none.</param>
/// <param name="Warnings">What a person should know, each a sentence that begins with its code.</param>
public sealed record CuratedRows(
    DataKind Kind, IReadOnlyList<string> Labels, IReadOnlyList<ShardRef> Shards, ArtifactRef Rows, Protocol Protocol,
    IReadOnlyList<LabelCount> Train, IReadOnlyList<LabelCount> Test, long Unlabelled, long Duplicates, long Conflicts,
    ArtifactRef? Findings, IReadOnlyList<string> Warnings)
{
    /// <summary>What a step needs that reads one shard: its input stays small however many shards there are.</summary>
    public CuratedShard Shard(int index) => new(index, Shards[index], Rows);
}

/// <summary>One shard of a data set.</summary>
/// <param name="Index">Into <see cref="CuratedRows.Shards"/>.</param>
/// <param name="Stored">Its rows.</param>
/// <param name="Table">The row table of the whole data set.</param>
public sealed record CuratedShard(int Index, ShardRef Stored, ArtifactRef Table);

/// <summary>A labelled row of the data set.</summary>
/// <param name="Shard">Index into <see cref="CuratedRows.Shards"/>.</param>
/// <param name="Row">Index of the row in that shard.</param>
/// <param name="Label">Class id.</param>
/// <param name="Use"><see cref="RowUse.Train"/> or <see cref="RowUse.Test"/>.</param>
public readonly record struct LabelledRow(int Shard, int Row, int Label, RowUse Use);
