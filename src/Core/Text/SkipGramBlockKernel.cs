using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Scion.Text;

/// <summary>One exact gradient step of negative sampling on a block, in place: all rows are read before any is written.</summary>
/// <remarks>−Σ over pairs of log σ(u·v) − Σ over inputs and noise words of weight · log σ(−u·n). The products are three small matrix products in the first level cache,
/// written for the registers of each width; a row comes from memory once and goes back once.</remarks>
static unsafe class SkipGramBlockKernel
{
    /// <summary>Floats that rows are padded to a multiple of, by the widest vectors that do not pad by more than an eighth.</summary>
    public static int Lane(int dim)
    {
        if (Vector512.IsHardwareAccelerated && Padded(dim, 16) * 8 <= Padded(dim, 8) * 9) return 16;
        return Vector256.IsHardwareAccelerated && Padded(dim, 8) * 8 <= Padded(dim, 4) * 9 ? 8 : 4;
    }

    public static int Padded(int dim, int lane) => (dim + lane - 1) / lane * lane;

    /// <param name="block">Rows, pairs and weights.</param>
    /// <param name="rate">Learning rate.</param>
    /// <param name="measure">True: return the loss.</param>
    /// <returns>Loss before the step, nats, summed; 0 when not measured.</returns>
    public static double Step(SkipGramBlock block, float rate, bool measure)
    {
        if (Vector512.IsHardwareAccelerated && block.Width % 16 == 0) return Step<Lanes512, Vector512<float>>(block, rate, measure);
        return Vector256.IsHardwareAccelerated && block.Width % 8 == 0
            ? Step<Lanes256, Vector256<float>>(block, rate, measure)
            : Step<Lanes128, Vector128<float>>(block, rate, measure);
    }

    public static double Step<L, V>(SkipGramBlock block, float rate, bool measure) where L : struct, ISimdLanes<V> where V : struct
    {
        Scores<L, V>(block);
        NoiseScores<L, V>(block);
        double loss = measure ? Loss(block) : 0;
        int pairs = block.PairStarts[block.InputCount], cells = block.InputCount * block.NoiseCount;
        Pushes<L, V>(block.Scores, null, pairs, -1, rate);                                     // rate · (1 − σ(u·v))
        Pushes<L, V>(block.NoiseScores, block.Weights, cells, 1, -rate);                       // −rate · weight · σ(u·n)
        PullInputs<L, V>(block);
        for (int k = 0; k < block.NoiseCount; k += SkipGramBlock.Tile)
            Add<L, V>(block.Noise + k, block.Inputs, block.InputCount, block.NoiseScores + k, 1, block.NoiseCount, block.Width, fresh: false);
        PushOutputs<L, V>(block);
        AddPulls<L, V>(block);
        return loss;
    }

    static double Loss(SkipGramBlock block)
    {
        double loss = 0;
        for (int p = 0; p < block.PairStarts[block.InputCount]; p++) loss += Softplus(-block.Scores[p]);
        for (int c = 0; c < block.InputCount * block.NoiseCount; c++)
            if (block.Weights[c] != 0) loss += block.Weights[c] * Softplus(block.NoiseScores[c]);
        return loss;
    }

