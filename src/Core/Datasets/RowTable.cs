using System.Runtime.InteropServices;
using Scion.Storage;

namespace Scion.Datasets;

/// <summary>What each row of a data set is used for, and the labelled rows. About one byte a row plus 13 a labelled row.</summary>
public sealed class RowTable
{
    RowTable(IReadOnlyList<RowUse[]> uses, LabelledRow[] labelled) => (Uses, Labelled) = (uses, labelled);

    /// <summary>Use of each row, [shard][row].</summary>
    public IReadOnlyList<RowUse[]> Uses { get; }

    /// <summary>Training and test rows, by shard, then row. Row order everywhere: features, predictions, examples.</summary>
    public IReadOnlyList<LabelledRow> Labelled { get; }

    /// <param name="uses">Use of each row, [shard][row].</param>
    /// <param name="classes">Class id of each row whose use is Train or Test, by shard, then row.</param>
    public static RowTable Of(IReadOnlyList<RowUse[]> uses, IReadOnlyList<int> classes)
    {
        List<LabelledRow> labelled = new(classes.Count);
        for (int shard = 0; shard < uses.Count; shard++)
            for (int row = 0; row < uses[shard].Length; row++)
                if (uses[shard][row] is RowUse.Train or RowUse.Test)
                    labelled.Add(new LabelledRow(shard, row, classes[labelled.Count], uses[shard][row]));
        if (labelled.Count != classes.Count) throw new ArgumentException($"{labelled.Count} rows are labelled and {classes.Count} classes given.");
        return new RowTable(uses, [.. labelled]);
    }

    public byte[] ToBytes()
    {
        SafeTensors file = new();
        file.Add("rows", Uses.Select(u => u.Length).ToArray(), Uses.Count);
        byte[] all = new byte[Uses.Sum(u => u.Length)];
        int at = 0;
        foreach (RowUse[] uses in Uses)
        {
            MemoryMarshal.AsBytes(uses.AsSpan()).CopyTo(all.AsSpan(at));
            at += uses.Length;
        }
        file.Add("uses", all, all.Length);
        file.Add("classes", Labelled.Select(l => l.Label).ToArray(), Labelled.Count);
        return file.ToBytes();
    }

    /// <exception cref="Faults.InputRejectedException">The bytes are not a row table (S006, S007).</exception>
    public static RowTable Parse(ReadOnlySpan<byte> bytes)
    {
        SafeTensors file = SafeTensors.Parse(bytes);
        int[] lengths = file.Ints("rows", -1);
        ReadOnlySpan<RowUse> all = MemoryMarshal.Cast<byte, RowUse>(file.Bytes("uses", lengths.Sum()));
        RowUse[][] uses = new RowUse[lengths.Length][];
        int at = 0;
        for (int shard = 0; shard < uses.Length; at += lengths[shard++]) uses[shard] = all.Slice(at, lengths[shard]).ToArray();
        return Of(uses, file.Ints("classes", -1));
    }
}
