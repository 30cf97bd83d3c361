using System.Globalization;
using System.Runtime.CompilerServices;
using Scion.Faults;

namespace Scion.Datasets;

/// <summary>Why a row or an entry was refused: a line of <c>rejects.csv</c>.</summary>
/// <param name="Code">As in docs/errors.md.</param>
/// <param name="Reason">Fact and remedy, one sentence or two.</param>
readonly record struct RowFault(string Code, string Reason);

/// <summary>Refusals about data sets: files (D0), rows (D1), warnings about files (D2), the data as a whole (D3), settings (D4), snapshots (D5).</summary>
public static class DatasetFaults
{
    // Files and entries.
    internal static InputRejectedException UnknownType(string name) => new("D001",
        $"The type of '{Printable(System.IO.Path.GetFileName(name))}' is not read.", $"Reviews are read from {ReviewFormats.Known}.", Refusal.Unsupported);

    internal static InputRejectedException Empty() => new("D002", "It is empty.", "Put a header with 'text' and 'label' and one row a review into it.");

    internal static InputRejectedException NoReadableRow() => new("D002", "It has no row that can be read.", "Put a header with 'text' and 'label' and one row a review into it.");

    internal static InputRejectedException HeaderOnly(IReadOnlyList<string> columns) => new("D003",
        $"It has a header ({Names(columns)}) and no row.", "Add a row for each review.");

    internal static InputRejectedException NoTextColumn(IReadOnlyList<string> columns, string? delimiter) => new("D004",
        $"No column is known to hold the text; it has {Names(columns)}" + (delimiter is null ? "." : $", parted by {DelimiterName(delimiter)}."),
        "Name the column: \"columns\": {\"text\": \"…\", \"label\": \"…\"} in dataset.json, or --set columns.text=…; '#1' is the first column of a file without a header.");

    internal static InputRejectedException NoSuchColumn(string key, string name, IReadOnlyList<string> columns) => new("D005",
        $"It has no column '{Printable(name)}', which columns.{key} names; it has {Names(columns)}.", $"Correct columns.{key}, or leave it out to find the column by its usual names.");

    internal static InputRejectedException Encoding(string fact) => new("D006", fact,
        $"Save it as UTF-8, or set \"encoding\" to one of {string.Join(", ", TextSource.Encodings)}.");

    internal static InputRejectedException DamagedGzip(string fact) => new("D007", $"The gzip is damaged: {fact}", "Compress or upload it again.");

    internal static InputRejectedException Bomb(long compressed, long expanded) => new("D008",
        Invariant($"{compressed} compressed bytes expand to more than {expanded}; at most {CheckedStream.MaxRatio} times above 1 MiB, and {CheckedStream.MaxTotal} bytes in all, are read."),
        "Upload it uncompressed, in files of at most that size.", Refusal.TooLarge);

    internal static InputRejectedException Nested(string name) => new("D009", $"'{Printable(name)}' is an archive in an archive.", "Put its files into the outer archive, or upload it by itself.");

    internal static InputRejectedException TooManyLabels() => new("D010",
        $"The label column has more than {ReviewLimits.LabelsOfFile} different values, so it does not hold labels.", "Set columns.label to the column that does.");

    internal static InputRejectedException DamagedZip(string fact) => new("D011", $"The zip is damaged: {fact}", "Make and upload it again.");

    internal static InputRejectedException ZipLimit(string fact) => new("D012", fact, "Part it into several zips.", Refusal.TooLarge);

    internal static InputRejectedException ZipOverlap(string fact) => new("D013", $"Entries of the zip overlap: {fact}", "It was made to expand without end; make it anew with an ordinary tool.");

    internal static InputRejectedException Gone(string name) => new("D014", $"'{Printable(name)}' was deleted or replaced after the run began.",
        "Start training again, which reads what is there now.", Refusal.Conflict);

    internal static InputRejectedException NotText(string kind) => new("D015", $"It is {kind}, not text, whatever its name says.",
        "Save it as CSV, UTF-8 (a spreadsheet's 'Save as' offers it), or as plain text.", Refusal.Unsupported);

    internal static InputRejectedException NotAPicture(string name) => new("D016", $"'{Printable(System.IO.Path.GetFileName(name))}' is not the name of a picture.",
        $"Images are read from {ImageFormats.Known}; reviews belong into 'reviews/MODEL/'.", Refusal.Unsupported);