    static double Softplus(double x) => Math.Max(x, 0) + Math.Log(1 + Math.Exp(-Math.Abs(x)));          // −log σ(−x) without overflow

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void Scores<L, V>(SkipGramBlock block) where L : struct, ISimdLanes<V> where V : struct
    {
        int width = block.Width;
        for (int i = 0; i < block.InputCount; i++)
        {
            float* u = block.Inputs[i];
            int p = block.PairStarts[i], end = block.PairStarts[i + 1];
            for (; p + 2 < end; p += 4)                                     // the tail may read up to one row too many, which is there
            {
                float* v0 = block.OutputOfPair[p], v1 = block.OutputOfPair[p + 1], v2 = block.OutputOfPair[p + 2], v3 = p + 3 < end ? block.OutputOfPair[p + 3] : v0;
                V s0 = default, s1 = default, s2 = default, s3 = default;
                for (int j = 0; j < width; j += L.Count)
                {
                    V x = L.Load(u + j);
                    s0 = L.MultiplyAdd(x, L.Load(v0 + j), s0);
                    s1 = L.MultiplyAdd(x, L.Load(v1 + j), s1);
                    s2 = L.MultiplyAdd(x, L.Load(v2 + j), s2);
                    s3 = L.MultiplyAdd(x, L.Load(v3 + j), s3);
                }
                L.Sums(s0, s1, s2, s3).Store(block.Scores + p);             // what is too many, the next input overwrites
            }
            if (p < end)
            {
                float* v0 = block.OutputOfPair[p], v1 = p + 1 < end ? block.OutputOfPair[p + 1] : v0;
                V s0 = default, s1 = default;
                for (int j = 0; j < width; j += L.Count)
                {
                    V x = L.Load(u + j);
                    s0 = L.MultiplyAdd(x, L.Load(v0 + j), s0);
                    s1 = L.MultiplyAdd(x, L.Load(v1 + j), s1);
                }
                L.Sums(s0, s1, s0, s1).Store(block.Scores + p);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void NoiseScores<L, V>(SkipGramBlock block) where L : struct, ISimdLanes<V> where V : struct
    {
        int width = block.Width, noise = block.NoiseCount;
        for (int k = 0; k < noise; k += 4)
        {
            float* n0 = block.Noise[k], n1 = block.Noise[k + 1], n2 = block.Noise[k + 2], n3 = block.Noise[k + 3];
            for (int i = 0; i < block.InputCount; i += 2)
            {
                float* u0 = block.Inputs[i], u1 = block.Inputs[i + 1];
                V a0 = default, a1 = default, a2 = default, a3 = default, b0 = default, b1 = default, b2 = default, b3 = default;
                for (int j = 0; j < width; j += L.Count)
                {
                    V x = L.Load(u0 + j), y = L.Load(u1 + j);
                    V n = L.Load(n0 + j);
                    a0 = L.MultiplyAdd(x, n, a0);
                    b0 = L.MultiplyAdd(y, n, b0);
                    n = L.Load(n1 + j);
                    a1 = L.MultiplyAdd(x, n, a1);
                    b1 = L.MultiplyAdd(y, n, b1);
                    n = L.Load(n2 + j);
                    a2 = L.MultiplyAdd(x, n, a2);
                    b2 = L.MultiplyAdd(y, n, b2);
                    n = L.Load(n3 + j);
                    a3 = L.MultiplyAdd(x, n, a3);
                    b3 = L.MultiplyAdd(y, n, b3);
                }
                L.Sums(a0, a1, a2, a3).Store(block.NoiseScores + (i * noise) + k);
                L.Sums(b0, b1, b2, b3).Store(block.NoiseScores + ((i + 1) * noise) + k);
            }
        }
    }

    /// <summary>Logits become factor · weight · σ(sign · logit), in place. σ by 2^x as a polynomial (Cephes): relative error below 3·10⁻⁷.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Pushes<L, V>(float* logits, float* weights, int count, float sign, float factor) where L : struct, ISimdLanes<V> where V : struct
    {
        V log2 = L.Create(-sign * 1.44269504f), least = L.Create(-120f), most = L.Create(120f), one = L.Create(1f), minus = L.Create(-1f), f = L.Create(factor);
        V shift = L.Create(12582912f), back = L.Create(-12582912f);                          // 1.5 · 2²³: adding it rounds to a whole number
        V c5 = L.Create(1.535336188e-4f), c4 = L.Create(1.339887440e-3f), c3 = L.Create(9.618437357e-3f);
        V c2 = L.Create(5.550332471e-2f), c1 = L.Create(2.402264791e-1f), c0 = L.Create(6.931472028e-1f);
        for (int j = 0; j < count; j += L.Count)
        {
            V t = L.Clamp(L.Multiply(L.Load(logits + j), log2), least, most);                // e^−x = 2^t
            V whole = L.MultiplyAdd(t, one, shift), r = L.MultiplyAdd(L.MultiplyAdd(whole, one, back), minus, t);
            V p = L.MultiplyAdd(L.MultiplyAdd(L.MultiplyAdd(c5, r, c4), r, c3), r, c2);
            p = L.MultiplyAdd(L.MultiplyAdd(L.MultiplyAdd(p, r, c1), r, c0), r, one);
            V push = L.Divide(f, L.MultiplyAdd(L.Scale(p, whole), one, one));
            L.Store(weights is null ? push : L.Multiply(push, L.Load(weights + j)), logits + j);
        }
    }

    /// <summary>Pulls: the noise words' part as a matrix product, then each input's own pairs.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void PullInputs<L, V>(SkipGramBlock block) where L : struct, ISimdLanes<V> where V : struct
    {
        for (int i = 0; i < block.InputCount; i += SkipGramBlock.Tile)
            Add<L, V>(block.Pulls + i, block.Noise, block.NoiseCount, block.NoiseScores + (i * block.NoiseCount), block.NoiseCount, 1, block.Width, fresh: true);
        for (int i = 0; i < block.InputCount; i++)
        {
            int from = block.PairStarts[i];
            AddOne<L, V>(block.Pulls[i], block.OutputOfPair + from, block.PairStarts[i + 1] - from, block.Scores + from, null, block.Width);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void PushOutputs<L, V>(SkipGramBlock block) where L : struct, ISimdLanes<V> where V : struct
    {
        for (int c = 0; c < block.OutputCount; c++)
        {
            int from = block.OutputStarts[c];
            AddOne<L, V>(block.Outputs[c], block.InputOfPair + from, block.OutputStarts[c + 1] - from, block.Scores, block.PairOrder + from, block.Width);
        }
    }

    /// <summary>Four rows: target_t (+)= Σ_s g[t · perTarget + s · perSource] · source_s.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void Add<L, V>(float** targets, float** sources, int count, float* g, int perTarget, int perSource, int width, bool fresh)
        where L : struct, ISimdLanes<V> where V : struct
    {
        float* t0 = targets[0], t1 = targets[1], t2 = targets[2], t3 = targets[3];
        int j = 0;
        for (; j + (2 * L.Count) <= width; j += 2 * L.Count)
        {
            int k = j + L.Count;
            V a0 = default, a1 = default, a2 = default, a3 = default, b0 = default, b1 = default, b2 = default, b3 = default;
            if (!fresh)
            {
                (a0, a1, a2, a3) = (L.Load(t0 + j), L.Load(t1 + j), L.Load(t2 + j), L.Load(t3 + j));
                (b0, b1, b2, b3) = (L.Load(t0 + k), L.Load(t1 + k), L.Load(t2 + k), L.Load(t3 + k));
            }
            float* row = g;
            for (int s = 0; s < count; s++, row += perSource)
            {
                float* source = sources[s];
                V x = L.Load(source + j), y = L.Load(source + k);
                V push = L.Create(row[0]);
                a0 = L.MultiplyAdd(push, x, a0);
                b0 = L.MultiplyAdd(push, y, b0);
                push = L.Create(row[perTarget]);
                a1 = L.MultiplyAdd(push, x, a1);
                b1 = L.MultiplyAdd(push, y, b1);
                push = L.Create(row[2 * perTarget]);
                a2 = L.MultiplyAdd(push, x, a2);
                b2 = L.MultiplyAdd(push, y, b2);
                push = L.Create(row[3 * perTarget]);
                a3 = L.MultiplyAdd(push, x, a3);
                b3 = L.MultiplyAdd(push, y, b3);
            }
            L.Store(a0, t0 + j);
            L.Store(b0, t0 + k);
            L.Store(a1, t1 + j);
            L.Store(b1, t1 + k);
            L.Store(a2, t2 + j);
            L.Store(b2, t2 + k);
            L.Store(a3, t3 + j);
            L.Store(b3, t3 + k);
        }
        if (j < width)
        {
            V a0 = default, a1 = default, a2 = default, a3 = default;
            if (!fresh) (a0, a1, a2, a3) = (L.Load(t0 + j), L.Load(t1 + j), L.Load(t2 + j), L.Load(t3 + j));
            float* row = g;
            for (int s = 0; s < count; s++, row += perSource)
            {
                V x = L.Load(sources[s] + j);
                a0 = L.MultiplyAdd(L.Create(row[0]), x, a0);
                a1 = L.MultiplyAdd(L.Create(row[perTarget]), x, a1);
                a2 = L.MultiplyAdd(L.Create(row[2 * perTarget]), x, a2);
                a3 = L.MultiplyAdd(L.Create(row[3 * perTarget]), x, a3);
            }
            L.Store(a0, t0 + j);
            L.Store(a1, t1 + j);
            L.Store(a2, t2 + j);
            L.Store(a3, t3 + j);
        }
    }

    /// <summary>One row: target += Σ_s g[order_s] · source_s; all in order where <paramref name="order"/> is null.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void AddOne<L, V>(float* target, float** sources, int count, float* g, int* order, int width) where L : struct, ISimdLanes<V> where V : struct
    {
        int j = 0;
        for (; j + (4 * L.Count) <= width; j += 4 * L.Count)
        {
            float* to = target + j;
            V a = L.Load(to), b = L.Load(to + L.Count), c = L.Load(to + (2 * L.Count)), d = L.Load(to + (3 * L.Count));
            for (int s = 0; s < count; s++)
            {
                V push = L.Create(g[order is null ? s : order[s]]);
                float* source = sources[s] + j;
                a = L.MultiplyAdd(push, L.Load(source), a);
                b = L.MultiplyAdd(push, L.Load(source + L.Count), b);
                c = L.MultiplyAdd(push, L.Load(source + (2 * L.Count)), c);
                d = L.MultiplyAdd(push, L.Load(source + (3 * L.Count)), d);
            }
            L.Store(a, to);
            L.Store(b, to + L.Count);
            L.Store(c, to + (2 * L.Count));
            L.Store(d, to + (3 * L.Count));
        }
        for (; j + (2 * L.Count) <= width; j += 2 * L.Count)
        {
            float* to = target + j;
            V a = L.Load(to), b = L.Load(to + L.Count);
            for (int s = 0; s < count; s++)
            {
                V push = L.Create(g[order is null ? s : order[s]]);
                float* source = sources[s] + j;
                a = L.MultiplyAdd(push, L.Load(source), a);
                b = L.MultiplyAdd(push, L.Load(source + L.Count), b);
            }
            L.Store(a, to);
            L.Store(b, to + L.Count);
        }
        for (; j < width; j += L.Count)
        {
            V a = L.Load(target + j);
            for (int s = 0; s < count; s++) a = L.MultiplyAdd(L.Create(g[order is null ? s : order[s]]), L.Load(sources[s] + j), a);
            L.Store(a, target + j);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void AddPulls<L, V>(SkipGramBlock block) where L : struct, ISimdLanes<V> where V : struct
    {
        V one = L.Create(1f);
        for (int i = 0; i < block.InputCount; i++)
        {
            float* u = block.Inputs[i], pull = block.Pulls[i];
            for (int j = 0; j < block.Width; j += L.Count) L.Store(L.MultiplyAdd(one, L.Load(pull + j), L.Load(u + j)), u + j);
        }
    }
}
