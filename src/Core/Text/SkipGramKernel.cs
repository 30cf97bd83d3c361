using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Scion.Text;

/// <summary>One stochastic step of skip-gram on all contexts of a word at once, in place.</summary>
/// <remarks>The words around a centre word share the centre and its noise words, so each output row is read once for all of them
/// (Ji et al. 2016, arXiv:1604.04661). Outputs are taken <see cref="Group"/> at a time; each group is one exact gradient step of
/// Σ over inputs and outputs of −log σ(±(u·v + b − offset)), all rows read before any is written. Differs from word2vec.c in that
/// sharing and in that σ is computed, not read from a table.</remarks>
static unsafe class SkipGramKernel
{
    /// <summary>Outputs of one gradient step: as many rows as fit into the registers of a 256-bit machine beside their updates.</summary>
    public const int Group = 6;

    /// <summary>Rows are padded with zeros to whole vectors of this many floats.</summary>
    public const int Lane = 8;

    /// <param name="inputs">Rows of the context words, [inputCount] pointers to [width]. A row may stand twice: its
    /// updates add up, and its second push to the outputs is from where the first has moved it.</param>
    /// <param name="inputCount">Rows in <paramref name="inputs"/>.</param>
    /// <param name="outputs">Rows of the centre word (first) and the noise words, distinct, [outputCount] pointers to [width].</param>
    /// <param name="biases">Bias of each output, [outputCount] pointers, or null where the objective has none.</param>
    /// <param name="offsets">Taken off each logit, [outputCount]: log of the expected draws under NCE, else 0.</param>
    /// <param name="outputCount">Rows in <paramref name="outputs"/>.</param>
    /// <param name="width">Floats in a row, a multiple of <see cref="Lane"/>.</param>
    /// <param name="rate">Learning rate.</param>
    /// <param name="scratch">[inputCount · <see cref="Group"/>] floats; what it holds on entry is ignored.</param>
    /// <param name="measure">True: return the loss.</param>
    /// <returns>Loss before the step, nats, summed over inputs and outputs; 0 when not measured.</returns>
    public static double Step(
        float** inputs, int inputCount, float** outputs, float** biases, float* offsets, int outputCount, int width, float rate,
        Span<float> scratch, bool measure)
    {
        double loss = 0;
        for (int first = 0; first < outputCount; first += Group)
        {
            int count = Math.Min(Group, outputCount - first);
            Span<float> gradient = scratch[..(inputCount * count)];
            fixed (float* g = gradient)
            {
                Scores(inputs, inputCount, outputs + first, count, width, g);
                for (int k = 0; k < count; k++)
                {
                    float shift = (biases is null ? 0 : *biases[first + k]) - offsets[first + k];
                    if (shift == 0) continue;
                    for (int i = 0; i < inputCount; i++) g[(i * count) + k] += shift;
                }
                if (measure) loss += Loss(gradient, count, first == 0);
                TensorPrimitives.Sigmoid(gradient, gradient);
                if (first == 0)
                    for (int i = 0; i < inputCount; i++) g[i * count] -= 1;          // the centre word's label is 1, the noise words' 0
                TensorPrimitives.Multiply(gradient, -rate, gradient);
                if (biases is not null)
                    for (int k = 0; k < count; k++)
                        for (int i = 0; i < inputCount; i++) *biases[first + k] += g[(i * count) + k];
                if (count == Group) UpdateSix(inputs, inputCount, outputs + first, width, g);
                else Update(inputs, inputCount, outputs + first, count, width, g);
            }
        }
        return loss;
    }

