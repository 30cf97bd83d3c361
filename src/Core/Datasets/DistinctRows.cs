namespace Scion.Datasets;

/// <summary>Finds the first row with the same text, or the same picture, as each row. 16 bytes a row for the hashes and 6 for the table.</summary>
/// <param name="rows">Rows in all.</param>
sealed class DistinctRows(int rows)
{
    readonly (ulong High, ulong Low)[] hashes = new (ulong, ulong)[rows];
    readonly int[] slots = new int[(int)Math.Min(Array.MaxLength, rows * 3L / 2 + 1)];

    /// <summary>First half of a row's hash: uniform, and the row's place between 0 and 2⁶⁴ for the hash split.</summary>
    public ulong this[int row] => hashes[row].High;

    /// <summary>Adds a row, in order.</summary>
    /// <returns>The first row that is a copy of it; <paramref name="row"/> itself when it is new.</returns>
    public int Add(int row, ulong high, ulong low)
    {
        hashes[row] = (high, low);
        return Find(row);
    }

    /// <summary>The first row that a row that was added is a copy of.</summary>
    public int Find(int row)
    {
        int slot = (int)Math.BigMul(hashes[row].Low, (ulong)slots.Length, out _);
        while (slots[slot] != 0)
        {
            if (hashes[slots[slot] - 1] == hashes[row]) return slots[slot] - 1;
            if (++slot == slots.Length) slot = 0;
        }
        slots[slot] = row + 1;
        return row;
    }
}
