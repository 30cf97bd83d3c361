using System.Security.Cryptography;
using Scion.Pipelines;
using Scion.Storage;

namespace Scion.Datasets;

/// <summary>Decides what each row is used for, from the shards' indexes alone: labels folded, copies and conflicts dropped, test rows held out.</summary>
/// <remarks>Reads: indexes, one at a time. Writes: the row table, the findings. Randomness and clock: none; the hash split depends on a text or
/// picture and nothing else. Memory: about 27 bytes a row, and 20 more a labelled row while the table is written; about 1 KiB more a picture.
/// Rules: a text or picture is used once. Its labelled copies win over unlabelled ones, test over training, the first over later ones; copies with
/// different labels are all dropped. Near copies of a picture are copies: they take the hash of the one with the smallest hash. Under a hash split
/// a class that would have no training row trains on all its rows; that, and a near copy with a smaller hash, are the only ways a row moves
/// when others are added.</remarks>
public sealed class CurateStep(StepMemo memo)
{
    const int Version = 2;

    /// <exception cref="Faults.InputRejectedException">There is nothing to train on or to measure with (D301 to D307).</exception>
    public Task<CuratedRows> RunAsync(CurateInput input, IProgress<StepProgress>? progress, CancellationToken cancellation) =>
        memo.RunAsync(nameof(CurateStep), Version, input, async writer =>
        {
            Curation curation = new(input);
            await curation.ReadAsync(memo.Store, done =>
                progress?.Report(new StepProgress(nameof(ITrainingSteps.Curate), done, curation.Rows, "rows")), cancellation);
            curation.Decide();
            return await curation.StoreAsync(memo.Store, writer, cancellation);
        }, cancellation);
}

/// <summary>The work of <see cref="CurateStep"/>: read, decide, store.</summary>
sealed class Curation
{
    /// <summary>Why a labelled row is not used as such.</summary>
    enum Finding : byte { None, Copy, Conflict, SetAside }

    const short Unlabelled = -1, Conflicting = -2;

    /// <summary>Most labels a kind of warning names.</summary>
    const int LabelsNamed = 20;

    readonly DataKind kind;
    readonly IReadOnlyList<IngestedFile> files;
    readonly SplitSettings settings;
    readonly LabelFolding labels;
    readonly List<string> warnings = [];
    readonly DistinctRows texts;
    readonly short[] label;                 // folded label of each row
    readonly GivenSplit[] split;
    readonly RowUse[] use;
    readonly Finding[] finding;
    readonly short[] groupLabel;            // at the first row of a text: the label of all its copies
    readonly bool[] groupTests;             // at the first row of a text: a labelled copy is a given test row
    readonly bool[] aside;                  // by folded label
    CopiedPictures? pictures;               // of images
    byte[] buffer = [];
    long duplicates, conflicts, unlabelledTests, twins, nearCopies;
    Protocol protocol;
    GivenSplit validation;                  // what pictures of a folder 'val' are used for
    int[]? usedRow;                         // at the first row of a text: the row that is used of its copies
    Dictionary<int, int[]>? others;         // at the first row of a text in conflict: its first row of each label

    /// <exception cref="Faults.InputRejectedException">There are no rows (D301), no labels (D302), one (D303) or too many (D305, D307).</exception>
    public Curation(CurateInput input)
    {
        (kind, files, settings) = (input.Kind, input.Files, input.Split);
        long rows = files.Sum(file => file.Shards.Sum(shard => (long)shard.RowCount));
        if (rows == 0) throw DatasetFaults.NoRows(kind, files.Sum(file => file.Refused), files.FirstOrDefault(file => file.FirstRefusal is not null)?.FirstRefusal);
        if (rows > ReviewLimits.Rows) throw DatasetFaults.TooManyRows(kind, rows);
        labels = new LabelFolding(files.SelectMany(file => file.Labels));
        if (labels.Count == 0) throw DatasetFaults.NoLabelledRows(kind, rows);
        if (labels.Count == 1) throw DatasetFaults.OneClass(kind, labels.Name(0), labels.Counts.First().Rows);
        if (labels.Count > short.MaxValue) throw DatasetFaults.TooManyClasses(kind, labels.Count);
        Rows = (int)rows;
        aside = new bool[labels.Count];
        texts = new DistinctRows(Rows);
        (label, groupLabel, split, use, finding, groupTests) = (new short[Rows], new short[Rows], new GivenSplit[Rows], new RowUse[Rows], new Finding[Rows], new bool[Rows]);
    }

