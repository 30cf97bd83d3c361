using CsCheck;
using Scion.Text;

namespace Scion.Tests.Text;

public sealed unsafe class SkipGramKernelTests
{
    /// <summary>Rows of a step in double, the same rows padded for the kernel, and the kernel run on them.</summary>
    sealed class Rows
    {
        public required double[][] Inputs { get; init; }
        public required double[][] Outputs { get; init; }
        public required double[] Biases { get; init; }
        public required double[] Offsets { get; init; }

        public static Rows Random(int inputs, int outputs, int dim, bool nce, int seed)
        {
            Random random = new(seed);
            double[] Row(int n) => [.. Enumerable.Range(0, n).Select(_ => (double)(float)((2 * random.NextDouble()) - 1))];
            return new Rows
            {
                Inputs = [.. Enumerable.Range(0, inputs).Select(_ => Row(dim))],
                Outputs = [.. Enumerable.Range(0, outputs).Select(_ => Row(dim))],
                Biases = nce ? Row(outputs) : new double[outputs],
                Offsets = nce ? Row(outputs) : new double[outputs],
            };
        }

        public (double Loss, float[] Inputs, float[] Outputs, float[] Biases, int Width) Run(float rate, bool biased, int[]? inputRows = null)
        {
            int dim = Inputs[0].Length, width = (dim + 7) / 8 * 8;
            float[] Padded(double[][] rows) => [.. rows.SelectMany(row => row.Select(x => (float)x).Concat(new float[width - dim]))];
            float[] inputs = Padded(Inputs), outputs = Padded(Outputs), biases = [.. Biases.Select(x => (float)x)], offsets = [.. Offsets.Select(x => (float)x)];
            inputRows ??= [.. Enumerable.Range(0, Inputs.Length)];
            float** u = stackalloc float*[inputRows.Length];
            float** v = stackalloc float*[Outputs.Length];
            float** b = stackalloc float*[Outputs.Length];
            fixed (float* inputStart = inputs, outputStart = outputs, biasStart = biases, offset = offsets)
            {
                for (int i = 0; i < inputRows.Length; i++) u[i] = inputStart + (inputRows[i] * width);
                for (int k = 0; k < Outputs.Length; k++)
                {
                    v[k] = outputStart + (k * width);
                    b[k] = biasStart + k;
                }
                double loss = SkipGramKernel.Step(u, inputRows.Length, v, biased ? b : null, offset, Outputs.Length, width, rate, new float[inputRows.Length * SkipGramKernel.Group], true);
                return (loss, inputs, outputs, biases, width);
            }
        }
    }

    static void AssertRows(double[][] expected, float[] actual, int width, double tolerance)
    {
        for (int i = 0; i < expected.Length; i++)
            for (int j = 0; j < width; j++)
                Assert.Equal(j < expected[i].Length ? expected[i][j] : 0, actual[(i * width) + j], tolerance);
    }

    [Fact]
    public void Step_AnyWidthsAndCounts_EqualsTheOracle() =>
        Gen.Select(Gen.Int[1, 130], Gen.Int[1, 65], Gen.Int[1, 70], Gen.Bool, Gen.Int).Sample((inputs, outputs, dim, nce, seed) =>
        {
            Rows rows = Rows.Random(inputs, outputs, dim, nce, seed);

            (double loss, float[] u, float[] v, float[] b, int width) = rows.Run(0.01f, nce);

            double expected = PlainSkipGram.Step(rows.Inputs, rows.Outputs, rows.Biases, rows.Offsets, 0.01f, nce);
            Assert.Equal(expected, loss, 1e-5 * Math.Max(1, expected));
            AssertRows(rows.Inputs, u, width, 2e-5);
            AssertRows(rows.Outputs, v, width, 2e-5);
            for (int k = 0; k < b.Length; k++) Assert.Equal(rows.Biases[k], b[k], 2e-5);
        }, iter: 200);

    // One group is one exact gradient step: what is added is −rate times the slope of the loss, by central differences.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Step_OneGroup_StepsDownTheNumericalGradient(bool nce) => Gen.Int.Sample(seed =>
    {
        Rows rows = Rows.Random(3, 6, 9, nce, seed);

        (_, float[] u, float[] v, float[] b, int width) = rows.Run(1e-2f, nce);

        double Slope(ref double value)
        {
            const double h = 1e-5;
            double was = value;
            value = was + h;
            double up = PlainSkipGram.Loss(rows.Inputs, rows.Outputs, rows.Biases, rows.Offsets);
            value = was - h;
            double down = PlainSkipGram.Loss(rows.Inputs, rows.Outputs, rows.Biases, rows.Offsets);
            value = was;
            return (up - down) / (2 * h);
        }
        for (int j = 0; j < 9; j++)
        {
            for (int i = 0; i < 3; i++) Assert.Equal(-1e-2 * Slope(ref rows.Inputs[i][j]), u[(i * width) + j] - rows.Inputs[i][j], 2e-6);
            for (int k = 0; k < 6; k++) Assert.Equal(-1e-2 * Slope(ref rows.Outputs[k][j]), v[(k * width) + j] - rows.Outputs[k][j], 2e-6);
        }
        if (nce)
            for (int k = 0; k < 6; k++) Assert.Equal(-1e-2 * Slope(ref rows.Biases[k]), b[k] - rows.Biases[k], 2e-6);
    }, iter: 20);

    [Fact]
    public void Step_AContextWordTwice_MovesItTwice()
    {
        Rows rows = Rows.Random(2, 6, 16, nce: false, seed: 3);
        double[] before = (double[])rows.Inputs[0].Clone();

        (_, float[] twice, _, _, _) = rows.Run(1e-3f, biased: false, [0, 0, 1]);
        (_, float[] once, _, _, _) = rows.Run(1e-3f, biased: false, [0, 1]);

        for (int j = 0; j < 16; j++) Assert.Equal(2 * (once[j] - before[j]), twice[j] - before[j], 1e-5);
    }

    [Fact]
    public void Step_HugeLogits_StaysFiniteAndSaturates()
    {
        Rows rows = Rows.Random(1, 2, 8, nce: false, seed: 1);
        for (int j = 0; j < 8; j++) (rows.Inputs[0][j], rows.Outputs[0][j], rows.Outputs[1][j]) = (1e3, 1e3, -1e3);

        (double loss, float[] u, _, _, _) = rows.Run(0.05f, biased: false);

        Assert.Equal(0, loss, 1e-6);
        Assert.All(u, value => Assert.Equal(1e3f, value));
    }

    [Fact]
    public void Step_Repeated_AllocatesNothing()
    {
        Rows rows = Rows.Random(10, 6, 100, nce: false, seed: 5);
        float[] table = new float[16 * 104], offsets = new float[6], scratch = new float[60];
        fixed (float* start = table, offset = offsets)
        {
            float** u = stackalloc float*[10];
            float** v = stackalloc float*[6];
            for (int i = 0; i < 16; i++)
                if (i < 10) u[i] = start + (i * 104);
                else v[i - 10] = start + (i * 104);
            SkipGramKernel.Step(u, 10, v, null, offset, 6, 104, 0.05f, scratch, true);
            long before = GC.GetAllocatedBytesForCurrentThread();

            for (int i = 0; i < 1000; i++) SkipGramKernel.Step(u, 10, v, null, offset, 6, 104, 0.05f, scratch, true);

            Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        }
    }
}
