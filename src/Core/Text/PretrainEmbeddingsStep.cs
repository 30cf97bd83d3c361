using Scion.Pipelines;
using Scion.Storage;

namespace Scion.Text;

/// <summary>Makes a sentence encoder: word vectors by skip-gram, on one machine or of averaged shards, untrained, or imported; then weights and common components.</summary>
/// <remarks>Reads: vocabulary, shards and row table, and what shards learned; test rows are not read; of an imported sentence network its files only. Writes:
/// <c>encoder.safetensors</c>, or <c>network.json</c>. Randomness: the seed in the
/// options; several threads add their own, and the answer says so. Clock: none.</remarks>
public sealed class PretrainEmbeddingsStep(StepMemo memo, IEmbeddingTrainer trainer)
{
    const int Version = 2;

    /// <exception cref="Faults.InputRejectedException">Training diverged (T004), or the import does not fit (T006 to T010) or is damaged (T029).</exception>
    public Task<EncoderTrained> RunAsync(PretrainEmbeddingsInput input, IProgress<StepProgress>? progress, CancellationToken cancellation) =>
        memo.RunAsync(nameof(PretrainEmbeddingsStep), Version, input, async writer =>
        {
            if (input.Imported is { } named && await SentenceNetworks.PrepareAsync(memo.Store, writer, named, cancellation) is { } network) return network;
            Vocabulary vocabulary = Vocabulary.Parse(await memo.Store.ReadAsync(input.Vocabulary.Vocabulary, cancellation));
            EmbeddingOptions options = input.Vocabulary.Options;
            bool trains = input.Source == EncoderSource.Own && input.Learned is null;
            TokenCorpus.Builder corpus = new(vocabulary, trains ? input.Vocabulary.Tokens : 0);
            long texts = input.Data.Unlabelled + input.Data.Train.Sum(label => label.Rows), read = 0;
            long every = Math.Max(1, texts / SentenceEncoderFit.MaxSamples);          // files are often sorted by label: the first ones would be one class
            List<string> samples = [];
            await DatasetTexts.ReadAsync(memo.Store, input.Data, text =>
            {
                if (trains) corpus.Add(text);
                if (read++ % every == 0 && samples.Count < SentenceEncoderFit.MaxSamples) samples.Add(text);
            }, null, cancellation);

            TrainedVectors trained;
            double? loss = null;
            int dim = options.Dim;
            switch (input.Source)
            {
                case EncoderSource.Own when input.Learned is { } learned:
                    trained = new TrainedVectors(await TrainEmbeddingShardStep.ReadAsync(memo.Store, learned.Tables.Input, cancellation), learned.Loss, learned.Device, learned.Reproducible);
                    loss = learned.Loss;
                    break;
                case EncoderSource.Own:
                    trained = await Task.Run(() => trainer.Train(corpus.Build(), vocabulary, options, progress, cancellation), cancellation);
                    loss = trained.Loss;
                    break;
                case EncoderSource.Untrained:
                    trained = new TrainedVectors(Untrained(vocabulary.Count, options), 0, "cpu", Reproducible: true);
                    break;
                default:
                    ImportedVectors imported = await WordVectorImport.ReadAsync(memo.Store, input.Imported!, vocabulary, cancellation);
                    (vocabulary, dim) = (imported.Vocabulary, imported.Dim);
                    trained = new TrainedVectors(imported.Vectors, 0, "cpu", Reproducible: true);
                    break;
            }
            SentenceEncoder encoder = SentenceEncoderFit.Fit(vocabulary, dim, trained.Vectors, samples);
            ArtifactRef artifact = await writer.AddAsync("encoder.safetensors", encoder.ToBytes(), cancellation);
            return new EncoderTrained(input.Source, artifact, dim, vocabulary.Count, (long)vocabulary.Count * dim, loss, trained.Reproducible, artifact.Sha256,
                trained.Device);
        }, cancellation);

    /// <summary>Vectors U(−1, 1), as the article's network is before training.</summary>
    public static float[] Untrained(int words, EmbeddingOptions options)
    {
        Xoshiro random = new(options.Seed, stream: -2);
        float[] vectors = new float[checked(words * options.Dim)];
        for (int i = 0; i < vectors.Length; i++) vectors[i] = (float)((2 * random.Unit()) - 1);
        return vectors;
    }
}