    public int Rows { get; }

    IEnumerable<(IngestedFile File, ShardRef Shard)> Shards => files.SelectMany(file => file.Shards.Select(shard => (file, shard)));

    /// <summary>Reads the indexes and finds, for each text, what its copies say.</summary>
    public async Task ReadAsync(IBlobStore store, Action<int> progress, CancellationToken cancellation)
    {
        SetAsideRare([.. labels.Counts.Select(count => count.Rows)]);
        if (kind == DataKind.Images)
        {
            pictures = await CopiedPictures.ReadAsync(store, [.. Shards.Select(s => s.Shard)], cancellation);
            if (!await HasTestsAsync(store, cancellation)) validation = GivenSplit.Test;
        }
        int row = 0;
        foreach ((_, ShardRef shard) in Shards)
        {
            (string[] names, ReadOnlyMemory<byte> rows) = RowIndex.Parse(await IndexAsync(store, shard.Index, cancellation));
            short[] ids = [.. names.Select(name => (short)labels.Of(name))];
            foreach (ref readonly IndexedRow indexed in RowIndex.Rows(rows)) Group(row++, indexed, ids);
            progress(row);
            cancellation.ThrowIfCancellationRequested();
        }
    }

    /// <summary>True when a labelled picture is given to the test.</summary>
    async Task<bool> HasTestsAsync(IBlobStore store, CancellationToken cancellation)
    {
        foreach ((_, ShardRef shard) in Shards)
        {
            (_, ReadOnlyMemory<byte> rows) = RowIndex.Parse(await IndexAsync(store, shard.Index, cancellation));
            foreach (ref readonly IndexedRow row in RowIndex.Rows(rows))
                if (row is { Split: GivenSplit.Test, Label: >= 0 }) return true;
        }
        return false;
    }

    /// <summary>The index's bytes, in one buffer for all: fresh arrays of megabytes would outlive their use.</summary>
    async Task<ReadOnlyMemory<byte>> IndexAsync(IBlobStore store, ArtifactRef index, CancellationToken cancellation)
    {
        if (buffer.Length < index.Length) buffer = new byte[index.Length];
        Memory<byte> bytes = buffer.AsMemory(0, (int)index.Length);
        await using (BlobContent? content = await store.OpenAsync(BlobPath.Parse(index.Path), etag: null, cancellation))
            if (content is not null && content.Item.Length == index.Length)
            {
                await content.Stream.ReadExactlyAsync(bytes, cancellation);
                if (Convert.ToHexStringLower(SHA256.HashData(bytes.Span)) == index.Sha256) return bytes;
            }
        return await store.ReadAsync(index, cancellation);                      // which says what is wrong with it
    }

    void Group(int row, in IndexedRow indexed, short[] ids)
    {
        short id = indexed.Label < 0 ? Unlabelled : ids[indexed.Label];
        split[row] = indexed.Split == GivenSplit.Validation ? validation : indexed.Split;
        if (id >= 0 && aside[id])
        {
            finding[row] = Finding.SetAside;
            id = Unlabelled;
        }
        label[row] = id;
        (ulong high, ulong low) = pictures?[row] ?? (indexed.High, indexed.Low);
        int first = texts.Add(row, high, low);
        if (first == row) groupLabel[row] = id;
        else if (groupLabel[first] == Unlabelled) groupLabel[first] = id;
        else if (id != Unlabelled && groupLabel[first] != id) groupLabel[first] = Conflicting;
        if (id != Unlabelled && split[row] == GivenSplit.Test) groupTests[first] = true;
    }

