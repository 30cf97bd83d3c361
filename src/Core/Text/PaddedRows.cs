using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace Scion.Text;

/// <summary>A table while it is trained, [rows, width]: rows padded with zeros to whole vectors of the machine, the first at a multiple of 64 bytes. Outside the
/// collected heap, so that it goes as soon as it is not needed.</summary>
sealed unsafe class PaddedRows : IDisposable
{
    readonly int rows, dim, width;
    bool freed;

    public PaddedRows(int rows, int dim, int width)
    {
        (this.rows, this.dim, this.width) = (rows, dim, width);
        nuint bytes = (nuint)checked(rows * width) * sizeof(float);
        Address = (float*)NativeMemory.AlignedAlloc(Math.Max(bytes, 64), 64);
        NativeMemory.Clear(Address, bytes);
    }

    ~PaddedRows() => Free();

    public float* Address { get; }

    public Span<float> Numbers => new(Address, rows * width);

    public bool Finite() => TensorPrimitives.IsFiniteAll<float>(Numbers);

    /// <param name="table">[rows, dim].</param>
    public void Fill(float[] table)
    {
        for (int row = 0; row < rows; row++) table.AsSpan(row * dim, dim).CopyTo(Numbers[(row * width)..]);
    }

    /// <param name="table">Written and returned, [rows, dim]; a new one where null.</param>
    public float[] Packed(float[]? table = null)
    {
        table ??= GC.AllocateUninitializedArray<float>(checked(rows * dim));
        for (int row = 0; row < rows; row++) Numbers.Slice(row * width, dim).CopyTo(table.AsSpan(row * dim));
        return table;
    }

    void Free()
    {
        if (!freed) NativeMemory.AlignedFree(Address);
        freed = true;
    }

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }
}
