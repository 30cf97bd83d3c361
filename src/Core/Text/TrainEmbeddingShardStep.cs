using System.Runtime.InteropServices;
using Scion.Datasets;
using Scion.Pipelines;
using Scion.Storage;

namespace Scion.Text;

/// <summary>Trains word vectors for one round on the texts of one shard, from the averages of the round before.</summary>
/// <remarks>Reads: vocabulary; in the first round its stored shards and the row table, of which test rows are not read, later a part of its corpus and the
/// tables of the round before. Writes: <c>input.bin</c>, <c>output.bin</c> and under NCE <c>biases.bin</c>; in the first round <c>corpus.bin</c>, by part.
/// Randomness: the seed in the options, with the shard and the round; several threads add their own, and the answer says so. Clock: none. Memory: the texts of
/// its own shard as ids, 4 bytes a word, and three pairs of tables.</remarks>
public sealed class TrainEmbeddingShardStep(StepMemo memo, IEmbeddingTrainer trainer)
{
    const int Version = 1;

    /// <exception cref="Faults.InputRejectedException">Training diverged (T004), or the trainer is not in this build (T015).</exception>
    public Task<EmbeddingShardTrained> RunAsync(TrainEmbeddingShardInput input, IProgress<StepProgress>? progress, CancellationToken cancellation) =>
        memo.RunAsync(nameof(TrainEmbeddingShardStep), Version, input, async writer =>
        {
            Vocabulary vocabulary = Vocabulary.Parse(await memo.Store.ReadAsync(input.Vocabulary.Vocabulary, cancellation));
            EmbeddingOptions options = input.Vocabulary.Options;
            (TokenCorpus corpus, ShardCorpus[] stored) = input.Corpus is { } kept
                ? (await CorpusBlobs.ReadAsync(memo.Store, kept, cancellation), [])
                : await TokenizeAsync(writer, input.Texts!, vocabulary, input.Vocabulary.Tokens / options.Shards, Parts(options), cancellation);
            EmbeddingStart start = await StartAsync(input, vocabulary.Count, cancellation);
            int passes = Parts(options) > 1 ? 1 : PassesBefore(input.Round + 1, options) - PassesBefore(input.Round, options);
            TrainedVectors trained = await Task.Run(() => trainer.Continue(start, corpus, vocabulary, options with { Epochs = passes }, progress, cancellation), cancellation);
            return new EmbeddingShardTrained(input.Shard, stored, await WriteAsync(writer, trained.Vectors, trained.Output, trained.Biases, cancellation),
                corpus.Count, trained.Loss, trained.Reproducible, trained.Device);
        }, cancellation);

    /// <summary>Deals the texts of a data set to shards: whole stored shards where there are many, else every shard takes its part of each one's rows.</summary>
    /// <remarks>Files are often sorted by label: neither way gives a shard one class only.</remarks>
    /// <param name="data">The data set.</param>
    /// <param name="shards">At least 1.</param>
    public static EmbeddingShardTexts[] Deal(CuratedRows data, int shards)
    {
        StoredRows[] stored = [.. data.Shards.Select((shard, index) => new StoredRows(index, shard.Rows))];
        bool whole = stored.Length >= 8 * shards;                         // shards then differ by an eighth of their texts at most
        return [.. Enumerable.Range(0, shards).Select(shard => whole
            ? new EmbeddingShardTexts([.. stored.Where(rows => rows.Index % shards == shard)], data.Rows, 0, 1)
            : new EmbeddingShardTexts(stored, data.Rows, shard, shards))];
    }

    /// <summary>Parts of a shard's texts, one a round: as many as there are rounds an epoch, at least 1.</summary>
    public static int Parts(EmbeddingOptions options) => Math.Max(1, options.Rounds / options.Epochs);

    static int PassesBefore(int round, EmbeddingOptions options) => (int)((long)options.Epochs * round / options.Rounds);

    async Task<(TokenCorpus First, ShardCorpus[] Stored)> TokenizeAsync(
        StepWriter writer, EmbeddingShardTexts texts, Vocabulary vocabulary, long words, int parts, CancellationToken cancellation)
    {
        RowTable table = RowTable.Parse(await memo.Store.ReadAsync(texts.Table, cancellation));
        TokenCorpus.Builder[] builders = [.. Enumerable.Range(0, parts).Select(_ => new TokenCorpus.Builder(vocabulary, (words / parts) + (words / parts / 8) + 1024))];
        int added = 0;
        foreach (StoredRows stored in texts.Stored)
        {
            RowUse[] uses = table.Uses[stored.Index];
            int row = 0;
            foreach (ReviewRow review in ReviewShard.Read(await memo.Store.ReadAsync(stored.Rows, cancellation)))
            {
                bool own = row % texts.Parts == texts.Part;
                if (uses[row++] is RowUse.Unlabelled or RowUse.Train && own) builders[added++ % parts].Add(review.Text);
            }
            cancellation.ThrowIfCancellationRequested();
        }
        TokenCorpus? first = null;
        ShardCorpus[] written = new ShardCorpus[parts];
        for (int part = 0; part < parts; part++)
        {
            TokenCorpus corpus = builders[part].Build();
            first ??= corpus;
            written[part] = new ShardCorpus(await CorpusBlobs.WriteAsync(writer, corpus, cancellation), corpus.Count, corpus.Texts);
        }
        return (first!, written);
    }

    async Task<EmbeddingStart> StartAsync(TrainEmbeddingShardInput input, int words, CancellationToken cancellation)
    {
        EmbeddingOptions options = input.Vocabulary.Options;
        double rounds = options.Rounds;
        int stream = (input.Round * options.Shards) + input.Shard;
        if (input.Tables is { } tables)
            return new EmbeddingStart(await ReadAsync(memo.Store, tables.Input, cancellation), await ReadAsync(memo.Store, tables.Output, cancellation),
                tables.Biases is null ? [] : await ReadAsync(memo.Store, tables.Biases, cancellation), input.Round / rounds, (input.Round + 1) / rounds, stream);
        (float[] first, float[] outputs, float[] biases) = First(words, options);
        return new EmbeddingStart(first, outputs, biases, 0, 1 / rounds, stream);
    }

    /// <summary>Tables before the first round.</summary>
    internal static (float[] Input, float[] Output, float[] Biases) First(int words, EmbeddingOptions options)
    {
        float[] input = new float[checked(words * options.Dim)], output = new float[input.Length];
        SkipGramTrainer.Start(input, output, words, options.Dim, options);
        return (input, output, new float[options.Loss == SkipGramLoss.Nce ? words : 0]);
    }

    /// <summary>Stores tables under a step's key.</summary>
    internal static async Task<EmbeddingTables> WriteAsync(StepWriter writer, float[] input, float[] output, float[] biases, CancellationToken cancellation) => new(
        await writer.AddAsync("input.bin", MemoryMarshal.AsBytes(input.AsSpan()).ToArray(), cancellation),
        await writer.AddAsync("output.bin", MemoryMarshal.AsBytes(output.AsSpan()).ToArray(), cancellation),
        biases.Length == 0 ? null : await writer.AddAsync("biases.bin", MemoryMarshal.AsBytes(biases.AsSpan()).ToArray(), cancellation));

    /// <summary>The numbers of a table.</summary>
    /// <exception cref="Faults.InputRejectedException">The blob is gone (S003) or changed (S004).</exception>
    internal static async Task<float[]> ReadAsync(IBlobStore store, ArtifactRef table, CancellationToken cancellation) =>
        MemoryMarshal.Cast<byte, float>(await store.ReadAsync(table, cancellation)).ToArray();
}
