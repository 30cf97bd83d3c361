using System.Numerics.Tensors;
using System.Runtime.Intrinsics.X86;

namespace Scion.Text;

/// <summary>Reads a part of a corpus as blocks for <see cref="SkipGramBlockKernel"/>: thins frequent words, draws windows and noise words.</summary>
/// <remarks>Each word is an input once and is to tell the words around it, at most a span of 1 to the window drawn for it: the paper's form, and fastText's. Words
/// that were thinned do not count as distance. Blocks cross from text to text; pairs do not. Noise is drawn for a block, with repetition; a word drawn twice weighs
/// twice, and one that stands around an input is left out for that pair, so that a pair meets <see cref="EmbeddingOptions.Negatives"/> noise words in the mean, as in the plain
/// algorithm.</remarks>
/// <param name="corpus">The texts.</param>
/// <param name="options">Complete options.</param>
/// <param name="keep">Chance of each word to stay, in 1/(2³² − 1); null: all stay.</param>
/// <param name="noise">Draws noise words.</param>
/// <param name="words">Words in the vocabulary.</param>
/// <param name="seedStream">Tells the random numbers of threads, shards and rounds apart.</param>
sealed unsafe class SkipGramReader(TokenCorpus corpus, EmbeddingOptions options, uint[]? keep, NoiseSampler noise, int words, int seedStream)
{
    /// <summary>Pairs of one input that a noise word stands for, in the mean. More is faster, and the vectors are noisier: measured in docs/experiments.md.</summary>
    public const int PairsPerNoise = 1;

    readonly int window = options.Window == 0 ? SkipGramTrainer.LongestSpan : options.Window;
    readonly int draws = NoiseWords(options);
    readonly short[] slotOf = NewSlots(words);                // of a word in the block's noise, or −1
    readonly int[] noiseIds = new int[NoiseWords(options)];
    readonly float[] repeats = new float[NoiseWords(options)];          // of each noise word in the block
    int[] ids = new int[8192], from = new int[8192], to = new int[8192];
    int length, at;
    Xoshiro random = new(options.Seed, seedStream);

    /// <summary>Noise words drawn for a block, a multiple of <see cref="SkipGramBlock.Tile"/>.</summary>
    public static int NoiseWords(EmbeddingOptions options)
    {
        int window = options.Window == 0 ? SkipGramTrainer.LongestSpan : options.Window, pairs = options.Window == 0 ? 2 * window : window + 1;
        int draws = Math.Max(options.Negatives, options.Negatives * pairs / PairsPerNoise);
        return (draws + SkipGramBlock.Tile - 1) / SkipGramBlock.Tile * SkipGramBlock.Tile;
    }

    public int Span => window;

    static short[] NewSlots(int words)
    {
        short[] slots = new short[words];
        slots.AsSpan().Fill(-1);
        return slots;
    }

    /// <summary>Reads texts until there are so many words or no text is left.</summary>
    /// <param name="text">First text; afterwards the one to go on with.</param>
    /// <param name="lastText">Where to stop.</param>
    /// <param name="atLeast">Words to read.</param>
    /// <returns>Words read, thinned ones included.</returns>
    public long Read(ref int text, int lastText, long atLeast)
    {
        long read = 0;
        (length, at) = (0, 0);
        for (; text < lastText && read < atLeast; text++)
        {
            ReadOnlySpan<int> all = corpus.Text(text);
            read += all.Length;
            Grow(length + all.Length);
            int first = length;
            if (keep is null)
            {
                all.CopyTo(ids.AsSpan(length));
                length += all.Length;
            }
            else
                foreach (int id in all)
                {
                    ids[length] = id;
                    length += (uint)(random.Next() >> 32) <= keep[id] ? 1 : 0;
                }
            for (int i = first; i < length; i++)
            {
                int span = options.Window == 0 ? window : 1 + random.Below(window);
                (from[i], to[i]) = (Math.Max(first, i - span), Math.Min(length - 1, i + span));
            }
        }
        return read;
    }

    void Grow(int needed)
    {
        if (needed < ids.Length) return;
        int size = Math.Max(needed + 1, ids.Length * 2);
        Array.Resize(ref ids, size);
        Array.Resize(ref from, size);
        Array.Resize(ref to, size);
    }

