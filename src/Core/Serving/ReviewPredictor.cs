using System.Buffers;
using System.Numerics.Tensors;
using Scion.Registry;
using Scion.Text;

namespace Scion.Serving;

/// <summary>A reviews model as it serves: loaded from the bytes of a package, run by ONNX Runtime, never from training objects.</summary>
/// <remarks>Threads: any number may predict at once. Dispose after the last prediction has returned.</remarks>
public sealed class ReviewPredictor : Predictor
{
    /// <summary>Known words of one text that are scored: a novel's chapter. Above it a text is refused, never cut.</summary>
    public const int MaxWords = 20_000;

    /// <summary>Distinct words an explanation judges, most frequent in the text first, then in its order.</summary>
    public const int ExplainedWords = 64;

    /// <summary>What an explanation looks at of a text for a sentence network: characters a token it reads.</summary>
    const int ExplainedCharactersPerToken = 16;

    readonly Vocabulary vocabulary = new([], []);
    readonly TextSessions? sessions;
    readonly SentenceClassifier? network;
    readonly double temperature;

    ReviewPredictor(ModelPackage package) : base(package, ModelManifest.Reviews)
    {
        ModelManifest manifest = package.Manifest;
        temperature = manifest.Head.Temperature;
        if (manifest.Sentence is not null)
        {
            network = new SentenceClassifier(package);
            return;
        }
        vocabulary = Vocabulary.Parse(package[ModelPackage.VocabularyName].Span);
        if (vocabulary.Count != manifest.Encoder.Words) throw RegistryFaults.Inconsistent($"the vocabulary has {vocabulary.Count} words; model.json says {manifest.Encoder.Words}.");
        sessions = new TextSessions(package[ModelPackage.EncoderName], package[ModelPackage.HeadName], vocabulary.Count, Dim, temperature, Labels);
    }

    /// <summary>A text the model knows: its most frequent words; of a sentence network, words most languages have. For warming up.</summary>
    public string SampleText => network is not null ? "1 2 3 no, a to be in on" : string.Join(' ', vocabulary.Words.Take(20));

    /// <param name="package">Its digests were checked when it was opened.</param>
    /// <exception cref="Faults.InputRejectedException">A file is damaged or they do not fit together (R008, R014, R020, S006, S007, T001, T020 to T022).</exception>
    public static ReviewPredictor Load(ModelPackage package) => new(package);

    /// <summary>Judges texts, in their order.</summary>
    /// <param name="texts">Any text, also empty.</param>
    /// <param name="explain">True adds what each word did.</param>
    /// <exception cref="Faults.InputRejectedException">A text has more than <see cref="MaxWords"/> known words (P001).</exception>
    public Prediction[] Predict(IReadOnlyList<string> texts, bool explain = false)
    {
        Prediction[] predictions = new Prediction[texts.Count];
        for (int i = 0; i < predictions.Length; i++) predictions[i] = Predict(texts[i], explain);
        return predictions;
    }

    public Prediction Predict(string text, bool explain = false)
    {
        (string[] labels, int dim) = (Labels, Dim);
        int[] ids = ArrayPool<int>.Shared.Rent(64);
        float[] scratch = ArrayPool<float>.Shared.Rent(dim + 2 * labels.Length + ExampleCount);
        try
        {
            TokenizedText tokens = network?.Encode(text) ?? default;
            int known = network is null ? Ids(text, ref ids) : tokens.Known;
            if (known > MaxWords) throw ServingFaults.TooManyWords(known);
            Span<float> features = scratch.AsSpan(0, dim), logits = scratch.AsSpan(dim, labels.Length), probabilities = scratch.AsSpan(dim + labels.Length, labels.Length);
            Run(network is null ? ids.AsSpan(0, known) : tokens.Ids, features, logits, probabilities);
            int best = TensorPrimitives.IndexOfMax(probabilities);
            WordContribution[]? words = !explain ? null : network is null ? Explain(ids.AsSpan(0, known), best, logits) : Explain(text, best, logits);
            return Judged(features, probabilities, scratch.AsSpan(dim + 2 * labels.Length, ExampleCount), known == 0 ? AbstainReason.NoKnownWords : null, words) with { Cut = tokens.Cut };
        }
        finally
        {
            ArrayPool<int>.Shared.Return(ids);
            ArrayPool<float>.Shared.Return(scratch);
        }
    }

    /// <summary>The most probable class of a text of any length, without examples: what measuring needs.</summary>
    public string LabelOf(string text)
    {
        float[] logits = new float[Labels.Length];
        Logits(text, logits);
        return Labels[TensorPrimitives.IndexOfMax<float>(logits)];
    }

