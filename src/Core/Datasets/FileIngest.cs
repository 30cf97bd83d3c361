using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Scion.Pipelines;
using Scion.Storage;

namespace Scion.Datasets;

/// <summary>The ingestion of one uploaded file, part by part: rows to shards, what cannot be used to the list of refusals.</summary>
sealed class FileIngest
{
    readonly ReviewSettings settings;
    readonly StepWriter writer;
    readonly ShardWriter shards;
    readonly RejectLog rejects = new();
    readonly List<IngestedPart> parts = [];
    readonly List<string> warnings = [];
    readonly List<string> labels = [];
    readonly List<byte[]> labelBytes = [];
    readonly Dictionary<string, int> labelIds = new(StringComparer.Ordinal);
    readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> labelsBySpan;
    readonly TextForm form = new();
    readonly char[] labelChars = new char[4 * ReviewLimits.LabelLength];
    List<long> labelCounts = [];
    byte[] scratch = [];
    byte[] folded = [];
    long rows, unlabelled;

    // The part at hand.
    string place = "";
    int part;
    long line, partRows, partRefused;
    TextSource source = new(Stream.Null, null);

    /// <param name="name">The file's name, with the model's folder.</param>
    /// <param name="settings">Columns, delimiter, encoding.</param>
    /// <param name="writer">Where shards go.</param>
    public FileIngest(string name, ReviewSettings settings, StepWriter writer)
    {
        (Name, this.settings, this.writer) = (name, settings, writer);
        labelsBySpan = labelIds.GetAlternateLookup<ReadOnlySpan<char>>();
        shards = new ShardWriter(writer, labels);
    }

    public string Name { get; }

    public void Warn(string warning) => warnings.Add(warning);

    /// <summary>Refuses the whole file or an entry of it.</summary>
    /// <param name="entry">Entry, or null for the file.</param>
    /// <param name="code">As in docs/errors.md.</param>
    /// <param name="reason">Fact and remedy.</param>
    public void Refuse(string? entry, string code, string reason) => rejects.Add(entry is null ? Name : PlaceOf(entry), 0, code, reason);

    public async Task<IngestedFile> FinishAsync(CancellationToken cancellation) => new(Name, parts, rows, unlabelled, rejects.Count,
        [.. labels.Select((label, id) => new LabelCount(label, labelCounts[id])).Where(label => label.Rows > 0).OrderBy(label => label.Label, StringComparer.Ordinal)],
        await shards.FinishAsync(cancellation), await rejects.StoreAsync(writer, "rejects.csv", Name, cancellation), warnings)
    {
        FirstRefusal = rejects.First,
    };

    /// <summary>Reads a part whose damage is only known at its end; takes its rows back when <paramref name="check"/> refuses it.</summary>
    /// <param name="entry">Entry's name, or null for the file.</param>
    /// <param name="format">How it is read.</param>
    /// <param name="stream">Its bytes.</param>
    /// <param name="folder">Label and split of its folders, for txt.</param>
    /// <param name="check">Called at the end; a fault refuses the part.</param>
    /// <param name="cancellation">Stops the reading.</param>
    public async Task ReadCheckedAsync(
        string? entry, ReviewFormat format, Stream stream, FolderLabel folder, Func<RowFault?> check, CancellationToken cancellation)
    {
        await shards.CutAsync(cancellation);
        (int kept, long rowsBefore, long unlabelledBefore, List<long> countsBefore) = (shards.Cut, rows, unlabelled, [.. labelCounts]);
        RowFault? fault;
        try
        {
            await ReadAsync(entry, format, stream, folder, cancellation);
            fault = check();
        }
        catch (Faults.InputRejectedException e) when (IsAboutContent(e))
        {
            fault = new RowFault(e.Code, $"{e.Fact} {e.Remedy}");
        }
        catch (InvalidDataException e)
        {
            fault = DatasetFaults.DamagedEntry(e.Message);
        }
        if (fault is not { } refused) return;
        await shards.DropAsync(kept, cancellation);
        (rows, unlabelled, labelCounts) = (rowsBefore, unlabelledBefore, [.. countsBefore, .. new long[labels.Count - countsBefore.Count]]);
        if (parts.Count > part) parts[part] = parts[part] with { Rows = 0 };
        Refuse(entry, refused.Code, refused.Reason);
    }