    /// <summary>The next block of what was read.</summary>
    /// <param name="block">Filled.</param>
    /// <param name="input">Input rows, [words, width].</param>
    /// <param name="output">Output rows, [words, width].</param>
    /// <returns>Pairs in it; −1 when all was given out.</returns>
    public int Next(SkipGramBlock block, float* input, float* output)
    {
        if (at >= length) return -1;
        int first = at, count = Math.Min(SkipGramBlock.MostInputs, length - at), lowest = first, highest = first;
        at += count;
        int* starts = block.PairStarts, outputStarts = block.OutputStarts;
        for (int i = 0; i < count; i++)
        {
            block.Inputs[i] = input + ((long)ids[first + i] * block.Width);
            Fetch(block.Inputs[i], block.Width);
            lowest = Math.Min(lowest, from[first + i]);
            highest = Math.Max(highest, to[first + i]);
        }
        block.InputCount = SkipGramBlockKernel.Padded(count, SkipGramBlock.Tile);
        for (int i = count; i < block.InputCount; i++) block.Inputs[i] = block.Zero;

        int outputs = highest - lowest + 1, pairs = 0;
        block.OutputCount = outputs;
        for (int c = 0; c < outputs; c++)
        {
            block.Outputs[c] = output + ((long)ids[lowest + c] * block.Width);
            Fetch(block.Outputs[c], block.Width);
            outputStarts[c] = 0;
        }
        outputStarts[outputs] = 0;
        for (int i = 0; i < count; i++)
        {
            starts[i] = pairs;
            for (int c = from[first + i]; c <= to[first + i]; c++)
            {
                if (c == first + i) continue;
                block.OutputOfPair[pairs++] = block.Outputs[c - lowest];
                outputStarts[c - lowest + 1]++;
            }
        }
        for (int i = count; i <= block.InputCount; i++) starts[i] = pairs;
        for (int c = 0; c < outputs; c++)
        {
            block.Cursor[c] = outputStarts[c];
            outputStarts[c + 1] += outputStarts[c];
        }
        for (int i = 0, p = 0; i < count; i++)
            for (int c = from[first + i]; c <= to[first + i]; c++)
            {
                if (c == first + i) continue;
                int entry = block.Cursor[c - lowest]++;
                block.PairOrder[entry] = p++;
                block.InputOfPair[entry] = block.Inputs[i];
            }
        if (pairs > 0) Noise(block, output, first, count, lowest);
        return pairs;
    }

    /// <summary>Asks for a row ahead of its use: rows are read in no order that the machine could foresee.</summary>
    static void Fetch(float* row, int width)
    {
        if (!Sse.IsSupported) return;
        for (int j = 0; j < width; j += 16) Sse.Prefetch0(row + j);
    }

    void Noise(SkipGramBlock block, float* output, int first, int count, int lowest)
    {
        int distinct = 0;
        for (int k = 0; k < draws; k++)
        {
            int id = noise.Draw(ref random), slot = slotOf[id];
            if (slot >= 0)
            {
                repeats[slot]++;
                continue;
            }
            slotOf[id] = (short)distinct;
            block.Noise[distinct] = output + ((long)id * block.Width);
            Fetch(block.Noise[distinct], block.Width);
            (noiseIds[distinct], repeats[distinct++]) = (id, 1);
        }
        int slots = block.NoiseCount = SkipGramBlockKernel.Padded(distinct, SkipGramBlock.Tile);
        for (int k = distinct; k < slots; k++)
        {
            block.Noise[k] = block.Zero;
            repeats[k] = 0;
        }

        float share = (float)options.Negatives / draws;
        for (int i = 0; i < block.InputCount; i++)
        {
            float pairs = share * (block.PairStarts[i + 1] - block.PairStarts[i]);
            TensorPrimitives.Multiply(repeats.AsSpan(0, slots), pairs, new Span<float>(block.Weights + (i * slots), slots));
        }
        for (int c = 0; c < block.OutputCount; c++)
        {
            int slot = slotOf[ids[lowest + c]];
            if (slot < 0) continue;
            for (int i = 0; i < count; i++)
                if (first + i != lowest + c && from[first + i] <= lowest + c && lowest + c <= to[first + i]) block.Weights[(i * slots) + slot] -= share * repeats[slot];
        }
        for (int k = 0; k < distinct; k++) slotOf[noiseIds[k]] = -1;
    }
}