    internal static InputRejectedException NotLabels(IReadOnlyList<string> columns) => new("D017", $"It has no columns for file and label; it has {Names(columns)}.",
        "Begin it with a line 'file,label' or 'file,label,split'.");

    internal static InputRejectedException EmptyLabels() => new("D017", "It is empty.", "Begin it with a line 'file,label' and give each picture a line.");

    internal static InputRejectedException LabelsTooLarge(long bytes) => new("D017", Invariant($"It has {bytes} bytes; at most {PictureLabels.MaxBytes} are read."),
        "Part the pictures into several folders with a labels.csv each.", Refusal.TooLarge);

    internal static InputRejectedException NoPictures() => new("D018", "The zip holds no picture.", "Put pictures into it, in folders named by their labels.");

    // Entries of a zip.
    internal static RowFault Encrypted() => new("D021", "The entry is encrypted. Zip it without a password.");

    internal static RowFault NotRegular() => new("D022", "The entry is a link or a device, not a file. Zip the file itself.");

    internal static RowFault Method(int method) => new("D023", Invariant($"The entry is compressed by method {method}; stored (0) and deflate (8) are read. Zip it anew."));

    internal static RowFault DamagedEntry(string fact) => new("D024", $"The entry is damaged: {fact} None of its rows is used. Make and upload the zip again.");

    internal static RowFault HeadersDiffer(string fact) => new("D025", $"The entry's two headers differ: {fact} Make the zip anew.");

    // Rows.
    internal static RowFault Undecodable(string encoding, long offset) => new("D101",
        Invariant($"The byte at offset {offset} is not {encoding}. Save the file as UTF-8, or set \"encoding\"."));

    internal static RowFault Nul(long offset) => new("D102", Invariant($"A NUL at offset {offset}. The row is damaged, or the file is not text."));

    internal static RowFault BrokenQuote(long line) => new("D103", Invariant(
        $"A quoted field that opens in line {line} is not closed before a delimiter or line end. Close it, and double the quotes inside it."));

    internal static RowFault FieldTooLong(long bytes) => new("D104", Invariant($"A field has {bytes} bytes; at most {CsvTokenizer.MaxField} are read. Cut the text into parts."));

    internal static RowFault TooManyColumns(int columns) => new("D105", Invariant($"The row has {columns} columns; at most {CsvTokenizer.MaxColumns} are read."));

    internal static RowFault RowTooLong() => new("D106", $"The row has more than {CsvTokenizer.MaxRow} bytes. A line end or a quote is missing.");

    internal static RowFault Ragged(int found, int expected, string delimiter) => new("D107", Invariant(
        $"The row has {found} fields and the header {expected}, parted by {DelimiterName(delimiter)}. Put text that holds the delimiter between quotes."));

    internal static RowFault EmptyText() => new("D108", "The text is empty.");

    internal static RowFault LabelTooLong(int length) => new("D109", Invariant(
        $"The label has {length} characters; at most {ReviewLimits.LabelLength} are read. Is another column the label?"));

    internal static RowFault UnknownSplit(string value) => new("D110", $"The split is '{Printable(value)}'; 'train', 'test' or nothing is expected.");

    internal static RowFault NotJson(string fact) => new("D111", $"The line is not JSON that is read: {fact}");

    internal static RowFault NotObject(string kind) => new("D112", $"The line is {kind}, not an object with the fields of one review.");

    internal static RowFault NoField(string name) => new("D113", $"The object has no field '{Printable(name)}'.");

    internal static RowFault FieldKind(string name, string kind, string expected) => new("D114", $"The field '{Printable(name)}' is {kind}; {expected} is expected.");

    internal static RowFault LoneSurrogate(string name) => new("D115", $"The field '{Printable(name)}' holds half of a surrogate pair. Write the character's both halves, or leave it out.");

    internal static RowFault Ambiguous() => new("D116",
        "The row is UTF-8 in a file that is otherwise Windows-1252. Save the file as UTF-8, or set \"encoding\".");

    // Lines of labels.csv.
    internal static RowFault NoSuchPicture(string name) => new("D121", $"There is no picture '{Printable(name)}' at or below the folder of labels.csv. Write its path from there on.");

    internal static RowFault SeveralPictures(string name) => new("D122", $"Several pictures are called '{Printable(name)}'. Write the path from the folder of labels.csv on.");