    /// <summary>Fixes the use of each row.</summary>
    /// <exception cref="Faults.InputRejectedException">Too few classes or rows are left (D304 to D306).</exception>
    public void Decide()
    {
        KeepOneCopy();
        if (pictures is not null)
            for (int row = 0; row < Rows; row++)
                if (use[row] == RowUse.Dropped && finding[row] != Finding.Conflict && usedRow![texts.Find(row)] is >= 0 and var kept && !pictures.AreSame(row, kept)) nearCopies++;
        long[] distinct = PerLabel(row => use[row] is RowUse.Train or RowUse.Test);
        SetAsideRare(distinct);
        for (int row = 0; row < Rows; row++)
            if (use[row] is RowUse.Train or RowUse.Test && aside[label[row]])
                (use[row], finding[row]) = (RowUse.Unlabelled, Finding.SetAside);
        int classes = aside.Count(set => !set);
        if (classes < 2)
            throw DatasetFaults.TooFewRows(kind, [.. labels.Counts.Zip(distinct, (count, rows) => rows == 0 ? count : count with { Rows = rows })
                .OrderByDescending(count => count.Rows)]);
        if (classes > ReviewLimits.Classes) throw DatasetFaults.TooManyClasses(kind, classes);
        HoldOut();
    }

    void KeepOneCopy()
    {
        int[] used = new int[Rows];             // at the first row of a text: the row that is used of its copies
        used.AsSpan().Fill(-1);
        usedRow = used;
        for (int row = 0; row < Rows; row++)
        {
            int first = texts.Find(row);
            short group = groupLabel[first];
            if (group == Conflicting)
            {
                use[row] = RowUse.Dropped;
                if (label[row] == Unlabelled) duplicates++;
                else
                {
                    conflicts++;
                    finding[row] = Finding.Conflict;
                }
            }
            else if (group == Unlabelled && split[row] == GivenSplit.Test && finding[row] == Finding.None)
            {
                use[row] = RowUse.Dropped;
                unlabelledTests++;
            }
            else if (used[first] < 0 && label[row] == group && (!groupTests[first] || split[row] == GivenSplit.Test))
            {
                used[first] = row;
                use[row] = group == Unlabelled ? RowUse.Unlabelled : groupTests[first] ? RowUse.Test : RowUse.Train;
            }
            else
            {
                use[row] = RowUse.Dropped;
                duplicates++;
                if (label[row] != Unlabelled) finding[row] = Finding.Copy;
                if (groupTests[first] && split[row] != GivenSplit.Test) twins++;
            }
        }
    }

    void SetAsideRare(long[] rows)
    {
        long largest = rows.Max();
        for (int id = 0; id < rows.Length; id++) aside[id] |= LabelFolding.IsRare(rows[id], largest);
    }

    void HoldOut()
    {
        long labelled = use.LongCount(use => use is RowUse.Train or RowUse.Test);
        bool given = use.Contains(RowUse.Test);
        if (!given && split.Contains(GivenSplit.Test)) warnings.Add(kind == DataKind.Images
            ? "D320: The folders or splits named 'test' hold out no labelled picture that is used; test pictures are chosen by content instead."
            : "D320: The split column holds out no labelled review that is used; test rows are chosen by content instead.");
        protocol = given ? Protocol.GivenSplit : labelled < settings.CrossValidateBelow ? Protocol.CrossValidation : Protocol.HashSplit;
        if (protocol == Protocol.HashSplit) SplitByHash();
        if (!use.Contains(RowUse.Test)) protocol = Protocol.CrossValidation;
        if (protocol == Protocol.CrossValidation) return;
        (long[] train, long[] test) = (PerLabel(row => use[row] == RowUse.Train), PerLabel(row => use[row] == RowUse.Test));
        for (int id = 0; id < aside.Length; id++)
        {
            if (aside[id]) continue;
            if (train[id] == 0) throw DatasetFaults.NotInTraining(kind, labels.Name(id), test[id]);
            if (test[id] == 0)
                warnings.Add(DatasetFaults.Invariant($"D316: Class '{DatasetFaults.Printable(labels.Name(id))}' has {train[id]} training {kind.Row}s and no test {kind.Row}, so nothing is measured about it. Add {kind.Row}s of it."));
        }
    }

    /// <summary>A row tests when the first 64 bits of its text's hash, as a fraction, are below the share.</summary>
    void SplitByHash()
    {
        ulong below = (ulong)(settings.TestShare * Math.Pow(2, 64));
        long[] training = PerLabel(row => use[row] == RowUse.Train && texts[row] >= below);
        for (int row = 0; row < Rows; row++)
            if (use[row] == RowUse.Train && training[label[row]] > 0 && texts[row] < below) use[row] = RowUse.Test;
    }

