using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Scion.Text;

/// <summary>What <see cref="SkipGramBlock"/> needs of a vector of floats, so that it is written once for 512, 256 and 128 bits. The compiler makes code of its own for each.</summary>
/// <typeparam name="V">The vector.</typeparam>
unsafe interface ISimdLanes<V> where V : struct
{
    /// <summary>Floats in a vector.</summary>
    static abstract int Count { get; }

    static abstract V Load(float* from);

    static abstract void Store(V value, float* to);

    static abstract V Create(float value);

    /// <summary>a · b + c, in one rounding where the machine has it.</summary>
    static abstract V MultiplyAdd(V a, V b, V c);

    static abstract V Multiply(V a, V b);

    static abstract V Divide(V a, V b);

    static abstract V Clamp(V value, V least, V most);

    /// <summary>value · 2ⁿ, n being the whole number in the low bits of <paramref name="shifted"/> = n + 1.5 · 2²³.</summary>
    static abstract V Scale(V value, V shifted);

    /// <summary>Sums over the lanes of each: (Σa, Σb, Σc, Σd).</summary>
    static abstract Vector128<float> Sums(V a, V b, V c, V d);
}

/// <summary>AVX-512.</summary>
readonly unsafe struct Lanes512 : ISimdLanes<Vector512<float>>
{
    public static int Count => 16;

    public static Vector512<float> Load(float* from) => Vector512.Load(from);

    public static void Store(Vector512<float> value, float* to) => value.Store(to);

    public static Vector512<float> Create(float value) => Vector512.Create(value);

    public static Vector512<float> MultiplyAdd(Vector512<float> a, Vector512<float> b, Vector512<float> c) => Vector512.MultiplyAddEstimate(a, b, c);

    public static Vector512<float> Multiply(Vector512<float> a, Vector512<float> b) => a * b;

    public static Vector512<float> Divide(Vector512<float> a, Vector512<float> b) => a / b;

    public static Vector512<float> Clamp(Vector512<float> value, Vector512<float> least, Vector512<float> most) => Vector512.ClampNative(value, least, most);

    public static Vector512<float> Scale(Vector512<float> value, Vector512<float> shifted) => (value.AsInt32() + (shifted.AsInt32() << 23)).AsSingle();

    public static Vector128<float> Sums(Vector512<float> a, Vector512<float> b, Vector512<float> c, Vector512<float> d) =>
        Lanes256.Sums(a.GetLower() + a.GetUpper(), b.GetLower() + b.GetUpper(), c.GetLower() + c.GetUpper(), d.GetLower() + d.GetUpper());
}

/// <summary>AVX2.</summary>
readonly unsafe struct Lanes256 : ISimdLanes<Vector256<float>>
{
    public static int Count => 8;

    public static Vector256<float> Load(float* from) => Vector256.Load(from);

    public static void Store(Vector256<float> value, float* to) => value.Store(to);

    public static Vector256<float> Create(float value) => Vector256.Create(value);

    public static Vector256<float> MultiplyAdd(Vector256<float> a, Vector256<float> b, Vector256<float> c) => Vector256.MultiplyAddEstimate(a, b, c);

    public static Vector256<float> Multiply(Vector256<float> a, Vector256<float> b) => a * b;

    public static Vector256<float> Divide(Vector256<float> a, Vector256<float> b) => a / b;

    public static Vector256<float> Clamp(Vector256<float> value, Vector256<float> least, Vector256<float> most) => Vector256.ClampNative(value, least, most);

    public static Vector256<float> Scale(Vector256<float> value, Vector256<float> shifted) => (value.AsInt32() + (shifted.AsInt32() << 23)).AsSingle();

    public static Vector128<float> Sums(Vector256<float> a, Vector256<float> b, Vector256<float> c, Vector256<float> d) =>
        Lanes128.Sums(a.GetLower() + a.GetUpper(), b.GetLower() + b.GetUpper(), c.GetLower() + c.GetUpper(), d.GetLower() + d.GetUpper());
}

/// <summary>NEON and SSE.</summary>
readonly unsafe struct Lanes128 : ISimdLanes<Vector128<float>>
{
    public static int Count => 4;

    public static Vector128<float> Load(float* from) => Vector128.Load(from);

    public static void Store(Vector128<float> value, float* to) => value.Store(to);

    public static Vector128<float> Create(float value) => Vector128.Create(value);

    public static Vector128<float> MultiplyAdd(Vector128<float> a, Vector128<float> b, Vector128<float> c) => Vector128.MultiplyAddEstimate(a, b, c);

    public static Vector128<float> Multiply(Vector128<float> a, Vector128<float> b) => a * b;

    public static Vector128<float> Divide(Vector128<float> a, Vector128<float> b) => a / b;

    public static Vector128<float> Clamp(Vector128<float> value, Vector128<float> least, Vector128<float> most) => Vector128.ClampNative(value, least, most);

    public static Vector128<float> Scale(Vector128<float> value, Vector128<float> shifted) => (value.AsInt32() + (shifted.AsInt32() << 23)).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Sums(Vector128<float> a, Vector128<float> b, Vector128<float> c, Vector128<float> d)
    {
        if (Sse.IsSupported)
        {
            Vector128<float> ab = Sse.UnpackLow(a, b) + Sse.UnpackHigh(a, b), cd = Sse.UnpackLow(c, d) + Sse.UnpackHigh(c, d);
            return Sse.MoveLowToHigh(ab, cd) + Sse.MoveHighToLow(cd, ab);
        }
        if (AdvSimd.Arm64.IsSupported) return AdvSimd.Arm64.AddPairwise(AdvSimd.Arm64.AddPairwise(a, b), AdvSimd.Arm64.AddPairwise(c, d));
        return Vector128.Create(Vector128.Sum(a), Vector128.Sum(b), Vector128.Sum(c), Vector128.Sum(d));
    }
}