    internal static RowFault LabelledTwice(string name, string? label) => new("D123",
        $"'{Printable(name)}' is {(label is null ? "unlabelled" : $"labelled '{Printable(label)}'")} in an earlier line, which is used. Keep one line.");

    internal static RowFault MoreRefused(long more) => new("D199", Invariant($"{more} more refusals are counted and not listed."));

    // Warnings about a file: its name comes after the code.
    internal static string GuessedEncoding(string part) => $"D201: {part} is not UTF-8 and was read as Windows-1252; set \"encoding\" if its letters look wrong.";

    internal static string NoHeader(string part, string text, string? label) =>
        $"D202: {part} has no header that is known; the text is taken from column {text}" + (label is null ? ", and there are no labels." : $" and the label from column {label}.");

    internal static string TakenColumn(string part, string text) => $"D203: {part} has one column, '{Printable(text)}', which is taken as the text.";

    internal static string NoLabels(string part, IReadOnlyList<string> columns) =>
        $"D204: {part} has no label column among {Names(columns)}; its rows are unlabelled. Set columns.label if one of them is the label.";

    internal static string OneFolder(string part, string label) => $"D205: all texts of {part} lie in a folder '{Printable(label)}', which is taken as their label.";

    internal static string Twins(string part, int count) => Invariant($"D206: {count} entries of {part} have the name of another one but for case or Unicode form; all are read.");

    internal static string SystemEntries(string part, int count) => Invariant($"D207: {count} entries of {part} are an operating system's own (such as __MACOSX) and hold no reviews.");

    internal static string OnePictureFolder(string part, string label) =>
        $"D205: all pictures of {part} lie in a folder '{Printable(label)}', which is taken as their label.";

    internal static string NotInLabels(string table, int count, string first) => Invariant(
        $"D208: {count} {(count == 1 ? "picture is" : "pictures are")} not named in {table} and taken as unlabelled: '{Printable(first)}'{(count == 1 ? "" : " and others")}.");

    // The data as a whole.
    internal static InputRejectedException NoRows(DataKind kind, long refused, string? first) => new("D301",
        Invariant($"No {kind.Item} is left to learn from; {refused} {(refused == 1 ? $"{kind.Row} or file was" : $"{kind.Row}s or files were")} refused.")
            + (first is null ? "" : $" {(refused == 1 ? "Why" : "The first")}: {first}"),
        refused == 1 ? "Correct it, and start again." : "See rejects.csv for why each was.");

    internal static InputRejectedException NoLabelledRows(DataKind kind, long unlabelled) => new("D302", Invariant($"None of the {unlabelled} {kind.Item}s has a label."),
        $"Label at least {ReviewLimits.RowsPerClass} {kind.Item}s of each of two classes " + (kind == DataKind.Images
            ? "by putting them into folders named by the label, or in a labels.csv with columns file and label." : "in a column 'label' (or put .txt files into folders named by the label)."));

    internal static InputRejectedException OneClass(DataKind kind, string label, long rows) => new("D303", Invariant($"All {rows} labelled {kind.Item}s have the label '{label}'."),
        $"Add at least {ReviewLimits.RowsPerClass} {kind.Item}s of another class; a classifier needs two.");

    internal static InputRejectedException TooFewRows(DataKind kind, IReadOnlyList<LabelCount> classes) => new("D304",
        $"Fewer than two classes have {ReviewLimits.RowsPerClass} different {kind.Item}s: {Counts(classes)}.",
        $"Label at least {ReviewLimits.RowsPerClass} different {kind.Item}s of each of two classes: one to learn from and one to measure with.");

    internal static InputRejectedException TooManyClasses(DataKind kind, int classes) => new("D305",
        Invariant($"There are {classes} different labels; at most {ReviewLimits.Classes} classes are trained."), kind == DataKind.Images ? "Merge label folders." : "Set columns.label to the column that holds classes, or merge labels.", Refusal.TooLarge);

    internal static InputRejectedException NotInTraining(DataKind kind, string label, long test) => new("D306",
        Invariant($"Class '{label}' has {test} test {kind.Row}s and no training {kind.Row}."), $"Give it training {kind.Row}s, or take it out of the test {kind.Row}s.");

    internal static InputRejectedException TooManyRows(DataKind kind, long rows) => new("D307", Invariant($"There are {rows} {kind.Item}s; at most {ReviewLimits.Rows} are trained on."),
        $"Leave out unlabelled {kind.Item}s.", Refusal.TooLarge);