    long[] PerLabel(Func<int, bool> counts)
    {
        long[] rows = new long[labels.Count];
        for (int row = 0; row < Rows; row++)
            if (label[row] >= 0 && counts(row)) rows[label[row]]++;
        return rows;
    }

    public async Task<CuratedRows> StoreAsync(IBlobStore store, StepWriter writer, CancellationToken cancellation)
    {
        int[] kept = [.. Enumerable.Range(0, labels.Count).Where(id => !aside[id]).OrderBy(labels.Name, StringComparer.Ordinal)];
        int[] classOf = new int[labels.Count];
        for (int i = 0; i < kept.Length; i++) classOf[kept[i]] = i;
        List<RowUse[]> uses = [];
        List<int> classes = [];
        int at = 0;
        foreach ((_, ShardRef shard) in Shards)
        {
            uses.Add(use[at..(at + shard.RowCount)]);
            for (int row = at; row < at + shard.RowCount; row++)
                if (use[row] is RowUse.Train or RowUse.Test) classes.Add(classOf[label[row]]);
            at += shard.RowCount;
        }
        (long[] train, long[] test) = (PerLabel(row => use[row] == RowUse.Train), PerLabel(row => use[row] == RowUse.Test));
        ArtifactRef? findings = await FindingsAsync(store, writer, cancellation);
        Summarise();
        return new CuratedRows(kind, [.. kept.Select(labels.Name)], [.. Shards.Select(s => s.Shard)],
            await writer.AddAsync("table.bin", RowTable.Of(uses, classes).ToBytes(), cancellation), protocol,
            [.. kept.Select(id => new LabelCount(labels.Name(id), train[id]))], [.. kept.Select(id => new LabelCount(labels.Name(id), test[id]))],
            use.LongCount(use => use == RowUse.Unlabelled), duplicates, conflicts, findings, warnings);
    }

    /// <summary>Warns of no more labels by name than people read; they stand in every status and report of the run.</summary>
    void WarnOfLabels(string code, List<string> each, string alike)
    {
        warnings.AddRange(each.Take(LabelsNamed));
        if (each.Count > LabelsNamed) warnings.Add(DatasetFaults.Invariant($"{code}: {each.Count - LabelsNamed} further labels {alike}."));
    }

    /// <summary>Reads the indexes again for the places of what is listed.</summary>
    async Task<ArtifactRef?> FindingsAsync(IBlobStore store, StepWriter writer, CancellationToken cancellation)
    {
        RejectLog log = new();
        if (pictures is not null) 
            await pictures.NameAsync(store, Enumerable.Range(0, Rows).Where(row => finding[row] != Finding.None).SelectMany(row => new[] { row, OtherOf(row) }).ToHashSet(), cancellation);
        int at = 0;
        foreach ((IngestedFile file, ShardRef shard) in Shards)
        {
            if (finding.AsSpan(at, shard.RowCount).ContainsAnyExcept(Finding.None))
            {
                (string[] names, ReadOnlyMemory<byte> bytes) = RowIndex.Parse(await IndexAsync(store, shard.Index, cancellation));
                ReadOnlySpan<IndexedRow> rows = RowIndex.Rows(bytes);
                for (int i = 0; i < rows.Length; i++)
                {
                    if (finding[at + i] == Finding.None) continue;
                    (string code, string reason) = ReasonOf(at + i, names[rows[i].Label]);
                    log.Add(PlaceOf(file, at + i, rows[i].Part), rows[i].Line, code, reason);
                }
            }
            at += shard.RowCount;
        }
        return await log.StoreAsync(writer, "findings.csv", "", cancellation);
    }

    string PlaceOf(IngestedFile file, int row, int part)
    {
        if (pictures is not null) return $"{StrayUploads.FolderOf(file.Name)}/{DatasetFaults.Printable(pictures.Name(row))}";
        string name = file.Parts.ElementAtOrDefault(part)?.Name ?? file.Name;
        return name == file.Name ? file.Name : $"{file.Name}/{DatasetFaults.Printable(name)}";
    }