    /// <summary>True for refusals of what a file holds; false for those of the run itself (gone, cancelled).</summary>
    public static bool IsAboutContent(Faults.InputRejectedException e) => e.Code is ['D', '0', ..] && e.Code != "D014";

    /// <summary>Reads a table or text to its end.</summary>
    /// <exception cref="Faults.InputRejectedException">It cannot be read at all (D002 to D006, D008, D010).</exception>
    public async Task ReadAsync(string? entry, ReviewFormat format, Stream stream, FolderLabel folder, CancellationToken cancellation)
    {
        (place, part, line, partRows, partRefused) = (entry is null ? Name : PlaceOf(entry), parts.Count, 1, 0, 0);
        source = new TextSource(stream, settings.Encoding);
        await source.FillAsync(1, cancellation);
        if (source.Window.IsEmpty) throw DatasetFaults.Empty();
        if (KindOf(source.Window) is { } kind) throw DatasetFaults.NotText(kind);
        IngestedPart report = format switch
        {
            ReviewFormat.Csv or ReviewFormat.Tsv => await ReadTableAsync(format, cancellation),
            ReviewFormat.Jsonl => await ReadJsonLinesAsync(cancellation),
            _ => await ReadTextAsync(folder, cancellation),
        };
        parts.Add(report with { Name = entry ?? Name, Encoding = source.Encoding, Rows = partRows, Refused = partRefused });
        if (source.Guessed) Warn(DatasetFaults.GuessedEncoding(place));
    }

    /// <summary>What a file is by its first bytes when it is no text, whatever its name says; null for anything else.</summary>
    static string? KindOf(ReadOnlySpan<byte> start) =>
        start.StartsWith("%PDF-"u8) ? "a PDF document"
        : start.StartsWith("PK\x03\x04"u8) ? "a zip archive, as spreadsheets (.xlsx, .ods) and documents (.docx) are"
        : start is [0xD0, 0xCF, 0x11, 0xE0, ..] ? "an old Office document (.xls, .doc)"
        : start is [0x1F, 0x8B, 0x08, ..] ? "compressed by gzip"
        : start is [0x89, (byte)'P', (byte)'N', (byte)'G', ..] or [0xFF, 0xD8, 0xFF, ..] ? "a picture"
        : null;

    async Task<IngestedPart> ReadTableAsync(ReviewFormat format, CancellationToken cancellation)
    {
        CsvLayout? layout;
        while ((layout = CsvLayout.Detect(source.Window, source.Ended, format, settings)) is null)
            await source.FillAsync(2 * source.Window.Length, cancellation);
        if (layout.Warning is not null) Warn(layout.Warning(place));
        else if (layout.Label < 0 && layout.Columns.Count > 1) Warn(DatasetFaults.NoLabels(place, layout.Columns));
        CsvTokenizer tokens = new((byte)layout.Delimiter);
        bool header = layout.HasHeader;
        await DrainAsync(() =>
        {
            while (!shards.Full)
            {
                CsvRead read = tokens.Next(source.Window, source.Ended);
                switch (read)
                {
                    case CsvRead.End or CsvRead.More: return read;
                    case CsvRead.Row when header: header = false; break;
                    case CsvRead.Row: TableRow(layout, tokens); break;
                    case CsvRead.BrokenQuote: RefuseRow(DatasetFaults.BrokenQuote(line + tokens.QuoteLine)); break;
                    case CsvRead.TooLong: RefuseRow(DatasetFaults.RowTooLong()); break;
                }
                source.Advance(tokens.Consumed);
                line += tokens.Lines;
            }
            return CsvRead.Row;
        }, cancellation);
        if (partRows + partRefused == 0) throw DatasetFaults.HeaderOnly(layout.Columns);
        return new IngestedPart("", format == ReviewFormat.Tsv ? "tsv" : "csv", "", layout.Delimiter.ToString(), layout.Columns[layout.Text],
            layout.Label < 0 ? null : layout.Columns[layout.Label], 0, 0);
    }

