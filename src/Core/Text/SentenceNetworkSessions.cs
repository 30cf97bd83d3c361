using Scion.Onnx;
using Scion.Pipelines;
using Scion.Storage;

namespace Scion.Text;

/// <summary>Sentence networks open in this process for training, so that the shards of a run share one.</summary>
/// <param name="gpu">True: a GPU is used if there is one.</param>
public sealed class SentenceNetworkSessions(bool gpu = true) : IDisposable
{
    /// <summary>Texts tokenized and run before progress is told and the next are taken: bounds what their ids take.</summary>
    const int TextsAtOnce = 4096;

    readonly SharedSessions<Opened> shared = new(kept: 1);

    /// <summary>Features of texts.</summary>
    /// <param name="networks">Networks that are open; null opens one for this call.</param>
    /// <param name="store">Where the network lies.</param>
    /// <param name="encoder">Of <see cref="EncoderSource.Network"/>.</param>
    /// <param name="texts">Any texts.</param>
    /// <param name="features">[texts, dim], written: unit length, or zero.</param>
    /// <param name="progress">Told of rows done; may be null.</param>
    /// <param name="cancellation">Stops between batches.</param>
    /// <returns>Texts of which only the beginning was read.</returns>
    /// <exception cref="Faults.InputRejectedException">The network is damaged (T029), fails (T026), or needs more memory than there is (T030).</exception>
    public static async Task<int> EncodeAsync(SentenceNetworkSessions? networks, IBlobStore store, EncoderTrained encoder, IReadOnlyList<string> texts, Memory<float> features,
        IProgress<StepProgress>? progress, CancellationToken cancellation)
    {
        if (networks is null)
        {
            using SentenceNetworkSessions own = new();
            return await EncodeAsync(own, store, encoder, texts, features, progress, cancellation);
        }
        using SharedSession<Opened> open = await networks.OpenAsync(store, encoder, cancellation);
        (SentenceTokenizer tokenizer, SentenceSession session) = (open.Session.Tokenizer, open.Session.Session);
        return await Task.Run(() =>
        {
            int cut = 0;
            for (int from = 0; from < texts.Count; from += TextsAtOnce)
            {
                int at = from;
                int[][] ids = new int[Math.Min(TextsAtOnce, texts.Count - from)][];
                for (int i = 0; i < ids.Length; i++)
                {
                    TokenizedText text = tokenizer.Encode(texts[from + i]);
                    ids[i] = text.Ids;
                    if (text.Cut) cut++;
                }
                session.Run(ids, features.Slice(from * session.Dim, ids.Length * session.Dim),
                    done => progress?.Report(new StepProgress(nameof(IReviewSteps.ExtractFeatures), at + done, texts.Count, "rows")), cancellation);
            }
            return cut;
        }, cancellation);
    }

    Task<SharedSession<Opened>> OpenAsync(IBlobStore store, EncoderTrained encoder, CancellationToken cancellation) => shared.OpenAsync(encoder.Digest, async () =>
    {
        (SentenceNetwork network, _, _) = await SentenceNetworks.ReadAsync(store, await SentenceNetworks.CardAsync(store, encoder, cancellation), cancellation);
        return new Opened(network.Tokenizer, network.Open(Environment.ProcessorCount, gpu));
    }, cancellation);

    public void Dispose() => shared.Dispose();

    sealed class Opened(SentenceTokenizer tokenizer, SentenceSession session) : IDisposable
    {
        public SentenceTokenizer Tokenizer { get; } = tokenizer;

        public SentenceSession Session { get; } = session;

        public void Dispose() => Session.Dispose();
    }
}