    (string Code, string Reason) ReasonOf(int row, string written)
    {
        string name = DatasetFaults.Printable(written);
        if (finding[row] == Finding.SetAside)
            return ("D313", $"The label '{name}' is too rare to be a class; the {kind.Content} is used as unlabelled." + Slip(written));
        bool conflict = finding[row] == Finding.Conflict;
        if (pictures is null)
            return conflict ? ("D312", $"Labelled '{name}'; the same text stands elsewhere with another label, so neither is used. Correct one.")
                : ("D311", $"Labelled '{name}'; the same text stands elsewhere with this label and is used there.");
        int other = OtherOf(row);
        string where = $"'{DatasetFaults.Printable(pictures.Name(other))}'";
        bool same = pictures.AreSame(row, other);
        return conflict
            ? (same ? "D312" : "D322", $"Labelled '{name}'; {(same ? "the same picture" : "a near copy")} is {where} with another label, so neither is used. Correct one.")
            : (same ? "D311" : "D321", $"Labelled '{name}'; {(same ? "the same picture" : "a near copy")} is {where}, which is used.");
    }

    /// <summary>The row that a copy is a copy of: the one that is used, or of those in conflict the first with another label.</summary>
    int OtherOf(int row)
    {
        int first = texts.Find(row);
        if (finding[row] == Finding.Copy) return usedRow![first];
        if (finding[row] != Finding.Conflict) return row;
        others ??= [];
        if (!others.TryGetValue(first, out int[]? group))
            others[first] = group = [.. Enumerable.Range(0, Rows).Where(other => label[other] >= 0 && texts.Find(other) == first).DistinctBy(other => label[other])];
        return group.First(other => label[other] != label[row]);
    }

    string Slip(string name) => labels.SlipOf(labels.Of(name)) is { } meant ? $" Was '{DatasetFaults.Printable(meant)}' meant?" : "";

    void Summarise()
    {
        if (pictures is null)
        {
            if (duplicates > 0) warnings.Add(DatasetFaults.Invariant($"D311: {duplicates} rows are copies of another row and were dropped."));
            if (conflicts > 0) warnings.Add(DatasetFaults.Invariant($"D312: {conflicts} rows have a text that stands elsewhere with another label, and were dropped; they are listed."));
        }
        else
        {
            if (duplicates > nearCopies) warnings.Add(Counted("D311", duplicates - nearCopies, "the same as another and was dropped.", "the same as another and were dropped."));
            if (nearCopies > 0) warnings.Add(Counted("D321", nearCopies, "a near copy of another (saved again, resized, cropped a little) and was dropped.", "near copies of another (saved again, resized, cropped a little) and were dropped."));
            if (conflicts > 0) warnings.Add(Counted("D312", conflicts, "a copy of another with a different label; neither is used, and both are listed.", "copies of another with a different label; none of them is used, and all are listed."));
        }
        long[] all = [.. labels.Counts.Select(count => count.Rows)];
        List<string> rare = [], slips = [];
        for (int id = 0; id < labels.Count; id++)
        {
            string name = DatasetFaults.Printable(labels.Name(id)), slip = Slip(labels.Name(id));
            if (aside[id]) rare.Add(DatasetFaults.Invariant($"D313: Label '{name}' has {all[id]} {kind.Row}s, too few for a class; {(kind == DataKind.Images ? "they" : "their texts")} are used as unlabelled.{slip}"));
            else if (slip.Length > 0) slips.Add(DatasetFaults.Invariant($"D315: Class '{name}' has {all[id]} {kind.Row}s.{slip} If so, correct them and train again."));
        }
        WarnOfLabels("D313", rare, $"are too rare for a class; their {kind.Row}s are listed");
        WarnOfLabels("D315", slips, "look like a larger class");
        WarnOfLabels("D314", [.. labels.Merged.Select(label =>
            DatasetFaults.Invariant($"D314: {label.Spellings} spellings of label '{DatasetFaults.Printable(label.Name)}' were taken as one class."))], "stand in several spellings");
        if (twins > 0) warnings.Add(DatasetFaults.Invariant($"D317: {twins} {kind.Row}s {(kind == DataKind.Images ? "are copies of a test picture" : "have the text of a test row")} and were dropped, so that nothing is measured on what was learned."));
        if (unlabelledTests > 0) warnings.Add(DatasetFaults.Invariant($"D318: {unlabelledTests} test {kind.Row}s have no label and are not used."));
    }

    static string Counted(string code, long pictures, string one, string more) =>
        pictures == 1 ? $"{code}: 1 picture is {one}" : DatasetFaults.Invariant($"{code}: {pictures} pictures are {more}");
}
