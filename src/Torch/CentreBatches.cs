using Scion.Text;
using TorchSharp;
using static TorchSharp.torch;

namespace Scion.Torch;

/// <summary>Centre words of one step and the words around them, on the device.</summary>
/// <param name="Centres">Ids, int64 [centres].</param>
/// <param name="Contexts">Ids of the words around, int64 [centres, places]; where there is none, the centre's.</param>
/// <param name="Around">float32 [centres, places]: 1 where there is a word, else 0.</param>
sealed record CentreBatch(Tensor Centres, Tensor Contexts, Tensor Around);

/// <summary>Draws sub-sampling and windows on the device: a block of whole texts at once, then batches of its centre words.</summary>
/// <remarks>As <see cref="SkipGramTrainer"/> thins and cuts: words are left out first, windows are drawn over those that stay, and end with the text. Of a block the
/// host waits for how many words stayed; a batch makes it wait for nothing. A text longer than a block is cut, and no window crosses the cut.
/// Memory on the device: the corpus at 4 bytes a word where it fits <see cref="ResidentWords"/>, else a block of it, and about 40 bytes a word of a block.</remarks>
sealed class CentreBatches : IDisposable
{
    /// <summary>Words of a corpus that is uploaded once: 1 GiB.</summary>
    const int ResidentWords = 256 << 20;

    readonly TokenCorpus corpus;
    readonly Device device;
    readonly Generator random;
    readonly Tensor? resident;          // int32 [words]
    readonly Tensor? keep;              // float32 [words of the vocabulary]
    readonly Tensor offsets;            // int64 [places]
    readonly int window, blockWords, centres;

    /// <param name="corpus">The texts.</param>
    /// <param name="vocabulary">Gives the chances of sub-sampling.</param>
    /// <param name="options">Complete options.</param>
    /// <param name="centres">Most centre words of a batch.</param>
    /// <param name="random">Of the device.</param>
    /// <param name="device">Where all is drawn.</param>
    /// <param name="blockWords">Most words of a block.</param>
    public CentreBatches(TokenCorpus corpus, Vocabulary vocabulary, EmbeddingOptions options, int centres, Generator random, Device device, int blockWords = 4 << 20)
    {
        (this.corpus, this.centres, this.random, this.device, this.blockWords) = (corpus, centres, random, device, blockWords);
        window = options.Window;
        offsets = tensor(Offsets(corpus, options), device: device).DetachFromDisposeScope();
        if (SkipGramTrainer.Keep(vocabulary, options.Subsample) is { } chances)
            keep = tensor([.. chances.Select(chance => (float)(chance / (double)uint.MaxValue))], device: device).DetachFromDisposeScope();
        if (corpus.Count is 0 or > ResidentWords) return;
        resident = empty(corpus.Count, dtype: ScalarType.Int32, device: device).DetachFromDisposeScope();
        foreach ((int from, int to) in Blocks())
        {
            using DisposeScope scope = NewDisposeScope();
            resident.narrow(0, from, to - from).copy_(Upload(from, to));
        }
    }

    /// <summary>Places around a centre word.</summary>
    public static int Places(TokenCorpus corpus, EmbeddingOptions options) => Offsets(corpus, options).Length;

    static long[] Offsets(TokenCorpus corpus, EmbeddingOptions options)
    {
        int longest = 1;
        for (int text = 0; text < corpus.Texts; text++) longest = Math.Max(longest, corpus.Starts[text + 1] - corpus.Starts[text]);
        int span = Math.Max(1, Math.Min(longest - 1, options.Window == 0 ? SkipGramTrainer.LongestSpan : options.Window));
        return [.. Enumerable.Range(-span, (2 * span) + 1).Where(offset => offset != 0).Select(offset => (long)offset)];
    }

    /// <summary>One pass over the corpus, in order; each draws anew. A batch lives until the next is asked for.</summary>
    /// <returns>Each batch, with the words of the corpus read before it in this pass.</returns>
    public IEnumerable<(CentreBatch Batch, long WordsBefore)> Epoch()
    {
        foreach ((int from, int to) in Blocks())
        {
            using DisposeScope block = NewDisposeScope();
            (Tensor ids, Tensor texts) = Thin(from, to);
            long length = ids.size(0);
            Tensor? spans = window == 0 ? null : randint(1, window + 1, [length], dtype: ScalarType.Int64, device: device, generator: random);
            for (long at = 0; at < length; at += centres)
            {
                using DisposeScope scope = NewDisposeScope();
                yield return (Cut(ids, texts, spans, at, Math.Min(centres, length - at)), from + (long)((to - from) * (at / (double)length)));
            }
        }
    }

    /// <summary>Words of whole texts, up to the block's size; of a longer text, pieces.</summary>
    IEnumerable<(int From, int To)> Blocks()
    {
        for (int from = 0, to; from < corpus.Count; from = to)
        {
            int text = corpus.TextAt(Math.Min((long)from + blockWords, corpus.Count));
            if (corpus.Starts[text] > (long)from + blockWords) text--;     // the text that goes over
            to = corpus.Starts[text] > from ? corpus.Starts[text] : Math.Min(corpus.Count, from + blockWords);
            yield return (from, to);
        }
    }

    /// <summary>A block's words that stay, int64 [kept], and which text each is of, int64 [kept].</summary>
    (Tensor Ids, Tensor Texts) Thin(int from, int to)
    {
        int first = Array.BinarySearch(corpus.Starts, from), last = Array.BinarySearch(corpus.Starts, to);
        first = first >= 0 ? first : ~first;
        last = last >= 0 ? last : ~last;
        Tensor ids = (resident is null ? Upload(from, to) : resident.narrow(0, from, to - from)).to(ScalarType.Int64);
        Tensor starts = tensor([.. corpus.Starts[first..last].Select(start => (long)start - from)], device: device);
        Tensor texts = searchsorted(starts, arange(to - from, dtype: ScalarType.Int64, device: device), right: true);
        if (keep is null) return (ids, texts);
        Tensor stays = rand([to - from], ScalarType.Float32, device, generator: random).le(keep.index_select(0, ids));
        return (ids.masked_select(stays), texts.masked_select(stays));
    }

    CentreBatch Cut(Tensor ids, Tensor texts, Tensor? spans, long at, long count)
    {
        Tensor own = ids.narrow(0, at, count), text = texts.narrow(0, at, count).unsqueeze(1);
        Tensor places = arange(at, at + count, dtype: ScalarType.Int64, device: device).unsqueeze(1) + offsets;
        Tensor inside = places.ge(0).logical_and_(places.lt(ids.size(0)));
        Tensor clamped = places.clamp_(0, ids.size(0) - 1).view(-1);
        Tensor around = inside.logical_and_(texts.index_select(0, clamped).view(count, -1).eq(text));
        if (spans is not null) around.logical_and_(offsets.abs().le(spans.narrow(0, at, count).unsqueeze(1)));
        Tensor contexts = torch.where(around, ids.index_select(0, clamped).view(count, -1), own.unsqueeze(1));
        return new CentreBatch(own, contexts, around.to(ScalarType.Float32));
    }

    Tensor Upload(int from, int to) => tensor(corpus.Ids[from..to], device: device);

    public void Dispose()
    {
        resident?.Dispose();
        keep?.Dispose();
        offsets.Dispose();
    }
}
