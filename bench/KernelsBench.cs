using System.Diagnostics.CodeAnalysis;
using System.Runtime.Intrinsics;
using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Scion.Text;

namespace Scion.Bench;

/// <summary>BenchmarkDotNet on what runs once a block, a text or a word; the column Allocated is to be empty, which tests hold.</summary>
static class KernelsBench
{
    public static Task<int> Run(string[] arguments)
    {
        // In this process: the project's own build settings, and no builds in folders beside it.
        IConfig config = DefaultConfig.Instance.AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance)).WithArtifactsPath(Path.Combine(Path.GetTempPath(), "scion-kernels"));
        BenchmarkSwitcher.FromTypes([typeof(BlockKernels), typeof(TextKernels)]).Run(arguments.Length > 0 ? arguments : ["--filter", "*"], config);
        return Task.FromResult(0);
    }
}

/// <summary>What does a step of 16 words cost, by the width of the vectors, beside plain loops over the same pairs?</summary>
[MemoryDiagnoser]
[SuppressMessage("Design", "CA1001", Justification = "Lives as long as the process; BenchmarkDotNet derives from it, so it cannot be sealed.")]
public unsafe class BlockKernels
{
    readonly SkipGramReader reader;
    readonly TokenCorpus corpus;
    readonly PaddedRows input, output;
    readonly SkipGramBlock block;

    public BlockKernels()
    {
        Random random = new(1);
        int[] ids = [.. Enumerable.Range(0, 4096).Select(_ => (int)(2000 * random.NextDouble() * random.NextDouble()))];
        corpus = new TokenCorpus(ids, [0, ids.Length]);
        EmbeddingOptions options = new(SkipGramLoss.NegativeSampling, 100, 5, 5, 1, 1, 0, 0.05, true, 1, 1);
        long[] counts = new long[2000];
        foreach (int id in ids) counts[id]++;
        reader = new SkipGramReader(corpus, options, null, NoiseSampler.ByCount([.. counts.Select(count => count + 1)]), 2000, 0);
        (input, output) = (new PaddedRows(2000, 100, 112), new PaddedRows(2000, 100, 112));
        SkipGramTrainer.Start(input.Numbers, output.Numbers, 2000, 112, options);
        block = new SkipGramBlock(reader.Span, SkipGramReader.NoiseWords(options), 112);
        Refill();
    }

    void Refill()
    {
        int text = 0;
        reader.Read(ref text, corpus.Texts, long.MaxValue);
        for (int i = 0; i < 9; i++) reader.Next(block, input.Address, output.Address);
    }

    [Benchmark(Baseline = true)]
    public void PlainLoops()
    {
        for (int i = 0; i < block.InputCount; i++)
        {
            for (int p = block.PairStarts[i]; p < block.PairStarts[i + 1]; p++) Pair(block.Inputs[i], block.OutputOfPair[p], 1, 1);
            for (int k = 0; k < block.NoiseCount; k++) Pair(block.Inputs[i], block.Noise[k], 0, block.Weights[(i * block.NoiseCount) + k]);
        }
    }

    static void Pair(float* u, float* v, float label, float weight)
    {
        float logit = 0;
        for (int j = 0; j < 100; j++) logit += u[j] * v[j];
        float push = 1e-6f * weight * (label - (1 / (1 + MathF.Exp(-logit))));
        for (int j = 0; j < 100; j++) (u[j], v[j]) = (u[j] + (push * v[j]), v[j] + (push * u[j]));
    }

    [Benchmark]
    public double Step128Bits() => SkipGramBlockKernel.Step<Lanes128, Vector128<float>>(block, 1e-6f, false);

    [Benchmark]
    public double Step256Bits() => SkipGramBlockKernel.Step<Lanes256, Vector256<float>>(block, 1e-6f, false);

    [Benchmark]
    public double Step512Bits() => Vector512.IsHardwareAccelerated ? SkipGramBlockKernel.Step<Lanes512, Vector512<float>>(block, 1e-6f, false) : double.NaN;

    /// <summary>4,096 words read, windows drawn, and 256 blocks filled.</summary>
    [Benchmark]
    public int Reading()
    {
        int text = 0, pairs = 0;
        reader.Read(ref text, corpus.Texts, long.MaxValue);
        for (int of; (of = reader.Next(block, input.Address, output.Address)) >= 0;) pairs += of;
        return pairs;
    }
}

/// <summary>What do reading a text's words and encoding it cost? 230 words, the mean of a film review.</summary>
[MemoryDiagnoser]
public class TextKernels
{
    readonly string text;
    readonly SentenceEncoder encoder;
    readonly float[] features = new float[100];

    public TextKernels()
    {
        Random random = new(1);
        string[] words = [.. Enumerable.Range(0, 5000).Select(i => $"word{i}")];
        Vocabulary vocabulary = new(words, [.. words.Select((_, i) => 10_000L / (i + 1))]);
        text = string.Join(' ', Enumerable.Range(0, 230).Select(_ => words[(int)(5000 * random.NextDouble() * random.NextDouble())]));
        float[] vectors = [.. Enumerable.Range(0, 500_000).Select(_ => (float)random.NextDouble() - 0.5f)];
        encoder = SentenceEncoderFit.Fit(vocabulary, 100, vectors, [text]);
    }

    [Benchmark]
    public int ReadWords()
    {
        int words = 0;
        Tokenizer.WordReader reader = new(Tokenizer.Composed(text), stackalloc char[Tokenizer.MaxWord]);
        while (reader.MoveNext()) words++;
        return words;
    }

    [Benchmark]
    public int Encode() => encoder.Encode(text, features);
}