    static double Loss(ReadOnlySpan<float> logits, int count, bool centreFirst)
    {
        double loss = 0;
        for (int i = 0; i < logits.Length; i++)
        {
            double x = centreFirst && i % count == 0 ? -logits[i] : logits[i];
            loss += Math.Max(x, 0) + Math.Log(1 + Math.Exp(-Math.Abs(x)));            // −log σ(−x) without overflow
        }
        return loss;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void Scores(float** inputs, int inputCount, float** outputs, int count, int width, float* scores)
    {
        for (int i = 0; i < inputCount; i++)
        {
            float* u = inputs[i];
            int k = 0;
            for (; k + 3 <= count; k += 3)
            {
                float* v0 = outputs[k], v1 = outputs[k + 1], v2 = outputs[k + 2];
                Vector256<float> s0 = Vector256<float>.Zero, s1 = s0, s2 = s0;
                for (int j = 0; j < width; j += Lane)
                {
                    Vector256<float> x = Vector256.Load(u + j);
                    s0 = Vector256.FusedMultiplyAdd(x, Vector256.Load(v0 + j), s0);
                    s1 = Vector256.FusedMultiplyAdd(x, Vector256.Load(v1 + j), s1);
                    s2 = Vector256.FusedMultiplyAdd(x, Vector256.Load(v2 + j), s2);
                }
                scores[(i * count) + k] = Vector256.Sum(s0);
                scores[(i * count) + k + 1] = Vector256.Sum(s1);
                scores[(i * count) + k + 2] = Vector256.Sum(s2);
            }
            for (; k < count; k++)
            {
                float* v = outputs[k];
                Vector256<float> s = Vector256<float>.Zero;
                for (int j = 0; j < width; j += Lane) s = Vector256.FusedMultiplyAdd(Vector256.Load(u + j), Vector256.Load(v + j), s);
                scores[(i * count) + k] = Vector256.Sum(s);
            }
        }
    }

    /// <summary>All rows, one vector of columns at a time: outputs and their updates stay in registers, inputs pass through once.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void UpdateSix(float** inputs, int inputCount, float** outputs, int width, float* g)
    {
        float* p0 = outputs[0], p1 = outputs[1], p2 = outputs[2], p3 = outputs[3], p4 = outputs[4], p5 = outputs[5];
        for (int j = 0; j < width; j += Lane)
        {
            Vector256<float> v0 = Vector256.Load(p0 + j), v1 = Vector256.Load(p1 + j), v2 = Vector256.Load(p2 + j);
            Vector256<float> v3 = Vector256.Load(p3 + j), v4 = Vector256.Load(p4 + j), v5 = Vector256.Load(p5 + j);
            Vector256<float> d0 = v0, d1 = v1, d2 = v2, d3 = v3, d4 = v4, d5 = v5;
            float* row = g;
            for (int i = 0; i < inputCount; i++, row += Group)
            {
                float* u = inputs[i] + j;
                Vector256<float> x = Vector256.Load(u), pull = x;
                Vector256<float> g0 = Vector256.Create(row[0]), g1 = Vector256.Create(row[1]), g2 = Vector256.Create(row[2]);
                pull = Vector256.FusedMultiplyAdd(g0, v0, pull);
                d0 = Vector256.FusedMultiplyAdd(g0, x, d0);
                pull = Vector256.FusedMultiplyAdd(g1, v1, pull);
                d1 = Vector256.FusedMultiplyAdd(g1, x, d1);
                pull = Vector256.FusedMultiplyAdd(g2, v2, pull);
                d2 = Vector256.FusedMultiplyAdd(g2, x, d2);
                Vector256<float> g3 = Vector256.Create(row[3]), g4 = Vector256.Create(row[4]), g5 = Vector256.Create(row[5]);
                pull = Vector256.FusedMultiplyAdd(g3, v3, pull);
                d3 = Vector256.FusedMultiplyAdd(g3, x, d3);
                pull = Vector256.FusedMultiplyAdd(g4, v4, pull);
                d4 = Vector256.FusedMultiplyAdd(g4, x, d4);
                pull = Vector256.FusedMultiplyAdd(g5, v5, pull);
                d5 = Vector256.FusedMultiplyAdd(g5, x, d5);
                pull.Store(u);
            }
            d0.Store(p0 + j);
            d1.Store(p1 + j);
            d2.Store(p2 + j);
            d3.Store(p3 + j);
            d4.Store(p4 + j);
            d5.Store(p5 + j);
        }
    }

    static void Update(float** inputs, int inputCount, float** outputs, int count, int width, float* g)
    {
        Vector256<float>* v = stackalloc Vector256<float>[Group];
        Vector256<float>* d = stackalloc Vector256<float>[Group];
        for (int j = 0; j < width; j += Lane)
        {
            for (int k = 0; k < count; k++) v[k] = d[k] = Vector256.Load(outputs[k] + j);
            for (int i = 0; i < inputCount; i++)
            {
                float* u = inputs[i] + j;
                Vector256<float> x = Vector256.Load(u), pull = x;
                for (int k = 0; k < count; k++)
                {
                    Vector256<float> step = Vector256.Create(g[(i * count) + k]);
                    pull = Vector256.FusedMultiplyAdd(step, v[k], pull);
                    d[k] = Vector256.FusedMultiplyAdd(step, x, d[k]);
                }
                pull.Store(u);
            }
            for (int k = 0; k < count; k++) d[k].Store(outputs[k] + j);
        }
    }
}