    // Settings and snapshots.
    internal static InputRejectedException NotSettings(DataKind kind, string fact) => new("D401", $"dataset.json is not valid JSON: {fact}",
        $"Correct it there; 'scion train {kind.Container} --help' lists the settings.");

    internal static InputRejectedException SettingsRefused(DataKind kind, IReadOnlyList<string> errors) => new("D402", string.Join(" ", errors),
        $"Correct them in dataset.json or with --set; 'scion train {kind.Container} --help' lists the settings.");

    internal static InputRejectedException NothingToTrainOn(DataKind kind, string model, IReadOnlyList<string> warnings) => new("D501",
        warnings.Count == 0 ? $"There is no file in '{kind.Container}/{model}/'."
            : Invariant($"None of the {warnings.Count} files in '{kind.Container}/{model}/' can be read. {string.Join(" ", warnings.Take(3))}"),
        $"Put {kind.Item}s there ({kind.Known}), then start again.", Refusal.NotFound);

    internal static InputRejectedException OtherKind(string model, DataKind asked, DataKind there, string how) => new("D508",
        $"Model '{model}' is a model of {there.Container}, {how}; it cannot be trained on {asked.Container} too.",
        $"Use another model name, or move the files of '{asked.Container}/{model}/' to it.", Refusal.Conflict);

    internal static string NameRefused(string name) => $"D502: '{Printable(name)}' has a name that cannot be addressed safely and was not read. Rename it.";

    internal static string NotReadable(string name, string reason) => $"D504: '{Printable(name)}' was not read. {reason}";

    internal static InputRejectedException KeepsChanging(DataKind kind, string model) => new("D503", $"The files in '{kind.Container}/{model}/' changed each time they were read.",
        "Start again when the upload has ended.", Refusal.Conflict);

    internal static string InNoFolder(DataKind kind, string name) =>
        $"D505: '{kind.Container}/{Printable(name)}' lies in no model's folder, so nothing is trained on it. Move it to '{kind.Container}/MODEL/'.";

    internal static string FolderOfNoModel(DataKind kind, string folder, int files) => Invariant(
        $"D506: '{kind.Container}/{Printable(folder)}/', with {files} files, is named as no model can be, so nothing is trained on it. Rename it: 2 to 63 of a-z, 0-9 and '-', beginning with a letter or digit.");

    internal static string Hidden(DataKind kind, string name) => $"D507: '{Printable(name)}' is a hidden file and was not read. If it holds {kind.Item}s, give it a name without a dot before it.";

    /// <summary>User text for messages: control, format and broken characters escaped, cut at 80.</summary>
    internal static string Printable(string text) => string.Concat(text.Take(80).Select(c =>
        char.IsControl(c) || char.IsSurrogate(c) || char.GetUnicodeCategory(c) is UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
            ? $"\\u{(int)c:x4}" : c.ToString())) + (text.Length > 80 ? "…" : "");

    internal static string DelimiterName(string delimiter) => delimiter switch { "\t" => "tab", _ => $"'{delimiter}'" };

    static string Names(IReadOnlyList<string> columns) =>
        string.Join(", ", columns.Take(20).Select(column => $"'{Printable(column)}'")) + (columns.Count > 20 ? Invariant($" and {columns.Count - 20} more") : "");

    internal static string Counts(IEnumerable<LabelCount> classes) =>
        string.Join(", ", classes.Take(20).Select(c => Invariant($"'{Printable(c.Label)}' {c.Rows}")));

    internal static string Invariant(DefaultInterpolatedStringHandler text) => string.Create(CultureInfo.InvariantCulture, ref text);
}

/// <summary>Bounds of a data set.</summary>
public static class ReviewLimits
{
    /// <summary>Most UTF-16 units of a label.</summary>
    public const int LabelLength = 128;

    /// <summary>Most different labels in one file; more is a column of texts or numbers.</summary>
    public const int LabelsOfFile = 10_000;

    /// <summary>Most classes of a model.</summary>
    public const int Classes = 1000;

    /// <summary>Fewest different reviews of a class: one to learn from and one to measure with.</summary>
    public const int RowsPerClass = 2;

    /// <summary>Most rows of a data set: their places are 32-bit numbers.</summary>
    public const long Rows = 1L << 30;
}