    void TableRow(CsvLayout layout, CsvTokenizer tokens)
    {
        ReadOnlySpan<byte> window = source.Window;
        int expected = layout.Columns.Count;
        if (tokens.FieldCount > CsvTokenizer.MaxColumns)
        {
            RefuseRow(DatasetFaults.TooManyColumns(tokens.FieldCount));
            return;
        }
        bool ragged = tokens.FieldCount < expected;
        for (int i = expected; i < tokens.FieldCount; i++) ragged |= tokens.Place(i) is var (start, end) && start != end;
        if (ragged)
        {
            RefuseRow(DatasetFaults.Ragged(tokens.FieldCount, expected, layout.Delimiter.ToString()));
            return;
        }
        if (tokens.Consumed > CsvTokenizer.MaxField)
            for (int i = 0; i < expected; i++)
            {
                (int start, int end) = tokens.Place(i);
                if (end - start <= CsvTokenizer.MaxField) continue;
                RefuseRow(DatasetFaults.FieldTooLong(end - start));
                return;
            }
        if (!IsText(window, tokens.Place(layout.Text))) return;
        ReadOnlySpan<byte> label = [];
        GivenSplit split = GivenSplit.None;
        if (layout.Split >= 0)
        {
            if (!IsText(window, tokens.Place(layout.Split))) return;
            if (!TrySplit(tokens.Field(window, layout.Split, ref scratch), out split)) return;
        }
        int labelId = -1;
        if (layout.Label >= 0)
        {
            if (!IsText(window, tokens.Place(layout.Label))) return;
            label = tokens.Field(window, layout.Label, ref scratch);
            if (!TryLabel(label, out labelId)) return;
        }
        Accept(tokens.Field(window, layout.Text, ref scratch), labelId, split);
    }

    async Task<IngestedPart> ReadTextAsync(FolderLabel folder, CancellationToken cancellation)
    {
        int label = -1;
        if (folder.Label is not null && !TryLabel(Encoding.UTF8.GetBytes(folder.Label), out label)) label = -1;
        await DrainLinesAsync(length =>
        {
            if (length > CsvTokenizer.MaxField) RefuseRow(DatasetFaults.FieldTooLong(length));
            else if (IsText(source.Window, (0, length))) Accept(source.Window[..length], label, folder.Split);
        }, cancellation);
        if (partRows + partRefused == 0) throw DatasetFaults.Empty();
        return new IngestedPart("", "txt", "", null, null, null, 0, 0);
    }

    async Task<IngestedPart> ReadJsonLinesAsync(CancellationToken cancellation)
    {
        JsonFields? fields;
        while ((fields = JsonFields.Detect(source.Memory, source.Ended, settings.Columns)) is null)
            await source.FillAsync(2 * source.Window.Length, cancellation);
        await DrainLinesAsync(length => JsonRow(fields, source.Memory[..length]), cancellation);
        if (partRows + partRefused == 0) throw DatasetFaults.Empty();
        return new IngestedPart("", "jsonl", "", null, fields.Text, fields.Label, 0, 0);
    }

    /// <summary>Hands each line at the start of the window to <paramref name="row"/>, by its length in bytes; lines too long to hold are refused.</summary>
    async Task DrainLinesAsync(Action<int> row, CancellationToken cancellation)
    {
        LineTokenizer tokens = new();
        await DrainAsync(() =>
        {
            while (!shards.Full)
            {
                CsvRead read = tokens.Next(source.Window, source.Ended);
                switch (read)
                {
                    case CsvRead.End or CsvRead.More: return read;
                    case CsvRead.Row: row(tokens.Length); break;
                    case CsvRead.TooLong: RefuseRow(DatasetFaults.RowTooLong()); break;
                }
                source.Advance(tokens.Consumed);
                line += tokens.Lines;
            }
            return CsvRead.Row;
        }, cancellation);
    }

    void JsonRow(JsonFields fields, ReadOnlyMemory<byte> json)
    {
        if (json.Span.Trim(" \t"u8).IsEmpty || !IsText(json.Span, (0, json.Length))) return;
        RowFault? fault = fields.Read(json, out string? text, out string? label, out string? splitName);
        if (fault is { } refused)
        {
            RefuseRow(refused);
            return;
        }
        if (!TrySplit(Encoding.UTF8.GetBytes(splitName ?? ""), out GivenSplit split)) return;
        int labelId = -1;
        if (label is not null && !TryLabel(Encoding.UTF8.GetBytes(label), out labelId)) return;
        byte[] bytes = Encoding.UTF8.GetBytes(text!);
        if (bytes.Length > CsvTokenizer.MaxField) RefuseRow(DatasetFaults.FieldTooLong(bytes.Length));
        else if (bytes.Contains((byte)0)) RefuseRow(DatasetFaults.Nul(source.Offset));
        else Accept(bytes, labelId, split);
    }

