using System.Runtime.InteropServices;
using Scion.Pipelines;

namespace Scion.Text;

/// <summary>Counts the words of the texts that may be learned from, and fixes the options of training for a corpus of that size.</summary>
/// <remarks>Reads: shards and row table. Writes: <c>vocabulary.txt</c>. Randomness: none. Clock: none.</remarks>
/// <param name="memo">Keeps the answer.</param>
/// <param name="cores">Threads a large training may use; part of the answer, so one value for all hosts of a store.</param>
public sealed class BuildVocabularyStep(StepMemo memo, int cores)
{
    const int Version = 1;

    /// <summary>Distinct words counted at once: about 2 GB.</summary>
    const int MaxCounted = 20_000_000;

    /// <exception cref="Faults.InputRejectedException">The options are out of range (T002) no word is frequent enough (T003),
    /// the vectors would be too many (T012) or the texts too long (T013).</exception>
    public Task<VocabularyBuilt> RunAsync(BuildVocabularyInput input, IProgress<StepProgress>? progress, CancellationToken cancellation) =>
        memo.RunAsync(nameof(BuildVocabularyStep), Version, input, async writer =>
        {
            Dictionary<string, long> counts = new(StringComparer.Ordinal);
            Dictionary<string, long>.AlternateLookup<ReadOnlySpan<char>> bySpan = counts.GetAlternateLookup<ReadOnlySpan<char>>();
            long tokens = 0, texts = 0, dropped = 0;
            await DatasetTexts.ReadAsync(memo.Store, input.Data, text =>
            {
                texts++;
                Tokenizer.WordReader words = new(Tokenizer.Composed(text), stackalloc char[Tokenizer.MaxWord]);
                while (words.MoveNext())
                {
                    CollectionsMarshal.GetValueRefOrAddDefault(bySpan, words.Current, out _)++;
                    tokens++;
                }
                if (counts.Count > MaxCounted) dropped = DropRare(counts, dropped);
            }, shard => progress?.Report(new StepProgress(nameof(IReviewSteps.BuildVocabulary), shard, input.Data.Shards.Count, "shards")), cancellation);

            EmbeddingOptions options = EmbeddingPresets.Resolve(input.Settings, tokens, cores);
            Vocabulary vocabulary = Vocabulary.Of(counts, options.MinCount);
            if (vocabulary.Count == 0) throw TextFaults.NoWords(texts, options.MinCount);
            if ((long)vocabulary.Count * options.Dim > SentenceEncoder.MaxNumbers) throw TextFaults.TooLarge(vocabulary.Count, options.Dim);
            if (tokens / options.Shards > Array.MaxLength) throw TextFaults.CorpusTooLong(tokens);
            return new VocabularyBuilt(await writer.AddAsync("vocabulary.txt", vocabulary.ToBytes(), cancellation), vocabulary.Count, tokens, options);
        }, cancellation);

    /// <summary>Forgets the rarest words, as word2vec.c does when its table is full: counts of what stays are right, unless a word was forgotten before.</summary>
    static long DropRare(Dictionary<string, long> counts, long dropped)
    {
        while (counts.Count > MaxCounted / 2)
        {
            dropped++;
            foreach ((string word, long count) in counts)
                if (count <= dropped) counts.Remove(word);
        }
        return dropped;
    }
}
