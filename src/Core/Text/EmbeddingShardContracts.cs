using Scion.Datasets;
using Scion.Storage;

namespace Scion.Text;

/// <summary>Input and output vectors of a training under way.</summary>
/// <param name="Input">float32 [words, dim], little-endian.</param>
/// <param name="Output">float32 [words, dim], little-endian.</param>
/// <param name="Biases">Biases of the outputs under NCE, float32 [words]; null otherwise.</param>
public sealed record EmbeddingTables(ArtifactRef Input, ArtifactRef Output, ArtifactRef? Biases);

/// <summary>The texts of one shard of a training: some stored shards whole, or every so-many-th row of all.</summary>
/// <param name="Stored">Stored shards it reads.</param>
/// <param name="Table">The row table of the whole data set.</param>
/// <param name="Part">Rows whose index modulo <paramref name="Parts"/> is this are its own.</param>
/// <param name="Parts">1: all rows of the stored shards.</param>
public sealed record EmbeddingShardTexts(IReadOnlyList<StoredRows> Stored, ArtifactRef Table, int Part, int Parts);

/// <param name="Index">Index of the stored shard in the data set.</param>
/// <param name="Rows">Read with <see cref="ReviewShard"/>.</param>
public sealed record StoredRows(int Index, ArtifactRef Rows);

/// <summary>Texts of one shard as word ids, those of one part of its rounds: round r of more rounds than epochs reads part r modulo the parts.</summary>
/// <param name="Ids">Read with <see cref="CorpusBlobs"/>, in order; none where there are no words.</param>
/// <param name="Words">Known words in it.</param>
/// <param name="Texts">Texts with a known word.</param>
public sealed record ShardCorpus(IReadOnlyList<ArtifactRef> Ids, int Words, int Texts);

/// <param name="Shard">Which shard, in [0, <see cref="EmbeddingOptions.Shards"/>).</param>
/// <param name="Round">Which round, in [0, <see cref="EmbeddingOptions.Rounds"/>).</param>
/// <param name="Texts">Its texts, in the first round; null later.</param>
/// <param name="Corpus">Its part of this round as the first round kept it; null in that.</param>
/// <param name="Tables">The averages of the round before; null in the first.</param>
/// <param name="Vocabulary">Vocabulary of all shards, and the options.</param>
public sealed record TrainEmbeddingShardInput(
    int Shard, int Round, EmbeddingShardTexts? Texts, ShardCorpus? Corpus, EmbeddingTables? Tables, VocabularyBuilt Vocabulary);

/// <param name="Shard">Which shard.</param>
/// <param name="Corpus">After the first round: its texts as word ids, by part; empty later.</param>
/// <param name="Tables">What it learned in this round.</param>
/// <param name="Words">Words it read in one pass of this round.</param>
/// <param name="Loss">Mean loss a pair over its last pass, nats; 0 without pairs.</param>
/// <param name="Reproducible">True when the same input gives the same bits again.</param>
/// <param name="Device">Where it was trained.</param>
public sealed record EmbeddingShardTrained(
    int Shard, IReadOnlyList<ShardCorpus> Corpus, EmbeddingTables Tables, int Words, double Loss, bool Reproducible, string Device);

/// <param name="Shards">What the shards of one round learned, by shard; their corpora are left out.</param>
/// <param name="Before">The averages of the round before; null in the first.</param>
/// <param name="Earlier">The averages of the round before that; null in the first two.</param>
/// <param name="Vocabulary">Vocabulary of all shards, and the options.</param>
public sealed record AverageEmbeddingsInput(
    IReadOnlyList<EmbeddingShardTrained> Shards, EmbeddingTables? Before, EmbeddingTables? Earlier, VocabularyBuilt Vocabulary);

/// <param name="Tables">The averages.</param>
/// <param name="Loss">Mean loss a pair over the shards' last passes, by their words, nats.</param>
/// <param name="Reproducible">True when the same input gives the same bits again, of all shards.</param>
/// <param name="Device">Where the shards were trained; several with commas between.</param>
public sealed record EmbeddingsAveraged(EmbeddingTables Tables, double Loss, bool Reproducible, string Device);