    /// <summary>Reads rows until the end, storing shards as they fill and reading on when the window runs out.</summary>
    async Task DrainAsync(Func<CsvRead> readRows, CancellationToken cancellation)
    {
        while (readRows() is not CsvRead.End)
        {
            cancellation.ThrowIfCancellationRequested();
            if (shards.Full) await shards.CutAsync(cancellation);
            else await source.FillAsync(Math.Max(1, 2 * source.Window.Length), cancellation);
        }
    }

    /// <summary>Refuses the row when bytes of the window are not text.</summary>
    bool IsText(ReadOnlySpan<byte> window, (int Start, int End) at)
    {
        ReadOnlySpan<byte> bytes = window[at.Start..at.End];
        int wrong = Utf8.IsValid(bytes) ? -1 : FirstInvalid(bytes);
        if (wrong >= 0) RefuseRow(DatasetFaults.Undecodable(source.Encoding, source.Offset + source.SourceLength(window[..(at.Start + wrong)])));
        else if (bytes.IndexOf((byte)0) is >= 0 and var nul) RefuseRow(DatasetFaults.Nul(source.Offset + source.SourceLength(window[..(at.Start + nul)])));
        else if (source.Guessed && TextSource.WasUtf8(bytes)) RefuseRow(DatasetFaults.Ambiguous());
        else return true;
        return false;
    }

    static int FirstInvalid(ReadOnlySpan<byte> bytes)
    {
        int at = 0;
        while (at < bytes.Length && Rune.DecodeFromUtf8(bytes[at..], out _, out int used) == OperationStatus.Done) at += used;
        return at;
    }

    bool TrySplit(ReadOnlySpan<byte> value, out GivenSplit split)
    {
        split = GivenSplit.None;
        value = form.Normalise(value);
        if (value.IsEmpty) return true;
        if (Ascii.EqualsIgnoreCase(value, "train"u8)) split = GivenSplit.Train;
        else if (Ascii.EqualsIgnoreCase(value, "test"u8)) split = GivenSplit.Test;
        else RefuseRow(DatasetFaults.UnknownSplit(Encoding.UTF8.GetString(value)));
        return split != GivenSplit.None;
    }

    /// <summary>Finds or adds the label. Empty is −1, unlabelled.</summary>
    /// <exception cref="Faults.InputRejectedException">There are too many different labels (D010).</exception>
    bool TryLabel(ReadOnlySpan<byte> value, out int id)
    {
        id = -1;
        ReadOnlySpan<byte> bytes = form.Normalise(value);
        if (bytes.IsEmpty) return true;
        int length = bytes.Length <= labelChars.Length ? Encoding.UTF8.GetChars(bytes, labelChars) : Encoding.UTF8.GetCharCount(bytes);
        if (length > ReviewLimits.LabelLength)
        {
            RefuseRow(DatasetFaults.LabelTooLong(length));
            return false;
        }
        ReadOnlySpan<char> label = labelChars.AsSpan(0, length);
        if (labelsBySpan.TryGetValue(label, out id)) return true;
        if (labels.Count == ReviewLimits.LabelsOfFile) throw DatasetFaults.TooManyLabels();
        id = labels.Count;
        labels.Add(label.ToString());
        labelBytes.Add(bytes.ToArray());
        labelCounts.Add(0);
        labelIds.Add(labels[id], id);
        return true;
    }

    void Accept(ReadOnlySpan<byte> utf8, int label, GivenSplit split)
    {
        ReadOnlySpan<byte> text = form.Normalise(utf8);
        if (text.IsEmpty)
        {
            RefuseRow(DatasetFaults.EmptyText());
            return;
        }
        if (text.Length > CsvTokenizer.MaxField)
        {
            RefuseRow(DatasetFaults.FieldTooLong(text.Length));
            return;
        }
        shards.Add(text, ContentHash.Of(text, ref folded), label, label < 0 ? [] : labelBytes[label], split, part, line);
        rows++;
        partRows++;
        if (label < 0) unlabelled++;
        else CollectionsMarshal.AsSpan(labelCounts)[label]++;
    }

    void RefuseRow(RowFault fault)
    {
        partRefused++;
        rejects.Add(place, line, fault.Code, fault.Reason);
    }

    string PlaceOf(string entry) => $"{Name}/{DatasetFaults.Printable(entry)}";
}
