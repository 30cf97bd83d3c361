using Scion.Datasets;
using Scion.Pipelines;
using Scion.Storage;

namespace Scion.Text;

/// <summary>Makes a sentence encoder: word vectors by skip-gram, on one machine or of averaged shards, untrained, imported, those that ship, or those
/// trained further; then weights, common components and the spectrum of the features.</summary>
/// <remarks>Reads: vocabulary, shards and row table, and what shards learned; test rows are not read; of an imported sentence network its files only. Writes:
/// <c>encoder.safetensors</c>, <c>vocabulary.txt</c>, <c>spectrum.safetensors</c>, or <c>network.json</c>. Randomness: the seed in the
/// options; several threads add their own, and the answer says so. Clock: none.</remarks>
public sealed class PretrainEmbeddingsStep(StepMemo memo, IEmbeddingTrainer trainer)
{
    const int Version = 2;

    /// <exception cref="Faults.InputRejectedException">Training diverged (T004), or the import does not fit (T006 to T010) or is damaged (T029).</exception>
    public Task<EncoderTrained> RunAsync(PretrainEmbeddingsInput input, IProgress<StepProgress>? progress, CancellationToken cancellation) =>
        memo.RunAsync(nameof(PretrainEmbeddingsStep), Version, input, async writer =>
        {
            if (input.Imported is { } named && await SentenceNetworks.PrepareAsync(memo.Store, writer, named, cancellation) is { } network) return network with { Name = named };
            Vocabulary vocabulary = Vocabulary.Parse(await memo.Store.ReadAsync(input.Vocabulary.Vocabulary, cancellation));
            EmbeddingOptions options = input.Vocabulary.Options;
            bool learns = (input.Source == EncoderSource.Own && input.Learned is null) || input.Source == EncoderSource.Continued;
            TokenCorpus.Builder corpus = new(vocabulary, learns ? input.Vocabulary.Tokens : 0);
            long texts = input.Data.Unlabelled + input.Data.Train.Sum(label => label.Rows), read = 0;
            long every = Math.Max(1, texts / SentenceEncoderFit.MaxSamples);          // files are often sorted by label: the first ones would be one class
            List<string> samples = [];
            await DatasetTexts.ReadAsync(memo.Store, input.Data, text =>
            {
                if (learns) corpus.Add(text);
                if (read++ % every == 0 && samples.Count < SentenceEncoderFit.MaxSamples) samples.Add(text);
            }, null, cancellation);

            TrainedVectors trained;
            double? loss = null;
            int dim = options.Dim;
            float[]? weights = null;
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
                case EncoderSource.Default or EncoderSource.Continued:
                    WordTable known = DefaultVectors.Table;
                    dim = known.Dim;
                    TokenCorpus? further = input.Source == EncoderSource.Continued ? corpus.Build() : null;
                    (trained, loss) = await Task.Run(() => Continue(trainer, known, vocabulary, further, options, progress, cancellation), cancellation);
                    weights = SentenceEncoderFit.Weights(EmbeddingExtension.Frequencies(vocabulary, known), SentenceEncoderFit.Smoothing);
                    vocabulary = EmbeddingExtension.Joined(vocabulary, known);
                    break;
                default:
                    ImportedVectors imported = await WordVectorImport.ReadAsync(memo.Store, input.Imported!, vocabulary, cancellation);
                    (vocabulary, dim) = (imported.Vocabulary, imported.Dim);
                    trained = new TrainedVectors(imported.Vectors, 0, "cpu", Reproducible: true);
                    break;
            }
            SentenceEncoder encoder = weights is null ? SentenceEncoderFit.Fit(vocabulary, dim, trained.Vectors, samples)
                : SentenceEncoderFit.Fit(vocabulary, dim, trained.Vectors, weights, samples, SentenceEncoderFit.Components);
            ArtifactRef artifact = await writer.AddAsync("encoder.safetensors", encoder.ToBytes(), cancellation);
            return new EncoderTrained(input.Source, artifact, dim, vocabulary.Count, (long)vocabulary.Count * dim, loss, trained.Reproducible, artifact.Sha256,
                trained.Device)
            {
                Name = input.Imported ?? input.Source switch { EncoderSource.Untrained => "untrained", EncoderSource source => ReviewSettings.NameOf(source) },
                Vocabulary = await writer.AddAsync("vocabulary.txt", vocabulary.ToBytes(), cancellation),
                Spectrum = await writer.AddAsync("spectrum.safetensors", Spectrum(encoder, samples).ToBytes(), cancellation),
                Coverage = Coverage(encoder, samples),
            };
        }, cancellation);

    /// <summary>The vectors that ship for the words of the user's vocabulary, trained further where a corpus is given, then those of the other words.</summary>
    static (TrainedVectors Trained, double? Loss) Continue(
        IEmbeddingTrainer trainer, WordTable known, Vocabulary vocabulary, TokenCorpus? corpus, EmbeddingOptions options, IProgress<StepProgress>? progress, CancellationToken cancellation)
    {
        if (corpus is null) return (new TrainedVectors(EmbeddingExtension.Join(vocabulary, EmbeddingExtension.Start(vocabulary, known, null), known), 0, "cpu", Reproducible: true), null);
        EmbeddingOptions further = EmbeddingExtension.Options(options, known.Dim);
        float[] start = EmbeddingExtension.Start(vocabulary, known, further);
        TrainedVectors trained = trainer.Continue(new EmbeddingStart(start, new float[start.Length], []), corpus, vocabulary, further, progress, cancellation);
        return (trained with { Vectors = EmbeddingExtension.Join(vocabulary, trained.Vectors, known), Output = [] }, trained.Loss);
    }

    /// <summary>An encoder as the step makes it, without a store: for measuring.</summary>
    internal static (SentenceEncoder Encoder, FeatureSpectrum Spectrum, double Handicap) MadeFor(
        EncoderSource source, Vocabulary vocabulary, TokenCorpus corpus, List<string> texts, EmbeddingOptions options, IEmbeddingTrainer trainer)
    {
        List<string> samples = [.. texts.Where((_, i) => i % Math.Max(1, texts.Count / SentenceEncoderFit.MaxSamples) == 0).Take(SentenceEncoderFit.MaxSamples)];
        SentenceEncoder encoder;
        if (source == EncoderSource.Own) encoder = SentenceEncoderFit.Fit(vocabulary, options.Dim, trainer.Train(corpus, vocabulary, options, null, default).Vectors, samples);
        else
        {
            WordTable known = DefaultVectors.Table;
            (TrainedVectors trained, _) = Continue(trainer, known, vocabulary, source == EncoderSource.Continued ? corpus : null, options, null, default);
            encoder = SentenceEncoderFit.Fit(EmbeddingExtension.Joined(vocabulary, known), known.Dim, trained.Vectors,
                SentenceEncoderFit.Weights(EmbeddingExtension.Frequencies(vocabulary, known), SentenceEncoderFit.Smoothing), samples, SentenceEncoderFit.Components);
        }
        return (encoder, Spectrum(encoder, samples), Heads.EncoderPriors.Handicap(source, Coverage(encoder, samples)));
    }

    static FeatureSpectrum Spectrum(SentenceEncoder encoder, List<string> samples)
    {
        float[] features = new float[samples.Count * encoder.Dim];
        for (int i = 0; i < samples.Count; i++) encoder.Encode(samples[i], features.AsSpan(i * encoder.Dim, encoder.Dim));
        return FeatureSpectrum.Fit(features, encoder.Dim);
    }

    /// <summary>Share of the samples' words that have a vector other than zero.</summary>
    static double Coverage(SentenceEncoder encoder, List<string> samples)
    {
        bool[] zero = [.. Enumerable.Range(0, encoder.Vocabulary.Count).Select(id => !encoder.Vectors.AsSpan(id * encoder.Dim, encoder.Dim).ContainsAnyExcept(0f))];
        long all = 0, with = 0;
        foreach (string text in samples)
            foreach (string word in Tokenizer.Words(text))
            {
                all++;
                if (encoder.Vocabulary.IdOf(word) is var id && id >= 0 && !zero[id]) with++;
            }
        return all == 0 ? 0 : (double)with / all;
    }

    /// <summary>Vectors U(−1, 1), as the article's network is before training.</summary>
    public static float[] Untrained(int words, EmbeddingOptions options)
    {
        Xoshiro random = new(options.Seed, stream: -2);
        float[] vectors = new float[checked(words * options.Dim)];
        for (int i = 0; i < vectors.Length; i++) vectors[i] = (float)((2 * random.Unit()) - 1);
        return vectors;
    }
}
