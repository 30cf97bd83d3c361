using System.Runtime.InteropServices;

namespace Scion.Text;

/// <summary>Consecutive words of the stream, the words around each, and noise words shared by all: one step of skip-gram, and its scratch.</summary>
/// <remarks>Ji et al. 2016, arXiv:1604.04661, share noise among the words around one; here 16 words and all their pairs share it: a noise word meets each input once, weighted by
/// the pairs it stands for. Filled by <see cref="SkipGramReader"/>, stepped by <see cref="SkipGramBlockKernel"/>. Lies outside the
/// collected heap, at multiples of 64 bytes.</remarks>
sealed unsafe class SkipGramBlock : IDisposable
{
    /// <summary>Most inputs of a block.</summary>
    public const int MostInputs = 16;

    /// <summary>Inputs and noise words are taken four at a time; what is missing is a row of zeros.</summary>
    public const int Tile = 4;

    readonly void* memory;

    /// <param name="span">Most words to each side.</param>
    /// <param name="noise">Most noise words of a block; a multiple of <see cref="Tile"/>.</param>
    /// <param name="width">Floats in a row.</param>
    public SkipGramBlock(int span, int noise, int width)
    {
        int pairs = MostInputs * 2 * span, outputs = MostInputs + (2 * span);
        (MostNoise, Width) = (noise, width);
        nuint at = 0;
        nuint Take(int count, int size)
        {
            nuint start = at;
            at += (nuint)(((count * size) + 127) / 64 * 64);
            return start;
        }
        nuint inputs = Take(MostInputs, 8), outs = Take(outputs, 8), outsOfPairs = Take(pairs + Tile, 8), insOfPairs = Take(pairs, 8), noises = Take(noise, 8), pulls = Take(MostInputs, 8);
        nuint starts = Take(MostInputs + 1, 4), outStarts = Take(outputs + 1, 4), order = Take(pairs, 4), cursor = Take(outputs, 4);
        nuint scores = Take(pairs + 16, 4), noiseScores = Take((MostInputs * noise) + 16, 4), weights = Take(MostInputs * noise, 4), pull = Take(MostInputs * width, 4), zero = Take(width, 4);
        memory = NativeMemory.AlignedAlloc(at, 64);
        NativeMemory.Clear(memory, at);
        byte* start = (byte*)memory;
        Inputs = (float**)(start + inputs);
        Outputs = (float**)(start + outs);
        OutputOfPair = (float**)(start + outsOfPairs);
        InputOfPair = (float**)(start + insOfPairs);
        Noise = (float**)(start + noises);
        Pulls = (float**)(start + pulls);
        PairStarts = (int*)(start + starts);
        OutputStarts = (int*)(start + outStarts);
        PairOrder = (int*)(start + order);
        Cursor = (int*)(start + cursor);
        Scores = (float*)(start + scores);
        NoiseScores = (float*)(start + noiseScores);
        Weights = (float*)(start + weights);
        Zero = (float*)(start + zero);
        for (int i = 0; i < MostInputs; i++) Pulls[i] = (float*)(start + pull) + (i * width);
    }

    ~SkipGramBlock() => NativeMemory.AlignedFree(memory);

    public void Dispose()
    {
        NativeMemory.AlignedFree(memory);
        GC.SuppressFinalize(this);
    }

    public int Width { get; }

    public int MostNoise { get; }

    /// <summary>Inputs, a multiple of <see cref="Tile"/> with the rows of zeros.</summary>
    public int InputCount { get; set; }

    /// <summary>Rows of the inputs, [<see cref="InputCount"/>].</summary>
    public float** Inputs { get; }

    public int OutputCount { get; set; }

    /// <summary>Rows of the words around the inputs, by place, [<see cref="OutputCount"/>]. One may stand twice.</summary>
    public float** Outputs { get; }

    /// <summary>Index of each input's first pair, and last the number of pairs, [inputs + 1].</summary>
    public int* PairStarts { get; }

    /// <summary>Output row of each pair, pairs of an input together, [pairs].</summary>
    public float** OutputOfPair { get; }

    /// <summary>Index of each output's first entry in <see cref="PairOrder"/>, and last the number of pairs, [outputs + 1].</summary>
    public int* OutputStarts { get; }

    /// <summary>Pairs by output, [pairs].</summary>
    public int* PairOrder { get; }

    /// <summary>Input row of each entry of <see cref="PairOrder"/>, [pairs].</summary>
    public float** InputOfPair { get; }

    /// <summary>Scratch, [outputs].</summary>
    public int* Cursor { get; }

    /// <summary>Noise words, distinct, a multiple of <see cref="Tile"/> with the rows of zeros.</summary>
    public int NoiseCount { get; set; }

    public float** Noise { get; }

    /// <summary>Pairs that an input and a noise word stand for, [inputs, <see cref="NoiseCount"/>]; 0 for rows of zeros.</summary>
    public float* Weights { get; }

    /// <summary>Logits of the pairs, then what they add to the rows, [pairs].</summary>
    public float* Scores { get; }

    /// <summary>The same of inputs and noise words, [inputs, <see cref="NoiseCount"/>].</summary>
    public float* NoiseScores { get; }

    /// <summary>What the step adds to the inputs, [inputs] rows.</summary>
    public float** Pulls { get; }

    /// <summary>A row of zeros.</summary>
    public float* Zero { get; }
}