    /// <summary>Uncalibrated logits of a text, for parity with training.</summary>
    /// <param name="text">Any text.</param>
    /// <param name="logits">[classes], written.</param>
    /// <returns>Ids of its known words; of a sentence network, of its tokens.</returns>
    public int[] Logits(string text, Span<float> logits)
    {
        if (network is not null)
        {
            int[] tokens = network.Encode(text).Ids;
            Logits(tokens, logits);
            return tokens;
        }
        int[] ids = ArrayPool<int>.Shared.Rent(64);
        try
        {
            int count = Ids(text, ref ids);                              // first: it may put a larger array in place
            int[] known = ids[..count];
            Logits(known, logits);
            return known;
        }
        finally
        {
            ArrayPool<int>.Shared.Return(ids);
        }
    }

    /// <summary>Uncalibrated logits of a text given by its words' ids, each in [0, words).</summary>
    public void Logits(ReadOnlySpan<int> ids, Span<float> logits) => Run(ids, new float[Dim], logits, new float[Labels.Length]);

    void Run(ReadOnlySpan<int> ids, Span<float> features, Span<float> logits, Span<float> probabilities)
    {
        if (network is not null) network.Run(ids, features, logits, probabilities);
        else sessions!.Run(ids, features, logits, probabilities);
    }

    int Ids(string text, ref int[] ids)
    {
        int known = 0;
        Tokenizer.WordReader words = new(Tokenizer.Composed(text), stackalloc char[Tokenizer.MaxWord]);
        while (words.MoveNext())
        {
            int id = vocabulary.IdOf(words.Current);
            if (id < 0) continue;
            if (known == ids.Length)
            {
                int[] larger = ArrayPool<int>.Shared.Rent(2 * known);
                ids.CopyTo(larger, 0);
                ArrayPool<int>.Shared.Return(ids);
                ids = larger;
            }
            ids[known++] = id;
        }
        return known;
    }

    WordContribution[] Explain(ReadOnlySpan<int> ids, int label, ReadOnlySpan<float> logits)
    {
        int[] words = [.. ids.ToArray().GroupBy(id => id).OrderByDescending(group => group.Count()).Take(ExplainedWords).Select(group => group.Key)];
        if (words.Length == 0) return [];
        double whole = LogOdds(logits, label);
        float[] without = sessions!.LogitsWithout(ids, words);
        return Ordered(words.Select(id => vocabulary.Words[id]), whole, without, label);
    }

    /// <summary>As the other, of a network that reads whole texts: each word is left out of the text, all its occurrences at once.</summary>
    WordContribution[] Explain(string text, int label, ReadOnlySpan<float> logits)
    {
        int most = Math.Min(text.Length, network!.MaxLength * ExplainedCharactersPerToken);
        IReadOnlyList<(string Word, string Text)> words = LeftOutWords.Of(text[..most], ExplainedWords);
        return words.Count == 0 ? [] : Ordered(words.Select(word => word.Word), LogOdds(logits, label), network.LogitsOf([.. words.Select(word => word.Text)]), label);
    }

    /// <param name="words">Words left out.</param>
    /// <param name="whole">Log-odds of the whole text.</param>
    /// <param name="without">Logits without each word, [words, classes].</param>
    /// <param name="label">The predicted class.</param>
    WordContribution[] Ordered(IEnumerable<string> words, double whole, float[] without, int label) =>
        [.. words.Select((word, i) => new WordContribution(word, (float)(whole - LogOdds(without.AsSpan(i * Labels.Length, Labels.Length), label))))
            .OrderByDescending(word => Math.Abs(word.Contribution)).ThenBy(word => word.Word, StringComparer.Ordinal)];


    /// <summary>ln p/(1 − p) of a class after calibration.</summary>
    double LogOdds(ReadOnlySpan<float> logits, int label)
    {
        double largest = double.NegativeInfinity, others = 0;
        for (int c = 0; c < logits.Length; c++)
            if (c != label) largest = Math.Max(largest, logits[c]);
        for (int c = 0; c < logits.Length; c++)
            if (c != label) others += Math.Exp((logits[c] - largest) / temperature);
        return (logits[label] - largest) / temperature - Math.Log(others);
    }

    /// <summary>A graph that cannot run shows it here: an empty text, and the most frequent words.</summary>
    public override void WarmUp()
    {
        Predict("");
        Predict(SampleText);
    }

    public override void Dispose()
    {
        sessions?.Dispose();
        network?.Dispose();
    }
}
